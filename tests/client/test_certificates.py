"""Death certificates: what is taken, what is refused before it is sent, what comes back."""

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.client.endpoints import MortalityEndpoint
from icdframes.errors import ComparabilityWarning, ConfigurationError, PartialResultWarning
from icdframes.model.certificate import FIELDS, FIELDS_BY_NAME, Condition
from icdframes.model.certificate_forms import certificate_columns, read_document
from icdframes.model.certificate_reader import compare_causes, read_certificate
from icdframes.model.decode_responses import parse_certificate_check, parse_underlying_cause
from icdframes.sandbox import Sandbox, load_corpus

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
        ("sex", "M", "1"),
        ("sex", "f", "2"),
        ("sex", np.float64(9.0), "9"),
        ("estimated_age", "p45y", "P45Y"),
        ("estimated_age", "P1Y6M", "P1Y6M"),
        ("estimated_age", "PT10H", "PT10H"),
        ("estimated_age", "P2W", "P2W"),
        ("estimated_age", dt.timedelta(days=3), "P3D"),
        ("estimated_age", pd.Timedelta(hours=26, minutes=5), "P1DT2H5M"),
        ("estimated_age", "45 years", "P45Y"),
        ("estimated_age", "8 m", "P8M"),
        ("estimated_age", "30 min", "PT30M"),
        ("interval_a", "3 weeks", "P3W"),
        ("estimated_age", "P", "P"),
        ("interval_a", "P", "P"),
        ("interval_a", "PT", "PT"),
        ("date_birth", "1950", "1950"),
        ("date_birth", "1950-02", "1950-02"),
        ("date_birth", "1952-02-29", "1952-02-29"),
        ("date_birth", dt.date(1950, 2, 3), "1950-02-03"),
        ("date_birth", "03/02/1950", "1950-02-03"),
        ("date_birth", "3/2/1950", "1950-02-03"),
        ("date_death", 2010.0, "2010"),
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
        ("manner_of_death", "intentional self-harm", "2"),
        ("cause_b", "BA41.Z; 5A11", "BA41.Z,5A11"),
        ("external_cause_place", 8, "8"),
        ("time_from_pregnancy", "2", "2"),
        ("birth_weight", 3200.0, "3200"),
        ("surgery_reason", "  two\nlines ", "two lines"),
    ],
)
def test_a_value_is_written_as_the_api_takes_it(field, value, sent):
    row = {"cause_a": "1A00", field: value}
    if field.startswith("interval_"):
        row[f"cause_{field[-1]}"] = "1A00"
    assert read_certificate(row).params()[FIELDS_BY_NAME[field].api_name] == sent


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [
        ("sex", 3, "1 (male), 2 (female), 9 (unknown)"),
        ("sex", True, "1 (male)"),
        ("estimated_age", 45, "for 45 years write P45Y"),
        ("estimated_age", "P10YD", "ISO 8601"),
        ("estimated_age", dt.timedelta(days=-1), "ISO 8601"),
        ("estimated_age", "999 years", "nobody is so old"),
        ("interval_a", "3 moons", "P45Y, P8M, P3D and PT5H are good"),
        ("interval_a", "P1D,P2D", "2 values for 1 conditions"),
        ("interval_c", "P3D", "no cause on its line"),
        ("date_birth", "05/25/2019", "existing date"),
        ("interval_a", "30m", "months or minutes"),
        ("date_birth", "２019-05-25", "existing date"),  # noqa: RUF001  a digit that is not one of ASCII
        ("cause_b", "I21.9", "map_codes()"),
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


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ({"text_a": "heart attack"}, "DORIS does not code words"),
        ({"cause_a": "1A00", "icd_version": "ICD10"}, "map_codes()"),
        ({"cause_a": "1A00", "icd_version": "ICD-9"}, "write ICD11"),
        ({"cause_a": "1A00", "age": 45, "age_unit": "Q"}, "'Q' is no unit"),
        ({"cause_a": "1A00", "age": "45", "age_unit": None}, "the unit of '45' is missing"),
        ({"cause_a": "1A00", "age": 45, "age_unit": "Y", "estimated_age": "P54Y"}, "is not the estimated_age P54Y"),
    ],
)
def test_what_is_not_understood_is_named(row, advice):
    with pytest.raises(ConfigurationError, match=re.escape(advice)):
        read_certificate(row)


