"""Cut a branch out of loaded tables, as if it had been loaded alone; it fetches nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from icdframes.errors import EntityNotFoundError
from icdframes.frames.build import build_tables
from icdframes.frames.revive import chapters_from_tables, entities_from_tables, translations_from_tables
from icdframes.frames.schema import as_lists
from icdframes.frames.tables import EntityTables


def cut_branch(tables: EntityTables, root_id: str | None, depth: int | None = None) -> EntityTables:
    """Give the tables of one branch.

    Parameters
    ----------
    tables : EntityTables
        A whole classification, completely loaded; nothing stands above its roots.
    root_id : str or None
        Entity id of the branch; None keeps all roots, for the first levels of everything.
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
    chapters = chapters_from_tables(tables)
    if root_id is not None:
        row = tables.entities.loc[tables.entities["entity_id"] == root_id, ["entity_id", "chapter"]]
        if row.empty:
            raise EntityNotFoundError(f"The loaded tables have no entity {root_id!r}.")
        columns = as_lists(row)
        chapters = dict(zip(columns["entity_id"], columns["chapter"], strict=True))
    kept = _within(tables, tuple(chapters), depth)
    part = replace(
        tables,
        entities=tables.entities[tables.entities["entity_id"].isin(kept)],
        edges=tables.edges[tables.edges["child_id"].isin(kept)],
        terms=tables.terms[tables.terms["entity_id"].isin(kept)],
        references=tables.references[tables.references["entity_id"].isin(kept)],
        axes=tables.axes[tables.axes["entity_id"].isin(kept)],
    )
    return build_tables(
        entities_from_tables(part, roots=tuple(chapters)),
        replace(tables.provenance, root=root_id, depth=depth),
        chapters=chapters,
        translations=translations_from_tables(part),
        include=tables.provenance.include,
    )


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
