"""Tables, WHO's mappings and the user's dictionary → the phrases that lead to a code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from icdframes.coding.normalize import Normalizer, compact_code, letters_of, stem_of, strip_excepted
from icdframes.errors import ComparabilityWarning, warn
from icdframes.frames.code_mapping import CodeMapping
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.pandas_compat import as_text

PRIORS = {
    "dictionary": 1.06,
    "title": 1.0,
    "fully_specified_name": 1.0,
    "synonym": 1.0,
    "inclusion": 1.0,
    "narrower_term": 0.99,
    "index_term": 0.99,
    "foundation_title": 0.985,
    "exclusion": 0.97,
    "child_elsewhere": 0.97,
    "icd10_title": 0.96,
}
"""How much a phrase of each kind counts: WHO's own words for the entity first, words for something near it later."""

Source = CodeMapping | EntityTables
Row = tuple[str, str, str]
"""Entity id, label, kind of term."""

_SUPPLEMENTARY = ("X", "V", "26")
_RESTS = {"unspecified": 1, "other": 2}
_GROUP_DISCOUNT = 0.04
_OTHER_DISCOUNT = 0.02
_CLIMB = 4
_UNSPECIFIED = re.compile(r"unspecified|unknown|without mention|not specified", re.IGNORECASE)
_REST_DISCOUNT = 0.06
_EXCEPTED_DISCOUNT = 0.03
_REST = re.compile(r"(?:certain|other) specified|due to (?:other |certain )?specified", re.IGNORECASE)
_OTHER = re.compile(r"^other |specified", re.IGNORECASE)
_TAIL = re.compile(r"(.*\S)\s*[\[(][^\])]*[\])]")
_CHOICE = {"en": "or", "es": "o", "fr": "ou", "pt": "ou"}


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a text is compared with, and where each phrase leads.

    Attributes
    ----------
    phrases : pandas.DataFrame
        label, key (its words in alphabetical order), target (a row of `targets`), kind, prior.
    targets : pandas.DataFrame
        entity_id, code, title, chapter, and rows of residuals or -1: its own "other specified"
        (other), "other specified" and "unspecified" of its parent (beside, broader).
    excluded : pandas.DataFrame
        key and target: the entity says that it does not hold this.

    """

    phrases: pd.DataFrame
    targets: pd.DataFrame
    excluded: pd.DataFrame
    _objects: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def objects(self, column: str) -> np.ndarray[Any, Any]:
        """Return a column of `phrases` as an array of str, which is kept."""
        if column not in self._objects:
            self._objects[column] = self.phrases[column].to_numpy(dtype=object)
        return self._objects[column]


class Coder:
    """Where an entity of the tables is coded."""

    def __init__(self, tables: EntityTables) -> None:
        frame = tables.entities.reset_index(drop=True)
        if tables.provenance.classification == "mms":
            frame = frame[~frame["chapter"].isin(_SUPPLEMENTARY)].reset_index(drop=True)
        self.frame = frame
        self.ids = [str(value) for value in frame["entity_id"]]
        self.place = {entity_id: row for row, entity_id in enumerate(self.ids)}
        self.everywhere = frozenset(tables.entities["entity_id"].astype(str))
        self.parent = dict(zip(self.ids, _texts(frame["parent_id"]), strict=True))
        self.title = dict(zip(self.ids, _texts(frame["title"]), strict=True))
        kinds = frame["class_kind"].eq("category")
        can_be = kinds & frame["code"].notna() if frame["code"].notna().any() else kinds | frame["code"].isna()
        self.coded = frozenset(entity_id for entity_id, yes in zip(self.ids, can_be, strict=True) if yes)
        self.groups = frozenset(entity_id for entity_id, yes in zip(self.ids, ~kinds, strict=True) if yes)
        self._target: dict[str, int] = {}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The children of each entity, in order."""
        found: dict[str, list[str]] = {}
        for entity_id in self.ids:
            found.setdefault(self.parent[entity_id] or "", []).append(entity_id)
        return found

    def target(self, entity_id: str) -> int:
        """Return the row at which WHO codes an entity without detail, mostly its unspecified residual, or -1."""
        if entity_id not in self._target:
            found = self._unspecified(entity_id, 2)
            self._target[entity_id] = self.place[found] if found in self.coded else -1
        return self._target[entity_id]

    def residual(self, entity_id: str | None, name: str) -> int:
        """Return the row of a residual, or -1."""
        whole = f"{entity_id}/{name}"
        return self.place[whole] if whole in self.coded else -1

    def _unspecified(self, entity_id: str, levels: int) -> str:
        own = f"{entity_id}/unspecified"
        if own in self.place:
            return own
        below = self.children.get(entity_id, []) if levels else []
        fitting = [child for child in below if _UNSPECIFIED.search(self.title[child] or "")]
        fitting = [child for child in fitting if not child.endswith("/other")]
        return self._unspecified(fitting[0], levels - 1) if len(fitting) == 1 else entity_id


