"""Find the fields of death certificates in tables with any spelling of their names, and in WHO's JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from icdframes.errors import ConfigurationError
from icdframes.model.certificate import FIELDS, FIELDS_BY_NAME, LINES, OTHER_FIELDS, CertificateField
from icdframes.model.certificate_reader import is_missing

_NEAR = 0.8
_OUTPUTS = frozenset(
    {
        "reject", "report", "errors", "warnings", "underlyingcauseofdeathcomputed", "underlyingcauseofdeathcomputeduri",
        "underlyingcauseofdeathcomputedcomplete", "underlyingcauseofdeathcomputedcompleteuri",
    }
)  # fmt: skip
_ALIASES = {"dob": "date_birth", "dod": "date_death", "ageunit": "age_unit", "agevalue": "age"}
_LIKELY = {
    **{
        f"{word}{mark}": f"cause_{letter}"
        for number, letter in enumerate(LINES, start=1)
        for word, mark in (
            *((word, letter) for word in ("causeofdeath", "cod", "line", "part1", "i", "1", "causeline")),
            *((word, number) for word in ("causeofdeath", "cod", "line", "cause", "causeline")),
        )
    },
    **dict.fromkeys(("immediatecause", "immediatecauseofdeath", "directcause"), "cause_a"),
    **dict.fromkeys(("gender", "sexcode", "geschlecht", "genre"), "sex"),
    **dict.fromkeys(("ucod", "ucause", "underlying"), "underlying_cause"),
}
"""What columns are called that are fields in the eyes of everybody, though not by their names."""
_CAUSES = {f"cause_{letter}" for letter in LINES}
_CONDITION_KEYS = {
    "text": "text", "code": "cause", "linearizationuri": "uri", "foundationuri": "foundation_uri",
    "interval": "interval",
}  # fmt: skip
_AGE = re.compile("age(?:value|years|inyears|atdeath|ofdeath)?")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")


def _plain(name: object) -> str:
    return re.sub(r"[^0-9a-z]", "", str(name).casefold())


def _words(name: object) -> str:
    """Return the words of a name in alphabetical order: ``Death date`` is ``date_death``."""
    return " ".join(sorted(map(str.lower, _WORD.findall(str(name)))))


_BY_PLAIN: Mapping[str, CertificateField] = {
    **{_plain(name): one for one in (*FIELDS, *OTHER_FIELDS) for name in (one.name, one.api_name)},
    **{alias: FIELDS_BY_NAME[name] for alias, name in _ALIASES.items()},
}
_BY_WORDS: Mapping[str, CertificateField] = {_words(one.name): one for one in (*FIELDS, *OTHER_FIELDS)}
_BY_SECTION: Mapping[tuple[str, str], CertificateField] = {
    (_plain(one.section), _plain(one.key)): one for one in FIELDS if one.section
}
_SECTIONS = frozenset(section for section, _ in _BY_SECTION)


@dataclass(frozen=True, slots=True)
class CertificateColumns:
    """Which columns of a table are fields of a certificate.

    Attributes
    ----------
    fields : dict of object to CertificateField
        Column and field.
    unread : list of str
        The other columns, with what is in them left out.

    """

    fields: dict[object, CertificateField] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def certificate_columns(columns: Iterable[object]) -> CertificateColumns:
    """Return which columns of a table are fields of a certificate, by our names or WHO's, in any spelling.

    Case, blanks, underscores and the order of the words do not count. What WHO's programs write themselves
    (``Reject``, ``UnderlyingCauseOfDeathComputed``) is left out.

    Raises
    ------
    ConfigurationError
        If no column is a cause of death, if two are the same field, or if one is nearly named like a field.

    """
    found = CertificateColumns()
    names = list(columns)
    fields = [_BY_PLAIN.get(_plain(column)) or _BY_WORDS.get(_words(column)) for column in names]
    present = {one.name for one in fields if one is not None}
    for column, one in zip(names, fields, strict=True):
        plain = _plain(column)
        if one is None:
            if _LIKELY.get(plain) not in present - _CAUSES:
                _check_name(column, plain)
            if plain not in _OUTPUTS:
                found.unread.append(str(column))
            continue
        if one in found.fields.values():
            raise ConfigurationError(f"Two columns are the field {one.name!r}: leave one out.")
        found.fields[column] = one
    if not any(name.startswith(("cause_", "uri_", "text_")) for name in present):
        raise ConfigurationError(
            "There is no cause of death: name the columns of part 1 cause_a (the immediate cause) to cause_e, "
            "that of part 2 part2; icdframes.doris names all columns."
        )
    return found


def unread_sentence(unread: Sequence[str]) -> str:
    """Return the sentence that names what of a table of certificates is not sent."""
    listed = ", ".join(map(repr, dict.fromkeys(unread)))
    advice = (
        " An age needs its unit: add a column age_unit (Y, M, D), or write estimated_age as P45Y."
        if any(_AGE.fullmatch(_plain(name)) for name in unread)
        else ""
    )
    return f"Not sent, being no fields of a death certificate: {listed}. icdframes.doris names all fields.{advice}"


def is_document(given: Mapping[Any, Any]) -> bool:
    """Return whether a dict is WHO's JSON form of a certificate, and no row of a table."""
    plain = {_plain(key): value for key, value in given.items()}
    return isinstance(plain.get("part1"), list) or isinstance(plain.get("administrativedata"), Mapping)


