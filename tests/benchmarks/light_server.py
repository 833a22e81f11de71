"""Serve a corpus with little of the processor: answers made beforehand, sent by one event loop, so many at a time."""

from __future__ import annotations

import asyncio
import heapq
import threading
from typing import Self

from icdframes.sandbox import Corpus
from icdframes.sandbox.app import App
from icdframes.sandbox.request_context import HttpRequest, encode

HEADERS = {"API-Version": "v2", "Accept": "application/json", "Accept-Language": "en"}
_DATE = "Thu, 26 Nov 2026 08:00:00 GMT"


class LightServer:
    """A server of good answers on loopback, as the sandbox gives them, each after `delay` seconds.

    Parameters
    ----------
    corpus : Corpus
        What is served.
    bears : int, optional
        So many requests are worked on at a time, the others wait for their turn; None is any number.

    """

    def __init__(self, corpus: Corpus, bears: int | None = None, port: int = 0) -> None:
        self.delay = 0.0
        self._app = App(corpus, None)
        self._answers: dict[str, bytes] = {}
        for listing in corpus:
            root = f"/icd/release/11/{listing.release}/{listing.classification}"
            for key in listing.entities[listing.languages[0]]:
                self._answer(f"{root}/{key}")
        self._free = [0.0] * bears if bears else None
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=128)
        )
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def respond(self, target: str, transport: asyncio.Transport) -> None:
        """Write the answer when its time has come."""
        answer = self._answer(target)
        now = self._loop.time()
        if self._free is None:
            done = now + self.delay
        else:
            done = max(now, self._free[0]) + self.delay
            heapq.heapreplace(self._free, done)
        if self.delay:
            self._loop.call_at(done, transport.write, answer)
        else:
            transport.write(answer)

    def _answer(self, target: str) -> bytes:
        if target not in self._answers:
            answer = self._app.answer(HttpRequest("GET", target, HEADERS))
            self._answers[target] = b"".join(encode(answer, date=_DATE))
        return self._answers[target]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class _Connection(asyncio.Protocol):
    """One connection, kept alive; requests without a body only."""

    def __init__(self, server: LightServer) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            target = self._received.split(b" ", 2)[1].decode("ascii")
            self._received = self._received[end + 4 :]
            self._server.respond(target, self._transport)
