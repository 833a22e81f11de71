"""WHO's tabulation lists and mapping tables, downloaded from the sandbox; ICD-10 from its text files."""

import csv
import io
import lzma
import zipfile
from collections import Counter

import openpyxl
import pytest

import icdframes
from icdframes.cli.main import main
from icdframes.errors import ComparabilityWarning, ConfigurationError, FileFormatError, UnknownReleaseError
from icdframes.files.icd10_meta import icd10_graph, read_icd10_meta
from icdframes.files.tabulation_lists import icd10_list, list_1_names, read_icd11_list
from icdframes.frames.schema import as_lists
from icdframes.sandbox import Sandbox
from icdframes.sandbox.sample import example_deaths


@pytest.fixture(scope="module")
def served():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(served, tmp_path, monkeypatch):
    served.clear_log()
    monkeypatch.setenv("ICD_FILES_URL", served.url)
    with icdframes.connect("files", cache_dir=tmp_path) as connected:
        connected._file_tables._told = True
        yield connected


@pytest.mark.parametrize(
    "direction, table, source, target",
    [
        ("10to11", "one", "A00", "1A00"),
        ("10to11", "multiple", "A00", "1A00"),
        ("11to10", "one", "1A00", "A00"),
    ],
)
def test_each_mapping_table_is_found_in_the_archive(direction, table, source, target, client, served):
    mapping = client.load_mapping(direction, release="2024-01", table=table)
    row = mapping.frame[mapping.frame["source_code"] == source]
    assert row["target_code"].tolist() == [target]
    assert mapping.provenance["file"].startswith(f"{served.url}/static/releasefiles/2024-01/mapping.zip:")
    assert mapping.frame.attrs["provenance"]["retrieved_at"].endswith("Z")
    assert [one.method for one in served.log] == ["GET"]


@pytest.mark.parametrize("direction", ["10to11", "11to10"])
def test_the_foundation_tables_have_a_relation(direction, client):
    frame = client.load_mapping(direction, table="foundation").frame
    assert frame[frame["foundation_id"] == "257068234"]["relation"].tolist() == ["equivalent"]


def test_a_mapping_that_is_not_there_is_named(client):
    with pytest.raises(ConfigurationError, match=r"table='multiple' is unknown: give 'one' or 'foundation'"):
        client.load_mapping("11to10", table="multiple")
    with pytest.raises(ConfigurationError, match=r"direction='10to12' is unknown.*Did you mean '10to11'"):
        client.load_mapping("10to12")
    with pytest.raises(UnknownReleaseError, match=r"no mapping.zip of 2031-01: there are 2024-01, 2022-02"):
        client.load_mapping(release="2031-01")


def test_a_list_of_icd10_gives_every_code_a_group(client):
    grouping = client.load_grouping("icd10-mortality-1")
    tables = client.load_tables(classification="icd10")
    deaths = example_deaths("icd10")
    grouped = icdframes.annotate(deaths, tables, code="dx", add=["title", grouping])
    assert grouping.groups["U07"] == "UNDEF"
    missing = grouped[grouped[grouping.name].isna() & grouped["title"].notna()] if "title" in grouped else grouped[:0]
    assert len(missing) == 0
    assert grouped[grouping.name].notna().mean() > 0.8


def test_a_list_of_icd11_is_read_from_the_spreadsheet(client):
    grouping = client.load_grouping("icd11-mortality", release="2024-01")
    assert grouping.groups["1A00"] == "Mortality: Gastroenteritis or colitis of infectious origin"
    assert client.load_grouping("icd11-morbidity").groups["1A00"].startswith("Morbidity: ")


def test_a_list_that_is_not_there_is_named(client):
    with pytest.raises(ConfigurationError, match="Did you mean 'icd10-mortality-1'"):
        client.load_grouping("icd10-mortality1")
    with pytest.raises(UnknownReleaseError, match=r"no text files of ICD-10 '2010': give release='2019'"):
        client.load_grouping("icd10-morbidity", release="2010")
    with pytest.raises(UnknownReleaseError, match=r"no MortalityTabulationList_en.zip of 2031-01"):
        client.load_grouping("icd11-mortality", release="2031-01")


HEADING = ["Value Set Name", "Explanation", "Included Entities (URI)", "Excluded Entities (URI)", "Expanded codes", "x"]


