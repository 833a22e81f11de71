"""Read the sample that ships with the package: records to a `Corpus`, and the example deaths.

A record names its texts by language; where a language has none, the English text
is served with the marker that WHO's API uses.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from icdframes.errors import ConfigurationError, did_you_mean
from icdframes.model.decode import TEXT_FIELDS, UNTRANSLATED
from icdframes.model.entity import Axis, Entity, Reference, ReferenceKind, Term, TermKind
from icdframes.model.uris import EntityUri, is_residual
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.settings import CLASSIFICATIONS

if TYPE_CHECKING:
    import pandas as pd

Record = Mapping[str, Any]

_TERMS: tuple[TermKind, ...] = ("synonym", "narrower_term", "inclusion", "index_term")
_REFERENCES: tuple[ReferenceKind, ...] = ("exclusion", "child_elsewhere")
_RELATED: Mapping[str, ReferenceKind] = {"maternal": "related_maternal", "perinatal": "related_perinatal"}


@cache
def sample_corpus() -> Corpus:
    """Read the shipped sample, once."""
    folder = resources.files("icdframes.sandbox") / "sample"
    releases = json.loads((folder / "releases.json").read_text(encoding="utf-8"))
    records = {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in CLASSIFICATIONS
    }
    return corpus_of_records(records, releases)


def sample_note(classification: str, release: str | None) -> str:
    """Return the sentence that says how small the sample is."""
    listing = sample_corpus().listing(classification, release)
    size = f" of {len(listing):,} entities" if listing else ""
    return f"The sandbox serves a small sample{size}: many levels are not complete, and WHO has more."


def corpus_of_records(records: Mapping[str, Sequence[Record]], releases: Mapping[str, Any]) -> Corpus:
    """Build a corpus from sample records.

    Parameters
    ----------
    records : Mapping of str to sequence of record
        Records of each classification in tabular order; keys as in ``sample/*.jsonl``.
    releases : Mapping of str to dict
        ``{"mms": {"title": {"en": …}, "releases": [{"id", "date", "languages"}]}}``.

    Returns
    -------
    Corpus

    """
    return Corpus(
        _listing(name, records.get(name, ()), about["title"], release)
        for name, about in releases.items()
        for release in about["releases"]
    )


def _listing(name: str, records: Iterable[Record], titles: Mapping[str, str], release: Record) -> Listing:
    present = {_key(record): _as_of(record, release["id"]) for record in records if _is_in(record, release["id"])}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for key, record in present.items():
        for parent in _parents(record):
            children[parent].append(key)
    composers = [
        _Composer(name, release["id"], present[key], tuple(children[key])) for key in _depth_first(present, children)
    ]
    return Listing(
        classification=name,
        release=release["id"],
        entities={
            language: {composer.key: composer.entity(language) for composer in composers}
            for language in release["languages"]
        },
        languages=tuple(release["languages"]),
        titles={language: text.format(release=release["id"]) for language, text in titles.items()},
        date=release.get("date"),
        prerelease_languages=tuple(release.get("prerelease_languages", ())),
    )


def _depth_first(present: Mapping[str, Record], children: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Tabular order: what another release moved stands elsewhere in the file."""
    met: dict[str, None] = {}
    stack = [key for key in reversed(tuple(present)) if not _parents(present[key])]
    while stack:
        key = stack.pop()
        if key not in met:
            met[key] = None
            stack.extend(reversed(children.get(key, ())))
    return met


class _Composer:
    """Entities of one record of one release, language by language."""

    def __init__(self, classification: str, release: str, record: Record, children: tuple[str, ...]) -> None:
        self.key = _key(record)
        self._record = record
        self._classification = classification
        named = None if classification == "foundation" else release
        self._links: dict[str, Any] = {
            "uri": str(EntityUri(classification, named, self.key)),
            "entity_id": self.key,
            "code": record.get("code") or None,
            "class_kind": record.get("kind"),
            "parent_ids": _parents(record),
            "child_ids": children,
            "block_id": record.get("block_id"),
            "code_range": record.get("code_range"),
            "foundation_id": self._foundation_id(),
            "axes": tuple(_axis(axis) for axis in record.get("axes", ())),
        }

    def entity(self, language: str) -> Entity:
        title = self._record["title"]
        texts: dict[str, Any] = {name: _text(self._record.get(name), language) for name in TEXT_FIELDS.values()}
        return Entity(
            **self._links,
            title=title.get(language, title["en"]),
            translated=language in title,
            language=language,
            **texts,
            terms=tuple(self._terms(language)),
            references=tuple(self._references(language)),
        )

    def _terms(self, language: str) -> Iterable[Term]:
        for kind in _TERMS:
            for item in self._record.get(kind, ()):
                label = _text(item["label"], language) or ""
                linked = item.get("foundation"), item.get("linearization")
                yield Term(kind, label, *linked, deprecated=item.get("deprecated", False))

    def _references(self, language: str) -> Iterable[Reference]:
        for kind in _REFERENCES:
            for item in self._record.get(kind, ()):
                yield Reference(kind, _text(item["label"], language), item.get("foundation"), item.get("linearization"))
        for key, kind in _RELATED.items():
            for foundation_id in self._record.get(key, ()):
                yield Reference(kind, None, foundation_id)

    def _foundation_id(self) -> str | None:
        if self._classification == "icd10" or is_residual(self.key):
            return None
        named: str = self._record.get("foundation", self.key)
        return named


def _key(record: Record) -> str:
    key: str = record["id"] if "id" in record else record["code"]
    return key


def _parents(record: Record) -> tuple[str, ...]:
    if "parents" in record:
        return tuple(record["parents"])
    return (record["parent"],) if record["parent"] else ()


def _is_in(record: Record, release: str) -> bool:
    return "releases" not in record or release in record["releases"]


def _as_of(record: Record, release: str) -> Record:
    return {**record, **record.get("in", {}).get(release, {})}


def _axis(axis: Record) -> Axis:
    return Axis(axis["axis"], axis["required"], axis["allow_multiple"], tuple(axis["scale"]))


def _text(texts: Mapping[str, str] | None, language: str) -> str | None:
    if not texts:
        return None
    return texts[language] if language in texts else texts["en"] + UNTRANSLATED


_FILES = {"mms": "deaths.csv", "icd10": "deaths_icd10.csv"}


def example_deaths(classification: Literal["mms", "icd10"] = "mms") -> pd.DataFrame:
    """Return the shipped example of deaths.

    Parameters
    ----------
    classification : {"mms", "icd10"}, default "mms"
        Deaths of 2021 to 2024 coded with ICD-11, or of 2018 to 2020 coded with ICD-10.

    Returns
    -------
    pandas.DataFrame
        One row per invented person: person_id, date (datetime64), age_years (int64), sex,
        region and dx, the code of the underlying cause as somebody typed it: most are in
        the sandbox's newest release, some in 2022-02 only, and as in life there are
        clusters, lost dots, small letters, wrong codes and empty cells. No network.

    Raises
    ------
    ConfigurationError
        If there is no such example.

    Examples
    --------
    >>> deaths = example_deaths()
    >>> len(deaths), deaths.columns.tolist()
    (421, ['person_id', 'date', 'age_years', 'sex', 'region', 'dx'])

    """
    import pandas as pd  # noqa: PLC0415  the sandbox serves without pandas

    from icdframes.frames.pandas_compat import TEXT  # noqa: PLC0415  as above

    if classification not in _FILES:
        hint = did_you_mean(str(classification), _FILES)
        raise ConfigurationError(f"There is no example of deaths for {classification!r}: give 'mms' or 'icd10'.{hint}")
    file = resources.files("icdframes.sandbox") / "sample" / _FILES[classification]
    with file.open(encoding="utf-8") as lines:
        deaths = pd.read_csv(
            lines,
            dtype={"person_id": TEXT, "sex": TEXT, "region": TEXT, "dx": TEXT, "age_years": "int64"},
            keep_default_na=False,
            na_values=[""],
        )
    return deaths.assign(date=pd.to_datetime(deaths["date"], format="%Y-%m-%d"))
