"""A scripted loopback server, a clock that only moves when somebody sleeps, and sessions that are closed at the end."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from icdframes.settings import Server
from icdframes.transport.secrets import Credentials
from icdframes.transport.session import ApiSession

CLIENT_ID = "client-0123-abcd"
CLIENT_SECRET = "s3cret/+=of-the-client"


@dataclass
class Reply:
    status: int = 200
    body: object = None  # None: an echo of the request; bytes and str as they are; else JSON
    headers: dict = field(default_factory=dict)
    lost: int = 0  # bytes announced but never sent
    drop: bool = False  # close without an answer


@dataclass
class Seen:
    method: str
    path: str
    query: str
    headers: dict
    body: bytes


class JsonSession:
    """One server: ``script[path]`` is a list of replies, of which the last one stays."""

    def __init__(self, *, secured: bool, certificate: Path | None = None) -> None:
        self.secured = secured
        self.scheme = "https" if certificate else "http"
        self.script = defaultdict(list)
        self.seen = []
        self.tokens = []
        self.valid = set()
        self.expires_in = 3600
        self.headers = {}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self._http.server_port}"

    @property
    def server(self):
        return Server("sandbox", self.url, f"{self.url}/connect/token" if self.secured else None)

    def asked(self, path=None):
        """Requests to the API, those for tokens left out."""
        return [seen for seen in self.seen if seen.path != "/connect/token" and path in {None, seen.path}]

    @property
    def token_requests(self):
        return [seen for seen in self.seen if seen.path == "/connect/token"]

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply_to(self, seen):
        with self._lock:
            self.seen.append(seen)
            planned = self.script[seen.path]
            if planned:
                return planned.pop(0) if len(planned) > 1 else planned[0]
            if seen.path == "/connect/token":
                return self._token(seen)
            bearer = seen.headers.get("authorization", "").removeprefix("Bearer ")
            if self.secured and bearer not in self.valid:
                return Reply(401, "")
        return Reply(body={"path": seen.path, "query": seen.query, "language": seen.headers["accept-language"]})

    def _token(self, seen):
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if seen.headers.get("authorization") != f"Basic {expected}":
            return Reply(400, {"error": "invalid_client"})
        token = f"token-number-{len(self.tokens)}"
        self.tokens.append(token)
        self.valid.add(token)
        return Reply(body={"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"})

    def _handler(wire):  # noqa: N805  the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65_536

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, parts.path, parts.query, headers, self.rfile.read(length))
                reply = wire.reply_to(seen)
                if reply.drop:
                    self.close_connection = True
                    return
                body = reply.body if isinstance(reply.body, bytes) else None
                if body is None:
                    body = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
                self.send_response(reply.status)
                kind = "text/plain" if isinstance(reply.body, str) else "application/json"
                lengthy = {"Content-Length": len(body) + reply.lost}
                for name, value in {"Content-Type": kind, **lengthy, **wire.headers, **reply.headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = self.close_connection or bool(reply.lost)

            do_GET = do_POST = answer  # noqa: N815  the names are http.server's

            def log_message(self, *args):
                pass

        return Handler


class FakeTime:
    """A clock that moves by sleeping."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept = []
        self._lock = threading.Lock()

    def clock(self):
        return self.now

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A system keyring that works."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept = {}

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def delete_password(self, service, username):
        if (service, username) not in self.kept:
            raise keyring.errors.PasswordDeleteError
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch, tmp_path):
    """No variables, proxies, profiles or keyring of the machine that runs the tests."""
    proxies = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")]
    settings = [f"ICD_{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "SERVER", "TOKEN_URL")]
    for name in (*settings, *proxies, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(tmp_path / "config"))
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def memory_keyring():
    kept = MemoryKeyring()
    keyring.set_keyring(kept)
    return kept


@pytest.fixture
def reply():
    return Reply


@pytest.fixture
def credentials():
    return Credentials(CLIENT_ID, CLIENT_SECRET)


@pytest.fixture
def fake_time():
    return FakeTime()


@pytest.fixture
def make_wire():
    wires = []

    def make(*, secured=False, certificate=None):
        wires.append(JsonSession(secured=secured, certificate=certificate))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


@pytest.fixture
def certificate(make_certificate):
    """A certificate for this machine that nobody trusts unless told to."""
    return make_certificate("127.0.0.1")


@pytest.fixture
def make_certificate(tmp_path):
    return partial(_write_certificate, tmp_path / "certificate.pem")


def _write_certificate(path, address):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def wire(make_wire):
    """A server that wants a token."""
    return make_wire(secured=True)


@pytest.fixture
def open_wire(make_wire):
    """A server without authentication, as WHO's container is."""
    return make_wire()


@pytest.fixture
def make_session(make_wire, tmp_path, credentials, fake_time):
    """Build sessions; the cache folder is the same for all of a test."""
    sessions = []

    def make(wire, get_credentials=lambda: credentials, **settings):
        settings = {
            "cache_dir": tmp_path / "cache",
            "clock": fake_time.clock,
            "sleep": fake_time.sleep,
            "retries": 3,
        } | settings
        sessions.append(ApiSession(wire.server, get_credentials, **settings))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()
