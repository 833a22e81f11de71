"""Cosines of phrases → ranked candidates of each text, with the probability that each is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from icdframes.coding.phrases import Phrases

Array = np.ndarray[Any, Any]

FEATURES = ("constant", "similarity", "lead", "share", "equal", "alternative", "icd10", "foundation", "dictionary")
WEIGHTS = (-3.85, 2.06, 8.31, 3.62, 1.09, 0.03, -0.08, -0.86, 0.3)
"""A logistic regression on 1,665 real wordings, with and without mapping files and a dictionary of the others."""


_OTHER = 0.9
_BROADER = 0.8
_BESIDE = 0.8
_ALTERNATIVES_OF = 2
_EXCLUDED = 0.7
_NO_OTHER = 0.2
_VOTE_POWER = 6


def features(*, similarity: Array, lead: Array, share: Array, equal: Array, residual: Array, kind: Array) -> Array:
    """Return what the probability of a candidate is computed from, a column a feature.

    Parameters
    ----------
    similarity : numpy.ndarray
        Cosine of text and phrase times the weight of the phrase's kind.
    lead : numpy.ndarray
        How much more similar it is than the best other candidate of its text; negative where another is better.
    share : numpy.ndarray
        Which part of the similar phrases leads to it.
    equal : numpy.ndarray
        Whether text and phrase have the same words.
    residual : numpy.ndarray
        Whether it is proposed beside another candidate, as its residual.
    kind : numpy.ndarray
        Kind of term that matched.

    """
    columns = (
        np.ones_like(similarity),
        similarity,
        lead,
        share,
        equal,
        residual,
        kind == "icd10_title",
        kind == "foundation_title",
        kind == "dictionary",
    )
    return np.column_stack(columns).astype(np.float64)


def probability(table: Array) -> Array:
    """Return the probability of each row of `features`."""
    result: Array = 1 / (1 + np.exp(-(table @ np.asarray(WEIGHTS))))
    return result


def rank(cosines: Any, keys: list[str], phrases: Phrases, *, n: int) -> pd.DataFrame:
    """Return the n most probable codes of each text.

    Parameters
    ----------
    cosines : scipy.sparse matrix
        A row a text, a column a phrase.
    keys : list of str
        The words of each text in alphabetical order.
    phrases : Phrases
        What the columns stand for.
    n : int
        So many codes at most.

    Returns
    -------
    pandas.DataFrame
        text, target, phrase, equal, alternative, score; by text and rank.

    """
    found = _best_phrases(cosines, keys, phrases)
    found = _first(pd.concat([found, _alternatives(found, phrases.targets)], ignore_index=True))
    found["score"] = probability(features_of(found, phrases))
    found = found.sort_values(["text", "score", "similarity"], ascending=[True, False, False], kind="stable")
    best: pd.DataFrame = found[found.groupby("text").cumcount() < n].reset_index(drop=True)
    return best


def features_of(found: pd.DataFrame, phrases: Phrases) -> np.ndarray[Any, Any]:
    """Return the features of candidates that are sorted by text and similarity."""
    similarity = found["similarity"].to_numpy()
    grouped = found.groupby("text")["similarity"]
    best = grouped.transform("max").to_numpy()
    place = found.groupby("text").cumcount().to_numpy()
    second = grouped.transform(lambda values: values.iloc[1] if len(values) > 1 else _NO_OTHER).to_numpy()
    other = np.where(place == 0, second, best)
    kind = phrases.phrases["kind"].to_numpy(dtype=object)[found["phrase"].to_numpy()]
    equal, alternative = found["equal"].to_numpy(), found["alternative"].to_numpy()
    return features(
        similarity=similarity,
        lead=similarity - other,
        share=found["share"].to_numpy(),
        equal=equal,
        residual=alternative,
        kind=kind,
    )


def _best_phrases(cosines: Any, keys: list[str], phrases: Phrases) -> pd.DataFrame:
    table = phrases.phrases
    text = np.repeat(np.arange(cosines.shape[0]), np.diff(cosines.indptr))
    phrase = np.asarray(cosines.indices, dtype=np.int64)
    target = table["target"].to_numpy()[phrase]
    similarity = cosines.data * table["prior"].to_numpy()[phrase]
    asked = np.array(keys, dtype=object)[text]
    excluded = pd.MultiIndex.from_frame(phrases.excluded)
    concerned = pd.Series(asked, dtype=object).isin(phrases.excluded["key"]).to_numpy()
    if concerned.any():
        pairs = pd.MultiIndex.from_arrays([asked[concerned], target[concerned]])
        similarity[concerned] *= np.where(pairs.isin(excluded), _EXCLUDED, 1)
    equal = asked == table["key"].to_numpy(dtype=object)[phrase]
    found = pd.DataFrame({"text": text, "target": target, "phrase": phrase, "similarity": similarity, "equal": equal})
    found["alternative"] = False
    found["share"] = _share(found)
    return _first(found)


def _share(found: pd.DataFrame) -> pd.Series[float]:
    """Return which part of a text's similar phrases, the most similar counted most, leads to the same target."""
    votes = found["similarity"] ** _VOTE_POWER
    whole = votes.groupby(found["text"]).transform("sum")
    return votes.groupby([found["text"], found["target"]]).transform("sum") / whole


def _alternatives(found: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Return the residuals beside the best candidates: "other specified", and both of the parent."""
    top = found[found.groupby("text").cumcount() < _ALTERNATIVES_OF]
    parts = []
    for column, share in (("other", _OTHER), ("broader", _BROADER), ("beside", _BESIDE)):
        rows = targets[column].to_numpy()[top["target"].to_numpy()]
        part = top.assign(target=rows, similarity=top["similarity"] * share, equal=False, alternative=True, share=0.0)
        parts.append(part[rows >= 0])
    proposed: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return proposed


def _first(found: pd.DataFrame) -> pd.DataFrame:
    """Keep the most similar of each text and target, sorted by text and similarity."""
    ordered = found.sort_values(["text", "similarity", "phrase"], ascending=[True, False, True], kind="stable")
    kept: pd.DataFrame = ordered.drop_duplicates(["text", "target"]).reset_index(drop=True)
    return kept
