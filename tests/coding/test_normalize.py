"""One spelling, one form, one word for one meaning."""

import pytest

from icdframes.coding.normalize import normalizer, read_wordings


def same(first, second, language="en"):
    rules = normalizer(language)
    return sorted(rules.words(first)) == sorted(rules.words(second))


@pytest.mark.parametrize(
    "first, second",
    [
        ("Haemorrhage", "hemorrhages"),
        ("Oesophageal varices", "Esophageal Varices"),
        ("Tumour of the kidney", "renal tumors"),
        ("Crohn's disease", "Crohn disease"),
        ("Crohn\u2019s disease", "Crohn disease"),
        ("CVA", "cerebrovascular accident"),
        ("stroke", "Cerebrovascular Accident"),
        ("MI", "myocardial infarction"),
        ("UTI", "infection of the urinary tract"),
        ("DVT", "deep vein thrombosis"),
        ("TB", "tuberculosis"),
        ("lung cancer", "malignant neoplasm of lung"),
        ("NIDDM", "type 2 diabetes mellitus"),
        ("organisation", "organization"),
        ("Guillain-Barré syndrome", "guillain barre syndrome"),
        ("pneumonia, unspecified", "Pneumonia NOS"),
    ],
)
def test_wordings_of_one_meaning_have_the_same_words(first, second):
    assert same(first, second)


@pytest.mark.parametrize(
    "first, second",
    [
        ("hypotension", "hypertension"),
        ("metastatic lung cancer", "metastatic carcinoma in the lung"),
        ("hepatitis A", "hepatitis B"),
        ("pus", "pu"),
    ],
)
def test_different_meanings_stay_apart(first, second):
    assert not same(first, second)


@pytest.mark.parametrize(
    "language, first, second",
    [
        ("es", "Neumonía no especificada", "neumonias"),
        ("fr", "Pneumonie, sans précision", "PNEUMONIES precision"),
        ("pt", "Infecção", "infeccao"),
        ("ar", "التهابٌ رئوي", "التهاب رئوي"),
        ("zh", "肺炎", "肺炎"),
    ],
)
def test_other_languages_lose_accents_and_case(language, first, second):
    assert same(first, second, language)


def test_chinese_is_parted_into_pairs():
    assert normalizer("zh").words("急性肺炎") == ("急性", "性肺", "肺炎")


def test_an_empty_text_has_no_words():
    assert normalizer().words("  - of the ") == ()


@pytest.mark.parametrize(
    "text, readings",
    [
        ("oesophageal carcinoma", ["cancer of oesophagus", "gastrointestinal tract carcinoma"]),
        ("perforated sigmoid colon", ["perforation of colon", "perforation of large intestine"]),
        ("cholera", []),
    ],
)
def test_a_text_is_also_read_in_broader_words(text, readings):
    rules = normalizer()
    found = [sorted(reading) for reading in rules.broader(rules.words(text))]
    assert len(found) <= 3
    assert all(sorted(rules.words(reading)) in found for reading in readings)
    assert bool(found) == bool(readings)


def test_every_wording_has_a_reason_and_is_given_once():
    rows = read_wordings()
    assert len(rows) > 500
    assert all(row["reason"] and row["kind"] in {"abbreviation", "word", "broader", "weak", "stop"} for row in rows)
    pairs = [(row["language"], row["kind"], row["written"]) for row in rows]
    assert len(set(pairs)) == len(pairs)
    assert all(row["meaning"] for row in rows if row["kind"] in {"abbreviation", "word", "broader"})
