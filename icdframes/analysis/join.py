"""Add columns of a table of entities to a frame of any library, by a column of codes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.matching import (
    ENTITY,
    FOUND,
    KIND,
    KINDS,
    Lookup,
    Members,
    resolve,
    resolve_rows,
    split_members,
)
from icdframes.frames.pandas_compat import as_text, text_series

MATCH = "match"
JOINT = "\x1f"  # between the groups of one set
_TEXT, _TAKEN = "_icd_spelling", "_icd_taken"
_PIECE = 1_000_000

Places: TypeAlias = npt.NDArray[np.intp] | npt.NDArray[np.int32]
Combine: TypeAlias = Literal["any", "first", "union"]
"""How a column of a cluster is made of those of its codes: true for any, the first value, or the set of all."""


@dataclass(frozen=True, slots=True)
class JoinSpec:
    """What is to be added to a frame.

    Attributes
    ----------
    code : str
        Column of codes.
    lookup : Lookup
        The spellings of the entities.
    columns : pandas.DataFrame
        `ENTITY`, and the columns to add under their own names.
    match : str
        Name of the column for the kind of match.
    drop : bool
        Whether rows of unknown codes are left out.
    members : {"first", "stems", "any"}
        Which codes of a cluster count for the columns in `combine`.
    combine : Mapping of str to Combine
        The columns that can say something of several codes; the others are those of the first stem.

    """

    code: str
    lookup: Lookup
    columns: pd.DataFrame
    match: str = MATCH
    drop: bool = False
    members: Members = "first"
    combine: Mapping[str, Combine] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The columns to add, the kind of match last."""
        return [*self.columns.columns[1:], self.match]


def join(frame: Any, what: JoinSpec) -> Any:
    """Add columns of a table of entities, and the kind of match, to a frame of any library."""
    if backends.is_dask(frame):
        backends.check_names(frame.columns, what.code, what.names)
        backends.check_codes(what.code, is_float=pd.api.types.is_float_dtype(frame[what.code].dtype))
        return backends.by_partition(frame, _join_pandas, what=what)
    if isinstance(frame, pd.DataFrame):
        return _join_pandas(frame, what)
    data = backends.to_narwhals(frame)
    backends.check_names(backends.names_of(frame), what.code, what.names, ignore_case=backends.ignores_case(data))
    backends.check_column(data, what.code)
    if isinstance(data, nw.DataFrame) and not data.implementation.is_polars():
        return _join_eager(data, what).to_native()
    return _join_small(data, what).to_native()


def answer(codes: pd.Series | pd.Index, what: JoinSpec) -> pd.DataFrame:
    """Return the columns to add for each of some distinct codes, in their order, the kind of match last."""
    found = what.lookup.match(codes)
    rows = pd.Index(what.columns[ENTITY]).get_indexer(pd.Index(found[ENTITY]))
    added = {name: what.columns[name].array.take(rows, allow_fill=True) for name in what.names[:-1]}
    answers = pd.DataFrame({**added, what.match: found[KIND]})
    if what.members != "first" and what.combine:
        texts = text_series(codes)
        _count_members(answers, texts[texts.str.contains("&|/|%26|%2[Ff]", na=False)], what)
    return answers


def _count_members(answers: pd.DataFrame, clusters: pd.Series, what: JoinSpec) -> None:
    """Let other codes of clusters than the first count, in place; a cell with several codes stays as it is."""
    clusters = clusters[answers.loc[clusters.index, what.match].ne("several").to_numpy()]
    pieces = split_members(clusters, what.members)
    distinct = pd.Index(pieces["code"].unique())
    first = JoinSpec(what.code, what.lookup, what.columns, what.match)
    told = answer(distinct, first).iloc[distinct.get_indexer(pd.Index(pieces["code"]))].reset_index(drop=True)
    told = told[told[what.match].isin(FOUND)]
    groups = told.groupby(pieces["place"].loc[told.index])
    for name, rule in what.combine.items():
        combined = _combined(groups[name], rule)
        answers.loc[combined.index, name] = combined.astype(answers[name].dtype).array
    known = np.fromiter(groups.groups, dtype=np.intp)
    is_unknown = answers.loc[known, what.match].eq("unknown").to_numpy()
    answers.loc[known[is_unknown], what.match] = "stem"


def _combined(values: Any, rule: Combine) -> pd.Series:
    if rule == "any":
        return pd.Series(values.max())
    if rule == "first":
        return pd.Series(values.first())
    return pd.Series(values.agg(lambda sets: JOINT.join(dict.fromkeys(JOINT.join(sets.dropna()).split(JOINT)))))


def _join_pandas(frame: pd.DataFrame, what: JoinSpec) -> pd.DataFrame:
    """Match the few distinct codes, then take rows: no join of all rows."""
    backends.check_names(frame.columns, what.code, what.names)
    codes = frame[what.code]
    backends.check_series(codes)
    places, distinct = numbered_codes(codes)  # a missing code has the last place of what follows
    answers = answer(distinct, what)
    end = np.append(np.arange(len(answers)), -1)
    kinds = pd.Categorical([*answers[what.match], "missing"], categories=KINDS)
    result = frame.copy(deep=False)
    for name in what.names[:-1]:
        result[name] = _spread(answers[name].array.take(end, allow_fill=True), places)
    result[what.match] = _spread(kinds, places)
    return result[(kinds != "unknown")[places]] if what.drop else result


