"""Groups as intervals in tabular order: real lists, cut categories, refusals, and brute force on random ranges."""

import csv
import lzma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.analysis.annotate import annotate
from icdframes.analysis.grouping import Grouping
from icdframes.analysis.rollup import rollup
from icdframes.analysis.tabular_order import CodeIndex, OverlapError, narrowest
from icdframes.errors import CodeSyntaxError, ConfigurationError, PartialResultWarning


def groups_of(tables, groups, codes):
    column = annotate(pd.DataFrame({"code": codes}), tables, add=[groups])["group"].astype(object)
    return [None if pd.isna(group) else group for group in column]


ICD10_CASES = [
    ({"A00-B99": "infectious", "B20-B24": "HIV"}, {"B20": "HIV", "B24": "HIV", "B23.8": "HIV", "A00": "infectious"}),
    ({"C00-D48": "neoplasms", "C00-C14": "lip"}, {"C00.0": "lip", "C15.0": "neoplasms", "D48.9": "neoplasms"}),
    ({"J00-J02.8": "x"}, {"J02.9": None, "J02.8": "x", "J01.9": "x", "J03.0": None}),
    (
        {"A00-A09": "wide", "A02-A03.1": "narrow"},
        {"A03.1": "narrow", "A03.2": "wide", "A03.9": "wide", "A01.0": "wide"},
    ),
    ({"A00\u2013A09": "x"}, {"A00.1": "x", "A09.9": "x", "A15.0": None}),
    ({"I20-25": "x"}, {"I20.0": "x", "I25.9": "x", "I26.0": None}),
    ({"F0*": "x"}, {"F00.0": "x", "F09": "x", "F10.0": None}),
    ({"A01.-": "x", "I10X": "y"}, {"A01.4": "x", "I10": "y", "A02.0": None}),
    ({"A000-A099": "x"}, {"A00.0": "x", "A09.9": "x", "A15.0": None}),
    ({"A00, B20-B24; C34": "x"}, {"A00.9": "x", "B22.0": "x", "C34.1": "x", "A01.0": None}),
    ({"A00-A10": "x", "A05-A15": "x", "A06": "y"}, {"A03.0": "x", "A15.0": "x", "A06.0": "y"}),
    ({"A00-B99": "x", "B20-B24": ""}, {"A00.0": "x", "B20.0": None}),
    ({"A00-B99": "x", "B20-B24": None}, {"A00.0": "x", "B20.0": None}),
    ({"B20.0-B24": "x"}, {"B20": "x", "B20.0": "x", "B24": "x"}),
]


@pytest.mark.full_size
@pytest.mark.parametrize(("groups", "right"), ICD10_CASES)
def test_icd10_codes_get_the_narrowest_interval(icd10_2019, groups, right):
    assert groups_of(icd10_2019, groups, list(right)) == list(right.values())


@pytest.mark.full_size
def test_mms_codes_get_the_narrowest_interval(mms_2024):
    entities = mms_2024.entities
    hiv = entities[entities["title"].eq("Human immunodeficiency virus disease")].iloc[0]
    for key in (hiv["entity_id"], hiv["block_id"]):
        groups = {"1A00-1H0Z": "infectious", key: "hiv"}
        assert groups_of(mms_2024, groups, ["1C62.3", "1A00", "2A00"]) == ["hiv", "infectious", None]
    cut = {"1A00-1A03.1": "x"}
    assert groups_of(mms_2024, cut, ["1A03.1", "1A03.2", "1A03.Z", "1A00"]) == ["x", None, None, "x"]
    residual = {"1A03-1A03.Y": "x", "1A00-1A4Z": "y"}
    assert groups_of(mms_2024, residual, ["1A03.0", "1A03.Y", "1A03.Z", "1A0Z"]) == ["x", "x", "y", "y"]


@pytest.mark.parametrize(
    ("groups", "codes"),
    [
        ({"A00-A09": "x", "A09-W19": "y"}, "A09"),
        ({"A00": "x", "a00": "y"}, "A00, A00.1"),
        ({"A00": "x", "A00.1-A00.9": "y"}, "A00, A00.1"),
        ({"A00-A09": "x", "A00\u2013A09": "y"}, "A00, A00.1, A09"),
    ],
)
def test_two_groups_that_cross_or_claim_the_same_codes_are_refused_with_the_codes(icd10, groups, codes):
    with pytest.raises(ConfigurationError, match=rf"in two groups, .*: {codes}\. .*CodeList .*flag\(\)") as caught:
        groups_of(icd10, groups, ["A00"])
    assert "'x'" in str(caught.value)
    assert "'y'" in str(caught.value)


def test_an_entry_that_cannot_be_read_is_refused_and_one_of_other_tables_is_told(icd10):
    with pytest.raises(CodeSyntaxError, match=r"grouping 'group' has an entry that cannot be read: 'A0'"):
        groups_of(icd10, {"A00": "x", "A0": "y"}, ["A00"])
    with pytest.warns(PartialResultWarning, match=r"1 of 2 entries .*: B00-B09\."):
        assert groups_of(icd10, {"A00": "x", "B00-B09": "y"}, ["A00"]) == ["x"]


