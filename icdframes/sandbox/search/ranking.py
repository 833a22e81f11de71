"""Rank the entities that a query finds within the scope of a search: a release, a language, and which entities count.

Equally good hits stand in tabular order, so the answer is always the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from icdframes.errors import CodeSyntaxError
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.clusters import Placed, place
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import RequestContext
from icdframes.sandbox.search.term_index import (
    CODING_PROPERTIES,
    FOUNDATION_DEFAULT,
    FOUNDATION_PROPERTIES,
    INDEX_TERM,
    LINEAR_PROPERTIES,
    SAYS_NOTHING,
    TITLE,
    Phrase,
    QueryWord,
    TermIndex,
    foundation_phrases,
    linear_phrases,
    words,
)

_NOT_FOR_CODING = frozenset({"26", "V", "X"})

MOST_HITS = 50
_MOST_WORDS = 50
COMPLETED, SUGGESTED, NO_GUESS = 0, 1, 2


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
        chosen: tuple[str, ...] = CODING_PROPERTIES
    elif linear:
        chosen = _chosen(properties, LINEAR_PROPERTIES, CODING_PROPERTIES)
        if INDEX_TERM in chosen:
            chosen = tuple(dict.fromkeys((*chosen, *CODING_PROPERTIES)))
    else:
        chosen = _chosen(properties, FOUNDATION_PROPERTIES, FOUNDATION_DEFAULT)
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
        return foundation_phrases(listing, language, properties)
    foundation = corpus.foundation_beside(listing)

    def title_below(foundation_id: str) -> str | None:
        known = foundation is not None and language in foundation.languages and foundation_id in foundation
        return foundation.entity(foundation_id, language).title if foundation and known else None

    return linear_phrases(listing, language, properties, title_below, coding=coding)


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


@dataclass(frozen=True, slots=True)
class RankedHit:
    """One entity that was found.

    Attributes
    ----------
    entity_id : str
        For a cluster that of the stem.
    score : float
        Of its best phrase.
    title_score : float or None
        None where the title does not match.
    matches : tuple of (Phrase, float)
        The other phrases that match, best first.
    cluster : Placed or None
        What was put together from two titles.

    """

    entity_id: str
    score: float
    title_score: float | None = None
    matches: tuple[tuple[Phrase, float], ...] = ()
    cluster: Placed | None = None


def rank(index: TermIndex, scores: Mapping[int, float], allowed: Callable[[str], bool]) -> tuple[list[RankedHit], bool]:
    """Put entities in order, best first.

    Parameters
    ----------
    index : TermIndex
        Where the phrases are.
    scores : Mapping of int to float
        Place and score of the phrases that match.
    allowed : callable
        Returns whether an entity may be among the hits.

    Returns
    -------
    list of Hit
        At most `MOST_HITS`.
    bool
        Whether there are more.

    """
    best: dict[str, tuple[float, int]] = {}
    for found, score in scores.items():
        key, this = index.phrases[found].entity_id, (-score, found)
        if key not in best or this < best[key]:
            best[key] = this
    ordered = (key for key in sorted(best, key=best.__getitem__) if allowed(key))
    chosen: dict[str, list[int]] = {key: [] for key in islice(ordered, MOST_HITS)}
    for found in sorted(scores):
        if (key := index.phrases[found].entity_id) in chosen:
            chosen[key].append(found)
    return [_hit(index, scores, key, places) for key, places in chosen.items()], next(ordered, None) is not None


def _hit(index: TermIndex, scores: Mapping[int, float], key: str, places: Iterable[int]) -> RankedHit:
    matches = sorted(((index.phrases[place], scores[place]) for place in places), key=lambda pair: -pair[1])
    title = next((score for phrase, score in matches if _is_own_title(phrase)), None)
    others = tuple(pair for pair in matches if not _is_own_title(pair[0]))
    return RankedHit(key, matches[0][1], title, others)


def _is_own_title(phrase: Phrase) -> bool:
    return phrase.property_id == TITLE and not phrase.value_type


def clusters(
    index: TermIndex, listing: Listing, query: Sequence[QueryWord], allowed: Callable[[str], bool]
) -> list[RankedHit]:
    """Put together stems and extension codes that have, both together, exactly the words of a query."""
    counts = Counter(place for word in query for place in index.places(word))
    whole = [index.phrases[place] for place, common in sorted(counts.items()) if common >= index.sizes[place]]
    asked = {word.text for word in query}
    found: dict[str, RankedHit] = {}
    for stem in (phrase for phrase in whole if listing.entity(phrase.entity_id).axes and allowed(phrase.entity_id)):
        for value in (phrase for phrase in whole if (listing.entity(phrase.entity_id).code or "").startswith("X")):
            code = f"{listing.entity(stem.entity_id).code}&{listing.entity(value.entity_id).code}"
            if {*words(stem.label), *words(value.label)} - SAYS_NOTHING != asked or code in found:
                continue
            placed = place(listing, code)
            if placed is not None and placed.fits:
                found[code] = RankedHit(stem.entity_id, 1.0, cluster=placed)
    return list(found.values())


def nested(listing: Listing, hits: Sequence[RankedHit]) -> tuple[list[int], Mapping[int, list[int]]]:
    """Return which hits stand on top and which directly below which other, by place; clusters stand on top."""
    place_of = {hit.entity_id: place for place, hit in enumerate(hits) if hit.cluster is None}
    tops: list[int] = []
    below: defaultdict[int, list[int]] = defaultdict(list)
    for spot, hit in enumerate(hits):
        above = () if hit.cluster else listing.ancestors(hit.entity_id)
        parent = next((place_of[key] for key in above if key in place_of), None)
        (tops if parent is None else below[parent]).append(spot)
    return tops, below


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Words that complete or narrow a query: each with whether the result stays the same."""

    kind: int
    words: tuple[tuple[str, bool], ...] = ()
    chopped: bool = False


