"""One gate for all threads: a 429 to one of them slows all of them down; it knows nothing of requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from icdframes.transport.policy import LONGEST_WAIT

_FIRST_INTERVAL = 0.1
_LONGEST_INTERVAL = 2.0
_SHORTEST_HOLD = 1.0
_CALM = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two requests of all threads together, and good answers since it last changed."""

    interval: float = 0.0
    calm: int = 0

    def slower(self) -> Pace:
        """Double the interval, as after a 429."""
        return Pace(min(max(2 * self.interval, _FIRST_INTERVAL), _LONGEST_INTERVAL))

    def after_answer(self) -> Pace:
        """Halve the interval after twenty good answers, until it is gone."""
        if not self.interval or self.calm + 1 < _CALM:
            return Pace(self.interval, self.calm + 1 if self.interval else 0)
        return Pace(self.interval / 2 if self.interval > _FIRST_INTERVAL else 0.0)


class Gate:
    """Lets requests through at the pace that the server can bear.

    Parameters
    ----------
    clock, sleep : callable
        Seconds now, and how to wait.

    """

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._held_until = 0.0
        self.pace = Pace()

    def wait(self) -> None:
        """Return when the next request may go."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._next)
            if self.pace.interval:
                self._next = slot + self.pace.interval
        if slot > now:
            self._sleep(min(slot - now, 2 * LONGEST_WAIT))

    def good(self) -> None:
        """Take note of a good answer."""
        with self._lock:
            self.pace = self.pace.after_answer()

    def slow_down(self, seconds: float) -> None:
        """Hold all requests for some seconds; 429s that arrive together count once."""
        with self._lock:
            now = self._clock()
            if now >= self._held_until:
                self.pace = self.pace.slower()
            self._held_until = max(self._held_until, now + max(seconds, _SHORTEST_HOLD))
            self._next = max(self._next, self._held_until)
