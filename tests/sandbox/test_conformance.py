"""Cluster expressions and the verdict that the rules of ICD-11 give, one row each, against the sample.

The idea is that of aehrc's conformance suite; the expressions are ours. The rules:
an extension code follows ``&`` and belongs to the stem before it; ``/`` begins another stem, and either must be a
value of an axis of the other; a value is a scale entity of the axis or stands below one; WHO's service takes several
values whatever ``allow_multiple`` says, and a repeated one once; chapters and blocks are no members.
A third column says which axes are filled, in order.
"""

import pytest
import requests

from icdframes.sandbox import Sandbox

ROOT = "/icd/release/11/2024-01/mms"
HEADERS = {"API-Version": "v2", "Accept-Language": "en"}

VALID = [
    # expression, axes, reason
    ("1A00", "", "a stem code alone"),
    ("XN62R", "", "an extension code alone can be looked up"),
    ("CA40.Z", "", "a residual category is a stem code like any other"),
    ("12", "", "a chapter has a code and stands alone"),
    ("7A23", "", "a code is valid without the value that its required axis wants"),
    ("1A00&XN62R", "infectiousAgent", "a scale entity itself"),
    ("1A00&XN8P1", "infectiousAgent", "another scale entity of the axis"),
    ("1A00 & XN62R", "infectiousAgent", "blanks around & do not count"),
    ("1A00&XN62R&XN8P1", "infectiousAgent", "two values on an axis of AllowAlways"),
    ("1A00/MG52", "associatedWith", "a stem that is a scale entity"),
    ("1A00/MG5Y", "associatedWith", "a residual that is a scale entity"),
    ("1A00/MG5Z", "associatedWith", "the unspecified residual too"),
    ("1A00/MG53/MG55", "associatedWith", "two further stems on one axis"),
    ("1A00&XN62R/MG52", "infectiousAgent associatedWith", "an extension and a further stem"),
    ("1A00/MG52/MG53/MG5Z", "associatedWith", "AllowAlways has no upper limit"),
    ("1A03.3&XN5NF", "infectiousAgent", "the one agent of the axis"),
    ("1B10&XN2NR", "infectiousAgent", "a genus without species below it"),
    ("1B10&XN2NR/MG52", "infectiousAgent associatedWith", "resistance as a further stem"),
    ("1B13/MG52", "associatedWith", "the same scale with another stem"),
    ("1B12.Y&XA6KU8", "specificAnatomy", "anatomy three levels below the scale entity; the stem is a residual"),
    ("1C80&XN6R5", "infectiousAgent", "a genus below the scale entity Virus"),
    ("1C80&XN1EN", "infectiousAgent", "a species deeper below Virus"),
    ("1C80&XN3BH", "infectiousAgent", "Virus itself"),
    ("2B81&XH74S1", "histopathology", "histology below a scale that has no code"),
    ("2C25&XH74S1", "histopathology", "the same with another stem"),
    ("2C25&XK8G", "laterality", "one side"),
    ("2C25&XK70", "laterality", "an unspecified side is a side"),
    ("2C25&XH74S1&XK8G", "histopathology laterality", "one value on each of two axes"),
    ("2C25&XK8G&XH74S1", "laterality histopathology", "the order of extension codes does not matter"),
    ("2C25.1&XK9K", "laterality", "a child has axes of its own"),
    ("2C61&XK9J", "laterality", "both sides in one value"),
    ("5A11/5A20", "hasManifestation", "a manifestation below a scale block"),
    ("5A11/5A22.3", "hasManifestation", "deeper below the block"),
    ("5A11/9D90", "hasManifestation", "a scale entity that is a category"),
    ("5A11/9D90.6", "hasManifestation", "below that category"),
    ("5A11/5A20/9D90", "hasManifestation", "two manifestations"),
    ("5A11/9D90.7&XK8G", "hasManifestation", "an extension after a later stem belongs to that stem"),
    ("6A72&XS5W", "hasSeverity", "a grade of severity"),
    ("7A00&XT8W", "course", "a course"),
    ("7A00&XS25&XT8W", "hasSeverity course", "severity and course"),
    ("7A23/CA23", "hasCausingCondition", "a required axis filled from a scale chapter"),
    ("7A23/CA40.0Z", "hasCausingCondition", "a residual deep in the scale chapter"),
    ("8B20&XK8G", "laterality", "the side of a stroke"),
    ("CA40&XN6P4", "infectiousAgent", "a bacterium on the axis of pneumonia"),
    ("CA40&XN6P4&XS25", "infectiousAgent hasSeverity", "agent and severity"),
    ("CA40.1&XN1EN", "infectiousAgent", "viral pneumonia with its virus"),
    ("NE84&XA6KU8", "specificAnatomy", "the transplanted organ"),
    ("AB00&XT5R", "course", "one course"),
    ("2C25&XK8G&XK9K", "laterality", "two sides, though the axis says NotAllowed: WHO takes them"),
    ("2C25&XK8G&XK8G", "laterality", "the same side twice counts once"),
    ("5A20/5A11", "hasCausingCondition", "the manifestation first: WHO takes either order"),
    ("6A72&XS5W&XS25", "hasSeverity", "two grades of severity"),
    ("7A00&XT5R&XT8W", "course", "two courses of one block"),
]

