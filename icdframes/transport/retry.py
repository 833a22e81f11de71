"""When to try again, how long to wait, whom to trust: rules only; nothing is sent or slept here."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from math import inf
from typing import TypeGuard
from urllib.parse import quote, quote_plus, urlsplit

from icdframes.settings import is_loopback

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
LONGEST_WAIT = 120.0
LONGEST_OUTAGE = 150.0
MOST_THROTTLES = 30
FAILURES_OF_AN_OUTAGE = 3
MOST_RENEWALS = 20
MOST_REFUSED_TOKENS = 5
MOST_OUTAGES = 20
SHORTEST_HOLD = 1.0

_DRIPPING = 10.0
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0
_FIRST_PROBE = 0.25
_LONGEST_REFUSAL = 24 * 3600.0
_LONGEST_BETWEEN_PROBES = 3.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SECRET = re.compile(r"\b(Bearer|Basic)\s+\S+", re.IGNORECASE)
_LIKE_A_TOKEN = re.compile(r"[\w.~+=-]{32,}", re.ASCII)
_LONGEST_REASON = 200


class Fault(Enum):
    """Why there is no answer to look at."""

    CONNECTION = "connection"
    CUT_SHORT = "cut short"
    NOT_JSON = "not JSON"
    CERTIFICATE = "certificate"
    TOO_LARGE = "too large"
    REDIRECT = "redirect"
    SETTING = "setting"
    NO_TOKEN = "no token"  # noqa: S105  the name of a fault
    ECHO = "a secret in the answer"


RETRIED_FAULTS = frozenset({Fault.CONNECTION, Fault.CUT_SHORT, Fault.NOT_JSON, Fault.NO_TOKEN})


class Do(Enum):
    """What follows an attempt."""

    ANSWER = "give the answer up"
    RETRY = "wait and try again"
    RENEW = "get a new token and try again"
    FAIL = "raise the fault"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought: a status, or a fault."""

    status: int | None = None
    fault: Fault | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What to do next, after how many seconds, and whether it counts as one of the retries."""

    do: Do
    wait: float = 0.0
    counts: bool = True


def decide(
    outcome: Outcome, *, attempt: int, retries: int, may_renew: bool, jitter: float, throttles: int | None = None
) -> Action:
    """Return what follows an attempt.

    Parameters
    ----------
    outcome : Outcome
        What the attempt brought.
    attempt : int
        Number of retries so far, 0 at first.
    retries : int
        How many are allowed.
    may_renew : bool
        Whether a 401 may still be answered with a new token.
    jitter : float
        Random number in [0, 1).
    throttles : int, optional
        In a walk or a column, how often the request was put off by a 429, which costs time there and no retry.

    Returns
    -------
    Action

    """
    if outcome.status == 401 and may_renew:  # noqa: PLR2004  a status is its own name
        return Action(Do.RENEW)
    wait = backoff(attempt, jitter) if outcome.retry_after is None else outcome.retry_after
    if wait > LONGEST_WAIT or not is_passing(outcome):
        return _last(outcome)
    if throttles is not None and throttles < MOST_THROTTLES and concerns_everybody(outcome):
        usual = min(backoff(throttles, jitter), _LONGEST_BETWEEN_PROBES)
        return Action(Do.RETRY, max(usual, outcome.retry_after or 0.0), counts=False)
    return Action(Do.RETRY, wait) if attempt < retries else _last(outcome)


def _last(outcome: Outcome) -> Action:
    return Action(Do.FAIL if outcome.fault else Do.ANSWER)


def is_passing(outcome: Outcome) -> bool:
    """Return whether an attempt failed in a way that may pass; several in a row are an outage."""
    return outcome.fault in RETRIED_FAULTS or outcome.status in RETRIED_STATUSES


def may_renew(renewals: int, *, accepted: bool, refused: int) -> bool:
    """Return whether a 401 is answered with a new token.

    Parameters
    ----------
    renewals : int
        Of this request so far.
    accepted : bool
        Whether the server has ever accepted a token of this session. Then a 401 may come from another
        process with the same key, where each new token ends the last.
    refused : int
        Tokens refused since it last accepted one.

    """
    return renewals == 0 or (accepted and refused <= MOST_REFUSED_TOKENS and renewals < MOST_RENEWALS)


def renewal_wait(renewals: int, jitter: float) -> float:
    """Return the seconds before the next token; none before the first, so that two processes do not keep in step."""
    return 0.0 if renewals <= 1 else min(1.0, 0.05 * 2.0 ** min(renewals, 16)) * jitter


def probe_wait(probes: int, retry_after: float | None) -> float:
    """Return the seconds before the next probe of a server that is out, 3 s at most unless it asks for more."""
    usual = min(_FIRST_PROBE * 2.0 ** min(probes, 16), _LONGEST_BETWEEN_PROBES)
    return usual if retry_after is None else max(retry_after, _FIRST_PROBE)


def backoff(attempt: int, jitter: float) -> float:
    """Exponential back-off with full jitter, in seconds."""
    return min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(attempt, 16)) * jitter


def concerns_everybody(outcome: Outcome) -> bool:
    """Return whether all threads must wait: the server said so, or asked one of them to send less."""
    return outcome.status == 429 or (outcome.status == 503 and outcome.retry_after is not None)  # noqa: PLR2004


def refusal(outcome: Outcome) -> float:
    """Return the seconds for which nobody shall ask again, or 0 where the wish is short enough to be waited out."""
    wish = outcome.retry_after or 0.0
    if not concerns_everybody(outcome) or wish <= LONGEST_WAIT:
        return 0.0
    return min(wish, _LONGEST_REFUSAL)  # after a day one request tells whether a wish without end was meant


def longest_answer(timeout: float | None) -> float:
    """Return the seconds that a whole answer may take: ten times what two bytes of it may be apart."""
    return inf if timeout is None else _DRIPPING * timeout


def parse_retry_after(value: str | None, date: str | None = None) -> float | None:
    """Return ``Retry-After``, seconds or an HTTP date, as seconds after the server's ``Date``; None if it says nothing.

    Without a usable ``Date`` this machine's clock counts.
    """
    text = (value or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    moment = _read_date(text)
    if moment is None:
        return None
    now = _read_date(date or "")
    return max(0.0, moment - (time.time() if now is None else now))


def clock_lead(date: str | None, now: float) -> float | None:
    """Return the seconds by which this machine's clock is ahead of a server's ``Date`` header."""
    moment = _read_date(date or "")
    return None if moment is None else now - moment


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value can stand in an ``Authorization`` header."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def allowed_target(base_url: str, url: str) -> bool:
    """Return whether a redirect from the server may be followed: same host, and https is never left."""
    try:
        here, there = _origin(base_url), _origin(url)
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return here == there or (here[0] == "http" and there == ("https", here[1], 443))


def may_sign(base_url: str, url: str) -> bool:
    """Return whether a token may go to a URL: the server's own scheme, host and port, over https or on this machine."""
    origin = _origin(url)
    return origin == _origin(base_url) and (origin[0] == "https" or is_loopback(url))


def reason_text(content_type: str, text: str, secrets: Iterable[str] = ()) -> str:
    """Return what a server says about its refusal, if it is short, is no page, and shows no secret."""
    reason = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()).strip('"')
    reason = without_secrets(reason, secrets)
    if "html" in content_type.lower() or reason.startswith("<") or len(reason) > _LONGEST_REASON:
        return ""
    return _LIKE_A_TOKEN.sub("…", _SECRET.sub(r"\1 …", reason))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text in which an ellipsis stands for each secret, as it is or as it stands in a URL."""
    forms = {form for one in secrets for form in (str(one), quote(one, safe=""), quote_plus(one))}
    for secret in sorted(forms, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "…")
    return text


def _read_date(text: str) -> float | None:
    """Read an HTTP date as seconds since 1970."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or ""), parts.port or _DEFAULT_PORTS.get(parts.scheme)
