"""Read one level of a classification at a time, from a client or from loaded tables."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from icdframes.errors import EntityNotFoundError
from icdframes.frames.schema import as_lists
from icdframes.frames.subset import UNKNOWN_CHILD, entities_from_tables, frames_of, subset_tables
from icdframes.model.decode import parse_top_level
from icdframes.model.entity import Entity, EntityGraph
from icdframes.model.uris import EntityUri
from icdframes.walk import Progress, walk

if TYPE_CHECKING:
    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Level:
    """The children of an entity.

    Attributes
    ----------
    entities : tuple of Entity
        Those that could be loaded, in order.
    problem : str
        Why some are missing; empty where none are.

    """

    entities: tuple[Entity, ...]
    problem: str = ""


class Levels(Protocol):
    """Where a tree gets its entities."""

    classification: str
    is_local: bool  # everything is at hand without a request

    @property
    def release(self) -> str | None:
        """Release id."""

    @property
    def here(self) -> str:
        """Where something is that is found: "in MMS 2024-01"."""

    @property
    def note(self) -> str:
        """What a reader must know of where it comes from; empty where there is nothing."""

    def top(self) -> Level:
        """Return the entities at depth 0."""

    def below(self, entity: Entity, report: Report) -> Level:
        """Return the children of an entity."""

    def entity(self, name: str) -> Entity:
        """Return the entity with an id, code or URI."""

    def some(self, ids: Sequence[str]) -> Level:
        """Return the entities with these ids, as far as they are there."""

    def load(self, entity_id: str) -> EntityTables:
        """Load a branch."""


def trail(levels: Levels, entity: Entity, roots: Iterable[str]) -> tuple[Entity, ...]:
    """Return the way from a root down to an entity, the shortest one where there are several.

    Raises
    ------
    EntityNotFoundError
        If no way leads there.

    """
    tops = set(roots)
    queue: deque[tuple[Entity, ...]] = deque([(entity,)])
    met = {entity.entity_id}
    while queue:
        way = queue.popleft()
        if way[0].entity_id in tops:
            return way
        for parent_id in way[0].parent_ids:
            if parent_id not in met:
                met.add(parent_id)
                try:
                    queue.append((levels.entity(parent_id), *way))
                except EntityNotFoundError:
                    continue
    raise EntityNotFoundError(
        f"{entity.code or entity.entity_id} is not below what this tree shows: choose another, or open a tree of "
        "the whole classification."
    )


class ClientLevels:
    """Levels from a server or its cache.

    Parameters
    ----------
    client : IcdClient
        Asked for one level at a time; what it gave is kept while the tree is there.
    classification, release, language
        As `icdframes.load_entity`.

    """

    is_local = False

    def __init__(self, client: IcdClient, classification: str, release: str | None, language: str) -> None:
        self.classification = classification
        self.release = release
        self._client = client
        self._language = language
        self._known: dict[str, Entity] = {}

    def top(self) -> Level:
        """Return the chapters; the newest release is settled here.

        Raises
        ------
        IcdError
            If none can be loaded.

        """
        release = self.release or self._client.newest_release(self.classification)
        self._client.languages(self.classification, release=release)  # says which releases there are
        self.release = release
        linear = self.classification != "foundation"
        uri = EntityUri(self.classification, release if linear else None, None)
        marked = {} if linear or release is None else {"releaseId": release}
        ids = parse_top_level(self._client.get(uri.path, **marked), asked=str(uri)).child_ids
        graph = self._walk(ids, lambda _progress: None)
        if not graph.entities and (cause := graph.first_cause()):
            raise cause
        return _level(ids, graph)

    @property
    def here(self) -> str:
        """Classification and release."""
        return f"in {' '.join(filter(None, (self.classification.upper(), self.release)))}"

    @property
    def note(self) -> str:
        """Say of the sandbox that it holds a sample."""
        return note_of(self._client, self.classification, self.release)

    def some(self, ids: Sequence[str]) -> Level:
        """Return the entities with these ids, as far as the server knows them.

        Raises
        ------
        IcdError
            If one fails for another reason than that it is not there.

        """
        graph = self._walk(list(dict.fromkeys(ids)), lambda _progress: None)
        for error in graph.failures.values():
            if not isinstance(error, EntityNotFoundError):
                raise error
        return Level(tuple(graph.entities[key] for key in dict.fromkeys(ids) if key in graph.entities))

    def below(self, entity: Entity, report: Report) -> Level:
        """Return the children of an entity, all at once by the client's workers."""
        return _level(entity.child_ids, self._walk(entity.child_ids, report))

    def entity(self, name: str) -> Entity:
        """Return the entity with an id, code or URI."""
        if name not in self._known:
            entity = self._client.entity(
                name, classification=self.classification, release=self.release, language=self._language
            )
            self._known[entity.entity_id] = entity
            return entity
        return self._known[name]

    def load(self, entity_id: str) -> EntityTables:
        """Load a branch; what is missing of it is a warning."""
        return self._client.load_tables(
            entity_id,
            classification=self.classification,
            release=self.release,
            language=self._language,
            on_error="warn",
        )

    def _walk(self, ids: Sequence[str], report: Report) -> EntityGraph:
        return walk(
            ids,
            self.entity,
            depth=0,
            max_workers=self._client.max_workers,
            lookup_cached=self._known.get,
            on_progress=report,
        )


