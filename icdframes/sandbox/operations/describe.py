"""Answers of describe: a code, a cluster or URIs in words; it refuses what codeinfo refuses.

No answer of WHO's was at hand, so how labels are joined is ours:
``Stem [value; value] / other stem``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from icdframes.errors import CodeSyntaxError
from icdframes.model.parse import SCHEMA_PREFIX
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.answers import Answer, json_answer, not_found
from icdframes.sandbox.call import Call
from icdframes.sandbox.clusters import Placed, arrange, place, simplified, terminal
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.operations.codeinfo import expression
from icdframes.sandbox.operations.linearization import coded_at

_JOINT = re.compile(r"\s*([&/])\s*(?=https?://)")


def describe(call: Call) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/describe``."""
    listing = call.linearization()
    language = call.language(listing)
    code, uri = call.query.get("code"), call.query.get("uri", "")
    placed = place(listing, code) if code else place_uris(call.corpus, listing, uri)
    if placed is None or not (placed.fits or call.flag("flexibleMode")):
        raise not_found()
    if call.flag("simplify"):
        placed = simplified(listing, placed)
    if call.flag("convertToTerminalCodes"):
        placed = terminal(listing, placed)
    return json_answer(_document(listing, placed, language))


def place_uris(corpus: Corpus, listing: Listing, text: str) -> Placed | None:
    """Read an expression of foundation or linearization URIs; None where one is unknown or stands wrong."""
    pieces = _JOINT.split(text.strip().removesuffix("/").strip())
    members: list[list[str | None]] = [[]]
    for joint, uri in zip(("&", *pieces[1::2]), pieces[::2], strict=True):
        if joint == "/":
            members.append([])
        members[-1].append(_entity_of(corpus, listing, uri))
    return arrange(listing, members)


def uri_expression(placed: Placed, classification: str, release: str | None) -> str:
    """Write linearization URIs as WHO does, joined with blanks."""
    return _joined(placed, lambda part: str(EntityUri(classification, release, part.entity_id)))


def title_expression(listing: Listing, placed: Placed, language: str) -> str:
    """Write the titles of a stem and of all that was added."""
    title = listing.entity(placed.entity_id, language).title or ""
    extensions, stems = _by_role(placed)
    if extensions:
        title += " [" + "; ".join(title_expression(listing, part, language) for part in extensions) + "]"
    return " / ".join([title, *(title_expression(listing, part, language) for part in stems)])


def foundation_uri(placed: Placed) -> str | None:
    """Give the foundation URI of the stem; None for a residual."""
    return str(EntityUri("foundation", None, placed.foundation_id)) if placed.foundation_id else None


def _entity_of(corpus: Corpus, listing: Listing, uri: str) -> str | None:
    try:
        named = parse_uri(uri)
    except CodeSyntaxError:
        return None
    if named.classification == "foundation":
        return coded_at(corpus, listing, named.entity_id)
    held = named.classification == listing.classification and named.release in {None, listing.release}
    return named.entity_id if held and named.entity_id in listing else None


def _document(listing: Listing, placed: Placed, language: str) -> dict[str, Any]:
    release = listing.release
    document: dict[str, Any] = {
        "code": expression(placed),
        "linearizationUri": uri_expression(placed, listing.classification, release),
        "foundationUri": _foundation_expression(placed),
        "label": title_expression(listing, placed, language),
    }
    if placed.parts:
        stem = Placed(placed.entity_id, placed.code, foundation_id=placed.foundation_id)
        alone = _document(listing, stem, language)
        document |= {f"stem{name[0].upper()}{name[1:]}": text for name, text in alone.items()}
        document["postcoordinationValues"] = [
            {"axisName": axis, "values": [_document(listing, value, language) for value in values]}
            for axis, values in _axes(placed)
        ]
    return {key: value for key, value in document.items() if value}


def _axes(placed: Placed) -> Iterator[tuple[str, Sequence[Placed]]]:
    yield from ((SCHEMA_PREFIX + axis, values) for axis, values in placed.values.items())
    if placed.other:
        yield SCHEMA_PREFIX + "otherPostcoordination", placed.other


def _foundation_expression(placed: Placed) -> str | None:
    """None where a part, such as a residual, is not in the foundation."""
    if any(part.foundation_id is None for part in _everything(placed)):
        return None
    return _joined(placed, lambda part: foundation_uri(part) or "")


def _joined(placed: Placed, write: Callable[[Placed], str]) -> str:
    extensions, stems = _by_role(placed)
    first = " & ".join([write(placed), *(_joined(part, write) for part in extensions)])
    return " / ".join([first, *(_joined(part, write) for part in stems)])


def _by_role(placed: Placed) -> tuple[list[Placed], list[Placed]]:
    extensions = [part for part in placed.parts if part.code.startswith("X")]
    return extensions, [part for part in placed.parts if part not in extensions]


def _everything(placed: Placed) -> Iterator[Placed]:
    yield placed
    for part in placed.parts:
        yield from _everything(part)
