"""Bags of words → sparse vectors with their nearest phrases, kept in one file that is read in a fraction of a second.

The file is of our own form, because pickles may hold programs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from icdframes.coding.normalize import Normalizer
from icdframes.coding.phrases import Phrases
from icdframes.errors import FileFormatError, MissingExtraError
from icdframes.frames.provenance import Provenance

FEATURES = 2**17
"""Width of each half of a vector: trigrams in the first, words in the second."""

_TRIGRAM_SHARE = 0.8
_WEAK_WEIGHT = 0.3
_LEAST = 0.2
_OFTEN = 0.1
_FEW = 500
_LEAST_LEFT = 0.5


_FORMAT = 2


@dataclass(frozen=True, slots=True)
class PhraseVectors:
    """The vectors of all phrases.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        A row a feature, a column a phrase; every phrase has the length 1.
    weights : numpy.ndarray
        Inverse document frequency of each feature.
    words : scipy.sparse.csr_array
        A row a phrase, a column a word, with the root of its weight.

    """

    matrix: Any
    weights: np.ndarray[Any, Any]
    words: Any

    @classmethod
    def build(cls, bags: Sequence[Sequence[str]], rules: Normalizer) -> PhraseVectors:
        """Return the vectors of phrases; each phrase is given by its words."""
        counts = _count(bags, rules)
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        weights = (np.log((1 + len(bags)) / (1 + frequency)) + 1).astype(np.float32)
        return cls(_scale(counts, weights).T.tocsr(), weights, _roots(counts, weights))

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
        distinct: dict[tuple[str, ...], int] = {}
        rows = [distinct.setdefault(tuple(bag), len(distinct)) for bag in bags]
        counts = _count(list(distinct), rules)
        texts = self._telling(_scale(counts, self.weights))
        threads = min(4, os.cpu_count() or 1)
        found = topn(texts, self.matrix, top_n=top, threshold=_LEAST, sort=True, n_threads=threads)
        roots = _roots(counts, self.weights)
        found, roots = (found, roots) if len(distinct) == len(rows) else (found[rows], roots[rows])
        return found, Overlap(roots, self.words)

    def _telling(self, texts: Any) -> Any:
        """Return texts without the features that many phrases have, which cost most and tell least.

        A text of which more than half would be lost keeps them all. What is left gets the length that the whole had.
        """
        often = np.diff(self.matrix.indptr) > max(_OFTEN * self.matrix.shape[1], _FEW)
        rows = np.repeat(np.arange(texts.shape[0]), np.diff(texts.indptr))
        lost = often[texts.indices]
        squares = texts.data**2
        left = np.bincount(rows[~lost], squares[~lost], minlength=texts.shape[0])
        whole = np.bincount(rows, squares, minlength=texts.shape[0])
        kept = ~lost | (left < _LEAST_LEFT * whole)[rows]
        longer = np.where(left < _LEAST_LEFT * whole, 1, np.sqrt(whole / np.maximum(left, 1e-9)))
        indices = texts.indices[kept]
        data = (texts.data * longer[rows])[kept].astype(np.float32)
        pointers = np.r_[0, np.cumsum(np.bincount(rows[kept], minlength=texts.shape[0]))].astype(np.int32)
        return make_matrix(data, indices, pointers, texts.shape)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which words texts and phrases have in common."""

    texts: Any
    phrases: Any

    def __call__(self, rows: Any, columns: Any) -> tuple[Any, Any]:
        """Return which weight of the words of each text is in the phrase beside it, and the reverse."""
        texts, phrases = self.texts[rows], self.phrases[columns]
        both = _sums(texts.multiply(phrases)) * (columns >= 0)
        return both / np.maximum(_sums(texts.power(2)), 1e-9), both / np.maximum(_sums(phrases.power(2)), 1e-9)


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


def _sums(matrix: Any) -> np.ndarray[Any, Any]:
    return np.asarray(matrix.sum(axis=1)).ravel()


def _roots(counts: Any, weights: np.ndarray[Any, Any]) -> Any:
    """Return the words of each bag with the root of their weights."""
    words = counts[:, FEATURES:].tocsr()
    words.data = np.sqrt(words.data * weights[FEATURES:][words.indices])
    return words


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


@dataclass(frozen=True, slots=True)
class IndexParts:
    """What an index consists of."""

    phrases: Phrases
    vectors: PhraseVectors
    provenance: Provenance
    language: str


def write_index(target: Path, parts: IndexParts) -> Path:
    """Write an index in one go: a reader sees the old file or the new one."""
    head = {"format": _FORMAT, "language": parts.language, "provenance": parts.provenance.to_dict()}
    arrays: dict[str, Any] = {
        "head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
        "weights": parts.vectors.weights,
    }
    for name in ("phrases", "targets", "excluded"):
        frame: pd.DataFrame = getattr(parts.phrases, name)
        arrays |= {f"{name}_{column}": _pack(frame[column]) for column in frame}
    for name in ("matrix", "words"):
        matrix = getattr(parts.vectors, name)
        arrays |= {f"{name}_data": matrix.data, f"{name}_indices": matrix.indices, f"{name}_indptr": matrix.indptr}
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def read_index(path: Path) -> IndexParts:
    """Read what `write_index` wrote.

    Raises
    ------
    FileFormatError
        If the file is no index of this version.

    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(arrays["head"].tobytes())
        if head["format"] != _FORMAT:
            raise KeyError(head["format"])
        frames = [_unpack(arrays, name) for name in ("phrases", "targets", "excluded")]
        matrix = _read_matrix(arrays, "matrix", (2 * FEATURES, len(frames[0])))
        words = _read_matrix(arrays, "words", (len(frames[0]), FEATURES))
        vectors = PhraseVectors(matrix, arrays["weights"], words)
        return IndexParts(Phrases(*frames), vectors, Provenance.from_dict(head["provenance"]), head["language"])
    except FileNotFoundError as error:
        raise FileFormatError(f"There is no file {path}: build the index and save it.") from error
    except (OSError, ValueError, LookupError, EOFError, TypeError, AttributeError, BadZipFile) as error:
        raise FileFormatError(f"{path} is no index of this version of icdframes: build it anew and save it.") from error


def _read_matrix(arrays: dict[str, np.ndarray[Any, Any]], name: str, shape: tuple[int, int]) -> Any:
    return make_matrix(arrays[f"{name}_data"], arrays[f"{name}_indices"], arrays[f"{name}_indptr"], shape)


def _pack(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return a column as an array that needs no pickle: texts as UTF-8 with a zero between."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    texts = [value if isinstance(value, str) else "" for value in column]
    return np.frombuffer("\0".join(texts).encode(), dtype=np.uint8)


def _unpack(arrays: dict[str, np.ndarray[Any, Any]], name: str) -> pd.DataFrame:
    columns = {key.removeprefix(f"{name}_"): values for key, values in arrays.items() if key.startswith(f"{name}_")}
    rows = max(len(values) for values in columns.values() if values.dtype != np.uint8)
    return pd.DataFrame({key: _column(values, rows) for key, values in columns.items()})


def _column(values: np.ndarray[Any, Any], rows: int) -> Any:
    if values.dtype != np.uint8:
        return values
    return [text or None for text in values.tobytes().decode().split("\0")][:rows]
