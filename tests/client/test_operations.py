"""Every operation and parameter of WHO's OpenAPI document has a home."""

import importlib
import inspect
import json
import re

import pytest

from icdframes.client.endpoints import CodeEndpoint, Foundation, Icd10, Linearization, MortalityEndpoint
from icdframes.client.icd_client import IcdClient
from icdframes.client.operations import OPERATIONS
from icdframes.client.search_endpoint import SearchEndpoint, SearchOptions
from icdframes.errors import IcdError
from icdframes.model.certificate import FIELDS, Certificate
from icdframes.model.certificate_reader import read_certificate

R = "2024-01"
EVERYTHING = SearchOptions(
    subtrees_filter=("http://id.who.int/icd/entity/1",),
    chapter_filter=("01",),
    properties_to_be_searched=("Title",),
)
EVERYTHING_LINEAR = SearchOptions(
    subtrees_filter=("http://id.who.int/icd/entity/1",),
    chapter_filter=("01",),
    properties_to_be_searched=("Title",),
    medical_coding_mode=False,
    include_keyword_result=True,
    subtree_filter_uses_foundation_descendants=True,
)
LONG = "fever " * 400
EXAMPLES = {
    "code": "1A00",
    "uri": "http://id.who.int/icd/release/11/mms/1",
    "duration": "P3D",
    "date": "2020",
    "count": "3",
    "choice": "1",
    "text": "x",
}
FULL = read_certificate({field.name: EXAMPLES[field.kind] for field in FIELDS})
SMALL = read_certificate({"cause_a": "1A00"})
HALVES = tuple(Certificate(FULL.part1, FULL.part2, FULL.values[half::2]) for half in (0, 1))


class RecordingWire:
    """Notes what is sent, and answers with nothing that could be read."""

    def __init__(self):
        self.sent = []

    def get_json(self, path, params=None, *, language="en", refresh=False):
        self.sent.append(("GET", path, set(params or {})))

    def forget(self, path, params=None, *, language="en"):
        """Nothing is kept."""

    def post_json(self, path, params=None, *, body=None, form=None, language="en"):
        assert not params
        self.sent.append(("POST", path, set(form or {})))


def _calls(wire):
    """Every endpoint method with every option."""
    foundation, mms, icd10 = Foundation(wire), Linearization(wire, "mms"), Icd10(wire)
    coding, mortality = CodeEndpoint(wire, "mms"), MortalityEndpoint(wire)
    for text in ("fever", LONG):
        yield lambda text=text: SearchEndpoint(wire, "foundation").search(text, R, options=EVERYTHING)
        yield lambda text=text: SearchEndpoint(wire, "mms").search(text, R, options=EVERYTHING_LINEAR)
    for name in ("foundation", "mms"):
        yield lambda name=name: SearchEndpoint(wire, name).autocode("x", R, subtrees_filter=("u",), match_threshold=0.5)
    yield lambda: foundation.top_level(R)
    yield lambda: foundation.entity("1", R, include=["ancestor"])
    for source, release, key in ((mms, R, "1"), (mms, R, "1/other"), (icd10, "2019", "A00")):
        yield source.releases
        yield lambda source=source, release=release: source.top_level(release)
        yield lambda source=source, release=release, key=key: source.entity(key, release, include=["ancestor"])
        yield lambda source=source, key=key: source.entity_releases(key)
    yield lambda: mms.lookup("u", R)
    yield lambda: coding.codeinfo("1A00&XN0KC", R, flexible=True, terminal_codes=True)
    for text in ("1A00", "http://id.who.int/icd/entity/1"):
        yield lambda text=text: coding.describe(text, R, simplify=True, flexible=True, terminal_codes=True)
    for certificate in (SMALL, *HALVES, FULL, read_certificate({"cause_a": "1A00", "surgery_reason": LONG})):
        yield lambda certificate=certificate: mortality.doris(certificate, R)
        yield lambda certificate=certificate: mortality.codedit(certificate, R)


@pytest.fixture(scope="module")
def sent():
    """Return (method, path template) → parameters that were sent there."""
    wire = RecordingWire()
    for call in _calls(wire):
        with pytest.raises(IcdError):
            call()
    found = {}
    for method, path, names in wire.sent:
        found.setdefault((method, _operation(method, path)), set()).update(names)
    return found


def _operation(method, path):
    known = {
        "id": r"\d+",
        "releaseId": r"\d{4}(?:-\d\d)?",
        "linearizationname": "mms|icf",
        "residual": "other|unspecified",
        "code": r"[A-Z0-9][^/]*",
    }
    fitting = [
        operation.path
        for operation in OPERATIONS
        if operation.method == method
        and re.fullmatch(re.sub(r"\{(\w+)\}", lambda part: f"(?:{known[part[1]]})", operation.path), path)
    ]
    return fitting[0] if len(fitting) == 1 else next(one for one in fitting if "/{releaseId}" in one[-13:])


def test_our_table_is_whos_list_of_operations_and_parameters(recorded):
    document = json.loads((recorded.parent / "openapi.json").read_text(encoding="utf-8"))
    theirs = {
        (method.upper(), path): {one["name"] for one in about.get("parameters", ()) if one["in"] == "query"}
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    }
    ours = {(operation.method, operation.path): set(operation.parameters) for operation in OPERATIONS}
    assert ours == theirs
    assert len(OPERATIONS) == len(ours) == 25


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_an_operation_has_a_method_of_an_endpoint_and_a_documented_one_of_the_client(operation):
    module, *names = operation.endpoint.split(".")
    home = importlib.import_module(f"icdframes.client.{module}")
    for name in names:
        home = getattr(home, name)
    assert callable(home)
    verb = getattr(IcdClient, operation.verb)
    assert inspect.getdoc(verb)
    assert "return" in inspect.get_annotations(verb)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_an_operation_is_sent_with_each_of_its_parameters_and_no_other(operation, sent):
    names = sent[operation.method, operation.path]
    if operation.path.startswith("/icd/release/10"):
        names -= {"include"}  # ICD-10 has none; the caller decides
    assert names == set(operation.parameters)
