"""The sandbox against WHO's own OpenAPI document (v2.6.0), driven by schemathesis.

WHO's document is not ours to copy: it is read from ICDFRAMES_TEST_OPENAPI, or from beside the project.
Where WHO's service is known to differ from its document, `DEVIATIONS` says how and why.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

from icdframes.client.operations import OPERATIONS
from icdframes.sandbox import Sandbox

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from schemathesis.checks import not_a_server_error  # noqa: E402  after the skip
from schemathesis.specs.openapi import checks as openapi_checks  # noqa: E402  after the skip

DOCUMENT = Path(
    os.environ.get("ICDFRAMES_TEST_OPENAPI", Path(__file__).parents[3] / "shared" / "icd-api" / "openapi.json")
)
CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
TEXT = {"type": "string", "nullable": True}
TEXTS = {"type": "array", "items": {"type": "string"}, "nullable": True}

# (schema, property, what it is in truth, reason)
DEVIATIONS = [
    *(
        (schema, key, TEXT, "every recorded JSON-LD answer has it; the document leaves it out of this schema")
        for schema in ("FoundationEntity", "MultiVersion", "CodeInfo", "ICD10Entity")
        for key in ("@context", "@id")
    ),
    ("PostcoordinationScaleInfo", "@id", TEXT, "recorded in every scale"),
    ("TopLevelFoundation", "includedLinearizations", TEXTS, "the document calls it supportedLinearizations"),
    ("TopLevelFoundation", "supportedLinearizations", None, "the wire says includedLinearizations"),
    ("ICD10Entity", "parent", TEXTS, "a list on the wire, a string in the document"),
    (
        "FoundationEntity",
        "relatedEntitiesInMaternalChapter",
        TEXTS,
        "occurs, but is documented for linearizations only",
    ),
    (
        "FoundationEntity",
        "relatedEntitiesInPerinatalChapter",
        TEXTS,
        "occurs, but is documented for linearizations only",
    ),
    ("CodeInfo", "otherPostcoordination", TEXTS, "flexible mode puts there what fits no axis (release notes 2.2)"),
]
NOT_FOUND_TOO = {
    "/icd/entity": "an unknown release or language is 404 everywhere, documented here or not",
    "/icd/entity/search": "likewise",
    "/icd/entity/autocode": "likewise",
    "/icd/release/11/{releaseId}/{linearizationname}/search": "likewise",
    "/icd/release/11/{releaseId}/{linearizationname}/autocode": "likewise",
    "/icd/release/11/{releaseId}/doris": "likewise",
    "/icd/release/11/{releaseId}/codedit": "likewise",
    "/icd/release/10": "likewise",
}

LINEAR = "http://id.who.int/icd/release/11/2024-01/mms"
CODES = ["1A00", "1A00&XN62R", "2C25&XH74S1&XK8G", "5A11/5A20", "7A23/8B20", "8B20&XK8G", "1A00/5A11", "CA40.Y", "ZZZZ"]
URIS = [f"{LINEAR}/257068234", "http://id.who.int/icd/entity/119724091", f"{LINEAR}/142052508/unspecified"]
WORDS = ["stroke", "pneumo%", "stroke left", "fever of unknown origin", "", "%"]
CERTIFICATE = {
    "ICDVersion": "ICD11",
    "AdministrativeData": {"Sex": 1, "DateBirth": "1950"},
    "Part1": [{"Conditions": [{"Code": "8B20"}]}, {"Conditions": [{"LinearizationURI": URIS[1], "Interval": "P5Y"}]}],
    "Part2": {"Conditions": [{"Code": "ZZZZ"}]},
}
# Values that the sample has, so that most answers have something to say.
VALUES = {
    "API-Version": ["v2"],
    "Accept-Language": ["en", "es", "fr"],
    "linearizationname": ["mms", "icf"],
    "residual": ["other", "unspecified"],
    "foundationUri": [*URIS[1:2], "http://id.who.int/icd/entity/1205958647", "http://id.who.int/icd/entity/1"],
    "uri": [*URIS, " & ".join((URIS[0], f"{LINEAR}/802386629"))],
    "include": ["ancestor", "descendant, diagnosticCriteria"],
    "subtreesFilter": [URIS[0], ",".join(URIS)],
    "chapterFilter": ["01", "12;08"],
    "propertiesToBeSearched": ["Title", "Definition,Exclusion", "Synonym,IndexTerm"],
    "q": WORDS,
    "searchText": WORDS,
}
RELEASES = {"10": ["2019", "2016"], "11": ["2024-01", "2022-02"]}


def known_values(path, name):
    icd10 = path.startswith("/icd/release/10")
    if name == "releaseId":
        return RELEASES["10" if icd10 else "11"]
    if name == "code":
        return ["I", "A00", "A00-A09", "A00.0"] if icd10 else CODES
    if name == "id":
        return ["142052508", "135352227"] if path.endswith("{residual}") else ["257068234", "119724091", "142052508"]
    if name.startswith("causeOfDeathCode"):
        return [*CODES, "1A00,5A11"]
    return URIS if name.startswith("causeOfDeathUri") else VALUES.get(name)


def corrected(document):
    """WHO's document with what is known of WHO's service."""
    schemas = document["components"]["schemas"]
    for schema, key, truth, _ in DEVIATIONS:
        if truth is None:
            del schemas[schema]["properties"][key]
        else:
            schemas[schema]["properties"][key] = truth
    for path in NOT_FOUND_TOO:
        for operation in document["paths"][path].values():
            operation["responses"]["404"] = {"description": "Not found"}
    return document


def with_known_values(document):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if values := known_values(path, parameter["name"]):
                    parameter["schema"] = {"type": "string", "enum": values}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["schema"] = {"enum": [CERTIFICATE, {}, [CERTIFICATE], {"Part1": 1}]}
    return document


def original():
    if not DOCUMENT.is_file():
        pytest.skip(f"WHO's OpenAPI document is not at {DOCUMENT} (ICDFRAMES_TEST_OPENAPI names another place)")
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def served():
    """A sandbox of the sample, and the headers that it wants."""
    with Sandbox() as sandbox, requests.Session() as http:
        form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        token = http.post(sandbox.token_url, data=form).json()["access_token"]
        yield sandbox.url, {"Authorization": f"Bearer {token}", "API-Version": "v2", "Accept-Language": "en"}, http


def drive(document, row, served, *, free, mode, examples):
    """Send generated requests for an operation and give the count of each status."""
    url, headers, http = served
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    strategy = schema[row.path][row.method].as_strategy(generation_mode=mode)
    statuses = Counter()

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def run(case):
        given_headers = {} if free else {"Accept-Language": case.headers.get("Accept-Language", "en")}
        answer = case.call(session=http, headers={**headers, **given_headers})
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=[not_a_server_error] if free else CHECKS)

    run()
    return statuses


IDS = [f"{row.method} {row.path}" for row in OPERATIONS]


def test_the_document_has_our_operations_and_no_others():
    listed = {(method.upper(), path) for path, item in original()["paths"].items() for method in item}
    assert listed == {(row.method, row.path) for row in OPERATIONS}
    assert len(listed) == 25


def test_every_deviation_is_still_one():
    schemas = original()["components"]["schemas"]
    for schema, key, truth, _ in DEVIATIONS:
        documented = schemas[schema]["properties"].get(key)
        assert documented != truth, (schema, key)
        assert documented is None or truth is None or documented["type"] != truth["type"], (schema, key)
    for path in NOT_FOUND_TOO:
        assert all("404" not in operation["responses"] for operation in original()["paths"][path].values()), path


@pytest.mark.slow
@pytest.mark.parametrize("row", OPERATIONS, ids=IDS)
def test_answers_are_as_the_document_and_the_named_deviations_have_them(row, served):
    document = with_known_values(corrected(original()))
    mode = schemathesis.GenerationMode.POSITIVE
    statuses = drive(document, row, served, free=False, mode=mode, examples=25)
    assert statuses[200], statuses


@pytest.mark.slow
@pytest.mark.parametrize("row", OPERATIONS, ids=IDS)
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_no_request_makes_a_server_error(row, mode, served):
    if mode == "NEGATIVE" and not row.parameters and "{" not in row.path:
        pytest.skip("there is nothing to get wrong but the headers")
    mode = schemathesis.GenerationMode[mode]
    statuses = drive(original(), row, served, free=True, mode=mode, examples=15)
    assert max(statuses) < 500
