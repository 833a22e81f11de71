"""Search and autocode: texts → entities; it never hides that an answer is not complete."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, TypedDict

from icdframes.client.bulk import ask_column, read_column
from icdframes.client.endpoints import Coding
from icdframes.client.load_request import listed
from icdframes.client.query_scope import (
    Context,
    QueryScope,
    as_text,
    one_language,
    provenance_for,
    resolve_scope,
    with_provenance,
)
from icdframes.client.references import Resolver, read_name
from icdframes.client.search_endpoint import Search, SearchOptions
from icdframes.errors import ConfigurationError, TruncatedResultWarning, did_you_mean, warn
from icdframes.frames.results import AUTOCODE, autocode_fields, verdict_table
from icdframes.frames.search_tables import SearchTables, build_search_tables
from icdframes.model.uris import EntityUri

if TYPE_CHECKING:
    import pandas as pd

_SEARCHED = ("mms", "icf", "foundation")
_SEPARATOR = re.compile(r"[,;]")
_SHOWN = 3


class SearchKeywords(TypedDict, total=False):
    """The keyword arguments of `icdframes.search` beside the classification, release and language."""

    subtrees_filter: str | int | Iterable[str | int]
    subtree_filter_uses_foundation_descendants: bool
    include_keyword_result: bool
    chapter_filter: str | Iterable[str]
    use_flexisearch: bool
    flat_results: bool
    highlight: bool
    medical_coding_mode: bool
    properties_to_be_searched: str | Iterable[str]


def search_tables(
    context: Context,
    query: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str = "en",
    progress: bool | None = None,
    refresh: bool = False,
    keywords: SearchKeywords | None = None,
) -> SearchTables:
    """Search for one text or each text of a column; see `icdframes.search_tables`."""
    column = read_column(query)
    place = resolve_scope(
        context, classification, release, language, verb="search", offered_by=_SEARCHED, refresh=refresh
    )
    one_language(place, "a text is searched in one language; search in each")
    options = _options(context, place, keywords or {})
    options.params(classification)
    endpoint = Search(context.wire, classification)
    answers = ask_column(
        context,
        place,
        column,
        as_text,
        lambda text, tag: endpoint.search(text, place.release, options=options, language=tag, refresh=refresh),
        label="search",
        progress=progress,
    )
    queries = [None if value is None else str(value) for value in column.given]
    tables = build_search_tables(
        list(zip(queries, answers.first, strict=True)),
        provenance_for(context, place),
        index=None if column.single else column.index,
    )
    if tables.chopped:
        _warn_of_chopped(tables.hits.attrs["chopped_queries"])
    return tables


def autocode(
    context: Context,
    text: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str = "en",
    subtrees_filter: str | int | Iterable[str | int] = (),
    match_threshold: float | None = None,
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Find the best match for one text or each text of a column; see `icdframes.autocode`."""
    column = read_column(text)
    _check_threshold(match_threshold)
    place = resolve_scope(
        context, classification, release, language, verb="autocode", offered_by=_SEARCHED, refresh=refresh
    )
    one_language(place, "a text is searched in one language; search in each")
    ask = partial(
        Search(context.wire, classification).autocode,
        release=place.release,
        subtrees_filter=_subtrees(context, place, subtrees_filter),
        match_threshold=match_threshold,
        refresh=refresh,
    )
    answers = ask_column(
        context, place, column, as_text, lambda one, tag: ask(one, language=tag), label="autocode", progress=progress
    )
    frame = verdict_table(AUTOCODE, column.given, answers.first, autocode_fields, index=column.index)
    return with_provenance(frame, context, place)


def _check_threshold(given: object) -> None:
    if given is not None and not (isinstance(given, Real) and 0 <= float(given) <= 1):
        raise ConfigurationError(f"match_threshold={given!r} cannot be: give a number from 0 to 1.")


def _options(context: Context, place: QueryScope, keywords: SearchKeywords) -> SearchOptions:
    given: dict[str, Any] = dict(keywords)
    known = SearchKeywords.__annotations__
    for name in given.keys() - known.keys():
        raise ConfigurationError(
            f"search has no option {name!r}: there are {', '.join(known)}.{did_you_mean(name, known)}"
        )
    given["subtrees_filter"] = _subtrees(context, place, given.get("subtrees_filter", ()))
    for name, example in (("chapter_filter", "01"), ("properties_to_be_searched", "Title")):
        given[name] = _split(listed(name, given.get(name, ()), example))
    return SearchOptions(**given)


def _split(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in _SEPARATOR.split(text) if part.strip())


def _subtrees(context: Context, place: QueryScope, entities: str | int | Iterable[str | int]) -> tuple[str, ...]:
    """Give the URIs of codes, ids and URIs."""
    coding = None if place.classification == "foundation" else Coding(context.wire, place.classification)
    resolver = Resolver(context.source(place.classification), coding, place.release)
    release = None if place.classification == "foundation" else place.release
    names = [read_name(entity, place.classification) for entity in listed("subtrees_filter", entities, "1A00")]
    return tuple(str(EntityUri(place.classification, release, resolver.entity_id(reference))) for reference in names)


def _warn_of_chopped(queries: Sequence[str]) -> None:
    shown = ", ".join(repr(query) for query in queries[:_SHOWN])
    more = f" and {len(queries) - _SHOWN} more" if len(queries) > _SHOWN else ""
    warn(
        f"The server has more hits than it gives for {shown}{more}: use more words, chapter_filter or "
        "subtrees_filter. Column 'chopped' tells which.",
        TruncatedResultWarning,
    )
