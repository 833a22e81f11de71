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
OTHER_FIELDS: tuple[CertificateField, ...] = (
    *_lines("text", "causeOfDeathText", "text"),
    *_lines("foundation_uri", "causeOfDeathFoundationUri", "uri"),
    CertificateField("foundation_uri_part2", "causeOfDeathFoundationUriPart2", "uri"),
    CertificateField("text_part2", "causeOfDeathTextPart2", "text"),
    CertificateField("interval_part2", "intervalPart2", "duration"),
    CertificateField("certificate_key", "certificateKey", "text"),
    CertificateField("issuer", "issuer", "text"),
    CertificateField("icd_version", "icdVersion", "text"),
    CertificateField("icd_minor_version", "icdMinorVersion", "text"),
    CertificateField("underlying_cause", "underlyingCauseOfDeath", "code"),
    CertificateField("underlying_cause_uri", "underlyingCauseOfDeathUri", "uri"),
    CertificateField("age", "ageValue", "count"),
    CertificateField("age_unit", "ageType", "text"),
)
"""What WHO's forms and users' files hold besides the parameters of the API, which are `FIELDS`."""

FIELDS_BY_NAME: Mapping[str, CertificateField] = {field.name: field for field in (*FIELDS, *OTHER_FIELDS)}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a line of a certificate; an empty text is what is not known.

    Attributes
    ----------
    code : str
        Code or cluster.
    uri, foundation_uri : str
        The same as an expression of URIs, of the linearization and of the foundation.
    text : str
        As the physician wrote it.
    interval : str
        ISO 8601 duration from onset to death.

    """

    code: str = ""
    uri: str = ""
    foundation_uri: str = ""
    text: str = ""
    interval: str = ""

    def document(self) -> dict[str, str]:
        """Write it as in WHO's JSON certificate."""
        keys = ("Text", "Code", "LinearizationURI", "FoundationURI", "Interval")
        values = (self.text, self.code, self.uri, self.foundation_uri, self.interval)
        return {key: value for key, value in zip(keys, values, strict=True) if value}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A checked death certificate; `read_certificate` makes it.

    Attributes
    ----------
    part1 : tuple of tuple of Condition
        Lines a to e, down to the lowest filled one.
    part2 : tuple of Condition
        What contributed.
    values : tuple of (str, str)
        Name and value of all other fields as they are sent, in the order of `FIELDS`; what is not known is not there.

    """

    part1: tuple[tuple[Condition, ...], ...] = ()
    part2: tuple[Condition, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    @property
    def fits_parameters(self) -> bool:
        """Whether the API's parameters can say all of it; texts, for one, are in the JSON form only."""
        return (
            all(map(_fits_parameters, self.part1))
            and not any(condition.interval for condition in self.part2)
            and _fits_parameters(self.part2)
        )

    def params(self) -> dict[str, str]:
        """Write it as the API's parameters."""
        lines = [*zip(map(str.upper, LINES), self.part1, strict=False), ("Part2", self.part2)]
        given = {FIELDS_BY_NAME[name].api_name: value for name, value in self.values}
        for name, line in lines:
            given[f"causeOfDeathCode{name}"] = ",".join(condition.code for condition in line)
            given[f"causeOfDeathUri{name}"] = ",".join(
                filter(None, (condition.uri or condition.foundation_uri for condition in line))
            )
            given[f"interval{name}"] = line[0].interval if line else ""
        return {field.api_name: value for field in FIELDS if (value := given.get(field.api_name))}

    def document(self) -> dict[str, Any]:
        """Write it as WHO's JSON certificate."""
        document: dict[str, Any] = {"ICDVersion": "ICD11", "AdministrativeData": {}}
        document["Part1"] = [{"Conditions": [condition.document() for condition in line]} for line in self.part1]
        document["Part2"] = {"Conditions": [condition.document() for condition in self.part2]}
        for name, value in self.values:
            field = FIELDS_BY_NAME[name]
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


def _fits_parameters(line: tuple[Condition, ...]) -> bool:
    """Return whether a comma list of codes, one of URIs and one interval say all of a line."""
    codes = [bool(condition.code) for condition in line]
    uris = [condition.uri or condition.foundation_uri for condition in line]
    return (
        not any(condition.text or (condition.uri and condition.foundation_uri) for condition in line)
        and len({condition.interval for condition in line}) <= 1
        and (all(codes) or (not any(codes) and all(uris)))
        and "" not in uris[: len(list(filter(None, uris)))]
    )
