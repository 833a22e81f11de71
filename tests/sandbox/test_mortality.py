"""DORIS and CoDEdit by the sandbox's own simple rules."""

import json

import pytest

from icdframes.model.certificate_reader import read_certificate
from icdframes.sandbox import load_corpus

RELEASE = "/icd/release/11/2024-01"
LINEAR = "http://id.who.int/icd/release/11/mms"


def _read(answer):
    return json.loads(answer.body) if answer.status == 200 else (answer.status, answer.body.decode())


@pytest.fixture(scope="module")
def get(sample_counter):
    return lambda engine, **query: _read(sample_counter.answer(f"{RELEASE}/{engine}", **query))


@pytest.fixture(scope="module")
def post(sample_counter):
    def posted(engine, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return _read(sample_counter.answer(f"{RELEASE}/{engine}", method="POST", body=content))

    return posted


def test_the_lowest_filled_line_is_the_underlying_cause(get):
    answer = get("doris", sex=1, estimatedAge="P60Y", causeOfDeathCodeA="8B20", causeOfDeathCodeB="5A11/5A20,1A00")
    assert list(answer) == [
        "stemCode", "stemURI", "code", "uri", "report", "tabularReport", "reject", "error", "warning",
    ]  # fmt: skip
    assert (answer["stemCode"], answer["code"]) == ("5A11", "5A11/5A20")
    assert answer["stemURI"] == "http://id.who.int/icd/entity/119724091"
    assert answer["uri"] == f"{LINEAR}/119724091 / {LINEAR}/463969617"
    assert (answer["reject"], answer["error"], answer["warning"]) == (False, None, None)
    assert answer["tabularReport"].splitlines()[1:] == [
        "A\t8B20\tStroke not known if ischaemic or haemorrhagic",
        "B\t5A11/5A20\tType 2 diabetes mellitus / Diabetic hyperosmolar hyperglycaemic state",
        "B\t1A00\tCholera",
    ]


def test_every_answer_says_that_it_is_not_whos(get):
    assert "not WHO's DORIS" in get("doris", causeOfDeathCodeA="8B20")["report"]
    assert "not WHO's DORIS" in get("doris")["error"]
    assert "not WHO's CoDEdit" in get("codedit", causeOfDeathCodeA="8B20")["report"]


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        ({"causeOfDeathCodeA": "8B20"}, "8B20"),
        ({"causeOfDeathCodeA": "8B20", "causeOfDeathCodeE": "1A00"}, "1A00"),
        ({"causeOfDeathCodeA": "8B20", "causeOfDeathCodePart2": "1A00"}, "8B20"),
        ({"causeOfDeathCodeA": "8B20", "causeOfDeathCodeB": " , "}, "8B20"),
        ({"causeOfDeathUriA": f"{LINEAR}/257068234"}, "1A00"),
        ({"causeOfDeathUriA": "http://id.who.int/icd/entity/257068234"}, "1A00"),
        ({"causeOfDeathUriA": f"{LINEAR}/257068234 & {LINEAR}/802386629"}, "1A00&XN62R"),
        ({"causeOfDeathCodeA": "CA40.Z"}, "CA40.Z"),
    ],
)
def test_codes_and_uris_are_read(get, causes, code):
    answer = get("doris", **causes)
    assert (answer["code"], answer["reject"]) == (code, False)


def test_a_residual_is_named_by_its_linearization_uri(get):
    assert get("doris", causeOfDeathCodeA="CA40.Z")["stemURI"] == f"{LINEAR}/142052508/unspecified"


@pytest.mark.parametrize(
    ("causes", "reason"),
    [
        ({}, "Part 1 is empty."),
        ({"causeOfDeathCodePart2": "1A00"}, "Part 1 is empty."),
        ({"causeOfDeathCodeA": "ZZZZ"}, "'ZZZZ' on line A is no code of 2024-01."),
        ({"causeOfDeathCodeA": "01"}, "'01' on line A is no code of 2024-01."),
        ({"causeOfDeathCodeA": "1A00", "causeOfDeathCodeB": "ZZZZ,1A00"}, "'ZZZZ' on line B"),
        ({"causeOfDeathUriA": "nonsense"}, "'nonsense' on line A"),
    ],
)
def test_a_rejected_certificate_is_a_good_answer_without_a_cause(get, causes, reason):
    answer = get("doris", **causes)
    assert reason in answer.pop("error")
    assert answer.pop("reject") is True
    assert set(answer.values()) == {None}


def test_a_cause_that_fits_no_axis_is_taken_with_a_warning(get):
    answer = get("doris", causeOfDeathCodeA="2B81&XK8G")
    assert (answer["code"], answer["warning"]) == (
        "2B81&XK8G",
        "A part of the underlying cause fits no axis of its stem.",
    )


