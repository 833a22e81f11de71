"""How often the right code is proposed, on real wordings of causes of death; see the guide for how they were used."""

import re

import pandas as pd
import pytest

import icdframes
from icdframes.coding.normalize import normalizer, stem_of

pytestmark = [pytest.mark.full_size, pytest.mark.slow]

FOLDS = 5


@pytest.fixture(scope="module")
def gold(full_size, mms_2024):
    """Wordings whose stem is in the MMS of 2024-01, with one or two right codes."""
    frame = pd.read_csv(full_size / "coding" / "ons_dictionary_dev_half.csv", dtype=str, keep_default_na=False)
    known = {stem_of(code) for code in mms_2024.entities["code"].dropna()}
    stems = frame[["Icd1", "Icd2"]].map(lambda code: stem_of(re.split(r"X[A-Z][A-Z0-9]{3}", code)[0]) if code else "")
    frame[["Icd1", "Icd2"]] = stems.where(stems.isin(known), None)
    return frame[frame[["Icd1", "Icd2"]].notna().any(axis=1)].reset_index(drop=True)


@pytest.fixture(scope="module")
def mappings(full_size):
    folder = full_size / "mapping"
    names = ("2024-01_10To11MapToOneCategory.txt.gz", "2024-01_foundation_11To10MapToOneCategory.tsv.gz")
    return [icdframes.read_mapping(folder / name) for name in names]


def shares(frame):
    return tuple(frame[["right_first", "right_among_n"]].iloc[-1])


def assert_scores_hold(frame):
    top = frame.attrs["calibration"].query("score >= 0.9")
    assert (top["right"] * top["n_texts"]).sum() / top["n_texts"].sum() >= 0.85


def test_from_the_tables_alone(gold, mms_2022):
    frame = icdframes.evaluate(gold["DiagnosisText"], gold[["Icd1", "Icd2"]], mms_2022)
    first, five = shares(frame)
    assert (first >= 0.55, five >= 0.70) == (True, True), (first, five)
    assert_scores_hold(frame)


def test_with_the_titles_of_whos_mapping_files(gold, mms_2022, mappings):
    frame = icdframes.evaluate(gold["DiagnosisText"], gold[["Icd1", "Icd2"]], mms_2022, sources=mappings)
    first, five = shares(frame)
    assert (first >= 0.60, five >= 0.78) == (True, True), (first, five)
    assert_scores_hold(frame)


def test_with_a_dictionary_of_the_other_rows(gold, mms_2022, mappings):
    rules = normalizer()
    keys = [" ".join(sorted(rules.words(text))) for text in gold["DiagnosisText"]]
    fold = pd.Series(keys).map({key: number % FOLDS for number, key in enumerate(sorted(set(keys)))})
    known = {stem_of(code) for code in mms_2022.entities["code"].dropna()}
    found = []
    for one in range(FOLDS):
        rest, asked = gold[fold != one], gold[fold == one]
        own = rest[["DiagnosisText", "Icd1"]].set_axis(["text", "code"], axis=1).dropna()
        own = own[own["code"].map(stem_of).isin(known)]
        index = icdframes.TextIndex(mms_2022, sources=mappings, dictionary=own)
        found.append((len(asked), *shares(icdframes.evaluate(asked["DiagnosisText"], asked[["Icd1", "Icd2"]], index))))
    total = sum(n for n, *_ in found)
    first, five = (sum(row[0] * row[place] for row in found) / total for place in (1, 2))
    assert (first >= 0.68, five >= 0.86) == (True, True), (first, five)
