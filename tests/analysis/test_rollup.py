"""Counts by group lose no row, add up, and hide what is small."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from icdframes.analysis.grouping import Grouping
from icdframes.analysis.rollup import rollup
from icdframes.errors import ConfigurationError
from icdframes.frames.pandas_compat import text_array


def counts(frame, tables, **options):
    result = rollup(frame, tables, **options)
    return dict(zip(result["group"], result["n"], strict=True))


@pytest.fixture
def deaths():
    codes = ["1A00", "1a00", "1A03.0", "1A03.9", "2C25.Z&XH74S1", "01", "?", None]
    return pd.DataFrame({"code": codes, "sex": list("mmfffmmf"), "n_deaths": [1, 2, 3, 4, 5, 6, 7, 8]})


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("chapter", {"01": 5, "02": 1, "unknown": 1, "missing": 1}),
        ("block", {"BlockL2-1A0": 4, "ungrouped": 2, "unknown": 1, "missing": 1}),
        ("level:0", {"01": 5, "02": 1, "unknown": 1, "missing": 1}),
        ("level:3", {"1A00": 2, "1A03": 2, "ungrouped": 2, "unknown": 1, "missing": 1}),
        ("level:9", {"ungrouped": 6, "unknown": 1, "missing": 1}),
        ({"01": "rest", "1A03": "coli"}, {"rest": 3, "coli": 2, "ungrouped": 1, "unknown": 1, "missing": 1}),
        (Grouping({"2C25": "lung"}, name="mine"), {"lung": 1, "ungrouped": 5, "unknown": 1, "missing": 1}),
    ],
)
def test_rows_are_counted_at_each_level_and_none_is_lost(mms, deaths, level, expected):
    found = counts(deaths, mms, level=level)
    assert found == expected
    assert sum(found.values()) == len(deaths)


def test_a_weight_is_added_up(mms, deaths):
    assert counts(deaths, mms, weight="n_deaths") == {"01": 16, "02": 5, "unknown": 7, "missing": 8}
    halves = rollup(deaths.assign(w=0.5), mms, weight="w")
    assert halves["n"].tolist() == [2.5, 0.5, 0.5, 0.5]
    assert str(halves["n"].dtype) == "Float64"


def test_the_result_is_typed_ordered_and_titled(mms, deaths):
    result = rollup(deaths, mms, by="sex")
    expected = pd.DataFrame(
        {
            "sex": text_array(["f", "f", "f", "m", "m"]),
            "group": text_array(["01", "02", "missing", "01", "unknown"]),
            "title": text_array(["Infections", "Neoplasms", None, "Infections", None]),
            "n": pd.array([2, 1, 1, 3, 1], dtype="Int64"),
        }
    )
    assert_frame_equal(result, expected)


def test_zeros_are_listed_for_every_group_and_combination_if_asked(mms, deaths):
    result = rollup(deaths, mms, by=["sex"], zeros=True)
    assert result.groupby("sex")["group"].apply(list).to_dict() == {
        "f": ["01", "02", "X", "missing"],
        "m": ["01", "02", "X", "unknown"],
    }
    assert result["n"].tolist() == [2, 1, 0, 1, 3, 0, 0, 1]


def test_totals_are_marked_and_add_up(mms, deaths):
    result = rollup(deaths, mms, by="sex", totals=True)
    inner, total = result[~result["is_total"]], result[result["is_total"]]
    assert total["sex"].isna().sum() == 5
    assert total.loc[total["group"].eq("total"), "n"].tolist() == [4, 4, 8]
    assert inner["n"].sum() == 8
    assert counts(deaths, mms, totals=True) == {"01": 5, "02": 1, "unknown": 1, "missing": 1, "total": 8}


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ("primary", {"2": 2, "3": 1, "total": 3}),
        ("all", {"2": 2, "3": 3, "total": 3}),
        ("fractional", {"2": 1.0, "3": 2.0, "total": 3.0}),
    ],
)
def test_each_rule_for_several_parents_is_kept(poly, parents, expected):
    frame = pd.DataFrame({"code": ["4", "5", "6"]})
    assert counts(frame, poly, level="level:1", parents=parents, totals=True) == expected


@pytest.mark.parametrize("parents", ["primary", "all", "fractional"])
def test_on_a_tree_all_rules_agree(mms, deaths, parents):
    assert counts(deaths, mms, level="block", parents=parents) == counts(deaths, mms, level="block")


def test_the_nearest_group_on_each_way_up_counts(poly):
    frame = pd.DataFrame({"code": ["5"]})
    groups = {"1": "one", "3": "three"}
    assert counts(frame, poly, level=groups, parents="all") == {"one": 1, "three": 1}
    assert counts(frame, poly, level=groups) == {"one": 1}


def test_small_counts_are_hidden_with_others_for_their_sake(mms):
    frame = pd.DataFrame({"code": ["1A00"] * 2 + ["2C25"] * 6 + ["?"] * 9})
    result = rollup(frame, mms, min_count=5, totals=True)
    assert result["is_suppressed"].tolist() == [True, True, False, False]
    assert result["n"].tolist() == [pd.NA, pd.NA, 9, 17]


def test_a_hidden_zero_is_listed_like_other_hidden_cells(mms):
    frame = pd.DataFrame({"code": ["1A00"] * 3 + ["2C25"] * 9, "sex": ["m"] * 3 + ["f"] * 9})
    result = rollup(frame, mms, by="sex", min_count=5)
    assert result["n"].isna().equals(result["is_suppressed"])
    assert result["is_suppressed"].sum() >= 2


def test_a_frame_without_rows_gives_no_combination_and_zeros_if_asked(mms, deaths):
    assert rollup(deaths.iloc[:0], mms, by="sex").empty
    assert counts(deaths.iloc[:0], mms, zeros=True) == {"01": 0, "02": 0, "X": 0}


def test_columns_of_the_data_may_be_called_as_they_like(mms, deaths):
    renamed = deaths.rename(columns={"sex": "match"}).assign(title=1, chapter=2)
    assert rollup(renamed, mms, by="match")["n"].tolist() == [2, 1, 1, 3, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "chapters"}, "Unknown level 'chapters'.* Did you mean 'chapter'"),
        ({"level": "title"}, "Unknown level 'title'.* or a grouping[.]$"),
        ({"parents": "first"}, "parents='first' is unknown: give 'primary', 'all' or 'fractional'"),
        ({"min_count": 0}, "min_count=0 cannot be: give a whole number, 1 or more, or None to hide nothing"),
        ({"by": "group"}, "rename it first"),
        ({"level": {"01": "unknown"}}, "must not be called 'unknown'"),
        ({"weight": "sex"}, "no column of numbers"),
    ],
)
def test_faulty_options_are_refused(mms, deaths, options, message):
    frame = deaths.assign(group=1) if options.get("by") else deaths
    with pytest.raises(ConfigurationError, match=message):
        rollup(frame, mms, **options)
