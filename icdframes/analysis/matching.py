"""Which entity a written code means: spellings, keys and kinds of match.

The rules are narwhals expressions and joins to small tables, so that one text of them serves a
pandas frame of 100 codes and a Spark frame of billions of rows; their patterns are those of
`icdframes.model.code_shapes`. See `icdframes.annotate` for the kinds of match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.backends import ROW, Frame, Ship, collect, left_join, quick_frame
from icdframes.errors import ConfigurationError, EntityNotFoundError, did_you_mean
from icdframes.frames.pandas_compat import as_text, read_once, text_series
from icdframes.model.code_shapes import (
    ABBREVIATED,
    BLANKS,
    DASHES,
    ICF_GAP,
    ODD,
    ODD_ICF,
    ODD_OTHERS,
    PADDED_WITH_X,
    PADDING,
    QUALIFIED,
    SEVERAL,
    SEVERAL_WORDS,
    SLASHED,
    SPELLINGS,
    STEM_CODE,
    URI_PREFIX,
    icf_chapter,
)
from icdframes.model.codes import read_interval, split_codes

KINDS = ("exact", "dotless", "stem", "residual", "truncated", "several", "unknown", "missing")
FOUND = ("exact", "dotless", "stem", "residual", "truncated")
"""The kinds of match that have an entity."""
Members: TypeAlias = Literal["first", "stems", "any"]
MEMBERS: tuple[Members, ...] = ("first", "stems", "any")

ENTITY = "_icd_entity"
KIND = "_icd_kind"
_TEXT, _CLEAN, _COMPACT, _KEY, _CUT, _SPELLED, _IMPLIED, _WRITTEN, _SPELLING, _TOLD, _REST = (
    f"_icd_{name}"
    for name in ("text", "clean", "compact", "key", "cut", "spelled", "implied", "written", "spelling", "told", "rest")
)

# An ICD-10 code of 3 or more signs or an ICD-11 stem code of 4 or more, with signs to spare.
# Extension codes (X and a letter) are left out: their signs are no hierarchy.
_CUTTABLE = r"^(?:[A-Z][0-9][0-9][0-9A-Z]{0,4}|[0-9A-WYZ][A-Z][0-9][0-9A-Z]{1,4})$"
_WRITTEN_CODE = r"^(?:[A-Z][0-9][0-9A-Z]{1,5}|[1-9A-HJ-NP-Z][A-HJ-NP-Z][0-9][0-9A-HJ-NP-Z]{1,4})$"
_STEM_11 = r"[0-9A-WYZ][A-Z][0-9][0-9A-XZ]?[0-9A-X]*"
_CATEGORY = r"[A-Z][0-9][0-9][0-9A-Z]*|[0-9A-WYZ][A-Z][0-9][0-9A-Z]+"
_JOINED = "&|/[^/]"
_AROUND = rf"^[,;|]+|{PADDING}"
_USUAL = r"[0-9A-Z.]*[0-9A-Z]"
_PIECES, _SLASHED, _STEM_CODE = re.compile("([&/])(?![.+])"), re.compile(SLASHED), re.compile(STEM_CODE)
_NAME_COLUMNS = ("entity_id", "code", "class_kind", "block_id")


class HasTables(Protocol):
    """What is read of an `EntityTables`."""

    @property
    def entities(self) -> pd.DataFrame:
        """One row per entity."""

    @property
    def edges(self) -> pd.DataFrame:
        """One row per link from parent to child."""


Tables: TypeAlias = HasTables | pd.DataFrame


def entities_of(tables: Tables) -> pd.DataFrame:
    """Return the entities of tables, or the frame itself where only entities were given."""
    entities = tables if isinstance(tables, pd.DataFrame) else tables.entities
    if "entity_id" not in entities.columns or "code" not in entities.columns:
        raise ConfigurationError(
            "These tables have no columns 'entity_id' and 'code': give what load_tables or load_entity returned."
        )
    return entities


@dataclass(frozen=True)
class Lookup:
    """Every known spelling of every entity of some tables.

    Attributes
    ----------
    spellings : pandas.DataFrame
        Key, entity, the canonical text, and whether the key is only implied: a residual that the
        tables do not hold, standing for its parent.
    prefixes : Mapping of int to pandas.DataFrame
        Keys of categories by their length, longest first, with their entity.
    is_icf : bool
        Whether the codes are those of ICF, whose dot begins qualifiers.

    """

    spellings: pd.DataFrame
    prefixes: Mapping[int, pd.DataFrame]
    is_icf: bool = False

    @classmethod
    def of(cls, tables: Tables) -> Lookup:
        """Return the spellings of tables; those of the last two are kept, since reading 36,000 takes 0.2 s."""
        entities = entities_of(tables)
        return read_once(cls.read, entities[[name for name in _NAME_COLUMNS if name in entities.columns]])

    @classmethod
    def read(cls, entities: pd.DataFrame) -> Lookup:
        """Read the spellings; codes go before ids and these before ids of blocks, categories first."""
        names = _names_of(entities)
        spelled = names[_SPELLED]
        names[_KEY] = keys_of(spelled)
        names = names.drop_duplicates(_KEY)
        categories = names.loc[names["category"] & names[_KEY].str.fullmatch(_CATEGORY, na=False), [_KEY, ENTITY]]
        stems = categories[categories[_KEY].str.fullmatch(_STEM_11, na=False) & categories[_KEY].str.len().ge(4)]
        residuals = [stems.assign(**{_KEY: stems[_KEY] + letter}) for letter in "YZ"]
        every = [names.drop(columns="category").assign(**{_IMPLIED: False})]
        every += [frame.assign(**{_IMPLIED: True}) for frame in residuals]
        spellings = pd.concat(every).drop_duplicates(_KEY)
        lengths = categories[_KEY].str.len()
        cuts = {
            int(length): categories[lengths.eq(length)].set_axis([_CUT, f"{_CUT}{length}"], axis=1)
            for length in sorted(lengths.unique(), reverse=True)
        }
        return cls(spellings.reset_index(drop=True), cuts, bool(categories[ENTITY].size) and holds_icf(spelled))

    @property
    def exact(self) -> pd.DataFrame:
        """The spellings that the tables themselves hold."""
        return self.spellings[~self.spellings[_IMPLIED]]

    @cached_property
    def usual(self) -> pd.DataFrame:
        """What nearly all codes are but for blanks around and small letters: a code with and without dots.

        Columns are the text in capitals, the spelling that is ``exact`` where one is, and the `ENTITY`. Spellings
        that differ in capitals alone are left out.
        """
        plain = self.exact
        capitals = plain[_SPELLED].str.upper()
        texts = pd.concat([capitals, capitals.str.replace(".", "", regex=False)]).drop_duplicates()
        texts = texts[~texts.isin(capitals[capitals.duplicated()])].reset_index(drop=True)
        places = pd.Index(capitals.drop_duplicates()).get_indexer(pd.Index(texts))
        spellings = plain[_SPELLED][~capitals.duplicated()].array.take(places, allow_fill=True)
        found = self.match(texts).assign(**{_WRITTEN: texts, _SPELLING: spellings})
        return found.loc[found[KIND].isin(("exact", "dotless")), [_WRITTEN, _SPELLING, ENTITY]]

    def match(self, codes: Sequence[object] | pd.Series | pd.Index | npt.NDArray[Any]) -> pd.DataFrame:
        """Return `ENTITY` and `KIND` for the distinct codes of an array, in their order, in pandas."""
        given = pd.Series(codes, dtype=object) if isinstance(codes, list | tuple) else pd.Series(codes)
        texts = text_series(given.tolist())
        plain = self.exact
        places = pd.Index(plain[_SPELLED]).get_indexer(pd.Index(texts))  # in most data nearly all codes are exact
        entities = pd.Series(plain[ENTITY].array.take(places, allow_fill=True))
        kinds = text_series("exact", index=entities.index)
        if (rest := np.flatnonzero(places < 0)).size:
            asked, ship = quick_frame(pd.DataFrame({"code": texts.iloc[rest].array, ROW: rest}))
            found = collect(resolve(asked, "code", self, ship).sort(ROW))
            entities.iloc[rest] = found[ENTITY].array
            kinds.iloc[rest] = found[KIND].array
        return pd.DataFrame({ENTITY: entities, KIND: kinds})


def _names_of(entities: pd.DataFrame) -> pd.DataFrame:
    """Return every name of every entity in the order in which names are looked up, and whether it is a category's."""
    is_category = entities["class_kind"].eq("category") if "class_kind" in entities.columns else True
    coded = entities.loc[entities["code"].notna(), ["entity_id", "code"]]
    coded = coded.assign(first=is_category).sort_values("first", ascending=False, kind="stable")
    texts, owners = [coded["code"], entities["entity_id"]], [coded["entity_id"], entities["entity_id"]]
    if "block_id" in entities.columns and (blocks := entities[entities["block_id"].notna()]).size:
        chapters = [icf_chapter(None, str(block)) for block in blocks["block_id"].tolist()]
        chapter = text_series(chapters, index=blocks.index)
        icf = blocks[chapter.notna() & blocks["block_id"].str.fullmatch("(?i:BlockL[12]-.*)", na=False)]
        texts += [blocks["block_id"], chapter[icf.index]]
        owners += [blocks["entity_id"], icf["entity_id"]]
    n_more = sum(map(len, texts)) - len(coded)
    return pd.DataFrame(
        {
            _SPELLED: as_text(pd.concat(texts, ignore_index=True)),
            ENTITY: as_text(pd.concat(owners, ignore_index=True)),
            "category": np.r_[coded["first"].to_numpy(bool), np.zeros(n_more, bool)],
        }
    )


