"""WHO's mapping tables in every form are read, and a column of codes is translated candidate by candidate."""

import gzip
import sys
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from icdframes.analysis.annotate import annotate
from icdframes.analysis.mapping import ADDED, map_codes
from icdframes.errors import ComparabilityWarning, ConfigurationError, FileFormatError, MissingExtraError
from icdframes.files.mapping import read_mapping
from icdframes.frames.build import build_tables
from icdframes.frames.code_mapping import COLUMNS
from icdframes.frames.pandas_compat import TEXT, schema_dtype
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import EntityGraph

ENTITY = "http://id.who.int/icd/entity/"
MMS = "http://id.who.int/icd/release/11/2024-01/mms/"
HEAD_ONE = (
    "10ClassKind", "10DepthInKind", "icd10Code", "icd10Chapter", "icd10Title", "11ClassKind", "11DepthInKind",
    "ICD-11 FoundationURI", "Linearization (releaseURI)", "icd11Code", "icd11Chapter", "icd11Title", "2024-Jan-21",
)  # fmt: skip
HEAD_MULTIPLE = tuple(
    {"10DepthInKind": "Depth", "11DepthInKind": "Depth", "ICD-11 FoundationURI": "ICD-11 Foundation URI",
     "Linearization (releaseURI)": "Linearization (release) URI"}.get(name, name)
    for name in HEAD_ONE
)  # fmt: skip
ROWS = (
    ("block", "1", "A00-A09", "I", "Old block", "block", "1", f"{ENTITY}9", f"{MMS}9", "", "01", "New block"),
    ("category", "1", "A00", "I", "Old ten", "category", "1", f"{ENTITY}10", f"{MMS}10", "1A00", "01", "New ten"),
    ("category", "2", "A00.0", "I", "Old sub", "category", "1", f"{ENTITY}11", f"{MMS}10", "1A00&XN8P1", "01", "Plus"),
    ("category", "1", "A01", "I", "Old two", "category", "1", f"{ENTITY}12", f"{MMS}12/other", "1A01.Y", "01", "Other"),
    ("category", "1", "A01", "I", "Old two", "category", "1", f"{ENTITY}13", f"{MMS}13", "1E10", "01", "NA"),
    ("category", "1", "A02", "I", "Old lost", "", "", "No Mapping", "", "", "", ""),
)
HEAD_BACK = (
    "Linearization (release) URI", "icd11Code", "icd11Chapter", "icd11Title", "icd10Code", "icd10Chapter",
    "icd10Title", "2022-Feb-07",
)  # fmt: skip
ROWS_BACK = (
    (f"{MMS}10".replace("2024-01", "2022-02"), "1A00", "01", "New ten", "A00", "I", "Old ten"),
    (f"{MMS}9".replace("2024-01", "2022-02"), "", "01", "New block", "No Mapping", "", ""),
)
HEAD_FOUNDATION = (*HEAD_ONE[:5], "ICD-11 FoundationURI", "icd11Title", "2024-Jan-21")
ROWS_FOUNDATION = (
    ("Category", "1", "A00", "I", "Old ten", f"{ENTITY}10", "New ten", "Equivalent", "0"),
    ("Category", "2", "A00.0", "I", "Old sub", f"{ENTITY}10", "New ten", "Subclass", "-1"),
    ("Category", "1", "A02", "I", "Old lost", "No Mapping", "", "", "-1"),
)
HEAD_FOUNDATION_BACK = ("Foundation URI", "icd11Code", "icd11Chapter", "icd11Title", "icd10Code", "icd10Title", '""')
ROWS_FOUNDATION_BACK = ((f"{ENTITY}99", '""', "01", "Only there", "A00", "Old ten", '""'),)


def _text(*rows):
    return "\r\n".join("\t".join(row) for row in rows) + "\r\n"


def _write(path, *rows):
    path.write_text(_text(*rows), encoding="utf-8-sig", newline="")
    return path


@pytest.fixture
def multiple(tmp_path):
    return read_mapping(_write(tmp_path / "10To11MapToMultipleCategories.txt", HEAD_MULTIPLE, *ROWS))


@pytest.fixture
def foundation(tmp_path):
    return read_mapping(_write(tmp_path / "foundation_10To11MapToOneCategory.txt", HEAD_FOUNDATION, *ROWS_FOUNDATION))


@pytest.fixture
def back(tmp_path):
    return read_mapping(_write(tmp_path / "11To10MapToOneCategory.txt", HEAD_BACK, *ROWS_BACK))


