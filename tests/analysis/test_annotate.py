"""Every way in which people write a code is read, and each column that is asked for stands beside it."""

import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

from icdframes.analysis.annotate import annotate, match_report
from icdframes.analysis.grouping import Grouping
from icdframes.analysis.matching import Lookup
from icdframes.errors import ConfigurationError, EntityNotFoundError
from icdframes.frames.pandas_compat import TEXT
from icdframes.model.codes import normalize_code


def one(tables, code, *add):
    return annotate(pd.DataFrame({"code": [code]}), tables, add=add).iloc[0]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [TEXT, "string[pyarrow]", "string[python]", "category", object])
@pytest.mark.parametrize("piece", [2, 1_000_000])
def test_codes_are_read_alike_however_pandas_holds_them_and_in_pieces(mms, monkeypatch, dtype, piece):
    monkeypatch.setattr("icdframes.analysis.join._PIECE", piece)
    chunks = [pd.Series(["1A00", None, "?"]), pd.Series(["1a03.0", "1A00"]), pd.Series([None, "1A03.0"])]
    frame = pd.DataFrame({"code": pd.concat(chunks, ignore_index=True).astype(dtype)})
    read = annotate(frame, mms, add=["entity_id", "class_kind"])
    whole = annotate(frame.astype({"code": object}).iloc[::-1], mms, add=["entity_id", "class_kind"]).iloc[::-1]
    assert list(read["match"]) == ["exact", "missing", "unknown", "dotless", "exact", "missing", "exact"]
    assert_frame_equal(read.drop(columns="code"), whole.drop(columns="code"))
    known = annotate(frame, mms, add=["entity_id"], unknown="drop")
    assert list(known.index) == [0, 1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("code", "entity", "kind"),
    [
        ("1A03.0", "139964199", "exact"),
        ("1435254666", "1435254666", "exact"),
        ("135352227/other", "135352227/other", "exact"),
        ("http://id.who.int/icd/entity/257068234", "257068234", "exact"),
        ("https://id.who.int/icd/release/11/mms/135352227/other", "135352227/other", "exact"),
        ("1A030", "139964199", "dotless"),
        (" 1a03 .0\t", "139964199", "dotless"),
        ("1A03.0&XH74S1", "139964199", "stem"),
        ("1a00 & xh74s1 / 2c25", "257068234", "stem"),
        ("1A00%26XH74S1", "257068234", "stem"),
        ("1A00%2f2C25", "257068234", "stem"),
        ("XH74S1", "1968939622", "exact"),
        ("2C25.Z", "1000704511", "residual"),
        ("2C252Y", "316539081", "residual"),
        ("2C25.Z&XH74S1", "1000704511", "residual"),
        ("1A0Y", "135352227/other", "exact"),
        ("1A0Z", None, "unknown"),
        ("1A00.1", "257068234", "truncated"),
        ("1A03.0-", "139964199", "dotless"),
        ("1A03.99&XH74S1", "344162786", "truncated"),
        ("XH74S9", None, "unknown"),
        ("XH74S1Z", None, "unknown"),
        ("1A00cholera", None, "unknown"),
        ("2570682345", None, "unknown"),
        ("cholera", None, "unknown"),
        ("&1A00", None, "unknown"),
        ("/other", None, "unknown"),
        ("", None, "missing"),
        (" \u00a0", None, "missing"),
        (None, None, "missing"),
    ],
)
def test_each_spelling_of_icd_11_is_read(mms, code, entity, kind):
    row = one(mms, code, "entity_id")
    assert (row["match"], None if pd.isna(row["entity_id"]) else row["entity_id"]) == (kind, entity)