def collect(
    tables: EntityTables, rules: Normalizer, *, sources: Iterable[Source] = (), dictionary: pd.DataFrame | None = None
) -> Phrases:
    """Return all phrases, each combination of words and target once.

    Parameters
    ----------
    tables : EntityTables
        Whose entities are the targets.
    rules : Normalizer
        Of the language of the tables.
    sources : iterable of CodeMapping or EntityTables
        WHO's mapping files, tables of the foundation.
    dictionary : pandas.DataFrame, optional
        Columns text and code.

    """
    coder = Coder(tables)
    rows = [*_own_rows(tables), *_source_rows(coder, tuple(sources))]
    keys = cache(partial(keys_of, rules=rules))
    cells = [
        (label, key, target, kind, prior)
        for entity_id, label, kind in rows
        if (target := coder.target(entity_id)) >= 0
        for prior in [_prior(coder, entity_id, label, kind)]
        for key in keys(label)
    ]
    targets = _targets(coder)
    if dictionary is not None:
        own, targets = _dictionary_rows(dictionary, targets, rules)
        cells += own
    frame = pd.DataFrame(cells, columns=["label", "key", "target", "kind", "prior"])
    frame = frame.astype({"target": "int64", "prior": "float64"})
    frame = frame.sort_values("prior", ascending=False, kind="stable").drop_duplicates(["key", "target"])
    frame = frame.reset_index(drop=True)
    frame["folded"] = [letters_of(label) for label in frame["label"]]
    return Phrases(frame, _counted(targets, frame), _excluded(tables, coder, rules))


def _counted(targets: pd.DataFrame, phrases: pd.DataFrame) -> pd.DataFrame:
    """Add how many phrases lead to each target, its first phrase, and how often its family and chapter are used."""
    used = targets["used"].astype("float64")
    rows = phrases["target"].to_numpy()
    title = np.full(len(targets), -1, dtype=np.int64)
    own = np.flatnonzero(phrases["kind"].eq("title").to_numpy())[::-1]
    title[rows[own]] = own
    whole = max(float(used.sum()), 1.0)
    return targets.assign(
        terms=np.bincount(rows, minlength=len(targets)).astype(np.float32),
        title_phrase=title,
        family_used=used.groupby(targets["family"]).transform("sum").astype(np.float32),
        chapter_used=(used.groupby(targets["chapter_place"]).transform("sum") / whole).astype(np.float32),
    )


def keys_of(label: str, rules: Normalizer) -> list[str]:
    """Return the words of a label, in alphabetical order, in each way that it can be read.

    Without what it leaves out ("without perforation") or adds in brackets; "a or b" is also "a" and "b".
    """
    whole = strip_excepted(label)
    readings = [whole]
    if whole.endswith((")", "]")) and (found := _TAIL.fullmatch(whole)):
        readings.append(found[1])
    word = _CHOICE.get(rules.language)
    if word and f" {word} " in whole:
        choice = re.compile(rf"\b([\w-]+) {word} ([\w-]+)\b")
        readings += [
            reading[: match.start()] + match[side] + reading[match.end() :]
            for reading in list(readings)
            for match in choice.finditer(reading)
            for side in (1, 2)
        ]
    keys = (" ".join(sorted(rules.words(reading))) for reading in readings)
    return [key for key in dict.fromkeys(keys) if key]


