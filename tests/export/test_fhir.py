"""A FHIR CodeSystem says what the tables say."""

import json

import pytest

from icdframes.errors import ConfigurationError
from icdframes.export.fhir import to_fhir_codesystem
from icdframes.settings import LICENCE


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
def test_fhir_tells_a_whole_classification_from_a_part(build, given, expected):
    assert to_fhir_codesystem(build(**given))["content"] == expected
    assert to_fhir_codesystem(build(**given), content="fragment")["content"] == "fragment"


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
def test_fhir_knows_each_classification(build, classification, url):
    tables = build(classification=classification)
    system = to_fhir_codesystem(tables)
    assert (system["url"], system["copyright"]) == (url, tables.provenance.licence)


def test_fhir_refuses_a_code_of_two_entities(build, entity):
    root = entity("1", "Chapter", child_ids=("3", "4"))
    twins = [entity(key, "Twin", code="1A00", parent_ids=("1",)) for key in ("3", "4")]
    with pytest.raises(ConfigurationError, match="'1A00' is the code of several entities"):
        to_fhir_codesystem(build(entities=(root, *twins)))


@pytest.mark.parametrize("nested", [False, True])
def test_fhir_passes_the_model_of_fhir_resources(bilingual, nested):
    codesystem = pytest.importorskip("fhir.resources.codesystem")
    parsed = codesystem.CodeSystem.model_validate(to_fhir_codesystem(bilingual, nested=nested))
    assert parsed.count == 4
