"""The schema is the promise of DESIGN §3: names, order, dtypes, missing values."""

import pandas as pd
import pytest

from icdframes.frames.pandas_compat import schema_dtype
from icdframes.frames.schema import TABLES, apply_schema, as_lists, columns_of

PROMISED = {
    "entities": "entity_id code title class_kind depth parent_id n_children is_leaf is_residual chapter block_id "
    "code_range fully_specified_name definition long_definition coding_note foundation_id translated browser_url uri",
    "edges": "parent_id child_id position",
    "terms": "entity_id kind label foundation_id linearization_id deprecated",
    "references": "entity_id kind label foundation_id linearization_id",
    "axes": "entity_id axis required allow_multiple scale_entity_id",
}


@pytest.mark.parametrize("name", PROMISED)
def test_every_table_has_the_promised_columns_and_keeps_their_dtypes_when_empty(name, empty_table):
    table = empty_table(name)
    assert list(table) == PROMISED[name].split()
    assert {key: schema_dtype(column) for key, column in table.items()} == columns_of(name)
    assert isinstance(table.index, pd.RangeIndex)
    assert all(column.meaning for column in TABLES[name])


def test_diagnostic_criteria_and_further_languages_come_only_when_asked_for(empty_table):
    table = empty_table("entities", languages=("es",), include=("diagnosticCriteria",))
    names = list(table)
    assert names[names.index("coding_note") + 1] == "diagnostic_criteria"
    assert names[-7:] == [
        "title_es", "fully_specified_name_es", "definition_es", "long_definition_es", "coding_note_es",
        "diagnostic_criteria_es", "translated_es",
    ]  # fmt: skip
    assert table["translated_es"].dtype == bool
    assert "diagnostic_criteria" not in empty_table("entities")


def test_missing_is_missing_and_never_a_text_or_a_number():
    columns = {
        "parent_id": ["1E10", None, "", "None"], "child_id": ["007", "NA", "nan", "a"], "position": [0, None, 2, 3],
    }  # fmt: skip
    table = apply_schema("edges", columns)
    assert table["parent_id"].isna().tolist() == [False, True, True, False]
    assert table["child_id"].tolist() == ["007", "NA", "nan", "a"]
    assert str(table["position"].dtype) == "Int64"
    assert as_lists(table) == {**columns, "parent_id": ["1E10", None, None, "None"]}


def test_half_a_surrogate_pair_is_replaced_rather_than_losing_the_table():
    columns = {"parent_id": ["a\ud800b"], "child_id": ["😀"], "position": [0]}
    assert as_lists(apply_schema("edges", columns)) == {**columns, "parent_id": ["a�b"]}
