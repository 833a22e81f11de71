"""What a walk did not bring, told: nothing at all, a circle, some entities that failed."""

from __future__ import annotations

from collections.abc import Mapping

from icdframes.client.load_request import LoadRequest
from icdframes.errors import (
    EntityNotFoundError,
    HierarchyWarning,
    PartialResultWarning,
    TraversalError,
    UnknownLanguageError,
    warn,
)
from icdframes.frames.entity_tables import EntityTables
from icdframes.model.graph import EntityGraph

_SHOWN_FAILURES = 3


def raise_if_nothing(found: EntityGraph, request: LoadRequest) -> None:
    """Where not even a root could be had, its own error says it best."""
    error = found.first_cause()
    if found.entities or error is None:
        return
    where, language = " ".join(filter(None, (request.classification, request.release))), request.languages[0]
    if isinstance(error, EntityNotFoundError) and request.reference:
        foreign = "" if language == "en" else f" and the language {language!r}"
        raise EntityNotFoundError(
            f"No entity {request.reference.text!r} in {where}: check the id{foreign}, "
            "or try another release or classification='foundation'."
        ) from None
    if isinstance(error, EntityNotFoundError) and language != "en":
        raise UnknownLanguageError(f"{where} cannot be had in {language!r}: try language='en'.") from None
    raise error


def first_of_each(*failures: Mapping[str, Exception]) -> dict[str, Exception]:
    """Give all failures in their order; where an entity failed several times, the first."""
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
    """Raise or warn, as the question wants, with what could not be had and the tables so far."""
    shown = "; ".join(f"{entity_id}: {error}" for entity_id, error in list(failures.items())[:_SHOWN_FAILURES])
    more = "" if len(failures) <= _SHOWN_FAILURES else f"; and {len(failures) - _SHOWN_FAILURES} more"
    message = (
        f"{len(failures)} entities could not be loaded, {len(tables.entities)} could ({shown}{more}). "
        "What was fetched is in the cache: run it again to ask only for the rest"
    )
    if request.on_error == "raise":
        raise TraversalError(
            f"{message}, or give on_error='warn'. The tables so far are in the error's attribute 'tables'.",
            failures=failures,
            tables=tables,
        )
    warn(f"{message}. The failures are in tables.failures.", PartialResultWarning)
