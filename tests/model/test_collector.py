"""The collector is held during bulk work and given back as it was."""

import gc

import pytest

from icdframes.frames import build
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import Entity
from icdframes.model.gc_pause import collector_held
from icdframes.walk import walk

ENTITY = Entity("http://id.who.int/icd/release/11/2024-01/mms/1", "1", "One")


@pytest.fixture(autouse=True)
def _switched_on():
    gc.enable()
    yield
    gc.enable()


def test_it_is_off_inside_and_on_again_after():
    with collector_held():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(KeyError), collector_held():
        raise KeyError
    assert gc.isenabled()


def test_what_somebody_switched_off_stays_off():
    gc.disable()
    with collector_held(), collector_held():
        pass
    assert not gc.isenabled()


def test_a_walk_over_what_is_at_hand_and_the_building_of_tables_hold_it(monkeypatch):
    seen = []

    def lookup_cached(_entity_id):
        seen.append(gc.isenabled())
        return ENTITY

    def schema(*args, _real=build.apply_schema, **options):
        seen.append(gc.isenabled())
        return _real(*args, **options)

    graph = walk(["1"], pytest.fail, lookup_cached=lookup_cached)
    monkeypatch.setattr(build, "apply_schema", schema)
    build.build_tables(graph, Provenance("http://127.0.0.1", "mms", "2024-01"), chapters={"1": None})
    assert seen == [False] * 6
    assert gc.isenabled()


def test_it_is_on_while_a_walk_waits_for_an_answer():
    seen = []
    walk(["1"], lambda _: ENTITY, on_progress=lambda _: seen.append(gc.isenabled()))
    assert seen == [True]
