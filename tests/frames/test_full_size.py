"""WHO's own full tables, row by row."""

import gzip
import time
import zipfile
from itertools import islice

import pandas as pd
import pytest

from icdframes.files.tabulation import read_tabulation
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import read_tables, write_tables
from icdframes.frames.subset import chapters_from_tables, entities_from_tables, subset_tables
from icdframes.model.entity import EntityGraph

pytestmark = pytest.mark.full_size

FILES = {  # classification, release, language, rows, untranslated: Title empty, or dashes alone (two in each es)
    "mms/2022-02_simpletabulation_en.tsv.gz": ("mms", "2022-02", "en", 35_459, 0),
    "mms/2022-02_simpletabulation_es.tsv.gz": ("mms", "2022-02", "es", 35_459, 112),
    "mms/2022-02_simpletabulation_fr.tsv.gz": ("mms", "2022-02", "fr", 35_459, 122),
    "mms/2022-02_simpletabulation_ar.tsv.gz": ("mms", "2022-02", "ar", 35_459, 5_452),
    "mms/2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz": ("mms", "2024-01", "en", 36_044, 0),
    "mms/2024-01_SimpleTabulation-ICD-11-MMS-es.txt.gz": ("mms", "2024-01", "es", 36_044, 144),
    "icf/2022-09_LinearizationMiniOutput-ICF-en.zip": ("icf", "2022-09", "en", 1_673, 0),
}

READ_ONCE = {
    "mms/2022-02_simpletabulation_en.tsv.gz": "mms_2022",
    "mms/2022-02_simpletabulation_es.tsv.gz": "mms_2022_es",
    "mms/2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz": "mms_2024",
}


def raw_table(path):
    """Read the file with pandas alone, every cell a text."""
    options = {"sep": "\t", "dtype": "str", "keep_default_na": False, "na_filter": False, "encoding": "utf-8-sig"}
    if path.suffix != ".zip":
        return pd.read_csv(path, **options)
    with zipfile.ZipFile(path) as archive, archive.open("LinearizationMiniOutput-ICF-en.txt") as file:
        return pd.read_csv(file, **options)


@pytest.mark.parametrize("name", FILES)
def test_every_row_agrees_with_the_columns_of_who(name, full_size, request):
    classification, release, language, n_rows, n_untranslated = FILES[name]
    tables = request.getfixturevalue(READ_ONCE[name]) if name in READ_ONCE else read_tabulation(full_size / name)
    found, raw = tables.entities, raw_table(full_size / name)
    assert (tables.provenance.classification, tables.provenance.release) == (classification, release)
    assert tables.provenance.language == language
    assert len(found) == len(raw) == n_rows
    assert (~found["translated"]).sum() == n_untranslated

    uris = raw.filter(regex="^Linearization").iloc[:, 0]
    assert found["entity_id"].tolist() == uris.str.split(f"/{classification}/").str[1].tolist()
    english_title = raw["TitleEN"] if "TitleEN" in raw else raw["Title"]
    assert found["depth"].tolist() == english_title.str.extract(r"^((?:- )*)")[0].str.count("-").tolist()
    title = raw["Title"].where(raw["Title"].str.strip("- ") != "", english_title)
    assert found["title"].tolist() == title.str.replace(r"^(- )*", "", regex=True).tolist()
    number = raw["ChapterNo"].where(raw["ClassKind"] == "chapter", "")
    assert found["code"].fillna("").tolist() == raw["Code"].where(raw["Code"] != "", number).tolist()
    if classification != "icf":  # of which the file names no chapter, and the tables do
        assert found["chapter"].fillna("").tolist() == raw["ChapterNo"].tolist()
    assert found["class_kind"].tolist() == raw["ClassKind"].tolist()
    assert found["block_id"].fillna("").tolist() == raw["BlockId"].tolist()
    assert found["is_residual"].tolist() == (raw["IsResidual"] == "True").tolist()
    assert found["is_leaf"].tolist() == (raw["isLeaf"] == "True").tolist()
    foundation = raw["Foundation URI"].str.rpartition("/")[2]
    assert found["foundation_id"].fillna("").tolist() == foundation.tolist()


