"""Do identical work of several threads once, and keep a forked process from the connections of another.

Two processes that read one socket get each other's answers, and SQLite forbids
to carry a connection over a fork.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from icdframes.errors import ConfigurationError, IcdError

Result = TypeVar("Result")

_LOOK_UP_SECONDS = 0.5  # so that Ctrl-C is seen on Windows too


class Flight(Generic[Result]):
    """One piece of work that one thread does and others may wait for.

    Attributes
    ----------
    result : Result or None
        What the work returned; None while this thread has to do it.

    """

    def __init__(self) -> None:
        self.result: Result | None = None
        self._error: IcdError | None = None
        self._done = threading.Event()

    def wait(self) -> bool:
        """Wait for the thread that does the work; return False where it was interrupted.

        Raises
        ------
        IcdError
            That of the other thread.

        """
        while not self._done.wait(_LOOK_UP_SECONDS):
            pass
        if self._error is not None:
            raise copy.copy(self._error)
        return self.result is not None

    @contextmanager
    def lead(self) -> Iterator[None]:
        """Do the work in this block, which sets `result`; then the others go on."""
        try:
            yield
        except IcdError as error:
            self._error = copy.copy(error)
            raise
        finally:
            self._done.set()


class SingleFlight(Generic[Result]):
    """Threads that ask for the same thing meanwhile wait for the one that does it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight[Result]] = {}

    @contextmanager
    def join(self, key: Hashable) -> Iterator[Flight[Result]]:
        """Open a block that gets the result of another thread, or has to set it.

        Raises
        ------
        IcdError
            That of the other thread. Where it was interrupted, this one does the work.

        """
        while True:
            mine = Flight[Result]()
            with self._lock:
                flight = self._flights.setdefault(key, mine)
            if flight is mine:
                break
            if flight.wait():
                yield flight
                return
        with mine.lead():
            try:
                yield mine
            finally:
                with self._lock:
                    del self._flights[key]


class ForkGuard:
    """The process in which it was made, to which its connections belong."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is still that process."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise `ConfigurationError` in any other process."""
        if not self.is_here:
            raise ConfigurationError(
                "This client was made before this process was forked from another, whose connections it must not use: "
                "call icdframes.connect() in each process."
            )
