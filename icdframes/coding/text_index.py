"""Columns of diagnoses in words → ranked candidates of codes, without a server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from icdframes.coding import candidates
from icdframes.coding.index_file import IndexParts, PhraseVectors, read_index, require, write_index
from icdframes.coding.normalize import Normalizer, letters_of, normalizer, strip_excepted
from icdframes.coding.phrases import Phrases, Source, collect
from icdframes.errors import ConfigurationError, check_whole
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.files import read_frame
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import Column, typed_table
from icdframes.progress import progress_bar

Texts: TypeAlias = "str | pd.Series[Any] | Sequence[Any]"
Dictionary = pd.DataFrame | str | os.PathLike[str]
Sources = Source | Iterable[Source]

COLUMNS = (
    Column("text", "str", "The wording; a part of it where it was split"),
    Column("part", "Int64", "Which part of the wording from 1; 1 where it was not split"),
    Column("rank", "Int64", "From 1, the most probable; missing where nothing was found"),
    Column("code", "str", "Code of the candidate"),
    Column("title", "str", "Its title"),
    Column("matched_term", "str", "The term that is like the text"),
    Column("term_kind", "str", "title, synonym, icd10_title, dictionary and so on"),
    Column("score", "Float64", "Probability that the candidate is right, 0 to 1"),
    Column("chapter", "str", "Chapter of the candidate"),
    Column("entity_id", "str", "Entity of the candidate"),
    Column("method", "str", "equal (the same words), similar, or residual (other or unspecified beside a candidate)"),
    Column("needs_review", "bool", "Whether the first candidate of the text is less probable than review_below"),
)

_CHUNK = 2_000
_PHRASES_A_TEXT = 40
_BROADER_WORDS = 0.85
_BREAKS = re.compile(
    r"\s*(?:[,;/+&\n]|\b(?:due to|secondary to|because of|as a result of|on a background of|on background of|"
    r"complicated by|complicating|leading to|followed by|in the context of)\b)\s*",
    re.IGNORECASE,
)
_WEAK_BREAKS = re.compile(r"\s+(?:and|with)\s+", re.IGNORECASE)


class TextIndex:
    """Everything that texts are compared with; built once, saved, loaded.

    Parameters
    ----------
    tables : EntityTables
        Whose codes are proposed: MMS, ICF, ICD-10; a branch or all. Chapters X, V and 26 of
        the MMS are left out.
    dictionary : pandas.DataFrame or path, optional
        Wordings that you have coded: columns ``text`` and ``code``; codes may be clusters.
        A CSV or Parquet file too.
    sources : CodeMapping or EntityTables, or several, optional
        Whose titles are compared too: WHO's mapping from ICD-10 (`read_mapping`), from the
        foundation to ICD-10, and tables of the foundation.
    language : str, optional
        Two letters; None is the language of the tables.

    Attributes
    ----------
    provenance : Provenance
        Of the tables.
    language : str
        Whose rules of spelling are followed.

    Raises
    ------
    MissingExtraError
        If scikit-learn or sparse_dot_topn is not installed.
    ConfigurationError
        If the dictionary has no column ``text`` or ``code``.

    Notes
    -----
    Network: none.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("1A00")
    >>> index = icdframes.TextIndex(tables)
    >>> index.search("choleras", n=1)[["code", "title", "method"]].to_numpy().tolist()
    [['1A00', 'Cholera', 'equal']]
    >>> index.code(["cholera", None], n=1)["code"].tolist()[0]
    '1A00'
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = index.save(Path(tempfile.mkdtemp()) / "cholera.index")
    >>> icdframes.TextIndex.load(file).search("cholera", n=1)["code"].item()
    '1A00'

    """

    __slots__ = ("language", "phrases", "provenance", "vectors")

    phrases: Phrases
    vectors: PhraseVectors
    provenance: Provenance
    language: str

    def __init__(
        self,
        tables: EntityTables,
        *,
        dictionary: Dictionary | None = None,
        sources: Sources = (),
        language: str | None = None,
    ) -> None:
        require()
        language = language or tables.provenance.language or "en"
        rules = normalizer(language)
        given = [sources] if isinstance(sources, Source) else list(sources)
        phrases = collect(tables, rules, sources=given, dictionary=_dictionary(dictionary))
        bags = [key.split() for key in phrases.phrases["key"]]
        built = PhraseVectors.build(bags, rules)
        self._set(IndexParts(phrases, built, tables.provenance, language))

    def _set(self, parts: IndexParts) -> None:
        self.phrases, self.vectors = parts.phrases, parts.vectors
        self.provenance, self.language = parts.provenance, parts.language

    def search(self, text: str, n: int = 5) -> pd.DataFrame:
        """Return the candidates of one text: what `code` returns for it, ready for a search field."""
        return self.code(text, n=n, progress=False)

    def code(
        self,
        texts: Texts,
        *,
        n: int = 5,
        min_score: float = 0.0,
        review_below: float = 0.5,
        split: bool = False,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Return the candidates of texts; see `icdframes.code_texts`."""
        check_whole("n", n, least=1, most=40)
        for name, value in (("min_score", min_score), ("review_below", review_below)):
            if not 0 <= value <= 1:
                raise ConfigurationError("is no probability: give a number from 0 to 1.", option=name, value=value)
        column = pd.Series([texts]) if isinstance(texts, str) else pd.Series(texts)
        values = [value.strip() if isinstance(value, str) else "" for value in column]
        parts = self._split(values) if split else [[value] for value in values]
        distinct = list(dict.fromkeys(part for row in parts for part in row))
        found = self._rank(distinct, n, progress=progress)
        found = found[found["score"] >= min_score]
        return self._frame(column, parts, distinct, found, review_below)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the index to one file, such as ``mms.icdindex``, and return its path."""
        return write_index(Path(path), IndexParts(self.phrases, self.vectors, self.provenance, self.language))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TextIndex:
        """Read what `save` wrote.

        Raises
        ------
        FileFormatError
            If the file is no index of this version.

        """
        index = cls.__new__(cls)
        index._set(read_index(Path(path)))  # noqa: SLF001  its own
        return index

    def __len__(self) -> int:
        return len(self.phrases.phrases)

    def __repr__(self) -> str:
        where = f"{self.provenance.classification} {self.provenance.release or ''}".strip()
        return f"TextIndex({where}, {self.language}: {len(self):,} phrases)"

    @property
    def _rules(self) -> Normalizer:
        return normalizer(self.language)

    def _rank(self, texts: Sequence[str], n: int, *, progress: bool | None) -> pd.DataFrame:
        """Return text (its place), target, phrase, equal, alternative, score of distinct texts."""
        parts = []
        with progress_bar("coding", show=progress, unit="texts") as report:
            for start in range(0, max(len(texts), 1), _CHUNK):
                chunk = texts[start : start + _CHUNK]
                ranked = candidates.rank(*self._compare(chunk), n=n)
                parts.append(ranked.assign(text=ranked["text"] + start))
                report(start + len(chunk), len(texts), 0)
        return pd.concat(parts, ignore_index=True)

    def _compare(self, texts: Sequence[str]) -> tuple[Any, candidates.Question, Phrases, Any]:
        """Return what candidates are made of: cosines, the texts as they are read, phrases, common words."""
        question, bags = self._question(texts)
        cosines, overlap = self.vectors.nearest(bags, self._rules, top=_PHRASES_A_TEXT)
        return cosines, question, self.phrases, overlap

    def _question(self, texts: Sequence[str]) -> tuple[candidates.Question, list[tuple[str, ...]]]:
        """Return the readings of texts and their words: each text itself, and in broader words."""
        rules = self._rules
        own = [rules.words(strip_excepted(text)) for text in texts]
        wide = [(number, bag) for number, words in enumerate(own) for bag in rules.broader(words)]
        bags = [*own, *(bag for _, bag in wide)]
        place = [*range(len(own)), *(number for number, _ in wide)]
        factor = np.repeat([1.0, _BROADER_WORDS], [len(own), len(wide)])
        keys = np.array([" ".join(sorted(bag)) for bag in bags], dtype=object)
        folded = np.array([letters_of(text) for text in texts], dtype=object)
        sizes = np.array([len(bag) for bag in bags])
        return candidates.Question(keys, np.array(place, dtype=np.int64), factor, folded, sizes), bags

    def _split(self, values: Sequence[str]) -> list[list[str]]:
        """Part each text at commas and words of cause; at "and" and "with" where no term has the same words."""
        strong = [[part for part in _BREAKS.split(value) if part] or [value] for value in values]
        open_parts = list(dict.fromkeys(part for row in strong for part in row if _WEAK_BREAKS.search(part)))
        known = set(self.phrases.phrases["key"]) if open_parts else set()
        weak: dict[str, list[str]] = {}
        for part in open_parts:
            if " ".join(sorted(self._rules.words(strip_excepted(part)))) not in known:
                weak[part] = [piece for piece in _WEAK_BREAKS.split(part) if piece]
        return [[piece for part in row for piece in weak.get(part, [part])] for row in strong]

    def _frame(
        self,
        column: pd.Series[Any],
        parts: list[list[str]],
        distinct: list[str],
        found: pd.DataFrame,
        review_below: float,
    ) -> pd.DataFrame:
        """Put the candidates of distinct texts into the rows of the column."""
        place = {text: row for row, text in enumerate(distinct)}
        pieces = pd.DataFrame(
            [(row, part + 1, place[text]) for row, texts in enumerate(parts) for part, text in enumerate(texts)],
            columns=["row", "part", "text"],
        )
        found = found.assign(rank=found.groupby("text").cumcount() + 1)
        joined = pieces.merge(found, on="text", how="left").sort_values(["row", "part", "rank"], kind="stable")
        first = joined.groupby(["row", "part"])["score"].transform("first").to_numpy(dtype=float, na_value=0.0)
        hit = joined["target"].notna().to_numpy()
        targets = self.phrases.targets.iloc[joined["target"].fillna(0).astype(int)]
        terms = self.phrases.phrases.iloc[joined["phrase"].fillna(0).astype(int)]
        method = np.select([joined["alternative"].gt(0), joined["equal"].eq(True)], ["residual", "equal"], "similar")

        def where_hit(values: Any) -> list[Any]:
            cells = np.array(values, dtype=object)
            cells[~hit | pd.isna(cells)] = None
            return list(cells)

        given = column.to_numpy(dtype=object)
        whole = [len(texts) == 1 for texts in parts]
        texts = [
            given[row] if whole[row] and isinstance(given[row], str) else distinct[text]
            for row, text in zip(joined["row"], joined["text"], strict=True)
        ]
        values = {
            "text": texts,
            "part": joined["part"].tolist(),
            "rank": [int(rank) if yes else None for rank, yes in zip(joined["rank"].fillna(0), hit, strict=True)],
            "code": where_hit(targets["code"]),
            "title": where_hit(targets["title"]),
            "matched_term": where_hit(terms["label"]),
            "term_kind": where_hit(terms["kind"]),
            "score": where_hit(joined["score"].round(4)),
            "chapter": where_hit(targets["chapter"]),
            "entity_id": where_hit(targets["entity_id"]),
            "method": where_hit(method),
            "needs_review": np.where(np.isnan(first), True, first < review_below).tolist(),
        }
        frame = typed_table(COLUMNS, values, index=column.index[joined["row"].to_numpy()])
        frame.attrs["provenance"] = self.provenance.to_dict()
        return frame


def code_texts(
    texts: Texts,
    tables: EntityTables | TextIndex,
    *,
    n: int = 5,
    dictionary: Dictionary | None = None,
    sources: Sources = (),
    min_score: float = 0.0,
    review_below: float = 0.5,
    split: bool = False,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Propose codes for diagnoses in words.

    Parameters
    ----------
    texts : str, or a column of str
        One wording or many; what is missing or no text has a row without a code.
    tables : EntityTables or TextIndex
        Whose codes are proposed. An index is built of tables each time: build a `TextIndex` for many calls.
    n : int
        Candidates of each text, 1 to 40.
    dictionary : pandas.DataFrame or path, optional
        Wordings that you have coded already: columns ``text`` and ``code``.
    sources : CodeMapping or EntityTables, or several, optional
        Whose titles are compared too; see `TextIndex`.
    min_score : float
        Leave out candidates that are less probable.
    review_below : float
        Mark texts whose first candidate is less probable.
    split : bool
        Code the parts of "pneumonia due to stroke" and "diabetes, hypertension" each.
    progress : bool, optional
        None shows a bar in a terminal or notebook.

    Returns
    -------
    pandas.DataFrame
        A row a candidate, the index of the column repeated: text, part, rank, code, title, matched_term,
        term_kind, score, chapter, entity_id, method, needs_review.

    Raises
    ------
    MissingExtraError
        If scikit-learn or sparse_dot_topn is not installed: ``pip install 'icdframes[coding]'``.
    ConfigurationError
        If ``n``, ``min_score`` or ``review_below`` cannot be, or a dictionary is given together with an index.

    Notes
    -----
    Network: none. Source: the tables. Candidates are proposals, to be reviewed; the score is the probability of being
    right as measured on English causes of death. Negation ("no pneumonia"), certainty and side are not understood.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("1A00")
    >>> frame = icdframes.code_texts(["cholera", None], tables, n=1)
    >>> frame[["text", "rank", "code", "needs_review"]]
          text  rank  code  needs_review
    0  cholera     1  1A00         False
    1      NaN  <NA>   NaN          True

    """
    if isinstance(tables, TextIndex):
        given = "dictionary" if dictionary is not None else "sources" if not _is_empty(sources) else None
        if given:
            raise ConfigurationError("goes into the index: give it to TextIndex.", option=given, value="…")
        index = tables
    else:
        index = TextIndex(tables, dictionary=dictionary, sources=sources)
    return index.code(texts, n=n, min_score=min_score, review_below=review_below, split=split, progress=progress)


def may_have_more(index: TextIndex, text: str) -> bool:
    """Return whether as many phrases are like a text as are looked at, so that there may be more candidates."""
    rules = normalizer(index.language)
    nearest, _ = index.vectors.nearest([rules.words(strip_excepted(text))], rules, top=_PHRASES_A_TEXT)
    return int(nearest.nnz) >= _PHRASES_A_TEXT


def _is_empty(sources: Sources) -> bool:
    return isinstance(sources, tuple | list) and not sources


def _dictionary(given: Dictionary | None) -> pd.DataFrame | None:
    if given is None:
        return None
    frame = given if isinstance(given, pd.DataFrame) else read_frame(Path(given))
    missing = [name for name in ("text", "code") if name not in frame]
    if missing:
        raise ConfigurationError(
            f"has no column {missing[0]!r}: give a table with the columns text and code; it has "
            f"{', '.join(map(str, frame.columns)) or 'none'}.",
            option="dictionary",
            value="…",
        )
    return frame
