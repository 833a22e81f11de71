"""Read and check a death certificate from the values of a user's table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from icdframes.errors import CodeSyntaxError, ConfigurationError
from icdframes.model.certificate import (
    FIELDS,
    FIELDS_BY_NAME,
    LINES,
    UNITS,
    UNKNOWN_DURATIONS,
    Certificate,
    CertificateField,
    Condition,
    duration_in_days,
    read_date,
    read_duration,
)
from icdframes.model.cluster import Cluster
from icdframes.model.codes import parse_code, split_codes
from icdframes.model.uris import first_entity_id

_TRUE_FALSE = {"true": "yes", "false": "no"}
_SHORT_SEX = {"m": "male", "f": "female", "u": "unknown"}
_DISTINCT = 10_000
_OLDEST = 150 * 365.25
_CAUSES = ("cause", "uri", "foundation_uri", "text", "interval")
_PART2 = ("part2", "uri_part2", "foundation_uri_part2", "text_part2", "interval_part2")
_PART1 = tuple(tuple(f"{kind}_{line}" for kind in _CAUSES) for line in LINES)
_ABOUT = tuple(one for one in FIELDS if one.name not in {*_PART2, *(name for names in _PART1 for name in names)})

TRANSLATE_FIRST = (
    "DORIS and CoDEdit take ICD-11: translate the codes first, with map_codes() and WHO's table of ICD-10 to ICD-11, "
    "and look through what it finds"
)


def read_certificate(row: Mapping[str, Any]) -> Certificate:
    """Check the fields of one certificate and write them as the API takes them.

    Parameters
    ----------
    row : Mapping of str to object
        Name of the field and value; None, NaN and blank texts are left out. A line of causes holds one value, a
        comma list, or a list with one item for each condition.

    Returns
    -------
    Certificate

    Raises
    ------
    ConfigurationError
        The sentence names the column, the value, and how to write it.

    """
    row = {name: value for name, value in row.items() if not is_missing(value)}
    _check_version(row.get("icd_version"))
    if "age" in row:
        row["estimated_age"] = _age(row)
    values = [(field.name, _CHECKS[field.kind](field, row[field.name])) for field in _ABOUT if field.name in row]
    part1 = [_conditions(row, names) for names in _PART1]
    part2 = _conditions(row, _PART2)
    while part1 and not part1[-1]:
        part1.pop()
    coded = [bool(condition.code or condition.uri or condition.foundation_uri) for line in part1 for condition in line]
    if not any(coded):
        raise ConfigurationError(_no_code(part1))
    _check_order(dict(values))
    return Certificate(tuple(part1), part2, tuple(values))


def assigned_cause(row: Mapping[str, Any]) -> str | None:
    """Return the underlying cause that was assigned by hand, a code or a URI in its canonical form; None for none."""
    for name in ("underlying_cause", "underlying_cause_uri"):
        value = row.get(name)
        if is_missing(value):
            continue
        try:
            return _CHECKS[FIELDS_BY_NAME[name].kind](FIELDS_BY_NAME[name], value)
        except ConfigurationError:
            return str(value).strip()
    return None


def compare_causes(assigned: str | None, code: str | None, stem: str | None, uri: str | None) -> str | None:
    """Return how a cause assigned by hand compares with the one of DORIS: same, same stem, different or unreadable."""
    if assigned is None or code is None:
        return None
    if "://" in assigned:
        return "same" if uri is not None and _without_release(assigned) == _without_release(uri) else "different"
    if assigned == code:
        return "same"
    if not _reads(assigned, "mms"):
        return "unreadable"
    return "same stem" if re.split("[&/]", assigned)[0] == (stem or re.split("[&/]", code)[0]) else "different"


def is_all_icd10(cells: Iterable[Any]) -> str | None:
    """Return an example where codes of ICD-10 are among the values and none of ICD-11; None elsewhere."""
    example = None
    for cell in cells:
        for text in _pieces(cell):
            if not isinstance(text, str) or not text.strip():
                continue
            if _reads(text, "mms"):
                return None
            if example is None and _reads(text, "icd10"):
                example = text.strip()
    return example


def is_missing(value: Any) -> bool:
    """Return whether nothing was given: None, NaN, NaT, pandas.NA, a blank text, an empty list."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(value, float):
        return value != value  # noqa: PLR0124  this is what makes a NaN
    return isinstance(value, str | list | tuple) and not (value.strip() if isinstance(value, str) else value)