@pytest.mark.parametrize(
    ("code", "entity", "kind"),
    [
        ("A00.1", "A00.1", "exact"),
        ("A001", "A00.1", "dotless"),
        ("A00-A09", "A00-A09", "exact"),
        ("XX", "XX", "exact"),
        ("W190", "W19", "truncated"),
        ("A00.1†", "A00.1", "dotless"),
        ("A00.-", "A00", "dotless"),
        ("A00.Z", "A00", "truncated"),
        ("A0", None, "unknown"),
        ("A01", None, "unknown"),
        ("A00-B99", None, "unknown"),
        ("http://id.who.int/icd/release/10/2019/A00.1", "A00.1", "exact"),
    ],
)
def test_each_spelling_of_icd_10_is_read(icd10, code, entity, kind):
    row = one(icd10, code, "entity_id")
    assert (row["match"], None if pd.isna(row["entity_id"]) else row["entity_id"]) == (kind, entity)


@pytest.mark.parametrize(
    ("term", "values"),
    [
        ("chapter", ["01", "01", "02", None]),
        ("chapter_title", ["Infections", "Infections", "Neoplasms", None]),
        ("block", ["BlockL2-1A0", "BlockL1-1A0", None, None]),
        ("block_title", ["Bacterial intestinal infections", "Gastroenteritis", None, None]),
        ("level:0", ["01", "01", "02", None]),
        ("level:1", ["BlockL1-1A0", "BlockL1-1A0", "2C25", None]),
        ("level:3_title", ["Escherichia coli", None, None, None]),
        ("depth", [4, 1, 1, None]),
        ("ancestor:588616678", [True, True, False, None]),
        (Grouping({"01": "a", "1A03": "b"}, name="mine"), ["b", "a", None, None]),
        ({"01": "a", "1A03.0": "b"}, ["b", "a", None, None]),
    ],
)
def test_each_column_can_be_added(mms, term, values):
    frame = pd.DataFrame({"code": ["1A03.0", "588616678", "2C25", "?"]})
    column = annotate(frame, mms, add=[term]).iloc[:, 1]
    assert column.astype(object).where(column.notna(), None).tolist() == values
    assert column.name == (term if isinstance(term, str) else getattr(term, "name", "group"))


def test_index_order_columns_and_attributes_are_kept_and_the_input_is_untouched(mms):
    frame = pd.DataFrame({"code": pd.Categorical(["1a00", "x", None]), "a b": [[1], 2, None]}, index=[5, 5, -1])
    frame.attrs["source"] = "a register"
    before = frame.copy(deep=True)
    result = annotate(frame, mms)
    assert_frame_equal(frame, before)
    assert_frame_equal(result[["code", "a b"]], before)
    assert result.attrs == {"source": "a register"}
    assert list(result.columns) == ["code", "a b", "title", "chapter", "block", "match"]


def test_mixed_columns_from_spreadsheets_are_read(mms):
    frame = pd.DataFrame({"code": ["1A00", 12345, None, 257068234]}, dtype=object)
    assert annotate(frame, mms)["match"].tolist() == ["exact", "unknown", "missing", "exact"]


def test_columns_that_do_not_exist_are_refused_with_the_nearest(mms):
    frame = pd.DataFrame({"code": ["1A00"]})
    with pytest.raises(ConfigurationError, match=r"add='titel' is unknown.*'level:N'.* title, .* Did you mean 'title'"):
        annotate(frame, mms, add=["titel"])
    for near, meant in [("chapter_titel", "chapter_title"), ("level_1", "level:1"), ("ancestor", "ancestor:ENTITY")]:
        with pytest.raises(ConfigurationError, match=f"add='{near}' is unknown.* Did you mean '{meant}'"):
            annotate(frame, mms, add=[near])
    with pytest.raises(ConfigurationError, match="twice: give each Grouping its own name"):
        annotate(frame, mms, add=[{"01": "a"}, {"02": "b"}])
    with pytest.raises(ConfigurationError, match="add='title' is given twice: leave one out"):
        annotate(frame, mms, add=["title", "title"])
    with pytest.raises(ConfigurationError, match="give 'flag', 'raise' or 'drop'"):
        annotate(frame, mms, unknown="ignore")
    with pytest.raises(EntityNotFoundError, match="'99'"):
        annotate(frame, mms, add=["ancestor:99"])


