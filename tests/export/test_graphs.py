"""Graphs of networkx and rdflib say what the tables say."""

import doctest
import sys

import pytest

from icdframes.errors import MissingExtraError
from icdframes.export.graphs import to_networkx, to_skos
from icdframes.settings import LICENCE


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


def test_skos_marks_an_untranslated_title_as_english(build):
    rdflib = pytest.importorskip("rdflib")
    graph = to_skos(build(languages=("es",)))
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


@pytest.mark.parametrize(("export", "library"), [(to_networkx, "networkx"), (to_skos, "rdflib")])
def test_the_examples_say_what_happens_where_the_library_is_installed(export, library):
    pytest.importorskip(library)
    (examples,) = doctest.DocTestFinder().find(export, globs={})
    for example in examples.examples:
        example.options.pop(doctest.SKIP, None)
    assert doctest.DocTestRunner().run(examples).failed == 0
