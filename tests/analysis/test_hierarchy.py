"""Above, below, beside and between entities, in trees, poly-hierarchies and circles."""

import gzip
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.relations import (
    ancestors,
    depth_of,
    descendants,
    is_below,
    nearest_common_ancestor,
    path_to_root,
    siblings,
    subtree_sizes,
)
from icdframes.analysis.tabular_order import CodeIndex
from icdframes.errors import ConfigurationError, EntityNotFoundError


def ids(frame):
    return frame["entity_id"].tolist()


@pytest.mark.parametrize("name", ["1A03.0", "1a030", "139964199", 139964199, "http://id.who.int/icd/entity/139964199"])
def test_an_entity_is_named_by_code_id_or_uri(mms, name):
    assert ids(ancestors(mms, name)) == ["1435254666", "588616678", "135352227", "344162786"]


def test_a_residual_is_named_by_its_id(mms):
    assert path_to_root(mms, "135352227/other")["title"].tolist()[-2:] == [
        "Bacterial intestinal infections",
        "Other bacterial",
    ]


@pytest.mark.parametrize(("entity", "near"), [("1A03.00", "1A03.0"), ("1A03.0&XH74S1", None), ("999", None)])
def test_an_entity_that_is_not_there_is_refused(mms, entity, near):
    with pytest.raises(EntityNotFoundError, match=f"Did you mean '{near}'" if near else "hold no entity"):
        ancestors(mms, entity)


def test_descendants_stand_in_tabular_order_without_the_entity(mms):
    assert descendants(mms, "588616678")["code"].dropna().tolist() == ["1A00", "1A03", "1A03.0", "1A0Y"]
    assert descendants(mms, "1A00").empty


def test_rows_keep_their_columns_types_and_provenance(mms):
    below = descendants(mms, "1A03")
    assert below.dtypes.equals(mms.entities.dtypes)
    assert below.index.equals(pd.RangeIndex(1))
    assert below.attrs == mms.entities.attrs


def test_a_poly_hierarchy_is_followed_by_every_parent(poly):
    assert ids(ancestors(poly, "5")) == ["1", "2", "4", "3"]
    assert ids(descendants(poly, "3")) == ["4", "5", "6"]
    assert ids(path_to_root(poly, "5")) == ["1", "2", "4", "5"]
    assert ids(siblings(poly, "4")) == ["6"]


def test_entities_alone_know_the_primary_parents_only(poly):
    assert ids(ancestors(poly.entities, "5")) == ["1", "2", "4"]


def test_siblings_of_a_chapter_are_the_chapters(mms):
    assert siblings(mms, "01")["code"].tolist() == ["02", "X"]


def test_a_branch_counts_each_entity_once(poly):
    assert subtree_sizes(poly).to_dict() == {"1": 6, "2": 3, "4": 2, "5": 1, "3": 4, "6": 1}


def test_depth_is_the_shortest_way(poly, mms):
    assert depth_of(poly, "5").item() == depth_of(poly, 5).item() == 3
    column = depth_of(mms, pd.Series(["1A00", "1a03.0 ", "?", None], index=[4, 3, 2, 1]))
    assert column.astype(object).tolist() == [3, 4, pd.NA, pd.NA]
    assert column.index.tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("code", "ancestor", "strict", "expected"),
    [
        ("1A03.0", "01", False, True),
        ("1A03.0", "02", False, False),
        ("1A03", "1A03", False, True),
        ("1A03", "1A03", True, False),
        ("1A03", "1A03.0", False, False),
    ],
)
def test_is_below_takes_a_column_and_one_code_as_a_column_of_one(mms, code, ancestor, strict, expected):
    assert is_below(mms, code, ancestor, strict=strict).tolist() == [expected]
    column = is_below(mms, pd.Series([code, None, "?"]), ancestor, strict=strict)
    assert column.tolist() == [expected, pd.NA, pd.NA]


def test_is_below_follows_every_parent(poly):
    assert is_below(poly, "5", "3").tolist() == [True]


