"""Unpack a file that WHO offers for download, within a limit, and read the rows of its table, text or spreadsheet."""

from __future__ import annotations

import csv
import gzip
import html
import importlib.util
import io
import re
import zipfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import chain, zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from icdframes.errors import FileFormatError, MissingExtraError
from icdframes.frames.atomic import no_file

LARGEST_UNPACKED = 500_000_000
Choose: TypeAlias = Callable[[Path, Sequence[zipfile.ZipInfo]], str]
"""Picks one of the members of an archive that have one of the wanted endings; raises where it cannot."""

_MILLION = 1_000_000
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)

TEXT_SUFFIXES = (".txt", ".tsv", ".csv")
SHEET_SUFFIX = ".xlsx"
Row: TypeAlias = tuple[int, tuple[str, ...]]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(?:version:?\s*)?(\d{4})[- ]([a-z]{3})[a-z]*[- ](\d{1,2})\b.*", re.IGNORECASE)
_BLANKS = " \t\r\v\f\u00a0\u2007\u202f\u200b\u3000"
_RECORD_END = "\r\n"
_FEED = "\x00"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_FORMULA = re.compile(rb' r="([A-Z]+)(\d+)"[^>]*><(?:\w+:)?f\b[^>]*>([^<]+)<')  # WHO's is <x:f>
_CHUNK = 1 << 20


