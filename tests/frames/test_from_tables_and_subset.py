"""Tables become the entities they came from, and a branch cut out equals one loaded alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import EntityNotFoundError
from icdframes.frames.build import build_tables
from icdframes.frames.subset import (
    UNKNOWN_CHILD,
    chapters_from_tables,
    entities_from_tables,
    subset_tables,
    translations_from_tables,
)
from icdframes.model.entity import EntityGraph


def rebuilt(tables):
    return build_tables(
        entities_from_tables(tables),
        tables.provenance,
        chapters=chapters_from_tables(tables),
        translations=translations_from_tables(tables),
        include=tables.provenance.include,
    )


def test_entities_come_back_with_their_links_and_texts(graph, tables):
    revived = entities_from_tables(tables)
    assert revived.roots == graph.roots
    assert revived.entities["3"] == graph.entities["3"]
    assert revived.entities["2"].child_ids == (UNKNOWN_CHILD, "4")


def test_tables_of_revived_entities_are_equal(tables, assert_same):
    assert_same(rebuilt(tables), tables)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_reviving_undoes_building_for_any_graph(data, graphs, provenance, assert_same):
    graph, spanish = data.draw(graphs), data.draw(graphs)
    some = data.draw(st.sets(st.sampled_from(sorted(graph.entities))))
    tables = build_tables(
        EntityGraph(graph.roots, {key: entity for key, entity in graph.entities.items() if key not in some}),
        replace(provenance, languages=("en", "es")),
        chapters=data.draw(st.fixed_dictionaries({root: st.sampled_from(["01", None]) for root in graph.roots})),
        translations={"es": spanish.entities},
        include=data.draw(st.sampled_from([(), ("diagnosticCriteria",)])),
    )
    assert_same(rebuilt(tables), tables)


def with_tops(graph, roots):
    """Let no entity be above the roots, as nothing is above a chapter."""
    return EntityGraph(
        roots,
        {
            key: replace(
                entity,
                parent_ids=() if key in roots else entity.parent_ids,
                child_ids=tuple(child for child in entity.child_ids if child not in roots),
            )
            for key, entity in graph.entities.items()
        },
    )


def loaded(graph, provenance, roots, depth, chapters):
    """Do what a walk does: everything within some steps of the roots."""
    steps = EntityGraph(roots, graph.entities).depths()
    near = {key: graph.entities[key] for key, far in steps.items() if depth is None or far <= depth}
    return build_tables(EntityGraph(roots, near), provenance, chapters=chapters)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_branch_cut_out_equals_the_branch_loaded_alone(data, consistent_graphs, provenance, assert_same):
    graph = data.draw(consistent_graphs)
    whole = loaded(graph, provenance, graph.roots, None, dict.fromkeys(graph.roots))
    root = data.draw(st.sampled_from(whole.entities["entity_id"].tolist()))
    depth = data.draw(st.none() | st.integers(0, 3))
    alone = loaded(graph, replace(provenance, root=root, depth=depth), (root,), depth, {root: None})
    assert_same(subset_tables(whole, root, depth), alone)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_first_levels_cut_out_equal_the_first_levels_loaded(data, consistent_graphs, provenance, assert_same):
    roots = tuple(data.draw(st.permutations(["1", "2", "3"])))
    graph = with_tops(data.draw(consistent_graphs), roots)
    whole = loaded(graph, provenance, roots, None, dict.fromkeys(roots))
    depth = data.draw(st.integers(0, 3))
    alone = loaded(graph, replace(provenance, depth=depth), roots, depth, dict.fromkeys(roots))
    assert_same(subset_tables(whole, None, depth), alone)


def test_a_branch_keeps_chapter_languages_and_outside_parents(tables):
    branch = subset_tables(tables, "3")
    assert branch.entities["chapter"].tolist() == ["01"]
    assert branch.entities["title_es"].tolist() == ["Tres"]
    assert branch.entities["parent_id"].tolist() == ["8"]
    assert branch.edges["position"].isna().all()
    assert branch.provenance.root == "3"
    assert len(branch.terms) == 2


def test_an_unknown_root_is_an_error(tables):
    with pytest.raises(EntityNotFoundError, match="'77'"):
        subset_tables(tables, "77")
