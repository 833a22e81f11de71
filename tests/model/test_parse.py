"""JSON of the API is read field by field, written back to itself, and refused where its shape is wrong."""

import copy
import json

import pytest

from icdframes.errors import ResponseShapeError
from icdframes.model.decode import UNTRANSLATED, parse_entity, parse_release_list, parse_top_level, release_of
from icdframes.model.decode_responses import parse_code_info
from icdframes.model.encode import entity_to_json, release_list_to_json, top_level_to_json

DOC = {
    "@context": "http://id.who.int/icd/contexts/contextForLinearizationEntity.json",
    "@id": "http://id.who.int/icd/release/11/2024-01/mms/100",
    "parent": ["http://id.who.int/icd/release/11/2024-01/mms/10"],
    "child": [
        "http://id.who.int/icd/release/11/2024-01/mms/101",
        "http://id.who.int/icd/release/11/2024-01/mms/100/other",
    ],
    "browserUrl": "https://icd.who.int/browse/2024-01/mms/en#100",
    "code": "1Z00",
    "source": "http://id.who.int/icd/entity/100",
    "classKind": "category",
    "foundationChildElsewhere": [
        {
            "label": {"@language": "en", "@value": "Elsewhere"},
            "foundationReference": "http://id.who.int/icd/entity/7",
            "linearizationReference": "http://id.who.int/icd/release/11/2024-01/mms/8/other",
        }
    ],
    "postcoordinationScale": [
        {
            "@id": "http://id.who.int/icd/release/11/2024-01/mms/100/postcoordinationScale/laterality",
            "axisName": "http://id.who.int/icd/schema/laterality",
            "requiredPostcoordination": "true",
            "allowMultipleValues": "NotAllowed",
            "scaleEntity": ["http://id.who.int/icd/release/11/2024-01/mms/9"],
        }
    ],
    "title": {"@language": "en", "@value": "Made up"},
    "definition": {"@language": "en", "@value": "Ours."},
    "exclusion": [
        {"label": {"@language": "en", "@value": "Not this"}, "foundationReference": "http://id.who.int/icd/entity/6"}
    ],
    "relatedEntitiesInMaternalChapter": ["http://id.who.int/icd/entity/5"],
    "indexTerm": [{"label": {"@language": "en", "@value": "Old name (deprecated)"}, "deprecated": True}],
}


def _with(**changes):
    doc = copy.deepcopy(DOC)
    for key, value in changes.items():
        if value is ...:
            doc.pop(key, None)
        else:
            doc[key] = value
    return doc


def test_every_field_of_an_entity_is_read():
    entity = parse_entity(DOC)
    assert (entity.entity_id, entity.code, entity.class_kind, entity.foundation_id) == (
        "100",
        "1Z00",
        "category",
        "100",
    )
    assert entity.parent_ids == ("10",)
    assert entity.child_ids == ("101", "100/other")
    assert [(r.kind, r.foundation_id, r.linearization_id) for r in entity.references] == [
        ("exclusion", "6", None),
        ("child_elsewhere", "7", "8/other"),
        ("related_maternal", "5", None),
    ]
    (axis,) = entity.axes
    assert (axis.axis, axis.required, axis.allow_multiple, axis.scale_entity_ids) == (
        "laterality",
        True,
        "NotAllowed",
        ("9",),
    )
    (term,) = entity.terms
    assert (term.kind, term.label, term.deprecated) == ("index_term", "Old name (deprecated)", True)
    assert entity.ancestor_ids is None
    assert not entity.is_leaf
    assert not entity.is_residual


def test_an_entity_is_written_back_key_for_key():
    written = entity_to_json(parse_entity(DOC))
    assert written == DOC
    assert list(written) == list(DOC)


def test_the_parent_of_a_chapter_is_the_classification_and_no_entity():
    entity = parse_entity(_with(parent=["http://id.who.int/icd/release/11/2024-01/mms"]))
    assert entity.parent_ids == ()
    assert entity_to_json(entity)["parent"] == ["http://id.who.int/icd/release/11/2024-01/mms"]


def test_the_mark_of_an_untranslated_text_is_cut_off():
    entity = parse_entity(_with(title={"@language": "es", "@value": "Made up" + UNTRANSLATED}))
    assert (entity.title, entity.translated, entity.language) == ("Made up", False, "es")
    assert entity_to_json(entity)["title"]["@value"].endswith(UNTRANSLATED)


def test_nothing_is_missing_rather_than_empty():
    entity = parse_entity(_with(code="", browserUrl="NA", blockId="", definition=...))
    assert (entity.code, entity.browser_url, entity.block_id, entity.definition) == (None, None, None, None)


def test_unknown_fields_are_kept():
    entity = parse_entity(_with(somethingNew=[1, 2]))
    assert entity.extra == {"somethingNew": [1, 2]}
    assert entity_to_json(entity)["somethingNew"] == [1, 2]


def test_a_child_named_twice_counts_once():
    assert parse_entity(_with(child=[DOC["child"][0]] * 2)).child_ids == ("101",)


