"""Write one table with its provenance as Parquet or CSV, and read it back with its dtypes."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from icdframes import __version__
from icdframes.errors import (
    ConfigurationError,
    ExportError,
    FileFormatError,
    MissingExtraError,
    PartialResultWarning,
    warn,
)
from icdframes.frames.atomic import check_target, no_file, read_json, write_json, written_beside
from icdframes.frames.pandas_compat import TEXT, arrow_schema, csv_engine, from_arrow, pandas_dtype, schema_dtype
from icdframes.frames.user_table import SHEET_SUFFIX, TEXT_SUFFIXES, read_sheet_table, read_text_table, write_sheet

SUFFIXES = (*TEXT_SUFFIXES, SHEET_SUFFIX, ".parquet")


def to_parquet(frame: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a table as Parquet, with ``frame.attrs`` in its metadata.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is not written.
    path : path
        Ends in ``.parquet``; the folder must exist.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    pathlib.Path
        The file. No network.

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> frame = icdframes.load_entity("1A00")
    >>> folder = Path(tempfile.mkdtemp())
    >>> icdframes.to_parquet(frame, folder / "cholera.parquet").name
    'cholera.parquet'

    """
    need_pyarrow("Writing Parquet")
    frame = _storable(frame)
    target = check_target(path, overwrite=overwrite, suffixes=(".parquet",))

    def write_table(temporary: Path) -> None:
        with temporary.open("xb") as file:
            frame.to_parquet(file, engine="pyarrow", index=False, schema=arrow_schema(frame), write_page_checksum=True)

    with written_beside(target, write_table) as temporary:
        temporary.replace(target)
    return target