@dataclass(frozen=True, slots=True)
class _Cell:
    """The values on one line of a certificate in one column, checked; an empty text is what is not known."""

    field: CertificateField
    texts: tuple[str, ...]


def _conditions(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Condition, ...]:
    """Return one condition for each code or URI of a line, with what stands at the same place beside it."""
    if row.keys().isdisjoint(names):
        return ()
    code, uri, foundation, text, interval = (_cell(row, name) for name in names)
    n = max(len(code.texts), len(uri.texts), len(foundation.texts), min(1, len(text.texts)))
    for cell in (text, interval):
        if len(cell.texts) > max(n, 1):
            raise ConfigurationError(
                f"column {cell.field.name!r}: {len(cell.texts)} values for {n} conditions: give one, or one for each"
            )
    if any(interval.texts) and not n:
        raise ConfigurationError(f"column {interval.field.name!r}: there is an interval, and no cause on its line")
    if len(interval.texts) == 1:
        interval = _Cell(interval.field, interval.texts * n)

    def at(cell: _Cell, place: int) -> str:
        return cell.texts[place] if place < len(cell.texts) else ""

    made = []
    for place in range(n):
        link, source = at(uri, place), at(foundation, place)
        if link and not source and "/entity/" in link and "/release/" not in link:
            link, source = "", link
        made.append(Condition(at(code, place), link, source, at(text, place), at(interval, place)))
    return tuple(made)


def _cell(row: Mapping[str, Any], name: str) -> _Cell:
    field = FIELDS_BY_NAME[name]
    if name not in row:
        return _Cell(field, ())
    value = row[name]
    pieces = [value] if field.kind == "text" and not isinstance(value, list | tuple) else _pieces(value)
    is_list = isinstance(value, list | tuple)
    check = _CHECKS[field.kind]
    return _Cell(field, tuple("" if is_list and is_missing(piece) else check(field, piece) for piece in pieces))