def test_depth_in_kind_follows_from_parents_and_class_kinds(mms_2022, full_size):
    raw = raw_table(full_size / "mms/2022-02_simpletabulation_en.tsv.gz")
    within: dict[str, tuple[str, int]] = {}
    rows = mms_2022.entities[["entity_id", "parent_id", "class_kind"]].itertuples(index=False)
    for entity_id, parent_id, kind in rows:
        above, steps = within.get(parent_id, ("", 0))
        within[entity_id] = (kind, steps + 1 if above == kind else 1)
    assert [str(steps) for _, steps in within.values()] == raw["DepthInKind"].tolist()


@pytest.fixture(scope="module")
def mms_2022_es(full_size):
    return read_tabulation(
        full_size / "mms/2022-02_simpletabulation_es.tsv.gz", full_size / "mms_text/2022-02_mms_text_es.jsonl.gz"
    )


@pytest.mark.parametrize("name, definitions, notes", [("mms_2022", 7_950, 1_643), ("mms_2022_es", 7_956, 1_641)])
def test_the_texts_find_their_entities(name, definitions, notes, request):
    tables = request.getfixturevalue(name)
    assert tables.entities["definition"].notna().sum() == definitions
    assert tables.entities["coding_note"].notna().sum() == notes
    assert tables.references["kind"].value_counts().to_dict() == {"exclusion": 4_683, "child_elsewhere": 4_035}
    linked = tables.references["linearization_id"].dropna()
    assert len(linked) / len(tables.references) > 0.95
    assert linked.isin(tables.entities["entity_id"]).all()


def test_the_spreadsheet_of_an_archive_gives_the_same_as_its_text(full_size, tmp_path, assert_same):
    path = full_size / "icf/2022-09_LinearizationMiniOutput-ICF-en.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extract("LinearizationMiniOutput-ICF-en.xlsx", tmp_path)
    sheet = read_tabulation(tmp_path / "LinearizationMiniOutput-ICF-en.xlsx")
    for name, frame in read_tabulation(path).frames.items():
        pd.testing.assert_frame_equal(sheet.frames[name], frame)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_whole_classification_is_written_read_and_revived_equal(kind, mms_2022, assert_same, tmp_path):
    found = read_tables(write_tables(mms_2022, tmp_path / "t", format=kind))
    assert_same(found, mms_2022)
    again = build_tables(entities_from_tables(found), found.provenance, chapters=chapters_from_tables(found))
    assert_same(again, mms_2022)


def test_a_chapter_cut_out_has_all_its_rows(mms_2022):
    chapter = subset_tables(mms_2022, "1435254666").entities
    expected = mms_2022.entities[mms_2022.entities["chapter"] == "01"].reset_index(drop=True)
    pd.testing.assert_frame_equal(chapter, expected)


def test_building_stays_linear(mms_2022):
    entities = entities_from_tables(mms_2022).entities

    def seconds(number):
        some = dict(islice(entities.items(), number))
        start = time.process_time()
        tables = build_tables(EntityGraph(tuple(some), some), mms_2022.provenance, chapters={})
        assert len(tables) == number
        return time.process_time() - start

    assert seconds(len(entities)) < 3 * 3 * max(seconds(len(entities) // 3), 0.1)


def test_a_text_file_of_the_wrong_classification_is_noticed(full_size, tmp_path):
    lines = gzip.decompress((full_size / "mms_text/2022-02_mms_text_en.jsonl.gz").read_bytes()).splitlines()
    category = next(line for line in lines if b'"code": "1A00"' in line)
    (tmp_path / "x.jsonl").write_bytes(category)
    with pytest.raises(ValueError, match="another classification"):
        read_tabulation(full_size / "icf/2022-09_LinearizationMiniOutput-ICF-en.zip", tmp_path / "x.jsonl")