def _storable(frame: object) -> pd.DataFrame:
    """Return the table without the attributes that no JSON can hold, such as the dates of other libraries."""
    if not isinstance(frame, pd.DataFrame):
        advice = "write_tables() writes the five tables as a folder" if hasattr(frame, "entities") else "give one table"
        raise ConfigurationError(f"{type(frame).__name__} is no pandas DataFrame: {advice}.")
    kept = {key: value for key, value in frame.attrs.items() if _is_json(value)}
    if len(kept) == len(frame.attrs):
        return frame
    lost = ", ".join(repr(key) for key in frame.attrs if key not in kept)
    warn(f"The attribute {lost} of the table is no JSON and is not written: make text of it.", PartialResultWarning)
    stored = frame.copy(deep=False)
    stored.attrs = kept
    return stored


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def read_frame(
    path: str | os.PathLike[str],
    *,
    columns: list[str] | None = None,
    sep: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a table: one that icdframes wrote, equal to what was written, or one of your own as text.

    Parameters
    ----------
    path : path
        A ``.csv``, ``.tsv``, ``.txt``, ``.xlsx`` (its first sheet) or ``.parquet`` file with a heading. Text and
        spreadsheets without a provenance file are read as text throughout, so that codes such as ``1E10`` stay codes;
        an empty cell is missing.
    columns : list of str, optional
        Read these only.
    sep : str, optional
        Between the cells of a text file: a character, or tab, semicolon, comma, pipe. By default recognised.
    encoding : str, optional
        Of a text file, such as ``"cp1252"``. By default recognised: UTF-8, UTF-16 by its mark, or else cp1252.

    Returns
    -------
    pandas.DataFrame
        With its dtypes and ``attrs``. No network.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, or of another kind.
    MissingExtraError
        If the package that reads Parquet or Excel is not installed.
    ConfigurationError
        If separator or encoding are none.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> frame = icdframes.load_entity("1A00")
    >>> folder = Path(tempfile.mkdtemp())
    >>> icdframes.read_frame(icdframes.to_csv(frame, folder / "cholera.csv")).equals(frame)
    True

    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileFormatError(f"{file} is no table: its name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    if suffix == ".parquet":
        need_pyarrow("Reading Parquet")
    if not file.is_file():
        raise no_file(file)
    try:
        if suffix == SHEET_SUFFIX:
            return read_sheet_table(file, columns=columns)
        if suffix in TEXT_SUFFIXES:
            own = sep is None and encoding is None and file.with_name(file.name + SIDECAR).is_file()
            return (
                read_csv(file, columns) if own else read_text_table(file, sep=sep, encoding=encoding, columns=columns)
            )
        return from_arrow(_read_parquet(file, columns))
    except (FileFormatError, ConfigurationError):
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{file} cannot be read as a table, it is damaged or of another kind ({error}): write it anew."
        ) from error


def _read_parquet(file: Path, columns: list[str] | None) -> pd.DataFrame:
    """Return a Parquet file through a file of Arrow's own.

    pandas would open a Python file, whose last users are Arrow's threads: where the process ends at once, one in thirty
    was aborted ("terminate called without an active exception", apache/arrow#34314 and #50482).
    """
    import pyarrow as pa  # noqa: PLC0415  an extra

    with pa.OSFile(os.fsencode(file)) as source:
        return pd.read_parquet(source, engine="pyarrow", columns=columns, page_checksum_verification=True)


def need_pyarrow(feature: str) -> None:
    """Raise `MissingExtraError` where pyarrow is not installed."""
    if not has_pyarrow():
        raise MissingExtraError(feature, "parquet")


def has_pyarrow() -> bool:
    """Return whether Parquet can be read and written."""
    return importlib.util.find_spec("pyarrow") is not None


SIDECAR = ".provenance.json"
_FORMAT = "icdframes table"
_FORMAT_NUMBER = 1
_READ_AS_TEXT = ("datetime64", "float", "category", "boolean")  # dtypes that pandas converts better afterwards

_FORMULA = re.compile(r"^('*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")  # the last four are as wide as an ideograph
_ESCAPED_FORMULA = re.compile(f"^'{_FORMULA.pattern.removeprefix('^')}")


def to_csv(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    safe_for_spreadsheets: bool = False,
    sep: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write a table as CSV, with provenance and dtypes in ``NAME.csv.provenance.json``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is not written; ``frame.attrs`` are. Attributes that no JSON can hold are left out with a warning.
    path : path
        Ends in ``.csv`` (or ``.tsv``); the folder must exist.
    overwrite : bool
        Whether a file of that name may be replaced.
    safe_for_spreadsheets : bool
        Put an apostrophe before text and names of columns that a spreadsheet would run
        as a formula (``=``, ``+``, ``-``, ``@``, also as wide as an ideograph; tab, line
        break). `read_frame` takes it off again.
    sep : str, default ","
        Between the cells; ``";"`` is what spreadsheet programs of many countries want.
    encoding : str, default "utf-8"
        ``"utf-8-sig"`` has the mark by which spreadsheet programs recognise UTF-8.

    Returns
    -------
    pathlib.Path
        The file. No network.

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> frame = icdframes.load_entity("1A00")
    >>> folder = Path(tempfile.mkdtemp())
    >>> icdframes.to_csv(frame, folder / "cholera.csv").name
    'cholera.csv'

    """
    frame = _storable(frame)
    target = check_target(path, overwrite=overwrite, suffixes=(".csv", ".tsv"))
    if not frame.columns.is_unique:
        raise ExportError(f"Cannot write {target}: the table has two columns of one name. Rename one.")
    missing = _unused_mark(frame)
    written = defused(frame) if safe_for_spreadsheets else frame
    about = {
        "format": _FORMAT,
        "format_number": _FORMAT_NUMBER,
        "package_version": __version__,
        "columns": [{"name": str(key), "dtype": schema_dtype(column)} for key, column in frame.items()],
        "n_rows": len(frame),
        "missing": missing,
        "safe_for_spreadsheets": safe_for_spreadsheets,
        "sep": sep,
        "encoding": encoding,
        "attrs": frame.attrs,
    }

    def write_table(temporary: Path) -> None:
        with temporary.open("x", encoding=encoding, newline="") as file:
            written.to_csv(
                file, sep=sep, index=False, na_rep=missing, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
            )

    _write_with_sidecar(target, write_table, about)
    return target


def _write_with_sidecar(target: Path, write_table: Callable[[Path], None], about: Mapping[str, Any]) -> None:
    """Write a table and what is to be known of it, both or neither."""
    sidecar = target.with_name(target.name + SIDECAR)
    before = sidecar.read_bytes() if sidecar.is_file() else None
    with (
        written_beside(target, write_table) as table,
        written_beside(sidecar, lambda file: write_json(file, about)) as beside,
    ):
        beside.replace(sidecar)
        try:
            table.replace(target)
        except OSError:
            sidecar.unlink() if before is None else sidecar.write_bytes(before)
            raise


def to_excel(frame: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a table as a spreadsheet, with ``frame.attrs`` in ``NAME.xlsx.provenance.json``; text stays text.

    Raises
    ------
    ExportError
        If the file cannot be written.
    MissingExtraError
        If openpyxl is not installed.

    """
    frame = _storable(frame)
    target = check_target(path, overwrite=overwrite, suffixes=(SHEET_SUFFIX,))
    about = {"format": _FORMAT, "format_number": _FORMAT_NUMBER, "package_version": __version__, "attrs": frame.attrs}
    _write_with_sidecar(target, lambda temporary: write_sheet(frame, temporary), about)
    return target


def read_csv(file: Path, columns: list[str] | None) -> pd.DataFrame:
    """Read what `to_csv` wrote; what is wrong inside raises as it comes."""
    sidecar = file.with_name(file.name + SIDECAR)
    about = read_json(sidecar)
    if about.get("format") != _FORMAT or about.get("format_number") != _FORMAT_NUMBER:
        raise FileFormatError(f"{sidecar} was not written by this version of icdframes; remove it to read plain text.")
    dtypes = {column["name"]: column["dtype"] for column in about["columns"]}
    header = _header(dtypes, safe=about["safe_for_spreadsheets"])
    later = [name for name, dtype in dtypes.items() if dtype.lower().startswith(_READ_AS_TEXT)]
    frame = pd.read_csv(
        file,
        dtype={
            written: TEXT if name in later else pandas_dtype(dtype)
            for written, (name, dtype) in zip(header, dtypes.items(), strict=True)
        },
        sep=about.get("sep", ","),
        encoding=about.get("encoding", "utf-8"),
        keep_default_na=False,
        na_values=[about["missing"]],
        skip_blank_lines=False,
        engine=csv_engine(file.read_text(about.get("encoding", "utf-8"))),
    )
    if list(frame.columns) != header or len(frame) != about["n_rows"]:
        raise FileFormatError(
            f"{file} was changed or cut off after it was written: {sidecar.name} tells of {about['n_rows']} rows and "
            f"{len(dtypes)} columns, the file has {len(frame)} and {len(frame.columns)}. "
            f"Remove {sidecar.name} to read it as plain text."
        )
    frame = frame.set_axis(list(dtypes), axis=1)
    if about["safe_for_spreadsheets"]:
        frame = _with_text(frame, _ESCAPED_FORMULA, r"\1")
    booleans = [name for name in later if dtypes[name] == "boolean"]
    frame = frame.assign(**{name: frame[name].map({"True": True, "False": False}) for name in booleans})
    frame = frame.astype({name: dtypes[name] for name in later})
    frame.attrs = about["attrs"]
    return frame if columns is None else frame[columns]


def defused(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text and names that a spreadsheet would run as a formula."""
    return _with_text(frame, _FORMULA, r"'\1").set_axis(_header(map(str, frame.columns), safe=True), axis=1)


def _header(names: Iterable[str], *, safe: bool) -> list[str]:
    return [_FORMULA.sub(r"'\1", name) if safe else name for name in names]


def _with_text(frame: pd.DataFrame, pattern: re.Pattern[str], replacement: str) -> pd.DataFrame:
    def changed(cell: object) -> object:
        return pattern.sub(replacement, cell) if isinstance(cell, str) else cell

    result = frame.copy()
    for name in _text_columns(frame):
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            result[name] = column.cat.rename_categories(list(map(changed, column.cat.categories)))
        else:
            result[name] = pd.Series(list(map(changed, column)), index=frame.index, dtype=column.dtype)
    return result


def _text_columns(frame: pd.DataFrame) -> list[Hashable]:
    return [name for name, dtype in frame.dtypes.items() if _may_hold_text(dtype)]


def _may_hold_text(dtype: Any) -> bool:
    kind = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return isinstance(kind, pd.StringDtype) or pd.api.types.is_object_dtype(kind)


def _unused_mark(frame: pd.DataFrame) -> str:
    """Return what stands for a missing value: nothing, unless some cell is an empty text."""
    text = [frame[name] for name in _text_columns(frame)]
    mark = ""
    while any(column.eq(mark).any() for column in text):
        mark = f"<{mark or 'missing'}>"
    return mark
