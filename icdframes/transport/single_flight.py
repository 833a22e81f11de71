"""Do identical work once where several threads want it at the same time."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from icdframes.errors import IcdError

Result = TypeVar("Result")

_LOOK_UP_SECONDS = 0.5  # so that Ctrl-C is seen on Windows too


class _Flight(Generic[Result]):
    """One piece of work under way."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: IcdError | None = None
        self.finished = False


class SingleFlight(Generic[Result]):
    """Threads that ask for the same thing meanwhile wait for the one that does it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[Result]] = {}

    def do(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, from this thread or from another that began it before.

        Raises
        ------
        IcdError
            That of the other thread. Where it was interrupted, this one does the work.

        """
        while True:
            mine = _Flight[Result]()
            with self._lock:
                flight = self._flights.setdefault(key, mine)
            if flight is mine:
                return self._lead(key, mine, work)
            while not flight.done.wait(_LOOK_UP_SECONDS):
                pass
            if flight.error is not None:
                raise copy.copy(flight.error)
            if flight.finished:
                return flight.result  # type: ignore[return-value]  # it is there once the work is finished

    def _lead(self, key: Hashable, flight: _Flight[Result], work: Callable[[], Result]) -> Result:
        try:
            flight.result = work()
            flight.finished = True
        except IcdError as error:
            flight.error = copy.copy(error)
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()
        return flight.result
