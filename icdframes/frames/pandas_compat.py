"""Decide per pandas version what text columns are, and refuse a pandas that is too old.

Text is dtype ``str`` from pandas 3 on. pandas 2 has no such dtype: ``astype("str")`` and ``pd.array(..., dtype="str")``
turn a missing code into the text ``'None'`` or ``'nan'`` there. Its text columns are dtype ``object``, as its own
``read_csv`` makes them. A missing value is NaN under every version.

The rule, which tests/test_pandas_versions.py checks: outside this module nothing names the dtype ``"str"``. Use `TEXT`
where pandas reads a file or where no value can be missing, `text_array` and `text_series` for plain values, `as_text`
for a column of any dtype, `as_schema` for several, `is_text` for the question whether a column is text. ``Column`` of
the schema keeps ``"str"`` as its word for text; `pandas_dtype` and `schema_dtype` translate. Fill text with
`fill_text`, and give ``na=False`` to ``str.contains``, ``match``, ``fullmatch``, ``startswith`` and ``endswith``: on
dtype ``object`` they return NaN for what is missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeVar, cast

import numpy as np
import pandas as pd

from icdframes.errors import UnsupportedVersionError

Result = TypeVar("Result")

PANDAS_FLOOR = (2, 2, 2)


def require_pandas(version: str) -> tuple[int, ...]:
    """Return a version of pandas as numbers.

    Raises
    ------
    UnsupportedVersionError
        If it is below the lowest that icdframes was tested with.

    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers < PANDAS_FLOOR:
        floor = ".".join(map(str, PANDAS_FLOOR))
        raise UnsupportedVersionError(
            f"icdframes needs pandas {floor} or newer, and {version} is installed, with which tables would be wrong: "
            f"pip install 'pandas>={floor}'"
        )
    return numbers


_VERSION = require_pandas(pd.__version__)
HAS_STR_DTYPE = _VERSION >= (3,)

TEXT: Any = "str" if HAS_STR_DTYPE else object
"""The dtype of text columns."""

_ALL_TEXT = {"string", "empty"}
_ARROW_HOLDS_TEXT = HAS_STR_DTYPE and pd.array(["text"], dtype=TEXT).dtype.storage == "pyarrow"


def text_array(values: Iterable[Any]) -> Any:
    """Return texts as an array for a column; None and every other missing value becomes NaN.

    Raises
    ------
    UnicodeEncodeError
        If a text holds half of a surrogate pair, which no file can hold.

    """
    if _ARROW_HOLDS_TEXT:
        return _arrow_texts(list(values))
    texts = pd.array(list(values), dtype=TEXT) if HAS_STR_DTYPE else _object_texts(values)
    "".join(texts[~pd.isna(texts)]).encode()  # Arrow sees it by itself
    return texts


def text_series(values: Iterable[Any], *, index: Any = None, name: Any = None) -> pd.Series[Any]:
    """Return texts as a column; one single text is repeated for each row of an index."""
    if isinstance(values, str):
        values = [values] * len(index)
    return pd.Series(text_array(values), index=index, name=name)


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as text: what is missing stays missing, anything else is written with `str`."""
    if HAS_STR_DTYPE:
        return column.astype(TEXT)
    return text_series(column.astype(object), index=column.index, name=column.name)


def fill_text(column: pd.Series[Any], other: pd.Series[Any] | str) -> pd.Series[Any]:
    """Return a column of text, what is missing taken from another; pandas 2 may change the dtype in ``fillna``."""
    if HAS_STR_DTYPE:
        return column.fillna(other)
    return text_series(np.where(column.isna(), other, column), index=column.index, name=column.name)


def is_text(dtype: Any) -> bool:
    """Return whether a dtype is that of text columns here, or a string dtype that the user chose."""
    return isinstance(dtype, pd.StringDtype) or (not HAS_STR_DTYPE and dtype == np.dtype(object))


def pandas_dtype(name: str) -> Any:
    """Return the dtype for its name in a schema or a file of icdframes."""
    return TEXT if name == "str" else name


def schema_dtype(column: pd.Series[Any]) -> str:
    """Return the name of a column's dtype, which is the same whichever pandas made it."""
    name = str(column.dtype)
    if HAS_STR_DTYPE or name != "object":
        return name
    return "str" if pd.api.types.infer_dtype(column, skipna=True) in _ALL_TEXT else name


def as_schema(frame: pd.DataFrame, dtypes: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame with its columns in the dtypes that a schema names."""
    columns = {
        name: as_text(frame[name]) if dtype == "str" else frame[name].astype(dtype) for name, dtype in dtypes.items()
    }
    return pd.DataFrame(columns, index=frame.index)


def arrow_schema(frame: pd.DataFrame) -> Any:
    """Return what pyarrow must know to write a frame; None where the dtypes say it all.

    A column of dtype ``object`` in which every value is missing does not tell Arrow that it is text.
    """
    if HAS_STR_DTYPE:
        return None
    import pyarrow as pa  # noqa: PLC0415  an extra

    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pa.string()))
    return schema


def from_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that pyarrow made, its text columns as they are under this version of pandas."""
    if HAS_STR_DTYPE:
        return frame
    texts = [name for name, column in frame.items() if schema_dtype(column) == "str"]
    return frame.assign(**{str(name): text_array(frame[name]) for name in texts})


def csv_engine(content: str) -> Literal["c", "python"]:
    """Return the engine that reads CSV as it is: before pandas 3.1 the quick one cuts a text at a NUL."""
    return "python" if _VERSION < (3, 1) and "\0" in content else "c"


def _arrow_texts(values: list[Any]) -> Any:
    """Hand texts to Arrow itself, four times as fast as by way of NumPy; pandas makes text of what is none."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    try:
        texts = pa.array(values, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pd.array(values, dtype=TEXT)
    return pd.array([], dtype=TEXT).dtype.__from_arrow__(texts)


def _object_texts(values: Iterable[Any]) -> Any:
    texts = np.fromiter(values, dtype=object)
    texts[pd.isna(texts)] = np.nan
    if pd.api.types.infer_dtype(texts, skipna=True) not in _ALL_TEXT:
        texts[:] = [cell if isinstance(cell, float) and np.isnan(cell) else str(cell) for cell in texts]
    return pd.array(texts, dtype=TEXT)


def read_once(read: Callable[..., Result], *frames: pd.DataFrame) -> Result:
    """Return what a function reads of frames; what was read of the last ones is kept where they cannot change.

    That is so for columns of Arrow: a change of a frame gives it others. Columns of NumPy change in place.
    """
    columns = _Columns(frames)
    return cast("Result", _kept(read, columns)) if columns.can_be_kept else read(*frames)


@lru_cache(maxsize=4)  # spellings and links of two tables
def _kept(read: Callable[..., object], columns: _Columns) -> object:
    return read(*columns.frames)


class _Columns:
    """Columns of frames as a key: two are equal if they are the same in memory."""

    def __init__(self, frames: tuple[pd.DataFrame, ...]) -> None:
        self.frames = frames
        arrays = [column.array for frame in frames for _, column in frame.items()]
        self.can_be_kept = all(isinstance(a.dtype, pd.StringDtype) and a.dtype.storage == "pyarrow" for a in arrays)
        self._parts = [a.__arrow_array__() for a in arrays] if self.can_be_kept else []  # kept: no other gets their ids
        self._key = (*(tuple(frame.columns) for frame in frames), *map(id, self._parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Columns) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def release_unused_memory() -> None:
    """Give the memory back that Arrow keeps for later, where it is in use at all."""
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        pyarrow.default_memory_pool().release_unused()
