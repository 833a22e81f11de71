"""Answers of the linearization endpoints (MMS, ICF); it refuses what the corpus does not hold."""

from __future__ import annotations

from icdframes.errors import CodeSyntaxError
from icdframes.model.uris import parse_uri
from icdframes.sandbox.answers import Answer, json_answer, not_found
from icdframes.sandbox.call import Call
from icdframes.sandbox.documents import entity_document, release_list_document, top_document


def releases(call: Call) -> Answer:
    """Answer ``/icd/release/11/{lin}``, ``…/{id}`` and its residuals."""
    listings = call.listings(call.path["lin"])
    return json_answer(release_list_document(listings, call.key, call.language(*listings)))


def root(call: Call) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}``."""
    listing = call.linearization()
    return json_answer(top_document(listing, call.language(listing)))


def entity(call: Call) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/{id}`` and its residuals."""
    listing = call.linearization()
    language = call.language(listing)
    return json_answer(entity_document(listing, call.entity_id(listing), language, call.include()))


def lookup(call: Call) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/lookup``."""
    listing = call.linearization()
    language = call.language(listing)
    try:
        asked = parse_uri(call.query.get("foundationuri", ""))
    except CodeSyntaxError:
        raise not_found() from None
    if asked.classification != "foundation" or asked.entity_id is None:
        raise not_found()
    found = call.corpus.coded_at(listing, asked.entity_id)
    if found is None:
        raise not_found()
    return json_answer(entity_document(listing, found, language))
