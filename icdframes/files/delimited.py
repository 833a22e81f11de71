"""Rows of a file that WHO offers for download, text or spreadsheet, packed or not; it gives no meaning to columns."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import re
import warnings
import zipfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from zipfile import ZipInfo

from icdframes.errors import FileFormatError, MissingExtraError
from icdframes.frames.atomic import no_file

TEXT_SUFFIXES = (".txt", ".tsv", ".csv")
SHEET_SUFFIX = ".xlsx"
Row: TypeAlias = tuple[int, tuple[str, ...]]
Choose: TypeAlias = Callable[[Path, Sequence[zipfile.ZipInfo]], str]
"""Picks one of the members of an archive that are text or spreadsheets; raises where it cannot."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(?:version:?\s*)?(\d{4})[- ]([a-z]{3})[a-z]*[- ](\d{1,2})\b.*", re.IGNORECASE)


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
        If the file is not there, damaged or of another kind; names it and the line.
    MissingExtraError
        If it is a spreadsheet and openpyxl is not installed.

    """
    try:
        place, data = _unpacked(path, choose)
    except FileNotFoundError as error:
        raise no_file(path) from error
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise FileFormatError(
            f"{path} cannot be opened, it is damaged or of another kind ({error}): download it again."
        ) from error
    name = PurePosixPath(place.rpartition(":")[2]).name
    if name.lower().endswith(SHEET_SUFFIX):
        rows = _spreadsheet_rows(path, data)
    elif name.lower().endswith(TEXT_SUFFIXES):
        rows = _text_rows(path, data)
    else:
        raise FileFormatError(f"{path} is no table: give WHO's .txt, .tsv, .csv, .xlsx, or one of them as .gz or .zip.")
    filled = ((line, tuple(cell.strip() for cell in cells)) for line, cells in rows)
    header, *body = [row for row in filled if any(row[1])] or [(1, ())]
    return RawTable(place, name, header[1], tuple(body))


def date_in(heading: str) -> str | None:
    """Read ``2024-Jan-21`` or ``Version:2022 Feb 07 - 09:47 UTC`` as ``YYYY-MM-DD``; None for anything else."""
    match = _DATE.fullmatch(heading.strip())
    if match is None or match[2].lower() not in _MONTHS:
        return None
    return f"{match[1]}-{_MONTHS.index(match[2].lower()) + 1:02}-{int(match[3]):02}"


def has_openpyxl() -> bool:
    """Tell whether spreadsheets can be read."""
    return importlib.util.find_spec("openpyxl") is not None


def _unpacked(path: Path, choose: Choose) -> tuple[str, bytes]:
    if path.suffix.lower() == ".gz":
        return path.stem, gzip.decompress(path.read_bytes())
    if path.suffix.lower() != ".zip":
        return path.name, path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        ends = (*TEXT_SUFFIXES, SHEET_SUFFIX)
        member = choose(path, [item for item in archive.infolist() if item.filename.lower().endswith(ends)])
        return f"{path.name}:{member}", archive.read(member)


def _text_rows(path: Path, data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    text = _decoded(path, data)
    heading = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max("\t,;", key=heading.count))
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {line}: {error}. Download the file again.") from error


def _decoded(path: Path, data: bytes) -> str:
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


def _spreadsheet_rows(path: Path, data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    if not has_openpyxl():
        raise MissingExtraError("Reading a spreadsheet", "excel")
    import openpyxl  # noqa: PLC0415  an optional package

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            rows = list(sheet.iter_rows(values_only=True))
            book.close()
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(
            f"{path} cannot be read as a spreadsheet ({error}): download it again, or give the .txt."
        ) from error
    coded = {place for place, title in enumerate(rows[0] if rows else ()) if str(title).strip().endswith("Code")}
    for line, cells in enumerate(rows, start=1):
        if changed := [cell for place, cell in enumerate(cells) if place in coded and isinstance(cell, int | float)]:
            raise FileFormatError(
                f"{path}, line {line}: the code {changed[0]!r} is a number, a spreadsheet program has changed it. "
                "Download the file again, or give the .txt."
            )
        yield line, ["" if cell is None else str(cell) for cell in cells]


_COLUMNS = {
    "linearizationuri": "uri",
    "linearizationreleaseuri": "uri",
    "foundationuri": "foundation",
    "code": "code",
    "blockid": "block_id",
    "titleen": "title_en",
    "title": "title",
    "classkind": "class_kind",
    "primarylocation": "primary",
    "chapterno": "chapter",
    "browserlink": "browser",
    "codingnote": "coding_note",
}
_NEEDED = {"uri": "Linearization URI", "code": "Code", "title": "Title", "class_kind": "ClassKind"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a tabulation.

    Attributes
    ----------
    name : str
        Name of the file, inside the archive if it came in one.
    columns : Mapping of str to list of str
        Cells by our name of the column; a column that the file lacks is all empty.
    lines : list of int
        Where each row stands in the file.
    has_english : bool
        Whether there is a TitleEN column beside Title.
    version : str or None
        Year and month of the "Version:…" heading, as ``YYYY-MM``.

    """

    name: str
    columns: Mapping[str, list[str]]
    lines: list[int]
    has_english: bool
    version: str | None


def read_sheet(path: Path) -> Sheet:
    """Read a tabulation in any form that WHO gives it."""
    raw = read_raw_table(path, _largest)
    if not raw.header:
        raise FileFormatError(f"{path} is empty: download it again.")
    places: dict[str, int] = {}
    for place, title in enumerate(raw.header):
        column = _COLUMNS.get(re.sub(r"[^a-z]", "", title.casefold()))
        if column:
            places.setdefault(column, place)
    lacking = [title for column, title in _NEEDED.items() if column not in places]
    if lacking:
        raise FileFormatError(
            f"{path} is no tabulation of WHO: its headings name no column {' and no '.join(lacking)}. "
            "Get the Simple Tabulation from https://icd.who.int/browse, Info."
        )
    columns = {
        column: [cells[place] if place < len(cells) else "" for _, cells in raw.rows]
        for column, place in places.items()
    }
    absent = {column: [""] * len(raw.rows) for column in set(_COLUMNS.values()) - set(places)}
    date = next(filter(None, map(date_in, raw.header)), None)
    lines = [line for line, _ in raw.rows]
    return Sheet(raw.name, columns | absent, lines, "title_en" in places, date and date[:7])


def _largest(path: Path, members: Sequence[ZipInfo]) -> str:
    """Pick the largest text of an archive, or else its largest spreadsheet."""
    files = [item for item in members if "readme" not in item.filename.lower()]
    for ends in (TEXT_SUFFIXES, (SHEET_SUFFIX,)):
        fitting = [item for item in files if item.filename.lower().endswith(ends)]
        if fitting:
            return max(fitting, key=lambda item: item.file_size).filename
    raise FileFormatError(f"{path} holds no .txt, .tsv, .csv or .xlsx file: give WHO's archive as it is.")
