"""codeinfo: plain codes, clusters, axes."""

import csv
import re
from urllib.parse import quote

import pytest

from icdframes.sandbox import load_corpus
from icdframes.sandbox.app import App
from icdframes.sandbox.clusters import code_expression, place, terminal
from icdframes.sandbox.request_context import HttpRequest

URL = "/icd/release/11/2024-01/mms/codeinfo"


@pytest.fixture(scope="module")
def mms(corpus):
    return corpus.listing("mms")


def summary(placed):
    return placed and (
        {axis: [v.code for v in vs] for axis, vs in placed.values.items()},
        [v.code for v in placed.other],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1A00", ({}, [])),
        ("01", ({}, [])),
        ("1A00&XN1A", ({"infectiousAgent": ["XN1A"]}, [])),
        ("1A00 & XN1", ({"infectiousAgent": ["XN1"]}, [])),
        ("1A00&XN1&XN1A", ({"infectiousAgent": ["XN1", "XN1A"]}, [])),
        ("1A00&XN1&XN1", ({"infectiousAgent": ["XN1"]}, [])),
        ("2A00/1A00", ({"associatedWith": ["1A00"]}, [])),
        ("2A00.0&XN1A/1A00", ({"associatedWith": ["1A00"]}, ["XN1A"])),
        ("1A00&XA1&XA3", ({"specificAnatomy": ["XA1", "XA3"]}, [])),
        ("1A00&XA1&XA2", ({"specificAnatomy": ["XA1", "XA2"]}, [])),
        ("1A00/2A00/2A00.0", ({"associatedWith": ["2A00", "2A00.0"]}, [])),
        ("1A00&XN1/2A00&XN1A", ({"infectiousAgent": ["XN1"], "associatedWith": ["2A00"]}, [])),
        ("1A00/1A01", ({}, ["1A01"])),
        ("2A00&XA1", ({}, ["XA1"])),
        ("1A00&2A00", None),
        ("1A00&X", None),
        ("1A00&XXXX", None),
        ("9Z99", None),
        ("1A00-1A0Z", None),
        ("1A00/", None),
        ("", None),
    ],
)
def test_values_are_placed_on_the_axes_that_allow_them(mms, text, expected):
    assert summary(place(mms, text)) == expected


def test_extension_codes_after_a_later_stem_belong_to_it(mms):
    placed = place(mms, "1A00/2A00&XN1A&XA1")
    (later,) = placed.values["associatedWith"]
    assert summary(later) == ({"infectiousAgent": ["XN1A"]}, ["XA1"])
    assert not placed.fits
    assert code_expression(placed) == "1A00/2A00&XN1A&XA1"


def test_codes_with_children_change_to_their_unspecified_residual(mms):
    changed = terminal(mms, place(mms, "2A00&XN1A"))
    assert (changed.entity_id, changed.code) == ("20/unspecified", "2A00.Z")
    assert changed.parts[0].code == "XN1A"


def test_a_plain_code_gives_four_keys(api):
    assert api.json(f"{URL}/1A0Z") == {
        "@context": "http://id.who.int/icd/contexts/contextForCodeInfo.json",
        "@id": "http://id.who.int/icd/release/11/2024-01/mms/codeinfo/1A0Z",
        "code": "1A0Z",
        "stemId": "http://id.who.int/icd/release/11/2024-01/mms/10/unspecified",
    }


@pytest.mark.parametrize("text", ["1A00%26XN1A%2F2A00", "1A00&XN1A/2A00"])
def test_a_cluster_may_be_encoded_or_not_and_its_id_is(api, text):
    info = api.json(f"{URL}/{text}")
    assert info["@id"].endswith("/codeinfo/1A00%26XN1A%2F2A00")
    assert list(info)[2:] == ["code", "stemId", "stemCode", "infectiousAgent", "associatedWith"]
    assert (info["code"], info["infectiousAgent"], info["associatedWith"]) == ("1A00&XN1A/2A00", ["XN1A"], ["2A00"])


def test_a_value_off_the_axes_is_not_found_unless_the_mode_is_flexible(api):
    assert api.get(f"{URL}/2A00%26XA1").status_code == 404
    info = api.json(f"{URL}/2A00%26XA1?flexiblemode=true")
    assert (info["stemCode"], info["otherPostcoordination"]) == ("2A00", ["XA1"])
    assert api.get(f"{URL}/2A00%26XXXX?flexiblemode=true").status_code == 404


def test_terminal_codes_are_given_on_request(api):
    assert api.json(f"{URL}/2A00?convertToTerminalCodes=true")["stemId"].endswith("/20/unspecified")
    assert api.json(f"{URL}/2A00")["stemId"].endswith("/20")


VERDICTS = [
    ("BA41.0", True), ("5A10&XY6M", False), ("5A11/5A23", True), ("5A23/5A11", True), ("/BA41.0", False),
    ("BA41.0/", False), ("BA41.0&", False), ("BA41.0&&XK8G", False), ("XK8G", True), ("/", False),
    ("BA41.0&XK8G", False), ("BA41.0&5A11", False), ("9D90.7&XK8G&XK9J", True), ("ZZZZZZ&XK8G", False),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "is_valid"), VERDICTS)
def test_clusters_of_the_sample_are_judged_as_who_judges_them(expression, is_valid, sample_counter):
    """Verdicts of WHO's FHIR service, release 2026-06, for these clusters or others of the same kind."""
    answer = sample_counter.json(f"{URL}/{quote(expression, safe='')}")
    assert (answer != 404) is is_valid


def test_all_verdicts_of_who_on_codes_of_the_sample_are_met(full_size):
    lines = (full_size.parent / "icd-api" / "facts" / "who_cluster_verdicts_2026-06.tsv").read_text(encoding="utf-8")
    met = 0
    for row in csv.DictReader(lines.splitlines(), delimiter="\t"):
        listing = load_corpus().listing(row["system"].rpartition("/")[2])
        expression = row["expression"]
        if all(code in listing.by_code for code in re.split("[&/]", expression) if code):
            placed = place(listing, expression)
            assert (placed is not None and placed.fits) is (row["who_says_valid"] == "true"), row
            met += 1
    assert met >= 8


@pytest.mark.parametrize(
    ("code", "status"),
    [("1A00", 200), ("XN1A", 200), ("1A00%26XXXX", 404), ("1A00%26XN1A", 501), ("1A00%26XN1A?flexiblemode=true", 200)],
)
def test_a_corpus_without_axes_says_so_and_takes_clusters_apart_all_the_same(code, status, corpus, without_axes):
    request = HttpRequest("GET", f"{URL}/{code}", {"API-Version": "v2", "Accept-Language": "en"})
    answer = App(without_axes(corpus), None).answer(request)
    assert answer.status == status
    assert (b"its corpus has no postcoordination axes" in answer.body) is (status == 501)
    assert App(corpus, None).answer(request).status == (200 if status == 501 else status)