def list_file(folder, *rows):
    book = openpyxl.Workbook()
    for row in (HEADING, *rows):
        book.active.append(row)
    book.save(folder / "MortalityTabulationList_en.xlsx")
    return folder / "MortalityTabulationList_en.xlsx"


def test_of_sets_within_sets_the_narrowest_has_the_code(tmp_path):
    path = list_file(
        tmp_path,
        ["All infections", "", "", "", "1A00 | 1A01 | 1B10", ""],
        ["Gut", "", "", "", "1A00, 1A01", ""],
        ["By entity", "", "http://id.who.int/icd/release/11/mms/5 | http://id.who.int/icd/release/11/mms/6",
         "http://id.who.int/icd/release/11/mms/7", "", ""],
    )  # fmt: skip
    assert read_icd11_list(path) == {
        "1A00": "Gut", "1A01": "Gut", "1B10": "All infections",
        "http://id.who.int/icd/release/11/mms/5": "By entity", "http://id.who.int/icd/release/11/mms/6": "By entity",
        "http://id.who.int/icd/release/11/mms/7": None,
    }  # fmt: skip


def test_a_code_in_two_sets_of_one_size_is_told(tmp_path):
    path = list_file(tmp_path, ["A", "", "", "", "1A00 | 1A01", ""], ["B", "", "", "", "1A01 | 1B10", ""])
    with pytest.warns(ComparabilityWarning, match=r"1 codes are in two groups of the same size .*\(1A01"):
        assert read_icd11_list(path)["1A01"] == "A"


def test_a_spreadsheet_that_is_no_list_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="line 2: a set without a name"):
        read_icd11_list(list_file(tmp_path, ["", "", "", "", "1A00", ""]))
    book = openpyxl.Workbook()
    book.active.append(["Code"])
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(FileFormatError, match="is no tabulation list of WHO: it has no columns"):
        read_icd11_list(tmp_path / "x.xlsx")


def meta_zip(folder, **changed):
    parts = {
        "chapters": "01;Infectious\n",
        "groups": "A00;A09;01;Intestinal\nB99;B99;01;Other\n",
        "codes": "3;N;X;01;A00;A00.-;A00;A00;Cholera;;;;1;4-1;3-1;2-1;1-002\n"
        "4;T;X;01;A00;A00.0;A00.0;A000;Cholera 0;;;;1;4-1;3-1;2-1;1-002\n"
        "4;T;X;01;A00;A00.1*;A00.1;A001;Cholera 1;;;;1;4-1;3-1;2-1;UNDEF\n"
        "3;T;X;01;B99;B99;B99;B99;Other;;;;1;4-1;3-1;2-1;1-003\n",
    } | changed
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(f"meta/icd102019syst_{name}.txt", text)
    path = folder / "icd102019enMeta.zip"
    path.write_bytes(file.getvalue())
    return path


def test_text_files_become_a_hierarchy_and_lists(tmp_path):
    meta = read_icd10_meta(meta_zip(tmp_path))
    graph = icd10_graph(meta, "2019")
    parents = {key: entity.parent_ids for key, entity in graph.entities.items()}
    assert parents == {
        "I": (), "A00-A09": ("I",), "A00": ("A00-A09",), "A00.0": ("A00",), "A00.1": ("A00",), "B99-B99": ("I",),
        "B99": ("B99-B99",),
    }  # fmt: skip
    assert [code.is_asterisk for code in meta.codes] == [False, False, True, False]
    assert icd10_list(meta, "icd10-mortality-1") == {
        "A00.0": "1-002 Cholera", "A00.1": "UNDEF",
        "B99": "1-003 Diarrhoea and gastroenteritis of presumed infectious origin",
    }  # fmt: skip
    assert icd10_list(meta, "icd10-mortality-2") == {"A00": "2-1", "B99": "2-1"}


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"codes": "3;N;X"}, r"file of codes, line 1: 3 fields instead of 17"),
        ({"chapters": "99;Nothing"}, r"'99' is no chapter of ICD-10"),
    ],
)
def test_a_text_file_that_is_wrong_is_named(changed, words, tmp_path):
    with pytest.raises(FileFormatError, match=words):
        read_icd10_meta(meta_zip(tmp_path, **changed))


