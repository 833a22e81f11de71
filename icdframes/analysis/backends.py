"""The few things that differ between data-frame libraries.

Everything else in `icdframes.analysis` is written once, in narwhals expressions. A Dask frame is
treated as what it is, a row of pandas frames, so it does not pass through narwhals at all (whose
Dask support is deprecated and warns).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import narwhals as nw
import numpy.typing as npt
import pandas as pd

from icdframes.errors import ConfigurationError, MissingExtraError, Remedy, did_you_mean
from icdframes.frames.files import has_pyarrow
from icdframes.frames.pandas_compat import as_text, from_arrow

Frame: TypeAlias = nw.DataFrame[Any] | nw.LazyFrame[Any]
Ship: TypeAlias = Callable[[pd.DataFrame], Frame]

ROW = "_icd_row"
N = "_icd_n"
_LACKING = "_icd_lacking"
_KNOWN = "pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark"


def is_dask(native: Any) -> bool:
    """Return whether this is a Dask data frame; Dask is not imported for it."""
    return nw.dependencies.is_dask_dataframe(native)


def by_partition(native: Any, function: Callable[..., pd.DataFrame], **options: Any) -> Any:
    """Apply a function of pandas frames to each partition of a Dask frame, lazily; the index stays."""
    bound = partial(function, **options)
    return native.map_partitions(bound, meta=bound(native._meta))  # noqa: SLF001  how Dask's own documentation does it


def to_narwhals(native: Any) -> Frame:
    """Take a frame of any supported library (but Dask) into narwhals.

    Raises
    ------
    ConfigurationError
        If it is of none of them.

    """
    try:
        frame = nw.from_native(native, pass_through=True)
    except nw.exceptions.DuplicateError:
        check_unique(names_of(native))
        raise
    if isinstance(frame, (nw.DataFrame, nw.LazyFrame)) and _maker(frame) is not None:
        return frame
    raise ConfigurationError(f"{type(native).__name__} is no data frame that can be used: give {_KNOWN}.")


def names_of(native: Any) -> list[Any]:
    """Return the names of all columns of a frame of any library, a name that two columns have twice."""
    if is_dask(native) or isinstance(native, pd.DataFrame):
        return list(native.columns)
    if nw.dependencies.is_pyarrow_table(native):  # narwhals takes no table with a name twice
        return list(native.column_names)
    return list(to_narwhals(native).collect_schema().names())


def is_spark(frame: Frame) -> bool:
    """Return whether this is a frame of PySpark."""
    return frame.implementation.is_pyspark() or frame.implementation.is_pyspark_connect()


def ignores_case(frame: Frame) -> bool:
    """Return whether two columns of this library cannot differ in capitals alone."""
    return frame.implementation.is_duckdb() or is_spark(frame)


def check_names(present: Iterable[object], code: str, added: Iterable[str], *, ignore_case: bool = False) -> None:
    """Refuse a frame that lacks the column of codes, has it twice, or has one of the new columns already."""
    labels = list(present)
    names = [str(name) for name in labels]
    code_columns(code)
    if code in names and code not in labels:
        raise ConfigurationError(
            f"The column {code!r} is called by a number: rename it first (frame.columns = frame.columns.map(str))."
        )
    if code not in names:
        raise ConfigurationError(
            f"The frame has no column {code!r}: name the column of codes with code=.{did_you_mean(code, names)}"
        )
    check_unique(names)
    folded = {name.casefold() if ignore_case else name: name for name in names}
    if taken := [folded[key] for name in added if (key := name.casefold() if ignore_case else name) in folded]:
        raise ConfigurationError(
            f"The frame has a column {taken[0]!r} already: rename or drop it first, or give suffix= where there is one."
        )


def code_columns(code: object) -> list[str]:
    """Return the names of one or several columns of codes.

    Raises
    ------
    ConfigurationError
        If it is no name, and no sequence of names.

    """
    names = [code] if isinstance(code, str) else list(code) if isinstance(code, Iterable) else [code]
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise ConfigurationError(
            f"code={wrong[0]!r} is no name of a column: names are texts here; rename the columns first "
            "(frame.columns = frame.columns.map(str))."
        )
    return [str(name) for name in names]


def check_unique(names: Sequence[str]) -> None:
    """Refuse a frame that has two columns of one name."""
    if twice := next((name for name, n in Counter(names).items() if n > 1), None):
        raise ConfigurationError(f"The frame has {names.count(twice)} columns {twice!r}: rename or drop all but one.")


def check_codes(code: str, *, is_float: bool) -> None:
    """Refuse codes that have become decimal numbers."""
    if is_float:
        raise ConfigurationError(
            f"The column {code!r} holds decimal numbers, in which codes such as 1E10 are lost",
            remedy=Remedy(
                f"read it as text (pandas.read_csv(..., dtype={{{code!r}: str}}))",
                "keep the column as text in the file",
            ),
        )


def check_column(data: Frame, code: str) -> None:
    """Refuse a column of codes that holds decimal numbers or lists."""
    dtype = data.collect_schema()[code]
    check_codes(code, is_float=dtype.is_float() or dtype.is_decimal())
    if dtype.is_nested():
        raise lists_of_codes(code)


def check_series(codes: pd.Series) -> None:
    """Refuse a series of codes that holds decimal numbers."""
    name = "codes" if codes.name is None else str(codes.name)
    check_codes(name, is_float=pd.api.types.is_float_dtype(codes) and bool(codes.notna().any()))


def lists_of_codes(code: object) -> ConfigurationError:
    """Return the error about a column that holds lists."""
    return ConfigurationError(
        f"The column {code!r} holds lists or other collections: give each code a row of its own (explode or unnest "
        "it), or write those of a row as one text."
    )


def make_converter(frame: Frame) -> Ship:
    """Return the function that turns a small pandas table into a frame that can be joined to this one."""
    make = _maker(frame)
    if make is None:  # pragma: no cover  `to_narwhals` has refused it
        raise ConfigurationError(f"No converter for {frame.implementation}: give {_KNOWN}.")
    native = frame.to_native()
    return lambda table: nw.from_native(make(native, table))


def quick_frame(table: pd.DataFrame) -> tuple[Frame, Ship]:
    """Return a table as a frame on which expressions are quick, and what turns tables into frames to join to it.

    That is Arrow's where pyarrow is installed: pandas takes five times as long, as each step makes a column of its own.
    """
    frame: Frame = nw.from_native(_arrow(table) if has_pyarrow() else table)
    return frame, make_converter(frame)


def distinct(frame: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
    """Return the distinct values of a column: grouped, since `unique` numbers every row of DuckDB."""
    return frame.group_by(name).agg(nw.len().alias(N)).select(name)


def left_join(left: Any, right: Any, on: str) -> Any:
    """Join a small table to a frame; the rows of an eager frame keep their order."""
    if left.implementation.is_polars() and isinstance(left, nw.DataFrame):
        return nw.from_native(left.to_native().join(right.to_native(), on=on, how="left", maintain_order="left_right"))
    return left.join(right, on=on, how="left")


def numbered(frame: Any) -> Any:
    """Add the row number `ROW` to a lazy frame of Polars, which is to keep its order.

    A join that keeps it takes Polars' streaming engine twice as long as a sort afterwards.
    """
    if frame.implementation.is_polars() and isinstance(frame, nw.LazyFrame):
        return nw.from_native(frame.to_native().with_row_index(ROW))
    return frame


def in_order(frame: Any, *then_by: str) -> Any:
    """Sort a frame by the row number that `numbered` has added, if any."""
    return frame.sort(ROW, *then_by) if ROW in frame.collect_schema() else frame


def dictionary_of(column: Any) -> tuple[npt.NDArray[Any], Any]:
    """Return the place of each value of an Arrow column among its distinct values, a missing one's behind all."""
    import pyarrow as pa  # noqa: PLC0415  an optional package

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(encoded, pa.ChunkedArray):  # of no chunk, or where pyarrow keeps it one
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], encoded.type)
    places = encoded.indices.fill_null(len(encoded.dictionary))
    return places.to_numpy(zero_copy_only=False), encoded.dictionary


