"""The form of 2026: records end in CRLF, coding notes hold bare line feeds, each row names its parent."""

import csv
import gzip
import io
import json
import zipfile

import openpyxl
import pytest

from icdframes.errors import FileFormatError
from icdframes.files import delimited
from icdframes.files.tabulation import read_tabulation
from icdframes.frames.schema import as_lists

MMS = "http://id.who.int/icd/release/11/mms"
ENTITY = "http://id.who.int/icd/entity"
HEADING = (
    "Foundation URI", "Linearization URI", "Code", "BlockId", "Title", "ClassKind", "ChapterNo", "BrowserLink",
    "CodingNote", "Parent", "Version:2026 Jan 17 - 05:30 UTC",
)  # fmt: skip
NOTE = 'Use "this" first.\n\nThen that\n- not the other'
ROWS = [
    (f"{ENTITY}/1", f"{MMS}/1", "", "", "Infections", "chapter", "01", '=hyperlink("https://x/1","browser")', "", ""),
    (f"{ENTITY}/2", f"{MMS}/2", "", "BlockL1-1A0", "- Gut", "block", "01", "", '"Quoted" begins it', f"{ENTITY}/1"),
    (f"{ENTITY}/3", f"{MMS}/3", "1A00", "", '- - The "blue" death', "category", "01", "", NOTE, f"{ENTITY}/2"),
    ("", f"{MMS}/2/other", "1A0Y", "", "- - Other - so - called", "category", "01", "", "", f"{ENTITY}/2"),
    (f"{ENTITY}/5", f"{MMS}/5", "", "", "Extension codes", "chapter", "X", "", "", ""),
]


def text_of(rows, heading=HEADING):
    """Write rows as WHO does: titles and links in quotes, everything else bare, records ended by CRLF."""

    def record(row):
        quoted = {4, 7}
        return "\t".join(
            '"' + cell.replace('"', '""') + '"' if place in quoted and cell else cell for place, cell in enumerate(row)
        )

    return "\ufeff" + "\r\n".join(["\t".join(heading), *map(record, rows)]) + "\r\n"


