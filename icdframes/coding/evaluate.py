"""Proposed codes against a gold standard: how often the right code is first, among the first n, and per score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from icdframes.coding.normalize import stem_of
from icdframes.coding.text_index import Dictionary, Sources, TextIndex, code_texts
from icdframes.errors import ConfigurationError
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.pandas_compat import text_array

_BINS = 10


def evaluate(
    texts: Sequence[str] | pd.Series[str],
    codes: Sequence[Any] | pd.Series[Any] | pd.DataFrame,
    tables: EntityTables | TextIndex,
    *,
    n: int = 5,
    dictionary: Dictionary | None = None,
    sources: Sources = (),
) -> pd.DataFrame:
    """Measure `code_texts` on wordings that people have coded.

    Parameters
    ----------
    texts : column of str
        The wordings.
    codes : column of str, or DataFrame
        The right codes, in the order of the texts; of several columns each is right. Of a cluster, and of a
        candidate, the first stem counts, with or without points.
    tables : EntityTables or TextIndex
        As for `code_texts`.
    n : int
        So many candidates.
    dictionary, sources
        As for `code_texts`. Wordings of the dictionary must not be among the texts: that would measure itself.

    Returns
    -------
    pandas.DataFrame
        A row a chapter of the right code, and a last row for all (chapter missing): chapter, n_texts,
        right_first, right_among_n, no_answer (shares of n_texts). ``attrs["calibration"]``: for each tenth of
        the score of the first candidates a row with score, n_texts, right, for a chart.

    Raises
    ------
    ConfigurationError
        If texts and codes are not of one length.

    Notes
    -----
    Network: none. Texts whose right codes are all missing are left out.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("1A00")
    >>> icdframes.evaluate(["Cholera", "cholera NOS"], ["1A00", "1A00"], tables)
      chapter  n_texts  right_first  right_among_n  no_answer
    0      01        2          1.0            1.0        0.0
    1     NaN        2          1.0            1.0        0.0

    """
    gold = pd.DataFrame(codes if isinstance(codes, pd.DataFrame) else {"code": list(codes)})
    if len(gold) != len(texts):
        raise ConfigurationError(
            f"is {len(gold)} rows and there are {len(texts)} texts: give one code for each text.",
            option="codes",
            value="…",
        )
    right = [{stem_of(code) for code in row if isinstance(code, str) and code.strip()} for row in gold.to_numpy(object)]
    index = tables if isinstance(tables, TextIndex) else TextIndex(tables, dictionary=dictionary, sources=sources)
    asked = [(str(text), stems) for text, stems in zip(texts, right, strict=True) if stems]
    found = code_texts([text for text, _ in asked], index, n=n)
    stems = found["code"].map(lambda code: stem_of(code) if isinstance(code, str) else "")
    hit = np.array([stem in asked[row][1] for row, stem in zip(found.index, stems, strict=True)], dtype=bool)
    first = found["rank"].fillna(1).eq(1).to_numpy(dtype=bool)
    places = np.arange(len(asked))
    chapters = _chapters(index)
    result = pd.DataFrame(
        {
            "chapter": [next((chapters[s] for s in sorted(stems) if s in chapters), None) for _, stems in asked],
            "right_first": hit[first],
            "right_among_n": pd.Series(hit).groupby(found.index.to_numpy()).any().reindex(places).to_numpy(dtype=bool),
            "no_answer": found["code"].isna().to_numpy()[first],
        }
    )
    summary = _shares(result)
    summary.attrs["calibration"] = _calibration(found["score"].to_numpy(dtype=float, na_value=0.0)[first], hit[first])
    summary.attrs["provenance"] = index.provenance.to_dict()
    return summary


def _shares(result: pd.DataFrame) -> pd.DataFrame:
    columns = ["right_first", "right_among_n", "no_answer"]
    grouped = result.groupby("chapter", sort=True)
    by_chapter = grouped[columns].mean().reset_index()
    by_chapter.insert(1, "n_texts", grouped.size().to_numpy())
    whole = result[columns].mean().to_frame().T if len(result) else pd.DataFrame(columns=columns, dtype=float)
    whole.insert(0, "n_texts", len(result))
    whole.insert(0, "chapter", text_array([None] * len(whole)))
    return pd.concat([by_chapter.astype({"chapter": "str"}), whole], ignore_index=True).astype({"chapter": "str"})


def _calibration(scores: np.ndarray[Any, Any], hit: np.ndarray[Any, Any]) -> pd.DataFrame:
    tenth = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    grouped = pd.DataFrame({"tenth": tenth, "score": scores, "right": hit}).groupby("tenth")
    return pd.DataFrame(
        {"score": grouped["score"].mean(), "n_texts": grouped.size(), "right": grouped["right"].mean()}
    ).reset_index(drop=True)


def _chapters(index: TextIndex) -> dict[str, str]:
    targets = index.phrases.targets
    pairs = zip(targets["code"], targets["chapter"], strict=True)
    return {stem_of(code): chapter for code, chapter in pairs if isinstance(code, str) and isinstance(chapter, str)}