@pytest.mark.parametrize(
    ("first", "second", "nearest"),
    [
        ("1A00", "1A03.0", "135352227"),
        ("1A03", "1A03.0", "344162786"),
        ("1A00", "1A00", "257068234"),
        ("1A00", "2C25", None),
    ],
)
def test_the_nearest_common_ancestor_is_given_pair_by_pair(mms, first, second, nearest):
    column = nearest_common_ancestor(mms, pd.Series([first, "?"]), pd.Series([second, first]))
    assert column.astype(object).where(column.notna(), None).tolist() == [nearest, None]


def test_on_a_poly_hierarchy_the_nearest_common_ancestor_has_the_fewest_links(poly):
    assert nearest_common_ancestor(poly, "5", "6").item() == "3"


def test_columns_of_different_length_are_refused(mms):
    with pytest.raises(ConfigurationError, match="have 1 and 2 codes"):
        nearest_common_ancestor(mms, "1A00", pd.Series(["1A03", "1A00"]))


def test_several_entities_give_each_row_once(mms):
    both = descendants(mms, ["1A03", "588616678", "02"])
    assert both["code"].dropna().tolist() == ["1A00", "1A03", "1A03.0", "1A0Y", "2C25", "2C25.2"]
    assert ids(ancestors(mms, ["1A00", "2C25.2"])) == [
        "1435254666",
        "588616678",
        "135352227",
        "1630407678",
        "1000704511",
    ]


@pytest.mark.parametrize("name", ["BlockL1-1A0", "blockl1-1a0"])
def test_a_block_is_named_by_its_id(mms, name):
    assert descendants(mms, name)["entity_id"].tolist() == descendants(mms, "588616678")["entity_id"].tolist()
    assert is_below(mms, ["1A00", "2C25"], name).tolist() == [True, False]
    assert ids(path_to_root(mms, name)) == ["1435254666", "588616678"]


@pytest.mark.parametrize(
    ("code", "members", "expected"),
    [
        ("1A00/2C25.2", "first", False),
        ("1A00/2C25.2", "stems", True),
        ("1A00/2C25.2", "any", True),
        ("9Z9Z/2C25", "first", pd.NA),
        ("9Z9Z/2C25", "stems", True),
        ("1A00&XH74S1", "stems", False),
        ("1A00&XH74S1/9Z9Z", "any", False),
        ("1A00 2C25", "any", pd.NA),
        (None, "any", pd.NA),
    ],
)
def test_the_members_of_a_cluster_count_as_asked(mms, code, members, expected):
    assert is_below(mms, [code], "02", members=members).tolist() == [expected]


def test_an_extension_code_counts_among_any_members(mms):
    assert is_below(mms, ["1A00&XH74S1"], "XH74S1", members="any").tolist() == [True]
    assert is_below(mms, ["1A00&XH74S1"], "XH74S1", members="stems").tolist() == [False]


def test_frames_of_something_else_are_refused():
    with pytest.raises(ConfigurationError, match="no columns 'entity_id' and 'code'"):
        ancestors(pd.DataFrame({"a": [1]}), "1A00")


def test_links_that_were_kept_are_those_of_the_tables(mms, icd10):
    for tables in (mms, icd10, mms, icd10):
        assert Hierarchy.of(tables) == Hierarchy.read(tables.entities, tables.edges)
        assert Hierarchy.of(tables.entities) == Hierarchy.read(tables.entities)


def test_a_link_that_is_changed_in_place_is_seen(mms):
    tables = SimpleNamespace(entities=mms.entities.copy(), edges=mms.edges.copy())
    before, row = Hierarchy.of(tables), len(tables.entities) - 1
    top = tables.entities["entity_id"].iloc[0]
    tables.entities.loc[row, "parent_id"] = top
    tables.edges.loc[tables.edges["child_id"] == tables.entities["entity_id"].iloc[row], "parent_id"] = top
    assert before.parents[row] != (0,)
    assert Hierarchy.of(tables).parents[row] == (0,)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_any_links_give_an_order_with_parents_first_and_no_circle(links):
    names = [str(number) for number in range(10)]
    entities = pd.DataFrame({"entity_id": names, "code": None, "parent_id": None})
    edges = pd.DataFrame([map(str, link) for link in links], columns=["parent_id", "child_id"])
    tree = Hierarchy.of(SimpleNamespace(entities=entities, edges=edges))
    assert sorted(tree.order) == list(range(10))
    place = {row: number for number, row in enumerate(tree.order)}
    assert all(place[parent] < place[row] for row in range(10) for parent in tree.parents[row])
    kept = {(parent, row) for row in range(10) for parent in tree.parents[row]}
    if all(first < second for first, second in links):  # no circle: nothing is left out
        assert kept == set(links)


