"""Send one request well: signed, paced, tried again, read to its end; it refuses to carry a token to another host."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from icdframes.errors import ConfigurationError
from icdframes.settings import is_loopback
from icdframes.transport import policy
from icdframes.transport.deadline import with_deadline
from icdframes.transport.error_mapping import error_of_fault, error_of_refusal, fault_of
from icdframes.transport.fork_guard import ForkGuard
from icdframes.transport.policy import Do, Fault, Outcome
from icdframes.transport.secrets import Token
from icdframes.transport.throttle import Throttle

LARGEST_BODY = 64_000_000

_log = logging.getLogger("icdframes.transport")
_PIECE = 65_536
_MOST_REDIRECTS = 5
_SHOWN_OF_LOCATION = 100
_KEPT_BY_POST = frozenset({307, 308})
_DECODED = "decoded"


def decoded(response: requests.Response) -> Any:
    """Give the JSON of an answer with status 200; what the adapter has just read is not decoded again."""
    answer = vars(response)
    return answer[_DECODED] if _DECODED in answer else json.loads(response.content)


class Tokens(Protocol):
    """Whatever gives bearer tokens."""

    def bearer(self, rejected: Token | None = None) -> Token:
        """Give a usable token, other than the rejected one."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What one attempt brought."""

    response: requests.Response | None = None
    fault: Fault | None = None
    detail: str = ""


