"""Walk one language of a classification over the API, and report what a walk did not find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from icdframes.client.endpoints import Classification
from icdframes.client.query_scope import LoadRequest, QueryScope
from icdframes.errors import (
    EntityNotFoundError,
    HierarchyWarning,
    IcdError,
    PartialResultWarning,
    Remedy,
    TraversalError,
    UnknownLanguageError,
    warn,
)
from icdframes.frames.entity_tables import EntityTables
from icdframes.model.entity import Entity, EntityGraph
from icdframes.progress import progress_bar
from icdframes.walk import Progress, walk

_SHOWN_FAILURES = 3


@dataclass(frozen=True, slots=True)
class EntityReader:
    """Read the entities of one release in one language, from the server or from the cache alone.

    Attributes
    ----------
    scope : QueryScope
        Classification and release.
    cached_source : Classification
        The same classification, answered from the cache only.
    language : str
        Of the texts.

    """

    scope: QueryScope
    cached_source: Classification
    language: str

    def fetch(self, entity_id: str, include: tuple[str, ...] = ()) -> Entity:
        """Return an entity; one request, none where the answer is in the cache."""
        return self._read(self.scope.source, entity_id, include)

    def lookup_cached(self, entity_id: str, include: tuple[str, ...] = ()) -> Entity | None:
        """Return an entity that is in the cache, or None."""
        if not self.scope.refresh:
            with suppress(IcdError):
                return self._read(self.cached_source, entity_id, include)
        return None

    def _read(self, source: Classification, entity_id: str, include: tuple[str, ...]) -> Entity:
        return source.entity(
            entity_id, self.scope.release, language=self.language, include=include, refresh=self.scope.refresh
        )


def walk_language(
    reader: EntityReader,
    roots: tuple[str, ...],
    request: LoadRequest,
    *,
    max_workers: int,
    keep: Callable[[Entity], Entity],
    count_cached: Callable[[], int],
    note: Callable[[], str] = lambda: "",
) -> EntityGraph:
    """Fetch the roots and everything below them in one language.

    The roots are asked for with their descendants first, so that the progress bar has a true total.

    Parameters
    ----------
    reader : EntityReader
        Where entities come from.
    roots : tuple of str
        Entity ids at depth 0.
    request : LoadRequest
        Depth, what to include, whether to show a bar.
    max_workers : int
        Requests under way at the same time.
    keep : callable
        Returns what the graph keeps of an entity; called once for each.
    count_cached : callable
        Returns the number of answers from the cache so far.
    note : callable
        Returns what the progress bar says while the server is out.

    Raises
    ------
    IcdError
        Where not even a root of the first language could be fetched.

    """
    has_include = request.classification != "icd10"
    extra = request.include if has_include else ()
    of_roots = (*(("ancestor", "descendant") if has_include else ()), *extra)
    label = " ".join(filter(None, (request.classification, reader.scope.release, reader.language)))
    before = count_cached()
    with progress_bar(label, show=request.progress) as report:

        def tell(progress: Progress, expected: int = 0) -> None:
            report(progress.done, max(progress.known, expected), count_cached() - before, note())

        first = walk(
            roots,
            lambda entity_id: reader.fetch(entity_id, of_roots),
            depth=0,
            max_workers=max_workers,
            lookup_cached=lambda entity_id: reader.lookup_cached(entity_id, of_roots),
            on_progress=tell,
        )
        if reader.language == request.languages[0]:
            raise_if_nothing(first, request)
        if request.depth == 0:
            return replace(first, entities={entity_id: keep(entity) for entity_id, entity in first.entities.items()})
        below = [child for entity in first.entities.values() for child in entity.descendant_ids or ()]
        ahead = below if request.depth is None else []
        expected = len({*below, *roots}) if request.depth is None else 0
        return walk(
            roots,
            lambda entity_id: _raise_again(first, entity_id) or reader.fetch(entity_id, extra),
            depth=request.depth,
            max_workers=max_workers,
            spare_workers=max_workers,
            expected=ahead,
            keep=keep,
            lookup_cached=lambda entity_id: first.entities.get(entity_id) or reader.lookup_cached(entity_id, extra),
            on_progress=lambda progress: tell(progress, expected),
        )


def chapters_of(
    graph: EntityGraph, fetch: Callable[[str], Entity]
) -> tuple[dict[str, str | None], dict[str, Exception]]:
    """Return the code of the chapter of each root, and the entities above it that could not be fetched.

    Parameters
    ----------
    graph : EntityGraph
        What a walk found.
    fetch : callable
        Returns the entity with an id. An `IcdError` of it costs the chapter, not the walk.

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