@pytest.mark.parametrize(
    ("number", "unit", "sent"),
    [(45, "Y", "P45Y"), (8.0, "months", "P8M"), ("3", "d", "P3D"), (5, "H", "PT5H"), ("45 years", None, "P45Y")],
)
def test_an_age_is_a_number_and_its_unit(number, unit, sent):
    certificate = read_certificate({"cause_a": "1A00", "age": number, "age_unit": unit})
    assert certificate.params()["estimatedAge"] == sent


def test_columns_go_by_our_names_or_whos_in_any_spelling_and_others_are_listed():
    columns = [
        "person",
        "age group",
        "CauseOfDeathCodeA",
        "Cause_B",
        "PART2",
        "Manner of Death",
        "Death date",
        "Reject",
    ]
    found = certificate_columns(columns)
    assert {column: field.name for column, field in found.fields.items()} == {
        "CauseOfDeathCodeA": "cause_a",
        "Cause_B": "cause_b",
        "PART2": "part2",
        "Manner of Death": "manner_of_death",
        "Death date": "date_death",
    }
    assert found.unread == ["person", "age group"]


@pytest.mark.parametrize("name", sorted(FIELDS_BY_NAME))
def test_every_field_has_the_spellings_of_its_name(name):
    field = FIELDS_BY_NAME[name]
    for spelled in (name, name.upper(), name.replace("_", " ").title(), field.api_name, field.api_name.upper()):
        found = certificate_columns(["cause_e" if name != "cause_e" else "cause_d", spelled])
        assert found.fields[spelled] is field


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["sex", "part2"], "no cause of death"),
        (["cause_a", "cause_1"], "Did you mean 'cause_"),
        (["cause_a", "date_of_birth"], "Did you mean 'date_birth'"),
        (["CauseOfDeathA"], "Did you mean 'cause_a'"),
        (["cause1"], "Did you mean 'cause_a'"),
        (["I(b)", "cause_a"], "Did you mean 'cause_b'"),
        (["Line C", "cause_a"], "Did you mean 'cause_c'"),
        (["cause_a", "COD 2"], "Did you mean 'cause_b'"),
        (["immediate cause", "cause_b"], "Did you mean 'cause_a'"),
        (["cause_a", "Gender"], "Did you mean 'sex'"),
        (["cause_a", "CauseOfDeathCodeA"], "Two columns are the field 'cause_a'"),
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


WHO_FORM = {
    "ICDVersion": "ICD11",
    "AdministrativeData": {"DateBirth": "1950-02-03", "Sex": 1, "EstimatedAge": "P62Y"},
    "Part1": [
        {
            "Conditions": [
                {"Text": "Heart attack", "Code": "BA41.Z", "LinearizationURI": URI, "Interval": "PT12H"},
                {
                    "Code": "1A00&XN62R",
                    "LinearizationURI": "http://id.who.int/icd/release/11/mms/257068234 & http://id.who.int/icd/release/11/mms/802386629",
                    "FoundationURI": "http://id.who.int/icd/entity/257068234",
                    "Interval": "P1D",
                },
            ]
        },
        {"Conditions": []},
        {"Conditions": [{"FoundationURI": "http://id.who.int/icd/entity/119724091"}]},
    ],
    "Part2": {"Conditions": [{"Text": "Diabetes", "Code": "5A11", "Interval": "P8Y"}, {"Code": "CA23"}]},
    "MannerOfDeath": {"MannerOfDeath": 0},
    "MaternalDeath": {"WasPregnant": 9},
}