def test_an_archive_of_another_kind_is_named(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"x")
    with pytest.raises(FileFormatError, match="damaged"):
        read_icd10_meta(tmp_path / "x.zip")
    with pytest.raises(FileFormatError, match="no file"):
        read_icd10_meta(tmp_path / "y.zip")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("x.txt", "")
    with pytest.raises(FileFormatError, match=r"holds no file …syst_chapters.txt"):
        read_icd10_meta(tmp_path / "z.zip")


@pytest.fixture(scope="session")
def real_meta(full_size, tmp_path_factory):
    folder = tmp_path_factory.mktemp("meta")
    for file in (full_size / "icd10_meta").iterdir():
        data = file.read_bytes()
        (folder / file.name.removesuffix(".xz")).write_bytes(lzma.decompress(data) if file.suffix == ".xz" else data)
    return read_icd10_meta(folder)


@pytest.mark.full_size
def test_the_whole_of_icd10_has_the_hierarchy_of_another_program(real_meta, icd10_2019):
    graph = icd10_graph(real_meta, "2019")
    assert sum(entity.class_kind == "category" for entity in graph.entities.values()) == 12_221
    rows = as_lists(icd10_2019.entities[["entity_id", "parent_id"]])
    wanted = dict(zip(rows["entity_id"], rows["parent_id"], strict=True))
    found = {place.entity_id: place.parent_id for place in graph.tabular_list()}
    more = set(wanted) - set(found)
    assert {key[:3] for key in more} == {"U07", "U08", "U09"}  # added to ICD-10 later
    assert found == {key: parent for key, parent in wanted.items() if key not in more}
    assert list(found) == [key for key in wanted if key not in more]


@pytest.mark.full_size
def test_every_terminal_code_has_the_number_of_mortality_list_1(real_meta, full_size):
    groups = icd10_list(real_meta, "icd10-mortality-1")
    terminal = [code for code in real_meta.codes if code.is_terminal]
    found = {code.code: groups.get(code.code) or groups[code.code[:3]] for code in terminal}
    lines = lzma.decompress((full_size / "icd10_meta" / "icd102019syst_codes.txt.xz").read_bytes()).decode("utf-8-sig")
    written = {cells[6]: cells[16] for line in lines.splitlines() if (cells := line.split(";"))[1] == "T"}
    wanted = {code: number or "UNDEF" for code, number in written.items()}
    assert {code: label.split(" ")[0] for code, label in found.items()} == wanted
    undefined = [code for code, label in found.items() if label == "UNDEF"]
    assert (len(found), len(undefined)) == (10_633, 2_071 + 35)
    assert [*written.values()].count("") == 35  # neither a number nor UNDEF is written
    assert {"U07.1", "U07.2"} <= set(undefined)
    assert Counter(code[0] for code in undefined)["S"] > 500
    names = csv.DictReader(
        (full_size / "lists" / "mortality_list_1_names.csv").read_text(encoding="utf-8").splitlines()
    )
    assert list_1_names() == {row["number"]: row["name"] for row in names}


def test_the_program_downloads_a_file_and_shows_the_cache(client, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(tmp_path / "mine"))
    assert main(["download", "--release", "2024-01"]) == 0
    path = capsys.readouterr().out.strip()
    assert path.endswith("SimpleTabulation-ICD-11-MMS-en.zip")
    assert main(["download", "--release", "2024-01", "--out", str(tmp_path / "x.zip")]) == 0
    assert main(["download", "--release", "2024-01", "--out", str(tmp_path / "x.zip")]) == 1
    assert "give --overwrite to replace it" in capsys.readouterr().err
    assert main(["cache", "info"]) == 0
    assert "1 downloads, 0.0 MB" in capsys.readouterr().out
    assert main(["cache", "prune", "--older-than", "-1"]) == 0
    assert "0 downloads, 0.0 MB" in capsys.readouterr().out


def test_a_file_of_your_own_is_annotated_at_once(client, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(tmp_path / "mine"))
    (tmp_path / "deaths.csv").write_text("person,dx\n1,1A00\n2,2C25.2\n")
    assert main(["annotate", str(tmp_path / "deaths.csv"), "--code", "dx", "--server", "files", "--out", "-"]) == 0
    assert "Cholera" in capsys.readouterr().out
