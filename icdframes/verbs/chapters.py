"""The chapter in which each root of a walk lies: upwards from the root; what cannot be had is told, not raised."""

from __future__ import annotations

from collections.abc import Callable

from icdframes.errors import IcdError
from icdframes.model.entity import Entity
from icdframes.model.graph import EntityGraph


def chapters_of(
    graph: EntityGraph, fetch: Callable[[str], Entity]
) -> tuple[dict[str, str | None], dict[str, Exception]]:
    """Give the code of the chapter of each root, and the entities above it that could not be had.

    Parameters
    ----------
    graph : EntityGraph
        What a walk found.
    fetch : callable
        Gives the entity with an id. An `IcdError` of it costs the chapter, not the walk.

    """
    lost: dict[str, Exception] = {}

    def above(entity_id: str) -> Entity | None:
        try:
            return fetch(entity_id)
        except IcdError as error:
            lost[entity_id] = error
            return None

    found = {root: _chapter(graph.entities[root], above) for root in graph.roots if root in graph.entities}
    return found, lost


def _chapter(root: Entity, above: Callable[[str], Entity | None]) -> str | None:
    met: set[str] = set()
    entity: Entity | None = root
    while entity is not None and entity.class_kind != "chapter":
        met.add(entity.entity_id)
        nearest = (entity.ancestor_ids or ())[-1:] or entity.parent_ids[:1]
        entity = above(nearest[0]) if nearest and nearest[0] not in met else None
    return entity.code if entity else None
