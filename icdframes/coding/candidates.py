"""Cosines of phrases → ranked candidates of each text, with the probability that each is right."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from icdframes.coding.phrases import Phrases

Array = np.ndarray[Any, Any]

ALTERNATIVES = (("other", 0.9), ("broader", 0.8), ("beside", 0.8))
"""Residuals beside a candidate, and how similar they count."""

_ALTERNATIVES_OF = 3
_EXCLUDED = 0.7
_NO_OTHER = 0.2
_VOTE_POWER = 6
_UNSPECIFIED, _OTHER = 1, 2

_BLOCK = 8_192
"""So many candidates at a time go through all trees: their numbers stay in the cache of a core."""

_NODES = 7
_DIGITS = 5
"""Features are compared with thresholds: what differs less is noise of the machine."""


@dataclass(frozen=True, slots=True)
class Question:
    """Texts in the form in which they are compared.

    Attributes
    ----------
    keys : numpy.ndarray of str
        The words of each reading in alphabetical order.
    text : numpy.ndarray
        Which text each reading is of.
    factor : numpy.ndarray
        How much a reading counts: 1 for the text itself, less for one in broader words.
    folded : numpy.ndarray of str
        The letters of each text.
    size : numpy.ndarray
        How many words each reading has.

    """

    keys: Array
    text: Array
    factor: Array
    folded: Array
    size: Array


def rank(cosines: Any, question: Question, phrases: Phrases, overlap: Any, *, n: int) -> pd.DataFrame:
    """Return the n most probable codes of each text.

    Parameters
    ----------
    cosines : scipy.sparse matrix
        A row a reading, a column a phrase.
    question : Question
        What the rows stand for.
    phrases : Phrases
        What the columns stand for.
    overlap : callable
        Takes rows and columns, returns which weight of the words of each reading is in the phrase, and the reverse.
    n : int
        So many codes at most.

    Returns
    -------
    pandas.DataFrame
        text, target, phrase, equal, alternative, score; by text and rank.

    """
    found, table = with_features(cosines, question, phrases, overlap)
    found["score"] = probability(table)
    order = np.lexsort((found["phrase"], -found["similarity"], -found["score"], found["text"]))
    found = found.iloc[order]
    stems = phrases.targets["stem"].to_numpy()[found["target"].to_numpy()]
    found = found[~pd.DataFrame({"text": found["text"].to_numpy(), "stem": stems}).duplicated().to_numpy()]
    best: pd.DataFrame = found[found.groupby("text").cumcount() < n].reset_index(drop=True)
    return best


def with_features(
    cosines: Any, question: Question, phrases: Phrases, overlap: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all candidates of each text, and the features of each: what trees are fitted on and what they score."""
    found = add_alternatives(best_phrases(cosines, question, phrases), phrases.targets)
    return found, features(found, question, phrases, overlap)


def best_phrases(cosines: Any, question: Question, phrases: Phrases) -> pd.DataFrame:
    """Return the most similar phrase of each text and target, sorted by text and similarity."""
    table = phrases.phrases
    reading = np.repeat(np.arange(cosines.shape[0]), np.diff(cosines.indptr))
    phrase = cosines.indices.astype(np.int64)
    target = table["target"].to_numpy()[phrase]
    similarity = cosines.data * table["prior"].to_numpy()[phrase] * question.factor[reading]
    asked = question.keys[reading]
    excluded = pd.MultiIndex.from_frame(phrases.excluded)
    concerned = pd.Series(asked, dtype=object).isin(phrases.excluded["key"]).to_numpy()
    if concerned.any():
        pairs = pd.MultiIndex.from_arrays([asked[concerned], target[concerned]])
        similarity[concerned] *= np.where(pairs.isin(excluded), _EXCLUDED, 1)
    equal = (asked == phrases.objects("key")[phrase]) & (question.factor[reading] == 1)
    text = question.text[reading]
    votes = similarity**_VOTE_POWER
    found = pd.DataFrame(
        {
            "text": text,
            "reading": reading,
            "target": target,
            "phrase": phrase,
            "similarity": similarity,
            "equal": equal,
            "alternative": 0,
            "share": _share(text, target, votes),
            "family_share": _share(text, phrases.targets["family"].to_numpy()[target], votes),
            "chapter_share": _share(text, phrases.targets["chapter_place"].to_numpy()[target], votes),
        }
    )
    return _first(found)


