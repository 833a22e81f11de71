import pandas as pd
import pytest

import icdframes
from icdframes import CodeList, CodeRule, flag
from icdframes.errors import CodeSyntaxError, ConfigurationError, PartialResultWarning


def codes(codelist, tables):
    return codelist.codes(tables)["code"].tolist()


@pytest.fixture(scope="module")
def sandbox_tables(load_sample):
    return {release: load_sample(release) for release in ("2022-02", "2024-01")}


def test_a_rule_is_read_in_any_writing():
    read = CodeList(["1a00", "= 1A03", "BlockL2-1A0", "257068234", "1A00 \u2013 1A03"], ["2c25.2 & xh74s1"])
    assert [(rule.code, rule.scope) for rule in (*read.include, *read.exclude)] == [
        ("1A00", "branch"),
        ("1A03", "alone"),
        ("BlockL2-1A0", "branch"),
        ("257068234", "branch"),
        ("1A00-1A03", "range"),
        ("2C25.2&XH74S1", "cluster"),
    ]
    assert [rule.scope for rule in CodeList(["F0*", "i20-25"], classification="icd10").include] == [
        "beginning",
        "range",
    ]


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: CodeList("6D80"), ConfigurationError),
        (lambda: CodeList(["6D8!"]), CodeSyntaxError),
        (lambda: CodeList([None]), CodeSyntaxError),
        (lambda: CodeList([1e10]), CodeSyntaxError),
        (lambda: CodeList(["10000000000"]), CodeSyntaxError),
        (lambda: CodeList(["6D80 and 8A20"]), CodeSyntaxError),
        (lambda: CodeList(["6D80"], ["6d80"]), ConfigurationError),
        (lambda: CodeList(["b110.2"], classification="icf"), CodeSyntaxError),
        (lambda: CodeList(["6D80"], classification="icd9"), ConfigurationError),
        (lambda: CodeList([CodeRule("6D80", "below")]), ConfigurationError),
        (lambda: CodeList(["6D80"]) | CodeList(["A00"], classification="icd10"), ConfigurationError),
    ],
)
def test_what_is_no_list_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_the_narrowest_rule_decides_also_inside_exclusions(mms):
    nested = CodeList(["01", "1A03.0"], ["BlockL2-1A0"], name="nested")
    found = nested.codes(mms)
    assert found[["code", "rule"]].to_numpy().tolist() == [["1A03.0", "1A03.0"]]
    wider = CodeList(["01"], ["1A03", "=1A00"])
    assert codes(wider, mms) == ["1A0Y"]
    assert codes(CodeList(["=1A03"], ["1A03.0"]), mms) == ["1A03"]


def test_an_expansion_equals_brute_force_on_the_whole_mms(mms_2024):
    entities = mms_2024.entities
    parent = dict(zip(entities["entity_id"], entities["parent_id"], strict=True))
    key = dict(zip(entities["code"], entities["entity_id"], strict=True))
    include, exclude = ["06", "6D80.1", "8A20"], ["6D80", "BlockL1-6A0"]
    rules = {key[code]: True for code in include} | {key["6D80"]: False}
    rules[entities.set_index("block_id").loc["BlockL1-6A0", "entity_id"]] = False
    wanted = []
    for code, entity_id, kind in zip(entities["code"], entities["entity_id"], entities["class_kind"], strict=True):
        here = entity_id
        while here is not None and here not in rules:
            here = parent.get(here)
            here = None if pd.isna(here) else here
        if kind == "category" and rules.get(here):
            wanted.append(code)
    assert codes(CodeList(include, exclude), mms_2024) == wanted
    assert len(wanted) > 500


def test_ranges_that_cross_are_refused(mms):
    with pytest.raises(ConfigurationError, match=r"takes 2 codes in and leaves them out, by .*: 1A03, 1A03"):
        CodeList(["1A00-1A03"], ["1A03-1A0Y"]).codes(mms)


def test_a_rule_that_names_nothing_is_told(mms):
    with pytest.warns(PartialResultWarning, match="9A00"):
        assert codes(CodeList(["9A00", "1A00"]), mms) == ["1A00"]
    with pytest.warns(PartialResultWarning, match="9A00&XH74S1"):
        CodeList(["9A00&XH74S1", "1A00"]).codes(mms)


def test_lists_are_put_together_as_sets(mms):
    first, second = CodeList(["01"], ["1A03"], name="a", authors="A"), CodeList(["1A00-1A03"], name="b", authors="B")
    a, b = set(codes(first, mms)), set(codes(second, mms))
    assert set(codes(first | second, mms)) == a | b
    assert set(codes(first - second, mms)) == a - b
    assert set(codes(first & second, mms)) == a & b
    assert set(codes((first | second) - (first & second), mms)) == a ^ b
    both = first | second
    assert both.name == "a or b"
    assert both.authors == ("A", "B")
    with pytest.raises(ConfigurationError, match="resolved"):
        both.rules()
    assert codes(both.resolved(mms), mms) == codes(both, mms)


