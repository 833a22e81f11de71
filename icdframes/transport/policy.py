"""When to try again, how long to keep an answer, whom to trust: rules only; nothing is sent or slept here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from hashlib import blake2b
from math import inf
from typing import TypeGuard
from urllib.parse import urlsplit

from icdframes.settings import is_loopback

DAY = 24 * 3600
WEEK = 7 * DAY
NEVER = -1  # requests-cache's word for "does not expire"

MATCHED_HEADERS = ("Accept", "Accept-Language", "API-Version")  # all that an answer of the ICD API depends on
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
SLOWING_STATUSES = frozenset({429, 503})
LONGEST_WAIT = 120.0
RENEW_BEFORE_END = 60.0
USUAL_TOKEN_LIFE = 3600.0

_DRIPPING = 10.0
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SECRET = re.compile(r"\b(Bearer|Basic)\s+\S+", re.IGNORECASE)
_LIKE_A_TOKEN = re.compile(r"[\w.~+=-]{32,}", re.ASCII)
_LONGEST_REASON = 200

# First match counts. What a program computes may improve; what a numbered release says does not change.
EXPIRY: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/(?:search|autocode|doris|codedit)/?(?:\?|$)"), WEEK),
    (re.compile(r"/icd/release/1[01]/\d{4}(?:-\d{2})?(?:[/?]|$)"), NEVER),
    (re.compile(r"/icd/entity(?:/[^?]*)?\?(?:[^#]*&)?releaseId=\d{4}-\d{2}(?:&|$)"), NEVER),
    (re.compile(r""), DAY),
)


class Fault(Enum):
    """Why there is no answer to look at."""

    CONNECTION = "connection"
    CUT_SHORT = "cut short"
    NOT_JSON = "not JSON"
    CERTIFICATE = "certificate"
    TOO_LARGE = "too large"
    REDIRECT = "redirect"
    SETTING = "setting"


RETRIED_FAULTS = frozenset({Fault.CONNECTION, Fault.CUT_SHORT, Fault.NOT_JSON})


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
    """What to do next, and after how many seconds."""

    do: Do
    wait: float = 0.0


def decide(outcome: Outcome, *, attempt: int, retries: int, may_renew: bool, jitter: float) -> Action:
    """Say what follows an attempt.

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

    Returns
    -------
    Action

    """
    if outcome.status == 401 and may_renew:  # noqa: PLR2004  a status is its own name
        return Action(Do.RENEW)
    passing = outcome.fault in RETRIED_FAULTS or outcome.status in RETRIED_STATUSES
    wait = backoff(attempt, jitter) if outcome.retry_after is None else outcome.retry_after
    if passing and attempt < retries and wait <= LONGEST_WAIT:
        return Action(Do.RETRY, wait)
    return Action(Do.FAIL if outcome.fault else Do.ANSWER)


def backoff(attempt: int, jitter: float) -> float:
    """Exponential back-off with full jitter, in seconds."""
    return min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(attempt, 16)) * jitter


def concerns_everybody(outcome: Outcome) -> bool:
    """Tell whether all threads must wait: the server said so, or asked one of them to send less."""
    return outcome.status == 429 or (outcome.status == 503 and outcome.retry_after is not None)  # noqa: PLR2004


def refusal(outcome: Outcome) -> float:
    """Give the seconds for which nobody shall ask again, or 0 where the wish is short enough to be waited out."""
    wish = outcome.retry_after or 0.0
    if not concerns_everybody(outcome) or wish <= LONGEST_WAIT:
        return 0.0
    return min(wish, DAY)  # after a day one request tells whether a wish without end was meant


def longest_answer(timeout: float | None) -> float:
    """Give the seconds that a whole answer may take: ten times what two bytes of it may be apart."""
    return inf if timeout is None else _DRIPPING * timeout


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read ``Retry-After``, seconds or an HTTP date, as seconds from now; None where it says nothing."""
    text = (value or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    moment = _read_date(text)
    return None if moment is None else max(0.0, moment - now)


def answer_key(method: str, url: str, headers: Mapping[str, str]) -> str:
    """Give the name under which an answer is kept: all that it depends on."""
    asked = "\n".join([method, url, *[headers.get(name, "") for name in MATCHED_HEADERS]])
    return blake2b(asked.encode(), digest_size=16).hexdigest()


def clock_lead(date: str | None, now: float) -> float | None:
    """Give the seconds by which this machine's clock is ahead of a server's ``Date`` header."""
    moment = _read_date(date or "")
    return None if moment is None else now - moment


def token_life(expires_in: object) -> float:
    """Give the seconds for which a token is used; infinite where only a 401 can tell."""
    try:
        seconds = float(str(expires_in))
    except ValueError:
        seconds = USUAL_TOKEN_LIFE
    return seconds - RENEW_BEFORE_END if seconds > RENEW_BEFORE_END else inf


def is_token(value: object) -> TypeGuard[str]:
    """Tell whether a value can stand in an ``Authorization`` header."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def is_language(text: str) -> bool:
    """Tell whether a text is one plain language tag; a list would make two requests look alike in the cache."""
    return _LANGUAGE.fullmatch(text) is not None


def allowed_target(base_url: str, url: str) -> bool:
    """Tell whether a redirect from the server may be followed: same host, and https is never left."""
    try:
        here, there = _origin(base_url), _origin(url)
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return here == there or (here[0] == "http" and there == ("https", here[1], 443))


def may_sign(base_url: str, url: str) -> bool:
    """Tell whether a token may go to a URL: the server's own scheme, host and port, over https or on this machine."""
    origin = _origin(url)
    return origin == _origin(base_url) and (origin[0] == "https" or is_loopback(url))


def reason_text(content_type: str, text: str) -> str:
    """Give what a server says about its refusal, if it is short, is no page, and shows no secret."""
    reason = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()).strip('"')
    if "html" in content_type.lower() or reason.startswith("<") or len(reason) > _LONGEST_REASON:
        return ""
    return _LIKE_A_TOKEN.sub("…", _SECRET.sub(r"\1 …", reason))


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