def test_every_row_of_the_file_is_a_candidate_with_typed_columns(multiple):
    assert list(multiple.frame) == list(COLUMNS)
    assert {name: schema_dtype(column) for name, column in multiple.frame.items()} == COLUMNS
    assert multiple.frame["position"].tolist() == [1, 1, 1, 1, 2, 1]
    assert multiple.frame["target_id"].tolist()[3:5] == ["12/other", "13"]
    assert multiple.frame["target_title"].tolist()[4] == "NA"
    assert multiple.frame["foundation_id"].tolist()[2] == "11"


def test_the_file_tells_its_editions_and_date(multiple, back, foundation):
    assert (str(multiple.source), str(multiple.target), multiple.version) == ("icd10", "mms 2024-01", "2024-01-21")
    assert (str(back.source), str(back.target), back.version) == ("mms 2022-02", "icd10", "2022-02-07")
    assert str(foundation.target) == "foundation 2024-01"


def test_relation_says_what_who_says_and_no_more(multiple, back, foundation):
    assert multiple.frame["relation"].tolist() == ["mapped"] * 5 + ["unmapped"]
    assert back.frame["relation"].tolist() == ["mapped", "unmapped"]
    assert foundation.frame["relation"].tolist() == ["equivalent", "broader", "unmapped"]
    assert foundation.frame["distance"].tolist() == [0, -1, -1]


def test_a_named_relation_column_is_read_too(tmp_path):
    head = (*HEAD_BACK[:7], "chapterMatch", "Relation", "Stated{0}|Deduced", "2020-Jan-22")
    mapping = read_mapping(_write(tmp_path / "m.txt", head, (*ROWS_BACK[0], "True", "Subclass", "-2")))
    assert mapping.frame.loc[0, ["relation", "distance"]].tolist() == ["broader", -2]
    assert mapping.version == "2020-01-22"


def test_a_foundation_table_without_a_date_is_read(tmp_path):
    mapping = read_mapping(_write(tmp_path / "f.tsv", HEAD_FOUNDATION_BACK, *ROWS_FOUNDATION_BACK))
    assert mapping.frame.loc[0, ["source_id", "target_code"]].tolist() == ["99", "A00"]
    assert pd.isna(mapping.frame.loc[0, "source_code"])
    assert (mapping.version, mapping.source.release) == (None, None)
    assert "version not stated" in repr(mapping)


@pytest.mark.parametrize("kind", ["gz", "xlsx", "zip", "zip of xlsx"])
def test_every_kind_of_file_gives_the_same_table(tmp_path, kind, multiple):
    plain = tmp_path / "10To11MapToMultipleCategories.txt"
    sheet = tmp_path / "10To11MapToMultipleCategories.xlsx"
    pd.DataFrame(ROWS, columns=range(12)).set_axis(HEAD_MULTIPLE[:12], axis=1).to_excel(sheet, index=False)
    path = {"gz": tmp_path / "a.txt.gz", "xlsx": sheet}.get(kind, tmp_path / "mapping.zip")
    if kind == "gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif kind != "xlsx":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "words")
            archive.write(sheet if kind == "zip of xlsx" else plain, "mapping/10To11MapToMultipleCategories" + (
                ".xlsx" if kind == "zip of xlsx" else ".txt"))  # fmt: skip
    pd.testing.assert_frame_equal(read_mapping(path).frame, multiple.frame)


def test_a_zip_of_several_tables_asks_which(tmp_path, multiple):
    path = tmp_path / "mapping.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("10To11MapToOneCategory.txt", _text(HEAD_ONE, *ROWS))
        archive.writestr("11To10MapToOneCategory.txt", _text(HEAD_BACK, *ROWS_BACK))
        archive.writestr("11To10MapToOneCategory.xlsx", b"never read while there is a .txt")
    with pytest.raises(ConfigurationError, match=r"2 tables\. Name one.*10To11MapToOneCategory, 11To10"):
        read_mapping(path)
    with pytest.raises(ConfigurationError, match="Did you mean '11To10MapToOneCategory'"):
        read_mapping(path, table="11To10MapToOneCategry")
    mapping = read_mapping(path, table="11To10MapToOneCategory")
    assert (len(mapping), mapping.provenance["file"]) == (2, "mapping.zip:11To10MapToOneCategory.txt")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"code\ttitle\n1A00\tx\n", r"a\.txt, line 1: .*its columns are code, title"),
        ("a.txt", b"", r"line 1: .*nothing"),
        ("a.txt", "caf\u00e9".encode("latin-1"), r"line 1: .*its columns are caf\u00e9"),
        (
            "a.txt",
            _text(HEAD_ONE, ROWS[1], ROWS[1][:6]).encode(),
            "line 3: the source or the target is missing: download",
        ),
        (
            "a.txt",
            _text(HEAD_ONE, (*ROWS[1][:2], "??", *ROWS[1][3:])).encode(),
            r"line 2: '\?\?' is no code of ICD-10: correct",
        ),
        ("a.txt", _text(HEAD_ONE, (*ROWS[1][:8], "http://x.org/1")).encode(), "line 2: 'http://x.org/1' is no URI"),
        (
            "a.txt",
            _text(HEAD_FOUNDATION, (*ROWS_FOUNDATION[0][:8], "far")).encode(),
            "line 2: 'far' is no distance.*: correct",
        ),
        ("a.txt", b'a\t"' + b"x" * 200_000, "line 1: field larger.*[.] Download"),
        ("a.txt.gz", b"not gzip", "cannot be opened.*download"),
        ("a.zip", b"not zip", "cannot be opened.*download"),
        ("a.xlsx", b"not excel", "cannot be read as a spreadsheet.*download"),
    ],
)
def test_a_foreign_file_is_refused_with_its_name_and_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_mapping(path)
    assert name.removesuffix(".gz") in str(caught.value)


