"""The table of the API's operations: method, path pattern, handler; it answers nothing itself.

In a pattern ``{lin}`` is a linearization, ``{year}`` a release of ICD-10, ``{id}`` a
number, ``{residual}`` one of two words, ``{code}`` all the rest; ``{release}`` is any
one part. So ``/icd/release/11/mms/1`` and ``/icd/release/11/2024-01/mms`` do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from icdframes.sandbox.answers import JSON, Answer
from icdframes.sandbox.call import Call
from icdframes.sandbox.operations import (
    autocode,
    codeinfo,
    describe,
    foundation,
    icd10,
    linearization,
    mortality,
    search,
)

Handler = Callable[[Call], Answer]

_LD_JSON = "application/ld+json"
_BOTH = (JSON, _LD_JSON)
_JSON = (JSON,)
_PARTS = {
    "lin": r"(?P<lin>(?!(?:foundation|icd10)(?:/|$))[a-z][a-z0-9_]*)",
    "release": r"(?P<release>\d[^/]*|beta)",
    "year": r"(?P<release>\d{4})",
    "id": r"(?P<id>\d+)",
    "icd10": r"(?P<id>[A-Z][^/]*)",
    "residual": r"(?P<residual>other|unspecified)",
    "code": r"(?P<code>.+)",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    media_types: tuple[str, ...] = _BOTH


def route(method: str, path: str, handler: Handler, media_types: tuple[str, ...] = _BOTH) -> Route:
    """Make a row of the table."""
    return Route(method, re.compile(re.sub(r"\{(\w+)\}", lambda part: _PARTS[part[1]], path)), handler, media_types)


ROUTES = (
    route("GET", "/icd/entity", foundation.root),
    route("GET", "/icd/entity/{id}", foundation.entity),
    route("GET", "/icd/entity/search", search.search, _JSON),
    route("POST", "/icd/entity/search", search.search, _JSON),
    route("GET", "/icd/entity/autocode", autocode.autocode, _JSON),
    route("GET", "/icd/release/11/{release}/doris", mortality.doris, _JSON),
    route("POST", "/icd/release/11/{release}/doris", mortality.doris, _JSON),
    route("GET", "/icd/release/11/{release}/codedit", mortality.codedit, _JSON),
    route("POST", "/icd/release/11/{release}/codedit", mortality.codedit, _JSON),
    route("GET", "/icd/release/11/{lin}", linearization.releases),
    route("GET", "/icd/release/11/{lin}/{id}", linearization.releases),
    route("GET", "/icd/release/11/{lin}/{id}/{residual}", linearization.releases),
    route("GET", "/icd/release/11/{release}/{lin}", linearization.root),
    route("GET", "/icd/release/11/{release}/{lin}/{id}", linearization.entity),
    route("GET", "/icd/release/11/{release}/{lin}/{id}/{residual}", linearization.entity),
    route("GET", "/icd/release/11/{release}/{lin}/lookup", linearization.lookup),
    route("GET", "/icd/release/11/{release}/{lin}/codeinfo/{code}", codeinfo.codeinfo),
    route("GET", "/icd/release/11/{release}/{lin}/describe", describe.describe, _JSON),
    route("GET", "/icd/release/11/{release}/{lin}/search", search.search, _JSON),
    route("POST", "/icd/release/11/{release}/{lin}/search", search.search, _JSON),
    route("GET", "/icd/release/11/{release}/{lin}/autocode", autocode.autocode, _JSON),
    route("GET", "/icd/release/10", icd10.releases),
    route("GET", "/icd/release/10/{year}", icd10.root),
    route("GET", "/icd/release/10/{year}/{icd10}", icd10.entity),
    route("GET", "/icd/release/10/{icd10}", icd10.releases),
)


def find(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """Find the operation for an encoded path; None where the path or the method does not fit."""
    for candidate in ROUTES:
        if candidate.method != method:
            continue
        if match := candidate.pattern.fullmatch(path):
            return candidate, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def methods_of(path: str) -> tuple[str, ...]:
    """Give the methods that a path has; empty where there is no such path."""
    return tuple(dict.fromkeys(row.method for row in ROUTES if row.pattern.fullmatch(path)))
