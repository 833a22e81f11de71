"""A tabulation file as columns of text: finds WHO's columns by their headings; it does not interpret a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipInfo

from icdframes.errors import FileFormatError
from icdframes.frames.who_file import SHEET_SUFFIX, TEXT_SUFFIXES, date_in, read_raw_table

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
