"""The scope of one search: a release, a language, an index, and which entities count."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from icdframes.errors import CodeSyntaxError
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import RequestContext
from icdframes.sandbox.search import phrases
from icdframes.sandbox.search.phrases import Phrase
from icdframes.sandbox.search.term_index import TermIndex

_NOT_FOR_CODING = frozenset({"26", "V", "X"})


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where a search takes place.

    Attributes
    ----------
    corpus : Corpus
        All there is.
    listing : Listing
        The release.
    language : str
        One of the listing's.
    index : TermIndex
        Its phrases.
    coding : bool
        Whether only usable codes are found.

    """

    corpus: Corpus
    listing: Listing
    language: str
    index: TermIndex
    coding: bool

    def uri(self, entity_id: str) -> str:
        """Return the URI by which an answer names an entity."""
        release = None if self.listing.classification == "foundation" else self.listing.release
        return str(EntityUri(self.listing.classification, release, entity_id))

    def chapter(self, entity_id: str) -> str | None:
        """Return the code of the chapter; that of the nearest place in the MMS for the foundation."""
        if self.listing.classification != "foundation":
            return self.listing.chapters[entity_id]
        mms = self.corpus.listing("mms", self.listing.release) or self.corpus.listing("mms")
        if mms is None:
            return None
        line = (entity_id, *self.listing.ancestors(entity_id))
        return next((mms.chapters[mms.by_foundation[key]] for key in line if key in mms.by_foundation), None)


def search_scope(context: RequestContext, *, coding: bool, properties: str = "") -> SearchScope:
    """Find out where a call wants to search; the index is made at its first use."""
    linear = "lin" in context.path
    listing = (
        context.linearization() if linear else context.listing("foundation", context.query.get("releaseid") or None)
    )
    language = context.language(listing)
    coding = coding and linear
    if coding:
        chosen: tuple[str, ...] = phrases.CODING_PROPERTIES
    elif linear:
        chosen = _chosen(properties, phrases.LINEAR_PROPERTIES, phrases.CODING_PROPERTIES)
        if phrases.INDEX_TERM in chosen:
            chosen = tuple(dict.fromkeys((*chosen, *phrases.CODING_PROPERTIES)))
    else:
        chosen = _chosen(properties, phrases.FOUNDATION_PROPERTIES, phrases.FOUNDATION_DEFAULT)
    key = (listing.classification, listing.release, language, frozenset(chosen), coding)
    index = context.corpus.once(
        key, lambda: TermIndex(_phrases(context.corpus, listing, language, chosen, coding=coding))
    )
    return SearchScope(context.corpus, listing, language, index, coding)


def entity_filter(context: RequestContext, scope: SearchScope) -> Callable[[str], bool]:
    """Return which entities the filters of a call let through.

    In medical coding mode chapters 26, V and X are left out unless a filter asks for them.
    """
    chapters = frozenset(re.split(r"[,;\s]+", context.query.get("chapterfilter", ""))) - {""}
    uris = [part.strip() for part in context.query.get("subtreesfilter", "").split(",") if part.strip()]
    by_foundation = context.flag("subtreeFilterUsesFoundationDescendants") and "lin" in context.path
    inside = frozenset(_below(scope, uris, by_foundation=by_foundation)) if uris else None
    without = _NOT_FOR_CODING if scope.coding and not chapters and not uris else frozenset()

    def allowed(entity_id: str) -> bool:
        if inside is not None and entity_id not in inside:
            return False
        if chapters:
            return scope.chapter(entity_id) in chapters
        return not without or scope.chapter(entity_id) not in without

    return allowed


def _chosen(asked: str, known: Iterable[str], default: tuple[str, ...]) -> tuple[str, ...]:
    names = {name.strip().lower() for name in asked.split(",")}
    return tuple(name for name in known if name.lower() in names) or default


def _phrases(
    corpus: Corpus, listing: Listing, language: str, properties: Collection[str], *, coding: bool
) -> Iterable[Phrase]:
    if listing.classification == "foundation":
        return phrases.foundation_phrases(listing, language, properties)
    foundation = corpus.foundation_beside(listing)

    def title_below(foundation_id: str) -> str | None:
        known = foundation is not None and language in foundation.languages and foundation_id in foundation
        return foundation.entity(foundation_id, language).title if foundation and known else None

    return phrases.linear_phrases(listing, language, properties, title_below, coding=coding)


def _below(scope: SearchScope, uris: Iterable[str], *, by_foundation: bool) -> Iterator[str]:
    """Return the entities that URIs name, and all below them, here or in the foundation."""
    listing = scope.listing
    for uri in uris:
        key = _held(listing, uri)
        if key is None:
            continue
        yield key
        yield from listing.descendants(key)
        foundation = scope.corpus.foundation_beside(listing)
        source = listing.entity(key).foundation_id
        if by_foundation and foundation is not None and source is not None and source in foundation:
            yield from _places(listing, foundation.descendants(source))


def _held(listing: Listing, uri: str) -> str | None:
    try:
        named = parse_uri(uri)
    except CodeSyntaxError:
        return None
    if named.classification == "foundation" and listing.classification != "foundation":
        return listing.by_foundation.get(named.entity_id or "")
    return named.entity_id if named.entity_id is not None and named.entity_id in listing else None


def _places(listing: Listing, foundation_ids: Iterable[str]) -> Iterator[str]:
    """Return the places of foundation entities in a linearization, with their residuals."""
    for foundation_id in foundation_ids:
        if (key := listing.by_foundation.get(foundation_id)) is not None:
            yield key
            yield from (child for child in listing.entity(key).child_ids if child.startswith(f"{key}/"))
