"""Cosines → the probability that a candidate is right."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEATURES = ("constant", "similarity", "lead", "share", "equal", "alternative", "icd10", "foundation", "dictionary")
WEIGHTS = (-3.85, 2.06, 8.31, 3.62, 1.09, 0.03, -0.08, -0.86, 0.3)
"""A logistic regression on 1,665 real wordings, with and without mapping files and a dictionary of the others."""


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
