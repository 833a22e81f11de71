"""Fold texts into words, read queries, highlight labels.

Case and accents do not count, so ``colera`` finds ``Cólera``. Words are not stemmed:
``fever`` does not find ``fevers``, but ``fever%`` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")
SAYS_NOTHING = frozenset({"nos", "unspecified"})
_FOUND = "<em class='found'>{}</em>"


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