def keys_of(texts: pd.Series) -> pd.Series:
    """Return the keys under which spellings are looked up: upper case, no dots, no blanks, the first stem only."""
    texts = as_text(texts)
    keys = texts.str.replace(".", "", regex=False)
    unusual = ~texts.str.fullmatch(_USUAL, na=False) | texts.str.match(QUALIFIED, na=False)
    if unusual.any():
        made = collect(_keyed(quick_frame(pd.DataFrame({"code": texts[unusual].array}))[0], "code"))
        keys[unusual.to_numpy(bool)] = as_text(made[_KEY]).array
    return keys


def holds_icf(codes: pd.Series) -> bool:
    """Return whether a category of ICF is among some codes."""
    return bool(codes.str.fullmatch("[bdes][1-9][0-9]{2,4}", na=False).any())


def written_keys(texts: pd.Series, *, is_icf: bool) -> pd.Series:
    """Return the keys of codes that people wrote, empty where a text is not written like one: for use without tables.

    Parameters
    ----------
    texts : pandas.Series
        Single codes.
    is_icf : bool
        Whether they are those of ICF, whose dot begins qualifiers.

    """
    frame: Any = quick_frame(pd.DataFrame({"code": as_text(texts).array}))[0]
    has_words = nw.col(_CLEAN).str.contains(SEVERAL_WORDS) & ~nw.col(_COMPACT).str.contains(QUALIFIED)
    is_code = nw.col(_KEY).str.contains(_WRITTEN_CODE) & ~has_words
    key = nw.when(nw.col(_KEY).str.contains(PADDED_WITH_X)).then(nw.col(_KEY).str.replace_all("X+$", ""))
    made = _keyed(frame, "code").with_columns(
        nw.when(is_code & ~_is_odd(is_icf=is_icf)).then(key.otherwise(nw.col(_KEY))).otherwise(nw.lit("")).alias(_KEY)
    )
    return pd.Series(as_text(collect(made)[_KEY]).array, index=texts.index)