def _pieces(value: Any) -> list[Any]:
    """Take a comma list apart; codes that other separators part are several too."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        return [value]
    return list(_parts_of(value))


@lru_cache(maxsize=_DISTINCT)
def _parts_of(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for piece in text.split(","):
        several = () if "://" in piece else split_codes(piece)
        found += several if len(several) > 1 else [piece]
    return tuple(found)


def _no_code(part1: Sequence[Sequence[Condition]]) -> str:
    if any(part1):
        return (
            "part 1 has texts and no code: DORIS does not code words, so give the codes in cause_a to cause_e; "
            "autocode() proposes one for a text"
        )
    return "part 1 is empty: give at least one cause of death in cause_a to cause_e"


def _age(row: Mapping[str, Any]) -> Any:
    """Return the age, also where number and unit stand in two columns."""
    number, unit, given = row["age"], row.get("age_unit"), row.get("estimated_age")
    if given is not None:
        if unit is not None and _age({"age": number, "age_unit": unit}) != read_duration(given):
            raise ConfigurationError(f"column 'age': {number} {unit} is not the estimated_age {given}: leave one out")
        return given
    if unit is None:
        if read_duration(number) is None:
            raise ConfigurationError(f"column 'age': the unit of {str(number)[:60]!r} is missing: fill age_unit")
        return number
    form = UNITS.get(str(unit).strip().lower())
    if form is None:
        raise ConfigurationError(f"column 'age_unit': {str(unit)[:60]!r} is no unit: write Y, M, W, D, H or min")
    return form.format(_count(FIELDS_BY_NAME["age"], number))


def _check_version(value: Any) -> None:
    if is_missing(value):
        return
    plain = re.sub(r"[^A-Z0-9]", "", str(value).upper())
    if plain.startswith(("ICD10", "10")):
        raise ConfigurationError(f"column 'icd_version': {str(value)[:60]!r}, but {TRANSLATE_FIRST}")
    if plain not in {"ICD11", "11", "110"}:
        raise ConfigurationError(f"column 'icd_version': {str(value)[:60]!r} cannot be sent; write ICD11")


def _check_order(given: Mapping[str, str]) -> None:
    birth, death = given.get("date_birth"), given.get("date_death")
    if birth and death and death[: len(birth)] < birth[: len(death)]:
        raise ConfigurationError(f"column 'date_death': {death} is before the birth on {birth}: correct one of them")


def _reads(text: str, classification: Any) -> bool:
    try:
        return all(member.kind == "category" for member in parse_code(text, classification=classification).members)
    except CodeSyntaxError:
        return False


@lru_cache(maxsize=_DISTINCT)
def _read_cluster(text: str) -> Cluster:
    return parse_code(text, classification="mms")


def _code(field: CertificateField, value: Any) -> str:
    try:
        cluster = _read_cluster(value.strip()) if isinstance(value, str) else parse_code(value, classification="mms")
    except CodeSyntaxError as error:
        if isinstance(value, str) and _reads(value, "icd10"):
            raise _wrong(field, value, f"it is written as a code of ICD-10, and {TRANSLATE_FIRST}") from None
        raise _wrong(field, value, str(error).rstrip(".")) from None
    if any(member.kind != "category" for member in cluster.members):
        raise _wrong(field, value, f"{cluster.text} is a {cluster.members[0].kind}, give a category")
    return cluster.text


def _uri(field: CertificateField, value: Any) -> str:
    text = str(value).strip()
    if not first_entity_id(text):
        raise _wrong(field, value, "write URIs such as http://id.who.int/icd/release/11/mms/1334938734/unspecified")
    return text


def _without_release(expression: str) -> str:
    return re.sub(r"https?://id\.who\.int/icd/release/11/(?:[0-9-]+/)?|\s", "", expression)


def _duration(field: CertificateField, value: Any) -> str:
    text = str(value).strip().upper()
    if text in UNKNOWN_DURATIONS:
        return text
    if field.name.startswith("interval") and re.fullmatch(r"\d+\s*M\.?", text):
        raise _wrong(field, value, "M can be months or minutes: write mo or min, or P3M and PT3M")
    read = read_duration(value)
    if read is None:
        number = re.fullmatch(r"(\d+)(?:\.0)?", text)
        example = f"for {number[1]} years write P{number[1]}Y" if number else "P45Y, P8M, P3D and PT5H are good"
        raise _wrong(field, value, f"write an ISO 8601 duration of whole numbers: {example}")
    if (duration_in_days(read) or 0) > _OLDEST:
        raise _wrong(field, value, "nobody is so old; leave the cell empty where the age is not known")
    return read


def _date(field: CertificateField, value: Any) -> str:
    read = read_date(value)
    if read is None:
        raise _wrong(field, value, "write an existing date as 2019-05-25, 2019-05, 2019 or 25/05/2019")
    return read


def _count(field: CertificateField, value: Any) -> str:
    number = _whole(value)
    if number is None or number < 0:
        raise _wrong(field, value, "write a whole number that is not negative")
    return str(number)


def _choice(field: CertificateField, value: Any) -> str:
    choices = field.choices or {}
    word = " ".join(str(value).lower().replace("-", " ").split())
    if field.name == "sex":
        word = _SHORT_SEX.get(word, word)
    number = choices.get(_TRUE_FALSE.get(word, word), _whole(value))
    if number not in choices.values():
        raise _wrong(field, value, "write " + ", ".join(f"{code} ({name})" for name, code in choices.items()))
    return str(number)


def _text(_field: CertificateField, value: Any) -> str:
    return " ".join(str(value).split())


def _whole(value: Any) -> int | None:
    match = re.fullmatch(r"(-?\d+)(?:\.0+)?", str(value).strip(), re.ASCII)
    return int(match[1]) if match else None


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
