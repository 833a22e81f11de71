"""Which answer a request gets: the order of the checks before a handler is asked; it knows no socket.

Path and method, then the token, the API version, the acceptable media type, and only
then the handler.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from icdframes.sandbox.answers import JSON, Answer, Asked, Refusal, api_headers, json_answer, not_found, text_answer
from icdframes.sandbox.call import Call, choose_media_type, is_version_2, weighted
from icdframes.sandbox.corpus import Corpus
from icdframes.sandbox.forms import form_fields
from icdframes.sandbox.routes import Route, find, methods_of
from icdframes.sandbox.tokens import TOKEN_PATH, TokenDesk

_LOG = logging.getLogger("icdframes.sandbox")
_BROWSER_HEADERS = "Authorization, API-Version, Accept, Accept-Language, Content-Type"


class Desk:
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

    def __init__(self, corpus: Corpus, tokens: TokenDesk | None, *, vary: bool = True) -> None:
        self._corpus = corpus
        self._tokens = tokens
        self._headers = api_headers(vary=vary)

    def answer(self, asked: Asked) -> Answer:
        """Give the answer to any request; never raises."""
        try:
            return self._answer(asked)
        except Refusal as refusal:
            return refusal.answer
        except Exception:  # noqa: BLE001  a fault of the sandbox is shown as a server would
            _LOG.exception("The sandbox failed on %s %s", asked.method, asked.path)
            return text_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")

    def _answer(self, asked: Asked) -> Answer:
        path = asked.path.rstrip("/")
        if asked.method == "OPTIONS":
            return _preflight(asked.header("Access-Control-Request-Headers"))
        if path == TOKEN_PATH and self._tokens is not None:
            return self._tokens.answer(asked) if asked.method == "POST" else _wrong_method(("POST",))
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
            Call(
                self._corpus,
                named,
                query,
                weighted(asked.header("Accept-Language")),
                asked.body if asked.method == "POST" else None,
            )
        )
        kind = media_type if answer.content_type == JSON else answer.content_type
        return replace(answer, content_type=kind, headers={**self._headers, **answer.headers})

    def _negotiated(self, row: Route, asked: Asked) -> str:
        if self._tokens is not None and not self._tokens.accepts(asked.header("Authorization")):
            raise Refusal(Answer(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"}))
        version = asked.header("API-Version")
        if not version.strip():
            raise _version_refusal("ApiVersionUnspecified", "An API version is required, but was not specified.")
        if not is_version_2(version):
            raise _version_refusal("UnsupportedApiVersion", f"The API version {version!r} is not supported.")
        media_type = choose_media_type(asked.header("Accept"), row.media_types)
        if media_type is None:
            raise Refusal(Answer(HTTPStatus.NOT_ACCEPTABLE))
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


def _version_refusal(code: str, message: str) -> Refusal:
    error = {"code": code, "message": message, "innerError": None}
    return Refusal(json_answer({"error": error}, HTTPStatus.BAD_REQUEST))
