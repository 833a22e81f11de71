"""Rows of WHO's mapping files, with their line numbers; it refuses to know what the columns mean."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from icdframes.errors import ConfigurationError, FileFormatError, MissingExtraError, did_you_mean

_SUFFIXES = (".txt", ".tsv", ".xlsx")


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of text cells.

    Attributes
    ----------
    name : str
        File name, with the archive before it where there is one.
    header : tuple of str
        Cells of the first line.
    rows : tuple of (int, tuple of str)
        Line number in the file and cells; blank lines are left out.

    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_raw_table(path: str | Path, table: str | None = None) -> RawTable:
    """Read a .txt, .tsv or .xlsx file, plain, gzipped or inside a .zip; ``table`` picks one of several in a zip."""
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}.") from error
    name = path.name
    try:
        if name.lower().endswith(".zip"):
            member, content = _member(path, content, table)
            name = f"{name}:{member}"
        elif name.lower().endswith(".gz"):
            content = gzip.decompress(content)
            name = name[: -len(".gz")]
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{path} is no readable archive: {error}.") from error
    lines = _sheet_lines(path, content) if name.lower().endswith(".xlsx") else _text_lines(path, content)
    filled = ((number, cells) for number, cells in lines if any(cells))
    _, header = next(filled, (1, ()))
    return RawTable(name, header, tuple(filled))


def _member(path: Path, content: bytes, table: str | None) -> tuple[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {
            PurePosixPath(name).stem: name
            for suffix in reversed(_SUFFIXES)
            for name in archive.namelist()
            if name.lower().endswith(suffix) and "map" in PurePosixPath(name).stem.lower()
        }
        if table is None and len(found) == 1:
            table = next(iter(found))
        if not found:
            raise FileFormatError(f"{path} holds no mapping table ({', '.join(_SUFFIXES)} with 'Map' in its name).")
        if table not in found:
            wrong = f"no table {table!r}.{did_you_mean(table, found)}" if table else f"{len(found)} tables."
            raise ConfigurationError(f"{path.name} holds {wrong} Say which: table= one of {', '.join(sorted(found))}.")
        return found[table], archive.read(found[table])


def _text_lines(path: Path, content: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileFormatError(f"{path}, line {line}: this is no UTF-8 text; give WHO's .txt, .tsv or .xlsx.") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    try:
        for cells in reader:
            yield reader.line_num, tuple(cell.strip() for cell in cells)
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {reader.line_num}: {error}.") from error


def _sheet_lines(path: Path, content: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415  optional
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("Reading an .xlsx mapping table", "excel") from error
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise FileFormatError(f"{path} is no readable Excel file: {error}.") from error
    try:
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield number, tuple("" if cell is None else str(cell).strip() for cell in cells)
    finally:
        book.close()