def resolve(frame: Frame, code: str, lookup: Lookup, ship: Ship) -> Frame:
    """Add `ENTITY` (missing where unknown) and `KIND` to a frame by joins to small tables."""
    # All are handed over before a step is made: DuckDB binds each step again once a table has come.
    spellings, cuts_by_length = ship(lookup.spellings), {n: ship(table) for n, table in lookup.prefixes.items()}
    wanted = [*frame.collect_schema().names(), ENTITY, KIND]
    found = left_join(_keyed(frame, code), spellings, _KEY)
    compact, key = nw.col(_COMPACT), nw.col(_KEY)
    is_odd = _is_odd(is_icf=lookup.is_icf)
    known = ~nw.col(ENTITY).is_null() & (~is_odd | (nw.col(_TEXT) == nw.col(_SPELLED)))
    several = nw.col(_CLEAN).str.contains(SEVERAL)
    rest = ~known & ~several & ~is_odd & key.str.contains(_CUTTABLE) & ~nw.col(_CLEAN).str.contains(SEVERAL_WORDS)
    for length, prefixes in cuts_by_length.items():
        cut = nw.when(rest).then(key.str.slice(0, length))
        found = left_join(found.with_columns(cut.alias(_CUT)), prefixes, _CUT)
    cuts = [nw.col(f"{_CUT}{length}") for length in lookup.prefixes]
    text = nw.col(_TEXT)
    is_exact = (text == nw.col(_SPELLED)) | text.str.starts_with("http")
    is_longer = compact.str.contains(_JOINED) | compact.str.contains(QUALIFIED)
    kind = nw.lit("unknown")
    if cuts:
        is_filled = key.str.contains(PADDED_WITH_X) & nw.any_horizontal(
            *(
                ~nw.col(f"{_CUT}{length}").is_null() & (key.str.replace_all("X+$", "").str.len_chars() == length)
                for length in lookup.prefixes
            ),
            ignore_nulls=True,
        )
        kind = nw.when(~nw.coalesce(*cuts).is_null()).then(nw.lit("truncated")).otherwise(kind)
        kind = kind if lookup.is_icf else nw.when(is_filled).then(nw.lit("dotless")).otherwise(kind)
    for condition, name in (
        (known, "dotless"),
        (known & is_exact, "exact"),
        (known & is_longer, "stem"),
        (known & nw.col(_IMPLIED), "residual"),
        (several, "several"),
        (text.is_null() | (compact == ""), "missing"),
    ):
        kind = nw.when(condition).then(nw.lit(name)).otherwise(kind)
    entity = nw.when(~several).then(nw.coalesce(nw.when(known).then(nw.col(ENTITY)), *cuts))
    matched: Frame = found.with_columns(kind.alias(KIND), entity.alias(ENTITY))
    return matched.select(wanted)