def test_unknown_codes_are_told_apart_from_missing_ones_in_the_error(mms):
    with pytest.raises(EntityNotFoundError, match=r"1 of 3 rows.* such as 9Z9Z"):
        annotate(pd.DataFrame({"code": ["1A00", "9Z9Z", None]}), mms, unknown="raise")
    with pytest.raises(EntityNotFoundError, match=r"1 of 2 rows have several codes in 'code', such as 1A00 2C25"):
        annotate(pd.DataFrame({"code": ["1A00", "1A00 2C25"]}), mms, unknown="raise")
    assert len(annotate(pd.DataFrame({"code": ["1A00", None, ""]}), mms, unknown="raise")) == 3


def test_the_report_counts_rows_and_spellings(mms):
    report = match_report(pd.DataFrame({"c": ["1A00", "1A00", "1a00", "1a00 ", None, "?"]}), mms, code="c")
    assert report.set_index("match")[["n_rows", "n_codes"]].T.to_dict("list") == {
        "exact": [2, 1],
        "dotless": [2, 2],
        "stem": [0, 0],
        "residual": [0, 0],
        "truncated": [0, 0],
        "several": [0, 0],
        "unknown": [1, 1],
        "missing": [1, 0],
    }


def test_the_category_goes_before_a_block_of_the_same_code(icd10):
    block = icd10.entities.iloc[[1]].assign(entity_id="A09-A09", code="A09")
    both = pd.concat([block, icd10.entities], ignore_index=True)
    assert one(both, "A09", "class_kind")["class_kind"] == "category"


def test_a_title_that_depends_on_no_chapter_is_read_of_a_loaded_branch(mms):
    branch = mms.entities.iloc[2:7].reset_index(drop=True)
    row = one(branch, "1A03.0", "chapter", "chapter_title", "level:0")
    assert (row["chapter"], row["level:0"], pd.isna(row["chapter_title"])) == ("01", "BlockL2-1A0", True)


def test_a_poly_hierarchy_is_annotated_by_primary_parents_and_then_by_others(poly):
    frame = pd.DataFrame({"code": ["5", "6"]})
    assert annotate(frame, poly, add=["level:1"])["level:1"].tolist() == ["2", "3"]
    assert annotate(frame, poly, add=[{"2": "two", "3": "three"}])["group"].tolist() == ["two", "three"]
    assert annotate(frame, poly, add=[{"3": "three"}])["group"].tolist() == ["three", "three"]
    assert annotate(frame, poly, add=["ancestor:3"])["ancestor:3"].tolist() == [True, True]


def _set_by_place(entities, row, column):
    entities.iloc[row, column] = "9Z99"


def _set_by_name(entities, row, _):
    entities.loc[entities.index[row], "code"] = "9Z99"


def _set_anew(entities, row, _):
    entities["code"] = [*entities["code"][:row], "9Z99", *entities["code"][row + 1 :]]


@pytest.mark.parametrize("change", [_set_by_place, _set_by_name, _set_anew])
def test_entities_that_were_changed_are_read_again(mms, change):
    entities = mms.copy() if isinstance(mms, pd.DataFrame) else mms.entities.copy()
    frame = pd.DataFrame({"code": ["1A00", "9Z99"]})
    assert annotate(frame, entities)["match"].tolist() == ["exact", "unknown"]
    change(entities, int(entities["code"].eq("1A00").to_numpy().argmax()), entities.columns.get_loc("code"))
    assert annotate(frame, entities)["match"].tolist() == ["unknown", "exact"]


@pytest.mark.parametrize("dtype", [TEXT, "string[pyarrow]", "string[python]", object])
def test_spellings_that_were_kept_are_those_of_the_tables(mms, icd10, dtype):
    for tables in (mms, icd10, mms, icd10, mms):
        entities = (tables if isinstance(tables, pd.DataFrame) else tables.entities).astype({"code": dtype})
        kept, read = Lookup.of(entities), Lookup.read(entities)
        assert_frame_equal(kept.spellings, read.spellings)
        assert (list(kept.prefixes), kept.is_icf) == (list(read.prefixes), read.is_icf)


