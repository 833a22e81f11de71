"""Death certificates: what is taken, what is refused before it is sent, what comes back."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from icdframes.client.endpoints import MortalityEndpoint
from icdframes.errors import ConfigurationError
from icdframes.model.certificate import FIELDS
from icdframes.model.certificate_reader import certificate_columns, read_certificate
from icdframes.model.decode_responses import parse_certificate_check, parse_underlying_cause

URI = "http://id.who.int/icd/release/11/mms/1334938734/unspecified"
REJECTED = {
    "stemCode": None, "stemURI": None, "code": None, "uri": None, "report": None, "tabularReport": None,
    "reject": True, "error": "No valid code", "warning": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "sent"),
    [
        ("sex", 1, "1"),
        ("sex", "Female", "2"),
        ("sex", np.float64(9.0), "9"),
        ("estimated_age", "p45y", "P45Y"),
        ("estimated_age", "P1Y6M", "P1Y6M"),
        ("estimated_age", "PT10H", "PT10H"),
        ("estimated_age", "P2W", "P2W"),
        ("estimated_age", dt.timedelta(days=3), "P3D"),
        ("estimated_age", pd.Timedelta(hours=26, minutes=5), "P1DT2H5M"),
        ("interval_a", "P", "P"),
        ("interval_a", "PT", "PT"),
        ("date_birth", "1950", "1950"),
        ("date_birth", "1950-02", "1950-02"),
        ("date_birth", "1952-02-29", "1952-02-29"),
        ("date_birth", dt.date(1950, 2, 3), "1950-02-03"),
        ("date_birth", pd.Timestamp("1950-02-03"), "1950-02-03"),
        ("date_death", "1997-07-16T19:20:30+01:00", "1997-07-16T19:20:30+01:00"),
        ("cause_b", "1b12.2 &xa0g74", "1B12.2&XA0G74"),
        ("cause_b", "BA41.Z, 5A11", "BA41.Z,5A11"),
        ("cause_b", ["BA41.Z", "5A11"], "BA41.Z,5A11"),
        ("part2", "BD54&XK9J/5A11", "BD54&XK9J/5A11"),
        ("uri_b", URI, URI),
        ("surgery_was_performed", True, "1"),
        ("stillborn", "no", "0"),
        ("manner_of_death", "Assault", "3"),
        ("external_cause_place", 8, "8"),
        ("time_from_pregnancy", "2", "2"),
        ("birth_weight", 3200.0, "3200"),
        ("surgery_reason", "  two\nlines ", "two lines"),
    ],
)
def test_a_value_is_written_as_the_api_takes_it(field, value, sent):
    assert dict(read_certificate({"cause_a": "1A00", field: value}).values)[field] == sent


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [
        ("sex", 3, "1 (male), 2 (female), 9 (unknown)"),
        ("sex", True, "1 (male)"),
        ("estimated_age", 45, "for 45 years write P45Y"),
        ("estimated_age", "P", "ISO 8601"),
        ("estimated_age", "P10YD", "ISO 8601"),
        ("estimated_age", "45 years", "ISO 8601"),
        ("estimated_age", dt.timedelta(days=-1), "ISO 8601"),
        ("interval_c", "3 weeks", "P45Y, P8M, P3D and PT5H are good"),
        ("date_birth", "1951-02-29", "existing date"),
        ("date_birth", "29.2.1952", "existing date"),
        ("date_death", "1997-07-16T19:20", "existing date"),
        ("cause_b", "cholera", "does not fit"),
        ("cause_b", "1A00,", "ends too early"),
        ("cause_b", "01", "is a chapter"),
        ("cause_b", 5.0, "not text"),
        ("uri_b", "1A00", "write URIs"),
        ("manner_of_death", 8, "7 (pending investigation)"),
        ("time_from_pregnancy", 4, "9 (unknown)"),
        ("birth_weight", -1, "whole number"),
        ("birth_weight", 3.2, "whole number"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_column_and_advice(field, value, advice):
    with pytest.raises(ConfigurationError) as caught:
        read_certificate({"cause_a": "1A00", field: value})
    assert f"column {field!r}" in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, pd.NaT, "", "  ", []])
def test_what_is_missing_is_not_sent(nothing):
    given = {field.name: nothing for field in FIELDS} | {"cause_a": "1A00"}
    assert read_certificate(given).params() == {"causeOfDeathCodeA": "1A00"}


def test_a_certificate_needs_a_cause_in_part_1():
    with pytest.raises(ConfigurationError, match="part 1 is empty"):
        read_certificate({"part2": "1A00", "sex": 1})


@pytest.mark.parametrize(
    ("birth", "death"), [("1950-02-03", "1949-12-31"), ("1950", "1949-12-31"), ("1950-05", "1950-04")]
)
def test_nobody_dies_before_birth(birth, death):
    with pytest.raises(ConfigurationError, match=r"before the birth.*: correct one"):
        read_certificate({"cause_a": "1A00", "date_birth": birth, "date_death": death})


def test_a_year_of_birth_may_be_the_year_of_death():
    assert read_certificate({"cause_a": "1A00", "date_birth": "1950", "date_death": "1950-01-01"})


def test_columns_go_by_our_names_or_the_apis_and_others_are_left_alone():
    found = certificate_columns(["person", "age", "causeOfDeathCodeA", "part2", "sex"])
    assert {column: field.name for column, field in found.items()} == {
        "causeOfDeathCodeA": "cause_a",
        "part2": "part2",
        "sex": "sex",
    }


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["sex", "part2"], "no cause of death"),
        (["cause_a", "cause_1"], "Did you mean 'cause_"),
        (["cause_a", "date_of_birth"], "Did you mean 'date_birth'"),
        (["cause_a", "causeOfDeathCodeA"], "Two columns are the field 'cause_a'"),
    ],
)
def test_columns_that_would_be_lost_are_an_error(columns, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        certificate_columns(columns)


def test_the_json_form_holds_what_is_known_and_nothing_else():
    certificate = read_certificate(
        {
            "sex": 1,
            "cause_a": "BA41.Z,5A11",
            "uri_a": URI,
            "cause_c": "BA00.Z",
            "interval_a": "P3D",
            "part2": "1A00",
            "birth_weight": 3200,
            "surgery_reason": "broken",
        }
    )
    assert certificate.document() == {
        "ICDVersion": "ICD11",
        "AdministrativeData": {"Sex": 1},
        "Part1": [
            {
                "Conditions": [
                    {"Code": "BA41.Z", "LinearizationURI": URI, "Interval": "P3D"},
                    {"Code": "5A11", "Interval": "P3D"},
                ]
            },
            {"Conditions": []},
            {"Conditions": [{"Code": "BA00.Z"}]},
        ],
        "Part2": {"Conditions": [{"Code": "1A00"}]},
        "Surgery": {"Reason": "broken"},
        "FetalOrInfantDeath": {"BirthWeight": 3200},
    }


def test_a_certificate_goes_as_get_and_a_long_one_as_post(answering):
    wire = answering({"code": "1A00", "reject": False})
    short = read_certificate({"cause_a": "1A00"})
    long = read_certificate({"cause_a": "1A00", "surgery_reason": "x" * 2000})
    for certificate in (short, long):
        assert MortalityEndpoint(wire).doris(certificate, "2024-01").code == "1A00"
    assert [method for method, *_ in wire.sent] == ["GET", "POST"]
    assert wire.sent[1][2] == long.document()


def test_a_rejected_certificate_is_an_answer():
    cause = parse_underlying_cause(REJECTED)
    assert (cause.reject, cause.code, cause.error, cause.warning) == (True, None, "No valid code", None)


@pytest.mark.parametrize(("ids", "read"), [("", ()), ("A1, B2", ("A1", "B2")), ("A|B", ("A", "B")), (None, ())])
def test_issue_ids_are_read_from_one_text(ids, read):
    assert parse_certificate_check({"issueIds": ids, "report": "r"}).issue_ids == read


def test_a_table_of_certificates_gives_a_row_each_and_says_what_is_wrong(icd_client, icd_sandbox):
    table = pd.DataFrame(
        {
            "person": ["Ada", "Ben", "Cy", "Di", "Ed"],
            "sex": [1, 2, 7, 1, 2],
            "cause_a": ["BA41.Z", "BA41.Z", "BA41.Z", "BA41.Z", None],
            "cause_b": ["5A11", None, None, "5A11", None],
        },
        index=list("vwxyz"),
    )
    icd_client.newest_release()
    icd_sandbox.clear_log()
    answer = icd_client.doris(table)
    assert answer.index.tolist() == list("vwxyz")
    assert answer.code.tolist()[:2] == ["5A11", "BA41.Z"]
    assert answer.code.iloc[3] == "5A11"
    assert answer.status.tolist() == ["ok", "ok", "invalid", "ok", "invalid"]
    assert "Row 'x': column 'sex'" in answer.message["x"]
    assert "Row 'z': part 1 is empty" in answer.message["z"]
    assert icd_sandbox.count("/icd/release/11/2024-01/doris") == 2
    assert answer.attrs["provenance"]["release"] == "2024-01"


def test_a_single_certificate_is_a_dict_and_its_fault_an_error(icd_client):
    assert icd_client.doris({"cause_a": "1A00"}).code.tolist() == ["1A00"]
    with pytest.raises(ConfigurationError, match="column 'sex'"):
        icd_client.doris({"cause_a": "1A00", "sex": "x"})
    with pytest.raises(ConfigurationError, match="no certificate"):
        icd_client.doris(["1A00"])


def test_certificates_are_judged_in_one_language(icd_client):
    with pytest.raises(ConfigurationError, match="one language"):
        icd_client.codedit({"cause_a": "1A00"}, language=["en", "es"])


def test_codedit_has_its_own_columns(icd_client):
    answer = icd_client.codedit(pd.DataFrame({"cause_a": ["1A00"], "sex": [1]}))
    assert list(answer.columns) == ["n_issues", "issue_ids", "report", "tabular_report", "status", "message"]
    assert answer.status.tolist() == ["ok"]


def test_a_certificate_too_long_for_a_url_is_judged_too(icd_client, icd_sandbox):
    answer = icd_client.doris({"cause_a": "BA41.Z", "cause_b": "5A11", "surgery_reason": "x" * 2000})
    assert answer.code.tolist() == ["5A11"]
    assert [request.method for request in icd_sandbox.log if "doris" in request.path] == ["POST"]
