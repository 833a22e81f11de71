"""A tabulation file as columns of text: opens, decodes and finds the columns; it does not interpret a row."""

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icdframes.errors import FileFormatError, MissingExtraError

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
_VERSION = re.compile(r"version:\s*(\d{4})\s+([a-z]{3})", re.IGNORECASE)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_TEXT_ENDS = (".txt", ".tsv", ".csv")


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
    """Read a .txt, .tsv, .csv or .xlsx file, plain, in a .gz or in a .zip."""
    try:
        name, data = _unpacked(path)
    except FileNotFoundError as error:
        raise FileFormatError(f"There is no file {path}.") from error
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise FileFormatError(f"{path} cannot be opened, it is damaged or of another kind: {error}") from error
    if name.lower().endswith(".xlsx"):
        rows = _spreadsheet_rows(path, data)
    elif name.lower().endswith(_TEXT_ENDS):
        rows = _text_rows(path, data)
    else:
        raise FileFormatError(
            f"{path} is no tabulation: give WHO's .txt, .tsv, .csv, .xlsx, or one of them as .gz or .zip."
        )
    return _sheet(path, name, rows)


def has_openpyxl() -> bool:
    """Tell whether spreadsheets can be read."""
    return importlib.util.find_spec("openpyxl") is not None


def _unpacked(path: Path) -> tuple[str, bytes]:
    if path.suffix.lower() == ".gz":
        return path.stem, gzip.decompress(path.read_bytes())
    if path.suffix.lower() != ".zip":
        return path.name, path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        files = [item for item in archive.infolist() if not item.is_dir() and "readme" not in item.filename.lower()]
        for ends in (_TEXT_ENDS, (".xlsx",)):
            fitting = [item for item in files if item.filename.lower().endswith(ends)]
            if fitting:
                largest = max(fitting, key=lambda item: item.file_size)
                return Path(largest.filename).name, archive.read(largest)
    raise FileFormatError(f"{path} holds no .txt, .tsv, .csv or .xlsx file.")


def _text_rows(path: Path, data: bytes) -> list[tuple[int, Sequence[str]]]:
    text = _decoded(path, data)
    heading = text.partition("\n")[0]
    delimiter = max("\t,;", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, Sequence[str]]] = []
    line = 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {line}: {error}.") from error
    return rows


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


def _spreadsheet_rows(path: Path, data: bytes) -> list[tuple[int, Sequence[str]]]:
    if not has_openpyxl():
        raise MissingExtraError("Reading a spreadsheet", "excel")
    import openpyxl  # noqa: PLC0415  an optional package

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            cells = list(sheet.iter_rows(values_only=True))
            book.close()
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} cannot be read as a spreadsheet: {error}") from error
    coded = [place for place, title in enumerate(cells[0] if cells else ()) if str(title).strip() == "Code"]
    for line, row in enumerate(cells, start=1):
        for place in coded:
            if isinstance(row[place], int | float):
                raise FileFormatError(
                    f"{path}, line {line}: the code {row[place]!r} is a number, a spreadsheet program has changed it. "
                    "Download the file again, or give the .txt."
                )
    return [(line, ["" if cell is None else str(cell) for cell in row]) for line, row in enumerate(cells, start=1)]


def _sheet(path: Path, name: str, rows: Iterable[tuple[int, Sequence[str]]]) -> Sheet:
    filled = [(line, row) for line, row in rows if any(row)]
    if not filled:
        raise FileFormatError(f"{path} is empty.")
    heading = filled[0][1]
    places: dict[str, int] = {}
    for place, title in enumerate(heading):
        column = _COLUMNS.get(re.sub(r"[^a-z]", "", title.casefold()))
        if column:
            places.setdefault(column, place)
    lacking = [title for column, title in _NEEDED.items() if column not in places]
    if lacking:
        raise FileFormatError(
            f"{path} is no tabulation of WHO: line {filled[0][0]} names no column {' and no '.join(lacking)}."
        )
    body = filled[1:]
    columns = {
        column: [row[place].strip() if place < len(row) else "" for _, row in body] for column, place in places.items()
    }
    absent = {column: [""] * len(body) for column in set(_COLUMNS.values()) - set(places)}
    return Sheet(name, columns | absent, [line for line, _ in body], "title_en" in places, _version(heading))


def _version(heading: Sequence[str]) -> str | None:
    for title in heading:
        match = _VERSION.match(title.strip())
        if match and match[2].lower() in _MONTHS:
            return f"{match[1]}-{_MONTHS.index(match[2].lower()) + 1:02}"
    return None