def numbered_codes(codes: pd.Series[Any]) -> tuple[Places, pd.Index[Any]]:
    """Return the distinct codes and the number of each row's, a missing one last; Arrow does so in half the memory."""
    if codes.empty or not isinstance(codes.dtype, pd.StringDtype) or codes.dtype.storage != "pyarrow":
        try:
            places, distinct = pd.factorize(codes)
        except TypeError as error:
            raise backends.lists_of_codes(codes.name) from error
        places[places < 0] = len(distinct)
        return places, pd.Index(distinct)
    import pyarrow as pa  # noqa: PLC0415  optional; here it is, since it holds the codes

    places, dictionary = backends.dictionary_of(pa.chunked_array(pa.array(codes.array)))
    return places, pd.Index(pd.array(dictionary, dtype=codes.dtype))


def _spread(values: Any, places: Places) -> Any:
    """Take rows; many of them in pieces, which need little memory beside the result, and on all cores."""
    if len(places) <= _PIECE:
        return values.take(places)
    pieces = (places[begin : begin + _PIECE] for begin in range(0, len(places), _PIECE))
    with ThreadPoolExecutor() as threads:
        return pd.concat([pd.Series(taken) for taken in threads.map(values.take, pieces)], ignore_index=True).array


def _join_eager(data: nw.DataFrame[Any], what: JoinSpec) -> nw.DataFrame[Any]:
    """Match the distinct codes in pandas, then take rows; the columns of the frame itself take part in nothing."""
    places, distinct = backends.numbered_codes(data, what.code)
    answers = answer(pd.Index(distinct), what)
    missing = pd.DataFrame({name: [None if name != what.match else "missing"] for name in what.names})
    table = pd.concat([answers, missing.astype(answers.dtypes.to_dict())], ignore_index=True)
    result = data.with_columns(*backends.taken(data, table, places))
    return result.filter(nw.col(what.match) != "unknown") if what.drop else result


def match_by_joins(data: Any, code: str, lookup: Lookup, columns: pd.DataFrame | None = None) -> Any:
    """Add `KIND`, and `ENTITY` or the columns that a table has for it, to a frame: by joins to small tables.

    They are joined to its distinct codes, and these to all rows; in Spark, where distinct codes are an exchange of
    rows between machines, to all rows. Nothing of a lazy frame is computed.
    """
    ship = backends.make_converter(data.lazy())
    added = None if columns is None else ship(columns)
    if backends.is_spark(data):
        rows: Any = resolve_rows(data, code, lookup, ship)
        return rows if added is None else backends.left_join(rows, added, ENTITY)
    text = nw.col(code).cast(nw.String).alias(_TEXT)
    matched: Any = resolve(backends.distinct(data.lazy().select(text), _TEXT), _TEXT, lookup, ship)
    if added is not None:
        matched = backends.left_join(matched, added, ENTITY).drop(ENTITY)
    matched = matched.filter(~nw.col(_TEXT).is_null())
    written = backends.numbered(data).with_columns(text)
    joined = backends.left_join(written, matched.collect() if isinstance(data, nw.DataFrame) else matched, _TEXT)
    return joined.with_columns(nw.col(KIND).fill_null("missing"))


def _join_small(data: Any, what: JoinSpec) -> Any:
    """Match by joins to small tables; new columns get their names last, as Spark reads dots in names."""
    inner = {name: f"_icd_added_{number}" for number, name in enumerate(what.names)}
    spec = JoinSpec(
        what.code,
        what.lookup,
        what.columns.rename(columns=inner),
        inner[what.match],
        members=what.members,
        combine={inner[name]: rule for name, rule in what.combine.items()},
    )
    joined = match_by_joins(data, spec.code, spec.lookup, spec.columns).rename({KIND: spec.match})
    if spec.members != "first" and spec.combine:
        joined = _with_members(joined, data, spec)
    if what.drop:
        joined = joined.filter(nw.col(spec.match) != "unknown")
    kept = data.collect_schema().names()
    return backends.renamed(backends.in_order(joined).select([*kept, *spec.names]), [*kept, *what.names])


def _with_members(joined: Any, data: Any, what: JoinSpec) -> Any:
    """Put in what all codes of the clusters say; the distinct clusters are read from the data for it."""
    text = nw.col(what.code).cast(nw.String)
    clusters = data.select(text.alias(_TEXT)).filter(nw.col(_TEXT).str.contains("&|/|%26|%2[Ff]"))
    texts = as_text(backends.collect(backends.distinct(clusters, _TEXT))[_TEXT])
    names = [*what.combine, what.match]
    told = answer(texts, what)[names].rename(columns={name: f"{_TAKEN}{name}" for name in names})
    told = told.assign(**{_TEXT: texts}).assign(**{_TAKEN: 1})
    spelled = joined if _TEXT in joined.collect_schema() else joined.with_columns(text.alias(_TEXT))
    both = backends.left_join(spelled, backends.make_converter(data)(told), _TEXT)
    taken = ~nw.col(_TAKEN).is_null()
    return both.with_columns(
        nw.when(taken).then(nw.col(f"{_TAKEN}{name}")).otherwise(nw.col(name)).alias(name) for name in names
    )