def test_what_no_group_took_is_counted(icd10):
    frame = pd.DataFrame({"code": ["A00", "A09", "W19", "Z99", None, "A00 W19"]})
    counts = rollup(frame, icd10, level={"A00-A01": "x"})
    assert dict(zip(counts["group"], counts["n"], strict=True)) == {
        "x": 1, "ungrouped": 2, "several": 1, "unknown": 1, "missing": 1,
    }  # fmt: skip


def test_a_group_without_a_name_is_no_group_and_counted_once(icd10):
    frame = pd.DataFrame({"code": ["A00", "A09"]})
    counts = rollup(frame, icd10, level={"A00-A09": "x", "A09": ""}, zeros=True)
    assert counts[["group", "n"]].to_numpy().tolist() == [["x", 1], ["ungrouped", 1]]


def test_sets_of_one_group_may_cross_and_are_one():
    first, second, inner = (np.isin(np.arange(8), places) for places in ([0, 1, 2, 3], [2, 3, 4, 5], [3, 4]))
    every = np.ones(8, dtype=bool)
    painted = narrowest([first, second, inner], ["a", "a", "b"], every)
    assert [("aab"[n] if n >= 0 else "-") for n in painted] == list("aaabba--")
    with pytest.raises(OverlapError) as caught:
        narrowest([first, second], ["a", "b"], every)
    assert caught.value.rows.tolist() == [2, 3]


# WHO's lists


@pytest.fixture(scope="module")
def meta(full_size):
    """Return WHO's own file of ICD-10 2019: fields of each code."""
    with lzma.open(full_size / "icd10_meta" / "icd102019syst_codes.txt.xz", "rt", encoding="utf-8-sig") as file:
        return [line.rstrip("\n").split(";") for line in file]


HEADINGS = {
    "1-001": "A00-B99", "1-026": "C00-D48", "1-048": "D50-D89", "1-051": "E00-E88", "1-055": "F01-F99",
    "1-058": "G00-G98", "1-064": "I00-I99", "1-072": "J00-J98", "1-078": "K00-K92", "1-084": "N00-N98",
    "1-087": "O00-O99", "1-095": "V01-Y89",
}  # fmt: skip


@pytest.mark.full_size
@pytest.mark.parametrize(("number", "column"), [(1, 16), (4, 13)])
def test_whos_mortality_lists_give_every_terminal_code_the_number_of_whos_own_file(
    full_size, icd10_2019, meta, number, column
):
    with (full_size / "lists" / f"mortality_list_{number}_from_icd102019syst_codes.csv").open(encoding="utf-8") as file:
        groups = {text: row["number"] for row in csv.DictReader(file) for text in row["icd10_ranges"].split()}
    terminal = [(row[6], row[column]) for row in meta if row[1] == "T"]
    right = [None if group in {"UNDEF", ""} else group for _, group in terminal]
    assert len(right) == 10_633
    codes = [code for code, _ in terminal]
    assert groups_of(icd10_2019, groups, codes) == right
    counts = rollup(pd.DataFrame({"code": codes}), icd10_2019, level=Grouping(groups)).set_index("group")["n"]
    assert counts["ungrouped"] == right.count(None)
    if number == 1:
        assert [group for _, group in terminal].count("UNDEF") == 2071  # and 35 newer codes have an empty cell
        headed = groups_of(icd10_2019, groups | {text: group for group, text in HEADINGS.items()}, codes)
        assert all(found == group for found, group in zip(headed, right, strict=True) if group)
        assert set(headed) - set(right) <= set(HEADINGS)


@pytest.mark.full_size
def test_categories_that_are_cut_into_subcategories_have_whos_number_too(full_size, icd10_2019, meta):
    with (full_size / "lists" / "mortality_list_1_from_icd102019syst_codes.csv").open(encoding="utf-8") as file:
        groups = {text: row["number"] for row in csv.DictReader(file) for text in row["icd10_ranges"].split()}
    wider = [(row[6], row[16]) for row in meta if row[1] == "N" and row[16] not in {"UNDEF", ""}]
    found = groups_of(icd10_2019, groups, [code for code, _ in wider])
    differ = {code for (code, group), one in zip(wider, found, strict=True) if one not in {group, None}}
    assert differ == set()
    assert sum(one is None for one in found) <= 8  # of subcategories with numbers of their own, or none


# brute force


def _key(code):
    return code.replace(".", "").upper()


def _by_force(ranges, codes):
    """Return each code the group of the range with the fewest codes among those that hold it."""
    sizes = {
        ends: sum(_key(ends[0]) <= _key(code) and (_key(code) <= _key(ends[1]) or _key(code).startswith(_key(ends[1])))
                  for code in codes) for ends in ranges
    }  # fmt: skip
    found = []
    for code in codes:
        inside = [ends for ends in ranges if _key(ends[0]) <= _key(code)
                  and (_key(code) <= _key(ends[1]) or _key(code).startswith(_key(ends[1])))]  # fmt: skip
        found.append(ranges[min(inside, key=sizes.get)] if inside else None)
    return found