def add_alternatives(found: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Return candidates with the residuals beside the best: "other specified", and both of the parent."""
    top = found[found.groupby("text").cumcount().to_numpy() < _ALTERNATIVES_OF]
    parts = [found]
    for number, (column, part) in enumerate(ALTERNATIVES, 1):
        rows = targets[column].to_numpy()[top["target"].to_numpy()]
        beside = top.assign(
            target=rows, similarity=top["similarity"] * part, equal=False, alternative=number, share=0.0
        )
        parts.append(beside[rows >= 0])
    return _first(pd.concat(parts, ignore_index=True))


def features(found: pd.DataFrame, question: Question, phrases: Phrases, overlap: Any) -> pd.DataFrame:
    """Return what the probability of candidates, sorted by text and similarity, is computed from."""
    text, similarity = found["text"].to_numpy(), found["similarity"].to_numpy()
    starts = np.flatnonzero(np.r_[True, text[1:] != text[:-1]]) if len(text) else np.zeros(0, dtype=int)
    sizes = np.diff(np.r_[starts, len(text)])
    place = np.arange(len(text)) - np.repeat(starts, sizes)
    best = np.repeat(similarity[starts], sizes)
    second = np.repeat(np.where(sizes > 1, similarity[np.minimum(starts + 1, max(len(text) - 1, 0))], _NO_OTHER), sizes)
    labels = phrases.objects("folded")[found["phrase"].to_numpy()]
    kind = phrases.objects("kind")[found["phrase"].to_numpy()]
    targets = phrases.targets.iloc[found["target"].to_numpy()]
    reading = found["reading"].to_numpy()
    of_text, of_phrase = overlap(reading, found["phrase"].to_numpy())
    title_of_text, title_of_title = overlap(reading, targets["title_phrase"].to_numpy())
    alternative, rest = found["alternative"].to_numpy(), targets["rest"].to_numpy()
    equal = found["equal"].to_numpy()
    used = np.log1p(targets["used"].to_numpy())
    n_equal = np.repeat(np.add.reduceat(equal.astype(float), starts) if len(starts) else starts, sizes)
    return pd.DataFrame(
        {
            "similarity": similarity,
            "lead": similarity - np.where(place == 0, second, best),
            "place": 1 / (1 + place),
            "share": found["share"].to_numpy(),
            "family_share": found["family_share"].to_numpy(),
            "chapter_share": found["chapter_share"].to_numpy(),
            "equal": equal.astype(float),
            "equal_of_several": equal * np.log1p(np.maximum(n_equal - 1, 0)),
            "same_letters": (labels == question.folded[found["text"].to_numpy()]) * equal,
            "beside_equal": (~equal) * (n_equal > 0),
            "of_text": of_text,
            "of_phrase": of_phrase,
            "of_both": of_text * of_phrase,
            "broader_words": (question.factor[reading] < 1).astype(float),
            **{name: (alternative == number).astype(float) for number, (name, _) in enumerate(ALTERNATIVES, 1)},
            "is_unspecified": (rest == _UNSPECIFIED).astype(float),
            "is_other": (rest == _OTHER).astype(float),
            "one_word": (question.size[reading] == 1).astype(float),
            "used": used,
            "family_used": np.log1p(targets["family_used"].to_numpy()),
            "chapter_used": targets["chapter_used"].to_numpy(),
            "terms": np.log1p(targets["terms"].to_numpy()),
            "title_of_text": title_of_text,
            "title_of_title": title_of_title,
            "icd10_title": (kind == "icd10_title").astype(float),
            "foundation_title": (kind == "foundation_title").astype(float),
            "dictionary": (kind == "dictionary").astype(float),
            "dictionary_similar": (kind == "dictionary") * similarity,
        }
    ).round(_DIGITS)


def probability(table: pd.DataFrame) -> Array:
    """Return the probability of each row of `features`, from the trees of ``ranker.csv``."""
    trees = read_trees()
    names = list(table)
    columns = table.to_numpy(dtype=np.float32).T
    total = np.full(len(table), trees.base, dtype=np.float32)
    trees_of_places = [([names.index(name) for name in tree], above, values) for tree, above, values in trees.rows]
    for start in range(0, len(table), _BLOCK):
        block = np.ascontiguousarray(columns[:, start : start + _BLOCK])
        part = total[start : start + _BLOCK]
        for places, above, values in trees_of_places:
            # the answer at each node, then of the way from the root: at which of the eight leaves a row ends
            h0, h1, h2, h3, h4, h5, h6 = (block[place] > bound for place, bound in zip(places, above, strict=True))
            second = h1 ^ (h0 & (h1 ^ h2))
            left, right = h3 ^ (h1 & (h3 ^ h4)), h5 ^ (h2 & (h5 ^ h6))
            third = left ^ (h0 & (left ^ right))
            leaf = (h0.view(np.uint8) << 2) | (second.view(np.uint8) << 1) | third.view(np.uint8)
            part += values.take(leaf)
    result: Array = 1 / (1 + np.exp(-total.astype(np.float64)))
    return result


@dataclass(frozen=True, slots=True)
class Trees:
    """Decision trees of three levels, whose values are added.

    Attributes
    ----------
    base : float
        Value of no tree.
    rows : tuple
        Of each tree seven features and thresholds, level by level, and eight values from left to right.

    """

    base: float
    rows: tuple[tuple[tuple[str, ...], Array, Array], ...]


@lru_cache(maxsize=1)
def read_trees() -> Trees:
    """Return the trees that ``tests/benchmarks/fit_ranker.py`` fitted on real wordings."""
    text = files("icdframes.coding").joinpath("ranker.csv").read_text(encoding="utf-8")
    first, *lines = csv.reader(text.splitlines()[1:])
    rows = tuple(
        (
            tuple(cells[:_NODES]),
            np.array(cells[_NODES : 2 * _NODES], np.float32),
            np.array(cells[2 * _NODES :], np.float32),
        )
        for cells in lines
    )
    return Trees(float(first[2 * _NODES]), rows)


def _share(text: Array, group: Array, votes: Array) -> Array:
    """Return which part of a text's similar phrases, the most similar counted most, leads to the same group."""
    if not len(text):
        return votes
    whole = np.bincount(text, votes)
    _, place = np.unique(text * (int(group.max()) + 2) + group, return_inverse=True)
    result: Array = np.bincount(place, votes)[place] / np.maximum(whole[text], 1e-12)
    return result


def _first(found: pd.DataFrame) -> pd.DataFrame:
    """Keep the most similar of each text and target, sorted by text and similarity."""
    order = np.lexsort((found["phrase"], -found["similarity"], found["text"]))
    text, target = found["text"].to_numpy(), found["target"].to_numpy()
    pair = text * (int(target.max(initial=0)) + 1) + target
    first = order[~pd.Series(pair[order]).duplicated().to_numpy()]
    kept: pd.DataFrame = found.iloc[first].reset_index(drop=True)
    return kept
