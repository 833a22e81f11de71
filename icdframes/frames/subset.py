"""Cut a branch out of loaded tables, as if it had been loaded alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from icdframes.errors import EntityNotFoundError
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.from_tables import chapters_from_tables, entities_from_tables, translations_from_tables
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import TABLES, as_lists

_DETAILS = tuple(name for name in TABLES if name != "entities")


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
    if len(root_ids) <= 1 and is_tree(tables.entities, tables.edges["child_id"]):
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


def is_tree(entities: pd.DataFrame, child_ids: pd.Series) -> bool:
    """Return whether nothing has two parents or stands above a root, so that a branch is some neighbouring rows.

    Parameters
    ----------
    entities : pandas.DataFrame
        The entities of a whole classification.
    child_ids : pandas.Series
        That column of its edges.

    """
    return child_ids.is_unique and len(child_ids) == int((entities["depth"] > 0).sum())


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
