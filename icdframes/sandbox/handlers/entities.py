"""Answer requests for releases and entities of the linearizations, the foundation and ICD-10."""

from __future__ import annotations

from icdframes.errors import CodeSyntaxError
from icdframes.model.uris import parse_uri
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.documents import entity_document, foundation_document, release_list_document, top_document
from icdframes.sandbox.request_context import Answer, RequestContext, json_answer, not_found


def linearization_releases(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{lin}``, ``…/{id}`` and its residuals."""
    listings = context.listings(context.path["lin"])
    return json_answer(release_list_document(listings, context.key, context.language(*listings)))


def linearization_root(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}``."""
    listing = context.linearization()
    return json_answer(top_document(listing, context.language(listing)))


def linearization_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/{id}`` and its residuals."""
    listing = context.linearization()
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language, context.include()))


def linearization_lookup(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/lookup``."""
    listing = context.linearization()
    language = context.language(listing)
    try:
        asked = parse_uri(context.query.get("foundationuri", ""))
    except CodeSyntaxError:
        raise not_found() from None
    if asked.classification != "foundation" or asked.entity_id is None:
        raise not_found()
    found = context.corpus.coded_at(listing, asked.entity_id)
    if found is None:
        raise not_found()
    return json_answer(entity_document(listing, found, language))


def foundation_root(context: RequestContext) -> Answer:
    """Answer ``/icd/entity``."""
    listing = _release(context)
    return json_answer(foundation_document(context.corpus, listing, context.language(listing)))


def foundation_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/entity/{id}``."""
    listing = _release(context)
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language, context.include()))


def _release(context: RequestContext) -> Listing:
    return context.listing("foundation", context.query.get("releaseid") or None)


def icd10_releases(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10`` and ``/icd/release/10/{code}``."""
    listings = context.listings("icd10")
    return json_answer(release_list_document(listings, context.key, context.language(*listings)))


def icd10_root(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10/{release}``."""
    listing = context.listing("icd10", context.path["release"])
    return json_answer(top_document(listing, context.language(listing)))


def icd10_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10/{release}/{code}``."""
    listing = context.listing("icd10", context.path["release"])
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language))