WRONG = [
    ({"@id": ...}, "$.@id"),
    ({"@id": 5}, "$.@id"),
    ({"@id": "http://id.who.int/icd/release/11/2024-01/mms"}, "$.@id"),
    ({"@id": "http://elsewhere.example/icd/entity/5"}, "$.@id"),
    ({"title": ...}, "$.title"),
    ({"title": None}, "$.title"),
    ({"title": "bare"}, "$.title"),
    ({"title": {"@language": "en"}}, "$.title"),
    ({"child": "http://id.who.int/icd/entity/5"}, "$.child"),
    ({"child": ["http://id.who.int/icd/entity/5", 7]}, "$.child[1]"),
    ({"child": ["http://elsewhere.example/icd/entity/5"]}, "$.child[0]"),
    ({"parent": {}}, "$.parent"),
    ({"code": 5}, "$.code"),
    ({"definition": []}, "$.definition"),
    ({"exclusion": ["bare"]}, "$.exclusion[0]"),
    ({"exclusion": [{"label": None}]}, "$.exclusion[0].label"),
    ({"exclusion": [{"label": {"@value": "x"}, "foundationReference": 5}]}, "$.exclusion[0].foundationReference"),
    ({"postcoordinationScale": [{}]}, "$.postcoordinationScale[0]"),
    (
        {"postcoordinationScale": [{"axisName": "x", "requiredPostcoordination": []}]},
        "$.postcoordinationScale[0].requiredPostcoordination",
    ),
    ({"relatedEntitiesInMaternalChapter": [5]}, "$.relatedEntitiesInMaternalChapter[0]"),
]


@pytest.mark.parametrize("changes,path", WRONG)
def test_a_wrong_shape_is_named_with_its_place(changes, path):
    with pytest.raises(ResponseShapeError) as caught:
        parse_entity(_with(**changes), asked="http://asked")
    assert caught.value.json_path == path
    assert caught.value.uri == "http://asked"
    assert path in str(caught.value)


@pytest.mark.parametrize("doc", [None, [], "text", 5])
def test_an_answer_that_is_no_object_is_refused(doc):
    with pytest.raises(ResponseShapeError):
        parse_entity(doc)


def test_related_entities_may_come_as_one_text():
    entity = parse_entity(_with(relatedEntitiesInMaternalChapter="http://id.who.int/icd/entity/5"))
    assert entity.references[-1].foundation_id == "5"


@pytest.mark.parametrize(
    "text,release",
    [
        ("http://id.who.int/icd/release/11/2024-01/mms/5", "2024-01"),
        ("http://id.who.int/icd/release/10/2019", "2019"),
        ("http://id.who.int/icd/entity?version=2024-01", "2024-01"),
        ("2024-01", "2024-01"),
        ("http://elsewhere.example/x", "http://elsewhere.example/x"),
    ],
)
def test_the_release_is_found_in_each_of_its_forms(text, release):
    assert release_of(text) == release


def test_a_cluster_gives_its_values_by_axis():
    info = parse_code_info(
        {
            "@id": "http://id.who.int/icd/release/11/2024-01/mms/codeinfo/1A00%26XN62R",
            "code": "1A00&XN62R",
            "stemId": "http://id.who.int/icd/release/11/2024-01/mms/100/unspecified",
            "stemCode": "1A00",
            "infectiousAgent": ["XN62R"],
            "otherPostcoordination": ["XK9J"],
            "note": "kept",
        }
    )
    assert (info.code, info.stem_id, info.stem_code) == ("1A00&XN62R", "100/unspecified", "1A00")
    assert info.values == {"infectiousAgent": ("XN62R",)}
    assert info.other == ("XK9J",)
    assert info.extra["note"] == "kept"


def _recorded(folder):
    for path in sorted(folder.glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def test_every_recorded_entity_and_list_reads_and_writes_back_to_itself(recorded):
    counts = dict.fromkeys(("entities", "lists", "tops", "codes"), 0)
    for path, doc in _recorded(recorded):
        if "codeinfo" in path.name:
            info = parse_code_info(doc)
            assert doc["stemId"].endswith(info.stem_id)
            assert info.code == doc["code"]
            counts["codes"] += 1
        elif "latestRelease" in doc:
            assert release_list_to_json(parse_release_list(doc)) == doc, path.name
            counts["lists"] += 1
        elif "TopLevel" in doc.get("@context", ""):
            assert top_level_to_json(parse_top_level(doc)) == doc, path.name
            counts["tops"] += 1
        elif "@context" in doc:
            written = entity_to_json(parse_entity(doc))
            assert written == doc, path.name
            assert list(written) == list(doc), path.name
            counts["entities"] += 1
    assert counts["entities"] >= 25
    assert counts["lists"] >= 8
    assert counts["tops"] >= 12
    assert counts["codes"] >= 5


def test_the_values_of_a_recorded_entity_stand_in_their_fields(recorded):
    doc = json.loads((recorded / "mms_2025-01_257068234_cholera.json").read_text(encoding="utf-8"))
    entity = parse_entity(doc)
    assert (entity.entity_id, entity.code, entity.title) == ("257068234", "1A00", "Cholera")
    assert entity.definition == doc["definition"]["@value"]
    assert entity.fully_specified_name == doc["fullySpecifiedName"]["@value"]
    assert [axis.axis for axis in entity.axes] == ["infectiousAgent", "associatedWith"]
    assert entity.axes[1].scale_entity_ids[-1] == "1882742628/unspecified"
    assert [term.label for term in entity.terms if term.kind == "index_term"] == [
        t["label"]["@value"] for t in doc["indexTerm"]
    ]
