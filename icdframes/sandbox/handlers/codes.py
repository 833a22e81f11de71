"""Answer codeinfo and describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from icdframes.model.uris import SCHEMA_PREFIX, EntityUri
from icdframes.sandbox.clusters import (
    Placed,
    code_expression,
    foundation_expression,
    place,
    place_uris,
    simplified,
    terminal,
    title_expression,
    uri_expression,
)
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.request_context import Answer, HttpError, RequestContext, json_answer, not_found, text_answer

NO_AXES = (
    "This sandbox cannot judge the cluster: its corpus has no postcoordination axes. Ask with flexiblemode=true to "
    "have it taken apart all the same, or serve a corpus that has axes"
)
_CONTEXT = "http://id.who.int/icd/contexts/contextForCodeInfo.json"


def codeinfo(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/codeinfo/{code}``."""
    listing = context.linearization()
    context.language(listing)
    placed = _valid(context, listing, place(listing, context.path["code"]))
    if context.flag("convertToTerminalCodes"):
        placed = terminal(listing, placed)
    return json_answer(_codeinfo_document(listing, context.path["code"], placed))


def _valid(context: RequestContext, listing: Listing, placed: Placed | None) -> Placed:
    """Return what was placed if it is valid, or if the mode is flexible; refuse all else."""
    if placed is None:
        raise not_found()
    if placed.fits or context.flag("flexibleMode"):
        return placed
    if not listing.has_axes and listing.classification != "icf":
        raise HttpError(text_answer(HTTPStatus.NOT_IMPLEMENTED, NO_AXES))
    raise not_found()


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
    placed = _valid(context, listing, place(listing, code) if code else place_uris(context.corpus, listing, uri))
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
