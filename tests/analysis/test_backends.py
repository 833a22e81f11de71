"""Every data-frame library gives what pandas gives."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from icdframes.analysis.annotate import annotate, match_report
from icdframes.analysis.backends import count_rows, to_narwhals
from icdframes.analysis.rollup import rollup
from icdframes.errors import ConfigurationError, EntityNotFoundError
from icdframes.frames.pandas_compat import schema_dtype, text_array

CODES = [
    "1A00", "1a00", " 1A 03.0\u00a0", "1A00&XN8P1", "1A030/2C25", "2C25%26XH74S1", "2C25.Z", "1A009", "XH74S9", "BD",
    None, "", "257068234", "135352227/other", "http://id.who.int/icd/release/11/2024-01/mms/257068234", "1A00", "01",
]  # fmt: skip
ADD = ("title", "chapter", "block", "level:1_title", "ancestor:588616678", "depth")


@pytest.fixture
def data():
    frame = pd.DataFrame({"row": range(len(CODES)), "code": text_array(CODES)})
    return frame.assign(sex=pd.array([1, 2, None, 2, 1] * 3 + [1, 1], dtype="Int64"), w=2)


def plain(frame):
    """Return the values alone, in the order of rows, with one kind of missing value."""
    ordered = frame.sort_values("row").reset_index(drop=True).astype(object)
    return ordered.where(ordered.notna(), None)


def test_every_library_annotates_as_pandas_does(library, data, mms):
    native = library.make(data)
    result = annotate(native, mms, add=ADD)
    assert type(result) is type(native)
    found = library.to_pandas(result)
    expected = annotate(data, mms, add=ADD)
    assert list(found.columns) == [*data.columns, *ADD, "match"]
    assert plain(found).equals(plain(expected))
    if library.has_order:
        assert found["row"].tolist() == data["row"].tolist()


def test_every_library_drops_unknown_codes_alike(library, data, mms):
    found = library.to_pandas(annotate(library.make(data), mms, unknown="drop"))
    assert sorted(found["row"]) == [row for row in range(len(CODES)) if row not in {8, 9}]


def test_every_library_refuses_unknown_codes_alike(library, data, mms):
    with pytest.raises(EntityNotFoundError, match="2 of 17 rows have a code in 'code' that is not in these tables"):
        annotate(library.make(data), mms, unknown="raise")


def test_every_library_gives_the_same_report(library, data, mms):
    assert_frame_equal(match_report(library.make(data), mms), match_report(data, mms))


@pytest.mark.parametrize("level", ["chapter", "block", "level:3", {"1A03": "coli", "01": "rest"}])
@pytest.mark.parametrize("weight", [None, "w"])
def test_every_library_gives_the_same_counts(library, data, mms, level, weight):
    options = {"level": level, "by": ["sex"], "weight": weight, "zeros": True, "totals": True, "min_count": 2}
    assert_frame_equal(rollup(library.make(data), mms, **options), rollup(data, mms, **options))


def test_every_library_accepts_a_frame_without_rows(library, data, mms):
    result = library.to_pandas(annotate(library.make(data.iloc[:0]), mms))
    assert len(result) == 0
    assert rollup(library.make(data.iloc[:0]), mms, by="sex").empty


def test_ids_that_are_whole_numbers_are_found_in_every_library(library, mms):
    frame = pd.DataFrame({"row": [0, 1], "code": np.array([257068234, 7], dtype="int64")})
    found = library.to_pandas(annotate(library.make(frame), mms, add=["title"]))
    assert dict(zip(found["code"], found["match"], strict=True)) == {257068234: "exact", 7: "unknown"}


def test_codes_that_became_decimal_numbers_are_refused_in_every_library(library, mms):
    native = library.make(pd.DataFrame({"code": [1e10, 2.5]}))
    with pytest.raises(ConfigurationError, match="decimal numbers"):
        annotate(native, mms)


def test_columns_that_are_missing_or_taken_are_named_in_every_library(library, data, mms):
    with pytest.raises(ConfigurationError, match=r"no column 'cod'.* Did you mean 'code'"):
        annotate(library.make(data), mms, code="cod")
    with pytest.raises(ConfigurationError, match="a column 'match' already"):
        annotate(library.make(data.assign(match=1)), mms)
    with pytest.raises(ConfigurationError, match=r"no column 'sexe': name one of .*sex.* Did you mean 'sex'"):
        rollup(library.make(data), mms, by="sexe")


def test_a_plan_on_a_lazy_library_reads_no_data(data, mms):
    pl = pytest.importorskip("polars")

    def explode(_):
        raise AssertionError

    lazy = pl.LazyFrame({"code": ["1A00"]}).map_batches(explode, schema={"code": pl.String})
    plan = annotate(lazy, mms)
    with pytest.raises(AssertionError):
        plan.collect()


def test_columns_of_lists_survive_in_pyarrow(mms):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"code": ["1A00", "1A00"], "other": [["a"], []]})
    assert annotate(table, mms, add=["title"]).column("other").to_pylist() == [["a"], []]


def test_dictionary_encoded_codes_are_read_in_pyarrow(mms):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"code": pa.array(["1A00", None]).dictionary_encode()})
    result = annotate(table, mms, add=["title"])
    assert result.column("title").to_pylist() == ["Cholera", None]
    assert result.schema.field("code").type == table.schema.field("code").type


@pytest.mark.parametrize("thing", [[1, 2], "1A00", None, {"code": ["1A00"]}])
def test_what_is_no_data_frame_is_refused(thing):
    with pytest.raises(ConfigurationError, match="is no data frame that can be used"):
        to_narwhals(thing)


def test_a_weight_that_is_no_number_is_refused(data):
    with pytest.raises(ConfigurationError, match=r"'code' is no column of numbers.*: make numbers of it"):
        count_rows(data, ["sex"], "code")


def test_missing_keys_are_counted_like_others(library, data):
    counts = count_rows(library.make(data), ["sex"], "w")
    assert {(None if pd.isna(key) else key): n for key, n in zip(counts["sex"], counts["_icd_n"], strict=True)} == {
        1: 16,
        2: 12,
        None: 6,
    }


def test_keys_have_the_same_types_whatever_held_them():
    frame = pd.DataFrame({"a": pd.Categorical(["x", "x", None]), "b": [1.0, 1.0, None]})
    counts = count_rows(frame, ["a", "b"])
    assert {name: schema_dtype(column) for name, column in counts.items()} == {
        "a": "str",
        "b": "Int64",
        "_icd_n": "Int64",
    }


@pytest.mark.skipif(pd.__version__ < "3.1", reason="older pandas itself breaks where pyarrow is blocked, not absent")
def test_pandas_users_need_no_other_library(mms):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow', 'polars', 'duckdb', 'dask', 'pyspark']));"
        "import pandas as pd; from icdframes.analysis.annotate import annotate;"
        "t = pd.DataFrame({'entity_id': ['1'], 'code': ['1A00'], 'title': ['Cholera'], 'parent_id': [None]});"
        "print(annotate(pd.DataFrame({'code': ['1a00', None]}), t, add=['title'])['match'].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("['dotless', 'missing']\n", "")
