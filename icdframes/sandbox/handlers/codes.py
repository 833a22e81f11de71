"""Answer codeinfo and describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from icdframes.model.uris import SCHEMA_PREFIX, EntityUri
from icdframes.sandbox.clusters import Placed, place, simplified, terminal
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.expressions import (
    code_expression,
    foundation_expression,
    place_uris,
    title_expression,
    uri_expression,
)
from icdframes.sandbox.request_context import Answer, RequestContext, json_answer, not_found

_CONTEXT = "http://id.who.int/icd/contexts/contextForCodeInfo.json"


def codeinfo(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/codeinfo/{code}``."""
    listing = context.linearization()
    context.language(listing)
    placed = place(listing, context.path["code"])
    if placed is None or not (placed.fits or context.flag("flexibleMode")):
        raise not_found()
    if context.flag("convertToTerminalCodes"):
        placed = terminal(listing, placed)
    return json_answer(_codeinfo_document(listing, context.path["code"], placed))


def _codeinfo_document(listing: Listing, asked: str, placed: Placed) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": f"{EntityUri(listing.classification, listing.release, None)}/codeinfo/{quote(asked, safe='')}",
        "code": asked,
        "stemId": str(EntityUri(listing.classification, listing.release, placed.entity_id)),
    }
    if placed.parts:
        document["stemCode"] = placed.code
    document |= {axis: [code_expression(value) for value in values] for axis, values in placed.values.items()}
    if placed.other:
        document["otherPostcoordination"] = [code_expression(value) for value in placed.other]
    simple = simplified(listing, placed)
    if simple != placed:
        document["simplifiedCode"] = code_expression(simple)
        if simple.parts:
            document["simplifiedStemCode"] = simple.code
    return document


def describe(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/describe``."""
    listing = context.linearization()
    language = context.language(listing)
    code, uri = context.query.get("code"), context.query.get("uri", "")
    placed = place(listing, code) if code else place_uris(context.corpus, listing, uri)
    if placed is None or not (placed.fits or context.flag("flexibleMode")):
        raise not_found()
    if context.flag("simplify"):
        placed = simplified(listing, placed)
    if context.flag("convertToTerminalCodes"):
        placed = terminal(listing, placed)
    return json_answer(_describe_document(listing, placed, language))


def _describe_document(listing: Listing, placed: Placed, language: str) -> dict[str, Any]:
    release = listing.release
    document: dict[str, Any] = {
        "code": code_expression(placed),
        "linearizationUri": uri_expression(placed, listing.classification, release),
        "foundationUri": foundation_expression(placed),
        "label": title_expression(listing, placed, language),
    }
    if placed.parts:
        stem = Placed(placed.entity_id, placed.code, foundation_id=placed.foundation_id)
        alone = _describe_document(listing, stem, language)
        document |= {f"stem{name[0].upper()}{name[1:]}": text for name, text in alone.items()}
        document["postcoordinationValues"] = [
            {"axisName": axis, "values": [_describe_document(listing, value, language) for value in values]}
            for axis, values in _axes(placed)
        ]
    return {key: value for key, value in document.items() if value}


def _axes(placed: Placed) -> Iterator[tuple[str, Sequence[Placed]]]:
    yield from ((SCHEMA_PREFIX + axis, values) for axis, values in placed.values.items())
    if placed.other:
        yield SCHEMA_PREFIX + "otherPostcoordination", placed.other