@pytest.mark.parametrize(
    ("given", "issues"),
    [
        ({"causeOfDeathCodeA": "8B20", "dateBirth": "1950-01-02", "dateDeath": "1950-01-02"}, ""),
        ({}, "no-cause"),
        ({"causeOfDeathCodeA": "ZZZZ"}, "unknown-code"),
        ({"causeOfDeathCodeA": "1A00/5A11"}, "unknown-code"),
        ({"causeOfDeathCodeA": "1A00", "causeOfDeathCodePart2": "ZZZZ"}, "unknown-code"),
        ({"causeOfDeathCodeB": "1A00"}, "gap"),
        ({"causeOfDeathCodeA": "1A00", "dateBirth": "1950-01-02", "dateDeath": "1950-01-01"}, "dates"),
        ({"causeOfDeathCodeA": "1A00", "dateBirth": "1950-01-02", "dateDeath": "1950"}, ""),
        ({"causeOfDeathCodeC": "ZZZZ", "dateBirth": "2000", "dateDeath": "1999-12-31"}, "unknown-code,gap,dates"),
        ({"causeOfDeathCodeA": "1A00", "sex": ""}, "BER-CE-2"),
        ({"causeOfDeathCodeA": "1A00", "sex": "3"}, "sex"),
        ({"causeOfDeathCodeA": "JA63.0", "sex": "1"}, "sex-cause"),
        ({"causeOfDeathCodeA": "JA63.0", "sex": "2", "estimatedAge": "P27Y"}, ""),
        ({"causeOfDeathCodeA": "JA63.0", "sex": "2", "estimatedAge": "P7Y"}, "age-cause"),
        ({"causeOfDeathCodeA": "1A00", "causeOfDeathCodePart2": "KB21.0", "estimatedAge": "P3Y"}, "age-cause"),
        ({"causeOfDeathCodeA": "KB21.0", "estimatedAge": "P2D"}, ""),
        ({"causeOfDeathCodeA": "KB21.0", "dateBirth": "1950", "dateDeath": "2019-05"}, "age-cause"),
        ({"causeOfDeathCodeA": "1A00", "estimatedAge": "P130Y"}, "age"),
        ({"causeOfDeathCodeA": "1A00", "estimatedAge": "soon"}, "age"),
        ({"causeOfDeathCodeA": "1A00", "estimatedAge": "PT"}, ""),
        ({"causeOfDeathCodeA": "1A00", "estimatedAge": "P69Y", "dateBirth": "1950", "dateDeath": "2019-05"}, ""),
        ({"causeOfDeathCodeA": "1A00", "estimatedAge": "P50Y", "dateBirth": "1950", "dateDeath": "2019-05"}, "age"),
    ],
)
def test_codedit_names_what_is_wrong(get, given, issues):
    answer = get("codedit", **{"sex": "9", **given})
    assert list(answer) == ["report", "tabularReport", "issueIds"]
    assert answer["issueIds"] == issues
    assert all(f"{name}: " in answer["report"] for name in issues.split(",") if name)
    assert ("No issue was found." in answer["report"]) is (issues == "")


FULL = read_certificate(
    {"sex": 1, "date_birth": 1950, "date_death": "2020-05-01", "cause_a": "8B20", "cause_b": "5A11,1A00",
     "uri_b": f"{LINEAR}/119724091", "part2": "CA23", "interval_b": "P5Y", "manner_of_death": 0}
)  # fmt: skip


@pytest.mark.parametrize("engine", ["doris", "codedit"])
def test_a_posted_certificate_is_answered_as_its_parameters(get, post, engine):
    assert post(engine, FULL.document()) == get(engine, **FULL.params())


def test_the_smallest_certificate_has_one_code(post):
    smallest = {"ICDVersion": "ICD11", "Part1": [{"Conditions": [{"Code": "1A00"}]}]}
    assert post("doris", smallest)["code"] == "1A00"
    by_foundation = {"Part1": [{"Conditions": [{"FoundationURI": "http://id.who.int/icd/entity/257068234"}]}]}
    assert post("doris", by_foundation)["code"] == "1A00"
    assert post("doris", {})["reject"] is True


def test_certificates_in_icd10_are_rejected(post):
    answer = post("doris", {"ICDVersion": "ICD10", "Part1": [{"Conditions": [{"Code": "A00"}]}]})
    assert answer["error"].endswith("ICDVersion is 'ICD10': only ICD11 is coded here.")


@pytest.mark.parametrize("engine", ["doris", "codedit"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"null", b"3", [FULL.document()], {"Part1": 1}, {"Part1": [1]}, {"Part2": []},
        {"Part1": [{"Conditions": {}}]}, {"Part1": [{"Conditions": [1]}]}, {"Part1": [{"Conditions": [{"Code": 1}]}]},
        {"AdministrativeData": []}, {"AdministrativeData": {"DateBirth": 1950}}, {"ICDVersion": 11},
        b"[" * 100_000,
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(post, engine, body):
    status, reason = post(engine, body)
    assert status == 400
    assert reason


@pytest.mark.parametrize("name", ["sex", "mannerOfDeath", "fetalOrInfantDeathBirthWeight"])
def test_a_number_that_is_none_is_refused(get, name):
    assert get("doris", **{name: "x"}) == (400, f"{name} is 'x': give a whole number.")
    assert get("doris", **{name: "-1"})["reject"] is True


def test_an_unknown_release_or_language_is_not_found(sample_counter):
    assert sample_counter.json(f"{RELEASE}/doris", language="onion") == 404
    assert sample_counter.json("/icd/release/11/1999-01/codedit") == 404
    assert sample_counter.answer(f"{RELEASE}/doris", method="PUT").headers == {"Allow": "GET, POST"}


def test_clusters_are_not_judged_where_the_corpus_has_no_axes(counter_of, without_axes):
    bare = counter_of(without_axes(load_corpus()))
    known = {"sex": "1", "causeOfDeathCodeA": "5A10&XY6M"}
    checked = bare.json(f"{RELEASE}/codedit", **known)
    assert checked["issueIds"] == ""
    assert "Clusters were not judged: the corpus has no postcoordination axes." in checked["report"]
    assert "not judged" not in bare.json(f"{RELEASE}/codedit", sex="1", causeOfDeathCodeA="5A10")["report"]
    assert "not judged" in bare.json(f"{RELEASE}/doris", **known)["warning"]