def test_whos_json_form_passes_unchanged():
    row, unread = read_document(WHO_FORM)
    certificate = read_certificate(row)
    assert certificate.document() == WHO_FORM
    assert not unread
    assert not certificate.fits_parameters
    assert certificate.part1[0][1].interval == "P1D"


def test_what_the_json_form_should_not_hold_is_named():
    row, unread = read_document({**WHO_FORM, "Hospital": "north", "Autopsy": {"Where": "south"}, "Issuer": "x"})
    assert unread == ["Hospital", "Autopsy.Where"]
    assert row["issuer"] == "x"
    for wrong, sentence in [
        ({"Part1": [{"Conditions": [{"Codes": "1A00"}]}]}, "Did you mean 'code'"),
        ({"Part1": [{}] * 6}, "6 lines"),
        ({"Part1": [1]}, "a line that is none"),
        ({"Part1": {"Conditions": []}}, "no list of lines"),
        ({"Part1": [], "AdministrativeData": {"Sexe": 1}}, "Did you mean 'sex'"),
        ({"Part1": [{"Code": "1A00"}]}, "Part1 has 'Code' on a line, outside its conditions"),
        ({"Part1": [], "Part2": {"Code": "5A11"}}, "Part2 has 'Code' on a line, outside its conditions"),
        ({"Part1": [{"Conditions": [{"Code": "1A00"}], "Interval": "P1D"}]}, "'Interval' on a line"),
        ({"Part1": [], "AdministrativeData": {"Sex": 1}, "Sex": 2}, "says of 'sex' both 1 and 2"),
    ]:
        with pytest.raises(ConfigurationError, match=sentence):
            read_document(wrong)


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        ({"cause_a": "1A00,5A11", "interval_a": "P1D"}, True),
        ({"cause_a": "1A00,5A11", "uri_a": URI, "part2": "CA23"}, True),
        ({"uri_a": URI}, True),
        ({"uri_a": "http://id.who.int/icd/entity/257068234"}, True),
        ({"cause_a": "1A00", "text_a": "Cholera"}, False),
        ({"cause_a": "1A00,5A11", "interval_a": "P1D,P5Y"}, False),
        ({"cause_a": "1A00", "part2": "5A11", "interval_part2": "P5Y"}, False),
        ({"cause_a": ["1A00", None], "uri_a": [None, URI]}, False),
        ({"cause_a": "1A00", "uri_a": URI, "foundation_uri_a": "http://id.who.int/icd/entity/257068234"}, False),
    ],
)
def test_the_parameters_are_used_where_they_say_all_of_it(row, plain):
    certificate = read_certificate(row)
    assert certificate.fits_parameters is plain
    if plain:
        names = {"cause_a": "causeOfDeathCodeA", "uri_a": "causeOfDeathUriA", "part2": "causeOfDeathCodePart2"}
        assert certificate.params().items() >= {names[name]: row[name] for name in row if name in names}.items()


def test_a_line_holds_one_interval_for_each_condition_or_one_for_all():
    (line,) = read_certificate({"cause_a": "1A00,5A11", "interval_a": "P1D"}).part1
    assert line == (Condition("1A00", interval="P1D"), Condition("5A11", interval="P1D"))
    (line,) = read_certificate({"cause_a": "1A00,5A11", "interval_a": "P1D,P5Y"}).part1
    assert [condition.interval for condition in line] == ["P1D", "P5Y"]


@pytest.mark.parametrize(
    ("assigned", "said"),
    [
        ("1A00&XN62R", "same"), ("1A00", "same stem"), ("5A11", "different"), (None, None),
        ("nan", "unreadable"), ("I21.9", "unreadable"), ("1A00, 5A11", "unreadable"), ("Cholera", "unreadable"),
        ("http://id.who.int/icd/release/11/2024-01/mms/1&http://id.who.int/icd/release/11/mms/2", "same"),
        ("http://id.who.int/icd/release/11/mms/1", "different"),
    ],
)  # fmt: skip
def test_a_cause_assigned_by_hand_is_compared(assigned, said):
    uri = "http://id.who.int/icd/release/11/mms/1 & http://id.who.int/icd/release/11/mms/2"
    assert compare_causes(assigned, "1A00&XN62R", "1A00", uri) == said
    assert compare_causes(assigned, None, None, None) is None


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
    with pytest.warns(PartialResultWarning, match="Not sent.*: 'person'"):
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


