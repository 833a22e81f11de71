"""Typed tables of searches: hits, matching terms, word suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from icdframes.frames.provenance import Provenance, rows_text
from icdframes.frames.schema import Column, table_of_rows
from icdframes.model.html import html_rows
from icdframes.model.responses import NO_MATCH, Outcome, SearchHit, SearchResult

_FROM_HIT = (
    Column("code", "str", "ICD code, of a cluster the whole expression; the foundation has none"),
    Column("title", "str", "Title, without markup unless highlighting was asked for"),
    Column("entity_id", "str", "Id of the entity; of a cluster that of its stem"),
    Column("score", "Float64", "How well it matches; comparable within one query only"),
    Column("chapter", "str", "Code of the chapter"),
    Column("is_leaf", "boolean", "Whether there are no children"),
    Column("is_residual", "boolean", "Whether it is an other specified or unspecified category"),
    Column("postcoordination", "str", "none, possible or required"),
    Column("entity_type", "str", "real, logically_defined (below the shoreline) or cluster"),
    Column("important", "boolean", "Whether all words of the query match"),
    Column("title_matches", "boolean", "Whether the title is among what matches"),
    Column("title_is_best", "boolean", "Whether the title matches best"),
    Column("has_coding_note", "boolean", "Whether there is advice for coders"),
    Column("has_maternal_link", "boolean", "Whether the maternal chapter has a related entity"),
    Column("has_perinatal_link", "boolean", "Whether the perinatal chapter has a related entity"),
    Column("terms_truncated", "boolean", "Whether more terms match than the answer lists"),
    Column("uri", "str", "URI as the API gives it; of a cluster an expression of several"),
)
HITS = (
    Column("query", "str", "The text that was searched"),
    *_FROM_HIT,
    Column("depth", "Int64", "Levels below the topmost hit where hits are nested, otherwise 0"),
    Column("parent_id", "str", "Id of the hit above, where hits are nested"),
    Column("chopped", "boolean", "Whether the server has more hits for this query than it gives"),
    Column("status", "str", "ok, or why there is no hit: no_match, empty, invalid, failed, not_asked"),
    Column("message", "str", "The error's sentence"),
)
TERMS = (
    Column("query", "str", "The text that was searched"),
    Column("hit", "int64", "Row number in the table of hits, from 0"),
    Column("entity_id", "str", "The entity that the hit is"),
    Column("code", "str", "Its code"),
    Column("property", "str", "Title, Synonym, TitleOfOtherEntity, …"),
    Column("label", "str", "The text that matches"),
    Column("score", "Float64", "How well it matches"),
    Column("important", "bool", "Whether all words of the query match"),
    Column("foundation_id", "str", "Foundation entity that has the text"),
    Column("value_type", "str", "real, below_shoreline, logically_defined or cluster"),
)
WORDS = (
    Column("query", "str", "The text that was searched"),
    Column("label", "str", "A word that could complete or narrow it"),
    Column("keeps_result", "bool", "Whether adding it would leave the hits as they are"),
)

_OF_LOADS = ("loaded", "complete")
Asked = Sequence[tuple[str | None, Outcome[SearchResult]]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SearchTables:
    """What a search gave.

    Attributes
    ----------
    hits : pandas.DataFrame
        One row per hit, best first as the server orders them.
    terms : pandas.DataFrame
        The texts of the hits that match; ``hit`` is the row number in `hits`.
    words : pandas.DataFrame
        Word suggestions, where they were asked for.
    provenance : Provenance
        Server, release, language, licence and so on.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> found = client.search_tables("cholera")
    >>> found.hits.code.iloc[0]
    '1A00'

    """

    hits: pd.DataFrame
    terms: pd.DataFrame
    words: pd.DataFrame
    provenance: Provenance

    @property
    def chopped(self) -> bool:
        """Whether the server has more hits than it gives, for any query."""
        return bool(self.hits.attrs["chopped"])

    def __len__(self) -> int:
        return len(self.hits)

    def __repr__(self) -> str:
        return "SearchTables\n" + "\n".join(f"  {name:<15} {text}" for name, text in self._rows())

    def _repr_html_(self) -> str:
        return html_rows(self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        counts = [(name, rows_text(len(getattr(self, name)))) for name in ("hits", "terms", "words")]
        about = [row for row in self.provenance.rows() if row[0] not in _OF_LOADS]
        return [*counts, ("chopped", "yes" if self.chopped else "no"), *about]


def build_search_tables(asked: Asked, provenance: Provenance, *, index: pd.Index[Any] | None = None) -> SearchTables:
    """Flatten the answers to some queries.

    Parameters
    ----------
    asked : sequence of (str or None, Outcome)
        Query, and what became of it.
    provenance : Provenance
        Where the answers come from.
    index : pandas.Index, optional
        Of the queries; each hit takes the label of its query. None where one query was
        given: then hits are numbered, and no hit is no row.

    Returns
    -------
    SearchTables

    """
    places: list[int] = []
    hits: list[dict[str, Any]] = []
    terms: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for place, (query, outcome) in enumerate(asked):
        rows = _hit_rows(query, outcome, terms, first=len(hits))
        if index is None and not outcome.error and rows[0]["status"] == NO_MATCH:
            rows = []
        hits += rows
        places += [place] * len(rows)
        if outcome.answer:
            words += [{"query": query, "label": w.label, "keeps_result": w.keeps_result} for w in outcome.answer.words]
    chopped = list(dict.fromkeys(query for query, outcome in asked if outcome.answer and outcome.answer.chopped))
    frames = {
        "hits": table_of_rows(HITS, hits, index=None if index is None else index.take(places)),
        "terms": table_of_rows(TERMS, terms),
        "words": table_of_rows(WORDS, words),
    }
    for frame in frames.values():
        frame.attrs |= {"provenance": provenance.to_dict(), "chopped": bool(chopped), "chopped_queries": chopped}
    return SearchTables(**frames, provenance=provenance)


def _hit_rows(
    query: str | None, outcome: Outcome[SearchResult], terms: list[dict[str, Any]], *, first: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    result = outcome.answer
    for hit, above, depth in result.walk() if result else ():
        place = {"query": query, "entity_id": hit.entity_id, "code": hit.code, "hit": first + len(rows)}
        terms += [
            place
            | {
                "property": term.property_name,
                "label": term.label,
                "score": term.score,
                "important": term.important,
                "foundation_id": term.foundation_id,
                "value_type": term.value_type,
            }
            for term in hit.terms
        ]
        rows.append(_hit_row(query, hit, above, depth, chopped=bool(result and result.chopped)))
    if rows:
        return rows
    status = NO_MATCH if result else outcome.status
    return [{"query": query, "status": status, "message": outcome.message, "chopped": False if result else None}]


def _hit_row(
    query: str | None, hit: SearchHit, above: SearchHit | None, depth: int, *, chopped: bool
) -> dict[str, Any]:
    return {column.name: getattr(hit, column.name) for column in _FROM_HIT} | {
        "query": query,
        "depth": depth,
        "parent_id": above.entity_id if above else None,
        "chopped": chopped,
        "status": "ok",
    }
