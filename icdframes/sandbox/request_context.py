"""Requests and answers as values and as bytes: the body of a POST, and what was negotiated for one request."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from icdframes.sandbox.corpus import Corpus, Listing

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


NOT_FOUND = "Requested resource could not be found"
API_VERSION = "v2.6.0"
JSON = "application/json"
_VARY = "Accept, Accept-Language, API-Version,Accept-Encoding"
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_VERSION = re.compile(r"v?2(\.[0-6])?", re.IGNORECASE)


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """Read form fields, url-encoded or multipart (WHO's own tools send the latter); none from any other body.

    Names are in lower case, the last of equal names counts, empty values are left out.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _URLENCODED:
        pairs = parse_qsl(body.decode("utf-8", "replace"))
    elif kind == _MULTIPART and body:
        pairs = _parts(content_type, body)
    else:
        pairs = []
    return {name.lower(): value for name, value in pairs if value}


def json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; refuse anything else with 400."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise bad_request(f"The body is a JSON {type(document).__name__}: send one object.")
    return document


def bad_request(reason: str) -> HttpError:
    """Return the refusal of a request that cannot be understood."""
    return HttpError(text_answer(HTTPStatus.BAD_REQUEST, reason))


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise bad_request("The body is not multipart form data.")
    named = [(part.get_param("name", header="content-disposition"), part) for part in message.iter_parts()]
    return [(name, _text(part)) for name, part in named if isinstance(name, str)]


def _text(part: Any) -> str:
    return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request: method, target with its query, headers (found in any case) and body."""

    method: str
    target: str
    headers: Mapping[str, str] | Message
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
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


class HttpError(Exception):
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


def not_found() -> HttpError:
    """Return the refusal for everything that is not there: a text, never JSON."""
    return HttpError(text_answer(HTTPStatus.NOT_FOUND, NOT_FOUND))


def api_headers(*, vary: bool) -> dict[str, str]:
    """Return the headers of a good answer of the API, as recorded from WHO's."""
    return {
        "Cache-Control": "public,max-age=36000",
        **({"Vary": _VARY} if vary else {}),
        "API-Version": API_VERSION,
        "Access-Control-Expose-Headers": "API-Version",
    }


def encode(answer: Answer, *, date: str, close: bool = False) -> tuple[bytes, bytes]:
    """Return head and body as bytes."""
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
    """Return the reason phrase of a status."""
    return HTTPStatus(status).phrase if status in {known.value for known in HTTPStatus} else "Unknown"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A routed, authenticated request.

    Attributes
    ----------
    corpus : Corpus
        What there is to answer from.
    path : Mapping of str to str
        Decoded parts of the path by the name in the route's pattern.
    query : Mapping of str to str
        Decoded query and form fields; names in lower case, the last of equal names counts.
    languages : tuple of str
        Wanted languages, best first; empty means any.
    body : bytes or None
        Of a POST; None where the method has none.

    """

    corpus: Corpus
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    body: bytes | None = None

    def listing(self, classification: str, release: str | None = None) -> Listing:
        """Return a release, the newest if None; refuse with 404 where it is not there."""
        found = self.corpus.listing(classification, release)
        if found is None:
            raise not_found()
        return found

    def linearization(self) -> Listing:
        """Return the linearization and release that the path names."""
        return self.listing(self.path["lin"], self.path["release"])

    def language(self, *listings: Listing) -> str:
        """Return the wanted language that one of the listings has; refuse with 404 where none has it."""
        available = [language for listing in listings for language in listing.languages]
        chosen = choose_language(self.languages, available)
        if chosen is None:
            raise not_found()
        return chosen

    @property
    def key(self) -> str | None:
        """The entity id that the path names, if any."""
        return "/".join(self.path[part] for part in ("id", "residual") if part in self.path) or None

    def entity_id(self, listing: Listing) -> str:
        """Return the entity id that the path names; refuse with 404 where the listing has none such."""
        if self.key is None or self.key not in listing:
            raise not_found()
        return self.key

    def listings(self, classification: str) -> tuple[Listing, ...]:
        """Return the releases that hold the entity of the path (all, if it names none); refuse with 404 for none."""
        found = self.corpus.of(classification)
        if self.key is not None:
            found = tuple(listing for listing in found if self.key in listing)
        if not found:
            raise not_found()
        return found

    def include(self) -> frozenset[str]:
        """Return what ``include`` asks for, in lower case."""
        return frozenset(part.strip().lower() for part in self.query.get("include", "").split(",")) - {""}

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean of the query."""
        return self.query.get(name.lower(), str(default)).strip().lower() == "true"


def choose_language(wanted: Iterable[str], available: Collection[str]) -> str | None:
    """Return the first wanted language that is available; ``en-US`` finds ``en``, ``*`` the default."""
    default = "en" if "en" in available else next(iter(available), None)
    tags = tuple(wanted)
    if not tags:
        return default
    for tag in tags:
        if tag == "*":
            return default
        for candidate in (tag.lower(), tag.lower().partition("-")[0]):
            if candidate in available:
                return candidate
    return None


def weighted(header: str) -> tuple[str, ...]:
    """Return the values of an Accept… header, best first, without those of weight 0."""
    ranked: list[tuple[float, str]] = []
    for part in header.split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.lower().startswith("q=")), "1")
        quality = float(weight) if re.fullmatch(r"\d(\.\d*)?", weight) else 0.0
        if value and quality:
            ranked.append((quality, value))
    return tuple(value for _, value in sorted(ranked, key=lambda pair: -pair[0]))


def choose_media_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """Return the media type to answer with, or None where none is acceptable."""
    for value in weighted(accept or "*/*"):
        kind = value.lower()
        if kind in {"*/*", "application/*"}:
            return offered[0]
        if kind in offered:
            return kind
    return None


def is_version_2(header: str) -> bool:
    """Return whether an API-Version header asks for version 2."""
    return _VERSION.fullmatch(header.strip()) is not None