def test_a_spreadsheet_that_made_a_number_of_a_code_is_refused(tmp_path):
    sheet = tmp_path / "a.xlsx"
    rows = pd.DataFrame(ROWS_BACK[:1], columns=HEAD_BACK[:7]).assign(icd11Code=1e10)
    rows.to_excel(sheet, index=False)
    with pytest.raises(FileFormatError, match=r"a\.xlsx, line 2: the code 10000000000.* is no text"):
        read_mapping(sheet)


def test_a_zip_without_tables_and_an_absent_file_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "words")
    with pytest.raises(FileFormatError, match=r"holds no mapping table.*get mapping.zip from"):
        read_mapping(tmp_path / "a.zip")
    with pytest.raises(FileFormatError, match="There is no file"):
        read_mapping(tmp_path / "absent.txt")


def test_an_excel_file_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.xlsx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'icdframes\[excel\]'"):
        read_mapping(tmp_path / "a.xlsx")


def test_text_and_html_tell_editions_candidates_and_licence(multiple):
    text, html = repr(multiple), multiple._repr_html_()
    for shown in (text, html):
        assert "icd10 → mms 2024-01, version 2024-01-21" in shown
        assert "5 (1 with several candidates)" in shown
        assert "CC BY-ND 3.0 IGO" in shown
    assert len(multiple) == 6
    assert "mapped 5, unmapped 1" in text


def test_mapped_codes_keep_every_row_and_every_candidate(multiple):
    data = pd.DataFrame({"code": ["A01", "a000", None, "A02", "Z99", "A00-A09"], "n": range(6)})
    mapped = map_codes(data, multiple)
    assert list(mapped) == ["code", "n", *ADDED]
    assert mapped["n"].tolist() == [0, 0, 1, 2, 3, 4, 5]
    assert mapped["mapped_code"].fillna("").tolist() == ["1A01.Y", "1E10", "1A00&XN8P1", "", "", "", ""]
    assert mapped["mapped_id"].fillna("").tolist() == ["12/other", "13", "10", "", "", "", "9"]
    assert mapped["relation"].tolist() == ["mapped"] * 3 + ["unmapped"] * 3 + ["mapped"]
    assert mapped["n_candidates"].tolist() == [2, 2, 1, 0, 0, 0, 1]
    assert mapped["mapped_match"].tolist()[:3] == ["exact", "exact", "dotless"]
    assert mapped["mapped_match"].tolist()[4:] == ["exact", "unknown", "exact"]
    assert mapped.attrs["mapping"]["target_release"] == "2024-01"


def test_a_code_found_by_a_wider_one_is_never_called_equivalent(foundation):
    mapped = map_codes(pd.DataFrame({"code": ["A00", "A001"]}), foundation)
    assert mapped[["relation", "mapped_match"]].to_numpy().tolist() == [
        ["equivalent", "exact"],
        ["broader", "truncated"],
    ]


def test_a_cluster_goes_by_its_stem_and_an_id_by_itself(back):
    codes = ["1A00&XN8P1", "10", "http://id.who.int/icd/release/11/mms/10", "9"]
    mapped = map_codes(pd.DataFrame({"code": codes}), back)
    assert mapped["mapped_code"].fillna("").tolist() == ["A00", "A00", "A00", ""]
    assert mapped["mapped_match"].tolist()[0] == "stem"
    assert mapped["relation"].tolist()[3] == "unmapped"