def _is_odd(*, is_icf: bool) -> nw.Expr:
    """Return whether a text is written as no code is, so that it must be an exact spelling to be known."""
    compact = nw.col(_COMPACT)
    if is_icf:
        return compact.str.contains(f"{ODD}|{ODD_ICF}") | nw.col(_CLEAN).str.contains(ICF_GAP)
    return compact.str.contains(f"{ODD}|{ODD_OTHERS}")


def resolve_rows(frame: Frame, code: str, lookup: Lookup, ship: Ship) -> Frame:
    """Do what `resolve` does, the patterns only where a text is no usual spelling: for frames of all rows."""
    usual = ship(lookup.usual.rename(columns={ENTITY: _TOLD}))
    wanted, text = frame.collect_schema().names(), nw.col(code).cast(nw.String)
    written = frame.with_columns(text.str.to_uppercase().str.strip_chars(" ").alias(_WRITTEN))
    joined = left_join(written, usual, _WRITTEN)
    is_usual = ~nw.col(_TOLD).is_null()
    found: Any = resolve(joined.with_columns(nw.when(~is_usual).then(text).alias(_REST)), _REST, lookup, ship)
    kind = nw.when(is_usual).then(nw.lit("dotless")).otherwise(nw.col(KIND))
    kind = nw.when(text == nw.col(_SPELLING)).then(nw.lit("exact")).otherwise(kind)
    known: Frame = found.select(*wanted, nw.coalesce(_TOLD, ENTITY).alias(ENTITY), kind.alias(KIND))
    return known


