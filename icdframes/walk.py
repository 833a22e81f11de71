"""Traverse a hierarchy concurrently over a ``fetch`` callable, each entity once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

from icdframes.errors import (
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    IcdError,
    OfflineMissError,
    TraversalError,
    may_pass,
)
from icdframes.model.entity import Entity, EntityGraph, garbage_collection_paused
from icdframes.worker_pool import WorkerPool

Fetch = Callable[[str], Entity]

_TOLD_EVERY = 100
_FEWEST_FAILURES = 16
_REFUND = 0.25
_REFUSALS = 4
_LONGEST_DROUGHT = 600.0
_TELL_SECONDS = 1.0
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
    spare_workers: int = 0,
    expected: Iterable[str] = (),
    keep: Callable[[Entity], Entity] = lambda entity: entity,
    lookup_cached: Callable[[str], Entity | None] = lambda _entity_id: None,
    on_progress: Callable[[Progress], None] | None = None,
) -> EntityGraph:
    """Fetch the roots and everything below them, each entity once.

    Parameters
    ----------
    roots : iterable of str
        Entity ids at depth 0.
    fetch : callable
        Returns the entity with an id; called from several threads. An `IcdError`
        of it is a failure of that entity alone.
    depth : int, optional
        Levels below the roots, along the shortest way; None is everything.
    max_workers : int, default 8
        Calls of `fetch` at the same time.
    spare_workers : int, default 0
        So many more, where `fetch` itself lets no more than `max_workers` through: then the next request is
        sent while an answer is worked on.
    expected : iterable of str, optional
        Entity ids that are probably below the roots: they are asked for at once, level by level takes
        longer. What proves not to be below them is left out, whatever came of it.
    keep : callable, optional
        Called from this thread with each entity that has come, once; returns what the graph keeps of it.
    lookup_cached : callable, optional
        Returns an entity that need not be fetched, or None; called from this thread.
    on_progress : callable, optional
        Called after every entity that was fetched, after every hundredth that was cached, and
        every second while nothing comes.

    Returns
    -------
    EntityGraph
        The same for any order in which the answers come. ``failures`` holds the
        entities that could not be fetched; where server or network failed, they are
        asked for once more at the end. Where going on is hopeless (see `FailureBudget`)
        the walk ends early, and what was not asked for any more is a failure too.

    """
    order = tuple(dict.fromkeys(roots))
    traversal = _Traversal(
        _Frontier(depth),
        WorkerPool(fetch, max_workers + spare_workers, "icdframes-walk"),
        keep,
        lookup_cached,
        on_progress,
    )
    budget = FailureBudget(max(_FEWEST_FAILURES, 2 * max_workers))
    try:
        traversal.ask(order)
        traversal.ask_ahead(expected)
        traversal.take_answers(budget)
        traversal.ask_again()
        traversal.take_answers(budget)
    finally:
        traversal.pool.shutdown()
    return EntityGraph(order, traversal.frontier.entities, dict(sorted(traversal.failures.items())))


class _Traversal:
    """What has come, what is waited for, what has failed."""

    def __init__(
        self,
        frontier: _Frontier,
        pool: WorkerPool[str, Entity],
        keep: Callable[[Entity], Entity],
        lookup_cached: Callable[[str], Entity | None],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.frontier = frontier
        self.pool = pool
        self.waiting: set[str] = set()
        self.failures: dict[str, Exception] = {}
        self._early: dict[str, Entity | IcdError] = {}
        self._given_up = False
        self._keep = keep
        self._lookup_cached = lookup_cached
        self._on_progress = on_progress

    def ask(self, roots: Iterable[str]) -> None:
        """Begin with the roots."""
        self._follow(self.frontier.discover(roots, 0))
        if self.frontier.entities:
            self._tell()

    def ask_ahead(self, entity_ids: Iterable[str]) -> None:
        """Ask for what will be met later."""
        for entity_id in dict.fromkeys(entity_ids):
            if not self.frontier.has_met(entity_id):
                if (entity := self._cached(entity_id)) is not None:
                    self._early[entity_id] = entity
                else:
                    self._fetch(entity_id)

    def ask_again(self) -> None:
        """Ask once more for what failed because of the server or the network."""
        failed = [entity_id for entity_id, error in self.failures.items() if may_pass(error)]
        if self._given_up or not failed:
            return
        _log.info("asking again for %d entities", len(failed))
        for entity_id in failed:
            del self.failures[entity_id]
            self._fetch(entity_id)

    def take_answers(self, budget: FailureBudget) -> None:
        """Take answers until all have come, or until the budget is spent."""
        while self.waiting:
            seconds = budget.seconds_left()
            answer = self._take_answer(min(seconds, _TELL_SECONDS))
            if answer is None and seconds > _TELL_SECONDS:
                self._tell()
            elif reason := budget.end_after(answer):
                self.give_up(reason, answer)

    def _take_answer(self, seconds: float) -> Entity | Exception | None:
        """Wait for one answer, but no longer than so many seconds, and ask for what it leads to."""
        found = self.pool.next_result(seconds)
        if found is None:
            return None
        entity_id, answer = found
        self.waiting.discard(entity_id)
        if not isinstance(answer, Entity | IcdError):
            raise answer
        if isinstance(answer, Entity):
            answer = self._keep(answer)
        if not self.frontier.has_met(entity_id):
            self._early[entity_id] = answer
        elif isinstance(answer, Entity):
            self._follow(self.frontier.arrived(entity_id, answer))
        else:
            self.failures[entity_id] = answer
        self._tell()
        return answer

    def give_up(self, reason: str, last: object) -> None:
        """Count what was not asked for any more among the failures."""
        _log.warning("walk ended early, since %s; %d entities not asked for", reason, len(self.waiting))
        self.failures.update(dict.fromkeys(self.waiting, _not_asked_for(reason, last)))
        self.waiting.clear()
        self._given_up = True

    @garbage_collection_paused()
    def _follow(self, entity_ids: Iterator[str]) -> None:
        """Follow what is cached, as far down as it goes, and have the rest fetched."""
        following = [entity_ids]
        while following:
            entity_id = next(following[-1], None)
            if entity_id is None:
                following.pop()
            elif entity_id in self.waiting:  # asked for ahead
                continue
            elif isinstance(found := self._early.pop(entity_id, None) or self._cached(entity_id), Entity):
                following.append(self.frontier.arrived(entity_id, found))
                if len(self.frontier.entities) % _TOLD_EVERY == 0:
                    self._tell()
            elif found is not None:
                self.failures[entity_id] = found
            else:
                self._fetch(entity_id)

    def _cached(self, entity_id: str) -> Entity | None:
        entity = self._lookup_cached(entity_id)
        return None if entity is None else self._keep(entity)

    def _fetch(self, entity_id: str) -> None:
        self.waiting.add(entity_id)
        self.pool.submit(entity_id)

    def _tell(self) -> None:
        if self._on_progress:
            done = len(self.frontier.entities) + len(self.failures) + len(self._early)
            self._on_progress(Progress(done, done + len(self.waiting)))


def _not_asked_for(reason: str, last: object) -> TraversalError:
    if last is None:
        return TraversalError(f"No answer came, and {reason}")
    return TraversalError(f"Not asked for, since {reason}; the last fault: {last}")


class _Frontier:
    """What is known of the graph; keeps the shortest depth where there is a limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.entities: dict[str, Entity] = {}
        self._depths: dict[str, int] = {}

    def discover(self, entity_ids: Iterable[str], depth: int) -> Iterator[str]:
        """Return those that must be asked for; what is known is followed at once."""
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

    def has_met(self, entity_id: str) -> bool:
        """Return whether an entity is a root, or a child of one that has come."""
        return entity_id in self._depths

    def arrived(self, entity_id: str, entity: Entity) -> Iterator[str]:
        """Keep an entity and return what must be asked for next."""
        self.entities[entity_id] = entity
        return self.discover(entity.child_ids, self._depths[entity_id] + 1)


