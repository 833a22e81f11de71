"""Texts → the words that the index compares: one spelling, one form, one word for one meaning."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import TypeAlias

_TOKEN = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019`]s\b")
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
_PLACED_METASTASIS = re.compile(r"\bmetastatic (?:[a-z]+ ){1,3}(?:in|to)\b")
_EXCEPTING = (
    "without",
    "except",
    "excluding",
    "other than",
    "not resulting in",
    "but not",
    "unspecified whether",
    "rather than",
)
_EXCEPTED = re.compile(rf"\b(?:{'|'.join(_EXCEPTING)})\b[^,;]*", re.IGNORECASE)
_LONGEST = 4
_SHORT = 3

_STOP_WORDS = {
    "es": "de del la el los las y o u en con sin por para no otros otras otro otra especificado especificada",
    "fr": "de du des la le les l d et ou en avec sans par pour non autre autres precise precisee au aux",
    "pt": "de do da dos das o a os as e ou em com sem por para nao outro outra outros outras especificado especificada",
}


Replacements: TypeAlias = Mapping[str, Mapping[tuple[str, ...], tuple[str, ...]]]
"""The first word of each known sequence → the sequence → what replaces it."""


@dataclass(frozen=True, slots=True)
class Normalizer:
    """The rules of one language.

    Attributes
    ----------
    language : str
        Two letters; English has abbreviations and words of one meaning, the others their stop words.
    weak : frozenset of str
        Words that tell side, degree or course: they count less.

    """

    language: str
    stop: frozenset[str]
    weak: frozenset[str]
    single: Mapping[str, tuple[str, ...]]
    several: Replacements
    wider: Replacements
    _forms: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def words(self, text: str) -> tuple[str, ...]:
        """Return the distinct words of a text in the order of the text.

        Parameters
        ----------
        text : str
            A wording, title or synonym.

        Returns
        -------
        tuple of str
            Without stop words; empty where nothing is left.

        """
        plain = fold(text)
        if self.language == "en" and "metastatic " in plain:
            plain = _PLACED_METASTASIS.sub("metastasis", plain)
        return tuple(dict.fromkeys(_replace(self._basic(_TOKEN.findall(plain)), self.several, rounds=2)))

    def broader(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the same words with one or all of them replaced by broader ones.

        Parameters
        ----------
        words : tuple of str
            What `words` returned.

        Returns
        -------
        tuple of tuple of str
            Up to three readings, in the order of the text; empty where nothing is known that is broader.

        """
        if self.wider.keys().isdisjoint(words):
            return ()
        readings = []
        place = 0
        while place < len(words):
            size, new = _longest(words, place, self.wider)
            if new != words[place : place + size]:
                readings.append((*words[:place], *new, *words[place + size :]))
            place += size
        readings = [*readings[:2], tuple(_replace(list(words), self.wider, rounds=2))]
        kept = dict.fromkeys(tuple(dict.fromkeys(reading)) for reading in readings)
        return tuple(reading for reading in kept if reading != words)

    def _basic(self, tokens: Iterable[str]) -> list[str]:
        """Put each word into its one form and leave stop words out; what was found is kept for the next text."""
        out: list[str] = []
        for token in tokens:
            forms = self._forms.get(token)
            if forms is None:
                forms = self._forms[token] = self._form(token)
            out += forms
        return out

    def _form(self, token: str) -> tuple[str, ...]:
        if token in self.stop:
            return ()
        form = base_form(token, self.language)
        return self.single.get(form, (form,))


def _replace(words: list[str], known: Replacements, *, rounds: int) -> list[str]:
    """Replace the longest known sequences of words, from left to right."""
    for _ in range(rounds):
        if known.keys().isdisjoint(words):
            return words
        out: list[str] = []
        place = 0
        while place < len(words):
            if words[place] not in known:
                out.append(words[place])
                place += 1
                continue
            size, new = _longest(words, place, known)
            out += new
            place += size
        if out == words:
            break
        words = out
    return words


def _longest(words: Sequence[str], place: int, known: Replacements) -> tuple[int, tuple[str, ...]]:
    """Return how many words from a place on are replaced, and by what."""
    choices = known.get(words[place])
    for size in range(min(_LONGEST, len(words) - place), 0, -1) if choices else ():
        found = choices.get(tuple(words[place : place + size])) if choices else None
        if found is not None:
            return size, found
    return 1, (words[place],)


