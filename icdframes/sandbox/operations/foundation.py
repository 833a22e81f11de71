"""Answers of the foundation endpoints; it refuses releases and entities that the corpus does not hold."""

from __future__ import annotations

from icdframes.sandbox.answers import Answer, json_answer
from icdframes.sandbox.call import Call
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.documents import entity_document, foundation_document


def root(call: Call) -> Answer:
    """Answer ``/icd/entity``."""
    listing = _release(call)
    return json_answer(foundation_document(call.corpus, listing, call.language(listing)))


def entity(call: Call) -> Answer:
    """Answer ``/icd/entity/{id}``."""
    listing = _release(call)
    language = call.language(listing)
    return json_answer(entity_document(listing, call.entity_id(listing), language, call.include()))


def _release(call: Call) -> Listing:
    return call.listing("foundation", call.query.get("releaseid") or None)
