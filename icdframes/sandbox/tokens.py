"""The token endpoint: OAuth 2.0 client credentials, with tokens in memory."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_plus

from icdframes.sandbox.request_context import Answer, HttpRequest, json_answer
from icdframes.settings import SCOPE

TOKEN_PATH = "/connect/token"  # noqa: S105  a path, not a secret
TOKEN_PREFIX = "sandbox-token-"  # noqa: S105  by which a token that strayed is found
_FORM = "application/x-www-form-urlencoded"
_NOT_STORED = {"Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"}
_BEARER = "bearer "
_BASIC = "basic "


class TokenEndpoint:
    """Issues bearer tokens for one client and knows which are alive.

    Parameters
    ----------
    client_id, client_secret : str
        The only credentials that are accepted.
    lifetime : float
        Seconds that a token lives.
    clock : callable
        Seconds that only grow.
    one_at_a_time : bool
        Whether each new token ends the ones before.

    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        lifetime: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        one_at_a_time: bool = False,
    ) -> None:
        self._client = (client_id, client_secret)
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._alive: dict[str, float] = {}
        self._one_at_a_time = one_at_a_time
        self.issued = 0

    def answer(self, asked: HttpRequest) -> Answer:
        """Answer a POST to the token endpoint."""
        if asked.header("Content-Type").partition(";")[0].strip().lower() != _FORM:
            return _refused("invalid_request")
        form = dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))
        if not self._knows(asked.header("Authorization"), form):
            return _refused("invalid_client")
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type")
        if set(form.get("scope", SCOPE).split()) != {SCOPE}:
            return _refused("invalid_scope")
        document = {"access_token": self._issue(), "expires_in": int(self._lifetime), "token_type": "Bearer"}
        return json_answer(document, headers={"Content-Type": "application/json; charset=UTF-8", **_NOT_STORED})

    def accepts(self, authorization: str) -> bool:
        """Return whether an Authorization header carries a living token."""
        if not authorization.lower().startswith(_BEARER):
            return False
        with self._lock:
            ends = self._alive.get(authorization[len(_BEARER) :].strip())
        return ends is not None and self._clock() < ends

    def revoke(self) -> None:
        """Let every token issued so far die."""
        with self._lock:
            self._alive.clear()

    def _issue(self) -> str:
        token, now = TOKEN_PREFIX + secrets.token_urlsafe(48), self._clock()
        with self._lock:
            alive = {} if self._one_at_a_time else self._alive
            self._alive = {known: ends for known, ends in alive.items() if ends > now}
            self._alive[token] = now + self._lifetime
            self.issued += 1
        return token

    def _knows(self, authorization: str, form: Mapping[str, str]) -> bool:
        if authorization.lower().startswith(_BASIC):
            return any(_same(pair, self._client) for pair in _basic_pairs(authorization[len(_BASIC) :]))
        return _same((form.get("client_id", ""), form.get("client_secret", "")), self._client)


def _basic_pairs(encoded: str) -> list[tuple[str, str]]:
    """Id and secret as they stand and as RFC 6749 has them (form-encoded): clients do either."""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [(client_id, secret), (unquote_plus(client_id), unquote_plus(secret))]


def _same(given: tuple[str, str], known: tuple[str, str]) -> bool:
    return all(secrets.compare_digest(a.encode(), b.encode()) for a, b in zip(given, known, strict=True))


def _refused(error: str) -> Answer:
    return json_answer({"error": error}, HTTPStatus.BAD_REQUEST, _NOT_STORED)