class IcdAdapter(HTTPAdapter):
    """Transport adapter between requests and one server.

    Everything that decides is in `policy`; this class only acts. A response that
    it gives up has its body read; a 200 holds JSON; its request has no token.

    Parameters
    ----------
    base_url : str
        Only this server is asked.
    tokens : Tokens, optional
        Without it no request is signed.
    retries : int
        Retries after the first attempt.
    max_workers : int
        Size of the connection pool.
    clock, sleep, rng : callable
        Seconds since 1970, how to wait, random numbers in [0, 1).
    largest_body : int
        Bytes after which an answer is refused.

    """

    def __init__(
        self,
        base_url: str,
        tokens: Tokens | None = None,
        *,
        retries: int = 5,
        max_workers: int = 8,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        rng: Callable[[], float] = random.random,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        super().__init__(pool_connections=2, pool_maxsize=max_workers)
        self._base_url = base_url
        self._tokens = tokens
        self._retries = retries
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._largest = largest_body
        self._gate = Throttle(max_workers, clock, sleep)
        self._home = ForkGuard()
        self._lock = threading.Lock()
        self.sent = 0
        self._dated: tuple[str | None, float] = (None, 0.0)

    @property
    def clock_lead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the server's; None before an answer."""
        return policy.clock_lead(*self._dated)

    def send(  # noqa: PLR0917  the signature is requests' own
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request until it is answered or given up; see `policy.decide`."""
        self._home.check()
        url = request.url or ""
        if not policy.allowed_target(self._base_url, url):
            raise ConfigurationError(
                f"{url} is not on the server {self._base_url}, where this connection leads: connect to its own server."
            )
        options = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        self._check_refusal(url)  # before a token is bought
        token, renewed, attempt = self._first_token(url), False, 0
        while True:
            result = self._exchange(request, token, options)
            outcome = self._outcome(result)
            if outcome.status in policy.SLOWING_STATUSES:
                self._gate.slow_down()
            if seconds := policy.refusal(outcome):
                self._gate.refuse(seconds)
            action = policy.decide(
                outcome,
                attempt=attempt,
                retries=self._retries,
                may_renew=token is not None and not renewed,
                jitter=self._rng(),
            )
            match action.do:
                case Do.ANSWER if result.response is not None:
                    return self._finished(result.response, request)
                case Do.RENEW if self._tokens is not None:
                    token, renewed = self._tokens.bearer(rejected=token), True
                case Do.RETRY:
                    attempt += 1
                    _log.debug("retry %d of %s in %.1f s: %s", attempt, url, action.wait, outcome)
                    self._pause(outcome, action.wait)
                case _:
                    break
        raise error_of_fault(result.fault or Fault.CONNECTION, result.detail, url, largest=self._largest)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Give the pool of connections for a request, to the server or to a proxy; its answers have a deadline."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = with_deadline(pool.ConnectionCls)
        return pool

    def _check_refusal(self, url: str) -> None:
        """Raise where the server has asked for a pause that is too long to be waited out, and it is not over."""
        if seconds := self._gate.refused():
            raise error_of_refusal(url, seconds)

    def _first_token(self, url: str) -> Token | None:
        if self._tokens is None or not policy.may_sign(self._base_url, url):
            return None
        return self._tokens.bearer()

    def _outcome(self, result: _Result) -> Outcome:
        if result.response is None:
            return Outcome(fault=result.fault)
        retry_after = policy.parse_retry_after(result.response.headers.get("Retry-After"), self._clock())
        return Outcome(result.response.status_code, result.fault, retry_after)

    def _pause(self, outcome: Outcome, seconds: float) -> None:
        if policy.concerns_everybody(outcome):
            self._gate.hold(seconds)
        else:
            self._sleep(seconds)

    def _exchange(
        self, request: requests.PreparedRequest, token: Token | None, options: Mapping[str, object]
    ) -> _Result:
        """Send once and follow redirects on the same host."""
        for _ in range(_MOST_REDIRECTS):
            with self._gate.passage():
                self._check_refusal(request.url or "")  # it may have come while this thread waited
                result = self._attempt(request, token, options)
            if result.response is None or not result.response.is_redirect:
                return result
            location = result.response.headers["Location"]
            kept = request.method == "GET" or result.response.status_code in _KEPT_BY_POST
            following = self._following(request, location) if kept else None
            if following is None:
                shown = location.partition("?")[0][:_SHOWN_OF_LOCATION]
                return _Result(
                    fault=Fault.REDIRECT,
                    detail=f"{shown!r}; this is not followed, so that no token leaves the server",
                )
            request = following
        return _Result(fault=Fault.REDIRECT, detail="itself, again and again")

    def _following(self, request: requests.PreparedRequest, location: str) -> requests.PreparedRequest | None:
        """Give the request for the place to which a redirect leads, or None where it may not lead there.

        It is judged as it will be sent: a URL with a backslash names one host to
        one reader and another to the next.
        """
        following = request.copy()
        try:
            following.prepare_url(urljoin(request.url or "", location), None)
        except ValueError:
            return None
        return following if policy.allowed_target(self._base_url, following.url or "") else None

    def _attempt(
        self, request: requests.PreparedRequest, token: Token | None, options: Mapping[str, object]
    ) -> _Result:
        """Send once and read the body; every fault is a value, so that no exception keeps the signed request."""
        with self._lock:
            self.sent += 1
        url = request.url or ""
        signed = request
        if token is not None and policy.may_sign(self._base_url, url):
            signed = request.copy()  # what is given back must not hold the token
            signed.headers["Authorization"] = f"Bearer {token.value}"
        if is_loopback(url):
            options = {**options, "proxies": {}}
        try:
            response = super().send(signed, stream=True, **options)  # type: ignore[arg-type]
        except OSError as error:  # RequestException is one
            return _Result(None, *fault_of(error))
        except BaseException as stop:  # noqa: BLE001  it goes on, without the frames below: they hold the token
            raise stop.with_traceback(None) from None
        response.request = request
        self._dated = (response.headers.get("Date"), self._clock())
        try:
            return self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return _Result(None, *fault_of(error))
        finally:
            response.close()

    def _read(self, response: requests.Response) -> _Result:
        body = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            if len(body) > self._largest:
                return _Result(fault=Fault.TOO_LARGE)
        response._content = bytes(body)  # noqa: SLF001  as requests itself does once a body is read
        if response.status_code == requests.codes.ok:
            try:
                vars(response)[_DECODED] = json.loads(response.content)
            except (ValueError, RecursionError):
                kind = response.headers.get("Content-Type", "no content type")
                return _Result(fault=Fault.NOT_JSON, detail=f"{kind}, {len(body)} bytes")
            self._gate.good()
        return _Result(response)

    @staticmethod
    def _finished(response: requests.Response, request: requests.PreparedRequest) -> requests.Response:
        """Take away what must not be stored."""
        response.request = request.copy()
        response.request.headers.pop("Authorization", None)
        response.headers.pop("Vary", None)  # the cache matches by what counts; "Authorization" would make all misses
        return response
