"""Parse the body of a POST into fields or a JSON object."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from icdframes.sandbox.request_context import HttpError, text_answer

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


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