INVALID = [
    # expression, flexible mode, reason
    ("", 404, "nothing"),
    ("9Z99", 404, "no such code"),
    ("1a00", 404, "codes are written in capitals"),
    ("1A00-1A0Z", 404, "a range is a block, not a code"),
    ("1A00&", 404, "nothing after &"),
    ("1A00/", 404, "nothing after /"),
    ("&XN62R", 404, "nothing before &"),
    ("1A00&&XN62R", 404, "nothing between two &"),
    ("1A00&XN99Z", 404, "no such extension code"),
    ("1A00&MG52", 404, "a stem code cannot follow &"),
    ("1A00/XN62R", 404, "an extension code cannot follow /"),
    ("XN62R&XK8G", 404, "an extension code cannot carry another"),
    ("XN62R/1A00", 404, "an extension code cannot be the first stem"),
    ("XN62R&1A00", 404, "stem and extension are the wrong way round"),
    ("1A00&X", 404, "the chapter of extension codes is none itself"),
    ("7A23/12", 404, "a chapter is no member of a cluster, though it is the scale entity"),
    ("12/CA23", 404, "a chapter is no stem of a cluster"),
    ("1A00&XK8G", 200, "cholera has no laterality"),
    ("1A00&XN6P4", 200, "an agent, but not of cholera"),
    ("1A00&XN7N1", 200, "above the scale entities is not below one"),
    ("1A00/5A11", 200, "diabetes is nothing that cholera is associated with"),
    ("1A03.3&XN62R", 200, "the agent of another infection"),
    ("1C80&XN62R", 200, "a bacterium where a virus is wanted"),
    ("CA40.1&XN6P4", 200, "a bacterium with viral pneumonia"),
    ("2B81&XK8G", 200, "the appendix has no side"),
    ("2C25.1&XH74S1", 200, "the histology is in the code already; the child has no such axis"),
    ("2C25.2&XH74S1", 200, "a child without axes"),
    ("5A11/8B20", 200, "not among the manifestations"),
    ("5A11/9D90&XK8G", 200, "9D90 has no laterality, only its child 9D90.7 has"),
    ("5A11/5A20&XK8G", 200, "an extension that fits no axis of the later stem"),
    ("5A11&XS5W/5A20", 200, "one value fits, the other does not"),
    ("6A72&XT8W", 200, "a severity axis takes no course"),
    ("8B20/1A00", 200, "cholera is no manifestation of a stroke"),
    ("1B12.Y&XK8G", 200, "laterality is no anatomy"),
    ("CA40.Z&XN6P4", 200, "residuals do not inherit the axes of their parent"),
    ("1A00&XY6M", 200, "present on admission is on no axis of the stem"),
]


@pytest.fixture(scope="module")
def ask():
    with Sandbox(authenticate=False) as sandbox, requests.Session() as http:
        yield lambda path, **query: http.get(f"{sandbox.url}{ROOT}/{path}", params=query, headers=HEADERS)


def test_there_are_enough_of_both_kinds():
    assert len(VALID) + len(INVALID) >= 80
    assert len({text for text, *_ in (*VALID, *INVALID)}) == len(VALID) + len(INVALID)


@pytest.mark.parametrize("text, axes, reason", VALID, ids=[row[0] for row in VALID])
def test_a_valid_expression_is_taken_apart(ask, text, axes, reason):
    info, described = ask(f"codeinfo/{requests.utils.quote(text, safe='')}"), ask("describe", code=text)
    assert (info.status_code, described.status_code) == (200, 200), reason
    about = {"@context", "@id", "code", "stemId", "stemCode", "simplifiedCode", "simplifiedStemCode"}
    assert [key for key in info.json() if key not in about] == axes.split(), reason
    sets = described.json().get("postcoordinationValues", [])
    assert [item["axisName"].rpartition("/")[2] for item in sets] == axes.split(), reason
    for item in sets:
        axis = item["axisName"].rpartition("/")[2]
        assert [value["code"] for value in item["values"]] == info.json()[axis], reason


@pytest.mark.parametrize("text, flexible, reason", INVALID, ids=[row[0] or "nothing" for row in INVALID])
def test_an_invalid_expression_is_refused_and_flexible_mode_takes_what_only_fits_no_axis(ask, text, flexible, reason):
    path = f"codeinfo/{requests.utils.quote(text, safe='')}"
    assert (ask(path).status_code, ask("describe", code=text).status_code) == (404, 404), reason
    info, described = ask(path, flexiblemode="true"), ask("describe", code=text, flexiblemode="true")
    assert (info.status_code, described.status_code) == (flexible, flexible), reason
