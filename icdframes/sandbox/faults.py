"""Queue faults: which request goes wrong, how, and how often."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http import HTTPStatus

from icdframes.sandbox.request_context import Answer, phrase, text_answer


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong.

    Attributes
    ----------
    pattern : str
        Shell pattern of the path (without the query) as it was sent.
    status : int or None
        Answer with this status instead; None keeps the real answer and alters it.
    times : int or None
        How many requests it meets; None means all.
    delay : float
        Seconds to wait before the answer.
    cut_body : int or None
        Send so many bytes of the body, then close the connection.
    body : bytes or None
        Body instead of the real one.
    content_type : str or None
        Content type instead of the real one.
    headers : Mapping of str to str
        Headers to add or replace.
    close : bool
        Close the connection without any answer.
    share : float
        Which part of the requests that fit it meets, evenly spread.
    seen : int
        How many requests have fitted so far.

    """

    pattern: str
    status: int | None = None
    times: int | None = 1
    delay: float = 0.0
    cut_body: int | None = None
    body: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    share: float = 1.0
    seen: int = 0

    def meets_next(self) -> bool:
        """Return whether the next request that fits is one of its share."""
        return int((self.seen + 1) * self.share) > int(self.seen * self.share)

    def alter(self, real: Answer | None) -> Answer:
        """Return the answer that goes out in place of the real one, or of none."""
        status = self.status or HTTPStatus.OK
        answer = real or text_answer(status, phrase(status))
        return replace(
            answer,
            body=answer.body if self.body is None else self.body,
            content_type=self.content_type or answer.content_type,
            headers={**answer.headers, **self.headers},
        )


class FaultQueue:
    """The faults that are still to happen, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all planned faults."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str) -> Fault | None:
        """Return the first fault planned for this path and count it down."""
        with self._lock:
            for place, fault in enumerate([*self._faults]):
                if not fnmatchcase(path, fault.pattern):
                    continue
                met = fault.meets_next()
                times = None if fault.times is None else fault.times - met
                left = replace(fault, times=times, seen=fault.seen + 1)
                self._faults[place : place + 1] = [] if times == 0 else [left]
                if met:
                    return fault
        return None
