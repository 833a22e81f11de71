"""Read a death certificate from a query or from WHO's JSON.

It refuses with 400 what WHO's service cannot bind either: numbers that are none, JSON of another shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from icdframes.model.certificate import FIELDS, LINES
from icdframes.sandbox.request_body import bad_request

_NUMBERS = [field.api_name for field in FIELDS if field.kind in {"choice", "count"}]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause as it was written: a code or cluster, or URIs, or both."""

    code: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the rules look at.

    Attributes
    ----------
    lines : tuple of tuple of Cause
        Part 1, from line A down, up to the lowest filled one.
    part2 : tuple of Cause
        What contributed.
    birth, death : str
        Dates as written, empty where not given.
    sex, age : str
        The number for the sex and the ISO 8601 duration, as written.
    version : str
        ``"ICD11"``, or what else the certificate says.

    """

    lines: tuple[tuple[Cause, ...], ...]
    part2: tuple[Cause, ...] = ()
    birth: str = ""
    death: str = ""
    sex: str = ""
    age: str = ""
    version: str = "ICD11"


def from_query(query: Mapping[str, str]) -> Certificate:
    """Read the parameters of a GET; names in lower case."""
    for name in _NUMBERS:
        given = query.get(name.lower(), "0").strip()
        if not given.removeprefix("-").isdecimal():
            raise bad_request(f"{name} is {given!r}: give a whole number.")

    def causes(where: str) -> tuple[Cause, ...]:
        return _causes(query.get(f"causeofdeathcode{where}", ""), query.get(f"causeofdeathuri{where}", ""))

    lines = _filled(causes(line) for line in LINES)
    about = (query.get(name, "").strip() for name in ("datebirth", "datedeath", "sex", "estimatedage"))
    return Certificate(lines, causes("part2"), *about)


def from_document(document: Mapping[str, Any]) -> Certificate:
    """Read the JSON of a POST."""
    about = _typed(document, "AdministrativeData", dict, {})
    return Certificate(
        _filled(_conditions(line, "Part1[]") for line in _typed(document, "Part1", list, [])),
        _conditions(_typed(document, "Part2", dict, {}), "Part2"),
        _typed(about, "DateBirth", str, ""),
        _typed(about, "DateDeath", str, ""),
        str(_typed(about, "Sex", int, "")),
        _typed(about, "EstimatedAge", str, ""),
        _typed(document, "ICDVersion", str, "ICD11"),
    )


def _filled(lines: Iterable[tuple[Cause, ...]]) -> tuple[tuple[Cause, ...], ...]:
    found = list(lines)
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def _conditions(line: object, where: str) -> tuple[Cause, ...]:
    if not isinstance(line, dict):
        raise bad_request(f"{where} is no object.")
    causes: list[Cause] = []
    for condition in _typed(line, "Conditions", list, []):
        if not isinstance(condition, dict):
            raise bad_request(f"{where}.Conditions holds what is no object.")
        uri = _typed(condition, "LinearizationURI", str, "") or _typed(condition, "FoundationURI", str, "")
        causes += _causes(_typed(condition, "Code", str, ""), uri)
    return tuple(causes)


def _causes(codes: str, uris: str) -> tuple[Cause, ...]:
    """Pair codes and URIs that stand at the same place of their comma lists."""
    code_list, uri_list = _split(codes), _split(uris)
    length = max(len(code_list), len(uri_list))
    return tuple(
        Cause(code, uri) for code, uri in zip(_padded(code_list, length), _padded(uri_list, length), strict=True)
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _padded(texts: list[str], length: int) -> list[str]:
    return texts + [""] * (length - len(texts))


def _typed(document: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = document.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise bad_request(f"{key} is a JSON {type(value).__name__}, which it cannot be.")
    return value
