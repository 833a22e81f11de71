"""However a server keeps an answer going, it ends; http, https and a proxy's tunnel alike."""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import ssl
import threading
import time

import pytest

from icdframes.errors import ConnectionFailedError
from icdframes.settings import Server
from icdframes.transport.session import ApiSession

ENTITY = "/icd/release/11/2024-01/mms/257068234"
HEAD = b"HTTP/1.1 200 OK\r\n"
GZIP = HEAD + b"Connection: close\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2"
DRIPS = {
    "a head": (HEAD + b"X-Long: ", b"x"),
    "100 Continue without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "a chunk-size line": (CHUNKED + b";ext=", b"x"),
    "trailers": (CHUNKED + b"\r\n{}\r\n0\r\n", b"X-More: 1\r\n"),
    "a name in gzip": (GZIP + b"\x08\0\0\0\0\0\xff", b"n"),
    "empty blocks in gzip": (GZIP + b"\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff"),
}


class Dripping:
    """A server that begins an answer, goes on with it piece by piece, and in the end closes the connection."""

    def __init__(self, begin, piece, context=None):
        self._begin, self._piece, self._context = begin, piece, context
        self.heads = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection, contextlib.suppress(OSError):
                    self._drip(connection)

    def _drip(self, connection):
        self.heads.append(connection.recv(65_536))
        connection.sendall(self._begin)
        for _ in range(200):
            connection.sendall(self._piece)
            time.sleep(0.002)  # or many pieces are read as one


@pytest.fixture
def dripping():
    servers = []

    def make(*args):
        servers.append(Dripping(*args))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def quick(monkeypatch):
    """A clock on which five seconds have gone by whenever it is looked at."""
    monkeypatch.setattr("icdframes.transport.deadline.monotonic", itertools.count(step=5).__next__)


@pytest.fixture
def given_up(tmp_path):
    """Ask once, see that it is given up after 20 seconds, and give the session."""
    sessions = []

    def ask(url, **settings):
        server = Server("custom", url)
        sessions.append(ApiSession(server, pytest.fail, cache_dir=tmp_path, timeout=(2, 2), retries=0, **settings))
        with pytest.raises(ConnectionFailedError, match="the answer was not complete after 20 s"):
            sessions[-1].get_json(ENTITY)

    yield ask
    for session in sessions:
        session.close()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("drip", DRIPS)
def test_an_answer_that_drips_is_given_up(dripping, given_up, drip):
    server = dripping(*DRIPS[drip])
    given_up(f"http://127.0.0.1:{server.port}")
    assert len(server.heads) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("drip", ["a head", "a chunk-size line"])
def test_an_answer_that_drips_over_tls_is_given_up(dripping, given_up, certificate, drip):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = dripping(*DRIPS[drip], context)
    given_up(f"https://127.0.0.1:{server.port}", verify=str(certificate))
    assert server.heads[0].startswith(b"GET /icd")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_drips_from_a_proxy_is_given_up(dripping, given_up, monkeypatch, scheme):
    proxy = dripping(HEAD + b"X-Long: ", b"x")
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{proxy.port}")
    given_up(f"{scheme}://icd.example")
    begins = {"http": b"GET http://icd.example/icd", "https": b"CONNECT icd.example:443"}
    assert proxy.heads[0].startswith(begins[scheme])


def test_an_answer_is_timed_from_its_own_beginning_and_its_connection_is_kept(
    make_session, open_wire, monkeypatch, caplog
):
    now = [0.0]
    monkeypatch.setattr("icdframes.transport.deadline.monotonic", lambda: now[0])
    caplog.set_level(logging.DEBUG, "urllib3")
    session = make_session(open_wire, timeout=(2, 2))
    for number in range(3):
        now[0] += 1000
        assert session.get_json(f"{ENTITY}/{number}")["path"] == f"{ENTITY}/{number}"
    assert caplog.text.count("Starting new HTTP connection") == 1
    assert session.requests_sent == 3
