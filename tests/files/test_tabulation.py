"""WHO's tabulation files of every form become the same tables."""

import gzip
import io
import json
import re
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import ConfigurationError, FileFormatError, MissingExtraError
from icdframes.files import delimited as who_file
from icdframes.files.tabulation import read_tabulation, read_tabulation_graph
from icdframes.frames.build import build_tables
from icdframes.frames.schema import as_lists

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
ENTITY = "http://id.who.int/icd/entity"
NEW = ("Foundation URI", "Linearization URI", "Code", "BlockId", "Title", "ClassKind", "ChapterNo", "BrowserLink")
ROWS = [
    (
        f"{ENTITY}/1",
        f"{MMS}/1",
        "",
        "",
        "Infections",
        "chapter",
        "01",
        '=hyperlink("https://icd.who.int/x#1","browser")',
    ),
    (f"{ENTITY}/2", f"{MMS}/2", "", "BlockL1-1A0", "- Gut", "block", "01", "browser"),
    (f"{ENTITY}/3", f"{MMS}/3", "1E10", "", "- - Cholera", "category", "01", ""),
    ("", f"{MMS}/2/other", "1A0Y", "", "- - Other gut", "category", "01", ""),
    (f"{ENTITY}/4", f"{MMS}/4", "1A1", "", "- Skin", "category", "01", ""),
    (f"{ENTITY}/5", f"{MMS}/5", "", "", "Extension codes", "chapter", "X", ""),
]


