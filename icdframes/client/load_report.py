"""Report what a walk did not find: nothing at all, cycles, entities that failed, chapters that are missing."""

from __future__ import annotations

from collections.abc import Mapping

from icdframes.client.load_request import LoadRequest
from icdframes.errors import (
    EntityNotFoundError,
    HierarchyWarning,
    PartialResultWarning,
    Remedy,
    TraversalError,
    UnknownLanguageError,
    warn,
)
from icdframes.frames.entity_tables import EntityTables
from icdframes.model.graph import EntityGraph

_SHOWN_FAILURES = 3


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
