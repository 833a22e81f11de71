import importlib
import json
import sqlite3
import sys

import pandas as pd
import pytest

from icdframes.analysis import accessor
from icdframes.analysis.databases import to_sql
from icdframes.analysis.fhir import to_fhir_codesystem
from icdframes.analysis.networks import to_networkx
from icdframes.analysis.skos import to_skos
from icdframes.errors import ConfigurationError, ExportError, MissingExtraError
from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import Axis, Entity, Reference, Term
from icdframes.model.graph import EntityGraph
from icdframes.settings import LICENCE

NAMES = tuple(f"icd_{name}" for name in ("entities", "edges", "terms", "references", "axes", "provenance"))


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


def _tables(*, entities=ENTITIES, classification="mms", translations=None, **provenance):
    stated = Provenance("test", classification, "2024-01", **provenance)
    graph = EntityGraph(("1",), {entity.entity_id: entity for entity in entities})
    return build_tables(graph, stated, chapters={"1": "01"}, translations=translations)


@pytest.fixture
def tables():
    return _tables()


@pytest.fixture
def bilingual():
    spanish = {"3": _entity("3", "Cólera"), "1": _entity("1", "Capítulo")}
    return _tables(translations={"es": spanish}, languages=("en", "es"))


def test_fhir_lists_every_entity_under_its_code_block_id_or_id(tables):
    system = to_fhir_codesystem(tables)
    assert (system["url"], system["version"]) == ("http://id.who.int/icd/release/11/mms", "2024-01")
    assert (system["count"], system["content"], system["copyright"]) == (4, "complete", LICENCE)
    assert [concept["code"] for concept in system["concept"]] == ["01", "BlockL1-1A0", "1A00", "1A00.Y"]
    cholera = system["concept"][2]
    assert (cholera["display"], cholera["definition"]) == ('Cholera "of tests"', "It is invented.")
    assert {"code": "parent", "valueCode": "BlockL1-1A0"} in cholera["property"]
    assert {"code": "codingNote", "valueString": "Only in tests."} in cholera["property"]
    assert json.loads(json.dumps(system)) == system


def test_fhir_nests_on_demand(tables):
    system = to_fhir_codesystem(tables, nested=True)
    (chapter,) = system["concept"]
    assert [concept["code"] for concept in chapter["concept"][0]["concept"]] == ["1A00", "1A00.Y"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"root": "1"}, "fragment"), ({"depth": 1}, "fragment"), ({"complete": False}, "fragment"), ({}, "complete")],
)
def test_fhir_tells_a_whole_classification_from_a_part(given, expected):
    assert to_fhir_codesystem(_tables(**given))["content"] == expected
    assert to_fhir_codesystem(_tables(**given), content="fragment")["content"] == "fragment"


def test_fhir_gives_further_languages_as_designations(bilingual):
    concepts = {concept["code"]: concept for concept in to_fhir_codesystem(bilingual)["concept"]}
    assert concepts["1A00"]["designation"] == [{"language": "es", "value": "Cólera"}]
    assert "designation" not in concepts["1A00.Y"]


def test_fhir_names_the_content_that_a_slip_means(tables):
    with pytest.raises(ConfigurationError, match=r"content='fragmnt' is unknown: .* Did you mean 'fragment'"):
        to_fhir_codesystem(tables, content="fragmnt")


@pytest.mark.parametrize(
    ("classification", "url"),
    [
        ("icd10", "http://hl7.org/fhir/sid/icd-10"),
        ("icf", "http://id.who.int/icd/release/11/icf"),
        ("foundation", "http://id.who.int/icd/entity"),
    ],
)
def test_fhir_knows_each_classification(classification, url):
    tables = _tables(classification=classification)
    system = to_fhir_codesystem(tables)
    assert (system["url"], system["copyright"]) == (url, tables.provenance.licence)


def test_fhir_refuses_a_code_of_two_entities():
    twin = _entity("4", "Twin", code="1A00", parent_ids=("1",))
    root = _entity("1", "Chapter", child_ids=("3", "4"))
    with pytest.raises(ConfigurationError, match="'1A00' is the code of several entities"):
        to_fhir_codesystem(_tables(entities=(root, ENTITIES[2], twin)))


