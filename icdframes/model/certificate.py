"""A death certificate as a value: the fields that DORIS and CoDEdit take, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["code", "uri", "duration", "date", "count", "choice", "text"]

LINES = ("a", "b", "c", "d", "e")
YES_NO = {"no": 0, "yes": 1, "unknown": 9}
SEX = {"male": 1, "female": 2, "unknown": 9}
MANNER = {
    "disease": 0,
    "accident": 1,
    "intentional self harm": 2,
    "assault": 3,
    "legal intervention": 4,
    "war": 5,
    "could not be determined": 6,
    "pending investigation": 7,
    "unknown": 9,
}
PLACE = {
    "at home": 0,
    "residential institution": 1,
    "school, other institution, public administration area": 2,
    "sports and athletics area": 3,
    "street and highway": 4,
    "trade and service area": 5,
    "industrial and construction area": 6,
    "farm": 7,
    "other place": 8,
    "unknown": 9,
}
TIME_FROM_PREGNANCY = {
    "at time of death": 0,
    "within 42 days before the death": 1,
    "between 43 days up to 1 year before death": 2,
    "one year or more before death": 3,
    "unknown": 9,
}


@dataclass(frozen=True, slots=True)
class CertificateField:
    """One field of a certificate.

    Attributes
    ----------
    name : str
        Column in a table of certificates.
    api_name : str
        Parameter of the API; accepted as a column too.
    kind : str
        How its values are checked.
    section, key : str
        Its place in the JSON form; empty for cause lines and intervals.
    choices : Mapping of str to int
        Words for the numbers of a ``choice``.

    """

    name: str
    api_name: str
    kind: Kind
    section: str = ""
    key: str = ""
    choices: Mapping[str, int] | None = None


def _lines(name: str, api_name: str, kind: Kind) -> list[CertificateField]:
    return [CertificateField(f"{name}_{line}", f"{api_name}{line.upper()}", kind) for line in LINES]


_INFANT, _MOTHER, _MANNER = "FetalOrInfantDeath", "MaternalDeath", "MannerOfDeath"
FIELDS: tuple[CertificateField, ...] = (
    CertificateField("sex", "sex", "choice", "AdministrativeData", "Sex", SEX),
    CertificateField("estimated_age", "estimatedAge", "duration", "AdministrativeData", "EstimatedAge"),
    CertificateField("date_birth", "dateBirth", "date", "AdministrativeData", "DateBirth"),
    CertificateField("date_death", "dateDeath", "date", "AdministrativeData", "DateDeath"),
    *_lines("cause", "causeOfDeathCode", "code"),
    *_lines("uri", "causeOfDeathUri", "uri"),
    CertificateField("part2", "causeOfDeathCodePart2", "code"),
    CertificateField("uri_part2", "causeOfDeathUriPart2", "uri"),
    *_lines("interval", "interval", "duration"),
    CertificateField("surgery_was_performed", "surgeryWasPerformed", "choice", "Surgery", "WasPerformed", YES_NO),
    CertificateField("surgery_date", "surgeryDate", "date", "Surgery", "Date"),
    CertificateField("surgery_reason", "surgeryReason", "text", "Surgery", "Reason"),
    CertificateField("autopsy_was_requested", "autopsyWasRequested", "choice", "Autopsy", "WasRequested", YES_NO),
    CertificateField("autopsy_findings", "autopsyFindings", "choice", "Autopsy", "Findings", YES_NO),
    CertificateField("manner_of_death", "mannerOfDeath", "choice", _MANNER, "MannerOfDeath", MANNER),
    CertificateField(
        "external_cause_date",
        "mannerOfDeathDateOfExternalCauseOrPoisoning",
        "date",
        _MANNER,
        "DateOfExternalCauseOrPoisoning",
    ),
    CertificateField(
        "external_cause_description",
        "mannerOfDeathDescriptionExternalCause",
        "text",
        _MANNER,
        "DescriptionExternalCause",
    ),
    CertificateField(
        "external_cause_place",
        "mannerOfDeathPlaceOfOccuranceExternalCause",
        "choice",
        _MANNER,
        "PlaceOfOccuranceExternalCause",
        PLACE,
    ),
    CertificateField(
        "multiple_pregnancy", "fetalOrInfantDeathMultiplePregnancy", "choice", _INFANT, "MultiplePregnancy", YES_NO
    ),
    CertificateField("stillborn", "fetalOrInfantDeathStillborn", "choice", _INFANT, "Stillborn", YES_NO),
    CertificateField("hours_survived", "fetalOrInfantDeathDeathWithin24h", "count", _INFANT, "DeathWithin24h"),
    CertificateField("birth_weight", "fetalOrInfantDeathBirthWeight", "count", _INFANT, "BirthWeight"),
    CertificateField("pregnancy_weeks", "fetalOrInfantDeathPregnancyWeeks", "count", _INFANT, "PregnancyWeeks"),
    CertificateField("age_mother", "fetalOrInfantDeathAgeMother", "count", _INFANT, "AgeMother"),
    CertificateField(
        "perinatal_description", "fetalOrInfantDeathPerinatalDescription", "text", _INFANT, "PerinatalDescription"
    ),
    CertificateField("was_pregnant", "maternalDeathWasPregnant", "choice", _MOTHER, "WasPregnant", YES_NO),
    CertificateField(
        "time_from_pregnancy",
        "maternalDeathTimeFromPregnancy",
        "choice",
        _MOTHER,
        "TimeFromPregnancy",
        TIME_FROM_PREGNANCY,
    ),
    CertificateField(
        "pregnancy_contribute", "maternalDeathPregnancyContribute", "choice", _MOTHER, "PregnancyContribute", YES_NO
    ),
)
FIELDS_BY_NAME: Mapping[str, CertificateField] = {field.name: field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A checked death certificate; `read_certificate` makes it.

    Attributes
    ----------
    values : tuple of (str, str)
        Field name and value as it is sent, in the order of `FIELDS`; what is not known is not there.

    """

    values: tuple[tuple[str, str], ...]

    def params(self) -> dict[str, str]:
        """Write it as the API's parameters."""
        return {FIELDS_BY_NAME[name].api_name: value for name, value in self.values}

    def document(self) -> dict[str, Any]:
        """Write it as WHO's JSON certificate."""
        given = dict(self.values)
        document: dict[str, Any] = {"ICDVersion": "ICD11", "AdministrativeData": {}}
        filled = [line for line in LINES if f"cause_{line}" in given or f"uri_{line}" in given]
        lines = LINES[: LINES.index(filled[-1]) + 1] if filled else ()
        document["Part1"] = [
            {"Conditions": _conditions(given, f"cause_{line}", f"uri_{line}", f"interval_{line}")} for line in lines
        ]
        document["Part2"] = {"Conditions": _conditions(given, "part2", "uri_part2", "")}
        for name, value in self.values:
            field = FIELDS_BY_NAME[name]
            if field.section:
                written: str | int = int(value) if field.kind in {"choice", "count"} else value
                document.setdefault(field.section, {})[field.key] = written
        return document


@dataclass(frozen=True, slots=True)
class UnderlyingCause:
    """What DORIS says: the underlying cause, or why there is none."""

    code: str | None = None
    stem_code: str | None = None
    uri: str | None = None
    stem_uri: str | None = None
    reject: bool = False
    error: str | None = None
    warning: str | None = None
    report: str | None = None
    tabular_report: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """What CoDEdit says of a certificate."""

    issue_ids: tuple[str, ...] = ()
    report: str | None = None
    tabular_report: str | None = None


def _conditions(given: Mapping[str, str], codes: str, uris: str, interval: str) -> list[dict[str, str]]:
    """One condition for each code of a line, with the URI at the same place where there are as many."""
    code_list = given[codes].split(",") if codes in given else []
    uri_list = given[uris].split(",") if uris in given else []
    conditions = []
    for place in range(max(len(code_list), len(uri_list))):
        parts = {
            "Code": code_list[place] if place < len(code_list) else "",
            "LinearizationURI": uri_list[place] if place < len(uri_list) else "",
            "Interval": given.get(interval, ""),
        }
        conditions.append({key: value for key, value in parts.items() if value})
    return conditions
