"""A table as CSV with its dtypes and provenance beside it, and back; it guesses no dtype."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Hashable
from pathlib import Path

import pandas as pd

from icdframes import __version__
from icdframes.errors import ExportError, FileFormatError
from icdframes.frames.atomic import check_target, read_json, write_json, written_beside

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

    def write_about(temporary: Path) -> None:
        write_json(temporary, about)

    sidecar = target.with_name(target.name + SIDECAR)
    before = sidecar.read_bytes() if sidecar.is_file() else None
    with written_beside(target, write_table) as table, written_beside(sidecar, write_about) as beside:
        beside.replace(sidecar)
        try:
            table.replace(target)
        except OSError:
            sidecar.unlink() if before is None else sidecar.write_bytes(before)
            raise
    return target


def read_csv(file: Path, columns: list[str] | None) -> pd.DataFrame:
    """Read what `to_csv` wrote, or any CSV as text; what is wrong inside raises as it comes."""
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