def test_the_result_can_be_annotated_and_an_annotated_frame_mapped(multiple):
    entities = pd.DataFrame({"entity_id": ["10"], "code": ["1A00"], "title": ["New ten"], "class_kind": ["category"]})
    mapped = map_codes(pd.DataFrame({"code": ["A00"]}), multiple)
    annotated = annotate(mapped, entities, code="mapped_code", add=["title"])
    assert annotated[["mapped_match", "title", "match"]].to_numpy().tolist() == [["exact", "New ten", "exact"]]
    again = map_codes(annotated[["code", "title", "match"]], multiple)
    assert again["mapped_code"].tolist() == ["1A00"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"icd": ["A00"]}, "no column 'code'"),
        ({"code": [1.0]}, "holds decimal numbers"),
        ({"code": ["A00"], "relation": [1]}, "a column 'relation' already"),
    ],
)
def test_a_frame_that_cannot_be_mapped_is_refused(multiple, data, message):
    with pytest.raises(ConfigurationError, match=message):
        map_codes(pd.DataFrame(data), multiple)


def test_an_empty_frame_gets_the_columns(multiple):
    mapped = map_codes(pd.DataFrame({"code": pd.Series([], dtype=TEXT)}), multiple)
    assert list(mapped) == ["code", *ADDED]
    assert len(mapped) == 0


def test_every_library_gives_what_pandas_gives(library, multiple):
    data = pd.DataFrame({"code": ["A01", "a000", "A02", "Z99", "A009", None], "n": range(6)})
    native = library.make(data)
    mapped = map_codes(native, multiple)
    assert isinstance(mapped, type(native))
    order = ["n", "mapped_code"]
    got = library.to_pandas(mapped).astype(object).sort_values(order).reset_index(drop=True)
    expected = map_codes(data, multiple).astype(object).sort_values(order).reset_index(drop=True)
    assert got.where(got.notna(), None).to_dict("list") == expected.where(expected.notna(), None).to_dict("list")


def _tables(classification, release):
    return build_tables(EntityGraph((), {}), Provenance("x", classification, release), chapters={})


def test_tables_of_the_mapping_s_release_are_accepted(multiple):
    assert multiple.check_release(_tables("mms", "2024-01"))
    assert multiple.check_release(_tables("icd10", "2019"))
    assert len(map_codes(pd.DataFrame({"code": ["A00"]}), multiple, tables=_tables("mms", "2024-01"))) == 1


def test_tables_of_another_release_or_classification_are_warned_of(multiple):
    with pytest.warns(ComparabilityWarning, match="made for mms 2024-01, the tables are of mms 2025-01"):
        assert not multiple.check_release(_tables("mms", "2025-01"))
    with pytest.warns(ComparabilityWarning, match="nothing to do with tables of icf"):
        assert not replace(multiple).check_release(_tables("icf", "2024-01"))


@pytest.mark.full_size
@pytest.mark.parametrize(
    ("name", "rows", "unmapped"),
    [
        ("10To11MapToOneCategory.txt", 12_597, 5),
        ("10To11MapToMultipleCategories.txt", 15_658, 1),
        ("11To10MapToOneCategory.txt", 17_908, 36),
        ("foundation_10To11MapToOneCategory.txt", 12_597, 4),
        ("foundation_11To10MapToOneCategory.tsv", 48_609, 70),
    ],
)
def test_who_s_own_tables_are_read_whole(full_size, name, rows, unmapped):
    mapping = read_mapping(full_size / "mapping" / f"2024-01_{name}.gz")
    assert len(mapping) == rows
    assert mapping.frame["relation"].eq("unmapped").sum() == unmapped
    assert mapping.frame["source_id"].notna().all()


@pytest.mark.full_size
def test_every_one_of_3613_deaths_has_a_candidate_or_a_reason(full_size):
    pytest.importorskip("openpyxl")
    deaths = pd.read_excel(full_size / "examples" / "codedit_data_example_icd10.xlsx", dtype=str, engine="openpyxl")
    mapping = read_mapping(full_size / "mapping" / "2024-01_10To11MapToMultipleCategories.txt.gz")
    mapped = map_codes(deaths, mapping, code="Code")
    assert mapped["FreeId"].nunique() == len(deaths) == 3_613
    assert mapped[["relation", "n_candidates", "mapped_match"]].notna().all(axis=None)
    assert (mapped["mapped_id"].notna() == mapped["relation"].ne("unmapped")).all()
    assert mapped.groupby("FreeId").size().eq(mapped.groupby("FreeId")["n_candidates"].max().clip(lower=1)).all()
    unmapped = mapped[mapped["relation"] == "unmapped"]
    assert unmapped["Code"].isna().all()
    assert len(unmapped) == 1
