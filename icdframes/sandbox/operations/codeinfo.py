"""Answers of the code endpoints; it refuses unknown codes and, unless flexible, values that fit no axis."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from icdframes.model.uris import EntityUri
from icdframes.sandbox.answers import Answer, json_answer, not_found
from icdframes.sandbox.call import Call
from icdframes.sandbox.clusters import Placed, place, simplified, terminal
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.expressions import code_expression

_CONTEXT = "http://id.who.int/icd/contexts/contextForCodeInfo.json"


def codeinfo(call: Call) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/codeinfo/{code}``."""
    listing = call.linearization()
    call.language(listing)
    placed = place(listing, call.path["code"])
    if placed is None or not (placed.fits or call.flag("flexibleMode")):
        raise not_found()
    if call.flag("convertToTerminalCodes"):
        placed = terminal(listing, placed)
    return json_answer(_document(listing, call.path["code"], placed))


def _document(listing: Listing, asked: str, placed: Placed) -> dict[str, Any]:
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
