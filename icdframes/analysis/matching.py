"""Which entity a written code means: spellings, keys and kinds of match; it never sees a hierarchy.

The rules are narwhals expressions and joins to small tables, so that one text of them serves a
pandas frame of 100 codes and a Spark frame of billions of rows. See `icdframes.annotate` for the
kinds of match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.backends import ROW, Frame, Ship
from icdframes.errors import ConfigurationError, EntityNotFoundError, did_you_mean
from icdframes.model.gc_pause import collector_held

KINDS = ("exact", "dotless", "stem", "residual", "truncated", "unknown")

ENTITY = "_icd_entity"
KIND = "_icd_kind"
_TEXT, _CLEAN, _KEY, _CUT, _SPELLED, _IMPLIED = (
    f"_icd_{name}" for name in ("text", "clean", "key", "cut", "spelled", "implied")
)

# Only what Python, RE2, Rust and Java read alike. Blanks are named one by one: \s is ASCII in some of them.
_BLANKS = "[\\s\u00a0\u2007\u202f\u200b\ufeff]"
_URI = r"^HTTPS?://ID\.WHO\.INT/ICD/(?:ENTITY|RELEASE/10(?:/[0-9]{4})?|RELEASE/11(?:/[0-9]{4}(?:-[0-9]{2})?)?/[A-Z]+)/"
_CLUSTER = r"[&/].*$"
# An ICD-10 code of 3 or more signs or an ICD-11 stem code of 4 or more, with signs to spare and marks such as † or -.
# Extension codes (X and a letter) are left out: their signs are no hierarchy.
_CUTTABLE = r"^(?:[A-Z][0-9][0-9]|[0-9A-WYZ][A-Z][0-9][0-9A-Z])[0-9A-Z]{0,5}[-+*!†‡]*$"
_STEM_11 = r"[0-9A-WYZ][A-Z][0-9][0-9A-XZ]?[0-9A-X]*"
_CATEGORY = r"[A-Z][0-9][0-9][0-9A-Z]*|[0-9A-WYZ][A-Z][0-9][0-9A-Z]+"


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
    """Give the entities of tables, or the frame itself where only entities were given."""
    entities = tables if isinstance(tables, pd.DataFrame) else tables.entities
    if "entity_id" not in entities.columns or "code" not in entities.columns:
        raise ConfigurationError(
            "These tables have no columns 'entity_id' and 'code': give what load_tables or load_entity returned."
        )
    return entities


@dataclass(frozen=True, slots=True)
class Lookup:
    """Every known spelling of every entity of some tables.

    Attributes
    ----------
    spellings : pandas.DataFrame
        Key, entity, the canonical text, and whether the key is only implied (a
        residual that the tables do not hold, standing for its parent).
    prefixes : Mapping of int to pandas.DataFrame
        Keys of categories by their length, longest first, with their entity.

    """

    spellings: pd.DataFrame
    prefixes: Mapping[int, pd.DataFrame]

    @classmethod
    @collector_held()
    def of(cls, tables: Tables) -> Lookup:
        """Read the spellings from tables; codes go before ids, categories before blocks."""
        entities = entities_of(tables)
        is_category = entities["class_kind"].eq("category") if "class_kind" in entities.columns else True
        coded = entities.loc[entities["code"].notna(), ["entity_id", "code"]]
        coded = coded.assign(first=is_category).sort_values("first", ascending=False, kind="stable")
        names = pd.DataFrame(
            {
                _SPELLED: pd.concat([coded["code"], entities["entity_id"]]).astype("str"),
                ENTITY: pd.concat([coded["entity_id"], entities["entity_id"]]).astype("str"),
                "category": np.r_[coded["first"].to_numpy(bool), np.zeros(len(entities), bool)],
            }
        )
        names[_KEY] = keys_of(names[_SPELLED])
        names = names.drop_duplicates(_KEY)
        categories = names.loc[names["category"] & names[_KEY].str.fullmatch(_CATEGORY), [_KEY, ENTITY]]
        stems = categories[categories[_KEY].str.fullmatch(_STEM_11) & categories[_KEY].str.len().ge(4)]
        implied = pd.concat([stems.assign(**{_KEY: stems[_KEY] + letter}) for letter in "YZ"])
        known = names.drop(columns="category").assign(**{_IMPLIED: 0})
        spellings = pd.concat([known, implied.assign(**{_IMPLIED: 1})]).drop_duplicates(_KEY)
        lengths = categories[_KEY].str.len()
        cuts = {
            int(length): categories[lengths.eq(length)].set_axis([_CUT, f"{_CUT}{length}"], axis=1)
            for length in sorted(lengths.unique(), reverse=True)
        }
        return cls(spellings.reset_index(drop=True), cuts)

    def match(self, codes: Sequence[object] | pd.Series | pd.Index | npt.NDArray[Any]) -> pd.DataFrame:
        """Give `ENTITY` and `KIND` for the distinct codes of an array, in their order, in pandas."""
        texts = pd.Series([str(code) for code in pd.Series(codes).tolist()], dtype="str")
        asked = pd.DataFrame({"code": texts, ROW: np.arange(len(texts))})
        found = resolve(nw.from_native(asked), "code", self, nw.from_native)
        matched: pd.DataFrame = found.sort(ROW).to_native()
        return matched.reset_index(drop=True)[[ENTITY, KIND]]


def keys_of(texts: pd.Series) -> pd.Series:
    """Give the keys under which spellings are looked up: upper case, no dots, no blanks, the first stem only."""
    keyed = _keyed(nw.from_native(pd.DataFrame({"code": texts.array})), "code")
    made: pd.DataFrame = keyed.to_native()
    return pd.Series(made[_KEY].array, index=texts.index, dtype="str")


def resolve(frame: Frame, code: str, lookup: Lookup, ship: Ship) -> Frame:
    """Add `ENTITY` (missing where unknown) and `KIND` to a frame by joins to small tables."""
    wanted = [*frame.collect_schema().names(), ENTITY, KIND]
    found = _join(_keyed(frame, code), ship(lookup.spellings), _KEY)
    rest = nw.col(ENTITY).is_null() & nw.col(_KEY).str.contains(_CUTTABLE)
    for length, prefixes in lookup.prefixes.items():
        cut = nw.when(rest).then(nw.col(_KEY).str.slice(0, length))
        found = _join(found.with_columns(cut.alias(_CUT)), ship(prefixes), _CUT)
    cuts = [nw.col(f"{_CUT}{length}") for length in lookup.prefixes]
    known, text = ~nw.col(ENTITY).is_null(), nw.col(_TEXT)
    is_exact = (text == nw.col(_SPELLED)) | text.str.starts_with("http")
    kind = nw.lit("unknown")
    if cuts:
        kind = nw.when(~nw.coalesce(*cuts).is_null()).then(nw.lit("truncated")).otherwise(kind)
    for condition, name in (
        (known, "dotless"),
        (known & is_exact, "exact"),
        (known & nw.col(_CLEAN).str.contains("[&/]"), "stem"),
        (known & (nw.col(_IMPLIED) == 1), "residual"),
    ):
        kind = nw.when(condition).then(nw.lit(name)).otherwise(kind)
    matched: Frame = found.with_columns(kind.alias(KIND), nw.coalesce(nw.col(ENTITY), *cuts).alias(ENTITY))
    return matched.select(wanted)


def locate(entities: pd.DataFrame, entity: str | int) -> int:
    """Give the row of one entity: a code, an id or a URI.

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
        hint = did_you_mean(text.upper(), entities["code"].dropna())
        raise EntityNotFoundError(f"These tables hold no entity {text!r}: give a code, an id or a URI.{hint}")
    return int(np.flatnonzero(entities["entity_id"].eq(found[ENTITY]))[0])


