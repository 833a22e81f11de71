"""A server of raw sockets that goes wrong to order, over one small classification; clients whose waiting is free."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import socket
import struct
import threading
import time
from collections import defaultdict

import pytest

import icdframes.client.base
from icdframes.client.icd_client import IcdClient
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials
from icdframes.transport.session import ApiSession

CLIENT_ID = "client-0123-abcd"
CLIENT_SECRET = "s3cret/+=of-the-client"
TOP = "/icd/release/11/2024-01/mms"
TOKEN = "/connect/token"
CHILDREN = {"10": ["11", "12", "13"], "11": [], "12": [], "13": ["14"], "14": []}


def entity(entity_id, **changes):
    """One entity as the API writes it."""
    here = f"http://id.who.int{TOP}"
    parents = [parent for parent, children in CHILDREN.items() if entity_id in children]
    document = {
        "@context": "http://id.who.int/icd/contexts/contextForLinearizationEntity.json",
        "@id": f"{here}/{entity_id}",
        "title": {"@language": "en", "@value": f"Entity {entity_id}"},
        "classKind": "chapter" if entity_id == "10" else "category",
        "parent": [f"{here}/{parent}" if parent else here for parent in parents or [""]],
        "child": [f"{here}/{child}" for child in CHILDREN.get(entity_id, [])],
        "code": "01" if entity_id == "10" else f"1A{entity_id}",
    }
    return {key: value for key, value in (document | changes).items() if value is not ...}


def response(status=200, body=b"", headers=None, *, length=None):
    """The bytes of an answer; the connection ends after it."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Status", "Connection: close"]
    given = {"Content-Type": "application/json", "Content-Length": len(body) if length is None else length}
    lines += [f"{name}: {value}" for name, value in (given | (headers or {})).items() if value is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class FaultServer:
    """``plan[path]`` is a list of steps, each for one request; a last step of ``...`` repeats the one before it.

    A step is None for the good answer, bytes to send, or a function of (connection, good answer).
    """

    children = CHILDREN

    def __init__(self):
        self.plan = defaultdict(list)
        self.seen = []
        self.tokens = []
        self.valid = set()
        self.leaving = threading.Event()
        self._lock = threading.Lock()
        self._threads = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.server = Server("sandbox", self.url, self.url + TOKEN)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def count(self, path):
        return sum(seen == path for seen, _ in self.seen)

    def close(self):
        self.leaving.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(10)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            head = _request(connection)
            target = head.split()[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines())}
            path, _, query = target.partition("?")
            with self._lock:
                self.seen.append((path, headers))
                step = self._step(path)
            good = self._good(path, query, headers)
            if callable(step):
                step(connection, good)
            else:
                connection.sendall(good if step is None else step)

    def _step(self, path):
        plan = self.plan[path]
        if len(plan) > 1 and plan[1] is ...:
            return plan[0]
        return plan.pop(0) if plan else None

    def _good(self, path, query, headers):
        if path == TOKEN:
            return self.token_answer(headers)
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return response(401)
        entity_id = path.removeprefix(TOP).strip("/")
        here = f"http://id.who.int{TOP}"
        if path == TOP:
            top = {"releaseId": "2024-01", "availableLanguages": ["en"], "child": [f"{here}/10"]}
            return response(body=top | {"@id": here, "title": {"@language": "en", "@value": "Small"}})
        if path.startswith(TOP) and entity_id in self.children:
            below = [f"{here}/{other}" for other in self.children if other != "10"] if "descendant" in query else ...
            links = [f"{here}/{child}" for child in self.children[entity_id]]
            return response(body=entity(entity_id, descendant=below, child=links))
        return response(404, "Requested resource could not be found", {"Content-Type": "text/plain"})

    def token_answer(self, headers=None, **changes):
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if headers is not None and headers.get("authorization") != f"Basic {expected}":
            return response(400, {"error": "invalid_client"})
        token = f"token-number-{len(self.tokens)}"
        self.tokens.append(token)
        self.valid.add(token)
        document = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"} | changes
        return response(body={key: value for key, value in document.items() if value is not ...})


def _request(connection):
    """Read a whole request and give its head."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _piece(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1")
    length = next((int(line[15:]) for line in lines.splitlines() if line.lower().startswith("content-length:")), 0)
    while len(body) < length:
        body += _piece(connection)
    return lines


def _piece(connection):
    piece = connection.recv(65_536)
    if not piece:
        raise ConnectionResetError
    return piece


def reset(connection):
    """End a connection the hard way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class FreeTime:
    """A clock that goes on, and jumps ahead where somebody would sleep or where an answer drips."""

    def __init__(self):
        self.ahead = 0.0
        self.slept = []
        self._lock = threading.Lock()

    def clock(self):
        return time.monotonic() + self.ahead

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self.ahead += seconds


@pytest.fixture
def free_time():
    return FreeTime()


@pytest.fixture
def faulty():
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture
def wire(free_time):
    """The bytes on the wire, for tests to make."""

    class JsonSession:
        entity = staticmethod(entity)
        response = staticmethod(response)
        reset = staticmethod(reset)
        children = CHILDREN
        top = TOP
        token = TOKEN
        secret = CLIENT_SECRET
        time = free_time

    return JsonSession


@pytest.fixture
def make_client(faulty, tmp_path, monkeypatch, free_time):
    """Build clients of the faulty server over one cache folder; two retries, and no real waiting."""
    clients = []

    def make(server=None, **settings):
        monkeypatch.setattr(
            icdframes.client.base,
            "ApiSession",
            functools.partial(ApiSession, clock=free_time.clock, sleep=free_time.sleep),
        )
        settings = {"retries": 2, "timeout": (5, 5), "max_workers": 4, "cache_dir": tmp_path / "answers"} | settings
        credentials = Credentials(CLIENT_ID, CLIENT_SECRET)
        clients.append(IcdClient(server or faulty.server, lambda: credentials, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