def numbered_codes(data: nw.DataFrame[Any], name: str) -> tuple[npt.NDArray[Any], list[Any]]:
    """Return the place of each value of a column of an eager frame among its distinct values, and these."""
    places, distinct = dictionary_of(data[name].to_arrow())
    return places, distinct.to_pylist()


def taken(data: nw.DataFrame[Any], table: pd.DataFrame, places: npt.NDArray[Any]) -> Iterator[nw.Series[Any]]:
    """Yield the columns of a small table, its rows taken at places, as columns for an eager frame."""
    import pyarrow as pa  # noqa: PLC0415  an optional package

    small, rows = _arrow(table), pa.array(places)
    for name in small.column_names:
        column = small.column(name).combine_chunks().take(rows)
        values = (
            data.implementation.to_native_namespace().from_arrow(column)
            if data.implementation.is_polars()
            else (pa.chunked_array([column]))
        )
        yield nw.from_native(values, series_only=True).alias(name)


def take_rows(data: nw.DataFrame[Any], rows: npt.NDArray[Any]) -> nw.DataFrame[Any]:
    """Return the rows of an eager frame at some places."""
    native = data.to_native()
    if data.implementation.is_pyarrow():
        import pyarrow as pa  # noqa: PLC0415  an optional package

        rows = pa.array(rows)
    taken_rows: nw.DataFrame[Any] = nw.from_native(
        native.take(rows) if data.implementation.is_pyarrow() else native[rows]
    )
    return taken_rows