@pytest.mark.slow
@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=20), st.randoms())
@settings(max_examples=20, deadline=None)
def test_any_text_gives_a_row_and_one_kind_whatever_stands_beside_it(mms, texts, chance):
    codes = [*texts, "1A00", "2C25.Z"]
    order = random.Random(chance.random()).sample(range(len(codes)), len(codes))
    whole = annotate(pd.DataFrame({"code": pd.array(codes, dtype=object)}), mms)
    mixed = annotate(pd.DataFrame({"code": pd.array([codes[place] for place in order], dtype=object)}), mms)
    assert len(whole) == len(codes)
    assert whole["match"].isin(["unknown", "several", "missing"]).equals(whole["title"].isna())
    assert_series_equal(mixed["match"], whole["match"].iloc[order].reset_index(drop=True))


@pytest.mark.full_size
def test_of_244_deaths_in_icd_11_225_resolve_and_each_other_has_a_reason(full_size, mms_2024):
    file = full_size / "examples" / "codedit_data_example_icd11.xlsx"
    deaths = pd.read_excel(file, sheet_name="Sheet1", dtype={"Code": str}, engine="openpyxl")
    report = match_report(deaths, mms_2024, code="Code").set_index("match")
    assert report["n_rows"].to_dict() == {
        "exact": 153,
        "dotless": 72,
        "stem": 2,
        "residual": 0,
        "truncated": 10,
        "several": 0,
        "unknown": 7,
        "missing": 0,
    }
    assert report.loc[["exact", "dotless"], "n_rows"].sum() == 225


@pytest.mark.full_size
def test_of_3613_deaths_in_icd_10_3423_resolve_without_a_list_made_by_hand(full_size, icd10_2019):
    file = full_size / "examples" / "codedit_data_example_icd10.xlsx"
    deaths = pd.read_excel(file, sheet_name="Sheet2", dtype={"Code": str}, engine="openpyxl")
    report = match_report(deaths, icd10_2019, code="Code").set_index("match")
    assert report.loc[["exact", "dotless"], "n_rows"].sum() == 3423
    assert report.loc["truncated", "n_rows"] == 189  # a fifth sign: the place of an accident
    assert report.loc["missing", ["n_rows", "n_codes"]].tolist() == [1, 0]


@pytest.mark.full_size
def test_clusters_of_deaths_are_read_by_their_stem(full_size, mms_2024):
    deaths = pd.read_csv(full_size / "examples" / "codedit_example_raw_cod.csv", dtype=str)
    result = annotate(deaths, mms_2024, code="icd_11_underlying_cause")
    assert set(result["match"]) == {"exact", "stem"}


@pytest.mark.full_size
@pytest.mark.parametrize("tables", ["mms_2024", "icd10_2019"])
def test_every_code_finds_itself_written_in_any_way_and_keys_agree_with_parse_code(tables, request):
    entities = getattr(found := request.getfixturevalue(tables), "entities", found)
    coded = entities[entities["code"].notna()]
    for change, kinds in (
        (lambda code: code, {"exact"}),
        (lambda code: " " + code.replace(".", "").lower(), {"dotless"}),
        (lambda code: code + "&XH74S1", {"stem"}),
    ):
        result = annotate(pd.DataFrame({"code": coded["code"].map(change)}), entities, add=["entity_id"])
        assert result["entity_id"].equals(coded["entity_id"])
        assert set(result["match"]) == kinds
    categories = coded.loc[coded["class_kind"].eq("category"), "code"]
    keys = {normalize_code(code) for code in categories}
    assert len(keys) == len(categories)


@pytest.mark.full_size
def test_a_branch_of_a_category_without_its_residuals_reads_them_as_the_category(mms_2024):
    entities = mms_2024.entities
    residuals = entities[entities["is_residual"] & entities["code"].str.len().gt(4)]
    rest = entities[~entities["is_residual"]].reset_index(drop=True)
    result = annotate(residuals[["code", "parent_id"]], rest, add=["entity_id"])
    assert set(result["match"]) == {"residual"}
    assert result["entity_id"].equals(result["parent_id"])