def _raise_again(first: EntityGraph, entity_id: str) -> Entity | None:
    """Raise the failure of a root again instead of asking for it twice."""
    if entity_id in first.failures:
        raise first.failures[entity_id]
    return None


def raise_if_nothing(found: EntityGraph, request: LoadRequest) -> None:
    """Raise the error of the first root where no root could be fetched."""
    error = found.first_cause()
    if found.entities or error is None:
        return
    where, language = " ".join(filter(None, (request.classification, request.release))), request.languages[0]
    if isinstance(error, EntityNotFoundError) and request.references:
        named = ", ".join(repr(reference.text) for reference in request.references[:_SHOWN_FAILURES])
        foreign = "" if language == "en" else f" and the language {language!r}"
        raise EntityNotFoundError(
            f"No entity {named} in {where}: check the id{foreign}, "
            "or try another release or the classification 'foundation'."
        ) from None
    if isinstance(error, EntityNotFoundError) and language != "en":
        raise UnknownLanguageError(f"{where} is not available in {language!r}: try the language 'en'.") from None
    raise error


def first_of_each(*failures: Mapping[str, Exception]) -> dict[str, Exception]:
    """Return all failures in their order; of an entity that failed several times, the first."""
    found: dict[str, Exception] = {}
    for some in failures:
        for entity_id, error in some.items():
            found.setdefault(entity_id, error)
    return found


def warn_of_cycles(graph: EntityGraph) -> None:
    """Warn where an entity is below itself."""
    circles = graph.cycles()
    if circles:
        shown = ", ".join(f"{child} is below itself through {parent}" for parent, child in circles[:_SHOWN_FAILURES])
        warn(
            f"The hierarchy has {len(circles)} circle(s): {shown}. Each entity stands in the tables once.",
            HierarchyWarning,
        )


def report_failures(failures: Mapping[str, Exception], tables: EntityTables, request: LoadRequest) -> None:
    """Raise or warn, as the request wants, with what could not be loaded and the tables so far."""
    shown = "; ".join(f"{entity_id}: {error}" for entity_id, error in list(failures.items())[:_SHOWN_FAILURES])
    more = "" if len(failures) <= _SHOWN_FAILURES else f"; and {len(failures) - _SHOWN_FAILURES} more"
    message = (
        f"{len(failures)} entities could not be loaded, {len(tables.entities)} could ({shown}{more}). "
        "What was fetched is in the cache"
    )
    again = "run it again to ask only for the rest"
    if request.on_error == "raise":
        raise TraversalError(
            message,
            failures=failures,
            tables=tables,
            remedy=Remedy(
                f"{again}, or give on_error='warn'. The tables so far are in the error's attribute 'tables'", again
            ),
        )
    warn(message, PartialResultWarning, remedy=Remedy(f"{again}. The failures are in tables.failures", again))


def warn_of_missing_chapters(lost: Mapping[str, Exception]) -> None:
    """Warn where an ancestor could not be fetched, so that the column ``chapter`` is missing."""
    shown = "; ".join(f"{entity_id}: {error}" for entity_id, error in list(lost.items())[:_SHOWN_FAILURES])
    warn(
        f"The chapter could not be found, because {len(lost)} ancestor(s) could not be loaded ({shown}). The rows are "
        "complete, 'chapter' is missing; run it again later to fill it.",
        PartialResultWarning,
    )
