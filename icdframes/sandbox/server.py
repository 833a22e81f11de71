"""Serve HTTP/1.1 on loopback: threads, sockets, one write per answer.

It binds 127.0.0.1 only and speaks no TLS.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from icdframes.sandbox.request_context import Answer, HttpRequest, encode

HOST = "127.0.0.1"
_LONGEST_BODY = 16 * 2**20
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out for one request: an answer, and how it is spoilt.

    Attributes
    ----------
    answer : Answer or None
        None closes the connection without one.
    delay : float
        Seconds to wait before it.
    cut_body : int or None
        Send so many bytes of the body, then close the connection.

    """

    answer: Answer | None
    delay: float = 0.0
    cut_body: int | None = None


class LoopbackServer(ThreadingHTTPServer):
    """One thread per connection, all of which end with the server."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Callable[[HttpRequest], Reply]) -> None:
        self.respond = respond
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), _Connection)
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), name="icdframes-sandbox", daemon=True)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host name that http.server does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def open(self) -> None:
        """Begin to serve in a thread."""
        self._loop.start()

    def close(self) -> None:
        """End every connection and thread."""
        self.stopping.set()
        self.shutdown()
        self._loop.join()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections:
            thread.join(_PATIENCE)
        self.server_close()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Answer one connection in its own thread, known to `close`."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="icdframes-sandbox", daemon=True
        )
        with self._lock:
            self._connections[thread] = request  # type: ignore[assignment]  # TCP has a socket here
        thread.start()

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve a connection until either side ends it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over clients that went away; show what else goes wrong."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as above


class _Connection(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    server: LoopbackServer

    def _respond(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send_error(411)
            return
        reply = self.server.respond(HttpRequest(self.command, self.path, self.headers, body))
        if reply.delay and self.server.stopping.wait(reply.delay):
            self.close_connection = True
            return
        if reply.answer is not None:
            head, content = encode(reply.answer, date=self.date_time_string(), close=bool(self.close_connection))
            self.wfile.write(head if self.command == "HEAD" else head + content[: reply.cut_body])
        if reply.answer is None or reply.cut_body is not None:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = _respond  # noqa: N815  http.server's names

    def _body(self) -> bytes | None:
        """Read the body; None where its length is not told, not a number or too large."""
        length = self.headers.get("Content-Length", "0")
        told = length.isdecimal() and int(length) <= _LONGEST_BODY and "Transfer-Encoding" not in self.headers
        return self.rfile.read(int(length)) if told else None

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Stay silent; the sandbox keeps its own log."""
