"""Rebuild an `EntityGraph` from tables: the inverse of ``build``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any

import pandas as pd

from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.schema import as_lists, translatable_columns
from icdframes.model.entity import Axis, Entity, Reference, Term
from icdframes.model.graph import EntityGraph

UNKNOWN_CHILD = "unknown"
"""Stands in ``child_ids`` for a child that is counted but was not loaded; it is no key of the graph."""

_FIELDS = frozenset(field.name for field in fields(Entity)) - {"entity_id"}


def entities_from_tables(tables: EntityTables, *, roots: Sequence[str] | None = None) -> EntityGraph:
    """Make entities of tables again.

    Parameters
    ----------
    tables : EntityTables
        What a load gave.
    roots : sequence of str, optional
        Roots of the graph; by default the entities at depth 0.

    Returns
    -------
    EntityGraph
        ``build_tables`` makes equal tables of it, given `chapters_from_tables` and
        `translations_from_tables`. Children that were not loaded are `UNKNOWN_CHILD`.

    """
    columns = as_lists(tables.entities)
    ids = columns["entity_id"]
    parents, children = _links(tables, dict(zip(ids, columns["n_children"], strict=True)))
    top = [key for key, depth in zip(ids, columns["depth"], strict=True) if depth == 0]
    named = {key for key, parent in zip(ids, columns["parent_id"], strict=True) if parent is not None}
    terms, references, axes = _terms(tables.terms), _references(tables.references), _axes(tables.axes)
    own = [name for name in columns if name in _FIELDS]
    language = tables.provenance.language
    rows = zip(*(columns[name] for name in own), strict=True)
    entities = {
        key: Entity(
            entity_id=key,
            language=language,
            parent_ids=parents[key] if key in named else (),
            child_ids=children[key],
            terms=terms.get(key, ()),
            references=references.get(key, ()),
            axes=axes.get(key, ()),
            **dict(zip(own, row, strict=True)),
        )
        for key, row in zip(ids, rows, strict=True)
    }
    return EntityGraph(tuple(top if roots is None else roots), entities)


def chapters_from_tables(tables: EntityTables) -> dict[str, str | None]:
    """Return for each root the chapter in which it lies."""
    roots = as_lists(tables.entities.loc[tables.entities["depth"] == 0, ["entity_id", "chapter"]])
    return dict(zip(roots["entity_id"], roots["chapter"], strict=True))


def translations_from_tables(tables: EntityTables) -> dict[str, dict[str, Entity]]:
    """Return the texts of each further language, by language and entity id."""
    columns = as_lists(tables.entities)
    found: dict[str, dict[str, Entity]] = {}
    for language in tables.provenance.languages[1:]:
        texts = translatable_columns(tables.provenance.include)
        rows = zip(*(columns[f"{name}_{language}"] for name in texts), strict=True)
        found[language] = {
            key: Entity(uri=uri, entity_id=key, language=language, **dict(zip(texts, row, strict=True)))
            for key, uri, row in zip(columns["entity_id"], columns["uri"], rows, strict=True)
        }
    return found


def _links(
    tables: EntityTables, n_children: Mapping[str, int]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    parents: defaultdict[str, list[str]] = defaultdict(list)
    children = {key: [UNKNOWN_CHILD] * count for key, count in n_children.items()}
    edges = as_lists(tables.edges)
    for parent, child, position in zip(edges["parent_id"], edges["child_id"], edges["position"], strict=True):
        parents[child].append(parent)
        if position is not None and parent in children:
            children[parent][position] = child
    return {key: tuple(parents[key]) for key in n_children}, {key: tuple(ids) for key, ids in children.items()}


def _terms(frame: pd.DataFrame) -> dict[str, tuple[Term, ...]]:
    return {
        key: tuple(Term(kind, label or "", foundation, linear, old) for _, kind, label, foundation, linear, old in rows)
        for key, rows in _grouped(frame)
    }


def _references(frame: pd.DataFrame) -> dict[str, tuple[Reference, ...]]:
    return {key: tuple(Reference(*row[1:]) for row in rows) for key, rows in _grouped(frame)}


def _axes(frame: pd.DataFrame) -> dict[str, tuple[Axis, ...]]:
    return {key: tuple(_axes_of(rows)) for key, rows in _grouped(frame)}


def _axes_of(rows: Sequence[tuple[Any, ...]]) -> Iterator[Axis]:
    """Join neighbouring rows of one axis; a row without a scale is an axis of its own."""

    def axis_of(numbered: tuple[int, tuple[Any, ...]]) -> tuple[Any, ...]:
        number, (_, axis, required, multiple, scale) = numbered
        return axis, required, multiple, number if scale is None else None

    for (axis, required, multiple, alone), same in groupby(enumerate(rows), key=axis_of):
        scales = () if alone is not None else tuple(row[-1] for _, row in same)
        yield Axis(axis, required, multiple, scales)


def _grouped(frame: pd.DataFrame) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    rows = zip(*as_lists(frame).values(), strict=True)
    return ((key, list(same)) for key, same in groupby(rows, key=lambda row: row[0]))