def brute_branch(tree, row):
    found, new = {row}, {row}
    while new := {child for one in new for child in tree.children[one]} - found:
        found |= new
    return found


@settings(deadline=None)
@given(
    random=st.randoms(use_true_random=False), kind=st.sampled_from(["ordered", "shuffled", "many parents", "circles"])
)
def test_branches_are_those_of_the_links_in_whatever_order_the_rows_come(random, kind):
    n_rows = random.randint(1, 12)
    parents = [-1, *(random.choice([-1, *range(row)]) for row in range(1, n_rows))]
    children = {row: [below for below in range(n_rows) if parents[below] == row] for row in range(-1, n_rows)}
    order, stack = [], children[-1][::-1]
    while stack:
        order.append(stack.pop())
        stack += children[order[-1]][::-1]
    if kind != "ordered":
        random.shuffle(order)
    entities = pd.DataFrame(
        {
            "entity_id": [f"i{row}" for row in order],
            "code": [f"A{row:02}" if random.random() < 0.8 else None for row in order],
            "parent_id": [f"i{parents[row]}" if parents[row] >= 0 else None for row in order],
            "class_kind": [random.choice(["category", "category", "block"]) for _ in order],
        }
    )
    pairs = [(f"i{above}", f"i{row}") for row, above in enumerate(parents) if above >= 0]
    if kind in {"many parents", "circles"}:
        more = [(random.randrange(n_rows), random.randrange(n_rows)) for _ in range(4)]
        pairs += [(f"i{a}", f"i{b}") for a, b in more if a < b or kind == "circles"]
    edges = pd.DataFrame(pairs, columns=["parent_id", "child_id"])
    index = CodeIndex(SimpleNamespace(entities=entities, edges=edges))
    tree, counts = Hierarchy.of(index.tables), index.is_category
    lowest = {row for row in range(n_rows) if counts[row]} - {above[0] for above in tree.parents if above}
    assert sorted(index.lowest.tolist()) == sorted(lowest)
    for row in range(n_rows):
        assert set(np.flatnonzero(index.branch(row)).tolist()) == brute_branch(tree, row)
    first, last = random.choice(["A00", "A03"]), random.choice(["A05", "A11"])
    within = {row for row, code in enumerate(index.codes) if code and counts[row] and first <= code <= last}
    by_first = {row: [below for below in range(n_rows) if tree.parents[below][:1] == (row,)] for row in range(n_rows)}

    def lowest_of(row):
        below = [one for child in by_first[row] for one in ([child] if child in lowest else lowest_of(child))]
        return below or ([row] if row in lowest else [])

    wanted = within | {row for row in range(n_rows) if (own := lowest_of(row)) and set(own) <= within}
    assert set(np.flatnonzero(index.between(first, last)).tolist()) == wanted


@pytest.mark.full_size
def test_the_whole_poly_hierarchy_is_read(full_size):
    text = gzip.decompress((full_size / "foundation" / "derived_2022_multi_parent_edges.tsv.gz").read_bytes()).decode()
    links = [line.split("\t")[:2] for line in text.splitlines()[1:]]
    edges = pd.DataFrame(links, columns=["parent_id", "child_id"]).map(lambda uri: uri.rpartition("/")[2])
    first = edges.drop_duplicates("child_id").set_index("child_id")["parent_id"]
    names = pd.unique(edges.to_numpy().ravel())
    entities = pd.DataFrame({"entity_id": names, "code": None, "parent_id": first.reindex(names).array})
    tree = Hierarchy.of(SimpleNamespace(entities=entities, edges=edges))
    assert sum(map(len, tree.parents)) == len(edges.drop_duplicates())
    assert max(map(len, tree.parents)) == 10
