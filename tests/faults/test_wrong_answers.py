"""Answers to another question than the one asked: an error that names the place, nothing kept, and no empty table."""

import json

import pytest

from icdframes.errors import ResponseShapeError

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
TEXT = {"@language": "en", "@value": "A title"}
CHOLERA = {"@id": f"{MMS}/257068234", "title": TEXT, "code": "1A00", "classKind": "category", "parent": [MMS]}
ROOT = {"@id": MMS, "title": TEXT, "releaseId": "2024-01", "availableLanguages": ["en"], "child": [f"{MMS}/257068234"]}
LISTED = {
    "@id": "http://id.who.int/icd/release/11/mms",
    "title": TEXT,
    "latestRelease": MMS,
    "release": [MMS],
}


def _of(document, **changes):
    return {key: value for key, value in (document | changes).items() if value is not None}


def _elsewhere(document, old, new):
    return json.loads(json.dumps(document).replace(old, new))


def load(client):
    return client.load_tables("1A00", release="2024-01")


def load_all(client):
    return client.load_tables(release="2024-01", depth=0)


def load_newest(client):
    return client.load_tables("1A00")


FOUND = {"error": False, "destinationEntities": [{"id": f"{MMS}/257068234", "title": "Cholera", "theCode": "1A00"}]}
DESCRIBED = {"code": "1A00", "label": "Cholera", "linearizationUri": f"{MMS}/257068234"}
CODE = {"@id": f"{MMS}/codeinfo/1A00", "code": "1A00", "stemId": f"{MMS}/257068234"}
WRONG = {
    "a root that is a leaf entity": ("*/2024-01/mms", _of(CHOLERA, **{"@id": MMS}), load_all, "$.child"),
    "a root without entities": ("*/2024-01/mms", _of(ROOT, child=None), load_all, "$.child"),
    "a root with an empty list": ("*/2024-01/mms", _of(ROOT, child=[]), load_all, "$.child"),
    "an entity for a root": ("*/2024-01/mms", CHOLERA, load_all, "$.@id"),
    "a root of another release": ("*/2024-01/mms", _elsewhere(ROOT, "2024-01", "2019-04"), load_all, "$.@id"),
    "a root that names another release": ("*/2024-01/mms", _of(ROOT, releaseId="2019-04"), load_all, "$.releaseId"),
    "a root of another linearization": ("*/2024-01/mms", _elsewhere(ROOT, "/mms", "/icf"), load_all, "$.@id"),
    "releases of another linearization": ("*/11/mms", _elsewhere(LISTED, "/mms", "/icf"), load_newest, "$.@id"),
    "a list without releases": ("*/11/mms", _of(LISTED, release=[]), load_newest, "$.release"),
    "an entity of another release": ("*/257068234", _elsewhere(CHOLERA, "2024-01", "2019-04"), load, "$.@id"),
    "an entity of another linearization": ("*/257068234", _elsewhere(CHOLERA, "/mms", "/icf"), load, "$.@id"),
    "a foundation entity": ("*/257068234", _of(CHOLERA, **{"@id": "http://id.who.int/icd/entity/257068234"}), load,
                            "$.@id"),
    "the releases of an entity": ("*/257068234", _elsewhere(CHOLERA, "2024-01/", ""), load, "$.@id"),
    "an entity in another language": ("*/257068234", _elsewhere(CHOLERA, '"en"', '"de"'), load, "$.title.@language"),
    "a code of another release": ("*/codeinfo/1A00", _elsewhere(CODE, "2024-01", "2019-04"), load, "$.stemId"),
    "hits of another release": ("*/search", _elsewhere(FOUND, "2024-01", "2019-04"),
                                lambda client: client.search("cholera", release="2024-01"),
                                "$.destinationEntities[*].id"),
    "hits of another linearization": ("*/search", _elsewhere(FOUND, "/mms", "/icf"),
                                      lambda client: client.search("cholera", release="2024-01"),
                                      "$.destinationEntities[*].id"),
    "words for a code of another release": ("*/describe", _elsewhere(DESCRIBED, "2024-01", "2019-04"),
                                            lambda client: client.describe("1A00", release="2024-01"),
                                            "$.linearizationUri"),
    "a match of another release": ("*/autocode",
                                   {"searchText": "cholera", "matchLevel": 0, "theCode": "1A00",
                                    "linearizationURI": f"{MMS}/257068234".replace("2024-01", "2019-04")},
                                   lambda client: client.autocode("cholera", release="2024-01"),
                                   "$.linearizationURI"),
    "a look-up of another release": ("*/lookup", _elsewhere(CHOLERA, "2024-01", "2019-04"),
                                     lambda client: client.lookup("http://id.who.int/icd/entity/257068234",
                                                                  release="2024-01"),
                                     "$.@id"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_an_error_and_never_kept(icd_client, icd_sandbox, name):
    pattern, body, ask, place = WRONG[name]
    icd_sandbox.fail(pattern, body=json.dumps(body), status=200, content_type="application/json", times=None)
    with pytest.raises(ResponseShapeError, match="not kept") as caught:
        ask(icd_client)
    assert caught.value.json_path == place
    kept = icd_client._session._http.cache.responses.values()
    assert not [answer.url for answer in kept if json.loads(answer.content) == body]
    assert icd_client.cache_info().snapshots == 0
    icd_sandbox.clear_faults()
    assert len(load(icd_client).entities) == 1


def test_one_wrong_answer_is_asked_for_again(icd_client, icd_sandbox):
    body = json.dumps(_elsewhere(CHOLERA, "2024-01", "2019-04"))
    icd_sandbox.fail("*/257068234", body=body, status=200, content_type="application/json")
    assert icd_client.load_entity("1A00", release="2024-01").title.tolist() == ["Cholera"]


def test_a_language_may_say_its_region(icd_client, icd_sandbox):
    body = json.dumps(_elsewhere(CHOLERA, '"en"', '"en-GB"'))
    icd_sandbox.fail("*/257068234", body=body, status=200, content_type="application/json", times=None)
    assert icd_client.entity(257068234, release="2024-01").title == "A title"
