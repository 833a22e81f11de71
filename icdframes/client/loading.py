"""The chapter in which each root of a walk lies: upwards from the root; what cannot be had is told, not raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from icdframes import __version__
from icdframes.client.endpoints import Classification, Coding
from icdframes.client.load_report import first_of_each, raise_if_nothing, report_failures, warn_of_cycles
from icdframes.client.load_request import LoadRequest
from icdframes.client.references import EntityReference, Resolver
from icdframes.client.releases import Releases, check_languages
from icdframes.errors import IcdError
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.frames.snapshots import SnapshotKey, SnapshotStore
from icdframes.model.entity import Entity, TopLevel
from icdframes.model.graph import EntityGraph
from icdframes.progress import progress_bar
from icdframes.walk import Progress, walk

if TYPE_CHECKING:
    import pandas as pd


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


@dataclass(frozen=True, slots=True)
class Scope:
    """A question pinned to one release and one root."""

    release: str | None
    top: TopLevel
    root_id: str | None


class Loader:
    """Answers questions about one classification of one server.

    Parameters
    ----------
    classification : Classification
        Where entities come from.
    kept : Classification
        The same, from the cache only.
    coding : Coding or None
        Turns codes into ids; None where there are no codes.
    snapshots : SnapshotStore
        Finished tables on disk.
    base_url, max_workers
        Of the client.
    cached : callable
        Gives the number of answers from the cache so far.

    """

    def __init__(
        self,
        classification: Classification,
        kept: Classification,
        coding: Coding | None,
        snapshots: SnapshotStore,
        *,
        base_url: str,
        max_workers: int,
        cached: Callable[[], int],
    ) -> None:
        self.releases = Releases(classification, base_url)
        self._source = classification
        self._kept = kept
        self._coding = coding
        self._snapshots = snapshots
        self._base_url = base_url
        self._max_workers = max_workers
        self._cached = cached

    def load(self, request: LoadRequest) -> EntityTables:
        """Give the tables of a question, from a snapshot where there is one."""
        scope = self.scope(request)
        key = self._key(request, scope.release, scope.root_id)
        kept = self._snapshots.covering(key) if key and not request.refresh else None
        return self._fetched(request, scope, key) if kept is None else kept

    def load_entities(self, request: LoadRequest) -> pd.DataFrame:
        """Give the first table alone; of a snapshot only that one is read."""
        scope = self.scope(request)
        key = self._key(request, scope.release, scope.root_id)
        kept = self._snapshots.covering_entities(key) if key and not request.refresh else None
        return self._fetched(request, scope, key).entities if kept is None else kept

    def _fetched(self, request: LoadRequest, scope: Scope, key: SnapshotKey | None) -> EntityTables:
        graphs = {language: self._walk(request, scope, language) for language in request.languages}
        first = graphs[request.languages[0]]
        chapters, lost = self._chapters(first, scope)
        failures = first_of_each(*(graph.failures for graph in graphs.values()), lost)
        tables = self._build(request, scope, graphs, chapters, failures)
        warn_of_cycles(first)
        if failures:
            report_failures(failures, tables, request)
        elif key:
            self._snapshots.save(key, tables)
        return tables

    def scope(self, request: LoadRequest) -> Scope:
        """Pin the release, check the languages, find the root."""
        top = self.releases.top_level(request.release, refresh=request.refresh)
        check_languages(request.languages, top)
        return Scope(
            top.release, top, self._root_id(request, request.reference, top.release) if request.reference else None
        )

    def _root_id(self, request: LoadRequest, reference: EntityReference, release: str | None) -> str:
        """Find the root in a snapshot of everything if there is one, else ask."""
        key = self._key(request, release)
        if reference.kind == "code" and key and not request.refresh:
            found = self._snapshots.entity_of_code(key, reference.text)
            if found:
                return found
        return Resolver(self._source, self._coding, release).entity_id(reference)

    def _key(self, request: LoadRequest, release: str | None, root_id: str | None = None) -> SnapshotKey | None:
        if release is None:
            return None
        return SnapshotKey(
            server=self._base_url,
            classification=self._source.name,
            release=release,
            languages=request.languages,
            root=root_id,
            depth=request.depth,
            include=request.include,
        )

    def _walk(self, request: LoadRequest, scope: Scope, language: str) -> EntityGraph:
        roots = (scope.root_id,) if scope.root_id else scope.top.child_ids
        has_include = self._source.name != "icd10"
        extra = request.include if has_include else ()
        of_roots = (*(("ancestor", "descendant") if has_include else ()), *extra)

        def fetch(source: Classification, entity_id: str, include: tuple[str, ...]) -> Entity:
            return source.entity(entity_id, scope.release, language=language, include=include, refresh=request.refresh)

        def kept(entity_id: str, include: tuple[str, ...]) -> Entity | None:
            if not request.refresh:
                with suppress(IcdError):
                    return fetch(self._kept, entity_id, include)
            return None

        before = self._cached()
        label = f"{self._source.name} {scope.release or ''} {language}".replace("  ", " ")
        with progress_bar(label, show=request.progress) as report:

            def tell(progress: Progress, expected: int = 0) -> None:
                report(progress.done, max(progress.known, expected), self._cached() - before)

            first = walk(
                roots,
                lambda entity_id: fetch(self._source, entity_id, of_roots),
                depth=0,
                max_workers=self._max_workers,
                lookup_cached=lambda entity_id: kept(entity_id, of_roots),
                on_progress=tell,
            )
            if language == request.languages[0]:
                raise_if_nothing(first, request)
            if request.depth == 0:
                return first
            below = {child for entity in first.entities.values() for child in entity.descendant_ids or ()}
            expected = len(below | set(roots)) if request.depth is None else 0
            return walk(
                roots,
                lambda entity_id: _once_more(first, entity_id) or fetch(self._source, entity_id, extra),
                depth=request.depth,
                max_workers=self._max_workers,
                lookup_cached=lambda entity_id: first.entities.get(entity_id) or kept(entity_id, extra),
                on_progress=lambda progress: tell(progress, expected),
            )

    def _build(
        self,
        request: LoadRequest,
        scope: Scope,
        graphs: Mapping[str, EntityGraph],
        chapters: Mapping[str, str | None],
        failures: Mapping[str, Exception],
    ) -> EntityTables:
        first, *others = request.languages
        provenance = Provenance(
            server=self._base_url,
            classification=self._source.name,
            release=scope.release,
            languages=request.languages,
            root=scope.root_id,
            depth=request.depth,
            include=request.include,
            retrieved_at=utc_text(datetime.now(UTC)),
            package_version=__version__,
        )
        return build_tables(
            replace(graphs[first], failures=failures),
            provenance,
            chapters=chapters,
            translations={language: graphs[language].entities for language in others},
            include=request.include,
        )

    def _chapters(self, graph: EntityGraph, scope: Scope) -> tuple[dict[str, str | None], dict[str, Exception]]:
        """Give the chapters of the roots, and what failed on the way there; a foundation entity lies in none."""
        if self._source.name == "foundation":
            return dict.fromkeys(graph.roots), {}
        return chapters_of(graph, lambda entity_id: self._source.entity(entity_id, scope.release))


def _once_more(first: EntityGraph, entity_id: str) -> Entity | None:
    """Raise the failure of a root again instead of asking for it twice."""
    if entity_id in first.failures:
        raise first.failures[entity_id]
    return None
