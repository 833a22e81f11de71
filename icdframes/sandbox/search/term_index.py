"""Fold texts into words, and index by them the phrases that a search looks through.

Case and accents do not count, so ``colera`` finds ``Cólera``. Words are not stemmed: ``fever`` does not find
``fevers``, but ``fever%`` does. The score is the share of words that query and phrase have in common (Dice's measure):
1 where they have the same words, less the more words either has alone; "NOS" and "unspecified" in a phrase do not
lessen it. WHO's scores are others.

In medical coding mode only codes that can be used are found: what has an unspecified residual is coded there, so its
names count as names of the residual.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from icdframes.model.decode import UNTRANSLATED
from icdframes.model.entity import Entity, Term
from icdframes.sandbox.corpus import Listing

_WORD = re.compile(r"[^\W_]+")
SAYS_NOTHING = frozenset({"nos", "unspecified"})
_FOUND = "<em class='found'>{}</em>"

_LAST = "\U0010ffff"

TITLE, OTHER_TITLE, SYNONYM = "Title", "TitleOfOtherEntity", "Synonym"
FULL_NAME, NARROWER, DEFINITION, EXCLUSION = "FullySpecifiedName", "NarrowerTerm", "Definition", "Exclusion"
INDEX_TERM = "IndexTerm"
FOUNDATION_PROPERTIES = (TITLE, SYNONYM, NARROWER, FULL_NAME, DEFINITION, EXCLUSION)
FOUNDATION_DEFAULT = (TITLE, SYNONYM, FULL_NAME)
LINEAR_PROPERTIES = (TITLE, FULL_NAME, DEFINITION, EXCLUSION, INDEX_TERM)
CODING_PROPERTIES = (TITLE, FULL_NAME, INDEX_TERM)
REAL, BELOW_SHORELINE, CLUSTER = 0, 1, 3
_TERM_PROPERTY: Mapping[str, str] = {
    "synonym": SYNONYM,
    "narrower_term": NARROWER,
    "inclusion": INDEX_TERM,
    "index_term": INDEX_TERM,
}


@dataclass(frozen=True, slots=True)
class QueryWord:
    """One word of a query; a prefix stands for every word that begins so."""

    text: str
    is_prefix: bool = False

    def matches(self, word: str) -> bool:
        """Return whether a folded word is meant."""
        return word.startswith(self.text) if self.is_prefix else word == self.text


def words(text: str) -> list[str]:
    """Return the folded words of a text, in order."""
    if text.isascii():
        return _WORD.findall(text.lower())
    return [_fold(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def read_query(text: str) -> tuple[QueryWord, ...]:
    """Read what was asked for, each word once; empty where there is no word in it."""
    found: dict[QueryWord, None] = {}
    for piece in text.split():
        *whole, last = ["", *words(piece)]
        for word in whole:
            found[QueryWord(word)] = None
        found[QueryWord(last, is_prefix=piece.endswith("%"))] = None
    return tuple(word for word in found if word.text)


def highlighted(label: str, query: Iterable[QueryWord]) -> str:
    """Mark the words of a label that a query means, as WHO's search does."""
    asked = tuple(query)

    def mark(match: re.Match[str]) -> str:
        folded = _fold(match[0])
        return _FOUND.format(match[0]) if any(word.matches(folded) for word in asked) else match[0]

    return _WORD.sub(mark, unicodedata.normalize("NFC", label))


def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)).casefold()


