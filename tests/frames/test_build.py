"""A graph becomes the five tables in tabular order."""

import random
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.frames.build import build_tables
from icdframes.frames.pandas_compat import schema_dtype
from icdframes.frames.schema import TABLES, as_lists, columns_of
from icdframes.model.entity import EntityGraph


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


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_order_in_which_entities_arrived_does_not_matter(data, graphs, provenance, assert_same):
    graph = data.draw(graphs)
    shuffled = list(graph.entities.items())
    random.Random(data.draw(st.integers())).shuffle(shuffled)
    assert_same(
        build_tables(EntityGraph(graph.roots, dict(shuffled)), provenance, chapters={}),
        build_tables(graph, provenance, chapters={}),
    )
