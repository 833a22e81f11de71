"""A graph becomes the five tables in tabular order."""

import random
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.frames.build import EntityColumns, build_tables
from icdframes.frames.pandas_compat import schema_dtype
from icdframes.frames.schema import TABLES, as_lists, columns_of
from icdframes.model.entity import Entity, EntityGraph


def test_rows_stand_in_tabular_order_with_depth_parent_and_chapter(tables):
    rows = as_lists(tables.entities[["entity_id", "depth", "parent_id", "n_children", "is_leaf", "chapter"]])
    assert list(zip(*rows.values(), strict=True)) == [
        ("1", 0, None, 2, False, "01"),
        ("3", 1, "1", 0, True, "01"),
        ("2", 1, "1", 2, False, "01"),
        ("4", 2, "2", 0, True, "01"),
        ("5", 0, None, 1, False, "X"),
        ("5/other", 1, "5", 0, True, "X"),
    ]
    assert tables.entities["is_residual"].tolist() == [False] * 5 + [True]
    assert tables.entities["code"].isna().tolist() == [False, False, True, False, False, False]


def test_every_parent_is_an_edge_named_ones_first_and_unloaded_ones_without_position(tables):
    assert list(zip(*as_lists(tables.edges).values(), strict=True)) == [
        ("8", "3", None),
        ("1", "3", 0),
        ("1", "2", 1),
        ("2", "4", 1),
        ("5", "5/other", 0),
    ]


def test_terms_references_and_axes_keep_the_order_of_the_api(tables):
    assert list(zip(*as_lists(tables.terms).values(), strict=True)) == [
        ("3", "synonym", "NA", "77", None, False),
        ("3", "index_term", "None", None, "3", True),
    ]
    assert list(zip(*as_lists(tables.references).values(), strict=True)) == [
        ("3", "exclusion", "else", "5", "5"),
        ("3", "related_maternal", None, "6", None),
    ]
    assert list(zip(*as_lists(tables.axes).values(), strict=True)) == [
        ("3", "course", True, "AllowAlways", "71"),
        ("3", "course", True, "AllowAlways", "72"),
        ("3", "laterality", False, None, None),
    ]


def test_further_languages_fill_their_own_columns_and_lack_nothing_silently(tables):
    row = tables.entities.set_index("entity_id")
    assert row.loc["3", "title_es"] == "Tres"
    assert pd.isna(row.loc["3", "definition_es"])
    assert row.loc["3", "diagnostic_criteria_es"] == "**two**"
    assert pd.isna(row.loc["1", "title_es"])
    assert row["translated_es"].tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize("name", TABLES)
def test_every_frame_has_schema_dtypes_a_plain_index_and_provenance(tables, name):
    frame = tables.frames[name]
    more = {"languages": ("es",), "include": ("diagnosticCriteria",)} if name == "entities" else {}
    assert {key: schema_dtype(column) for key, column in frame.items()} == columns_of(name, **more)
    assert isinstance(frame.index, pd.RangeIndex)
    assert frame.attrs["provenance"] == tables.provenance.to_dict()


def test_failures_are_told_in_provenance_and_attrs(graph, provenance):
    broken = EntityGraph(graph.roots, graph.entities, {"9": LookupError("gone"), "10": ValueError()})
    tables = build_tables(broken, provenance, chapters={})
    assert not tables.provenance.complete
    assert tables.provenance.n_failures == 2
    assert tables.failures == {"9": "gone", "10": "ValueError"}
    assert tables.entities.attrs["failures"] == tables.failures
    assert tables.edges.attrs["provenance"]["complete"] is False
    told = build_tables(graph, replace(provenance, n_failures=1), chapters={})
    assert not told.provenance.complete


def test_a_branch_lies_in_the_chapter_that_is_given_for_its_root(graph, provenance):
    branch = EntityGraph(("2",), {"2": graph.entities["2"], "4": graph.entities["4"]})
    assert build_tables(branch, provenance, chapters={"2": "01"}).entities["chapter"].tolist() == ["01", "01"]
    assert build_tables(branch, provenance, chapters={"2": None}).entities["chapter"].isna().all()


def test_nothing_loaded_gives_empty_tables_with_dtypes(provenance):
    tables = build_tables(EntityGraph((), {}), provenance, chapters={})
    assert len(tables) == 0
    assert {key: schema_dtype(column) for key, column in tables.entities.items()} == columns_of("entities")


def in_any_order(data, values):
    shuffled = list(values)
    random.Random(data.draw(st.integers())).shuffle(shuffled)
    return shuffled


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_order_in_which_entities_arrived_does_not_matter(data, graphs, provenance, assert_same):
    graph = data.draw(graphs)
    shuffled = in_any_order(data, graph.entities.items())
    assert_same(
        build_tables(EntityGraph(graph.roots, dict(shuffled)), provenance, chapters={}),
        build_tables(graph, provenance, chapters={}),
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_columns_that_were_taken_as_entities_came_make_the_same_tables(data, graphs, provenance, assert_same):
    graph = data.draw(graphs)
    arriving = in_any_order(data, graph.entities.values())
    stray = [replace(entity, entity_id=f"{entity.entity_id}9999") for entity in arriving[:1]]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_ROWS", "_ENTITIES"):
            patch.setattr(f"icdframes.frames.build.{name}", data.draw(st.integers(1, 9)))
        columns = EntityColumns()
        kept = {entity.entity_id: columns.take(entity) for entity in [*arriving[:2], *stray, *arriving[2:]]}
        links = EntityGraph(graph.roots, {entity_id: kept[entity_id] for entity_id in graph.entities})
        found = build_tables(links, provenance, chapters={}, columns=columns)
    assert_same(found, build_tables(graph, provenance, chapters={}))


def test_what_is_kept_of_an_entity_has_its_links_and_shares_equal_texts():
    columns = EntityColumns()
    chapter = Entity(uri="u", entity_id="1", title="One", code="01", class_kind="chapter", child_ids=("2", "3"))
    below = Entity(uri="v", entity_id=str(3 - 1), title="Two", class_kind="category", parent_ids=("1",))
    first, second = columns.take(chapter), columns.take(below)
    assert (first.code, first.class_kind, first.child_ids, first.title) == ("01", "chapter", ("2", "3"), None)
    assert second.parent_ids == ("1",)
    assert second.parent_ids[0] is first.entity_id
    assert second.entity_id is first.child_ids[0]


def test_an_entity_that_comes_twice_is_taken_as_it_came_last_and_moves_no_other():
    columns = EntityColumns()
    for title in ("One", "Two", "Two again", "Three"):
        columns.take(Entity(uri="u", entity_id=title.split()[0], title=title))
    assert columns.frame("entities", ["One", "Two", "Three"])["title"].tolist() == ["One", "Two again", "Three"]


def test_the_columns_asked_for_are_collected_too(graph, provenance):
    criteria = {key: replace(entity, diagnostic_criteria=key) for key, entity in graph.entities.items()}
    columns = EntityColumns(["diagnosticCriteria"])
    kept = {key: columns.take(entity) for key, entity in criteria.items()}
    tables = build_tables(
        EntityGraph(graph.roots, kept), provenance, chapters={}, include=["diagnosticCriteria"], columns=columns
    )
    assert tables.entities.diagnostic_criteria.tolist() == tables.entities.entity_id.tolist()