def test_keys_come_back_under_their_name_and_causes_assigned_by_hand_are_compared(icd_client):
    table = pd.DataFrame(
        {
            "CertificateKey": [11, 12, 13, 14],
            "ICDVersion": ["ICD11"] * 4,
            "CauseOfDeathCodeA": ["BA41.Z", "BA41.Z", "BA41.Z", "ZZZZ"],
            "CauseOfDeathCodeB": ["5A11", "1A00&XN62R", None, None],
            "UnderlyingCauseOfDeath": ["5A11", "1A00", "5A11", "5A11"],
        },
        index=list("wxyz"),
    )
    answer = icd_client.doris(table)
    assert answer.columns[0] == "CertificateKey"
    assert answer["CertificateKey"].tolist() == [11, 12, 13, 14]
    assert answer["underlying_cause"].tolist() == ["5A11", "1A00", "5A11", "5A11"]
    assert answer["comparison"].tolist()[:3] == ["same", "same stem", "different"]
    assert answer["comparison"].isna().tolist() == [False] * 3 + [True]
    assert "comparison" not in icd_client.codedit(table).columns
    assert icd_client.codedit(table)["CertificateKey"].tolist() == [11, 12, 13, 14]


@pytest.mark.parametrize("form", ["dict", "list", "file", "array"])
def test_the_json_form_is_taken_as_it_is(form, icd_client, tmp_path):
    one = {"CertificateKey": "A7", "Part1": [{"Conditions": [{"Text": "Cholera", "Code": "1A00"}]}]}
    given = [one] if form in {"list", "array"} else one
    if form in {"file", "array"}:
        given = tmp_path / "certificate.json"
        given.write_text(json.dumps([one] if form == "array" else one), encoding="utf-8")
    answer = icd_client.doris(given)
    assert answer["CertificateKey"].tolist() == ["A7"]
    assert answer["code"].tolist() == ["1A00"]


def test_files_of_the_tabular_form_are_taken(icd_client, tmp_path):
    table = pd.DataFrame({"CertificateKey": ["1"], "CauseOfDeathCodeA": ["1A00"], "Sex": [2]})
    table.to_csv(tmp_path / "sample.csv", index=False, sep=";")
    table.to_excel(tmp_path / "sample.xlsx", index=False)
    for name in ("sample.csv", "sample.xlsx"):
        assert icd_client.doris(tmp_path / name)["code"].tolist() == ["1A00"]


def test_codes_of_icd10_are_answered_with_the_way_to_translate_them(icd_client):
    table = pd.DataFrame({"cause_a": ["I219", "I10"], "part2": ["E119", None]})
    with pytest.raises(ConfigurationError, match=r"such as I219, are of ICD-10\. DORIS .* take ICD-11.*map_codes"):
        icd_client.codedit(table)
    mixed = icd_client.codedit(pd.DataFrame({"cause_a": ["I219", "1A00"]}))
    assert mixed.status.tolist() == ["invalid", "ok"]
    assert "map_codes()" in mixed.message[0]


def test_a_column_with_the_month_first_is_refused_as_a_whole(icd_client):
    table = pd.DataFrame({"cause_a": ["1A00"] * 2, "Death date": ["05/06/2019", "05/25/2019"]})
    with pytest.raises(ConfigurationError, match="'05/25/2019', which has the month first"):
        icd_client.doris(table)


def test_an_age_without_a_unit_is_named_and_not_sent(icd_client, icd_sandbox):
    table = pd.DataFrame({"cause_a": ["1A00"], "age": [45]})
    with pytest.warns(PartialResultWarning, match="'age'.*An age needs its unit"):
        icd_client.doris(table)
    assert icd_client.doris(table.assign(age="45 years")).status.tolist() == ["ok"]
    assert "estimatedAge=P45Y" in icd_sandbox.log[-1].path


