"""One gate for all threads: a 429 or 503 to one of them slows all of them down; it knows nothing of requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from icdframes.transport.policy import LONGEST_WAIT

_FIRST_INTERVAL = 0.1
_LONGEST_INTERVAL = 2.0
_SHORTEST_HOLD = 1.0
_CALM = 20


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit:
    """How fast all threads together may be.

    Attributes
    ----------
    most : int
        Requests under way at the same time while all is well.
    width : int
        Requests that may be under way now.
    interval : float
        Seconds between two requests; only where one at a time is still too fast.
    calm : int
        Good answers since the pace last changed.

    """

    most: int
    width: int
    interval: float = 0.0
    calm: int = 0

    def slower(self) -> ConcurrencyLimit:
        """Halve the width; where it is 1, double the interval."""
        if self.width > 1:
            return replace(self, width=self.width // 2, calm=0)
        return replace(self, interval=min(max(2 * self.interval, _FIRST_INTERVAL), _LONGEST_INTERVAL), calm=0)

    def after_answer(self) -> ConcurrencyLimit:
        """Take one small step back to the full pace after every twenty good answers."""
        if self.width == self.most and not self.interval:
            return self
        if self.calm + 1 < _CALM:
            return replace(self, calm=self.calm + 1)
        if self.interval:
            return replace(self, interval=self.interval / 2 if self.interval > _FIRST_INTERVAL else 0.0, calm=0)
        return replace(self, width=self.width + 1, calm=0)


class Throttle:
    """Lets requests through at the pace that the server can bear.

    Parameters
    ----------
    width : int
        Requests under way at the same time while all is well.
    clock, sleep : callable
        Seconds now, and how to wait. A clock that is set back ends all waiting.

    """

    def __init__(self, width: int, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._free = threading.Condition()
        self._inside = 0
        self._next = 0.0
        self._held_until = 0.0
        self._settled = 0.0
        self._refused = (0.0, 0.0)
        self.pace = ConcurrencyLimit(width, width)

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Wait for a place and for the next moment to send; the place is free again at the end."""
        with self._free:
            self._free.wait_for(lambda: self._inside < self.pace.width)
            self._inside += 1
        try:
            self._wait_for_turn()
            yield
        finally:
            with self._free:
                self._inside -= 1
                self._free.notify()

    def good(self) -> None:
        """Take note of a good answer."""
        with self._free:
            self.pace = self.pace.after_answer()
            self._free.notify()

    def slow_down(self) -> None:
        """Take note of a 429 or 503; those that arrive together count once."""
        with self._free:
            now = self._clock()
            if not _ahead(self._settled, now):
                self.pace = self.pace.slower()
                self._settled = now + _SHORTEST_HOLD

    def hold(self, seconds: float) -> None:
        """Let nobody through for some seconds."""
        with self._free:
            end = self._clock() + max(seconds, _SHORTEST_HOLD)
            self._held_until = self._settled = max(self._held_until, end)

    def refuse(self, seconds: float) -> None:
        """Take note that nobody shall send for a time that is too long to be waited out."""
        with self._free:
            now = self._clock()
            self._refused = (now, now + max(seconds, self.refused()))

    def refused(self) -> float:
        """Give the seconds for which nobody shall send; a clock that is set back ends them too."""
        (since, until), now = self._refused, self._clock()
        return until - now if since <= now < until else 0.0

    def _wait_for_turn(self) -> None:
        with self._free:
            now = self._clock()
            turn = now + _ahead(self._next, now)
            self._next = turn + self.pace.interval
        while pause := _ahead(max(turn, self._held_until), self._clock()):
            self._sleep(pause)


def _ahead(moment: float, now: float) -> float:
    """Seconds until a moment; 0 where it has passed, or is so far away that the clock must have been set back."""
    return moment - now if now < moment <= now + 2 * LONGEST_WAIT else 0.0
