"""The few things that differ between data-frame libraries; it knows nothing of codes or classifications.

Everything else in `icdframes.analysis` is written once, in narwhals expressions. A Dask frame is
treated as what it is, a row of pandas frames, so it does not pass through narwhals at all (whose
Dask support is deprecated and warns).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

import narwhals as nw
import pandas as pd

from icdframes.errors import ConfigurationError, MissingExtraError, did_you_mean

Frame: TypeAlias = nw.DataFrame[Any] | nw.LazyFrame[Any]
Ship: TypeAlias = Callable[[pd.DataFrame], Frame]

ROW = "_icd_row"
N = "_icd_n"
_KNOWN = "pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark"


def is_dask(native: Any) -> bool:
    """Tell whether this is a Dask data frame; Dask is not imported for it."""
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
    frame = nw.from_native(native, pass_through=True)
    if isinstance(frame, (nw.DataFrame, nw.LazyFrame)) and _maker(frame) is not None:
        return frame
    raise ConfigurationError(f"{type(native).__name__} is no data frame that can be used: give {_KNOWN}.")


def check_names(present: Iterable[object], code: str, added: Iterable[str]) -> None:
    """Refuse a frame that lacks the column of codes or has one of the new columns already."""
    names = [str(name) for name in present]
    if code not in names:
        raise ConfigurationError(
            f"The frame has no column {code!r}: name the column of codes with code=.{did_you_mean(code, names)}"
        )
    if taken := [name for name in added if name in names]:
        raise ConfigurationError(f"The frame has a column {taken[0]!r} already: rename or drop it first.")


def check_codes(code: str, *, is_float: bool) -> None:
    """Refuse codes that have become decimal numbers."""
    if is_float:
        raise ConfigurationError(
            f"The column {code!r} holds decimal numbers, in which codes such as 1E10 are lost: keep it as text "
            f"(pandas.read_csv(..., dtype={{{code!r}: str}}))."
        )


def make_converter(frame: Frame) -> Ship:
    """Give the function that turns a small pandas table into a frame that can be joined to this one."""
    make = _maker(frame)
    if make is None:  # pragma: no cover  `opened` has refused it
        raise ConfigurationError(f"No converter for {frame.implementation}: give {_KNOWN}.")
    native = frame.to_native()
    return lambda table: nw.from_native(make(native, table))


def numbered(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the row number `ROW` to a lazy frame if its library keeps an order, which of these Polars does."""
    if frame.implementation.is_polars():
        numbers: nw.LazyFrame[Any] = nw.from_native(frame.to_native().with_row_index(ROW))
        return numbers
    return frame


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
    schema = data.collect_schema()
    for name in (*keys, *([weight] if weight else [])):
        if name not in schema:
            raise ConfigurationError(
                f"The frame has no column {name!r}: name one of {', '.join(schema.names())}."
                f"{did_you_mean(name, schema.names())}"
            )
    dtype: Any = nw.Int64
    amount = nw.len()
    if weight is not None:
        if not schema[weight].is_numeric():
            raise ConfigurationError(
                f"The weight {weight!r} is no column of numbers, but of {schema[weight]}: make numbers of it."
            )
        amount, dtype = nw.col(weight).sum(), nw.Int64 if schema[weight].is_integer() else nw.Float64
    counted = data.group_by(*keys).agg(amount.alias(N)).with_columns(nw.col(N).cast(dtype))
    return _plain(collect(counted), keys)


def collect(frame: Frame) -> pd.DataFrame:
    """Bring a small result into pandas."""
    if frame.implementation.is_pandas():
        return pd.DataFrame(frame.to_native())
    small = frame.collect(backend="pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    return small.to_pandas()


def _plain(counts: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Give keys and counts the same types on every back end."""
    plain = counts.reset_index(drop=True)
    for key in keys:
        column = plain[key].astype(object) if isinstance(plain[key].dtype, pd.CategoricalDtype) else plain[key]
        column = column.convert_dtypes()
        plain[key] = column.astype("str") if isinstance(column.dtype, pd.StringDtype) else column
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
    return _spark if kind.is_pyspark() or kind.is_pyspark_connect() else None


def _arrow(table: pd.DataFrame) -> Any:
    """Convert with `string` rather than `large_string`, which some joins keep apart."""
    try:
        import pyarrow as pa  # noqa: PLC0415  an optional package
    except ImportError as error:  # pragma: no cover  these libraries bring it with them
        raise MissingExtraError("A table for a library other than pandas", "parquet") from error
    made = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata()
    fields = [pa.field(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in made.schema]
    return made.cast(pa.schema(fields))


def _duckdb(native: Any, table: pd.DataFrame) -> Any:
    """Make a relation on the connection of the user's relation: those of two connections cannot be joined."""
    icd_table = _arrow(table)  # noqa: F841  DuckDB finds it by its name
    return native.query("icd_frame", "SELECT * FROM icd_table")


def _spark(native: Any, table: pd.DataFrame) -> Any:
    return native.sparkSession.createDataFrame(_arrow(table)).hint("broadcast")