def _own_rows(tables: EntityTables) -> Iterator[Row]:
    frame = tables.entities
    own = frame[~frame["entity_id"].str.contains("/", regex=False, na=False)]
    for column, kind in (("title", "title"), ("fully_specified_name", "fully_specified_name")):
        yield from _rows(own["entity_id"], own[column], kind)
    terms = tables.terms[~tables.terms["deprecated"].fillna(value=False).astype(bool)]
    yield from zip(_texts(terms["entity_id"]), _texts(terms["label"]), _texts(terms["kind"]), strict=True)
    linked = tables.references[tables.references["linearization_id"].notna()]
    linked = linked[linked["kind"].isin(["exclusion", "child_elsewhere"])]
    yield from zip(_texts(linked["linearization_id"]), _texts(linked["label"]), _texts(linked["kind"]), strict=True)


def _source_rows(coder: Coder, sources: Sequence[Source]) -> Iterator[Row]:
    mappings = [source for source in sources if isinstance(source, CodeMapping)]
    icd10: dict[str, str] = {}
    for mapping in mappings:
        if mapping.source.classification == "icd10":
            yield from _icd10_rows(coder, mapping, icd10)
    for mapping in mappings:
        if mapping.source.classification == "foundation":
            yield from _foundation_rows(coder, mapping, icd10)
    for source in sources:
        if isinstance(source, EntityTables):
            yield from _foundation_tables(coder, source)


def _icd10_rows(coder: Coder, mapping: CodeMapping, icd10: dict[str, str]) -> Iterator[Row]:
    """Yield the titles of ICD-10 at the first entity to which WHO maps each."""
    frame = mapping.frame[mapping.frame["position"] == 1]
    columns = (frame["source_code"], frame["source_title"], frame["target_id"])
    for code, title, target in zip(*map(_texts, columns), strict=True):
        entity_id = target if target in coder.place else (target or "").partition("/")[0]
        if code and title and entity_id in coder.place and code not in icd10:
            icd10[code] = entity_id
            yield entity_id, title, "icd10_title"


def _foundation_rows(coder: Coder, mapping: CodeMapping, icd10: dict[str, str]) -> Iterator[Row]:
    """Yield the titles of foundation entities that the tables lack, at the entity that holds each.

    WHO's file is in the order of the hierarchy, so the last entity of the tables before a row, or one of its
    parents, holds the row; it is believed only where both have the same code of ICD-10.
    """
    frame = mapping.frame
    columns = (frame["source_id"], frame["source_title"], frame["target_code"])
    codes: dict[str, str | None] = {}
    last = ""
    for entity_id, title, code in zip(*map(_texts, columns), strict=True):
        if entity_id in coder.everywhere:
            last = entity_id or ""
            codes[last] = code
        elif title and last in coder.place:
            holder = _holder(coder, last, code, codes) or icd10.get(code or "")
            if holder:
                yield holder, title, "foundation_title"


def _holder(coder: Coder, last: str, code: str | None, codes: dict[str, str | None]) -> str | None:
    line = [last]
    while len(line) < _CLIMB and (above := coder.parent.get(line[-1])) in coder.place:
        line.append(above or "")
    same: tuple[Callable[[str], bool], ...] = (lambda c: c == code, lambda c: c[:3] == (code or "")[:3])
    for agrees in same:
        for entity_id in line:
            if code and agrees(codes.get(entity_id) or "-"):
                return entity_id
    return None


def _foundation_tables(coder: Coder, tables: EntityTables) -> Iterator[Row]:
    """Yield titles and terms of foundation entities, each at its nearest ancestor in the tables."""
    frame = tables.entities
    parents = dict(zip(_texts(frame["entity_id"]), _texts(frame["parent_id"]), strict=True))

    def held(entity_id: str | None) -> str | None:
        seen: set[str] = set()
        while entity_id and entity_id not in coder.place and entity_id not in seen:
            seen.add(entity_id)
            entity_id = parents.get(entity_id)
        return entity_id

    for entity_id, label, kind in _own_rows(tables):
        above = held(entity_id)
        if above and label and above in coder.place:
            yield above, label, kind if above == entity_id else "foundation_title"