def _nested(random, codes, n):
    """Draw ranges that are nested or apart, with ends among the codes and the categories above them."""
    ranges, spans = {}, []
    for number in range(n):
        first, last = sorted(random.sample(range(len(codes)), 2))
        if random.random() < 0.5:
            last = min(first + random.randrange(40), len(codes) - 1)
        inside = [span for span in spans if not (span[1] < first or last < span[0])]
        is_laminar = all((s[0] <= first and last <= s[1]) or (first <= s[0] and s[1] <= last) for s in inside)
        if is_laminar and (first, last) not in spans:
            spans.append((first, last))
            ranges[codes[first], codes[last]] = f"group {number}"
    return ranges


def _agrees(order, codes, random):
    ranges = _nested(random, codes, random.randrange(1, 12))
    sets = [order.between(_key(first), _key(last)) for first, last in ranges]
    groups = list(ranges.values())
    painted = narrowest(sets, groups, order.is_category)
    place = {code: row for row, code in enumerate(order.codes)}
    found = [groups[painted[place[code]]] if painted[place[code]] >= 0 else None for code in codes]
    assert found == _by_force(ranges, codes)


@pytest.fixture(scope="module")
def icf_2022(full_size):
    from icdframes.files.tabulation import read_tabulation

    return read_tabulation(full_size / "icf" / "2022-09_LinearizationMiniOutput-ICF-en.zip")


_ORDERS = {}


@pytest.mark.full_size
@pytest.mark.slow
@settings(max_examples=340, deadline=None)
@given(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", ["icd10", "mms", "icf"])
def test_brute_force_agrees_on_random_ranges(request, name, random):
    if name not in _ORDERS:
        fixture, beginning = {"icd10": ("icd10_2019", "A"), "mms": ("mms_2024", "1A"), "icf": ("icf_2022", "b")}[name]
        entities = request.getfixturevalue(fixture).entities
        part = entities[entities["code"].str.startswith(beginning, na=False)].reset_index(drop=True)
        order = CodeIndex(part)
        _ORDERS[name] = order, [order.codes[row] for row in order.rows if row in set(order.lowest.tolist())]
    _agrees(*_ORDERS[name], random)


@pytest.mark.full_size
def test_every_icf_code_with_every_form_of_qualifiers_is_read_as_its_stem(icf_2022):
    coded = icf_2022.entities.loc[icf_2022.entities["code"].notna(), ["entity_id", "code"]]
    assert len(icf_2022.entities) == 1673
    for written in (".1", ".8", ".12", "._2", ".412", "+2", ".3/.8", ".qp3"):
        read = annotate(coded.assign(code=coded["code"] + written), icf_2022, add=["entity_id"], suffix="_read")
        assert read["entity_id_read"].tolist() == coded["entity_id"].tolist()
        assert set(read["match_read"]) == {"stem"}


@pytest.mark.full_size
def test_every_icf_row_below_a_component_has_its_chapter(icf_2022):
    entities = icf_2022.entities
    chapters = set(entities["chapter"].dropna())
    assert chapters == {*"bdes", *(f"b{n}" for n in range(1, 9)), *(f"s{n}" for n in range(1, 9)),
                        *(f"d{n}" for n in range(1, 10)), *(f"e{n}" for n in range(1, 6))}  # fmt: skip
    coded = entities[entities["code"].notna()]
    assert coded["chapter"].tolist() == coded["code"].str.slice(0, 2).tolist()
    read = annotate(pd.DataFrame({"code": ["b1", "e5", "d", "b110.2"]}), icf_2022, add=["chapter", "chapter_title"])
    assert read["chapter"].tolist() == ["b1", "e5", "d", "b1"]
    assert read["chapter_title"].tolist()[::3] == ["Mental functions", "Mental functions"]


def test_the_order_of_codes_knows_where_a_range_begins(icd10):
    order = CodeIndex(icd10)
    assert [order.codes[row] for row in np.flatnonzero(order.between("A000", "A00"))] == ["A00", "A00.1"]
    assert [order.codes[row] for row in np.flatnonzero(order.between("A09", "A09"))] == ["A09"]


@pytest.mark.parametrize(
    ("system", "text"), [("mms", "1A00&XN8P1"), ("mms", "1A00/2C25"), ("icf", "b110.2"), ("icf", "b110 2")]
)
def test_entries_that_name_no_entity_are_refused_with_the_reason(system, text, mms):
    icf = pd.DataFrame({"entity_id": ["1", "2"], "code": ["b110", "b1102"], "parent_id": [None, "1"]})
    with pytest.raises(CodeSyntaxError, match=r"names no entity alone|a dot begins the qualifiers"):
        annotate(pd.DataFrame({"code": ["x"]}), {"mms": mms, "icf": icf}[system], add=[{text: "mine"}])


def test_a_range_inside_one_category_that_the_tables_do_not_split_does_not_take_all_of_it(icd10):
    with pytest.warns(PartialResultWarning, match="W19.00-W19.01"):
        read = annotate(pd.DataFrame({"code": ["W19"]}), icd10, add=[{"W19.00-W19.01": "x"}])
    assert read["group"].isna().all()
