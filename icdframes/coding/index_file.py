"""An index of texts ↔ one file that is read in a fraction of a second; our own, because pickles may hold programs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from icdframes.coding.phrases import Phrases
from icdframes.coding.vectors import FEATURES, PhraseVectors, make_matrix
from icdframes.errors import FileFormatError
from icdframes.frames.provenance import Provenance

_FORMAT = 1


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
    matrix = parts.vectors.matrix
    arrays |= {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
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
        shape = (2 * FEATURES, len(frames[0]))
        matrix = make_matrix(arrays["data"], arrays["indices"], arrays["indptr"], shape)
        vectors = PhraseVectors(matrix, arrays["weights"])
        return IndexParts(Phrases(*frames), vectors, Provenance.from_dict(head["provenance"]), head["language"])
    except FileNotFoundError as error:
        raise FileFormatError(f"There is no file {path}: build the index and save it.") from error
    except (OSError, ValueError, LookupError, EOFError, TypeError, AttributeError, BadZipFile) as error:
        raise FileFormatError(f"{path} is no index of this version of icdframes: build it anew and save it.") from error


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
