"""Let all threads together send as much as the server bears: width, pauses, outages with one probe at a time.

No well-kept rate limiter fits: they keep a rate that is known, and here the server alone knows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from statistics import fmean, median

from icdframes.transport.retry import (
    FAILURES_OF_AN_OUTAGE,
    LONGEST_OUTAGE,
    Outcome,
    concerns_everybody,
    is_passing,
    probe_wait,
)

FIRST_WIDTH = 8

_STEP = 4
_ROUNDS_OF_A_STEP = 2
_WORTH_IT = 0.7
_TOO_SLOW = 2.0
_OUTLIER = 4.0  # times the median; what is above counts as that
_SETTLED = 10.0
_SHORTEST = 1e-4
_WINDOW = 40
_REFUSALS = 3
_SHARE_OF_REFUSALS = 0.2
_LOOK_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit:
    """How many requests may be under way at the same time.

    Attributes
    ----------
    most : int
        Never more than this.
    width : int
        Requests that may be under way now.
    target : int
        The width to which it comes back after refusals, one more with each round of good answers.
    good : int
        Good answers since the width last changed.
    answers, refusals : int
        Of the present window of refusals.
    latencies : tuple of float
        Seconds of the answers to requests that began, at a full width, after it last changed.
    narrower : tuple of int and float
        The width before the last step, and its mean latency; zeros before the first.
    best : float
        Lowest mean latency so far; 0 before the first.
    settled_until : float
        No wider step before this moment.
    changed_at : float
        When the width last changed; where it became less, when what had queued up at the server was over.
    doubles : bool
        Whether it still doubles with every round, as TCP does at its start; later it grows by steps of 4.

    """

    most: int
    width: int
    target: int
    good: int = 0
    answers: int = 0
    refusals: int = 0
    latencies: tuple[float, ...] = ()
    narrower: tuple[int, float] = (0, 0.0)
    best: float = 0.0
    settled_until: float = 0.0
    changed_at: float = 0.0
    doubles: bool = True

    @classmethod
    def of(cls, most: int, first: int | None = None) -> ConcurrencyLimit:
        """Return a limit that begins at `first`, by default at `most`, and finds its own width up to `most`."""
        width = min(first or most, most)
        return cls(most, width, width)

    def after_answer(self, latency: float, now: float, *, full: bool) -> ConcurrencyLimit:
        """Come back to the target after refusals; at the target, become wider while latency does not grow."""
        counted = self._counted(0)
        if self.width < self.target:
            good = self.good + 1
            if good < self.width:
                return replace(counted, good=good)
            return replace(counted, width=self.width + 1, good=0, latencies=())
        if not full or now - latency < self.changed_at:
            return counted
        latencies = (*self.latencies, latency)
        if len(latencies) < self.width * (1 if self.doubles else _ROUNDS_OF_A_STEP):
            return replace(counted, latencies=latencies)
        usual = _OUTLIER * median(latencies)
        return counted.measured(fmean(min(one, usual) for one in latencies), now)

    def after_refusal(self) -> ConcurrencyLimit:
        """Halve the width where a fifth of a window of answers were refusals; a single one changes nothing."""
        counted = self._counted(1)
        if counted.refusals < max(_REFUSALS, _SHARE_OF_REFUSALS * counted.answers):
            return counted
        width = max(1, self.width // 2)
        fresh = replace(counted, good=0, answers=0, refusals=0, latencies=(), narrower=(0, 0.0))
        return replace(fresh, width=width, doubles=False)

    def _counted(self, refused: int) -> ConcurrencyLimit:
        if self.answers >= _WINDOW:
            return replace(self, answers=1, refusals=refused)
        return replace(self, answers=self.answers + 1, refusals=self.refusals + refused)

    def measured(self, latency: float, now: float) -> ConcurrencyLimit:
        """Keep the last step only if it brought most of what it could; then take the next one."""
        before, latency_before = self.narrower
        latency = max(latency, _SHORTEST)
        best = min(self.best or latency, latency)
        fresh = replace(self, latencies=(), good=0, narrower=(0, 0.0), best=best)
        if before:
            gain = (self.width / latency) / (before / latency_before)
            if gain < 1 + _WORTH_IT * (self.width / before - 1):
                settled = now if self.doubles else now + _SETTLED
                return replace(fresh, doubles=False, settled_until=settled).of_width(before, now + latency)
        elif latency > _TOO_SLOW * best and self.width > FIRST_WIDTH:
            slow = replace(fresh, doubles=False, settled_until=now + _SETTLED)
            return slow.of_width(max(FIRST_WIDTH, self.width - _STEP), now + latency)
        width = min(2 * self.width if self.doubles else self.width + _STEP, self.most)
        if width == self.width or now < self.settled_until:
            return fresh
        return replace(fresh, narrower=(self.width, latency)).of_width(width, now)

    def of_width(self, width: int, changed_at: float) -> ConcurrencyLimit:
        """Return the same with another width to keep to."""
        return replace(self, width=width, target=width, changed_at=changed_at)


class End(Enum):
    """How a suspicion of an outage ended."""

    NEVER_OUT = "the first probe was answered"
    BACK = "the server is back"
    GIVEN_UP = "the server did not come back in time"


class _Outage:
    """One outage that all threads share."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.probed = False
        self.end: End | None = None


