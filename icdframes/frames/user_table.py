"""Read the tables of users as text: CSV of any country, tab-separated text and Excel; and write Excel."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import warnings
import zipfile
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, lookup
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from icdframes.errors import ConfigurationError, FileFormatError, MissingExtraError
from icdframes.frames.atomic import no_file
from icdframes.frames.pandas_compat import TEXT, csv_engine, text_array

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SHEET_SUFFIX = ".xlsx"
_SEPARATORS = ";\t,|"
_SAMPLE_LINES = 50
_HEADING = 1_000_000  # characters that surely hold the heading
_NAMES = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text file is written."""

    sep: str
    encoding: str


def read_text_table(
    path: Path, *, sep: str | None = None, encoding: str | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a text file with a heading as text throughout; an empty cell is missing.

    Raises
    ------
    FileFormatError
        If the file is not there, or is no such table.
    ConfigurationError
        If separator or encoding are none.

    """
    text, form = _recognised(path, sep, encoding)
    if not text.strip():
        raise FileFormatError(f"{path} cannot be read as a table, it is empty: give a file with a heading.")
    _refuse_twice(path, text, form.sep)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=form.sep,
            dtype=TEXT,
            engine=csv_engine(text),
            keep_default_na=False,
            na_values=[""],
            usecols=None if columns is None else list(columns),
        )
    except ValueError as error:
        raise FileFormatError(
            f"{path} cannot be read as a table with {form.sep!r} between the cells ({error}): name another separator "
            "with sep= (--sep), or correct the line."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise FileFormatError(
            f"{path}: its rows have more cells than its heading, with {form.sep!r} between them: complete the heading, "
            "or name another separator with sep= (--sep)."
        )
    return frame


def _refuse_twice(path: Path, text: str, sep: str) -> None:
    """Refuse a heading with one name twice, of which pandas would rename the second."""
    rows = csv.reader(io.StringIO(text[:_HEADING], newline=""), delimiter=sep)
    try:
        heading = next((row for row in rows if any(row)), [])
    except csv.Error:  # told when the whole is read
        return
    if twice := [name for name, n in Counter(heading).items() if n > 1 and name]:
        raise FileFormatError(f"{path} has {heading.count(twice[0])} columns {twice[0]!r}: rename all but one.")


def text_format(path: Path, *, sep: str | None = None, encoding: str | None = None) -> TextFormat:
    """Return separator and encoding of a text file, those that are given or those that are recognised.

    The separator is the one that parts the first lines into the same number of cells; the encoding is told by a mark,
    and without one it is UTF-8 or else cp1252, that of Windows in Western Europe.
    """
    return _recognised(path, sep, encoding)[1]


def read_sheet_table(path: Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read the first sheet of a spreadsheet as text, as its cells are shown; an empty cell is missing.

    Raises
    ------
    FileFormatError
        If the file is not there, or is no spreadsheet.
    MissingExtraError
        If openpyxl is not installed.

    """
    need_openpyxl("Reading a spreadsheet")
    data = _bytes_of(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cells = pd.read_excel(io.BytesIO(data), dtype="object", engine="openpyxl", keep_default_na=False)
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} cannot be read as a spreadsheet ({error}): save it anew as .xlsx.") from error
    texts = {place: text_array(_text_of(cell) for cell in cells.iloc[:, place]) for place in range(cells.shape[1])}
    frame = pd.DataFrame(texts).set_axis([str(name) for name in cells.columns], axis=1)
    frame = frame.dropna(how="all").reset_index(drop=True)
    return frame if columns is None else frame[list(columns)]


def write_sheet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as the only sheet of a spreadsheet; a text that looks like a formula stays a text."""
    need_openpyxl("Writing a spreadsheet")
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        frame.to_excel(writer, index=False, sheet_name="icdframes")
        for row in writer.sheets["icdframes"].iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    cell.data_type = "s"


def need_openpyxl(feature: str) -> None:
    """Refuse where no spreadsheet can be read or written."""
    if importlib.util.find_spec("openpyxl") is None:
        raise MissingExtraError(feature, "excel")


def _recognised(path: Path, sep: str | None, encoding: str | None) -> tuple[str, TextFormat]:
    given = None if sep is None else _separator(sep)
    text, written = _decoded(path, _bytes_of(path), encoding)
    return text, TextFormat(given or _find_separator(text, "\t" if path.suffix.lower() == ".tsv" else ","), written)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise no_file(path) from error
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read ({error}): check its name and your rights.") from error


def _separator(sep: str) -> str:
    found = _NAMES.get(sep.lower(), sep)
    if len(found) != 1 or found in '"\r\n' or found.isalnum():
        raise ConfigurationError(
            f"is no separator: give one character, such as ';', or a name: {', '.join(_NAMES)}.",
            option="sep",
            value=sep,
        )
    return found


def _decoded(path: Path, data: bytes, encoding: str | None) -> tuple[str, str]:
    if encoding is not None:
        try:
            name = lookup(encoding).name
        except LookupError as error:
            raise ConfigurationError(
                "is unknown: give utf-8, cp1252 (Windows, Western Europe), utf-16 or another.",
                option="encoding",
                value=encoding,
            ) from error
        tried = ["utf-8-sig" if name == "utf-8" and data.startswith(BOM_UTF8) else name]
    elif data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        tried = ["utf-16"]
    elif b"\0" in data[:1000]:
        raise FileFormatError(f"{path} is no text: give a .csv, .tsv or .xlsx file, or name its encoding.")
    else:
        tried = ["utf-8-sig" if data.startswith(BOM_UTF8) else "utf-8", "cp1252"]
    for name in tried:
        try:
            return data.decode(name), name
        except UnicodeError:
            continue
    raise FileFormatError(
        f"{path} is no text in {' or '.join(tried)}: name its encoding with encoding= (--encoding), such as cp1250."
    )


def _find_separator(text: str, usual: str) -> str:
    """Return the separator that parts the first lines into the same number of cells, at least two; the most wins."""
    lines = io.StringIO(text, newline="").readlines(200_000)
    found: dict[str, tuple[bool, int, bool]] = {}
    for separator in _SEPARATORS:
        rows = []
        try:
            for row in csv.reader(lines, delimiter=separator):
                if any(map(str.strip, row)):
                    rows.append(row)
                if len(rows) == _SAMPLE_LINES:
                    break
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        if widths and widths[0] > 1:
            found[separator] = (len(set(widths)) == 1, widths[0], separator == usual)
    return max(found, key=lambda separator: found[separator]) if found else usual


def _text_of(cell: Any) -> str | None:
    """Return a cell as it is shown: whole numbers without fraction, dates without midnight."""
    if cell is None or cell == "" or cell != cell:  # noqa: PLR0124  this is what makes a NaN
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return str(cell)
