"""Answers of the ICD-10 endpoints; it refuses what the corpus does not hold, and has no search, as WHO's has none."""

from __future__ import annotations

from icdframes.sandbox.answers import Answer, json_answer
from icdframes.sandbox.call import Call
from icdframes.sandbox.documents import entity_document, release_list_document, top_document


def releases(call: Call) -> Answer:
    """Answer ``/icd/release/10`` and ``/icd/release/10/{code}``."""
    listings = call.listings("icd10")
    return json_answer(release_list_document(listings, call.key, call.language(*listings)))


def root(call: Call) -> Answer:
    """Answer ``/icd/release/10/{release}``."""
    listing = call.listing("icd10", call.path["release"])
    return json_answer(top_document(listing, call.language(listing)))


def entity(call: Call) -> Answer:
    """Answer ``/icd/release/10/{release}/{code}``."""
    listing = call.listing("icd10", call.path["release"])
    language = call.language(listing)
    return json_answer(entity_document(listing, call.entity_id(listing), language))
