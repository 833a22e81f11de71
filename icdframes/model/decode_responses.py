"""Decode JSON of search, autocode, codeinfo, describe, DORIS and CoDEdit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from icdframes.errors import ServerError
from icdframes.model.certificate import CertificateCheck, UnderlyingCause
from icdframes.model.decode import JsonReader
from icdframes.model.responses import (
    ENTITY_TYPES,
    POSTCOORDINATION,
    VALUE_TYPES,
    AutocodeMatch,
    CodeInfo,
    MatchedTerm,
    PostcoordinationSet,
    SearchHit,
    SearchResult,
    WordSuggestion,
)
from icdframes.model.uris import SCHEMA_PREFIX, first_entity_id

FOUND = re.compile(r"""<em\s+class=(['"])found\1>(.*?)</em>""", re.DOTALL)
_NO_AXIS = "otherPostcoordination"


def plain_text(text: str) -> str:
    """Take the search's highlighting out of a text.

    Examples
    --------
    >>> plain_text("<em class='found'>Fever</em> of unknown origin")
    'Fever of unknown origin'

    """
    return FOUND.sub(r"\2", text)


def parse_search(doc: Any, *, asked: str = "", highlight: bool = False) -> SearchResult:
    """Read the answer to a search.

    Parameters
    ----------
    doc : object
        The decoded JSON.
    asked : str
        What was asked for, for error messages.
    highlight : bool
        Keep ``<em class='found'>`` in titles and labels.

    Returns
    -------
    SearchResult

    Raises
    ------
    ServerError
        If the answer, although its status is 200, says that the search failed.
    ResponseShapeError
        If a known field has another shape than the API documents.

    """
    at = JsonReader(doc, asked)
    if at.flag("error"):
        said = (at.string("errorMessage") or "no reason is given").rstrip(".")
        raise ServerError(f"The search {asked} failed on the server: {said}. Try again later, or with other words.")
    return SearchResult(
        hits=tuple(_hit(item, highlight=highlight) for item in at.items("destinationEntities")),
        words=tuple(
            WordSuggestion(word.string("label") or "", word.flag("dontChangeResult")) for word in at.items("words")
        ),
        chopped=at.flag("resultChopped"),
        words_chopped=at.flag("wordSuggestionsChopped"),
    )


def parse_autocode(doc: Any, *, asked: str = "") -> AutocodeMatch:
    """Read the best match for a text; no match is an answer too."""
    at = JsonReader(doc, asked)
    foundation = at.filled("foundationURI")
    uri = at.filled("linearizationURI")
    level = at.number("matchLevel")
    return AutocodeMatch(
        text=at.string("searchText") or "",
        matching_text=at.filled("matchingText"),
        code=at.filled("theCode"),
        uri=uri or foundation,
        foundation_uri=foundation,
        entity_id=first_entity_id(uri or foundation),
        foundation_id=first_entity_id(foundation),
        level=None if level is None else int(level),
        score=at.number("matchScore"),
        match_type=_named(at, "matchType", VALUE_TYPES),
        is_title=at.flag("isTitle") if "isTitle" in at.doc else None,
    )


def parse_postcoordination_set(doc: Any, *, asked: str = "") -> PostcoordinationSet:
    """Read the description of a code or cluster."""
    return _described(JsonReader(doc, asked))


def parse_code_info(doc: Any, *, asked: str = "") -> CodeInfo:
    """Read what the API says of a code or cluster."""
    at = JsonReader(doc, asked)
    known = {
        "@context",
        "@id",
        "code",
        "stemId",
        "stemCode",
        "simplifiedCode",
        "simplifiedStemCode",
        "otherPostcoordination",
    }
    axes = {key: at.strings(key) for key, value in at.doc.items() if key not in known and isinstance(value, list)}
    return CodeInfo(
        uri=at.string("@id") or asked,
        code=unquote(at.string("code") or ""),
        stem_id=at.entity_uri("stemId").entity_id or "",
        stem_code=at.string("stemCode"),
        values=axes,
        other=at.strings("otherPostcoordination"),
        simplified_code=at.string("simplifiedCode"),
        simplified_stem_code=at.string("simplifiedStemCode"),
        extra={key: value for key, value in at.doc.items() if key not in known and key not in axes},
    )


def _hit(at: JsonReader, *, highlight: bool) -> SearchHit:
    def shown(text: str | None) -> str:
        return (text or "") if highlight else plain_text(text or "")

    uri = at.string("id") or ""
    return SearchHit(
        uri=uri,
        entity_id=first_entity_id(at.string("stemId")) or first_entity_id(uri) or "",
        title=shown(at.string("title")),
        code=at.filled("theCode"),
        score=at.number("score"),
        chapter=at.filled("chapter"),
        is_leaf=at.flag("isLeaf"),
        is_residual=at.flag("isResidualOther") or at.flag("isResidualUnspecified"),
        postcoordination=_named(at, "postcoordinationAvailability", POSTCOORDINATION),
        entity_type=_named(at, "entityType", ENTITY_TYPES),
        important=at.flag("important"),
        title_matches=at.flag("titleIsASearchResult"),
        title_is_best=at.flag("titleIsTopScore"),
        has_coding_note=at.flag("hasCodingNote"),
        has_maternal_link=at.flag("hasMaternalChapterLink"),
        has_perinatal_link=at.flag("hasPerinatalChapterLink"),
        terms=tuple(
            MatchedTerm(
                label=shown(term.string("label")),
                property_name=term.filled("propertyId"),
                score=term.number("score"),
                important=term.flag("important"),
                foundation_id=first_entity_id(term.string("foundationUri")),
                value_type=_named(term, "propertyValueType", VALUE_TYPES),
            )
            for term in at.items("matchingPVs")
        ),
        terms_truncated=at.flag("propertiesTruncated"),
        descendants=tuple(_hit(item, highlight=highlight) for item in at.items("descendants")),
    )


def _described(at: JsonReader) -> PostcoordinationSet:
    return PostcoordinationSet(
        code=at.filled("code"),
        label=at.filled("label"),
        uri=at.filled("linearizationUri"),
        foundation_uri=at.filled("foundationUri"),
        stem_code=at.filled("stemCode"),
        stem_label=at.filled("stemLabel"),
        stem_uri=at.filled("stemLinearizationUri"),
        stem_foundation_uri=at.filled("stemFoundationUri"),
        on_axes=tuple(
            (_axis_name(axis.string("axisName")), _described(value))
            for axis in at.items("postcoordinationValues")
            for value in axis.items("values")
        ),
    )


def _axis_name(text: str | None) -> str | None:
    """Return the name without its URI; None for values that are on no axis."""
    name = (text or "").removeprefix(SCHEMA_PREFIX)
    return None if name in {"", _NO_AXIS} else name


def _named(at: JsonReader, key: str, names: Mapping[int, str]) -> str | None:
    """Return the word for a number; a number that this version does not know stays a number."""
    value = at.number(key)
    return None if value is None else names.get(int(value), str(int(value)))


def parse_underlying_cause(doc: Any, *, asked: str = "") -> UnderlyingCause:
    """Read what DORIS found; a rejected certificate is an answer too."""
    at = JsonReader(doc, asked)
    return UnderlyingCause(
        code=at.filled("code"),
        stem_code=at.filled("stemCode"),
        uri=at.filled("uri"),
        stem_uri=at.filled("stemURI"),
        reject=at.flag("reject"),
        error=at.filled("error"),
        warning=at.filled("warning"),
        report=at.filled("report"),
        tabular_report=at.filled("tabularReport"),
    )


def parse_certificate_check(doc: Any, *, asked: str = "") -> CertificateCheck:
    """Read what CoDEdit found."""
    at = JsonReader(doc, asked)
    ids = re.split(r"[,;|]", at.string("issueIds") or "")
    return CertificateCheck(
        issue_ids=tuple(name.strip() for name in ids if name.strip()),
        report=at.filled("report"),
        tabular_report=at.filled("tabularReport"),
    )
