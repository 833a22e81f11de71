"""A small classification, in one language and in two."""

import pytest

from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import Axis, Entity, EntityGraph, Reference, Term


def _entity(key, title, **more):
    return Entity(uri=f"http://id.who.int/icd/release/11/2024-01/mms/{key}", entity_id=key, title=title, **more)


ENTITIES = (
    _entity("1", "Chapter", code="01", class_kind="chapter", child_ids=("2",)),
    _entity("2", "Block", class_kind="block", block_id="BlockL1-1A0", parent_ids=("1",), child_ids=("3", "3/other")),
    _entity(
        "3", 'Cholera "of tests"', code="1A00", class_kind="category", parent_ids=("2", "77"), foundation_id="3",
        fully_specified_name="Cholera of the tests", definition="It is invented.", coding_note="Only in tests.",
        terms=(Term("synonym", "Test cholera"), Term("index_term", "cholera, test")),
        references=(Reference("exclusion", "Something else"), Reference("related_perinatal")),
        axes=(Axis("infectiousAgent", required=True, scale_entity_ids=("9",)),),
    ),
    _entity("3/other", "Other cholera", code="1A00.Y", class_kind="category", parent_ids=("2",), translated=False),
)  # fmt: skip


def _build(*, entities=ENTITIES, classification="mms", translations=None, **provenance):
    stated = Provenance("test", classification, "2024-01", **provenance)
    graph = EntityGraph(("1",), {entity.entity_id: entity for entity in entities})
    return build_tables(graph, stated, chapters={"1": "01"}, translations=translations)


@pytest.fixture(scope="session")
def entity():
    """Return the function that makes an entity."""
    return _entity


@pytest.fixture(scope="session")
def build():
    """Return the function that makes tables, of `ENTITIES` unless others are given."""
    return _build


@pytest.fixture(scope="session")
def tables():
    return _build()


@pytest.fixture(scope="session")
def bilingual():
    spanish = {"3": _entity("3", "Cólera"), "1": _entity("1", "Capítulo")}
    return _build(translations={"es": spanish}, languages=("en", "es"))