@pytest.mark.parametrize("nested", [False, True])
def test_fhir_passes_the_model_of_fhir_resources(bilingual, nested):
    codesystem = pytest.importorskip("fhir.resources.codesystem")
    parsed = codesystem.CodeSystem.model_validate(to_fhir_codesystem(bilingual, nested=nested))
    assert parsed.count == 4


def test_networkx_keeps_attributes_and_leaves_missing_ones_out(tables):
    networkx = pytest.importorskip("networkx")
    graph = to_networkx(tables)
    assert networkx.is_directed_acyclic_graph(graph)
    assert sorted(graph.successors("2")) == ["3", "3/other"]
    assert "77" not in graph
    assert graph.nodes["3"]["title"] == 'Cholera "of tests"'
    assert "code" not in graph.nodes["2"]
    assert graph.edges["2", "3/other"]["position"] == 1
    assert graph.graph["provenance"]["licence"] == LICENCE


def test_skos_says_what_the_tables_say(bilingual):
    rdflib = pytest.importorskip("rdflib")
    graph = to_skos(bilingual)
    base = "http://id.who.int/icd/release/11/2024-01/mms"
    cholera, scheme, skos = rdflib.URIRef(f"{base}/3"), rdflib.URIRef(base), rdflib.SKOS
    assert {str(label) for label in graph.objects(cholera, skos.prefLabel)} == {'Cholera "of tests"', "Cólera"}
    assert {str(label) for label in graph.objects(cholera, skos.altLabel)} == {"Cholera of the tests", "Test cholera"}
    assert [str(label) for label in graph.objects(cholera, skos.hiddenLabel)] == ["cholera, test"]
    assert {str(note) for note in graph.objects(cholera, skos.scopeNote)} == {
        "Only in tests.",
        "Excludes: Something else",
    }
    assert (cholera, skos.broader, rdflib.URIRef(f"{base}/2")) in graph
    assert (cholera, rdflib.DCTERMS.source, rdflib.URIRef("http://id.who.int/icd/entity/3")) in graph
    assert (rdflib.URIRef(f"{base}/1"), skos.topConceptOf, scheme) in graph
    assert str(graph.value(scheme, rdflib.DCTERMS.rights)) == LICENCE


def test_skos_marks_an_untranslated_title_as_english():
    rdflib = pytest.importorskip("rdflib")
    graph = to_skos(_tables(languages=("es",)))
    labels = {str(label): label.language for label in graph.objects(None, rdflib.SKOS.prefLabel)}
    assert (labels["Chapter"], labels["Other cholera"]) == ("es", "en")


def test_skos_has_one_label_a_language_and_survives_turtle(bilingual):
    rdflib = pytest.importorskip("rdflib")
    graph = to_skos(bilingual)
    for concept in graph.subjects(rdflib.RDF.type, rdflib.SKOS.Concept):
        languages = [label.language for label in graph.objects(concept, rdflib.SKOS.prefLabel)]
        assert len(languages) == len(set(languages))
    assert len(rdflib.Graph().parse(data=graph.serialize(format="turtle"), format="turtle")) == len(graph)


