"""autocode: levels, thresholds, filters, and the form of no match."""

import json

import pytest

MMS = "/icd/release/11/2024-01/mms/autocode"
FOUNDATION = "/icd/entity/autocode"
NO_MATCH = {"matchLevel": 3, "matchScore": 0, "matchType": 0, "isTitle": False}


@pytest.fixture(scope="module")
def ask(sample_counter):
    return lambda text, path=MMS, **options: sample_counter.answer(path, searchText=text, **options)


def test_the_recorded_answer_is_given(ask, recorded):
    real = json.loads((recorded / "autocode_2024-01_mms_cerebrovascular_accident.json").read_text(encoding="utf-8"))
    ours = json.loads(ask("Cerebrovascular accident").body)
    assert ours == {**real, "isTitle": False}
    assert list(ours) == [*real, "isTitle"]


@pytest.mark.parametrize(
    ("text", "code", "level", "is_title"),
    [
        ("cholera", "1A00", 0, True),
        ("CHOLERA!", "1A00", 0, True),
        ("Pneumonia", "CA40.Z", 0, False),
        ("paratyphoid", "1A08", 1, True),
        ("classical case of cholera", "1A00", 2, False),
        ("Paratyphoid fever of goats", "1A08", 2, True),
    ],
)
def test_the_level_tells_how_the_words_agree(ask, text, code, level, is_title):
    answer = json.loads(ask(text, matchThreshold=0.3).body)
    assert (answer["theCode"], answer["matchLevel"], answer["isTitle"]) == (code, level, is_title)
    assert answer["matchScore"] == 1 if level == 0 else answer["matchScore"] < 1


@pytest.mark.parametrize("text", ["", "%", "zzz", "a bicycle in the park"])
@pytest.mark.parametrize("path", [MMS, FOUNDATION])
def test_no_match_is_an_answer(ask, text, path):
    answer = ask(text, path)
    assert answer.status == 200
    assert json.loads(answer.body) == {"searchText": text, **NO_MATCH}
    assert b'"matchScore":0,' in answer.body


@pytest.mark.parametrize(("threshold", "found"), [(0, True), (0.66, True), (0.67, False), (1, False), ("1e300", False)])
def test_a_weaker_match_than_the_threshold_is_none(ask, threshold, found):
    answer = json.loads(ask("paratyphoid", matchThreshold=threshold).body)
    assert ("theCode" in answer) is found


def test_a_threshold_that_is_no_number_is_refused(ask):
    answer = ask("cholera", matchThreshold="high")
    assert (answer.status, answer.body) == (400, b"matchThreshold is 'high': give a number from 0 to 1.")


def test_matches_stay_below_a_subtree_and_outside_the_supplementary_chapters(ask):
    assert json.loads(ask("Vibrio cholerae O139").body)["matchLevel"] == 3
    linear = "http://id.who.int/icd/release/11/2024-01/mms"
    assert json.loads(ask("Vibrio cholerae O139", subtreesFilter=f"{linear}/979408586").body)["theCode"] == "XN8KD"
    assert json.loads(ask("cholera", subtreesFilter=f"{linear}/142052508").body)["matchLevel"] == 3


def test_the_foundation_gives_no_code(ask):
    answer = json.loads(ask("classical cholera", FOUNDATION, releaseId="2022-02").body)
    assert set(answer) == {"searchText", "matchingText", "foundationURI", *NO_MATCH}
    assert answer["foundationURI"] == "http://id.who.int/icd/entity/1205958647"


def test_a_residual_is_not_in_the_foundation_but_its_parent_is_named(ask):
    answer = json.loads(ask("pneumonia organism unspecified").body)
    assert answer["linearizationURI"].endswith("/142052508/unspecified")
    assert answer["foundationURI"] == "http://id.who.int/icd/entity/142052508"
