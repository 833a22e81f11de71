"""Answer search and autocode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from icdframes.model.uris import EntityUri
from icdframes.sandbox.request_context import Answer, RequestContext, bad_request, json_answer, number
from icdframes.sandbox.search.ranking import (
    MOST_HITS,
    NO_GUESS,
    RankedHit,
    SearchScope,
    Suggestions,
    best_phrase,
    clusters,
    entity_filter,
    nested,
    rank,
    search_scope,
    suggest,
)
from icdframes.sandbox.search.term_index import CLUSTER, SYNONYM, TITLE, Phrase, QueryWord, highlighted, read_query

_NO_WORDS = "The query has no words: give some text in q."


def search(context: RequestContext) -> Answer:
    """Answer ``/icd/entity/search`` and ``/icd/release/11/{release}/{lin}/search``."""
    coding = context.flag("medicalCodingMode", default=True)
    scope = search_scope(context, coding=coding, properties=context.query.get("propertiestobesearched", ""))
    query = read_query(context.query.get("q", ""))
    keywords = context.flag("includeKeywordResult") and "lin" in context.path
    if not query:
        return json_answer(_result(context, scope, [], Suggestions(NO_GUESS), error=_NO_WORDS, keywords=keywords))
    allowed = entity_filter(context, scope)
    scores = scope.index.match(query, flexible=context.flag("useFlexisearch"))
    hits, chopped = rank(scope.index, scores, allowed)
    if scope.coding and not any(hit.score == 1 for hit in hits):
        hits = [*clusters(scope.index, scope.listing, query, allowed), *hits]
        chopped, hits = chopped or len(hits) > MOST_HITS, hits[:MOST_HITS]
    guessed = Suggestions(NO_GUESS)
    if keywords:
        guessed = suggest(
            scope.index, query, [place for place in scores if allowed(scope.index.phrases[place].entity_id)]
        )
    marked = query if context.flag("highlightingEnabled", default=True) else ()
    written = [_entity(scope, hit, marked) for hit in hits]
    if not context.flag("flatResults", default=True):
        written = _nest(scope, hits, written)
    return json_answer(_result(context, scope, written, guessed, chopped=chopped, keywords=keywords))


def _result(
    context: RequestContext,
    scope: SearchScope,
    entities: list[dict[str, Any]],
    guessed: Suggestions,
    *,
    keywords: bool,
    chopped: bool = False,
    error: str | None = None,
) -> dict[str, Any]:
    listing = scope.listing
    asked = f"{listing.classification}/{listing.release}/{scope.language}?{urlencode(sorted(context.query.items()))}"
    words = [{"label": word, "dontChangeResult": same} for word, same in guessed.words]
    return {
        "destinationEntities": entities,
        "error": error is not None,
        "errorMessage": error,
        "resultChopped": chopped,
        "wordSuggestionsChopped": guessed.chopped,
        "guessType": guessed.kind,
        "uniqueSearchId": str(uuid5(NAMESPACE_URL, asked)),
        "words": words if keywords else None,
    }


def _entity(scope: SearchScope, hit: RankedHit, marked: Sequence[QueryWord]) -> dict[str, Any]:
    entity = scope.listing.entity(hit.entity_id, scope.language)
    linear = scope.listing.classification != "foundation"
    kinds = {reference.kind for reference in entity.references}
    uri = scope.uri(hit.entity_id)
    named: dict[str, Any] = {"id": uri, "title": entity.title or "", "code": (entity.code or "") if linear else None}
    if hit.cluster is not None:
        named = _cluster(scope, hit)
    title = highlighted(named["title"], marked) if marked else named["title"]
    matches = hit.matches
    if hit.cluster is not None:
        matches = ((Phrase(hit.entity_id, SYNONYM, named["title"], entity.foundation_id, CLUSTER), hit.score),)
    return {
        "id": named["id"],
        "title": title,
        "stemId": uri,
        "isLeaf": entity.is_leaf,
        "postcoordinationAvailability": max((2 if axis.required else 1 for axis in entity.axes), default=0),
        "hasCodingNote": entity.coding_note is not None,
        "hasMaternalChapterLink": "related_maternal" in kinds,
        "hasPerinatalChapterLink": "related_perinatal" in kinds,
        "matchingPVs": [_match(phrase, score, marked) for phrase, score in matches],
        "propertiesTruncated": False,
        "isResidualOther": hit.entity_id.endswith("/other"),
        "isResidualUnspecified": hit.entity_id.endswith("/unspecified"),
        "chapter": scope.chapter(hit.entity_id),
        "theCode": named["code"],
        "score": number(hit.score),
        "titleIsASearchResult": hit.title_score is not None,
        "titleIsTopScore": hit.title_score == hit.score,
        "entityType": 0 if hit.cluster is None else 2,
        "important": hit.score == 1,
        "descendants": [],
    }


def _cluster(scope: SearchScope, hit: RankedHit) -> dict[str, Any]:
    """Name a cluster: several URIs, several titles, and a code with a blank in it."""
    parts = (hit.cluster, *hit.cluster.parts) if hit.cluster else ()
    return {
        "id": " & ".join(scope.uri(part.entity_id) for part in parts),
        "title": ", ".join(scope.listing.entity(part.entity_id, scope.language).title or "" for part in parts),
        "code": " &".join(part.code for part in parts),
    }


def _match(phrase: Phrase, score: float, marked: Sequence[QueryWord]) -> dict[str, Any]:
    return {
        "propertyId": phrase.property_id,
        "label": highlighted(phrase.label, marked) if marked else phrase.label,
        "score": number(score),
        "important": score == 1,
        "foundationUri": str(EntityUri("foundation", None, phrase.foundation_id)) if phrase.foundation_id else None,
        "propertyValueType": phrase.value_type,
    }


def _nest(scope: SearchScope, hits: Sequence[RankedHit], written: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    tops, below = nested(scope.listing, hits)
    for place, children in below.items():
        written[place]["descendants"] = [written[child] for child in children]
    return [written[place] for place in tops]


_DEFAULT_THRESHOLD = 0.6
_NO_MATCH = 3


def autocode(context: RequestContext) -> Answer:
    """Answer ``/icd/entity/autocode`` and ``/icd/release/11/{release}/{lin}/autocode``."""
    scope = search_scope(context, coding=True)
    text = context.query.get("searchtext", "")
    threshold = _threshold(context)
    found = best_phrase(scope.index, text, entity_filter(context, scope))
    if found is None or found[1] < threshold:
        nothing = {"searchText": text, "matchLevel": _NO_MATCH, "matchScore": 0, "matchType": 0, "isTitle": False}
        return json_answer(nothing)
    return json_answer(_document(scope, text, *found))


def _threshold(context: RequestContext) -> float:
    given = context.query.get("matchthreshold")
    try:
        return _DEFAULT_THRESHOLD if given is None else float(given)
    except ValueError:
        raise bad_request(f"matchThreshold is {given!r}: give a number from 0 to 1.") from None


def _document(scope: SearchScope, text: str, phrase: Phrase, score: float, level: int) -> dict[str, Any]:
    foundation = str(EntityUri("foundation", None, phrase.foundation_id)) if phrase.foundation_id else None
    linear = scope.listing.classification != "foundation"
    document = {
        "searchText": text,
        "matchingText": phrase.label,
        "theCode": scope.listing.entity(phrase.entity_id).code if linear else None,
        "foundationURI": foundation,
        "linearizationURI": scope.uri(phrase.entity_id) if linear else None,
        "matchLevel": level,
        "matchScore": number(score),
        "matchType": phrase.value_type,
        "isTitle": phrase.property_id == TITLE and not phrase.value_type,
    }
    return {key: value for key, value in document.items() if value is not None}
