"""A moment by which a whole answer must be there, its head included; it knows no URL and no status.

The time-out of a socket counts from byte to byte. Head, chunk sizes, trailers and
compressed data are read in loops of http.client and urllib3, which a server that
sends a little now and then keeps running for ever. Therefore the end is set where
all of them read: at the stream below.
"""

from __future__ import annotations

import functools
import http.client
import io
from time import monotonic
from typing import Any

from icdframes.transport import policy


class OverdueError(TimeoutError):
    """An answer was not complete in time."""


class _Timed(io.RawIOBase):
    """What a socket gives, for so many seconds."""

    def __init__(self, raw: Any, seconds: float) -> None:
        self._raw = raw
        self._seconds = seconds
        self._end = monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        if monotonic() > self._end:
            raise OverdueError(f"the answer was not complete after {self._seconds:.0f} s")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """An answer of a server, or of a proxy that is asked for a tunnel."""

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Timed(raw, policy.longest_answer(sock.gettimeout())))


@functools.cache
def with_deadline(connection: type) -> type:
    """Give the same kind of connection, whose answers have a deadline."""
    if getattr(connection, "response_class", None) is _TimedResponse:
        return connection
    return type(connection.__name__, (connection,), {"response_class": _TimedResponse})
