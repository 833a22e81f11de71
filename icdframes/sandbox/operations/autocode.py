"""Answers of autocode: the one phrase most like a text; no match is an answer too, never a 404."""

from __future__ import annotations

from typing import Any

from icdframes.model.uris import EntityUri
from icdframes.sandbox.answers import Answer, json_answer, number
from icdframes.sandbox.call import Call
from icdframes.sandbox.forms import bad_request
from icdframes.sandbox.retrieval.ground import Ground, ground, scope
from icdframes.sandbox.retrieval.phrases import TITLE, Phrase
from icdframes.sandbox.retrieval.ranking import best_phrase

_DEFAULT_THRESHOLD = 0.6
_NO_MATCH = 3


def autocode(call: Call) -> Answer:
    """Answer ``/icd/entity/autocode`` and ``/icd/release/11/{release}/{lin}/autocode``."""
    where = ground(call, coding=True)
    text = call.query.get("searchtext", "")
    threshold = _threshold(call)
    found = best_phrase(where.index, text, scope(call, where))
    if found is None or found[1] < threshold:
        nothing = {"searchText": text, "matchLevel": _NO_MATCH, "matchScore": 0, "matchType": 0, "isTitle": False}
        return json_answer(nothing)
    return json_answer(_document(where, text, *found))


def _threshold(call: Call) -> float:
    given = call.query.get("matchthreshold")
    try:
        return _DEFAULT_THRESHOLD if given is None else float(given)
    except ValueError:
        raise bad_request(f"matchThreshold is {given!r}: give a number from 0 to 1.") from None


def _document(where: Ground, text: str, phrase: Phrase, score: float, level: int) -> dict[str, Any]:
    foundation = str(EntityUri("foundation", None, phrase.foundation_id)) if phrase.foundation_id else None
    linear = where.listing.classification != "foundation"
    document = {
        "searchText": text,
        "matchingText": phrase.label,
        "theCode": where.listing.entity(phrase.entity_id).code if linear else None,
        "foundationURI": foundation,
        "linearizationURI": where.uri(phrase.entity_id) if linear else None,
        "matchLevel": level,
        "matchScore": number(score),
        "matchType": phrase.value_type,
        "isTitle": phrase.property_id == TITLE and not phrase.value_type,
    }
    return {key: value for key, value in document.items() if value is not None}
