"""Whatever stands in a known field of an answer: it is read and fits into tables, or it is refused by name."""

from __future__ import annotations

import copy
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import ResponseShapeError, ServerError
from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance
from icdframes.frames.results import (
    AUTOCODE,
    CODEDIT,
    CODEINFO,
    DESCRIBE,
    DORIS,
    autocode_fields,
    codedit_fields,
    codeinfo_fields,
    describe_fields,
    doris_fields,
    verdict_table,
)
from icdframes.frames.search_tables import build_search_tables
from icdframes.model.decode import parse_entity, parse_release_list, parse_top_level
from icdframes.model.decode_responses import (
    parse_autocode,
    parse_certificate_check,
    parse_code_info,
    parse_postcoordination_set,
    parse_search,
    parse_underlying_cause,
)
from icdframes.model.entity import EntityGraph
from icdframes.model.responses import Outcome

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
FOUNDATION = "http://id.who.int/icd/entity"
PROVENANCE = Provenance("http://127.0.0.1", "mms", "2024-01")


def _text(value):
    return {"@language": "en", "@value": value}


LINKED = {
    "label": _text("Elsewhere"),
    "foundationReference": f"{FOUNDATION}/7",
    "linearizationReference": f"{MMS}/8/other",
}
ENTITY = {
    "@id": f"{MMS}/100",
    "parent": [f"{MMS}/10"],
    "child": [f"{MMS}/101", f"{MMS}/100/other"],
    "ancestor": [f"{MMS}/10", f"{MMS}/1"],
    "descendant": [f"{MMS}/101"],
    "browserUrl": "https://icd.who.int/browse/2024-01/mms/en#100",
    "code": "1Z00",
    "blockId": "BlockL1-1A0",
    "codeRange": "1A00-1A0Z",
    "source": f"{FOUNDATION}/100",
    "classKind": "category",
    "title": _text("Made up"),
    **{
        key: _text("Ours.")
        for key in ("fullySpecifiedName", "definition", "longDefinition", "codingNote", "diagnosticCriteria")
    },
    **{key: [LINKED] for key in ("synonym", "narrowerTerm", "inclusion", "exclusion", "foundationChildElsewhere")},
    "indexTerm": [{**LINKED, "deprecated": True}],
    "relatedEntitiesInMaternalChapter": [f"{FOUNDATION}/5"],
    "relatedEntitiesInPerinatalChapter": f"{FOUNDATION}/5",
    "postcoordinationScale": [
        {
            "axisName": "http://id.who.int/icd/schema/laterality",
            "requiredPostcoordination": "true",
            "allowMultipleValues": "NotAllowed",
            "scaleEntity": [f"{MMS}/9"],
        }
    ],
}
TOP = {
    "@id": MMS,
    "title": _text("ICD-11"),
    "releaseId": "2024-01",
    "releaseDate": "2024-01-21",
    "availableLanguages": ["en", "es"],
    "prereleaseLanguages": ["fr"],
    "allReleases": [f"{FOUNDATION}?version=2024-01"],
    "child": [f"{MMS}/10"],
    "browserUrl": "NA",
}
RELEASES = {
    "@id": "http://id.who.int/icd/release/11/mms",
    "title": _text("ICD-11"),
    "latestRelease": MMS,
    "release": [MMS, "http://id.who.int/icd/release/11/2023-01/mms"],
}
HIT = {
    "id": f"{MMS}/1",
    "stemId": f"{MMS}/1",
    "title": "<em class='found'>Fever</em>",
    "theCode": "MG26",
    "score": 0.5,
    "chapter": "21",
    "isLeaf": True,
    "isResidualOther": False,
    "isResidualUnspecified": False,
    "postcoordinationAvailability": 1,
    "entityType": 0,
    "important": True,
    "titleIsASearchResult": True,
    "titleIsTopScore": True,
    "hasCodingNote": False,
    "hasMaternalChapterLink": False,
    "hasPerinatalChapterLink": False,
    "matchingPVs": [
        {
            "label": "fever",
            "propertyId": "Synonym",
            "score": 1.0,
            "important": True,
            "foundationUri": f"{FOUNDATION}/1",
            "propertyValueType": 0,
        }
    ],
    "propertiesTruncated": False,
    "descendants": [{"id": f"{MMS}/2", "title": "Below", "score": 0.1}],
}
SEARCH = {
    "error": False,
    "errorMessage": None,
    "destinationEntities": [HIT],
    "words": [{"label": "fever", "dontChangeResult": True}],
    "resultChopped": False,
    "wordSuggestionsChopped": False,
}
MATCH = {
    "searchText": "fever",
    "matchingText": "Fever",
    "theCode": "MG26",
    "foundationURI": f"{FOUNDATION}/1",
    "linearizationURI": f"{MMS}/1",
    "matchLevel": 0,
    "matchScore": 1.0,
    "matchType": 0,
    "isTitle": True,
}
CODE = {
    "@id": f"{MMS}/codeinfo/1A00",
    "code": "1A00%26XN62R",
    "stemId": f"{MMS}/100/unspecified",
    "stemCode": "1A00",
    "simplifiedCode": "1A00",
    "simplifiedStemCode": "1A00",
    "infectiousAgent": ["XN62R"],
    "otherPostcoordination": ["XK9J"],
}
DESCRIBED = {
    "code": "1A00&XN62R",
    "label": "Cholera",
    "linearizationUri": f"{MMS}/1 & {MMS}/2",
    "foundationUri": f"{FOUNDATION}/1 & {FOUNDATION}/2",
    "stemCode": "1A00",
    "stemLabel": "Cholera",
    "stemLinearizationUri": f"{MMS}/1",
    "stemFoundationUri": f"{FOUNDATION}/1",
    "postcoordinationValues": [
        {"axisName": "http://id.who.int/icd/schema/infectiousAgent", "values": [{"code": "XN62R", "label": "El Tor"}]}
    ],
}
CAUSE = {
    "code": "1A00",
    "stemCode": "1A00",
    "uri": f"{MMS}/1",
    "stemURI": f"{MMS}/1",
    "reject": False,
    "error": "none",
    "warning": "none",
    "report": "SP3",
    "tabularReport": "SP3;1A00",
}
CHECK = {"issueIds": "1,2;3", "report": "two issues", "tabularReport": "1;2"}


