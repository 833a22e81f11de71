"""An inverted index of phrases, and the score of a phrase for a query.

The score is the share of words that query and phrase have in common (Dice's measure):
1 where they have the same words, less the more words either has alone; "NOS" and
"unspecified" in a phrase do not lessen it. WHO's scores are others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from icdframes.sandbox.search.phrases import Phrase
from icdframes.sandbox.search.words import SAYS_NOTHING, QueryWord, words

_LAST = "\U0010ffff"


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
