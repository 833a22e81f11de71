"""One table ↔ one CSV or Parquet file with its provenance; it never leaves half a file behind."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from icdframes import __version__
from icdframes.errors import ExportError, FileFormatError, MissingExtraError

SIDECAR = ".provenance.json"
_FORMAT = "icdframes table"
_FORMAT_NUMBER = 1

_FORMULA = re.compile(r"^('*[=+\-@\t\r])")
_ESCAPED_FORMULA = re.compile(r"^'('*[=+\-@\t\r])")


def to_csv(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False, safe_for_spreadsheets: bool = False
) -> Path:
    """Write a table as UTF-8 CSV, with provenance and dtypes in ``NAME.csv.provenance.json``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is not written; ``frame.attrs`` are.
    path : path
        Ends in ``.csv``; the folder must exist.
    overwrite : bool
        Whether a file of that name may be replaced.
    safe_for_spreadsheets : bool
        Put an apostrophe before text that a spreadsheet would run as a formula
        (``=``, ``+``, ``-``, ``@``, tab, return). `read_frame` takes it off again.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> frame = icdframes.load_entity("1A00", client=icdframes.connect("sandbox"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> to_csv(frame, folder / "cholera.csv").name
    'cholera.csv'

    """
    target = check_target(path, overwrite=overwrite, suffixes=(".csv",))
    if not frame.columns.is_unique:
        raise ExportError(f"Cannot write {target}: the table has two columns of one name. Rename one.")
    missing = _unused_mark(frame)
    if safe_for_spreadsheets:
        frame = _with_text(frame, _FORMULA, r"'\1")
    about = {
        "format": _FORMAT,
        "format_number": _FORMAT_NUMBER,
        "package_version": __version__,
        "columns": [{"name": str(key), "dtype": str(dtype)} for key, dtype in frame.dtypes.items()],
        "n_rows": len(frame),
        "missing": missing,
        "safe_for_spreadsheets": safe_for_spreadsheets,
        "attrs": frame.attrs,
    }

    def write_table(temporary: Path) -> None:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            frame.to_csv(file, index=False, na_rep=missing, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")

    sidecar = target.with_name(target.name + SIDECAR)
    before = sidecar.read_bytes() if sidecar.is_file() else None
    with _written_beside(target, write_table) as table, _written_beside(sidecar, _json_writer(about)) as beside:
        os.replace(beside, sidecar)  # noqa: PTH105  both ends in one place, to be watched in tests
        try:
            os.replace(table, target)  # noqa: PTH105
        except OSError:
            sidecar.unlink() if before is None else sidecar.write_bytes(before)
            raise
    return target


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

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> frame = icdframes.load_entity("1A00", client=icdframes.connect("sandbox"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> to_parquet(frame, folder / "cholera.parquet").name
    'cholera.parquet'

    """
    need_pyarrow("Writing Parquet")
    target = check_target(path, overwrite=overwrite, suffixes=(".parquet",))

    def write_table(temporary: Path) -> None:
        json.dumps(frame.attrs)  # pandas would only warn, and leave them out
        with temporary.open("xb") as file:
            frame.to_parquet(file, engine="pyarrow", index=False)

    with _written_beside(target, write_table) as temporary:
        os.replace(temporary, target)  # noqa: PTH105
    return target


def read_frame(path: str | os.PathLike[str], *, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table that was written by `to_csv` or `to_parquet`, equal to what was written.

    Parameters
    ----------
    path : path
        A ``.csv`` or ``.parquet`` file. A CSV without its provenance file is read as
        text throughout, so that codes such as ``1E10`` stay codes.
    columns : list of str, optional
        Read these only.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, or of another kind.
    MissingExtraError
        If a Parquet file is given and pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> frame = icdframes.load_entity("1A00", client=icdframes.connect("sandbox"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> read_frame(to_csv(frame, folder / "cholera.csv")).equals(frame)
    True

    """
    file = Path(path)
    if file.suffix == ".parquet":
        need_pyarrow("Reading Parquet")
        reader: Callable[[], pd.DataFrame] = lambda: pd.read_parquet(file, engine="pyarrow", columns=columns)  # noqa: E731
    elif file.suffix == ".csv":
        reader = lambda: _read_csv(file, columns)  # noqa: E731
    else:
        raise FileFormatError(f"{file} is no table of icdframes: its name must end in .csv or .parquet.")
    if not file.is_file():
        raise FileFormatError(f"There is no file {file}.")
    try:
        return reader()
    except FileFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{file} cannot be read as a table, it is damaged or of another kind: {error}") from error


def need_pyarrow(feature: str) -> None:
    """Raise `MissingExtraError` where pyarrow is not installed."""
    if not has_pyarrow():
        raise MissingExtraError(feature, "parquet")


def has_pyarrow() -> bool:
    """Tell whether Parquet can be read and written."""
    return importlib.util.find_spec("pyarrow") is not None


def check_target(path: str | os.PathLike[str], *, overwrite: bool, suffixes: tuple[str, ...]) -> Path:
    """Give the path if a file may be written there, else say why not."""
    target = Path(path)
    if target.suffix not in suffixes:
        raise ExportError(f"Cannot write {target}: the name must end in {' or '.join(suffixes)}.")
    if not target.parent.is_dir():
        raise ExportError(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    if target.is_dir():
        raise ExportError(f"Cannot write {target}: it is a folder.")
    if target.exists() and not overwrite:
        raise ExportError(f"{target} exists already: give overwrite=True to replace it, or another name.")
    return target


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, or say that the file is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{path} was not written by icdframes.")
    return value


def sync(path: Path) -> None:
    """Have the operating system put a file on the disk now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hidden_sibling(path: Path) -> Path:
    """Give an unused name beside a path, for what is not finished."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


@contextmanager
def export_errors(target: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing into one `ExportError`."""
    try:
        yield
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        if isinstance(error, ExportError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"Could not write {target}: {reason}. What was there before is unchanged.") from error


@contextmanager
def _written_beside(target: Path, write: Callable[[Path], None]) -> Iterator[Path]:
    temporary = hidden_sibling(target)
    try:
        with export_errors(target):
            write(temporary)
            sync(temporary)
            yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def _json_writer(value: Any) -> Callable[[Path], None]:
    return lambda path: write_json(path, value)


def _with_text(frame: pd.DataFrame, pattern: re.Pattern[str], replacement: str) -> pd.DataFrame:
    changed = frame.copy()
    for name in _text_columns(frame):
        column = frame[name]
        cells = [pattern.sub(replacement, cell) if isinstance(cell, str) else cell for cell in column]
        changed[name] = pd.Series(cells, index=frame.index, dtype=column.dtype)
    return changed


def _text_columns(frame: pd.DataFrame) -> list[Hashable]:
    return [name for name, dtype in frame.dtypes.items() if str(dtype) in {"str", "object"}]


def _unused_mark(frame: pd.DataFrame) -> str:
    """Give what stands for a missing value: nothing, unless some cell is an empty text."""
    text = [frame[name] for name in _text_columns(frame)]
    mark = ""
    while any(column.eq(mark).any() for column in text):
        mark = f"<{mark or 'missing'}>"
    return mark


def _read_csv(file: Path, columns: list[str] | None) -> pd.DataFrame:
    sidecar = file.with_name(file.name + SIDECAR)
    if not sidecar.is_file():
        return pd.read_csv(
            file, dtype="str", encoding="utf-8-sig", usecols=columns, keep_default_na=False, na_values=[""]
        )
    about = read_json(sidecar)
    if about.get("format") != _FORMAT or about.get("format_number") != _FORMAT_NUMBER:
        raise FileFormatError(f"{sidecar} was not written by this version of icdframes; remove it to read plain text.")
    dtypes = {column["name"]: column["dtype"] for column in about["columns"]}
    later = [name for name, dtype in dtypes.items() if dtype.lower().startswith(("datetime64", "float"))]
    frame = pd.read_csv(
        file,
        dtype={name: "str" if name in later else dtype for name, dtype in dtypes.items()},
        encoding="utf-8",
        keep_default_na=False,
        na_values=[about["missing"]],
        skip_blank_lines=False,
    )
    if list(frame.columns) != list(dtypes) or len(frame) != about["n_rows"]:
        raise FileFormatError(
            f"{file} was changed or cut off after it was written: {sidecar.name} tells of {about['n_rows']} rows and "
            f"{len(dtypes)} columns, the file has {len(frame)} and {len(frame.columns)}. "
            f"Remove {sidecar.name} to read it as plain text."
        )
    frame = frame.astype({name: dtypes[name] for name in later})
    if about["safe_for_spreadsheets"]:
        frame = _with_text(frame, _ESCAPED_FORMULA, r"\1")
    frame.attrs = about["attrs"]
    return frame if columns is None else frame[columns]
