"""A small corpus in the form of the sample's records, sandboxes that serve it, and the sample without a socket."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
import requests

from icdframes.sandbox import Sandbox, load_corpus
from icdframes.sandbox.app import App
from icdframes.sandbox.corpus import Corpus
from icdframes.sandbox.request_context import HttpRequest
from icdframes.sandbox.sample import corpus_of_records

RELEASES = {
    "mms": {
        "title": {"en": "ICD-11 for Mortality and Morbidity Statistics", "es": "CIE-11"},
        "releases": [
            {"id": "2024-01", "date": "2024-01-21", "languages": ["en", "es", "fr"], "prerelease_languages": ["fr"]},
            {"id": "2022-02", "date": "2022-02-07", "languages": ["en", "es"]},
        ],
    },
    "icf": {"title": {"en": "ICF"}, "releases": [{"id": "2024-01", "date": "2024-01-21", "languages": ["en"]}]},
    "foundation": {
        "title": {"en": "WHO Family of International Classifications Foundation"},
        "releases": [
            {"id": "2024-01", "date": "2024-01-21", "languages": ["en", "es"]},
            {"id": "2022-02", "date": "2022-02-07", "languages": ["en"]},
        ],
    },
    "icd10": {
        "title": {"en": "ICD-10 Version for {release}"},
        "releases": [
            {"id": "2019", "date": "2020-02-01", "languages": ["en"]},
            {"id": "2016", "date": "2016-11-01", "languages": ["en"]},
        ],
    },
}

_AXES = [
    {"axis": "infectiousAgent", "required": False, "allow_multiple": "NotAllowed", "scale": ["90"]},
    {"axis": "specificAnatomy", "required": True, "allow_multiple": "AllowedExceptFromSameBlock", "scale": ["91"]},
    {"axis": "associatedWith", "required": False, "allow_multiple": "AllowAlways", "scale": ["20"]},
]

RECORDS = {
    "mms": [
        {"id": "1", "parent": None, "kind": "chapter", "code": "01",
         "title": {"en": "Infections", "es": "Infecciones"}},
        {
            "id": "10", "parent": "1", "kind": "block", "code": "", "block_id": "BlockL1-1A0",
            "code_range": "1A00-1A0Z", "title": {"en": "Of the gut", "es": "Del intestino"},
        },
        {
            "id": "11", "parent": "10", "kind": "category", "code": "1A00", "title": {"en": "Cholera", "es": "Cólera"},
            "definition": {"en": "A gut infection."}, "diagnostic_criteria": {"en": "Stool."},
            "fully_specified_name": {"en": "Cholera, any", "es": "Cólera, cualquiera"},
            "inclusion": [{"label": {"en": "Asiatic cholera"}}],
            "index_term": [{"label": {"en": "el tor"}, "foundation": "110", "deprecated": True}],
            "exclusion": [{"label": {"en": "Carrier"}, "foundation": "20", "linearization": "20/other"}],
            "maternal": ["30"], "axes": _AXES, "in": {"2022-02": {"title": {"en": "Cholera (old)"}, "code": "1A0A"}},
        },
        {"id": "12", "parent": "10", "kind": "category", "code": "1A01", "title": {"en": "New one"},
         "releases": ["2024-01"]},
        {"id": "10/unspecified", "parent": "10", "kind": "category", "code": "1A0Z",
         "title": {"en": "Gut, unspecified"}},
        {"id": "2", "parent": None, "kind": "chapter", "code": "02", "title": {"en": "Neoplasms"}},
        {"id": "20", "parent": "2", "kind": "category", "code": "2A00", "title": {"en": "Growth"}, "axes": _AXES[:1]},
        {"id": "21", "parent": "20", "kind": "category", "code": "2A00.0", "title": {"en": "Small growth"}},
        {"id": "20/other", "parent": "20", "kind": "category", "code": "2A00.Y", "title": {"en": "Other growth"}},
        {"id": "20/unspecified", "parent": "20", "kind": "category", "code": "2A00.Z", "title": {"en": "Growth, u."}},
        {"id": "9", "parent": None, "kind": "chapter", "code": "X", "title": {"en": "Extension Codes"}},
        {"id": "90", "parent": "9", "kind": "category", "code": "XN1", "title": {"en": "Bacteria"}},
        {"id": "901", "parent": "90", "kind": "category", "code": "XN1A", "title": {"en": "Vibrio"}},
        {"id": "91", "parent": "9", "kind": "block", "code": "", "title": {"en": "Anatomy"}},
        {"id": "910", "parent": "91", "kind": "block", "code": "", "title": {"en": "Gut"}},
        {"id": "911", "parent": "910", "kind": "category", "code": "XA1", "title": {"en": "Colon"}},
        {"id": "912", "parent": "910", "kind": "category", "code": "XA2", "title": {"en": "Ileum"}},
        {"id": "913", "parent": "91", "kind": "category", "code": "XA3", "title": {"en": "Liver"}},
    ],
    "icf": [
        {"id": "5", "parent": None, "kind": "chapter", "code": "b1", "title": {"en": "Mental functions"}},
        {"id": "50", "parent": "5", "kind": "category", "code": "b110", "title": {"en": "Consciousness"}},
    ],
    "foundation": [
        {"id": "448895267", "parents": [], "title": {"en": "ICD Entity"}},
        {"id": "1", "parents": ["448895267"], "title": {"en": "Infections", "es": "Infecciones"}},
        {"id": "10", "parents": ["1"], "title": {"en": "Of the gut"}},
        {"id": "11", "parents": ["10"], "title": {"en": "Cholera"}, "synonym": [{"label": {"en": "Asiatic cholera"}}]},
        {"id": "2", "parents": ["448895267"], "title": {"en": "Neoplasms"}},
        {"id": "20", "parents": ["2"], "title": {"en": "Growth"}},
        {"id": "110", "parents": ["11", "20"], "title": {"en": "El Tor cholera"}},
        {"id": "111", "parents": ["110"], "title": {"en": "Rare cholera"}, "releases": ["2024-01"]},
        {"id": "1405434703", "parents": [], "title": {"en": "ICF Entity"}, "releases": ["2024-01"]},
    ],
    "icd10": [
        {"code": "I", "parent": None, "kind": "chapter", "title": {"en": "Infectious diseases"}},
        {"code": "A00-A09", "parent": "I", "kind": "block", "title": {"en": "Intestinal"}},
        {"code": "A00", "parent": "A00-A09", "kind": "category", "title": {"en": "Cholera"}},
        {"code": "A00.0", "parent": "A00", "kind": "category", "title": {"en": "Classical"}, "releases": ["2019"]},
    ],
}  # fmt: skip


class Api:
    """Sends requests as a client of the ICD API would, with one token."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.http = requests.Session()
        self.headers = {"Accept": "application/json", "Accept-Language": "en", "API-Version": "v2"}
        if sandbox.token_url:
            self.headers["Authorization"] = "Bearer " + self.token().json()["access_token"]

    def token(self, *, auth=None, headers=None, **form):
        data = {"grant_type": "client_credentials", "scope": "icdapi_access"} | form
        if auth is None and headers is None:
            data = {"client_id": self.sandbox.client_id, "client_secret": self.sandbox.client_secret} | data
        data = {key: value for key, value in data.items() if value is not None}
        return self.http.post(self.sandbox.token_url, data=data, auth=auth, headers=headers)

    def get(self, path, *, method="GET", language=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if language:
            named["Accept-Language"] = language
        return self.http.request(method, self.sandbox.url + path, headers=self.headers | named)

    def json(self, path, **options):
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Counter:
    """Asks a corpus without a socket and a token."""

    def __init__(self, served):
        self._desk = App(served, None)

    def answer(self, path, *, method="GET", body=b"", language="en", **query):
        headers = {"API-Version": "v2", "Accept-Language": language, "Content-Type": "application/json"}
        target = f"{path}?{urlencode(query)}" if query else path
        return self._desk.answer(HttpRequest(method, target, headers, body))

    def json(self, path, **how):
        """Return the document of a good answer, the status of another."""
        answer = self.answer(path, **how)
        return json.loads(answer.body) if answer.status == 200 else answer.status


def _without_axes(corpus):
    return Corpus(
        replace(
            listing,
            entities={
                language: {key: replace(entity, axes=()) for key, entity in entities.items()}
                for language, entities in listing.entities.items()
            },
        )
        for listing in corpus
    )


@pytest.fixture(scope="session")
def without_axes():
    return _without_axes


@pytest.fixture(scope="session")
def counter_of():
    return Counter


@pytest.fixture(scope="session")
def sample_counter():
    return Counter(load_corpus())


@pytest.fixture(scope="session")
def corpus():
    return corpus_of_records(RECORDS, RELEASES)


@pytest.fixture
def start(corpus):
    """Start sandboxes that end with the test."""
    running = []

    def begin(served=None, **options):
        running.append(Sandbox(corpus if served is None else served, **options).start())
        return running[-1]

    yield begin
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def talk():
    """Make clients that end with the test."""
    talking = []

    def begin(sandbox):
        talking.append(Api(sandbox))
        return talking[-1]

    yield begin
    for api in talking:
        api.http.close()


@pytest.fixture
def sandbox(start):
    return start()


@pytest.fixture
def api(sandbox, talk):
    return talk(sandbox)
