"""A death certificate as a value: the fields that DORIS and CoDEdit take, their answers, ages and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

UNKNOWN_DURATIONS = ("P", "PT")
"""What WHO's forms write for a duration that is not known."""

_DURATION = re.compile(
    r"P(?:(\d+)W|(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)",
    re.ASCII,
)
_DAYS = (7, 365.25, 365.25 / 12, 1, 1 / 24, 1 / 1_440, 1 / 86_400)
_NUMBER_AND_UNIT = re.compile(r"(\d+)(?:\.0+)?\s*([A-Za-z]+)\.?")
_UNITS = {
    "P{}Y": ("y", "yr", "yrs", "year", "years"),
    "P{}M": ("m", "mo", "mos", "month", "months"),
    "P{}W": ("w", "wk", "wks", "week", "weeks"),
    "P{}D": ("d", "day", "days"),
    "PT{}H": ("h", "hr", "hrs", "hour", "hours"),
    "PT{}M": ("min", "mins", "minute", "minutes"),
}
UNITS = {word: form for form, words in _UNITS.items() for word in words}
"""ISO 8601 form of each unit of age, by the words for it."""

_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?", re.ASCII
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MONTHS = 12
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60

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
_INFANT, _MOTHER, _MANNER = "FetalOrInfantDeath", "MaternalDeath", "MannerOfDeath"


def read_duration(value: Any) -> str | None:
    """Return an ISO 8601 duration; None where the value is none.

    Parameters
    ----------
    value : object
        A duration (``"P45Y"``), a number with its unit (``"45 years"``, ``"3 d"``; ``m`` is months), or a
        timedelta.

    Examples
    --------
    >>> read_duration("45 years"), read_duration("pt5h"), read_duration("45")
    ('P45Y', 'PT5H', None)

    """
    text = _of_timedelta(value) if isinstance(value, timedelta) else str(value).strip()
    if found := _NUMBER_AND_UNIT.fullmatch(text):
        form = UNITS.get(found[2].lower())
        return form.format(int(found[1])) if form else None
    upper = text.upper()
    return upper if _DURATION.fullmatch(upper) else None


def duration_in_days(text: str) -> float | None:
    """Return the days of an ISO 8601 duration, a year as 365.25; None where the text is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    return sum(float(number or 0) * days for number, days in zip(found.groups(), _DAYS, strict=True))


def _of_timedelta(value: timedelta) -> str:
    """Write a time span in its largest whole units of days, hours, minutes and seconds."""
    seconds = int(value.total_seconds())
    if seconds < 0:
        return str(value)
    days, rest = divmod(seconds, _DAY)
    parts = ((rest // _HOUR, "H"), (rest % _HOUR // _MINUTE, "M"), (rest % _MINUTE, "S"))
    clock = "".join(f"{number}{unit}" for number, unit in parts if number)
    return (f"P{days}D" if days else "P") + (f"T{clock}" if clock else "") if seconds else "P0D"


def read_date(value: Any) -> str | None:
    """Return a date as the API takes it; None where the value is none.

    Parameters
    ----------
    value : object
        ``2019-05-25``, with a time and zone or shortened to ``2019-05`` or ``2019``; a year as a number;
        ``25/05/2019``, the day first; or a date or timestamp.

    Examples
    --------
    >>> read_date("25/05/2019"), read_date(2019.0), read_date("05/25/2019")
    ('2019-05-25', '2019', None)

    """
    if isinstance(value, datetime):
        return value.date().isoformat()
    text = value.isoformat() if isinstance(value, date) else str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    if found := _SLASHED.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    match = _DATE.fullmatch(text)
    try:
        if match:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
            return text
    except ValueError:
        pass
    return None


def is_month_first(value: Any) -> bool:
    """Return whether a date can only be read with the month first, such as ``05/25/2019``."""
    found = _SLASHED.fullmatch(str(value).strip())
    return found is not None and int(found[1]) <= _MONTHS < int(found[2])


def years_between(birth: str, death: str) -> tuple[float, float] | None:
    """Return the least and the greatest age in years that two dates leave open; None where one is not known."""
    first, last = _DATE.fullmatch(birth), _DATE.fullmatch(death)
    if first is None or last is None:
        return None
    born, died = ((int(m[1]) + (int(m[2]) - 1) / _MONTHS if m[2] else int(m[1]), bool(m[2])) for m in (first, last))
    spans = [1 / _MONTHS if exact else 1 for _, exact in (born, died)]
    return max(0.0, died[0] - born[0] - spans[0]), died[0] - born[0] + spans[1]


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
