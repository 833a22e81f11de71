"""Inputs of real users that once gave wrong counts without a word: frames, columns, weights, members."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from icdframes.analysis.annotate import annotate, match_report
from icdframes.analysis.codelist import CodeList
from icdframes.analysis.compare import affected_codes
from icdframes.analysis.flag import flag
from icdframes.analysis.mapping import map_codes
from icdframes.analysis.relations import ancestors, depth_of, descendants, is_below
from icdframes.analysis.rollup import rollup
from icdframes.errors import ConfigurationError, EntityNotFoundError, IcdError, PartialResultWarning
from icdframes.frames.code_mapping import COLUMNS, CodeMapping, Edition
from icdframes.frames.files import read_frame, to_csv, to_parquet
from icdframes.model.codes import normalize_code, parse_code


@pytest.fixture
def mapping():
    """Return a mapping of A00 to one code, and of A09 to two."""
    frame = pd.DataFrame({name: pd.Series([None] * 3, dtype=dtype) for name, dtype in COLUMNS.items()
                          if name != "position"})  # fmt: skip
    frame = frame.assign(
        source_code=["A00", "A09", "A09"], source_id=["A00", "A09", "A09"], source_kind="category",
        target_code=["1A00", "1A40", "1A0Z"], target_id=["1", "2", "3"], relation="equivalent", position=[1, 1, 2],
    )  # fmt: skip
    return CodeMapping(frame, Edition("icd10", "2019"), Edition("mms", "2024-01"), None, {}, "")


# two columns of codes


def test_a_frame_is_annotated_twice_with_a_suffix(library, mms):
    frame = pd.DataFrame({"row": [0, 1], "code": ["1A00", "2C25"], "other": ["2C25.2", None]})
    once = annotate(library.make(frame), mms, add=["title"])
    twice = library.to_pandas(annotate(once, mms, code="other", add=["title"], suffix="_other")).sort_values("row")
    assert list(twice.columns) == ["row", "code", "other", "title", "match", "title_other", "match_other"]
    assert twice["title"].tolist() == ["Cholera", "Lung"]
    assert twice["match_other"].tolist() == ["exact", "missing"]


def test_several_columns_of_codes_get_a_set_of_columns_each(library, mms):
    frame = pd.DataFrame({"row": [0, 1], "c1": ["1A00", "2C25"], "c2": ["01", "9Z9Z"]})
    read = library.to_pandas(annotate(library.make(frame), mms, code=["c1", "c2"], add=["title"])).sort_values("row")
    assert list(read.columns) == ["row", "c1", "c2", "title_c1", "match_c1", "title_c2", "match_c2"]
    assert read["title_c1"].tolist() == ["Cholera", "Lung"]
    assert read["match_c2"].tolist() == ["exact", "unknown"]
    named = annotate(frame, mms, code=["c1", "c2"], add=["title"], suffix=["", "_second"])
    assert list(named.columns)[3:] == ["title", "match", "title_second", "match_second"]


def test_suffixes_that_do_not_fit_are_refused(mms):
    frame = pd.DataFrame({"c1": ["1A00"], "c2": ["01"]})
    with pytest.raises(ConfigurationError, match="suffix='_x' does not fit 2 columns of codes"):
        annotate(frame, mms, code=["c1", "c2"], suffix="_x")
    with pytest.raises(ConfigurationError, match="goes by one column of codes"):
        annotate(frame, mms, code=["c1", "c2"], unknown="drop")


# names of columns


def test_a_column_that_differs_in_capitals_alone_is_named_where_the_library_cannot_hold_both(mms):
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.connect().from_df(pd.DataFrame({"code": ["1A00"], "Title": ["x"]}))
    with pytest.raises(ConfigurationError, match=r"has a column 'Title' already.* suffix="):
        annotate(relation, mms, add=["title"])
    assert annotate(relation, mms, add=["title"], suffix="_icd").columns == ["code", "Title", "title_icd", "match_icd"]
    assert "title" in annotate(pd.DataFrame({"code": ["1A00"], "Title": ["x"]}), mms, add=["title"])


@pytest.mark.parametrize("verb", [annotate, match_report, rollup])
def test_two_columns_of_one_name_are_refused(mms, verb):
    for names in (["code", "code"], ["code", "x", "x"]):
        frame = pd.DataFrame([["1A00"] * len(names)], columns=names)
        with pytest.raises(ConfigurationError, match=f"has 2 columns '{names[-1]}'"):
            verb(frame, mms)


def test_two_columns_of_one_name_are_refused_by_map_codes_and_in_pyarrow(mms, mapping):
    with pytest.raises(ConfigurationError, match="has 2 columns 'code'"):
        map_codes(pd.DataFrame([["A00", "A00"]], columns=["code", "code"]), mapping)
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_arrays([pa.array(["1A00"]), pa.array(["x"])], names=["code", "code"])
    with pytest.raises(ConfigurationError, match="has 2 columns 'code'"):
        annotate(table, mms)


def test_a_misspelt_column_is_told_without_internal_names(library, mms):
    frame = library.make(pd.DataFrame({"code": ["1A00"], "n": [1], "sex": ["f"]}))
    for options in ({"by": "sexe"}, {"weight": "nn"}, {"code": "codes"}):
        with pytest.raises(ConfigurationError, match="Did you mean") as caught:
            rollup(frame, mms, **options)
        assert "_icd" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"weight=\['n'\] is no name of a column"):
        rollup(frame, mms, weight=["n"])


def test_columns_of_lists_and_of_decimal_numbers_are_refused(library, mms, mapping):
    frame = library.make(pd.DataFrame({"code": [["1A00", "2C25"], ["1A00"]]}))
    if library.name == "dask":  # which makes the text "['1A00']" of a list before anybody can see it
        assert library.to_pandas(annotate(frame, mms))["match"].tolist() == ["unknown", "unknown"]
        return
    lists = [CodeList(["1A00"], name="x")]
    verbs = [lambda one: annotate(one, mms), lambda one: map_codes(one, mapping), lambda one: flag(one, lists)]
    for verb in verbs:
        with pytest.raises(IcdError, match="'code' holds lists or other collections: give each code a row"):
            library.to_pandas(verb(frame))


def test_numbers_that_were_codes_are_refused_by_every_verb_of_a_column(mms):
    codes = pd.Series([1e10, np.nan], name="dx")
    for verb in (lambda: is_below(mms, codes, "01"), lambda: depth_of(mms, codes),
                 lambda: affected_codes(pd.DataFrame(columns=["change", "old_code", "new_code"]), codes)):  # fmt: skip
        with pytest.raises(ConfigurationError, match="'dx' holds decimal numbers"):
            verb()


@pytest.mark.parametrize("verb", [annotate, rollup, match_report])
def test_columns_called_by_numbers_are_told(mms, verb):
    frame = pd.DataFrame([["1A00", "x"]])
    with pytest.raises(ConfigurationError, match="code=0 is no name of a column"):
        verb(frame, mms, code=0)
    with pytest.raises(ConfigurationError, match="'0' is called by a number"):
        verb(frame, mms, code="0")


# weights


@pytest.mark.parametrize("lost", [None, np.nan])
def test_a_weight_that_is_missing_is_refused_and_counted(library, mms, lost):
    frame = pd.DataFrame({"code": ["1A00", "1A00", "2C25"], "n": pd.array([1.5, lost, 2.0], dtype="Float64")})
    with pytest.raises(IcdError, match="1 rows have no number in the weight 'n'"):
        rollup(library.make(frame), mms, weight="n")
    assert rollup(library.make(frame.dropna()), mms, weight="n")["n"].tolist() == [1.5, 2.0]


def test_nan_is_no_weight_either(mms):
    frame = pd.DataFrame({"code": ["1A00", "2C25"], "n": [1.0, np.nan]})
    with pytest.raises(IcdError, match="1 rows have no number"):
        rollup(frame, mms, weight="n")


# mapping


def test_the_index_is_kept_and_weights_add_up_to_whole_rows(mapping):
    frame = pd.DataFrame({"code": ["A09", "a00", None, "Z99"], "deaths": [10, 3, 1, 2]}, index=["p", "q", "r", "s"])
    mapped = map_codes(frame, mapping, weight=True)
    assert mapped.index.tolist() == ["p", "p", "q", "r", "s"]
    assert mapped["weight"].tolist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    assert (mapped["weight"] * mapped["deaths"]).sum() == frame["deaths"].sum()
    assert mapped["mapped_match"].tolist() == ["exact", "exact", "dotless", "missing", "unknown"]
    assert frame.join(mapped[["mapped_code"]]).loc["p", "mapped_code"].tolist() == ["1A40", "1A0Z"]
    assert "weight" not in map_codes(frame, mapping)


def test_every_library_gives_the_weights(library, mapping):
    frame = pd.DataFrame({"row": [0, 1, 2], "code": ["A09", "A00", "Z99"]})
    mapped = library.to_pandas(map_codes(library.make(frame), mapping, weight="share")).sort_values(
        ["row", "mapped_code"]
    )
    assert mapped["share"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert mapped["mapped_code"].fillna("").tolist() == ["1A0Z", "1A40", "1A00", ""]


@pytest.mark.parametrize("code", ["A00X", "A00-", "A00†", "a00+", "A00.-"])
def test_what_only_marks_or_pads_a_code_stays_equivalent(mapping, code):
    mapped = map_codes(pd.DataFrame({"code": [code]}), mapping)
    assert mapped[["relation", "mapped_match"]].to_numpy().tolist() == [["equivalent", "dotless"]]


# missing


@pytest.mark.parametrize("text", [None, np.nan, pd.NA, "", "  ", "\u00a0"])
def test_missing_is_not_unknown(mms, text):
    frame = pd.DataFrame({"code": pd.Series(["1A00", "?", text], dtype=object)})
    assert annotate(frame, mms)["match"].tolist() == ["exact", "unknown", "missing"]
    assert annotate(frame, mms, unknown="drop")["match"].tolist() == ["exact", "missing"]
    assert match_report(frame, mms).set_index("match")["n_rows"][["unknown", "missing"]].tolist() == [1, 1]
    assert rollup(frame, mms).set_index("group")["n"][["unknown", "missing"]].tolist() == [1, 1]


# members


@pytest.mark.full_size
@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "entity", "stems", "any_member"),
    [("6D80.0/8A20", "8A20", True, True), ("BA41.Z/5A11", "5A11", True, True), ("NE60&XM7S23", "XM7S23", False, True)],
)
def test_the_other_codes_of_a_cluster_count_if_asked(mms_2024, code, entity, stems, any_member):
    found = [is_below(mms_2024, code, entity, members=members).tolist() for members in ("first", "stems", "any")]
    assert found == [[False], [stems], [any_member]]


# spellings


def test_dotless_codes_of_icd11_are_read_without_a_network():
    assert parse_code("3B11Z").text == normalize_code(" 3b11z ") == "3B11.Z"


# files


@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_attributes_of_other_libraries_do_not_stop_a_file(tmp_path, write):
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"creation_time": datetime(2026, 1, 1, tzinfo=UTC), "notes": ["kept"]}
    path = tmp_path / f"x.{write.__name__.removeprefix('to_')}"
    with pytest.warns(PartialResultWarning, match="'creation_time'"):
        write(frame, path)
    assert read_frame(path).attrs == {"notes": ["kept"]}


@pytest.mark.scale_out
def test_spark_exchanges_no_rows(spark, mms):
    pa = pytest.importorskip("pyarrow")
    frame = spark.createDataFrame(pa.table({"code": ["1A00", "1a00", None]}))
    plan = annotate(frame, mms)._jdf.queryExecution().executedPlan().toString()
    assert "BroadcastHashJoin" in plan
    assert "hashpartitioning" not in plan
    assert "SortMergeJoin" not in plan


@pytest.mark.parametrize("text", ["1A00&2C25", "1A00&XH74S1&2C25.2", "1a00 & 2c25"])
def test_a_stem_that_an_ampersand_joins_by_mistake_is_a_stem(mms, text):
    frame = pd.DataFrame({"code": [text]})
    for members, wanted in (("first", False), ("stems", True), ("any", True)):
        assert is_below(mms, frame["code"], "2C25", members=members).tolist() == [wanted]
        one = CodeList(["2C25"], name="x")
        assert flag(frame, one, members=members)["x"].tolist() == [wanted]
        assert flag(frame, one, tables=mms, members=members)["x"].tolist() == [wanted]


@pytest.mark.parametrize(
    ("entity", "advice"),
    [
        ("1A00, 2C25", "holds 2 codes: give them as a list"),
        ("1A00&XH74S1", "is a cluster"),
        ("1A00-1A03", "is a range and no block"),
        (None, "no entity 'None'"),
        (1.5, r"no entity '1\.5'"),
    ],
)
def test_what_names_no_single_entity_is_told(mms, entity, advice):
    for verb in (descendants, ancestors, lambda tables, one: is_below(tables, ["1A00"], one)):
        with pytest.raises(EntityNotFoundError, match=advice):
            verb(mms, entity)
