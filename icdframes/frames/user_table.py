"""Read the tables of users: CSV of any country, tab-separated text, Excel and Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import os
import warnings
import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, lookup
from pathlib import Path
from typing import Any

import pandas as pd

from icdframes.errors import ConfigurationError, FileFormatError, MissingExtraError
from icdframes.frames.atomic import no_file
from icdframes.frames.files import SIDECAR, read_frame

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SHEET_SUFFIX = ".xlsx"
SUFFIXES = (*TEXT_SUFFIXES, SHEET_SUFFIX, ".parquet")
_SEPARATORS = ";\t,|"
_SAMPLE_LINES = 50
_NAMES = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}


def read_user_table(
    path: str | os.PathLike[str], *, sep: str | None = None, encoding: str | None = None
) -> pd.DataFrame:
    r"""Read a table of a user's own.

    Cells of text files and spreadsheets are read as text, so that codes such as ``1E10`` and ``007`` stay what they
    are; an empty cell is missing. A table that icdframes wrote has its dtypes and provenance.

    Parameters
    ----------
    path : path
        A ``.csv``, ``.tsv``, ``.txt``, ``.xlsx`` (its first sheet) or ``.parquet`` file with a heading.
    sep : str, optional
        Between the cells of a text file: a character, or tab, semicolon, comma, pipe. By default recognised.
    encoding : str, optional
        Of a text file, such as ``cp1252``. By default UTF-8, UTF-16 by its mark, or else Windows' own, cp1252.

    Returns
    -------
    pandas.DataFrame
        No network.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged or of another kind; names the line where it can.
    ConfigurationError
        If separator or encoding are none.
    MissingExtraError
        If the package that reads Excel or Parquet is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "deaths.csv"
    ...     _ = file.write_bytes("dx;región\n1A00;León\n".encode("cp1252"))
    ...     read_user_table(file).to_dict("list")
    {'dx': ['1A00'], 'región': ['León']}

    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileFormatError(f"{file} is no table: its name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    separator = _separator(sep)
    if encoding is not None:
        _check_encoding(encoding)
    own = suffix == ".csv" and sep is None and encoding is None and file.with_name(file.name + SIDECAR).is_file()
    if suffix == ".parquet" or own:
        return read_frame(file)
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise no_file(file) from error
    except OSError as error:
        raise FileFormatError(f"{file} cannot be read ({error}): check its name and your rights.") from error
    if suffix == SHEET_SUFFIX:
        return _of_sheet(file, data)
    text = _decoded(file, data, encoding)
    return _of_text(file, text, separator or _recognise(text, "\t" if suffix == ".tsv" else ","))


def need_openpyxl(feature: str) -> None:
    """Refuse where no spreadsheet can be read or written."""
    if importlib.util.find_spec("openpyxl") is None:
        raise MissingExtraError(feature, "excel")


def _separator(sep: str | None) -> str | None:
    if sep is None:
        return None
    found = _NAMES.get(sep.lower(), sep)
    if len(found) != 1 or found in '"\r\n' or found.isalnum():
        raise ConfigurationError(
            f"sep={sep!r} is no separator: give one character, such as ; or , , or a name: {', '.join(_NAMES)}."
        )
    return found


def _check_encoding(encoding: str) -> None:
    try:
        lookup(encoding)
    except LookupError as error:
        raise ConfigurationError(
            f"encoding={encoding!r} is unknown: give utf-8, cp1252 (Windows, Western Europe), utf-16 or another."
        ) from error


def _decoded(path: Path, data: bytes, encoding: str | None) -> str:
    if encoding is not None:
        tried = ["utf-8-sig" if lookup(encoding).name == "utf-8" else encoding]
    elif data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        tried = ["utf-16"]
    else:
        tried = ["utf-8-sig", "cp1252"]
    if encoding is None and b"\0" in data[:1000] and tried != ["utf-16"]:
        raise FileFormatError(f"{path} is no text: give a .csv, .tsv or .xlsx file, or name its encoding.")
    for name in tried:
        try:
            return data.decode(name)
        except UnicodeError:
            continue
    raise FileFormatError(f"{path} is no text in {' or '.join(tried)}: name its encoding, such as --encoding cp1250.")


def _recognise(text: str, usual: str) -> str:
    """Return the separator that parts the first lines into the same number of cells, at least two; the most wins."""
    lines = text.splitlines()[:_SAMPLE_LINES]
    found: dict[str, tuple[bool, int]] = {}
    for separator in _SEPARATORS:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(map(str.strip, row))]
        widths = [len(row) for row in rows[:-1] or rows]
        if widths and widths[0] > 1:
            found[separator] = (len(set(widths)) == 1, widths[0])
    if not found:
        return usual
    return max(found, key=lambda separator: (*found[separator], separator == usual))


def _of_text(path: Path, text: str, separator: str) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=separator, dtype="str", keep_default_na=False, na_values=[""], skipinitialspace=True
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise FileFormatError(
            f"{path} cannot be read as a table with {separator!r} between the cells ({error}): name another with --sep "
            "(sep=), or correct the line."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise FileFormatError(
            f"{path}: its rows have more cells than its heading, with {separator!r} between them: complete the "
            "heading, or name another separator with --sep (sep=)."
        )
    return frame


def _of_sheet(path: Path, data: bytes) -> pd.DataFrame:
    need_openpyxl("Reading a spreadsheet")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cells = pd.read_excel(io.BytesIO(data), dtype="object", engine="openpyxl", keep_default_na=False)
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} cannot be read as a spreadsheet ({error}): save it anew as .xlsx.") from error
    texts = {place: [_text_of(cell) for cell in cells.iloc[:, place]] for place in range(cells.shape[1])}
    frame = pd.DataFrame(texts, dtype="str").set_axis([str(name) for name in cells.columns], axis=1)
    return frame.dropna(how="all").reset_index(drop=True)


def _text_of(cell: Any) -> str | None:
    """Return a cell as it is shown: whole numbers without fraction, dates without midnight."""
    if cell is None or cell == "" or cell != cell:  # noqa: PLR0124  this is what makes a NaN
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return str(cell)