def test_a_key_of_two_certificates_is_told(icd_client):
    table = pd.DataFrame({"CertificateKey": ["7", "7", "8", None], "cause_a": ["1A00"] * 4})
    with pytest.warns(ComparabilityWarning, match="1 keys in 'CertificateKey' stand for more than one .* such as '7'"):
        assert len(icd_client.doris(table)) == len(table)


def test_certificates_of_another_release_are_told(icd_client):
    with pytest.warns(ComparabilityWarning, match="2022-02.*judged by 2024-01"):
        icd_client.doris({"cause_a": "1A00", "ICDMinorVersion": "2022-02"})


@pytest.mark.parametrize("name", ["doris_sample.csv", "doris_sample.xlsx"])
def test_whos_own_samples_pass_unchanged(name, icd_client, full_size):
    answer = icd_client.doris(full_size / "certificates" / name)
    assert set(answer.status) == {"ok"}
    assert answer["CertificateKey"].tolist()[:3] == ["1", "2", "3"]


def test_observed_certificates_pass_unchanged(full_size):
    text = (full_size / "certificates" / "doris_observed_2026-01_container-2.6.0.json").read_text(encoding="utf-8")
    for example in json.loads(text)["examples"]:
        row, unread = read_document(example["certificate"])
        document = read_certificate(row).document()
        assert not unread
        assert document == {"Part2": {"Conditions": []}, **example["certificate"]}


def _causes_of(file):
    return pd.read_excel(file, engine="openpyxl").rename(columns={"Code": "cause_a"})


@pytest.mark.slow
def test_codedits_example_files_run_after_one_rename(icd_client, full_size):
    examples = full_size / "examples"
    table = pd.read_excel(examples / "codedit_data_example_icd11.xlsx", engine="openpyxl").rename(
        columns={"Code": "cause_a"}
    )
    with pytest.warns(PartialResultWarning, match="'freeid'"):
        answer = icd_client.codedit(table)
    assert answer.status.value_counts().to_dict() == {"ok": 238, "invalid": 6}
    raw = pd.read_csv(examples / "codedit_example_raw_cod.csv").rename(columns={"icd_11_underlying_cause": "cause_a"})
    with pytest.warns(PartialResultWarning, match="'randomid', 'date_of_registration', 'age'"):
        answer = icd_client.codedit(raw)
    assert set(answer.status) == {"ok"}
    old = pd.read_excel(examples / "codedit_data_example_icd10.xlsx", engine="openpyxl").rename(
        columns={"Code": "cause_a"}
    )
    with pytest.raises(ConfigurationError, match="such as P219, are of ICD-10"):
        icd_client.codedit(old)


@pytest.mark.slow
def test_observed_codedit_verdicts_are_met_on_the_whole_mms(full_size, tmp_path):
    corpus = load_corpus(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")
    text = (full_size / "certificates" / "doris_observed_2026-01_container-2.6.0.json").read_text(encoding="utf-8")
    examples = json.loads(text)["examples"]
    extensions = [code for code in corpus.listing("mms").by_code if code.startswith("XA")][:40]
    with (
        Sandbox(corpus, authenticate=False) as sandbox,
        icdframes.connect(sandbox.url, cache_dir=tmp_path) as client,
    ):
        answer = client.codedit([example["certificate"] for example in examples])
        with pytest.warns(PartialResultWarning, match="have no answer"):
            clusters = client.codeinfo(["BA41.0", *(f"BA41.0&{code}" for code in extensions), "XA7RE3"])
    assert answer["issue_ids"].fillna("").tolist() == [
        example["observed"]["codedit"]["issueIds"] for example in examples
    ]
    assert clusters["status"].iloc[[0, -1]].tolist() == ["ok", "ok"]
    assert set(clusters["status"].iloc[1:-1]) == {"failed"}
    assert clusters["message"].iloc[1:-1].str.contains("its corpus has no postcoordination axes").all()
