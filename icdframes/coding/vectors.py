"""Bags of words → sparse vectors of trigrams and words; the nearest phrases by their cosine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from icdframes.coding.normalize import Normalizer
from icdframes.errors import MissingExtraError

FEATURES = 2**17
"""Width of each half of a vector: trigrams in the first, words in the second."""

_TRIGRAM_SHARE = 0.8
_WEAK_WEIGHT = 0.3
_LEAST = 0.2


@dataclass(frozen=True, slots=True)
class PhraseVectors:
    """The vectors of all phrases.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        A row a feature, a column a phrase; every phrase has the length 1.
    weights : numpy.ndarray
        Inverse document frequency of each feature.

    """

    matrix: Any
    weights: np.ndarray[Any, Any]

    @classmethod
    def build(cls, bags: Sequence[Sequence[str]], rules: Normalizer) -> PhraseVectors:
        """Return the vectors of phrases; each phrase is given by its words."""
        counts = _count(bags, rules)
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        weights = (np.log((1 + len(bags)) / (1 + frequency)) + 1).astype(np.float32)
        return cls(_scale(counts, weights).T.tocsr(), weights)

    def nearest(self, bags: Sequence[Sequence[str]], rules: Normalizer, *, top: int) -> Any:
        """Return a sparse matrix with the cosines of the nearest phrases of each text.

        Parameters
        ----------
        bags : sequence of sequence of str
            The words of each text.
        rules : Normalizer
            The same with which the phrases were built.
        top : int
            So many phrases at most.

        """
        topn = _library("sparse_dot_topn").sp_matmul_topn
        texts = _scale(_count(bags, rules), self.weights)
        threads = min(4, os.cpu_count() or 1)
        return topn(texts, self.matrix, top_n=top, threshold=_LEAST, sort=True, n_threads=threads)


def require() -> None:
    """Refuse to go on without the libraries of the extra ``coding``."""
    _library("sklearn.feature_extraction.text")
    _library("sparse_dot_topn")


def make_matrix(data: Any, indices: Any, pointers: Any, shape: tuple[int, int]) -> Any:
    """Return a sparse matrix of its three arrays."""
    require()
    return _library("scipy.sparse").csr_matrix((data, indices, pointers), shape=shape, copy=False)


def _library(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError("Coding texts", "coding") from error


def _count(bags: Sequence[Sequence[str]], rules: Normalizer) -> Any:
    """Return trigrams and words of each bag, weak words at less; every distinct word is taken apart once."""
    sparse = _library("scipy.sparse")
    hashing = _library("sklearn.feature_extraction.text").HashingVectorizer
    places: dict[str, int] = {}
    indices = [places.setdefault(word, len(places)) for bag in bags for word in bag]
    words = list(places)
    weak = np.array([_WEAK_WEIGHT if word in rules.weak else 1.0 for word in words], dtype=np.float32)
    pointers = np.cumsum([0, *(len(bag) for bag in bags)])
    data = weak[indices] if indices else np.zeros(0, dtype=np.float32)
    texts = sparse.csr_matrix((data, indices, pointers), shape=(len(bags), len(words)), dtype=np.float32)
    if not words:
        return sparse.csr_matrix((len(bags), 2 * FEATURES), dtype=np.float32)
    settings = {"n_features": FEATURES, "norm": None, "alternate_sign": False, "dtype": np.float32, "lowercase": False}
    trigrams = hashing(analyzer="char_wb", ngram_range=(3, 3), **settings).transform(words)
    whole = hashing(analyzer=_itself, **settings).transform(words)
    both = sparse.hstack([trigrams, whole], format="csr")
    return (texts @ both).tocsr()


def _itself(word: str) -> list[str]:
    return [word]


def _scale(counts: Any, weights: np.ndarray[Any, Any]) -> Any:
    """Return vectors of length 1 at most, in which trigrams and words have their shares."""
    sparse = _library("scipy.sparse")
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    of_words = counts.indices >= FEATURES
    values = np.where(of_words, counts.data, np.sqrt(counts.data)) * weights[counts.indices]
    share = np.where(of_words, np.sqrt(1 - _TRIGRAM_SHARE**2), _TRIGRAM_SHARE)
    for half in (of_words, ~of_words):
        length = np.sqrt(np.bincount(rows[half], values[half] ** 2, minlength=counts.shape[0]))
        values[half] /= np.maximum(length, 1e-9)[rows[half]]
    scaled = (values * share).astype(np.float32)
    return sparse.csr_matrix(
        (scaled, counts.indices.astype(np.int32), counts.indptr.astype(np.int32)), shape=counts.shape
    )