class Throttle:
    """Lets requests through at the pace that the server can bear.

    Parameters
    ----------
    limit : ConcurrencyLimit
        Requests under way at the same time.
    clock, sleep : callable
        Seconds that only grow, and how to wait.

    """

    def __init__(self, limit: ConcurrencyLimit, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()
        self._inside = 0
        self._held_until = 0.0
        self._refused_until = 0.0
        self._failures_in_a_row = 0
        self._outage: _Outage | None = None
        self._hopeless = False
        self.limit = limit

    @contextmanager
    def passage(self) -> Iterator[Callable[[float], None]]:
        """Wait for a place and for the end of every pause; yield how to tell of a good answer after so many seconds."""
        with self._changed:
            while self._outage is not None or self._inside >= self.limit.width:
                self._changed.wait(_LOOK_UP_SECONDS)
            self._inside += 1
            together = self._inside
        try:
            while (pause := self._held_until - self._clock()) > 0:
                self._sleep(pause)
            yield lambda latency: self._good(latency, together)
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()

    def note(self, outcome: Outcome) -> None:
        """Take note of what an attempt brought."""
        with self._changed:
            if not is_passing(outcome):
                self._failures_in_a_row, self._hopeless = 0, False
                return
            self._failures_in_a_row += 1
            if concerns_everybody(outcome):
                self.limit = self.limit.after_refusal()

    def hold(self, seconds: float) -> None:
        """Let nobody through for some seconds."""
        with self._changed:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def refuse(self, seconds: float) -> None:
        """Take note that nobody shall send for a time that is too long to be waited out."""
        with self._changed:
            self._refused_until = max(self._refused_until, self._clock() + seconds)

    def refused(self) -> float:
        """Return the seconds for which nobody shall send."""
        return max(0.0, self._refused_until - self._clock())

    @property
    def is_suspected(self) -> bool:
        """Whether so many attempts in a row have failed that the server may be out."""
        return self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE

    @property
    def is_hopeless(self) -> bool:
        """Whether an outage was given up, and nothing was answered since."""
        return self._hopeless

    @property
    def out_for(self) -> float | None:
        """Seconds since the server is out; None where it is not."""
        outage = self._outage
        return None if outage is None else self._clock() - outage.began

    def wait_for_server(self, probe: Callable[[], Outcome], retry_after: float | None = None) -> End:
        """Pause all threads, let one of them probe, and return how it ended, to each the same.

        Parameters
        ----------
        probe : callable
            Sends one harmless request; called by one thread at a time.
        retry_after : float, optional
            Seconds that the server asks for.

        """
        with self._changed:
            outage = self._outage = self._outage or _Outage(self._clock())
            while outage.probed and outage.end is None:
                self._changed.wait(_LOOK_UP_SECONDS)
            if outage.end is not None:
                return outage.end
            outage.probed, self._outage = True, outage
        end: End | None = None
        try:
            end = self._probe(outage, probe, retry_after)
        finally:
            with self._changed:
                outage.probed, outage.end = False, end  # where this thread is interrupted, another one goes on
                self._outage, self._hopeless = None, end is End.GIVEN_UP
                self._failures_in_a_row = 0
                self._changed.notify_all()
        return end

    def _probe(self, outage: _Outage, probe: Callable[[], Outcome], retry_after: float | None) -> End:
        probes = 0
        while True:
            wait = probe_wait(probes, retry_after)
            if self._clock() + wait - outage.began > LONGEST_OUTAGE:
                return End.GIVEN_UP
            self._sleep(wait)
            outcome = probe()
            if not is_passing(outcome):
                return End.BACK if probes else End.NEVER_OUT
            probes, retry_after = probes + 1, outcome.retry_after

    def _good(self, latency: float, together: int) -> None:
        """Take note of a good answer; the first of many that begin together are as full a load as the last."""
        with self._changed:
            before = self.limit.width
            full = max(together, self._inside) * 4 >= before * 3
            self.limit = self.limit.after_answer(latency, self._clock(), full=full)
            self._changed.notify(max(1, self.limit.width - before))