@pytest.mark.parametrize(
    ("export", "module", "extra"), [(to_networkx, "networkx", "networks"), (to_skos, "rdflib", "skos")]
)
def test_an_absent_library_is_named_with_its_install_line(tables, monkeypatch, export, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'icdframes\[{extra}\]'"):
        export(tables)


def _sqlite():
    connection = sqlite3.connect(":memory:")
    return connection, lambda query: connection.execute(query).fetchall(), connection.close


def _duckdb():
    connection = pytest.importorskip("duckdb").connect()
    return connection, lambda query: connection.execute(query).fetchall(), connection.close


def _engine():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")

    def ask(query):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

    return engine, ask, engine.dispose


def _sqlalchemy_connection():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    connection = engine.connect()

    def ask(query):
        return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

    def close():
        connection.close()
        engine.dispose()

    return connection, ask, close


@pytest.fixture(params=[_sqlite, _duckdb, _engine, _sqlalchemy_connection], ids=lambda make: make.__name__[1:])
def database(request):
    connection, ask, close = request.param()
    yield connection, ask
    close()


def test_a_database_holds_all_tables_and_the_licence(tables, database):
    connection, ask = database
    assert to_sql(tables, connection) == NAMES
    query = "SELECT entity_id, code, title, is_leaf FROM icd_entities ORDER BY entity_id"
    assert [tuple(row) for row in ask(query)] == [
        ("1", "01", "Chapter", 0),
        ("2", None, "Block", 0),
        ("3", "1A00", 'Cholera "of tests"', 1),
        ("3/other", "1A00.Y", "Other cholera", 1),
    ]
    assert ask("SELECT position FROM icd_edges WHERE parent_id = '77'") == [(None,)]
    assert ask("SELECT value FROM icd_provenance WHERE name = 'licence'") == [(LICENCE,)]
    assert ask("SELECT value FROM icd_provenance WHERE name = 'languages'") == [('["en"]',)]


def test_a_table_that_is_there_is_kept_replaced_or_extended_as_told(tables, database):
    connection, ask = database
    to_sql(tables, connection)
    with pytest.raises(ExportError, match=r"icd_entities.* already exists"):
        to_sql(tables, connection)
    to_sql(tables, connection, if_exists="append")
    assert ask("SELECT count(*) FROM icd_entities") == [(8,)]
    to_sql(tables, connection, if_exists="replace")
    assert ask("SELECT count(*) FROM icd_entities") == [(4,)]


def test_a_refusal_in_the_middle_leaves_nothing_behind(tables, database):
    connection, ask = database
    to_sql(tables, connection, prefix="first_")
    if hasattr(connection, "exec_driver_sql"):
        connection.exec_driver_sql("CREATE TABLE icd_terms (x INTEGER)")
    elif hasattr(connection, "begin") and hasattr(connection, "connect"):
        with connection.begin() as inside:
            inside.exec_driver_sql("CREATE TABLE icd_terms (x INTEGER)")
    else:
        connection.execute("CREATE TABLE icd_terms (x INTEGER)")
    with pytest.raises(ExportError, match="Nothing was written"):
        to_sql(tables, connection)
    with pytest.raises(Exception, match="icd_entities"):
        ask("SELECT * FROM icd_entities")


def test_inside_a_sqlite_transaction_of_the_caller_nothing_is_committed(tables):
    light = sqlite3.connect(":memory:")
    light.execute("BEGIN")
    to_sql(tables, light)
    light.rollback()
    with pytest.raises(sqlite3.OperationalError):
        light.execute("SELECT * FROM icd_entities")
    light.close()


def test_a_duckdb_transaction_of_the_caller_is_not_disturbed(tables):
    with pytest.importorskip("duckdb").connect() as connection:
        connection.begin()
        connection.execute("CREATE TABLE mine (x INTEGER)")
        to_sql(tables, connection)
        connection.rollback()
        assert [name for (name,) in connection.execute("SHOW TABLES").fetchall()] == sorted(NAMES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefix": 'x"; DROP'}, "is no prefix"),
        ({"if_exists": "maybe"}, "if_exists='maybe' is unknown: give 'fail', 'replace' or 'append'"),
        ({"connection": object()}, "object is no connection"),
    ],
)
def test_what_cannot_be_used_is_refused(tables, options, message):
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ConfigurationError, match=message):
        to_sql(tables, options.pop("connection", connection), **options)
    connection.close()


def test_the_accessor_calls_the_verbs(tables, monkeypatch):
    accessor.register()
    accessor.register()
    frame = pd.DataFrame({"code": ["1A00"]})
    assert frame.icd.annotate(tables, add=["title"])["title"].tolist() == ['Cholera "of tests"']
    assert frame.icd.rollup(tables)["n"].tolist() == [1]
    monkeypatch.setattr(
        "icdframes.analysis.map_codes.map_codes", lambda frame, mapping, **options: (frame, mapping, options)
    )
    assert frame.icd.map_codes("a mapping", code="code")[1:] == ("a mapping", {"code": "code"})
    assert repr(frame.icd) == "<icdframes on 1 row>"
    assert repr(pd.concat([frame, frame]).icd) == "<icdframes on 2 rows>"


def test_an_accessor_of_somebody_else_is_left_alone(monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "icd", "theirs", raising=False)
    importlib.reload(accessor).register()
    assert pd.DataFrame.icd == "theirs"