def _tables_of_entity(doc):
    entity = parse_entity(doc)
    return build_tables(EntityGraph((entity.entity_id,), {entity.entity_id: entity}), PROVENANCE, chapters={})


def _tables_of_search(doc):
    return build_search_tables([("fever", Outcome(answer=parse_search(doc)))], PROVENANCE)


def _row(parse, columns, fields):
    def read(doc):
        return verdict_table(columns, None, [Outcome(answer=parse(doc))], fields, index=pd.RangeIndex(1))

    return read


READERS = {
    "entity": (_tables_of_entity, ENTITY),
    "top level": (parse_top_level, TOP),
    "releases": (parse_release_list, RELEASES),
    "search": (_tables_of_search, SEARCH),
    "autocode": (_row(parse_autocode, AUTOCODE[1:], autocode_fields), MATCH),
    "codeinfo": (_row(parse_code_info, CODEINFO[1:], codeinfo_fields), CODE),
    "describe": (_row(parse_postcoordination_set, DESCRIBE[1:], describe_fields), DESCRIBED),
    "doris": (_row(parse_underlying_cause, DORIS, doris_fields), CAUSE),
    "codedit": (_row(parse_certificate_check, CODEDIT, codedit_fields), CHECK),
}


def _places(doc, steps=()):
    """Every place in a document, as the steps that lead there."""
    inside = doc.items() if isinstance(doc, dict) else enumerate(doc) if isinstance(doc, list) else ()
    for step, value in inside:
        yield (*steps, step)
        yield from _places(value, (*steps, step))


def _nested(opening, closing, levels=400):
    return json.loads(opening * levels + "0" + closing * levels)


PLACES = [(name, steps) for name, (_, doc) in READERS.items() for steps in _places(doc)]
ODD = [
    {}, [], [[]], [{}], [None], "", " ", "\ud800", "\x00", "true", -1, 0.5, 1e308, 2**53, 10**400, float("nan"),
    float("inf"), float("-inf"), MMS, f"{FOUNDATION}/5", f"{MMS}/٣", "http://[", "http://id.who.int:x/", "%ff%00",
    {"@value": None}, {"@value": "x", "@language": 5}, {"label": _text("x")}, _nested("[", "]"), _nested('{"a":', "}"),
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=5,
)


def _with(doc, steps, value):
    doc = copy.deepcopy(doc)
    place = doc
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return doc


def _read(name, doc):
    """Read an answer; only these two are how it may be refused."""
    try:
        return READERS[name][0](doc)
    except ResponseShapeError as error:
        return error
    except ServerError:
        assert (name, doc["error"]) == ("search", True)
        return None


@pytest.mark.parametrize("name", READERS)
def test_the_answers_of_these_tests_are_good(name):
    assert not isinstance(_read(name, READERS[name][1]), ResponseShapeError)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:20] if isinstance(odd, str | int | float) else None)
def test_an_odd_value_in_any_known_field_is_read_or_refused(odd):
    for name, steps in PLACES:
        _read(name, _with(READERS[name][1], steps, odd))


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.sampled_from(PLACES), JSON)
def test_any_value_in_any_known_field_is_read_or_refused(place, value):
    name, steps = place
    _read(name, _with(READERS[name][1], steps, value))


@settings(deadline=None)
@given(st.sampled_from(sorted(READERS)), JSON)
def test_any_json_at_all_is_read_or_refused(name, doc):
    _read(name, doc)


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("search", ('{"destinationEntities":[', '{"descendants":[', "]}", "]}")),
        ("describe", ("", '{"postcoordinationValues":[{"values":[', "]}]}", "")),
    ],
)
def test_what_is_nested_without_end_is_refused(name, levels):
    begin, opening, closing, end = levels
    doc = json.loads(f"{begin}{opening * 200}{closing * 200}{end}")
    assert "nested less deeply" in str(_read(name, doc))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(2**53)], ids=["nan", "inf", "huge", "2^53"])
@pytest.mark.parametrize(("name", "field"), [("autocode", "matchLevel"), ("autocode", "matchScore")])
def test_a_number_that_no_column_holds_is_refused_by_name(name, field, value):
    refused = _read(name, _with(READERS[name][1], (field,), value))
    assert f"$.{field} should be a number" in str(refused)
