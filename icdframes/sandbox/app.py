"""Route a request to its handler: the table of operations, and the checks before a handler is asked.

In a pattern ``{lin}`` is a linearization, ``{year}`` a release of ICD-10, ``{id}`` a
number, ``{residual}`` one of two words, ``{code}`` all the rest; ``{release}`` is any
one part. So ``/icd/release/11/mms/1`` and ``/icd/release/11/2024-01/mms`` do not meet.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from icdframes.sandbox.corpus import Corpus
from icdframes.sandbox.handlers.codes import codeinfo, describe
from icdframes.sandbox.handlers.entities import (
    foundation_entity,
    foundation_root,
    icd10_entity,
    icd10_releases,
    icd10_root,
    linearization_entity,
    linearization_lookup,
    linearization_releases,
    linearization_root,
)
from icdframes.sandbox.handlers.mortality import codedit, doris
from icdframes.sandbox.handlers.release_files import is_release_file, release_file
from icdframes.sandbox.handlers.search import autocode, search
from icdframes.sandbox.request_context import (
    JSON,
    Answer,
    HttpError,
    HttpRequest,
    RequestContext,
    api_headers,
    choose_media_type,
    form_fields,
    is_version_2,
    json_answer,
    not_found,
    text_answer,
    weighted,
)
from icdframes.sandbox.tokens import TOKEN_PATH, TokenEndpoint

Handler = Callable[[RequestContext], Answer]

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
    route("GET", "/icd/entity", foundation_root),
    route("GET", "/icd/entity/{id}", foundation_entity),
    route("GET", "/icd/entity/search", search, _JSON),
    route("POST", "/icd/entity/search", search, _JSON),
    route("GET", "/icd/entity/autocode", autocode, _JSON),
    route("GET", "/icd/release/11/{release}/doris", doris, _JSON),
    route("POST", "/icd/release/11/{release}/doris", doris, _JSON),
    route("GET", "/icd/release/11/{release}/codedit", codedit, _JSON),
    route("POST", "/icd/release/11/{release}/codedit", codedit, _JSON),
    route("GET", "/icd/release/11/{lin}", linearization_releases),
    route("GET", "/icd/release/11/{lin}/{id}", linearization_releases),
    route("GET", "/icd/release/11/{lin}/{id}/{residual}", linearization_releases),
    route("GET", "/icd/release/11/{release}/{lin}", linearization_root),
    route("GET", "/icd/release/11/{release}/{lin}/{id}", linearization_entity),
    route("GET", "/icd/release/11/{release}/{lin}/{id}/{residual}", linearization_entity),
    route("GET", "/icd/release/11/{release}/{lin}/lookup", linearization_lookup),
    route("GET", "/icd/release/11/{release}/{lin}/codeinfo/{code}", codeinfo),
    route("GET", "/icd/release/11/{release}/{lin}/describe", describe, _JSON),
    route("GET", "/icd/release/11/{release}/{lin}/search", search, _JSON),
    route("POST", "/icd/release/11/{release}/{lin}/search", search, _JSON),
    route("GET", "/icd/release/11/{release}/{lin}/autocode", autocode, _JSON),
    route("GET", "/icd/release/10", icd10_releases),
    route("GET", "/icd/release/10/{year}", icd10_root),
    route("GET", "/icd/release/10/{year}/{icd10}", icd10_entity),
    route("GET", "/icd/release/10/{icd10}", icd10_releases),
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
    """Return the methods that a path has; empty where there is no such path."""
    return tuple(dict.fromkeys(row.method for row in ROUTES if row.pattern.fullmatch(path)))


_LOG = logging.getLogger("icdframes.sandbox")
_BROWSER_HEADERS = "Authorization, API-Version, Accept, Accept-Language, Content-Type"


class App:
    """Answers requests from a corpus.

    Parameters
    ----------
    corpus : Corpus
        What is served.
    tokens : TokenDesk or None
        None asks for no token and has no token endpoint, as WHO's local container.
    vary : bool
        Whether answers carry ``Vary``.

    """

    def __init__(self, corpus: Corpus, tokens: TokenEndpoint | None, *, vary: bool = True) -> None:
        self._corpus = corpus
        self._tokens = tokens
        self._headers = {**api_headers(vary=vary), "Sandbox-Corpus": corpus.digest}

    def answer(self, asked: HttpRequest) -> Answer:
        """Return the answer to any request; never raises."""
        try:
            return self._answer(asked)
        except HttpError as refusal:
            return refusal.answer
        except Exception:  # noqa: BLE001  a fault of the sandbox is shown as a server would
            _LOG.exception("The sandbox failed on %s %s", asked.method, asked.path)
            return text_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")

    def _answer(self, asked: HttpRequest) -> Answer:
        path = asked.path.rstrip("/")
        if asked.method == "OPTIONS":
            return _preflight(asked.header("Access-Control-Request-Headers"))
        if path == TOKEN_PATH and self._tokens is not None:
            return self._tokens.answer(asked) if asked.method == "POST" else _wrong_method(("POST",))
        if is_release_file(path):
            return release_file(self._corpus, asked) if asked.method in {"GET", "HEAD"} else _wrong_method(("GET",))
        found = find(asked.method, path)
        if found is None:
            allowed = methods_of(path)
            if not allowed:
                raise not_found()
            return _wrong_method(allowed)
        row, named = found
        media_type = self._negotiated(row, asked)
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(asked.target).query)}
        if asked.method == "POST":
            query |= form_fields(asked.header("Content-Type"), asked.body)
        answer = row.handler(
            RequestContext(
                self._corpus,
                named,
                query,
                weighted(asked.header("Accept-Language")),
                asked.body if asked.method == "POST" else None,
            )
        )
        kind = media_type if answer.content_type == JSON else answer.content_type
        return replace(answer, content_type=kind, headers={**self._headers, **answer.headers})

    def _negotiated(self, row: Route, asked: HttpRequest) -> str:
        if self._tokens is not None and not self._tokens.accepts(asked.header("Authorization")):
            raise HttpError(Answer(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"}))
        version = asked.header("API-Version")
        if not version.strip():
            raise _version_refusal("ApiVersionUnspecified", "An API version is required, but was not specified.")
        if not is_version_2(version):
            raise _version_refusal("UnsupportedApiVersion", f"The API version {version!r} is not supported.")
        media_type = choose_media_type(asked.header("Accept"), row.media_types)
        if media_type is None:
            raise HttpError(Answer(HTTPStatus.NOT_ACCEPTABLE))
        return media_type


def _preflight(wanted: str) -> Answer:
    """Allow a browser what it wants to send, whatever tool it runs."""
    headers = {
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": wanted or _BROWSER_HEADERS,
        "Access-Control-Max-Age": "600",
    }
    return Answer(HTTPStatus.NO_CONTENT, headers=headers)


def _wrong_method(allowed: tuple[str, ...]) -> Answer:
    return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(allowed)})


def _version_refusal(code: str, message: str) -> HttpError:
    error = {"code": code, "message": message, "innerError": None}
    return HttpError(json_answer({"error": error}, HTTPStatus.BAD_REQUEST))
