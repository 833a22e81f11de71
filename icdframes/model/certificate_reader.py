"""Read and check a death certificate from the values of a user's table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.model.certificate import FIELDS, LINES, Certificate, CertificateField
from icdframes.model.codes import parse_code
from icdframes.model.uris import first_entity_id

_DURATION = re.compile(
    r"P(?:\d+W|(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)"
)
_UNKNOWN_INTERVALS = ("P", "PT")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?")
_TRUE_FALSE = {"true": "yes", "false": "no"}
_DAY = 86_400
_HOUR = 3_600
_MINUTE = 60
_NEAR = 0.8


def certificate_columns(columns: Iterable[object]) -> dict[object, CertificateField]:
    """Return which columns of a table are fields of a certificate, by our names or the API's.

    Raises
    ------
    ConfigurationError
        If no column is a cause of death, if two are the same field, or if one is nearly named like a field.

    """
    known = {name: field for field in FIELDS for name in (field.name, field.api_name)}
    found: dict[object, CertificateField] = {}
    for column in columns:
        field = known.get(str(column))
        if field is None:
            if near := did_you_mean(str(column), known, cutoff=_NEAR):
                raise ConfigurationError(
                    f"Column {column!r} is no field of a death certificate.{near} Rename it, or leave it out."
                )
            continue
        if field in found.values():
            raise ConfigurationError(f"Two columns are the field {field.name!r}: leave one out.")
        found[column] = field
    if not any(field.name.startswith(("cause_", "uri_")) for field in found.values()):
        raise ConfigurationError(
            "There is no cause of death: name the columns of part 1 cause_a (the immediate cause) to cause_e, "
            "that of part 2 part2; icdframes.doris names all columns."
        )
    return found


def read_certificate(row: Mapping[str, Any]) -> Certificate:
    """Check the fields of one certificate and write them as the API takes them.

    Parameters
    ----------
    row : Mapping of str to object
        Field name and value; None, NaN and blank texts are left out.

    Returns
    -------
    Certificate

    Raises
    ------
    ConfigurationError
        The sentence names the column, the value, and how to write it.

    """
    values: list[tuple[str, str]] = []
    for field in FIELDS:
        value = row.get(field.name)
        if not _is_missing(value):
            values.append((field.name, _CHECKS[field.kind](field, value)))
    given = dict(values)
    if not any(f"{kind}_{line}" in given for kind in ("cause", "uri") for line in LINES):
        raise ConfigurationError("part 1 is empty: give at least one cause of death in cause_a to cause_e")
    _check_order(given)
    return Certificate(tuple(values))


def _check_order(given: Mapping[str, str]) -> None:
    birth, death = given.get("date_birth"), given.get("date_death")
    if birth and death and death[: len(birth)] < birth[: len(death)]:
        raise ConfigurationError(f"column 'date_death': {death} is before the birth on {birth}: correct one of them")


def _code(field: CertificateField, value: Any) -> str:
    texts = value.split(",") if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else [value]
    codes = []
    for text in texts:
        try:
            cluster = parse_code(text.strip() if isinstance(text, str) else text, classification="mms")
        except CodeSyntaxError as error:
            raise _wrong(field, value, str(error).rstrip(".")) from None
        if any(member.kind != "category" for member in cluster.members):
            raise _wrong(field, value, f"{cluster.text} is a {cluster.members[0].kind}, give a category")
        codes.append(cluster.text)
    return ",".join(codes)


def _uri(field: CertificateField, value: Any) -> str:
    texts = [text.strip() for text in (value if isinstance(value, list | tuple) else str(value).split(","))]
    if not all(first_entity_id(text) for text in texts):
        raise _wrong(field, value, "write URIs such as http://id.who.int/icd/release/11/mms/1334938734/unspecified")
    return ",".join(texts)


def _duration(field: CertificateField, value: Any) -> str:
    text = _iso_duration(value) if isinstance(value, timedelta) else str(value).strip().upper()
    if _DURATION.fullmatch(text):
        return text
    if field.name.startswith("interval_") and text in _UNKNOWN_INTERVALS:
        return text
    number = re.fullmatch(r"(\d+)(?:\.0)?", text)
    example = f"for {number[1]} years write P{number[1]}Y" if number else "P45Y, P8M, P3D and PT5H are good"
    raise _wrong(field, value, f"write an ISO 8601 duration of whole numbers: {example}")


def _iso_duration(value: timedelta) -> str:
    """Write a time span in its largest whole units of days, hours, minutes and seconds."""
    seconds = int(value.total_seconds())
    if seconds < 0:
        return str(value)
    days, rest = divmod(seconds, _DAY)
    parts = ((rest // _HOUR, "H"), (rest % _HOUR // _MINUTE, "M"), (rest % _MINUTE, "S"))
    clock = "".join(f"{number}{unit}" for number, unit in parts if number)
    return (f"P{days}D" if days else "P") + (f"T{clock}" if clock else "") if seconds else "P0D"


def _date(field: CertificateField, value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    text = value.isoformat() if isinstance(value, date) else str(value).strip()
    match = _DATE.fullmatch(text)
    try:
        if match:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
            return text
    except ValueError:
        pass
    raise _wrong(field, value, "write an existing date as 2019-05-25, 2019-05 or 2019")


def _count(field: CertificateField, value: Any) -> str:
    number = _whole(value)
    if number is None or number < 0:
        raise _wrong(field, value, "write a whole number that is not negative")
    return str(number)


def _choice(field: CertificateField, value: Any) -> str:
    choices = field.choices or {}
    word = str(value).strip().lower()
    number = choices.get(_TRUE_FALSE.get(word, word), _whole(value))
    if number not in choices.values():
        raise _wrong(field, value, "write " + ", ".join(f"{code} ({name})" for name, code in choices.items()))
    return str(number)


def _text(_field: CertificateField, value: Any) -> str:
    return " ".join(str(value).split())


def _whole(value: Any) -> int | None:
    match = re.fullmatch(r"(-?\d+)(?:\.0+)?", str(value).strip(), re.ASCII)
    return int(match[1]) if match else None


def _is_missing(value: Any) -> bool:
    """Return whether nothing was given: None, NaN, NaT, pandas.NA, a blank text, an empty list."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(value, float):
        return value != value  # noqa: PLR0124  this is what makes a NaN
    return isinstance(value, str | list | tuple) and not (value.strip() if isinstance(value, str) else value)


def _wrong(field: CertificateField, value: Any, advice: str) -> ConfigurationError:
    return ConfigurationError(f"column {field.name!r}: {str(value)[:60]!r} cannot be sent; {advice}")


_CHECKS: Mapping[str, Callable[[CertificateField, Any], str]] = {
    "code": _code,
    "uri": _uri,
    "duration": _duration,
    "date": _date,
    "count": _count,
    "choice": _choice,
    "text": _text,
}
