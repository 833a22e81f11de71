"""A user's own grouping is read as text, reaches the entities it names, and tells which it does not find."""

import pandas as pd
import pytest

from icdframes.analysis.annotate import annotate
from icdframes.analysis.grouping import Grouping, read_grouping
from icdframes.errors import FileFormatError, PartialResultWarning


def test_ranges_of_a_grouping_yield_to_narrower_ones_and_to_codes(icd10):
    groups = {"A00.1": "eltor", "A00-B99": "infectious", "A09-A10": "diarrhoea", "W00-X99": "accidents"}
    frame = pd.DataFrame({"code": ["A00", "A00.1", "A09", "W19"]})
    expected = ["infectious", "eltor", "diarrhoea", "accidents"]
    assert annotate(frame, icd10, add=[groups])["group"].tolist() == expected


def test_a_grouping_may_be_called_like_a_column_of_the_entities(icd10):
    group = Grouping({"A00-A09": "intestinal"}, name="title")
    annotated = annotate(pd.DataFrame({"code": ["A00"]}), icd10, add=["chapter", group])
    assert annotated["title"].tolist() == ["intestinal"]


def test_entries_of_a_grouping_without_effect_are_told(icd10):
    with pytest.warns(PartialResultWarning, match=r"2 of 3 entries of the grouping 'group'.*: Z99, B00-B09\."):
        annotate(pd.DataFrame({"code": ["A00"]}), icd10, add=[{"A00": "a", "Z99": "b", "B00-B09": "c"}])


def test_a_grouping_is_read_from_csv_as_text(tmp_path):
    file = tmp_path / "list one.csv"
    file.write_text("\ufeffcause,icd,note\n1E10,A00; A09,x\n1E10,NA,\n,,\n", encoding="utf-8")
    assert read_grouping(file, entity="icd", group="cause") == Grouping(
        {"A00": "1E10", "A09": "1E10", "NA": "1E10"}, name="list one"
    )
    assert read_grouping(file, entity="icd", group="cause", name="mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,grup\nA00,1\n", "no column 'group'.* Did you mean 'grup'"),
        ("code,group\nA00,1\nA00,2\n", "'A00' in two groups, '1' and '2'"),
        ("", "cannot be read.*: give a file with a heading"),
    ],
)
def test_faulty_groupings_are_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_grouping(tmp_path / "a.csv")
    with pytest.raises(FileFormatError, match=r"There is no file .*Did you mean 'a\.csv'"):
        read_grouping(tmp_path / "b.csv")