def written(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def broken_spreadsheet(rows, heading=HEADING):
    """Write a spreadsheet whose coding notes were broken into rows at each line feed, as WHO's of 2026-01 is."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(heading)
    for row in rows:
        first, *rest = row[8].split("\n")
        sheet.append([*row[:8], first, *([] if rest else row[9:])])
        for number, part in enumerate(rest, start=1):
            sheet.append([part, *(row[9:] if number == len(rest) else [])])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.fixture
def tables(tmp_path):
    return read_tabulation(written(tmp_path, "SimpleTabulation-ICD-11-MMS-en.txt", text_of(ROWS)))


def test_a_line_feed_in_a_coding_note_ends_no_record(tables):
    columns = as_lists(tables.entities)
    assert columns["code"] == ["01", None, "1A00", "1A0Y", "X"]
    assert columns["coding_note"] == [None, '"Quoted" begins it', NOTE, None, None]
    assert columns["title"][2:4] == ['The "blue" death', "Other - so - called"]
    assert columns["parent_id"] == [None, "1", "2", "2", None]
    assert tables.provenance.release == "2026-01"


def test_a_tab_or_a_record_end_in_quotes_belongs_to_the_cell(tables, tmp_path, assert_same):
    rows = [(*row[:4], row[4].replace("blue", "b\tl\r\nue"), *row[5:]) for row in ROWS]
    found = read_tabulation(written(tmp_path, "SimpleTabulation-ICD-11-MMS-en.tsv", text_of(rows)))
    assert found.entities["title"][2] == 'The "b\tl\r\nue" death'
    assert found.entities.drop(columns="title").equals(tables.entities.drop(columns="title"))


def test_rows_that_a_spreadsheet_has_broken_are_joined(tables, tmp_path):
    found = read_tabulation(written(tmp_path, "SimpleTabulation-ICD-11-MMS-en.xlsx", broken_spreadsheet(ROWS)))
    assert as_lists(found.entities) == as_lists(tables.entities)


def test_a_row_under_another_parent_than_it_names_is_refused(tmp_path):
    rows = [*ROWS[:2], ROWS[3], (*ROWS[2][:9], f"{ENTITY}/77")]
    with pytest.raises(FileFormatError, match=r"line 5: the file names 77 as the parent, but by the dashes .* it is 2"):
        read_tabulation(written(tmp_path, "x-en.txt", text_of(rows)))
    with pytest.raises(FileFormatError, match=r"line 2: the file names 1 as the parent, but .* it is none"):
        read_tabulation(written(tmp_path, "x-en.txt", text_of([(*ROWS[1][:4], "Gut", *ROWS[1][5:])])))


def test_the_line_of_an_error_counts_the_line_feeds_in_notes(tmp_path):
    rows = [*ROWS[:4], ("", "no address", "Q", "", "Bad", "category", "", "", "", "")]
    with pytest.raises(FileFormatError, match=r"line 9: 'no address' is no URI"):
        read_tabulation(written(tmp_path, "x-en.txt", text_of(rows)))


def test_the_maintenance_export_is_called_what_it_is(tmp_path):
    heading = (*HEADING[:-1], "noOfNonResidualChildren", HEADING[-1])
    rows = [(*row, "0") for row in ROWS]
    rows[2] = (*rows[2][:2], "_NOCODEASSIGNED", *rows[2][3:])
    path = written(tmp_path, "SimpleTabulation-ICD-11-MMS-en.txt", text_of(rows, heading))
    found = read_tabulation(path)
    assert found.provenance.release is None
    assert found.provenance.server == (
        f"{path.name} (maintenance export of 2026-01-17 of WHO's development site, no release)"
    )
    assert as_lists(found.entities)["code"][2] is None
    assert read_tabulation(path, release="2026-01").provenance.release == "2026-01"


@pytest.mark.parametrize(
    "name, licence",
    [("icf", "Functioning"), ("ichi", "Health Interventions"), ("dermatology", "ICD-11"), ("primarycare", "ICD-11")],
)
def test_other_linearizations_have_their_own_name_and_licence(name, licence, tmp_path):
    rows = [tuple(cell.replace("/mms/", f"/{name}/") for cell in row) for row in ROWS]
    provenance = read_tabulation(written(tmp_path, "x-en.txt", text_of(rows))).provenance
    assert provenance.classification == name
    assert licence in provenance.licence


@pytest.mark.slow
def test_an_archive_that_would_fill_the_memory_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("x-en.txt", "w", force_zip64=True) as cell:
        for _ in range(600):
            cell.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(FileFormatError, match=r"bomb.zip would unpack to 600 MB or more and is refused unread"):
        read_tabulation(path)


@pytest.mark.parametrize("name", ["bomb.txt.gz", "bomb.xlsx", "bomb.txt"])
def test_every_packed_form_has_the_limit(name, tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "LARGEST_UNPACKED", 5000)
    text = text_of(ROWS * 20)
    data = {"gz": lambda: gzip.compress(text.encode()), "xlsx": lambda: broken_spreadsheet(ROWS)}
    made = data.get(name.rpartition(".")[2], text.encode)()
    with pytest.raises(FileFormatError, match=r"would unpack to .* refused unread"):
        read_tabulation(written(tmp_path, name, made))


@pytest.fixture(scope="session")
def in_2026_form(full_size):
    return full_size / "release_files" / "2024-01_rows_in_the_2026_form_en.txt.gz"


def notes_by_hand(path):
    """Read code or id and coding note of each record with nothing but splitting at CRLF and tab."""
    records = gzip.decompress(path.read_bytes()).decode("utf-8-sig").split("\r\n")[1:-1]
    cells = [record.split("\t") for record in records]
    return [row[17].strip(" ") or None if len(row) > 17 else None for row in cells]


@pytest.mark.full_size
def test_the_whole_table_in_the_form_of_2026_equals_that_of_2024(in_2026_form, mms_2024):
    tables = read_tabulation(in_2026_form)
    assert len(tables.entities) == 36_044
    same = tables.entities.columns.drop(["coding_note", "browser_url"])  # its links are written in another way
    assert tables.entities[same].equals(mms_2024.entities[same])
    assert tables.edges.equals(mms_2024.edges)
    notes = as_lists(tables.entities[["coding_note"]])["coding_note"]
    assert notes == notes_by_hand(in_2026_form)
    assert (sum(note is not None for note in notes), sum("\n" in (note or "") for note in notes)) == (1637, 171)


@pytest.mark.full_size
@pytest.mark.slow
def test_the_spreadsheet_of_the_same_rows_gives_the_same_table(in_2026_form, tmp_path):
    wanted = read_tabulation(in_2026_form)
    text = gzip.decompress(in_2026_form.read_bytes()).decode("utf-8-sig")
    heading, *records = [record.split("\t") for record in text.split("\r\n") if record]
    plain = [next(csv.reader(["\t".join(row).replace("\n", "\0")], delimiter="\t")) for row in records]
    rows = [[cell.replace("\0", "\n") for cell in row] for row in plain]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(heading)
    spurious = 0
    for row in rows:
        first, *rest = row[17].split("\n") if len(row) > 17 else ("",)
        sheet.append([*row[:17], first, *([] if rest else row[18:])])
        for number, part in enumerate(rest, start=1):
            sheet.append([part, *(row[18:] if number == len(rest) else [])])
            spurious += 1
    book.save(tmp_path / "2024-01_x-en.xlsx")
    found = read_tabulation(tmp_path / "2024-01_x-en.xlsx")
    assert spurious > 171
    assert len(found.entities) == 36_044
    assert as_lists(found.entities) == as_lists(wanted.entities)


@pytest.mark.full_size
def test_the_real_rows_of_2026_have_the_code_note_and_parent_that_who_gives(full_size, tmp_path):
    folder = full_size / "release_files"
    checks = json.loads((folder / "2026-01_real_rows_chapter01_lyme_extension.check.json").read_text(encoding="utf-8"))
    rows = (folder / "2026-01_real_rows_chapter01_lyme_extension.txt").read_bytes().decode("utf-8-sig")
    heading, *records = rows.rstrip("\r\n").split("\r\n")
    path = tmp_path / "2026-01_rows-en.txt"
    path.write_bytes("\r\n".join([heading, *with_ancestors(records)]).encode() + b"\r\n")
    entities = read_tabulation(path).entities.set_index("entity_id")
    found = entities.loc[[check["linearization"] for check in checks]].reset_index()
    columns = as_lists(found)
    parents = [entities["foundation_id"].get(key) for key in columns["parent_id"]]
    assert len(checks) == 198
    assert [code or "" for code in columns["code"]] == [
        check["code"] or ("" if check["parent"] else chapter)
        for check, chapter in zip(checks, columns["chapter"], strict=True)
    ]
    assert [note or "" for note in columns["coding_note"]] == [check["codingNote"] for check in checks]
    assert [f"{ENTITY}/{key}" if key else "" for key in parents] == [check["parent"] for check in checks]


def with_ancestors(records):
    """Put a made-up row before each record whose parents are not in the file, one for every level that lacks."""
    above = []
    for record in records:
        cells = record.split("\t")
        title = cells[4].strip('"')
        depth = 0
        while title[2 * depth :].startswith("- "):
            depth += 1
        parent = cells[18] if len(cells) > 18 else ""
        if depth and (len(above) < depth or above[depth - 1] != parent):
            above = above[: depth - 1]
            while len(above) < depth:
                level = len(above)
                own = parent if level == depth - 1 else f"{ENTITY}/9{level}{len(title)}{cells[1][-6:].replace('/', '')}"
                row = [own, own.replace("/entity/", "/release/11/mms/"), "", "", f'"{"- " * level}Ancestor"', "block"]
                yield "\t".join([*row, *[""] * 12, above[-1] if above else ""])
                above.append(own)
        above = [*above[:depth], cells[0]]
        yield record
