"""Cut a branch out of loaded tables, as if it had been loaded alone; rebuild the graph that tables were made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from icdframes.errors import EntityNotFoundError
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import TABLES, as_lists, translatable_columns
from icdframes.model.entity import Axis, Entity, EntityGraph, Reference, Term

UNKNOWN_CHILD = "unknown"
"""Stands in ``child_ids`` for a child that is counted but was not loaded; it is no key of the graph."""

_FIELDS = frozenset(field.name for field in fields(Entity)) - {"entity_id"}


_DETAILS = tuple(name for name in TABLES if name != "entities")


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


def subset_tables(tables: EntityTables, root_id: str | None, depth: int | None = None) -> EntityTables:
    """Return the tables of one branch.

    Parameters
    ----------
    tables : EntityTables
        A whole classification, completely loaded; nothing stands above its roots.
    root_id : str or None
        Entity id of the branch, or several with commas between; None keeps all roots, for the first levels of
        everything.
    depth : int, optional
        Levels below the root; None for all.

    Returns
    -------
    EntityTables
        What loading that branch gives: depth counted from its root, and no position
        under parents that lie outside of it.

    Raises
    ------
    EntityNotFoundError
        If the tables have no such entity.

    """
    provenance = replace(tables.provenance, root=root_id, depth=depth)
    root_ids = root_id.split(",") if root_id else []
    has_one_parent_each = tables.edges["child_id"].is_unique  # also where somebody has changed the tables
    if len(root_ids) <= 1 and has_one_parent_each and is_tree(tables.entities, len(tables.edges)):
        entities = cut_rows(tables.entities, root_id, depth, provenance)
        return replace(tables, entities=entities, **_details_of(tables, entities, provenance), provenance=provenance)
    chapters = chapters_from_tables(tables)
    if root_ids:
        columns = as_lists(tables.entities.loc[tables.entities["entity_id"].isin(root_ids), ["entity_id", "chapter"]])
        found = dict(zip(columns["entity_id"], columns["chapter"], strict=True))
        if unknown := [key for key in root_ids if key not in found]:
            raise _no_entity(unknown[0])
        chapters = {key: found[key] for key in root_ids}
    kept = _within(tables, tuple(chapters), depth)
    part = replace(tables, **frames_of(tables, kept))
    return build_tables(
        entities_from_tables(part, roots=tuple(chapters)),
        provenance,
        chapters=chapters,
        translations=translations_from_tables(part),
        include=tables.provenance.include,
    )


def frames_of(
    tables: EntityTables, ids: Collection[str] | pd.Series, names: Collection[str] = tuple(TABLES)
) -> dict[str, Any]:
    """Return the rows of all or some tables that belong to some entities; of the edges, those that lead there."""
    keys = dict.fromkeys(names, "entity_id") | {"edges": "child_id"}
    return {name: frame[frame[keys[name]].isin(ids)] for name, frame in tables.frames.items() if name in names}


def is_tree(entities: pd.DataFrame, n_edges: int | None) -> bool:
    """Return whether nothing has two parents or stands above a root, so that a branch is some neighbouring rows.

    Parameters
    ----------
    entities : pandas.DataFrame
        The entities of a whole classification, as a load made them.
    n_edges : int or None
        Rows of its edges, among which each entity below a root has one at least; None where that is not known.

    """
    return n_edges == np.count_nonzero(entities["depth"] > 0)


def cut_rows(entities: pd.DataFrame, root_id: str | None, depth: int | None, provenance: Provenance) -> pd.DataFrame:
    """Return the rows of one branch of a tree.

    Parameters
    ----------
    entities : pandas.DataFrame
        The entities of a whole classification in which none has two parents (see `is_tree`).
    root_id, depth
        As for `cut_branch`.
    provenance : Provenance
        What the result says of itself.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    EntityNotFoundError
        If there is no such entity.

    """
    depths = entities["depth"].to_numpy()
    begin, end, top = 0, len(entities), 0
    if root_id is not None:
        found = np.flatnonzero(entities["entity_id"] == root_id)
        if not len(found):
            raise _no_entity(root_id)
        begin, top = found[0], depths[found[0]]
        above = np.flatnonzero(depths[begin + 1 :] <= top)
        end = begin + 1 + above[0] if len(above) else end
    branch = entities.iloc[begin:end]
    if depth is not None:
        branch = branch[branch["depth"] <= top + depth]
    branch = branch.assign(depth=branch["depth"] - top).reset_index(drop=True)
    branch.attrs = {"provenance": provenance.to_dict()}
    return branch


def _details_of(tables: EntityTables, entities: pd.DataFrame, provenance: Provenance) -> dict[str, Any]:
    """Return what belongs to the rows of a branch; no place under a parent outside of it."""
    ids = entities["entity_id"]
    found = frames_of(tables, ids, _DETAILS)
    edges = found["edges"]
    found["edges"] = edges.assign(position=edges["position"].where(edges["parent_id"].isin(ids)))
    frames = {name: frame.reset_index(drop=True) for name, frame in found.items()}
    for frame in frames.values():
        frame.attrs = {"provenance": provenance.to_dict()}
    return frames


def _no_entity(root_id: str) -> EntityNotFoundError:
    return EntityNotFoundError(f"The loaded tables have no entity {root_id!r}: give the id of one of theirs.")


def _within(tables: EntityTables, roots: tuple[str, ...], depth: int | None) -> set[str]:
    children: defaultdict[str, list[str]] = defaultdict(list)
    inner = as_lists(tables.edges[tables.edges["position"].notna()])
    for parent, child in zip(inner["parent_id"], inner["child_id"], strict=True):
        children[parent].append(child)
    met = set(roots)
    level = list(roots)
    steps = 0
    while level and (depth is None or steps < depth):
        level = list(dict.fromkeys(child for parent in level for child in children[parent] if child not in met))
        met.update(level)
        steps += 1
    return met