class TermIndex:
    """Phrases and where each word occurs in them.

    Parameters
    ----------
    phrases : iterable of Phrase
        In the order in which equally good ones shall be found.

    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self.phrases = tuple(phrases)
        self.sizes: list[int] = []
        self._postings: defaultdict[str, list[int]] = defaultdict(list)
        for place, phrase in enumerate(self.phrases):
            distinct = set(words(phrase.label))
            self.sizes.append(len(distinct - SAYS_NOTHING) or len(distinct))
            for word in distinct:
                self._postings[word].append(place)
        self._words = sorted(self._postings)

    def __contains__(self, word: object) -> bool:
        return word in self._postings

    def completions(self, beginning: str) -> Sequence[str]:
        """Return all words that begin so, sorted."""
        return self._words[bisect_left(self._words, beginning) : bisect_left(self._words, beginning + _LAST)]

    def places(self, word: QueryWord) -> set[int]:
        """Return the places of the phrases in which a word occurs."""
        if not word.is_prefix:
            return set(self._postings.get(word.text, ()))
        return set().union(*(self._postings[found] for found in self.completions(word.text)))

    def match(self, query: Sequence[QueryWord], *, flexible: bool = False) -> dict[int, float]:
        """Find phrases.

        Parameters
        ----------
        query : sequence of QueryWord
            Not empty.
        flexible : bool
            Find phrases with any of the words, not only those with all of them.

        Returns
        -------
        dict of int to float
            Place and score.

        """
        found = sorted((self.places(word) for word in query), key=len)
        if flexible:
            counts: Counter[int] = Counter()
            for places in found:
                counts.update(places)
        else:
            counts = Counter(dict.fromkeys(found[0].intersection(*found[1:]), len(query)))
        asked, sizes = len(query), self.sizes
        return {place: round(min(1.0, 2 * both / (asked + sizes[place])), 6) for place, both in counts.items()}


class Phrase(NamedTuple):
    """A text by which an entity is found.

    Attributes
    ----------
    entity_id : str
        What is found.
    property_id : str
        As the API calls it.
    label : str
        As it is written.
    foundation_id : str or None
        The foundation entity that has the text.
    value_type : int
        `REAL`, `BELOW_SHORELINE` or `CLUSTER`.

    """

    entity_id: str
    property_id: str
    label: str
    foundation_id: str | None = None
    value_type: int = REAL


def foundation_phrases(listing: Listing, language: str, properties: Collection[str]) -> Iterator[Phrase]:
    """Return the phrases of the foundation, entity by entity."""
    for key in listing:
        entity = listing.entity(key, language)
        for property_id, label, _ in _own_texts(entity, properties):
            yield Phrase(key, property_id, label, key)


def linear_phrases(
    listing: Listing,
    language: str,
    properties: Collection[str],
    title_below: Callable[[str], str | None],
    *,
    coding: bool,
) -> Iterator[Phrase]:
    """Return the phrases of a linearization, entity by entity.

    Parameters
    ----------
    listing : Listing
        The release.
    language : str
        One of its languages.
    properties : collection of str
        Any of `LINEAR_PROPERTIES`.
    title_below : callable
        Returns the title of a foundation entity.
    coding : bool
        Whether only usable codes are to be found.

    """
    for key in listing:
        entity = listing.entity(key, language)
        target = _coded_as(listing, entity) if coding else key
        if target is None:
            continue
        own = entity.foundation_id or listing.entity(target.partition("/")[0], language).foundation_id
        for property_id, label, term in _own_texts(entity, properties):
            name = OTHER_TITLE if property_id == TITLE and target != key else property_id
            below = term.foundation_id if term else None
            if below is not None and below != own:
                name = TITLE if label == title_below(below) else name
                yield Phrase(target, name, label, below, BELOW_SHORELINE)
            else:
                yield Phrase(target, name, label, own)


def _coded_as(listing: Listing, entity: Entity) -> str | None:
    residual = listing.residual(entity.entity_id)
    if residual is not None:
        return residual
    return entity.entity_id if entity.code and entity.class_kind == "category" else None


def _own_texts(entity: Entity, properties: Collection[str]) -> Iterator[tuple[str, str, Term | None]]:
    """Return (property, label, term) of an entity, equal labels once."""
    seen: set[str] = set()
    for name, label, term in _all_texts(entity):
        if label and name in properties and (folded := label.casefold()) not in seen:
            seen.add(folded)
            yield SYNONYM if name == INDEX_TERM else name, label.removesuffix(UNTRANSLATED), term


def _all_texts(entity: Entity) -> Iterable[tuple[str, str | None, Term | None]]:
    yield TITLE, entity.title, None
    yield FULL_NAME, entity.fully_specified_name, None
    for term in entity.terms:
        yield _TERM_PROPERTY[term.kind], term.label, term
    yield DEFINITION, entity.definition, None
    for reference in entity.references:
        if reference.kind == "exclusion":
            yield EXCLUSION, reference.label, None
