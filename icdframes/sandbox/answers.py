"""What comes in and goes out, as values and as the bytes on the wire; it decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

NOT_FOUND = "Requested resource could not be found"
API_VERSION = "v2.6.0"
JSON = "application/json"
_VARY = "Accept, Accept-Language, API-Version,Accept-Encoding"
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: method, target with its query, headers (found in any case) and body."""

    method: str
    target: str
    headers: Mapping[str, str] | Message
    body: bytes = b""

    def header(self, name: str) -> str:
        """Give a header, or nothing."""
        return self.headers.get(name) or ""

    @property
    def path(self) -> str:
        """The encoded path, without the query."""
        return urlsplit(self.target).path


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, body and the headers that belong to it."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a fault
    """Ends a handler early with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(document: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Answer:
    """Write a document as compact JSON, UTF-8 unescaped, in the order of its keys."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Answer(status, text.encode(), JSON, headers or {})


def number(score: float) -> float:
    """Write a whole number without fraction, as WHO's service does."""
    return int(score) if score == int(score) else score


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Write a plain text."""
    return Answer(status, text.encode(), "text/plain; charset=utf-8", headers or {})


def not_found() -> Refusal:
    """Give the refusal for everything that is not there: a text, never JSON."""
    return Refusal(text_answer(HTTPStatus.NOT_FOUND, NOT_FOUND))


def api_headers(*, vary: bool) -> dict[str, str]:
    """Give the headers of a good answer of the API, as recorded from WHO's."""
    return {
        "Cache-Control": "public,max-age=36000",
        **({"Vary": _VARY} if vary else {}),
        "API-Version": API_VERSION,
        "Access-Control-Expose-Headers": "API-Version",
    }


def encode(answer: Answer, *, date: str, close: bool = False) -> tuple[bytes, bytes]:
    """Give head and body as bytes."""
    headers = {"Date": date, "Server": "icdframes-sandbox", "Access-Control-Allow-Origin": "*"}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    if answer.status not in _BODILESS:
        headers["Content-Length"] = str(len(answer.body))
    headers |= answer.headers
    if close:
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {phrase(answer.status)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", answer.body


def phrase(status: int) -> str:
    """Give the reason phrase of a status."""
    return HTTPStatus(status).phrase if status in {known.value for known in HTTPStatus} else "Unknown"
