"""Fold texts into words, and index phrases by their words.

Case and accents do not count, so ``colera`` finds ``Cólera``. Words are not stemmed: ``fever`` does not find
``fevers``, but ``fever%`` does. The score is the share of words that query and phrase have in common (Dice's measure):
1 where they have the same words, less the more words either has alone; "NOS" and "unspecified" in a phrase do not
lessen it. WHO's scores are others.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from icdframes.sandbox.search.phrases import Phrase

_WORD = re.compile(r"[^\W_]+")
SAYS_NOTHING = frozenset({"nos", "unspecified"})
_FOUND = "<em class='found'>{}</em>"


_LAST = "\U0010ffff"


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