def suggest(index: TermIndex, query: Sequence[QueryWord], places: Collection[int]) -> Suggestions:
    """Suggest words.

    An incomplete last word (with ``%``, or unknown) is completed; after a complete one come the words that stand in
    the same phrases (those at `places`), the most frequent first.
    """
    last = query[-1]
    if last.is_prefix or last.text not in index:
        completions = index.completions(last.text)
        kind, found = COMPLETED, [(word, False) for word in completions]
    else:
        counts = Counter(word for place in places for word in set(words(index.phrases[place].label)))
        new = {word: count for word, count in counts.items() if not any(asked.matches(word) for asked in query)}
        ordered = sorted(new.items(), key=lambda pair: (-pair[1], pair[0]))
        kind, found = SUGGESTED, [(word, count == len(places)) for word, count in ordered]
    if not found:
        return Suggestions(NO_GUESS)
    return Suggestions(kind, tuple(found[:_MOST_WORDS]), len(found) > _MOST_WORDS)


def best_phrase(index: TermIndex, text: str, allowed: Callable[[str], bool]) -> tuple[Phrase, float, int] | None:
    """Find the phrase most like a text.

    Returns
    -------
    tuple of (Phrase, float, int) or None
        The phrase, its score, and the level: 0 the same words in the same order, 1 all words of the text,
        2 some of them. None where no word occurs.

    """
    asked = words(text)
    query = tuple(QueryWord(word) for word in dict.fromkeys(asked))
    if not query:
        return None
    scores = index.match(query, flexible=True)
    for score, group in groupby(sorted(scores, key=lambda place: (-scores[place], place)), key=scores.__getitem__):
        usable = [phrase for phrase in (index.phrases[place] for place in group) if allowed(phrase.entity_id)]
        if usable:
            phrase = next((phrase for phrase in usable if words(phrase.label) == asked), usable[0])
            own = words(phrase.label)
            level = 0 if own == asked else 1 if set(asked) <= set(own) else 2
            return phrase, score, level
    return None