class FailureBudget:
    """Decides when going on with a walk is hopeless, and why.

    A walk ends where there are no credentials, where far more than every fifth
    entity fails (each failure costs one, refused credentials a quarter of all, and
    each success gives a quarter of one back), or where nothing has succeeded for
    ten minutes. What does not exist costs nothing.

    Parameters
    ----------
    failures : int
        How many may fail before anything succeeds.
    clock : callable
        Seconds that only grow.

    """

    def __init__(self, failures: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = failures
        self._spent = 0.0
        self._clock = clock
        self._last_success = clock()

    def seconds_left(self) -> float:
        """Return the seconds for which an answer is worth waiting for."""
        return max(0.0, self._last_success + _LONGEST_DROUGHT - self._clock())

    def end_after(self, answer: Entity | Exception | None) -> str:
        """Take note of an answer, or that none came; return the reason to end the walk, or nothing."""
        if isinstance(answer, CredentialsUnavailableError):
            return "there are no credentials"
        if isinstance(answer, Entity | EntityNotFoundError | OfflineMissError):
            self._spent = max(0.0, self._spent - _REFUND)
            self._last_success = self._clock()
            return ""
        refused = isinstance(answer, CredentialsRejectedError)
        if answer is not None:
            self._spent += self._most / _REFUSALS if refused else 1
        if self._spent >= self._most:
            return "the credentials were refused" if refused else "too many entities had failed"
        if self._clock() - self._last_success > _LONGEST_DROUGHT:
            return f"nothing had succeeded for {_LONGEST_DROUGHT / 60:.0f} minutes"
        return ""