def text_of(rows, heading=NEW, *, delimiter="\t", quote=True):
    def cell(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"' if quote or delimiter in text or '"' in text else text

    return "\r\n".join([delimiter.join(heading), *(delimiter.join(map(cell, row)) for row in rows)]) + "\r\n"


def written(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return file.getvalue()


def spreadsheet(rows, heading=NEW):
    book = openpyxl.Workbook()
    for row in (heading, *rows):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_prefix(book):
    """Write the sheet of a spreadsheet as WHO's programs do, with ``x:`` before each name."""
    done = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(done, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", content).replace(b" xmlns=", b" xmlns:x=")
            new.writestr(name, content)
    return done.getvalue()


@pytest.fixture
def expected(tmp_path):
    return read_tabulation(written(tmp_path, "expected-en.txt", text_of(ROWS)))


def same_but_for_place(found, expected):
    for name, frame in expected.frames.items():
        assert as_lists(found.frames[name]) == as_lists(frame)


def test_rows_become_entities_with_ids_depth_parents_and_chapter(expected):
    wanted = ["entity_id", "code", "title", "class_kind", "depth", "parent_id", "n_children", "chapter", "block_id"]
    assert list(zip(*as_lists(expected.entities[wanted]).values(), strict=True)) == [
        ("1", "01", "Infections", "chapter", 0, None, 2, "01", None),
        ("2", None, "Gut", "block", 1, "1", 2, "01", "BlockL1-1A0"),
        ("3", "1E10", "Cholera", "category", 2, "2", 0, "01", None),
        ("2/other", "1A0Y", "Other gut", "category", 2, "2", 0, "01", None),
        ("4", "1A1", "Skin", "category", 1, "1", 0, "01", None),
        ("5", "X", "Extension codes", "chapter", 0, None, 0, "X", None),
    ]
    rest = as_lists(expected.entities[["foundation_id", "uri", "browser_url", "is_residual"]])
    assert rest["foundation_id"] == ["1", "2", "3", None, "4", "5"]
    assert rest["uri"][3] == f"{MMS}/2/other"
    assert rest["browser_url"] == ["https://icd.who.int/x#1", None, None, None, None, None]
    assert rest["is_residual"] == [False, False, False, True, False, False]
    assert list(zip(*as_lists(expected.edges).values(), strict=True)) == [
        ("1", "2", 0), ("2", "3", 0), ("2", "2/other", 1), ("1", "4", 1),
    ]  # fmt: skip


def test_provenance_tells_file_release_and_language(expected):
    provenance = expected.provenance
    assert (provenance.server, provenance.classification, provenance.release) == ("expected-en.txt", "mms", "2024-01")
    assert provenance.language == "en"
    assert provenance.retrieved_at.endswith("Z")


FORMS = {
    "plain.tsv": text_of(ROWS, quote=False),
    "bom-en.txt": b"\xef\xbb\xbf" + text_of(ROWS).encode(),
    "utf16.txt": text_of(ROWS).encode("utf-16"),
    "utf16be.txt": text_of(ROWS).encode("utf-16-be"),
    "utf16le.txt": text_of(ROWS).encode("utf-16-le"),
    "a.csv": text_of(ROWS, delimiter=","),
    "b.csv": text_of(ROWS, delimiter=";"),
    "c.txt.gz": gzip.compress(text_of(ROWS).encode()),
    "d.zip": zipped(readme__txt="Foundation URI: unique" * 999, x__xlsx=b"no", list__txt=text_of(ROWS)),
    "e.xlsx": spreadsheet(ROWS),
    "prefixed.xlsx": with_prefix(spreadsheet(ROWS)),
    "f.zip": zipped(readme__txt="", x__xlsx=spreadsheet(ROWS)),
    "reordered.txt": text_of([row[::-1] for row in ROWS], NEW[::-1]),
    "old.txt": text_of(
        [(*row, "True", "", '""') for row in ROWS],
        ("Foundation URI", "Linearization (release) URI", *NEW[2:], "PrimaryLocation", "iCatLink", "Grouping1"),
    ),
    "longer-rows.txt": text_of([(*row, "", "") for row in ROWS]),
    "blank-lines.txt": text_of(ROWS) + "\r\n\t\t\r\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_file_gives_the_same_tables(name, expected, tmp_path):
    same_but_for_place(read_tabulation(written(tmp_path, name, FORMS[name])), expected)


@pytest.mark.parametrize("name", ["e.xlsx", "prefixed.xlsx"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_links_are_read_wherever_the_parts_of_a_sheet_end(size, name, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(who_file, "_CHUNK", size)
    same_but_for_place(read_tabulation(written(tmp_path, name, FORMS[name])), expected)


def test_a_spreadsheet_that_made_numbers_of_chapters_and_truth_is_understood(expected, tmp_path):
    rows = [tuple(1 if cell == "01" else cell or None for cell in row) for row in ROWS]
    same_but_for_place(read_tabulation(written(tmp_path, "x.xlsx", spreadsheet(rows))), expected)


@pytest.mark.parametrize(("made", "shown"), [(1e10, "10000000000"), (date(2026, 3, 1), "2026-03-01")])
def test_a_spreadsheet_that_made_a_number_or_a_date_of_a_code_is_refused(made, shown, tmp_path):
    rows = [tuple(made if cell == "1E10" else cell for cell in row) for row in ROWS]
    with pytest.raises(FileFormatError, match=rf"x\.xlsx, line 4: the code {shown}.* is no text"):
        read_tabulation(written(tmp_path, "x.xlsx", spreadsheet(rows)))


def test_untranslated_titles_are_english_and_say_so(tmp_path):
    heading = (*NEW, "TitleEN", "CodingNote")
    spanish = ["Infecciones", "", "- - Cólera", "- -", "- Piel", "Códigos"]
    rows = [
        (*row[:4], title, *row[5:], row[4], "Ver 2" if row[2] == "1E10" else "")
        for row, title in zip(ROWS, spanish, strict=True)
    ]
    tables = read_tabulation(written(tmp_path, "SimpleTabulation-ICD-11-MMS-es.txt", text_of(rows, heading)))
    assert tables.entities["title"].tolist() == ["Infecciones", "Gut", "Cólera", "Other gut", "Piel", "Códigos"]
    assert tables.entities["translated"].tolist() == [True, False, True, False, True, True]
    assert tables.entities["depth"].tolist() == [0, 1, 2, 2, 1, 0]
    assert as_lists(tables.entities)["coding_note"] == [None, None, "Ver 2", None, None, None]
    assert tables.provenance.language == "es"


def test_windows_1252_is_read_where_the_file_is_no_utf8(tmp_path):
    data = text_of([("", f"{MMS}/1", "A", "", "Ménière §", "category", "01", "")]).encode("cp1252")
    assert read_tabulation(written(tmp_path, "x.txt", data)).entities["title"].tolist() == ["Ménière §"]


@pytest.mark.parametrize(
    "uri, heading, name, release",
    [
        ("2022-02/mms", "Version:2024 Jan 21 - 22:30 UTC", "2023-01_x.txt", "2022-02"),
        ("2018/mms", "Other", "x.txt", "2018"),
        ("mms", "Version:2024 Jan 21 - 22:30 UTC", "2023-01_x.txt", "2023-01"),
        ("mms", "Version:2024 Jan 21 - 22:30 UTC", "x.txt", "2024-01"),
        ("mms", "Version:unknown", "x.txt", None),
        ("beta/mms", "VERSION: 2022 Sep 29 - 22:30 UTC", "x.txt", "2022-09"),
        ("beta/mms", "", "x.txt", "beta"),
    ],
)
def test_the_release_comes_from_the_uri_the_name_or_the_heading(uri, heading, name, release, tmp_path):
    row = ("", f"http://id.who.int/icd/release/11/{uri}/1", "A", "", "T", "category", "01", "", "")
    path = written(tmp_path, name, text_of([row], (*NEW, heading)))
    assert read_tabulation(path).provenance.release == release
    assert read_tabulation(path, release="2025-01").provenance.release == "2025-01"


def test_what_is_given_counts_more_than_what_the_file_tells(tmp_path):
    path = written(tmp_path, "x-fr.txt", text_of(ROWS))
    tables = read_tabulation(path, language="cs", classification="icf", release="2023-01")
    assert (tables.provenance.language, tables.provenance.classification) == ("cs", "icf")
    assert tables.entities["uri"][0] == "http://id.who.int/icd/release/11/2023-01/icf/1"
    with pytest.raises(ConfigurationError, match="mms"):
        read_tabulation(path, classification="msm")


def test_a_file_that_does_not_tell_its_language_has_none(tmp_path):
    rows = [(*row, row[4]) for row in ROWS]
    tables = read_tabulation(written(tmp_path, "x.txt", text_of(rows, (*NEW, "TitleEN"))))
    assert tables.provenance.language is None


def test_an_entity_listed_twice_is_one_entity_with_two_parents(tmp_path):
    second = (f"{ENTITY}/3", f"{MMS}/3", "1E10", "", "- Cholera (again)", "category", "01", "", "False")
    rows = [*((*row, "True") for row in ROWS[:5]), second]
    tables = read_tabulation(written(tmp_path, "x.txt", text_of(rows, (*NEW, "PrimaryLocation"))))
    edges = list(zip(*as_lists(tables.edges).values(), strict=True))
    assert [edge for edge in edges if edge[1] == "3"] == [("2", "3", 0), ("1", "3", 2)]
    assert tables.entities.loc[tables.entities["entity_id"] == "3", "title"].tolist() == ["Cholera"]


def test_residuals_of_early_releases_have_the_same_ids(tmp_path):
    rows = [*ROWS[:3], ("", f"{MMS}/2/mms/other", *ROWS[3][2:])]
    assert "2/other" in read_tabulation(written(tmp_path, "x.txt", text_of(rows))).entities["entity_id"].tolist()


RECORDS = [
    {"kind": "chapter", "code": "01", "title": "Infections", "definition": "All of them.", "lists": {}},
    {"kind": "block", "blockId": "BlockL1-1A0", "lists": {"Coded Elsewhere": ["Skin (1A1)", "All (Chapter 01)"]}},
    {
        "kind": "category",
        "code": "1E10",
        "codingNote": "Note.",
        "lists": {
            "Codificado en otra parte": ["Lost (ZZ99)"],
            "Inclusiones": ["cholera syndrome"],
            "Exclusions": ["Gut (BlockL1-1A0)", "pain (any)", "bare"],
        },
    },
    {"kind": "category", "code": "ZZ99", "definition": "not in this file"},
    {"kind": "block", "blockId": None, "title": "No such block ()", "definition": "neither"},
]


def jsonl(records):
    return "\n".join(json.dumps(record) for record in records) + "\n\n"


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_a_text_file_fills_definitions_notes_terms_and_references(name, tmp_path):
    data = jsonl(RECORDS).encode()
    text = written(tmp_path, name, gzip.compress(data) if name.endswith("gz") else data)
    tables = read_tabulation(written(tmp_path, "x.txt", text_of(ROWS)), text)
    columns = as_lists(tables.entities)
    assert columns["definition"] == ["All of them.", None, None, None, None, None]
    assert columns["coding_note"] == [None, None, "Note.", None, None, None]
    assert as_lists(tables.terms)["label"] == ["cholera syndrome"]
    rows = as_lists(tables.references)
    assert list(zip(rows["entity_id"], rows["kind"], rows["label"], rows["linearization_id"], strict=True)) == [
        ("2", "child_elsewhere", "Skin", "4"),
        ("2", "child_elsewhere", "All", "1"),
        ("3", "exclusion", "Gut", "2"),
        ("3", "exclusion", "pain (any)", None),
        ("3", "exclusion", "bare", None),
        ("3", "child_elsewhere", "Lost (ZZ99)", None),
    ]


def test_a_block_without_an_id_is_found_by_its_title(tmp_path):
    rows = [("", f"{MMS}/1", "", "", "Questions", "block", "V", "")]
    text = written(tmp_path, "t.jsonl", jsonl([{"kind": "block", "title": "Questions ()", "definition": "Ask."}]))
    assert read_tabulation(written(tmp_path, "x.txt", text_of(rows)), text).entities["definition"].tolist() == ["Ask."]


@pytest.mark.parametrize(
    "line, words",
    [
        ("{", "line 2: not JSON.*Each line must be one JSON object"),
        ("[]", "line 2: not a JSON object. Each line must be one"),
        ('{"kind": "category", "code": "1E10", "definition": 1}', '"definition" is no text: write it in quotes'),
        ('{"kind": "category", "code": "1E10", "lists": 1}', 'line 2: "lists" is no JSON object: write'),
        ('{"kind": "category", "code": "1E10", "lists": {"Exclusions": [1]}}', "no list of texts: write"),
        ('{"kind": "category", "code": "1E10", "lists": {"Other": []}}', 'unknown list "Other": name it "Inclusions"'),
    ],
)
def test_a_line_of_text_that_is_wrong_is_named(line, words, tmp_path):
    text = written(tmp_path, "t.jsonl", jsonl(RECORDS[:1]).strip() + "\n" + line)
    with pytest.raises(FileFormatError, match=words):
        read_tabulation(written(tmp_path, "x.txt", text_of(ROWS)), text)


@pytest.mark.parametrize(
    "name, data, words",
    [
        ("t.jsonl", jsonl(RECORDS[3:]), "another classification or release. Give"),
        ("t.jsonl.gz", b"no gzip", "damaged.*download it again"),
        ("t.jsonl.gz", gzip.compress(jsonl(RECORDS).encode(), mtime=0)[:30], "damaged.*download it again"),
    ],
)
def test_a_text_file_of_another_kind_is_refused(name, data, words, tmp_path):
    tabulation = written(tmp_path, "x.txt", text_of(ROWS))
    with pytest.raises(FileFormatError, match=words):
        read_tabulation(tabulation, written(tmp_path, name, data))
    with pytest.raises(FileFormatError, match=r"no file .*: check its name and folder. Did you mean 't.jsonl"):
        read_tabulation(tabulation, tmp_path / "t.josnl")


WRONG = {
    "a-missing-row": ("x.txt", text_of(ROWS[:1] + ROWS[2:3]), r"line 3: the title has 2 dashes"),
    "no-title": ("x.txt", text_of(ROWS, ("a", *NEW[1:4], "b", *NEW[5:])), "no column Title.*Get the Simple Tabulation"),
    "no-uri": ("x.txt", text_of([("", "1A00", "", "", "T", "", "", "")]), r"line 2: '1A00' is no URI"),
    "headings-only": ("x.txt", text_of([]), "no rows"),
    "empty": ("x.txt", "", "is empty"),
    "endless-cell": ("x.txt", text_of(ROWS) + '"' + "x" * 200_000, r"line 8: field larger.*[.] Download"),
    "another-kind": ("x.pdf", "%PDF", "is no table: give WHO"),
    "torn-gz": ("x.txt.gz", gzip.compress(text_of(ROWS).encode())[:40], "damaged.*download"),
    "torn-zip": ("x.zip", zipped(x__txt=text_of(ROWS))[:90], "damaged.*download"),
    "empty-zip": ("x.zip", zipped(picture__png="x"), "holds no.*give"),
    "no-spreadsheet": ("x.xlsx", "x", "as a spreadsheet.*download"),
    "zip-no-spreadsheet": ("x.xlsx", zipped(x__txt="x"), "as a spreadsheet"),
    "half-utf16": ("x.txt", text_of(ROWS).encode("utf-16")[:-1], "no text in utf-16"),
    "no-encoding": ("x.txt", b"Title\x81\xff", "no text in utf-8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_tabulation_is_named_with_its_line(case, tmp_path):
    name, data, words = WRONG[case]
    with pytest.raises(FileFormatError, match=words) as caught:
        read_tabulation(written(tmp_path, name, data))
    assert name in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"no file .*: check its name and folder[.]$"):
        read_tabulation(tmp_path / "absent.txt")


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=60) | st.text(alphabet='\t"\n- aURI', max_size=40).map(str.encode), whole=st.booleans())
@pytest.mark.parametrize("name", ["x.txt", "x.tsv.gz", "x.zip", "x.xlsx"])
def test_no_file_of_any_content_raises_anything_else(name, data, whole, tmp_path_factory):
    content = text_of(ROWS[:2]).encode() + data if whole else data
    path = written(tmp_path_factory.getbasetemp(), name, content)
    try:
        read_tabulation(path)
    except FileFormatError as error:
        assert name in str(error)  # noqa: PT017  a file may also be readable


def test_without_a_reader_of_spreadsheets_the_install_line_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(who_file, "has_calamine", lambda: False)
    with pytest.raises(MissingExtraError, match=r"icdframes\[excel\]"):
        read_tabulation(written(tmp_path, "x.xlsx", spreadsheet(ROWS)))


def test_the_graph_of_a_file_builds_the_same_tables(expected, assert_same, tmp_path):
    graph, origin = read_tabulation_graph(tmp_path / "expected-en.txt")
    assert graph.roots == ("1", "5")
    assert origin.chapters == {"1": "01", "5": "X"}
    assert_same(build_tables(graph, expected.provenance, chapters=origin.chapters), expected)


def test_a_row_that_stands_there_twice_is_one_entity_with_one_parent(expected, tmp_path):
    same_but_for_place(read_tabulation(written(tmp_path, "x.txt", text_of([*ROWS[:5], ROWS[4], ROWS[5]]))), expected)