def note_of(client: IcdClient | None, classification: str, release: str | None) -> str:
    """Return what must be said of a client's server: of the sandbox that it holds a sample."""
    if client is None or client.server.name != "sandbox":
        return ""
    from icdframes.sandbox.sample import sample_note  # noqa: PLC0415  only where the sandbox is in use

    return sample_note(classification, release)


def _level(ids: Sequence[str], graph: EntityGraph) -> Level:
    problem = next(
        (f"{len(graph.failures)} of {len(ids)} could not be loaded: {e}" for e in graph.failures.values()), ""
    )
    return Level(tuple(graph.entities[key] for key in ids if key in graph.entities), problem)


class TableLevels:
    """Levels from loaded tables, without any request.

    Parameters
    ----------
    tables : EntityTables
        What a load gave.

    """

    is_local = True
    here = "among these tables"
    note = ""

    def __init__(self, tables: EntityTables) -> None:
        self._tables = tables
        self._children: dict[str, list[str]] | None = None
        self.classification = tables.provenance.classification
        self.release = tables.provenance.release
        columns = as_lists(tables.entities[["entity_id", "code"]])
        ids = columns["entity_id"]
        self._names = {code: key for key, code in zip(ids, columns["code"], strict=True) if code}
        self._names |= {key: key for key in ids} | dict(
            zip(as_lists(tables.entities[["uri"]])["uri"], ids, strict=True)
        )

    def top(self) -> Level:
        """Return the roots of the tables."""
        roots = self._tables.entities.loc[self._tables.entities["depth"] == 0, ["entity_id"]]
        return Level(self._some(as_lists(roots)["entity_id"]))

    def below(self, entity: Entity, _report: Report) -> Level:
        """Return the children of an entity that were loaded."""
        loaded = [key for key in entity.child_ids if key != UNKNOWN_CHILD]
        missing = len(entity.child_ids) - len(loaded)
        problem = f"{missing} of {len(entity.child_ids)} were not loaded into these tables." if missing else ""
        return Level(self._some(loaded), problem)

    def entity(self, name: str) -> Entity:
        """Return the entity with an id, code or URI."""
        if name not in self._names:
            raise EntityNotFoundError(f"The loaded tables have no entity {name!r}: give one of theirs, or load more.")
        return self._some([self._names[name]])[0]

    def children(self, entity_id: str) -> list[str]:
        """Return the ids of the loaded children of an entity, in order."""
        if self._children is None:
            edges = as_lists(self._tables.edges[["parent_id", "child_id", "position"]])
            found: dict[str, list[tuple[int, str]]] = {}
            known = set(self._tables.entities["entity_id"])
            for parent, child, position in zip(*edges.values(), strict=True):
                if child in known and position is not None:
                    found.setdefault(parent, []).append((position, child))
            self._children = {parent: [child for _, child in sorted(below)] for parent, below in found.items()}
        return self._children.get(entity_id, [])

    def some(self, ids: Sequence[str]) -> Level:
        """Return those of the entities that were loaded."""
        return Level(self._some([key for key in dict.fromkeys(ids) if self._names.get(key) == key]))

    def load(self, entity_id: str) -> EntityTables:
        """Cut a branch out."""
        return subset_tables(self._tables, entity_id)

    def _some(self, ids: Sequence[str]) -> tuple[Entity, ...]:
        tables = self._tables
        edges = tables.edges
        around = edges[edges["parent_id"].isin(ids) | edges["child_id"].isin(ids)]
        entities = entities_from_tables(replace(tables, **frames_of(tables, ids) | {"edges": around})).entities
        return tuple(entities[key] for key in ids)
