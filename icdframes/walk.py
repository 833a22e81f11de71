"""Concurrent traversal over a ``fetch`` callable; it never sees HTTP, files or tables."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic

from icdframes.errors import (
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    IcdError,
    OfflineMissError,
    TraversalError,
)
from icdframes.model.entity import Entity
from icdframes.model.graph import EntityGraph

Fetch = Callable[[str], Entity]

_HOPELESS = (CredentialsRejectedError, CredentialsUnavailableError)
_LEAVE_SECONDS = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a walk is.

    Attributes
    ----------
    done : int
        Entities that were had, or that failed for good.
    known : int
        Entities that the walk knows of so far.

    """

    done: int
    known: int


def walk(
    roots: Iterable[str],
    fetch: Fetch,
    *,
    depth: int | None = None,
    max_workers: int = 8,
    fetched: Mapping[str, Entity] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> EntityGraph:
    """Fetch the roots and everything below them, each entity once.

    Parameters
    ----------
    roots : iterable of str
        Entity ids at depth 0.
    fetch : callable
        Gives the entity with an id; called from several threads. An `IcdError`
        of it is a failure of that entity alone.
    depth : int, optional
        Levels below the roots, along the shortest way; None is everything.
    max_workers : int, default 8
        Threads.
    fetched : Mapping of str to Entity, optional
        Entities at hand already; they are not fetched.
    on_progress : callable, optional
        Told after every entity.

    Returns
    -------
    EntityGraph
        The same for any order in which the answers come. ``failures`` holds the
        entities that could not be had. Where the credentials are refused, or
        where failures follow one another without a success between, the walk
        ends early, and what was not asked for any more is a failure too.

    """
    order = tuple(dict.fromkeys(roots))
    at_hand = fetched or {}
    frontier = _Frontier(depth)
    failures: dict[str, Exception] = {}
    waiting: set[str] = set()
    patience = _Patience(2 * max_workers)
    crew = _Crew(fetch, max_workers)

    def ask(entity_ids: Iterator[str]) -> None:
        for entity_id in entity_ids:
            if entity_id in at_hand:
                ask(frontier.arrived(entity_id, at_hand[entity_id]))
            else:
                waiting.add(entity_id)
                crew.ask(entity_id)

    try:
        ask(frontier.discover(order, 0))
        while waiting:
            entity_id, answer = crew.answer()
            waiting.discard(entity_id)
            if isinstance(answer, Entity):
                ask(frontier.arrived(entity_id, answer))
            elif isinstance(answer, IcdError):
                failures[entity_id] = answer
            else:
                raise answer
            if patience.ends_with(answer):
                _log.warning("walk ended early, %d entities not asked for", len(waiting))
                failures.update(
                    dict.fromkeys(waiting, TraversalError("Not asked for: the walk had ended.", failures={}))
                )
                break
            if on_progress:
                done = len(frontier.entities) + len(failures)
                on_progress(Progress(done, done + len(waiting)))
    finally:
        crew.leave()
    return EntityGraph(order, frontier.entities, dict(sorted(failures.items())))


class _Frontier:
    """What is known of the graph; keeps the shortest depth where there is a limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.entities: dict[str, Entity] = {}
        self._depths: dict[str, int] = {}

    def discover(self, entity_ids: Iterable[str], depth: int) -> Iterator[str]:
        """Give those that must be asked for; what is at hand is followed at once."""
        stack = [(entity_id, depth) for entity_id in entity_ids][::-1]
        while stack:
            entity_id, depth = stack.pop()
            known = self._depths.get(entity_id)
            if known is not None and (self.limit is None or known <= depth):
                continue
            if self.limit is not None and depth > self.limit:
                continue
            self._depths[entity_id] = depth
            if entity_id in self.entities:
                stack.extend((child, depth + 1) for child in reversed(self.entities[entity_id].child_ids))
            elif known is None:
                yield entity_id

    def arrived(self, entity_id: str, entity: Entity) -> Iterator[str]:
        """Keep an entity and give what must be asked for next."""
        self.entities[entity_id] = entity
        yield from self.discover(entity.child_ids, self._depths[entity_id] + 1)


class _Patience:
    """Tells when going on is hopeless: credentials refused, or nothing but failures."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_a_row = 0

    def ends_with(self, answer: Entity | Exception) -> bool:
        if isinstance(answer, _HOPELESS):
            return True
        harmless = isinstance(answer, Entity | EntityNotFoundError | OfflineMissError)
        self._in_a_row = 0 if harmless else self._in_a_row + 1
        return self._in_a_row >= self._limit


class _Crew:
    """Threads that fetch what they are asked for; only a little is queued with them at a time."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self._backlog: deque[str] = deque()
        self._room = 2 * size
        self._asked: SimpleQueue[str | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[str, Entity | Exception]] = SimpleQueue()
        self._leaving = Event()
        self._threads = [
            Thread(target=self._work, name=f"icdframes-walk-{number}", daemon=True) for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, entity_id: str) -> None:
        self._backlog.append(entity_id)
        self._hand_out()

    def answer(self) -> tuple[str, Entity | Exception]:
        """Wait for the next answer."""
        answer = self._answers.get()
        self._room += 1
        self._hand_out()
        return answer

    def leave(self) -> None:
        """Drop what is queued; a request under way ends by itself."""
        self._leaving.set()
        for _ in self._threads:
            self._asked.put(None)
        end = monotonic() + _LEAVE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))

    def _hand_out(self) -> None:
        while self._backlog and self._room:
            self._room -= 1
            self._asked.put(self._backlog.popleft())

    def _work(self) -> None:
        while (entity_id := self._asked.get()) is not None and not self._leaving.is_set():
            try:
                answer: Entity | Exception = self._fetch(entity_id)
            except Exception as error:  # noqa: BLE001  what is no IcdError is raised by the calling thread
                answer = error
            self._answers.put((entity_id, answer))