def test_what_becomes_of_each_rule_is_told(mms):
    told = CodeList(["01", "1A00", "2C25&XH74S1"], ["1A03", "2C25", "XH74"]).check(mms)
    assert told["status"].tolist() == ["ok", "ok", "whole_clusters", "ok", "no_effect", "whole_clusters"]
    assert told["n_codes"].tolist() == [4, 1, 0, 2, 2, 1]
    assert told["n_decided"].tolist()[:2] == [1, 1]
    assert CodeList(["9A00"]).check(mms)["status"].tolist() == ["not_found"]


def test_a_poly_hierarchy_is_followed_by_every_parent(poly):
    tables = type(
        "T", (), {"entities": poly.entities.assign(code=["a1", "a2", "a4", "a5", "a3", "a6"]), "edges": poly.edges}
    )
    found = CodeList([CodeRule("3")]).expansion(tables).mask
    assert tables.entities["entity_id"][found].tolist() == ["4", "5", "3", "6"]


@pytest.mark.slow
def test_the_next_release_is_told_and_the_list_moved(sandbox_tables):
    old, new = sandbox_tables["2022-02"], sandbox_tables["2024-01"]
    whole = CodeList(list(old.entities["code"][old.entities["class_kind"] == "chapter"]), name="all")
    moved = whole.moved(old, new)
    compared = icdframes.compare_releases(old, new)
    was, now = (set(t.entities.query("class_kind == 'category'")["entity_id"]) for t in (old, new))
    category = (was | now) - (
        (was ^ now) & set(old.entities["entity_id"]) & set(new.entities["entity_id"])
    )  # no block that became one
    for ours, theirs in (("added", "added"), ("removed", "removed"), ("recoded", "recoded"), ("retitled", "retitled")):
        wanted = set(compared.loc[compared["change"] == theirs, "entity_id"]) & category
        assert set(moved.changes.loc[moved.changes["change"] == ours, "entity_id"]) == wanted, ours
    assert moved.codelist.release == "2024-01"
    assert len(moved.changes) > 3


def test_a_rule_follows_its_entity_to_its_new_code(mms):
    renamed = mms.entities.copy()
    renamed["code"] = renamed["code"].replace({"1A03": "1B03", "1A03.0": "1B03.0"})
    new = type("T", (), {"entities": renamed[renamed["entity_id"] != "1000704511"], "edges": mms.edges})
    old = CodeList(["1A03", "=1A00", "2C25", "1A03&XH74S1", "2C25&XH74"], ["1A03.0"], name="x")
    moved = old.moved(mms, new)
    assert [rule.code for rule in moved.codelist.include] == ["1B03", "1A00", "2C25.2", "1B03&XH74S1"]
    assert [rule.scope for rule in moved.codelist.include] == ["branch", "alone", "alone", "cluster"]
    assert [rule.code for rule in moved.codelist.exclude] == ["1B03.0"]
    told = moved.changes[["change", "old_code", "new_code"]].astype(object)
    assert told.where(told.notna(), None).to_numpy().tolist() == [
        ["recoded", "1A03", "1B03"],
        ["removed", "2C25", None],
        ["rule_lost", "2C25", None],
        ["rule_lost", "2C25&XH74", None],
    ]


@pytest.mark.slow
def test_a_whole_real_release_moves(mms_2022, mms_2024):
    moved = CodeList(["06", "08"], ["6D80"], name="minds").moved(mms_2022, mms_2024)
    old, new = (set(CodeList(["06", "08"], ["6D80"]).codes(t)["entity_id"]) for t in (mms_2022, mms_2024))
    told = moved.changes.groupby("change")["entity_id"].agg(set).to_dict()
    assert told.get("added", set()) | told.get("entered", set()) == new - old
    assert told.get("removed", set()) | told.get("left", set()) == old - new


def test_a_list_cites_its_source():
    line = CodeList(["A00"], name="Cholera", authors=["A", "B"], classification="icd10").cite()
    assert line.startswith("A, B. Cholera: code list for icd10, 1 rule. International Statistical")


@pytest.mark.full_size
@pytest.mark.parametrize("rule", ["A00.0-A01", "A00.0-A00.9", "A00.0-A00.1", "A09-A15.0", "B65.0-Q10.6", "A17.0-A17.9"])
def test_ranges_take_the_same_codes_with_tables_and_without(icd10_2019, rule):
    entities = icd10_2019.entities
    frame = entities.loc[entities["class_kind"].eq("category"), ["code"]]
    one = CodeList([rule], name="x", classification="icd10")
    by_tables = flag(frame, one, tables=icd10_2019)["x"]
    assert flag(frame, one)["x"].equals(by_tables)
    assert by_tables.any()
