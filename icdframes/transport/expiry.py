"""How long an answer and a token are used, and under which name an answer is kept: rules only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from math import inf

DAY = 24 * 3600
WEEK = 7 * DAY
NEVER = -1  # requests-cache's word for "does not expire"

MATCHED_HEADERS = ("Accept", "Accept-Language", "API-Version")  # all that an answer of the ICD API depends on
RENEW_BEFORE_END = 60.0
USUAL_TOKEN_LIFE = 3600.0

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

_RELEASE_LIST = re.compile(r"/icd/(?:entity|release/10|release/11/[a-z]\w*)/?")

# First match counts. What a program computes may improve; what a numbered release says does not change.
EXPIRY: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/(?:search|autocode|doris|codedit)/?(?:\?|$)"), WEEK),
    (re.compile(r"/icd/release/1[01]/\d{4}(?:-\d{2})?(?:[/?]|$)"), NEVER),
    (re.compile(r"/icd/entity(?:/[^?]*)?\?(?:[^#]*&)?releaseId=\d{4}-\d{2}(?:&|$)"), NEVER),
    (re.compile(r""), DAY),
)


def answer_key(method: str, url: str, headers: Mapping[str, str]) -> str:
    """Return the name under which an answer is kept: all that it depends on."""
    asked = "\n".join([method, url, *[headers.get(name, "") for name in MATCHED_HEADERS]])
    return blake2b(asked.encode(), digest_size=16).hexdigest()


def seconds_kept(url: str) -> int:
    """Return for how many seconds an answer is used; `NEVER` where it does not expire."""
    return next(seconds for pattern, seconds in EXPIRY if pattern.search(url))


def is_release_list(path: str) -> bool:
    """Return whether a path asks what a server has: its releases, which change when it is updated."""
    return _RELEASE_LIST.fullmatch(path) is not None


def token_life(expires_in: object) -> float:
    """Return the seconds for which a token is used; infinite where only a 401 can tell."""
    try:
        seconds = float(str(expires_in))
    except ValueError:
        seconds = USUAL_TOKEN_LIFE
    return seconds - RENEW_BEFORE_END if seconds > RENEW_BEFORE_END else inf


def is_language(text: object) -> bool:
    """Return whether a text is one plain language tag; a list would make two requests look alike in the cache."""
    return isinstance(text, str) and _LANGUAGE.fullmatch(text) is not None
