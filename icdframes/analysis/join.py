"""Add columns of a table of entities to a frame of any library; it decides nothing about codes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.matching import ENTITY, KIND, KINDS, Lookup, resolve

MATCH = "match"
_TEXT = "_icd_spelling"
_PIECE = 1_000_000

Places = npt.NDArray[np.intp] | npt.NDArray[np.int32]


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

    """

    code: str
    lookup: Lookup
    columns: pd.DataFrame
    match: str = MATCH
    drop: bool = False

    @property
    def names(self) -> list[str]:
        """The columns to add, the kind of match last."""
        return [*self.columns.columns[1:], self.match]


def join(frame: Any, what: JoinSpec) -> Any:
    """Add columns of a table of entities, and the kind of match, to a frame of any library."""
    if backends.is_dask(frame):
        backends.check_names(frame.columns, what.code, what.names)
        backends.check_codes(what.code, is_float=pd.api.types.is_float_dtype(frame[what.code].dtype))
        return backends.by_partition(frame, _attach_pandas, what=what)
    if isinstance(frame, pd.DataFrame):
        return _attach_pandas(frame, what)
    data = backends.to_narwhals(frame)
    schema = data.collect_schema()
    backends.check_names(schema.names(), what.code, what.names)
    backends.check_codes(what.code, is_float=schema[what.code].is_float())
    return (_attach_eager(data, what) if isinstance(data, nw.DataFrame) else _attach_lazy(data, what)).to_native()


def _attach_pandas(frame: pd.DataFrame, what: JoinSpec) -> pd.DataFrame:
    """Match the few distinct codes, then take rows: no join of all rows."""
    backends.check_names(frame.columns, what.code, what.names)
    codes = frame[what.code]
    backends.check_codes(what.code, is_float=pd.api.types.is_float_dtype(codes) and bool(codes.notna().any()))
    places, distinct = _numbered(codes)  # a missing code has the last place of what follows
    found = what.lookup.match(distinct)
    rows = np.append(pd.Index(what.columns[ENTITY]).get_indexer(pd.Index(found[ENTITY])), -1)
    kinds = pd.Categorical([*found[KIND], "unknown"], categories=KINDS)
    result = frame.copy(deep=False)
    for name in what.names[:-1]:
        result[name] = _spread(what.columns[name].array.take(rows, allow_fill=True), places)
    result[what.match] = _spread(kinds, places)
    return result[(kinds != "unknown")[places]] if what.drop else result


def _numbered(codes: pd.Series[Any]) -> tuple[Places, pd.Index[Any]]:
    """Give each distinct code a number, a missing one the next; Arrow does so for what it holds, in half the memory."""
    if codes.empty or not isinstance(codes.dtype, pd.StringDtype) or codes.dtype.storage != "pyarrow":
        places, distinct = pd.factorize(codes)
        places[places < 0] = len(distinct)
        return places, pd.Index(distinct)
    import pyarrow as pa  # noqa: PLC0415  optional; here it is, since it holds the codes

    encoded = pa.chunked_array(pa.array(codes.array)).dictionary_encode().combine_chunks()
    numbers = encoded.indices.fill_null(len(encoded.dictionary))
    return numbers.to_numpy(zero_copy_only=False), pd.Index(pd.array(encoded.dictionary, dtype=codes.dtype))


def _spread(values: Any, places: Places) -> Any:
    """Take rows; many of them in pieces, which need little memory beside the result, and on all cores."""
    if len(places) <= _PIECE:
        return values.take(places)
    pieces = (places[begin : begin + _PIECE] for begin in range(0, len(places), _PIECE))
    with ThreadPoolExecutor() as threads:  # Arrow lets go of the interpreter while it takes
        return pd.concat([pd.Series(taken) for taken in threads.map(values.take, pieces)], ignore_index=True).array


def _attach_eager(data: nw.DataFrame[Any], what: JoinSpec) -> nw.DataFrame[Any]:
    """Match the distinct codes by joins; the columns of the frame itself take part in none."""
    ship = backends.make_converter(data)
    texts = data.select(nw.col(what.code).cast(nw.String).alias(_TEXT)).with_row_index(backends.ROW)
    distinct: Any = resolve(texts.select(_TEXT).unique(), _TEXT, what.lookup, ship)
    matched = distinct.join(ship(what.columns), on=ENTITY, how="left").rename({KIND: what.match})
    joined = texts.join(matched, on=_TEXT, how="left").sort(backends.ROW)
    joined = joined.with_columns(nw.col(what.match).fill_null("unknown"))
    result = data.with_columns(*(joined[name] for name in what.names))
    return result.filter(nw.col(what.match) != "unknown") if what.drop else result


def _attach_lazy(data: nw.LazyFrame[Any], what: JoinSpec) -> nw.LazyFrame[Any]:
    """Match every row by joins to small tables, in one plan that reads the data once."""
    ship = backends.make_converter(data)
    matched: Any = resolve(backends.numbered(data), what.code, what.lookup, ship)
    joined = matched.join(ship(what.columns), on=ENTITY, how="left").rename({KIND: what.match})
    if what.drop:
        joined = joined.filter(nw.col(what.match) != "unknown")
    if backends.ROW in joined.collect_schema():
        joined = joined.sort(backends.ROW)
    named: nw.LazyFrame[Any] = joined.select([*data.collect_schema().names(), *what.names])
    return named
