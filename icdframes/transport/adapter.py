"""Send one request well: signed, paced, tried again, read to its end, and to no other server."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from icdframes.errors import ConfigurationError, ConnectionFailedError, IcdError, RateLimitedError, ServerError
from icdframes.settings import is_loopback
from icdframes.transport import retry
from icdframes.transport.cached_reader import DECODED, read_json
from icdframes.transport.concurrency import ForkGuard
from icdframes.transport.error_mapping import error_of_fault, error_of_outage, error_of_refusal, fault_of
from icdframes.transport.retry import Do, Fault, Outcome
from icdframes.transport.secrets import Token, Tokens
from icdframes.transport.throttle import ConcurrencyLimit, End, Throttle

LARGEST_BODY = 64_000_000

_log = logging.getLogger("icdframes.transport")
_PIECE = 65_536
_MOST_REDIRECTS = 5
_SHOWN_OF_LOCATION = 100
_KEPT_BY_POST = frozenset({307, 308})
_LONG_ENOUGH = 12  # a shorter secret may stand in an answer by chance


@dataclass(frozen=True, slots=True)
class _Result:
    """What one attempt brought; an error of the token endpoint stands for the answer that was not asked for."""

    response: requests.Response | None = None
    fault: Fault | None = None
    detail: str = ""
    error: IcdError | None = None


@dataclass(slots=True)
class _Sending:
    """One request, and what has become of it so far."""

    request: requests.PreparedRequest
    options: Mapping[str, object]
    attempt: int = 0
    throttles: int = 0
    renewals: int = 0
    outages: int = 0
    token: Token | None = field(default=None, repr=False)
    rejected: Token | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return self.request.url or ""


class IcdAdapter(HTTPAdapter):
    """Transport adapter between requests and one server.

    Everything that decides is in `retry` and `throttle`; this class only acts. A response that
    it returns has its body read; a 200 holds JSON; its request has no token.

    Parameters
    ----------
    base_url : str
        Only this server is asked.
    tokens : Tokens, optional
        Without it no request is signed.
    retries : int
        Retries after the first attempt.
    max_workers : int
        Requests under way at the same time, at most; as many connections are kept.
    first_width : int, optional
        Begin with so many and find the number that the server bears; None keeps to `max_workers`.
    clock, sleep, rng : callable
        Seconds that only grow, how to wait, random numbers in [0, 1).
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
        first_width: int | None = None,
        clock: Callable[[], float] = time.monotonic,
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
        self._throttle = Throttle(ConcurrencyLimit.of(max_workers, first_width), clock, sleep)
        self._home = ForkGuard()
        self._lock = threading.Lock()
        self.sent = 0
        self._dated: tuple[str | None, float] = (None, 0.0)
        self._patient = 0
        self._accepted: Token | None = None
        self._refused: set[int] = set()
        self._last_good: requests.PreparedRequest | None = None

    @contextmanager
    def riding_out_outages(self) -> Iterator[None]:
        """Wait some two minutes for a server that is out, in this block; outside of it some retries are enough."""
        with self._lock:
            self._patient += 1
        try:
            yield
        finally:
            with self._lock:
                self._patient -= 1

    @property
    def out_for(self) -> float | None:
        """Seconds since the server is out; None where it is not."""
        return self._throttle.out_for

    @property
    def width(self) -> int:
        """Requests that may be under way at the same time now."""
        return self._throttle.limit.width

    @property
    def clock_lead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the server's; None before an answer."""
        return retry.clock_lead(*self._dated)

    def send(  # noqa: PLR0917  the signature is requests' own
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request until it is answered or given up; see `retry.decide`."""
        self._home.check()
        options = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        sending = _Sending(request, options)
        if not retry.allowed_target(self._base_url, sending.url):
            raise ConfigurationError(
                f"{sending.url} is not on the server {self._base_url}, where this connection leads: connect to its "
                "own server."
            )
        while True:
            self._check_refusal(sending.url)  # before a token is requested
            result = self._signed_exchange(sending)
            outcome = self._outcome(result)
            if self._is_over(outcome):
                raise result.error or error_of_outage(sending.url, retry.LONGEST_OUTAGE)
            end = self._wait_for_server(sending, outcome)
            if end is End.GIVEN_UP:
                raise result.error or error_of_outage(sending.url, retry.LONGEST_OUTAGE)
            if end is End.BACK:
                sending.outages += 1
                continue
            action = retry.decide(
                outcome,
                attempt=sending.attempt,
                retries=self._retries,
                may_renew=self._may_renew(sending),
                jitter=self._rng(),
                throttles=sending.throttles if self._patient else None,
            )
            match action.do:
                case Do.ANSWER if result.response is not None:
                    return self._finished(result.response, request)
                case Do.RENEW:
                    sending.renewals, sending.rejected = sending.renewals + 1, sending.token
                    self._sleep(retry.renewal_wait(sending.renewals, self._rng()))
                case Do.RETRY:
                    sending.attempt += action.counts
                    sending.throttles += not action.counts
                    _log.debug("retry %d of %s in %.1f s: %s", sending.attempt, sending.url, action.wait, outcome)
                    self._pause(outcome, action.wait)
                case _:
                    break
        raise self._error(result, sending.url)

    def _error(self, result: _Result, url: str) -> IcdError:
        if result.error is not None:
            return result.error
        detail = retry.without_secrets(result.detail, self._known_secrets())
        return error_of_fault(result.fault or Fault.CONNECTION, detail, url, largest=self._largest)

    def _known_secrets(self) -> tuple[str, ...]:
        return self._tokens.known_secrets() if self._tokens else ()

    def _is_over(self, outcome: Outcome) -> bool:
        """Return whether the last outage was given up and this attempt failed too."""
        hopeless = self._patient > 0 and self._throttle.is_hopeless and retry.is_passing(outcome)
        self._throttle.note(outcome)
        return hopeless

    def _wait_for_server(self, sending: _Sending, outcome: Outcome) -> End:
        """Wait for a server that seems to be out; where it was and is back, the attempt does not count."""
        wish = outcome.retry_after or 0.0
        if (
            not self._patient
            or not retry.is_passing(outcome)
            or not self._throttle.is_suspected
            or wish > retry.LONGEST_WAIT
            or sending.outages >= retry.MOST_OUTAGES
        ):
            return End.NEVER_OUT
        return self._throttle.wait_for_server(lambda: self._probe(sending), outcome.retry_after)

    def _probe(self, sending: _Sending) -> Outcome:
        """Ask again for what was answered last, so that what is wrong with one entity is no outage."""
        request = self._last_good or sending.request
        probing = _Sending(request, sending.options)
        result = self._signed_exchange(probing, paused=True)
        return self._outcome(result)

    def _may_renew(self, sending: _Sending) -> bool:
        return sending.token is not None and retry.may_renew(
            sending.renewals, accepted=self._accepted is not None, refused=len(self._refused)
        )

    def _check_refusal(self, url: str) -> None:
        """Raise where the server has asked for a pause that is too long to be waited out, and it is not over."""
        if seconds := self._throttle.refused():
            raise error_of_refusal(url, seconds)

    def _signed_exchange(self, sending: _Sending, *, paused: bool = False) -> _Result:
        """Send once with a token that was not refused before; in a walk no token is a fault as no answer is."""
        try:
            sending.token = self._token(sending)
        except (ConnectionFailedError, RateLimitedError, ServerError) as error:
            if not self._patient:
                raise
            return _Result(fault=Fault.NO_TOKEN, error=error)
        return self._exchange(sending.request, sending.token, sending.options, paused=paused)

    def _token(self, sending: _Sending) -> Token | None:
        if self._tokens is None or not retry.may_sign(self._base_url, sending.url):
            return None
        return self._tokens.bearer(rejected=sending.rejected)

    def _outcome(self, result: _Result) -> Outcome:
        if result.response is None:
            return Outcome(fault=result.fault)
        headers = result.response.headers
        retry_after = retry.parse_retry_after(headers.get("Retry-After"), headers.get("Date"))
        outcome = Outcome(result.response.status_code, result.fault, retry_after)
        if seconds := retry.refusal(outcome):
            self._throttle.refuse(seconds)
        return outcome

    def _pause(self, outcome: Outcome, seconds: float) -> None:
        if retry.concerns_everybody(outcome):
            self._throttle.hold(seconds if outcome.retry_after is not None else max(seconds, retry.SHORTEST_HOLD))
        else:
            self._sleep(seconds)

    def _exchange(
        self,
        request: requests.PreparedRequest,
        token: Token | None,
        options: Mapping[str, object],
        *,
        paused: bool = False,
    ) -> _Result:
        """Send once and follow redirects on the same host."""
        for _ in range(_MOST_REDIRECTS):
            if paused:
                result = self._attempt(request, token, options)
            else:
                with self._throttle.passage() as tell_good:
                    self._check_refusal(request.url or "")  # it may have come while this thread waited
                    began = self._clock()
                    result = self._attempt(request, token, options)
                    if result.response is not None and result.response.status_code == requests.codes.ok:
                        tell_good(self._clock() - began)
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
        """Return the request for the place to which a redirect leads, or None where it may not lead there.

        It is judged as it will be sent: a URL with a backslash names one host to
        one reader and another to the next.
        """
        following = request.copy()
        try:
            following.prepare_url(urljoin(request.url or "", location), None)
        except ValueError:
            return None
        return following if retry.allowed_target(self._base_url, following.url or "") else None

    def _attempt(
        self, request: requests.PreparedRequest, token: Token | None, options: Mapping[str, object]
    ) -> _Result:
        """Send once and read the body; every fault is a value, so that no exception keeps the signed request."""
        with self._lock:
            self.sent += 1
        url = request.url or ""
        signed = request
        if token is not None and retry.may_sign(self._base_url, url):
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
        self._dated = (response.headers.get("Date"), time.time())
        try:
            result = self._read(response, self._deadline(options))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return _Result(None, *fault_of(error))
        finally:
            response.close()
        self._remember(request, token, result)
        return result

    def _deadline(self, options: Mapping[str, object]) -> tuple[float, float]:
        """Return how many seconds a whole body may take, and the moment when they are over."""
        timeout = options["timeout"]
        seconds = retry.longest_answer(timeout[-1] if isinstance(timeout, tuple) else timeout)  # type: ignore[arg-type]
        return seconds, self._clock() + seconds

    def _remember(self, request: requests.PreparedRequest, token: Token | None, result: _Result) -> None:
        status = result.response.status_code if result.response is not None else None
        if status == requests.codes.unauthorized and token is not None:
            self._refused.add(id(token))
        if status == requests.codes.ok:
            self._accepted = token or self._accepted
            self._refused.clear()
            if request.method == "GET":
                self._last_good = request

    def _read(self, response: requests.Response, deadline: tuple[float, float]) -> _Result:
        """Read the body; the time-out of a socket counts from byte to byte, therefore a deadline for the whole."""
        body = bytearray()
        seconds, end = deadline
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            if len(body) > self._largest:
                return _Result(fault=Fault.TOO_LARGE)
            if self._clock() > end:
                return _Result(fault=Fault.CONNECTION, detail=f"the answer was not complete after {seconds:.0f} s")
        response._content = bytes(body)  # noqa: SLF001  as requests itself does once a body is read
        if response.status_code == requests.codes.ok:
            if any(len(one) >= _LONG_ENOUGH and one.encode() in body for one in self._known_secrets()):
                return _Result(fault=Fault.ECHO)
            try:
                vars(response)[DECODED] = read_json(response.content)
            except (ValueError, RecursionError):
                kind = response.headers.get("Content-Type", "no content type")
                return _Result(fault=Fault.NOT_JSON, detail=f"{kind}, {len(body)} bytes")
        return _Result(response)

    @staticmethod
    def _finished(response: requests.Response, request: requests.PreparedRequest) -> requests.Response:
        """Take away what must not be stored."""
        response.request = request.copy()
        response.request.headers.pop("Authorization", None)
        response.headers.pop("Vary", None)  # the cache matches by what counts; "Authorization" would make all misses
        return response