def locate_all(entities: pd.DataFrame, codes: pd.Series) -> npt.NDArray[np.intp]:
    """Give the row of each code of a column, -1 where it is unknown or missing."""
    places, distinct = pd.factorize(codes)
    found = Lookup.of(entities).match(distinct)[ENTITY]
    rows = pd.Index(entities["entity_id"]).get_indexer(pd.Index(found))
    return np.append(rows, -1)[places]


def _keyed(frame: Any, code: str) -> Any:
    text = nw.col(code).cast(nw.String)
    clean = text.str.to_uppercase().str.replace_all(_BLANKS, "").str.replace_all(_URI, "")
    for encoded, plain in (("%26", "&"), ("%2F", "/")):
        clean = clean.str.replace_all(encoded, plain, literal=True)
    for residual in ("OTHER", "UNSPECIFIED"):  # an id such as 257068234/other is no cluster
        clean = clean.str.replace_all(f"/{residual}", f"~{residual}", literal=True)
    cleaned = frame.with_columns(text.alias(_TEXT), clean.alias(_CLEAN))
    key = nw.col(_CLEAN).str.replace_all(_CLUSTER, "").str.replace_all(".", "", literal=True)
    return cleaned.with_columns(key.alias(_KEY))


def _join(left: Any, right: Any, on: str) -> Any:
    return left.join(right, on=on, how="left")