def fold(text: str) -> str:
    """Return a text in lower case without accents and possessives; Chinese is parted into pairs of characters.

    Examples
    --------
    >>> fold("Crohn's œsophagite")
    'crohn oesophagite'

    """
    lower = text.casefold()
    if lower.isascii():
        return _POSSESSIVE.sub("", lower) if "'s" in lower or "`s" in lower else lower
    lower = lower.replace("œ", "oe").replace("æ", "ae").replace("ł", "l").replace("ø", "o")
    plain = "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))
    return _CJK.sub(_pairs, _POSSESSIVE.sub("", plain))


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return f" {' '.join(text[place : place + 2] for place in range(max(len(text) - 1, 1)))} "


def base_form(word: str, language: str = "en") -> str:
    """Return a word in American spelling and in the singular, as far as simple rules tell.

    Examples
    --------
    >>> base_form("haemorrhages"), base_form("tumour"), base_form("biopsies"), base_form("pus")
    ('hemorrhage', 'tumor', 'biopsy', 'pus')

    """
    if language == "en":
        word = word.replace("ae", "e").replace("oe", "e")
        word = re.sub(r"(?<=[a-z]{3})our(?=s?$)", "or", word)
        word = re.sub(r"(?<=[a-z]{3})is(?=(?:e|ed|es|ing|ation|ations)$)", "iz", word)
    elif language not in {"es", "fr", "pt"}:
        return word
    if len(word) <= _SHORT or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if language == "en" and word.endswith("ies") else word[:-1]


def letters_of(text: str) -> str:
    """Return the letters and digits of a text in lower case, by which two wordings are the same."""
    return re.sub(r"[^\w]+", " ", text.casefold()).strip()


def strip_excepted(label: str) -> str:
    """Return a label without what it says that it does not hold.

    Examples
    --------
    >>> strip_excepted("Sepsis without septic shock")
    'Sepsis '

    """
    folded = label.casefold()
    return _EXCEPTED.sub("", label) if any(word in folded for word in _EXCEPTING) else label


def compact_code(code: str) -> str:
    """Return a code in capitals without points and blanks: ``1a40.z`` and ``1A40Z`` are one.

    Examples
    --------
    >>> compact_code(" 1a40.z ")
    '1A40Z'

    """
    return re.sub(r"[.\s]", "", code).upper()


def stem_of(code: str) -> str:
    """Return the first stem code of a cluster, compact.

    Examples
    --------
    >>> stem_of("1B70.Z&XK8G/XA45A6")
    '1B70Z'

    """
    return compact_code(re.split(r"[&/(]", code.strip())[0])


@lru_cache(maxsize=8)
def normalizer(language: str = "en") -> Normalizer:
    """Return the rules of a language; an unknown one has neither stop words nor replacements."""
    language = language[:2].lower()
    rows = [row for row in read_wordings() if row["language"] == language]
    stop = {row["written"] for row in rows if row["kind"] == "stop"} | set(_STOP_WORDS.get(language, "").split())
    bare = Normalizer(language, frozenset(stop), frozenset(), {}, {}, {})
    pairs = [(row["written"], row["meaning"]) for row in rows if row["kind"] in {"abbreviation", "word"}]
    singles = {written: meaning for written, meaning in pairs if " " not in written}
    single = {
        bare.words(written)[0]: bare.words(meaning) for written, meaning in singles.items() if bare.words(written)
    }
    single = {
        written: tuple(end for word in meaning for end in single.get(word, (word,)))
        for written, meaning in single.items()
    }
    half = Normalizer(language, frozenset(stop), frozenset(), single, {}, {})
    several = _replacements(pairs, half)
    whole = Normalizer(language, frozenset(stop), frozenset(), single, several, {})
    wider = _replacements([(row["written"], row["meaning"]) for row in rows if row["kind"] == "broader"], whole)
    weak = {word for row in rows if row["kind"] == "weak" for word in half.words(row["written"])}
    return Normalizer(language, frozenset(stop), frozenset(weak), single, several, wider)


def _replacements(pairs: Iterable[tuple[str, str]], rules: Normalizer) -> Replacements:
    known: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {}
    for written, meaning in pairs:
        before, after = rules.words(written), rules.words(meaning)
        if before and before != after:
            known.setdefault(before[0], {})[before] = after
    return known


@lru_cache(maxsize=1)
def read_wordings() -> tuple[dict[str, str], ...]:
    """Return the table of abbreviations, words of one meaning, weak words and stop words, each with its reason."""
    text = files("icdframes.coding").joinpath("wordings.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