def unpack(path: Path, choose: Choose, suffixes: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the name and the bytes of a file, unpacked where it is a .gz or a .zip.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    choose : callable
        Picks the member of a .zip.
    suffixes : tuple of str
        Endings of the members to choose from.

    Returns
    -------
    tuple of (str, bytes)
        The name as ``mapping.zip:x.txt`` for a member of an archive.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, or would unpack to more than 500 MB.

    """
    try:
        kind = path.suffix.lower()
        if kind == ".gz":
            return path.stem, _gunzipped(path)
        if kind != ".zip":
            _check_size(path, path.stat().st_size)
            return path.name, path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            check_archive(path, archive)
            member = choose(path, [item for item in archive.infolist() if item.filename.lower().endswith(suffixes)])
            return f"{path.name}:{member}", archive.read(member)
    except FileNotFoundError as error:
        raise no_file(path) from error
    except _DAMAGED as error:
        raise damaged(path, error) from error


def open_workbook_bytes(path: Path, data: bytes) -> io.BytesIO:
    """Return a spreadsheet as a file, after its size when unpacked was checked: an .xlsx is a .zip too."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_archive(path, archive)
    return io.BytesIO(data)


def check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `FileFormatError` where the members of an archive are larger than any file of WHO's; none is read."""
    _check_size(path, sum(item.file_size for item in archive.infolist()))


def damaged(path: Path, error: Exception) -> FileFormatError:
    """Return the error for a file that cannot be unpacked."""
    return FileFormatError(f"{path} cannot be opened, it is damaged or of another kind ({error}): download it again.")


def _gunzipped(path: Path) -> bytes:
    with gzip.open(path) as file:
        data = file.read(LARGEST_UNPACKED + 1)
    _check_size(path, len(data))
    return data


def _check_size(path: Path, n_bytes: int) -> None:
    if n_bytes > LARGEST_UNPACKED:
        raise FileFormatError(
            f"{path} would unpack to {n_bytes // _MILLION:,} MB or more and is refused unread: WHO's files have less "
            f"than 50 MB. Download it again from https://icd.who.int/browse, Info."
        )


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of text cells, without blanks around them.

    Attributes
    ----------
    place : str
        Name of the file, with the archive before it where there is one, as ``mapping.zip:x.txt``.
    name : str
        The file's own name.
    header : tuple of str
        Cells of the first line that is not blank.
    rows : tuple of (int, tuple of str)
        Line number in the file and cells; blank lines are left out.

    """

    place: str
    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_raw_table(path: Path, choose: Choose) -> RawTable:
    """Read a .txt, .tsv, .csv or .xlsx file, plain, in a .gz, or in a .zip of which `choose` picks one file.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, too large or of another kind; names it and the line.
    MissingExtraError
        If it is a spreadsheet and python-calamine is not installed.

    """
    place, data = unpack(path, choose, (*TEXT_SUFFIXES, SHEET_SUFFIX))
    name = PurePosixPath(place.rpartition(":")[2]).name
    if name.lower().endswith(SHEET_SUFFIX):
        rows: Iterable[Row] = _spreadsheet_rows(path, data)
    elif name.lower().endswith(TEXT_SUFFIXES):
        text = [decode_text(path, data)]  # handed over, so that it is let go while the rows are read
        rows = ((line, tuple(_stripped(cells))) for line, cells in _text_rows(path, text.pop()))
    else:
        raise FileFormatError(f"{path} is no table: give WHO's .txt, .tsv, .csv, .xlsx, or one of them as .gz or .zip.")
    del data
    header, *body = [row for row in rows if any(row[1])] or [(1, ())]
    return RawTable(place, name, header[1], tuple(body))


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the columns of rows; a row that ends early has empty cells there."""
    widths = set(map(len, rows))
    if len(widths) > 1:
        return list(map(list, zip_longest(*rows, fillvalue="")))
    width = max(widths, default=0)
    cells = list(chain.from_iterable(rows))  # by steps through all cells, in half the time
    return [cells[place::width] for place in range(width)]


def date_in(heading: str) -> str | None:
    """Read ``2024-Jan-21`` or ``Version:2022 Feb 07 - 09:47 UTC`` as ``YYYY-MM-DD``; None for anything else."""
    match = _DATE.fullmatch(heading.strip())
    if match is None or match[2].lower() not in _MONTHS:
        return None
    return f"{match[1]}-{_MONTHS.index(match[2].lower()) + 1:02}-{int(match[3]):02}"


def has_calamine() -> bool:
    """Return whether spreadsheets can be read."""
    return importlib.util.find_spec("python_calamine") is not None


def decode_text(path: Path, data: bytes) -> str:
    """Return the text in bytes of UTF-8, UTF-16 or Windows-1252.

    Raises
    ------
    FileFormatError
        If it is no text.

    """
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data[:2]:
        encodings = ("utf-16-be" if data[0] == 0 else "utf-16-le",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileFormatError(f"{path} is no text in {' or '.join(encodings)}: download it again.")


def _text_rows(path: Path, text: str) -> Iterator[tuple[int, Sequence[str]]]:
    heading = text.partition("\n")[0]
    delimiter = max("\t,;", key=heading.count)
    if delimiter == "\t" and heading.endswith("\r"):
        return _record_rows(path, text)
    return _csv_rows(path, io.StringIO(text, newline=""), delimiter)


def _record_rows(path: Path, text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Split a table whose records end in CRLF: a line feed alone is part of a cell, also of one without quotes.

    The cells are cut at tabs, ten times as fast as by `csv`, which reads only what has a tab or a CRLF in quotes.
    """
    records = text.split(_RECORD_END)
    del text
    width = records[0].count("\t") + 1
    line, number = 1, 0
    while number < len(records):
        record = records[number]
        cells: Sequence[str] = record.split("\t")
        used, feeds = 1, record.count("\n")
        if '"' in record:
            if len(cells) > width or (len(cells) < width - 1 and record.count('"') % 2):
                cells, used = _quoted_record(path, records, number, line)
                feeds = "".join(records[number : number + used]).count("\n")
            else:
                cells = [_unquoted(cell) if cell[:1] == '"' else cell for cell in cells]
        yield line, cells
        line += used + feeds
        number += used


def _stripped(cells: Sequence[str]) -> list[str]:
    """Return cells without blanks around them; a line feed is part of a coding note and stays."""
    text = "".join(cells)
    if "\n" in text:
        return [cell.strip() and cell.strip(_BLANKS) for cell in cells]
    return list(map(str.strip, cells)) if text else list(cells)


def _unquoted(cell: str) -> str:
    """Return a cell without its quotes; what only begins with a quotation mark is left as it is."""
    if len(cell) > 1 and cell[-1] == '"':
        inner = cell[1:-1]
        if '"' not in inner:
            return inner
        if inner.count('"') == 2 * inner.count('""'):  # each is written twice
            return inner.replace('""', '"')
    return cell


def _quoted_record(path: Path, records: Sequence[str], number: int, line: int) -> tuple[Sequence[str], int]:
    """Read one record with a tab or a record's end in quotes; return its cells and how many lines it took."""
    lines = (f"{record.replace(chr(10), _FEED)}{_RECORD_END}" for record in records[number:])
    reader = csv.reader(lines, delimiter="\t")
    try:
        cells = next(reader)
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {line}: {error}. Download the file again.") from error
    return [cell.replace(_FEED, "\n") for cell in cells], reader.line_num


def _csv_rows(path: Path, lines: io.StringIO, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {line}: {error}. Download the file again.") from error


def _spreadsheet_rows(path: Path, data: bytes) -> Iterable[Row]:
    """Read the first sheet, column by column: a call for each cell of 36,000 rows takes longer than the file."""
    if not has_calamine():
        raise MissingExtraError("Reading a spreadsheet", "excel")
    import python_calamine  # noqa: PLC0415  an optional package

    try:
        file = open_workbook_bytes(path, data)
        with ThreadPoolExecutor(1) as thread:  # calamine lets other threads work while it reads
            formulas_read = thread.submit(_formulas, io.BytesIO(data))
            rows = python_calamine.load_workbook(file).get_sheet_by_index(0).to_python(skip_empty_area=False)
        formulas = formulas_read.result()
    except FileFormatError:
        raise
    except (python_calamine.CalamineError, OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise FileFormatError(
            f"{path} cannot be read as a spreadsheet ({error}): download it again, or give the .txt."
        ) from error
    columns = [_stripped(_text_cells(path, column)) for column in columns_of(rows)]
    for line, place, formula in formulas:
        columns += [[""] * len(rows) for _ in range(place + 1 - len(columns))]
        if line <= len(rows):
            columns[place][line - 1] = formula.strip()
    return enumerate(zip(*columns, strict=True), start=1)


def _text_cells(path: Path, column: list[Any]) -> list[str]:
    """Return the cells of a column as text; codes must be text already."""
    if set(map(type, column)) == {str}:
        return column
    if column[0] and str(column[0]).strip().endswith("Code"):
        line, cell = next((line, cell) for line, cell in enumerate(column, start=1) if not isinstance(cell, str))
        raise FileFormatError(
            f"{path}, line {line}: the code {_number_text(cell)} is no text, a spreadsheet program has changed it. "
            "Download the file again, or give the .txt."
        )
    return [cell if type(cell) is str else _number_text(cell) for cell in column]


def _number_text(cell: object) -> str:
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def _formulas(file: io.BytesIO) -> list[tuple[int, int, str]]:
    """Return line, place and text of the formulas of the only sheet, which calamine leaves out: a link is one."""
    found: list[tuple[bytes, bytes, bytes]] = []
    with zipfile.ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if _SHEET.fullmatch(name)]
        if len(sheets) != 1:
            return []
        with archive.open(sheets[0]) as sheet:
            rest = b""
            while chunk := sheet.read(_CHUNK):  # as a whole it would take 37 MB
                rest += chunk
                end = max(rest.rfind(b"row>"), 0)
                found += _FORMULA.findall(rest, 0, end)
                rest = rest[end:]
    places = {letters: reduce(lambda number, letter: number * 26 + letter - 64, letters, 0) for letters, _, _ in found}
    return [(int(line), places[letters] - 1, f"={html.unescape(text.decode())}") for letters, line, text in found]
