"""Graphs, small tables and what it means that two are the same."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import strategies as st

from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import apply_schema, columns_of
from icdframes.model.entity import Axis, Entity, EntityGraph, Reference, Term

IDS = [*"12345", "1/other"]
TEXT = st.none() | st.sampled_from(["", "NA", "None", "nan", "1E10", "007", "=1+1", "a\r\nb", '"', "é\x00"]) | st.text()
LINK = st.none() | st.sampled_from(IDS)
TERMS = st.builds(
    Term,
    st.sampled_from(["synonym", "narrower_term", "inclusion", "index_term"]),
    TEXT.map(lambda text: text or ""),
    LINK,
    LINK,
    st.booleans(),
)
REFERENCES = st.builds(
    Reference, st.sampled_from(["exclusion", "child_elsewhere", "related_maternal"]), TEXT, LINK, LINK
)
AXES = st.builds(
    Axis,
    st.sampled_from(["infectiousAgent", "course"]),
    st.booleans(),
    st.none() | st.just("AllowAlways"),
    st.lists(st.sampled_from(IDS), max_size=3).map(tuple),
)


def few(items):
    return st.lists(items, max_size=2).map(tuple)


@st.composite
def _graphs(draw, consistent=False):
    """Any entities and links; in a consistent graph parents and children agree."""
    children = {key: tuple(draw(st.lists(st.sampled_from([*IDS, "98"]), unique=True, max_size=4))) for key in IDS}
    details = st.just({}) | st.fixed_dictionaries(
        {"terms": few(TERMS), "references": few(REFERENCES), "axes": few(AXES)}
    )
    entities = {}
    for key in IDS:
        listed = [parent for parent in IDS if key in children[parent]]
        parents = (
            st.permutations(listed) if consistent else st.lists(st.sampled_from([*IDS, "97"]), unique=True, max_size=3)
        )
        entities[key] = Entity(
            uri=f"http://id.who.int/icd/release/11/2024-01/mms/{key}",
            entity_id=key,
            title=draw(TEXT),
            language="en",
            translated=draw(st.booleans()),
            code=draw(TEXT),
            class_kind="category" if consistent else draw(st.sampled_from([None, "chapter", "block"])),
            parent_ids=tuple(draw(parents)),
            child_ids=children[key],
            definition=draw(TEXT),
            diagnostic_criteria=draw(TEXT),
            foundation_id=draw(LINK),
            **draw(details),
        )
    return EntityGraph(tuple(draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1, max_size=3))), entities)


@pytest.fixture(scope="session")
def graphs():
    return _graphs()


@pytest.fixture(scope="session")
def consistent_graphs():
    return _graphs(consistent=True)


@pytest.fixture(scope="session")
def provenance():
    return Provenance("https://id.who.int", "mms", "2024-01", retrieved_at="2026-11-24T02:00:00Z")


@pytest.fixture(scope="session")
def graph():
    """Two chapters; 3 has two parents, of which one is not loaded; 4 is listed by 2 but does not say so."""

    def entity(key, parents=(), children=(), **values):
        uri = f"http://id.who.int/icd/release/11/2024-01/mms/{key}"
        return Entity(uri, key, parent_ids=parents, child_ids=children, language="en", **{"title": f"T{key}", **values})

    listed = [
        entity("1", children=("3", "2"), code="01", class_kind="chapter"),
        entity("2", ("1",), ("9", "4"), class_kind="block", block_id="BlockL1-1A0", code_range="1A00-1A0Z"),
        entity(
            "3", ("8", "1"), (), code="1E10", class_kind="category", definition="=1+1", diagnostic_criteria="**two**",
            terms=(Term("synonym", "NA", "77"), Term("index_term", "None", None, "3", deprecated=True)),
            references=(Reference("exclusion", "else", "5", "5"), Reference("related_maternal", None, "6")),
            axes=(Axis("course", True, "AllowAlways", ("71", "72")), Axis("laterality")),
        ),
        entity("4", (), (), code="007", class_kind="category", translated=False),
        entity("5", children=("5/other",), code="X", class_kind="chapter"),
        entity("5/other", ("5",), code="XA0Y", class_kind="category"),
    ]  # fmt: skip
    return EntityGraph(("1", "5"), {item.entity_id: item for item in listed})


@pytest.fixture
def tables(graph, provenance):
    spanish = {"3": replace(graph.entities["3"], title="Tres", definition="", language="es")}
    return build_tables(
        graph,
        replace(provenance, languages=("en", "es")),
        chapters={"1": "01", "5": "X"},
        translations={"es": spanish},
        include=("diagnosticCriteria",),
    )


@pytest.fixture(scope="session")
def assert_same():
    def check(found, expected):
        assert found.provenance == expected.provenance
        assert dict(found.failures) == dict(expected.failures)
        for name, frame in expected.frames.items():
            pd.testing.assert_frame_equal(found.frames[name], frame)
            assert found.frames[name].attrs == frame.attrs

    return check


@pytest.fixture
def contents():
    """Return the function that reads every file in a folder."""

    def read(place):
        return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}

    return read


@pytest.fixture(scope="session")
def empty_table():
    """Return the function that makes a table without rows."""

    def make(name, **more):
        return apply_schema(name, dict.fromkeys(columns_of(name, **more), ()), **more)

    return make