def read_document(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a certificate in WHO's JSON form, as a row of a table, and the paths that were not read.

    Raises
    ------
    ConfigurationError
        If it is not of that form, or a name is nearly one of a field.

    """
    row: dict[str, Any] = {}
    unread: list[str] = []
    for key, value in document.items():
        plain = _plain(key)
        if plain == "part1":
            _read_lines(value, row, unread)
        elif plain == "part2":
            _read_line(value, "Part2", "part2", row, unread)
        elif plain in _SECTIONS and isinstance(value, Mapping):
            _read_section(key, value, row, unread)
        elif one := _BY_PLAIN.get(plain):
            _put(row, one.name, value)
        elif plain not in _OUTPUTS and value is not None:
            _check_name(key, plain)
            unread.append(str(key))
    return row, unread


def _put(row: dict[str, Any], name: str, value: Any) -> None:
    """Put a value into a row; two that differ, inside a section and beside it, are refused."""
    if not is_missing(value) and row.setdefault(name, value) != value:
        raise ConfigurationError(f"A certificate says of {name!r} both {row[name]!r} and {value!r}: leave one out.")


def _read_section(section: str, values: Mapping[str, Any], row: dict[str, Any], unread: list[str]) -> None:
    for key, value in values.items():
        one = _BY_SECTION.get((_plain(section), _plain(key)))
        if one is not None:
            _put(row, one.name, value)
        elif value is not None:
            _check_name(key, _plain(key), [name for part, name in _BY_SECTION if part == _plain(section)])
            unread.append(f"{section}.{key}")


def _read_lines(lines: Any, row: dict[str, Any], unread: list[str]) -> None:
    if lines is None:
        return
    if not isinstance(lines, list):
        raise ConfigurationError('Part1 is no list of lines: write [{"Conditions": [{"Code": "1A00"}]}].')
    if len(lines) > len(LINES):
        raise ConfigurationError(f"Part1 has {len(lines)} lines, and a certificate has {len(LINES)}, a to e.")
    for letter, line in zip(LINES, lines, strict=False):
        _read_line(line, "Part1", letter, row, unread)


def _read_line(line: Any, part: str, letter: str, row: dict[str, Any], unread: list[str]) -> None:
    conditions = _conditions_of(line, part, unread)
    if is_missing(conditions):
        return
    if not isinstance(conditions, list) or not all(isinstance(condition, Mapping) for condition in conditions):
        raise ConfigurationError(f'{part} has a line that is none: write {{"Conditions": [{{"Code": "1A00"}}]}}.')
    for place, condition in enumerate(conditions):
        for key, value in condition.items():
            kind = _CONDITION_KEYS.get(_plain(key))
            if kind is None:
                _check_name(key, _plain(key), list(_CONDITION_KEYS))
                unread.append(f"{part}.Conditions.{key}")
                continue
            name = "part2" if (kind, letter) == ("cause", "part2") else f"{kind}_{letter}"
            row.setdefault(name, [None] * len(conditions))[place] = value


def _conditions_of(line: Any, part: str, unread: list[str]) -> Any:
    """Return the conditions of a line; what else stands there is refused or named."""
    if not isinstance(line, Mapping):
        return line
    conditions = None
    for key, value in line.items():
        plain = _plain(key)
        if plain == "conditions":
            conditions = value
        elif plain in _CONDITION_KEYS and not is_missing(value):
            raise ConfigurationError(
                f'{part} has {key!r} on a line, outside its conditions: write {{"Conditions": [{{"Code": "1A00", '
                '"Interval": "P1D"}]}.'
            )
        elif not is_missing(value):
            _check_name(key, plain, ["conditions"])
            unread.append(f"{part}.{key}")
    return conditions


def _check_name(name: object, plain: str, known: Sequence[str] | None = None) -> None:
    """Refuse a name that is nearly that of a field."""
    if plain in _OUTPUTS:
        return
    likely = _LIKELY.get(plain) if known is None else None
    near = get_close_matches(plain, known if known is not None else list(_BY_PLAIN), n=1, cutoff=_NEAR)
    if likely or near:
        likely = likely or (near[0] if known is not None else _BY_PLAIN[near[0]].name)
        raise ConfigurationError(
            f"Column {str(name)!r} is no field of a death certificate. Did you mean {likely!r}? Rename it, or leave it "
            "out."
        )
