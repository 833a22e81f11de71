"""Read the columns of WHO's Simple Tabulation by their headings, and join the rows that a line feed has broken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipInfo

from icdframes.errors import FileFormatError
from icdframes.files.delimited import SHEET_SUFFIX, TEXT_SUFFIXES, Row, columns_of, date_in, read_raw_table

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
    "parent": "parent",
}
_NEEDED = {"uri": "Linearization URI", "code": "Code", "title": "Title", "class_kind": "ClassKind"}
_WORKING_COLUMN = "noofnonresidualchildren"
_NO_CODE = "_NOCODEASSIGNED"
_NO_BLOCK = "-_NO"


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
    date : str or None
        Day of the "Version:…" heading, as ``YYYY-MM-DD``.
    is_working_copy : bool
        Whether it has the marks of the maintenance export of WHO's development site, which is no release.

    """

    name: str
    columns: Mapping[str, list[str]]
    lines: list[int]
    has_english: bool
    date: str | None
    is_working_copy: bool


def read_sheet(path: Path) -> Sheet:
    """Read a tabulation in any form that WHO gives it."""
    raw = read_raw_table(path, _largest)
    if not raw.header:
        raise FileFormatError(f"{path} is empty: download it again.")
    headings = [re.sub(r"[^a-z]", "", title.casefold()) for title in raw.header]
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if column := _COLUMNS.get(heading):
            places.setdefault(column, place)
    lacking = [title for column, title in _NEEDED.items() if column not in places]
    if lacking:
        raise FileFormatError(
            f"{path} is no tabulation of WHO: its headings name no column {' and no '.join(lacking)}. "
            "Get the Simple Tabulation from https://icd.who.int/browse, Info."
        )
    rows = _joined(raw.rows, places)
    cells = dict(enumerate(columns_of([row for _, row in rows])))
    none = [""] * len(rows)
    columns = {column: cells.get(places.get(column, -1), none) for column in _COLUMNS.values()}
    date = next(filter(None, map(date_in, raw.header)), None)
    unassigned = _NO_CODE in columns["code"] or any(block.endswith(_NO_BLOCK) for block in columns["block_id"])
    undated = not any(re.search(r"/\d{4}(-\d{2})?/|/beta/", uri) for uri in columns["uri"][:1])
    columns["code"] = ["" if code == _NO_CODE else code for code in columns["code"]]
    return Sheet(
        name=raw.name,
        columns=columns,
        lines=[line for line, _ in rows],
        has_english="title_en" in places,
        date=date,
        is_working_copy=unassigned or (undated and _WORKING_COLUMN in headings),
    )


def _joined(rows: Sequence[Row], places: Mapping[str, int]) -> Sequence[Row]:
    """Join rows that are the rest of the coding note above them: WHO's spreadsheet of 2026-01 breaks notes at LF."""
    note, kind = places.get("coding_note"), places["class_kind"]
    if note is None or all(len(cells) > kind and cells[kind] for _, cells in rows):
        return rows
    joined: list[Row] = []
    last_line = 0
    for line, cells in rows:
        if joined and _is_rest(cells, places):
            above_line, above = joined[-1]
            head = (*above, *[""] * (note + 1 - len(above)))
            text = f"{head[note]}{chr(10) * (line - last_line)}{cells[0]}"
            joined[-1] = (above_line, (*head[:note], text, *(cells[1:] or head[note + 1 :])))
        else:
            joined.append((line, cells))
        last_line = line
    return joined


def _is_rest(cells: Sequence[str], places: Mapping[str, int]) -> bool:
    def cell(column: str) -> str:
        place = places[column]
        return cells[place] if place < len(cells) else ""

    no_uri = not cells[0].startswith(("http://", "https://"))
    return no_uri and not cell("class_kind") and not cell("uri").startswith(("http://id.who.int/icd/release", "https"))


def _largest(path: Path, members: Sequence[ZipInfo]) -> str:
    """Pick the largest text of an archive, or else its largest spreadsheet."""
    files = [item for item in members if "readme" not in item.filename.lower()]
    for ends in (TEXT_SUFFIXES, (SHEET_SUFFIX,)):
        fitting = [item for item in files if item.filename.lower().endswith(ends)]
        if fitting:
            return max(fitting, key=lambda item: item.file_size).filename
    raise FileFormatError(f"{path} holds no .txt, .tsv, .csv or .xlsx file: give WHO's archive as it is.")
