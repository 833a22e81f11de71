"""The entities that a walk found, their order and depth, the same in whatever order they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from icdframes.errors import TraversalError
from icdframes.model.entity import Entity


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entity stands in the tabular list."""

    entity_id: str
    parent_id: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class EntityGraph:
    """Entities below some roots, with every link between them.

    Attributes
    ----------
    roots : tuple of str
        Entity ids at depth 0, in order.
    entities : Mapping of str to Entity
        Each distinct entity once.
    failures : Mapping of str to Exception
        Entities that could not be loaded, and why.

    """

    roots: tuple[str, ...]
    entities: Mapping[str, Entity]
    failures: Mapping[str, Exception] = field(default_factory=dict)

    def first_cause(self) -> Exception | None:
        """Return the first failure that is not merely "not asked for", since another failure ended the walk."""
        causes = [error for error in self.failures.values() if not isinstance(error, TraversalError)]
        return next(iter([*causes, *self.failures.values()]), None)

    def depths(self) -> dict[str, int]:
        """Return the shortest distance of each entity from the roots."""
        found = {root: 0 for root in self.roots if root in self.entities}
        queue = deque(found)
        while queue:
            entity_id = queue.popleft()
            for child in self.entities[entity_id].child_ids:
                if child not in found and child in self.entities:
                    found[child] = found[entity_id] + 1
                    queue.append(child)
        return found

    def tabular_list(self) -> Iterator[Place]:
        """Return each entity once, depth first, children in API order.

        An entity with several parents stands where it is first met; its depth is
        the shortest way from a root. The parent of a root is the first that the
        API names.
        """
        depths = self.depths()
        met: set[str] = set()
        stack: list[tuple[str, str | None]] = [(root, None) for root in reversed(self.roots)]
        while stack:
            entity_id, parent_id = stack.pop()
            if entity_id in met or entity_id not in self.entities:
                continue
            met.add(entity_id)
            entity = self.entities[entity_id]
            if parent_id is None and entity.parent_ids:
                parent_id = entity.parent_ids[0]
            yield Place(entity_id, parent_id, depths[entity_id])
            stack.extend((child, entity_id) for child in reversed(entity.child_ids))

    def cycles(self) -> list[tuple[str, str]]:
        """Return the (parent, child) links that close a circle, in tabular order."""
        open_now: set[str] = set()
        done: set[str] = set()
        closing: list[tuple[str, str]] = []
        for root in self.roots:
            if root in done or root not in self.entities:
                continue
            open_now.add(root)
            stack = [(root, iter(self.entities[root].child_ids))]
            while stack:
                parent, children = stack[-1]
                child = next(children, None)
                if child is None:
                    stack.pop()
                    open_now.discard(parent)
                    done.add(parent)
                elif child in open_now:
                    closing.append((parent, child))
                elif child in self.entities and child not in done:
                    open_now.add(child)
                    stack.append((child, iter(self.entities[child].child_ids)))
        return closing