def _dictionary_rows(
    dictionary: pd.DataFrame, targets: pd.DataFrame, rules: Normalizer
) -> tuple[list[tuple[str, str, int, str, float]], pd.DataFrame]:
    """Return the rows of the user's dictionary, and the targets with the clusters that it names."""
    codes = [compact_code(code) if isinstance(code, str) else "" for code in targets["code"]]
    known = {code: row for row, code in enumerate(codes) if code}
    pairs = dictionary[["text", "code"]].dropna().astype(str).value_counts(sort=False).reset_index()
    extra: list[dict[str, Any]] = []
    cells: list[tuple[str, str, int, str, float]] = []
    unknown: list[str] = []
    used: dict[int, int] = {}
    for text, code, count in pairs.itertuples(index=False, name=None):
        key = " ".join(sorted(rules.words(strip_excepted(text))))
        row = known.get(compact_code(code))
        stem = known.get(stem_of(code))
        if row is None and stem is None:
            unknown.append(code)
            continue
        if row is None and stem is not None:
            row = known[compact_code(code)] = len(targets) + len(extra)
            extra.append({str(name): value for name, value in targets.iloc[stem].items()} | {"code": code})
        if key and row is not None:
            cells.append((text, key, row, "dictionary", PRIORS["dictionary"] + 0.001 * min(count, 20)))
            used[row] = used.get(row, 0) + count
    if unknown:
        some = ", ".join(sorted(set(unknown))[:5])
        warn(
            f"{len(unknown)} codes of the dictionary are not in the tables ({some}): their wordings are left out.",
            ComparabilityWarning,
        )
    more = pd.DataFrame(extra, columns=targets.columns).astype(targets.dtypes) if extra else None
    targets = targets if more is None else pd.concat([targets, more], ignore_index=True)
    counts = np.zeros(len(targets), dtype=np.float32)
    counts[list(used)] = list(used.values())
    return cells, targets.assign(used=counts)


def _targets(coder: Coder) -> pd.DataFrame:
    bases = [entity_id.partition("/")[0] for entity_id in coder.ids]
    frame = coder.frame
    return pd.DataFrame(
        {
            "entity_id": as_text(frame["entity_id"]),
            "code": as_text(frame["code"]),
            "title": as_text(frame["title"]),
            "chapter": as_text(frame["chapter"]),
            "stem": np.arange(len(bases), dtype=np.int32),
            "family": pd.factorize(np.array([coder.parent.get(b) or b for b in bases], dtype=object))[0].astype(
                np.int32
            ),
            "chapter_place": pd.factorize(frame["chapter"].to_numpy(dtype=object))[0].astype(np.int32),
            "rest": np.array([_RESTS.get(entity_id.partition("/")[2], 0) for entity_id in coder.ids], dtype=np.int8),
            "used": np.zeros(len(bases), dtype=np.float32),
            "other": np.array([coder.residual(base, "other") for base in bases], dtype=np.int32),
            "beside": np.array([coder.residual(coder.parent.get(b), "other") for b in bases], dtype=np.int32),
            "broader": np.array([coder.residual(coder.parent.get(b), "unspecified") for b in bases], dtype=np.int32),
        }
    )


def _excluded(tables: EntityTables, coder: Coder, rules: Normalizer) -> pd.DataFrame:
    frame = tables.references[tables.references["kind"] == "exclusion"]
    cells = [
        (key, target)
        for entity_id, label in zip(_texts(frame["entity_id"]), _texts(frame["label"]), strict=True)
        if entity_id and label and (target := coder.target(entity_id)) >= 0
        for key in keys_of(label, rules)[:1]
    ]
    frame = pd.DataFrame(cells, columns=["key", "target"]).astype({"target": "int64"})
    return frame.drop_duplicates().reset_index(drop=True)


def _prior(coder: Coder, entity_id: str, label: str, kind: str) -> float:
    prior = PRIORS[kind]
    if entity_id in coder.groups:
        prior -= _GROUP_DISCOUNT
    if "specified" in label.casefold() and _REST.search(label):
        prior -= _REST_DISCOUNT
    if strip_excepted(label) != label:
        prior -= _EXCEPTED_DISCOUNT
    if kind == "icd10_title" and _OTHER.search(label):
        prior -= _OTHER_DISCOUNT
    return prior


def _rows(ids: pd.Series[Any], labels: pd.Series[Any], kind: str) -> Iterator[Row]:
    for entity_id, label in zip(_texts(ids), _texts(labels), strict=True):
        if entity_id and label:
            yield entity_id, label, kind


def _texts(column: pd.Series[Any]) -> list[Any]:
    return [value if isinstance(value, str) else None for value in column.to_numpy(dtype=object)]