def renamed(frame: nw.LazyFrame[Any], names: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return a lazy frame whose columns have these names, in order; in Spark a name may hold a dot."""
    if is_spark(frame):
        named: nw.LazyFrame[Any] = nw.from_native(frame.to_native().toDF(*names))
        return named
    return frame.rename(dict(zip(frame.collect_schema().names(), names, strict=True)))


def count_rows(native: Any, keys: Sequence[str], weight: str | None = None) -> pd.DataFrame:
    """Count rows, or add a weight, for each combination of keys; only the counts are fetched.

    Returns
    -------
    pandas.DataFrame
        The keys (a missing value is a key like others) and `N`; in no order. The
        types are those of pandas, whatever the library was.

    """
    if is_dask(native):
        parts = by_partition(native, count_rows, keys=keys, weight=weight).compute()
        counts = parts.groupby(list(keys), dropna=False, as_index=False, observed=True)[N].sum()
        return _plain(counts, keys)
    data = to_narwhals(native)
    check_columns(native, (*keys, *([weight] if weight else [])))
    amount, dtype = _amount(data, weight)
    sums = [amount.alias(N)]
    if weight is not None:
        data = data.with_columns(_lacks(data, weight).cast(nw.Int64).alias(_LACKING))
        sums.append(nw.col(_LACKING).sum())
    counted = collect(data.group_by(*keys).agg(*sums).with_columns(nw.col(N).cast(dtype)))
    if weight is not None and (n_missing := int(counted.pop(_LACKING).sum())):
        raise ConfigurationError(
            f"{n_missing:,} rows have no number in the weight {weight!r}: fill them, or leave these rows out, first."
        )
    return _plain(counted, keys)


def check_columns(native: Any, names: Iterable[object]) -> None:
    """Refuse names of columns that a frame has not."""
    present = names_of(native)
    for name in names:
        if name not in present:
            raise ConfigurationError(
                f"The frame has no column {name!r}: name one of {', '.join(map(str, present))}."
                f"{did_you_mean(str(name), map(str, present))}"
            )


def _amount(data: Frame, weight: str | None) -> tuple[nw.Expr, Any]:
    """Return the expression that is added up, and the dtype of the sums."""
    if weight is None:
        return nw.len(), nw.Int64
    dtype = data.collect_schema()[weight]
    if not dtype.is_numeric():
        raise ConfigurationError(f"The weight {weight!r} is no column of numbers, but of {dtype}: make numbers of it.")
    return nw.col(weight).sum(), nw.Int64 if dtype.is_integer() else nw.Float64


def _lacks(data: Frame, weight: str) -> nw.Expr:
    """Return whether a row has no weight; NaN is none."""
    lacks = nw.col(weight).is_null()
    return lacks | nw.col(weight).is_nan() if data.collect_schema()[weight].is_float() else lacks


def collect(frame: Frame) -> pd.DataFrame:
    """Bring a small result into pandas."""
    if frame.implementation.is_pandas():
        return pd.DataFrame(frame.to_native())
    small = frame.collect(backend="pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    return from_arrow(small.to_pandas())


def _plain(counts: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Make keys and counts of the same types on every back end."""
    plain = counts.reset_index(drop=True)
    for key in keys:
        column = plain[key].astype(object) if isinstance(plain[key].dtype, pd.CategoricalDtype) else plain[key]
        column = column.convert_dtypes()
        plain[key] = as_text(column) if isinstance(column.dtype, pd.StringDtype) else column
    return plain.assign(**{N: plain[N].astype("Int64" if plain[N].dtype.kind in "iu" else "Float64")})


def _maker(frame: Frame) -> Callable[[Any, pd.DataFrame], Any] | None:
    kind = frame.implementation
    if kind.is_pandas():
        return lambda _, table: table
    if kind.is_polars():
        polars, is_lazy = kind.to_native_namespace(), isinstance(frame, nw.LazyFrame)
        return lambda _, table: polars.from_arrow(_arrow(table)).lazy() if is_lazy else polars.from_arrow(_arrow(table))
    if kind.is_pyarrow():
        return lambda _, table: _arrow(table)
    if kind.is_duckdb():
        return _duckdb
    return _spark if is_spark(frame) else None


def _arrow(table: pd.DataFrame) -> Any:
    """Convert with `string` rather than `large_string`, which some joins keep apart."""
    try:
        import pyarrow as pa  # noqa: PLC0415  an optional package
    except ImportError as error:  # pragma: no cover  these libraries bring it with them
        raise MissingExtraError("A table for a library other than pandas", "parquet") from error
    made = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata()
    fields = [
        field.with_type(pa.string())  # under pandas 2 a text column without a text is null
        if pa.types.is_large_string(field.type) or pa.types.is_null(field.type)
        else field
        for field in made.schema
    ]
    return made.cast(pa.schema(fields))


def _duckdb(native: Any, table: pd.DataFrame) -> Any:
    """Make a relation on the connection of the user's relation: those of two connections cannot be joined."""
    icd_table = _arrow(table)  # noqa: F841  DuckDB finds it by its name
    return native.query("icd_frame", "SELECT * FROM icd_table")


def _spark(native: Any, table: pd.DataFrame) -> Any:
    return native.sparkSession.createDataFrame(_arrow(table)).hint("broadcast")
