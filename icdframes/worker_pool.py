"""Run a function in several threads; a call that never returns keeps neither the caller nor the process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")

_LEAVE_SECONDS = 2.0
_LOOK_UP_SECONDS = 0.5  # a longer wait may miss Ctrl-C: always on Windows, elsewhere where it comes as the wait begins


class WorkerPool(Generic[Key, Answer]):
    """Threads with a backlog; only a little is queued with them at a time.

    Parameters
    ----------
    ask : callable
        Called from every thread; what it raises is the answer.
    size : int
        Threads, at most; each is started when there is work for it.
    name : str
        With which their names begin.

    """

    def __init__(self, ask: Callable[[Key], Answer], size: int, name: str) -> None:
        self._ask = ask
        self._size = size
        self._name = name
        self._backlog: deque[Key] = deque()
        self._room = 2 * size
        self._awaited = 0
        self._asked: SimpleQueue[tuple[Key] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Key, Answer | BaseException]] = SimpleQueue()
        self._leaving = Event()
        self._threads: list[Thread] = []

    @property
    def pending(self) -> int:
        """Calls whose result has not been taken yet."""
        return self._awaited

    def submit(self, key: Key) -> None:
        """Have one more question asked."""
        self._awaited += 1
        self._backlog.append(key)
        self._hand_out()

    def next_result(self, seconds: float | None = None) -> tuple[Key, Answer | BaseException] | None:
        """Wait for the next answer; None where none comes in time, or none is to come."""
        end = monotonic() + (inf if seconds is None else seconds)
        while self._awaited:
            left = end - monotonic()
            try:
                found = self._answers.get(timeout=min(max(0.0, left), _LOOK_UP_SECONDS))
            except Empty:
                if left <= 0:
                    break
                continue
            self._awaited -= 1
            self._room += 1
            self._hand_out()
            return found
        return None

    def shutdown(self) -> None:
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
            self._asked.put((self._backlog.popleft(),))
            if len(self._threads) < min(self._size, 2 * self._size - self._room):
                self._start_thread()

    def _start_thread(self) -> None:
        # A daemon, since the interpreter waits at its end for all others, and so would for an answer that never comes.
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None and not self._leaving.is_set():
            (key,) = asked
            try:
                answer: Answer | BaseException = self._ask(key)
            except BaseException as error:  # noqa: BLE001  the calling thread decides; a thread that died would be waited for
                answer = error
            self._answers.put((key, answer))