def split_members(texts: pd.Series, members: Members) -> pd.DataFrame:
    """Return the codes of clusters that count, in order: ``place`` is the index label of the text, and ``code``."""
    keyed = collect(_keyed(quick_frame(pd.DataFrame({"code": texts.array}))[0], "code"))
    rows = []
    for place, compact in zip(texts.index, keyed[_COMPACT].tolist(), strict=True):
        parts = ["/", *([compact] if _SLASHED.search(compact) else _PIECES.split(compact))]
        pairs = zip(parts[::2], parts[1::2], strict=True)
        rows += [
            (place, piece)
            for joint, piece in pairs
            if piece and (members == "any" or joint == "/" or _STEM_CODE.match(piece))
        ]
    return pd.DataFrame(rows, columns=["place", "code"])


def locate(entities: pd.DataFrame, entity: str | int) -> int:
    """Return the row of one entity: a code, an id, a block's id or a URI.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold it.

    """
    text = str(entity)
    for column in ("code", "entity_id"):
        rows = np.flatnonzero(entities[column].eq(text).to_numpy(bool, na_value=False))
        if rows.size:
            if "class_kind" in entities.columns:  # the one category of a block of ICD-10 can have the same code
                rows = rows[np.argsort(entities["class_kind"].iloc[rows].ne("category"), kind="stable")]
            return int(rows[0])
    found = Lookup.of(entities).match([text]).iloc[0]
    if found[KIND] not in {"exact", "dotless"}:
        hint = _why_no_entity(text, found[KIND]) or did_you_mean(text.upper(), entities["code"].dropna())
        raise EntityNotFoundError(f"These tables hold no entity {text!r}: give a code, an id or a URI.{hint}")
    return int(np.flatnonzero(entities["entity_id"].eq(found[ENTITY]))[0])


def _why_no_entity(text: str, kind: str) -> str:
    """Return what a text is that names no single entity; nothing where it may be a slip."""
    if kind == "several":
        return f" It holds {len(split_codes(text))} codes: give them as a list, or one by one."
    if kind == "stem":
        return " It is a cluster, or a category with qualifiers: give its first code."
    if read_interval(text):
        return " It is a range and no block: a Grouping or a CodeList takes ranges."
    return ""


def locate_all(entities: pd.DataFrame, codes: pd.Series) -> npt.NDArray[np.intp]:
    """Return the row of each code of a column, -1 where it is unknown or missing."""
    places, distinct = pd.factorize(codes)
    found = Lookup.of(entities).match(distinct)[ENTITY]
    rows = pd.Index(entities["entity_id"]).get_indexer(pd.Index(found))
    return np.append(rows, -1)[places]


def _keyed(frame: Any, code: str) -> Any:
    """Add the text, the text in its usual writing, the same without blanks, and the key of its first code."""
    text = nw.col(code).cast(nw.String)
    clean = text.str.to_uppercase().str.replace_all(f"[{DASHES}]", "-").str.replace_all(URI_PREFIX, "")
    for written, meant in SPELLINGS.items():
        clean = clean.str.replace_all(written, meant, literal=True)
    cleaned = frame.with_columns(text.alias(_TEXT), clean.alias(_CLEAN))
    compacted = nw.col(_CLEAN).str.replace_all(f"[{BLANKS}]+", "").str.replace_all(".--", "-", literal=True)
    cleaned = cleaned.with_columns(compacted.alias(_COMPACT))
    compact = nw.col(_COMPACT)
    first = (
        nw.when(compact.str.contains(QUALIFIED))
        .then(compact.str.replace_all("[.+/&].*$", ""))
        .otherwise(
            compact.str.replace_all("[&/].*$", "").str.replace_all(_AROUND, "").str.replace_all(".", "", literal=True)
        )
    )
    keyed = cleaned.with_columns(first.alias(_KEY))
    key = nw.col(_KEY)
    whole = nw.concat_str(key.str.slice(0, 4), key.str.slice(0, 1), key.str.slice(4))
    return keyed.with_columns(nw.when(key.str.contains(ABBREVIATED)).then(whole).otherwise(key).alias(_KEY))
