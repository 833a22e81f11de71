"""Answers of describe: a code, a cluster or URIs in words; it refuses what codeinfo refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from icdframes.model.uris import SCHEMA_PREFIX
from icdframes.sandbox.answers import Answer, json_answer, not_found
from icdframes.sandbox.call import Call
from icdframes.sandbox.clusters import Placed, place, simplified, terminal
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.expressions import (
    code_expression,
    foundation_expression,
    place_uris,
    title_expression,
    uri_expression,
)


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


def _document(listing: Listing, placed: Placed, language: str) -> dict[str, Any]:
    release = listing.release
    document: dict[str, Any] = {
        "code": code_expression(placed),
        "linearizationUri": uri_expression(placed, listing.classification, release),
        "foundationUri": foundation_expression(placed),
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
