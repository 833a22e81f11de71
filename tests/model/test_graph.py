"""What a walk found is listed in tabular order, once each, whatever its links."""

from hypothesis import given
from hypothesis import strategies as st

from icdframes.errors import EntityNotFoundError, TraversalError
from icdframes.model.entity import Entity, EntityGraph, Place


def _graph(children, roots=("a",)):
    entities = {
        key: Entity(uri=key, entity_id=key, title=key, child_ids=tuple(below)) for key, below in children.items()
    }
    return EntityGraph(tuple(roots), entities)


def test_the_tabular_list_is_depth_first_in_api_order():
    graph = _graph({"a": "cb", "b": "d", "c": "e", "d": "", "e": ""})
    assert [place.entity_id for place in graph.tabular_list()] == list("acebd")


def test_an_entity_with_two_parents_stands_where_it_is_first_met_at_its_shortest_depth():
    graph = _graph({"a": "bc", "b": "d", "c": "e", "d": "e", "e": ""})
    assert list(graph.tabular_list()) == [
        Place("a", None, 0),
        Place("b", "a", 1),
        Place("d", "b", 2),
        Place("e", "d", 2),
        Place("c", "a", 1),
    ]


def test_a_circle_and_a_self_parent_are_survived_and_named():
    graph = _graph({"a": "ab", "b": "c", "c": "b"})
    assert [place.entity_id for place in graph.tabular_list()] == list("abc")
    assert graph.cycles() == [("a", "a"), ("c", "b")]


def test_what_is_not_loaded_is_left_out():
    graph = _graph({"a": "bx", "b": ""}, roots=("a", "y"))
    assert [place.entity_id for place in graph.tabular_list()] == list("ab")
    assert graph.cycles() == []


ids = st.sampled_from("abcdefgh")


@given(st.dictionaries(ids, st.lists(ids, max_size=5), min_size=1), st.lists(ids, min_size=1, max_size=3, unique=True))
def test_any_graph_is_listed_once_each_with_the_shortest_depth(children, roots):
    graph = _graph({key: tuple(dict.fromkeys(below)) for key, below in children.items()}, roots)
    places = list(graph.tabular_list())
    listed = [place.entity_id for place in places]
    assert len(set(listed)) == len(listed)
    depths = graph.depths()
    assert set(listed) == set(depths)
    for place in places:
        parents = [key for key in listed if place.entity_id in graph.entities[key].child_ids]
        if place.entity_id in roots:
            assert place.depth == 0
        else:
            assert place.depth == 1 + min(depths[parent] for parent in parents)


def test_the_first_cause_is_a_failure_that_ended_the_walk_not_one_that_followed_from_it():
    ended, cause = TraversalError("not asked for", failures={}), EntityNotFoundError("gone")
    assert EntityGraph((), {}).first_cause() is None
    assert EntityGraph((), {}, {"a": ended, "b": cause}).first_cause() is cause
    assert EntityGraph((), {}, {"a": ended}).first_cause() is ended


def test_entities_made_of_columns_equal_those_made_one_by_one():
    columns = {"uri": ["u1", "u2"], "entity_id": ["1", "2"], "title": ["Cholera", None], "child_ids": [("2",), ()]}
    made = Entity.from_columns(columns)
    assert made == [
        Entity(uri="u1", entity_id="1", title="Cholera", child_ids=("2",)),
        Entity(uri="u2", entity_id="2", title=None),
    ]
    assert made[0].extra is not made[1].extra
    assert list(map(repr, made)) == ["<Entity Cholera (u1)>", "<Entity  (u2)>"]
