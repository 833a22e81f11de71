"""Every fault at the token endpoint and at the API: how it ends, after how many requests, and what is said.

``python tests/faults/test_fault_matrix.py`` prints the table of notebooks/reliability.md.
"""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate

import pytest

from icdframes import errors
from icdframes.settings import Server
from icdframes.transport.retry import MOST_RENEWALS, MOST_THROTTLES

ASKED_AGAIN = {errors.ConnectionFailedError, errors.RateLimitedError, errors.ServerError}
ATTEMPTS = 3  # the clients of these tests have two retries
WORKERS = 4  # and so many threads
TARGET = "12"
ALL = ["10", "11", "12", "13", "14"]


@dataclass(frozen=True)
class Ends:
    """How a fault that stays ends; one that passes is overcome."""

    error: type | None = None
    words: str = ""
    requests: int = 1
    passes: bool = False
    waits: tuple[float, float] | None = None
    told: str = ""
    throttled: bool = False


@dataclass(frozen=True)
class Fault:
    name: str
    step: Callable
    api: Ends | None = None
    token: Ends | None = None
    settings: dict | None = None


def tried_again(error, words, waits=None):
    return Ends(error, words, ATTEMPTS, passes=True, waits=waits)


COMPLETE = Ends()
LOST = tried_again(errors.ConnectionFailedError, "No complete answer from 127.0.0.1")
CUT = tried_again(errors.ConnectionFailedError, "cut short")
LATE = tried_again(errors.ConnectionFailedError, "did not answer in time")
NOT_JSON = tried_again(errors.ResponseShapeError, "not JSON .*log-in page")
NO_TOKEN = tried_again(errors.ServerError, "did not answer as a token endpoint does: check the token URL")
NOT_A_TOKEN = Ends(errors.ServerError, "did not answer as a token endpoint does: check the token URL")
SHORT = {"timeout": (5, 0.4), "retries": 2}


def status(number, body="", headers=None):
    kind = {"Content-Type": "text/html" if str(body).startswith("<") else "text/plain"}
    return lambda wire: wire.response(number, body, kind | (headers or {}))


def ok(body, headers=None, **more):
    return lambda wire: wire.response(200, body, headers, **more)


def altered(**changes):
    return lambda wire: wire.response(body=wire.entity(TARGET, **changes))


def link(path):
    return f"http://id.who.int{path}"


def below(path):
    return altered(child=[link(path)])


def shape(path, words=""):
    return Ends(errors.ResponseShapeError, rf"{re.escape(path)} should be .*{words}.*report it", requests=2)


def sent_by(action):
    """A step that acts on the connection itself: action(wire, connection, good answer)."""
    return lambda wire: lambda connection, good: action(wire, connection, good)


def _reset_before(wire, connection, _good):
    wire.reset(connection)


def _reset_within(wire, connection, good):
    connection.sendall(good[:-20])
    time.sleep(0.05)  # or the reset overtakes what was sent
    wire.reset(connection)


def _silence(_wire, connection, _good):
    connection.recv(1)


def drips(name, begin, piece):
    """An answer that begins well, and goes on with a piece every second."""

    def send(wire, connection, good):
        connection.sendall(begin(good))
        for _ in range(100):
            wire.time.ahead += 1
            connection.sendall(piece)
            time.sleep(0.005)  # or several pieces arrive as one

    ends = tried_again(errors.ConnectionFailedError, "the answer was not complete after 20 s")
    return Fault(name, sent_by(send), ends, ends, {"timeout": (5, 2)})


def _chunked(good):
    body = good.partition(b"\r\n\r\n")[2]
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


def _longer(good):
    return re.sub(rb"Content-Length: \d+", b"Content-Length: 100000", good)


def _back_to_itself(number):
    def send(wire, connection, good):
        path = wire.token if b"access_token" in good else f"{HERE}/{TARGET}"
        connection.sendall(wire.response(number, "", {"Location": path}))

    return send


def _flood(_wire, connection, _good):
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 200000000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" " * 1_000_000)


def _cut_gzip(_wire, connection, good):
    body = gzip.compress(good.partition(b"\r\n\r\n")[2] * 50)[:-40]
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def _wrong_length(by):
    def send(_wire, connection, good):
        length = int(re.search(rb"Content-Length: (\d+)", good)[1])
        connection.sendall(good.replace(b"Length: %d" % length, b"Length: %d" % (length + by)))

    return send


def _cut_chunk(_wire, connection, good):
    body = good.partition(b"\r\n\r\n")[2]
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"%x\r\n" % (len(body) + 7) + body)


def _twice(_wire, connection, good):
    body = good.partition(b"\r\n\r\n")[2]
    body = b'{"title": {"@value": "another"}, "access_token": "another", ' + body[1:]
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


DEEP = b"[" * 100_000 + b"]" * 100_000
HERE = "/icd/release/11/2024-01/mms"

FAULTS = [
    # --- the connection
    Fault("reset before the answer", sent_by(_reset_before), LOST, LOST),
    Fault("reset in the middle of the body", sent_by(_reset_within), LOST, LOST),
    Fault("closed without an answer", lambda _: lambda connection, _: connection.close(), LOST, LOST),
    Fault("no answer in time", sent_by(_silence), LATE, LATE, SHORT),
    drips("an answer that drips, byte by byte", _longer, b" "),
    Fault("a first line that is not HTTP", lambda _: b"SSH-2.0-OpenSSH_9\r\n\r\n", LOST, LOST),
    Fault("a header of 100 KB", ok({}, {"X-Long": "x" * 100_000}), LOST, LOST),
    # --- the body
    Fault("body shorter than Content-Length", sent_by(_wrong_length(9)), CUT, CUT),
    Fault("body longer than Content-Length", sent_by(_wrong_length(-9)), NOT_JSON, NO_TOKEN),
    Fault("truncated gzip", sent_by(_cut_gzip), NOT_JSON, NO_TOKEN),
    Fault("what is no gzip", ok(b"not at all", {"Content-Encoding": "gzip"}), CUT, CUT),
    Fault("last chunk missing", sent_by(_cut_chunk), CUT, CUT),
    Fault("200 with a page of HTML", ok("<html>Log in to the hospital's network</html>"), NOT_JSON, NO_TOKEN),
    Fault("200 with an empty body", ok(""), NOT_JSON, NO_TOKEN),
    Fault("200 with half a JSON", ok(b'{"title": "Chol'), NOT_JSON, NO_TOKEN),
    Fault("200 with invalid UTF-8", ok(b'{"title": "Chol\xff"}'), NOT_JSON, NO_TOKEN),
    Fault("JSON nested 100,000 deep", ok(DEEP), NOT_JSON, NO_TOKEN),
    Fault("duplicate keys in the JSON", sent_by(_twice), COMPLETE, COMPLETE),
    Fault(
        "a body of 200 MB",
        sent_by(_flood),
        Ends(errors.ServerError, "more than 64 MB; this was not read"),
        Ends(errors.ServerError, "more than 64 MB; this was not read"),
    ),
    # --- the status
    Fault(
        "429 with seconds",
        status(429, headers={"Retry-After": "7"}),
        tried_again(errors.RateLimitedError, "too many requests .*in 7 s", waits=(6, 7)),
        tried_again(errors.RateLimitedError, "too many requests", waits=(6, 7)),
    ),
    Fault(
        "429 with a date",
        lambda wire: wire.response(429, "", {"Retry-After": formatdate(time.time() + 60, usegmt=True)}),
        tried_again(errors.RateLimitedError, "too many requests", waits=(50, 60)),
        tried_again(errors.RateLimitedError, "too many requests", waits=(50, 60)),
    ),
    Fault(
        "429 without Retry-After",
        status(429),
        tried_again(errors.RateLimitedError, "too many requests .*later"),
        tried_again(errors.RateLimitedError, "too many requests"),
    ),
    *[
        Fault(
            name,
            status(number, body, headers),
            replace(
                tried_again(errors.ServerError, f"status {number}.*Try again later", waits=waits),
                throttled=headers is not None,
            ),
            tried_again(errors.ServerError, f"status {number}: try again later", waits=waits),
        )
        for name, number, body, headers, waits in (
            ("500", 500, "boom", None, None),
            ("502 with a page of HTML", 502, "<html>Bad gateway</html>", None, None),
            ("503", 503, "", None, None),
            ("503 with Retry-After", 503, "", {"Retry-After": "9"}, (8, 9)),
            ("504", 504, "", None, None),
        )
    ],
    *[
        Fault(
            str(number),
            status(number, "because I say so"),
            Ends(errors.ServerError, f"status {number}. The server says: because I say so"),
            Ends(errors.ServerError, f"status {number}: try again later"),
        )
        for number in (400, 406, 408)
    ],
    Fault(
        "403",
        status(403, "<html>firewall</html>"),
        Ends(errors.CredentialsRejectedError, r"does not accept the token \(403\)"),
        Ends(errors.ServerError, "status 403"),
    ),
    Fault(
        "404",
        status(404, "nothing here"),
        Ends(errors.EntityNotFoundError, r"does not exist on this server \(404\)"),
        Ends(errors.ServerError, "status 404"),
    ),
    Fault(
        "401, once or always",
        status(401),
        Ends(
            errors.CredentialsRejectedError,
            r"does not accept the token \(401\)",
            2,
            passes=True,
            told="some new tokens; if it stays: `CredentialsRejectedError`",
        ),
        Ends(errors.CredentialsRejectedError, "refuses the client …abcd .*belong together"),
    ),
    # --- redirects
    *[
        Fault(
            f"{number} to another host",
            status(number, headers={"Location": f"http://localhost:9{HERE}/12"}),
            Ends(
                errors.ServerError, "redirects to 'http://localhost:9/.*; this is not followed, so that no token leaves"
            ),
            Ends(
                errors.ServerError, "redirects to 'http://localhost:9/.*; this is not followed, so that no token leaves"
            ),
        )
        for number in (301, 302, 307)
    ],
    *[
        Fault(
            f"{number} to https on the same host, which is not there",
            status(number, headers={"Location": f"https://127.0.0.1{HERE}/12"}),
            LOST,
            # a POST is only sent on where it stays one
            LOST
            if number == 307
            else Ends(errors.ServerError, "redirects to 'https://127.0.0.1/.*; this is not followed"),
        )
        for number in (301, 302, 307)
    ],
    Fault("301 to another place on the same host", status(301, headers={"Location": f"{HERE}/12/"}), COMPLETE),
    *[
        Fault(
            f"{number} in a loop",
            sent_by(_back_to_itself(number)),
            Ends(errors.ServerError, "redirects to itself, again and again", 5),
            Ends(errors.ServerError, "redirects to itself, again and again", 5)
            if number == 307
            else Ends(errors.ServerError, "redirects to '/connect/token'; this is not followed"),
        )
        for number in (301, 302, 307)
    ],
    *[
        Fault(
            f"301 to {kind}",
            status(301, headers={"Location": location}),
            Ends(errors.ServerError, "redirects to '.*'; this is not followed"),
            Ends(errors.ServerError, "redirects to '.*'; this is not followed"),
        )
        for kind, location in (
            ("what is no URL", "https://[icd"),
            ("a file", "file:///etc/passwd"),
            ("a host that is written in two ways", "http://evil.example\\@127.0.0.1/icd"),
        )
    ],
    Fault("301 that leads nowhere", status(301), Ends(errors.ServerError, "status 301"), NOT_A_TOKEN),
    # --- the shape
    Fault("an entity without @id", altered(**{"@id": ...}), shape("$.@id", "nothing")),
    Fault("children as one string", altered(child=link(f"{HERE}/13")), shape("$.child", "a list")),
    Fault("a title that is null", altered(title=None), shape("$.title", "nothing")),
    Fault("a title that is a plain string", altered(title="Cholera"), shape("$.title", "str")),
    Fault("a list where an object should be", ok([1, 2]), shape("$", "list")),
    Fault("a number where an object should be", ok("5"), shape("$", "int")),
    Fault(
        "another entity than the one asked for",
        lambda wire: wire.response(body=wire.entity("11")),
        Ends(errors.ResponseShapeError, "Asked for .*/12, but the answer is .*/11", 2),
    ),
    Fault("a child on another host", altered(child=["https://evil.example/icd/entity/5"]), shape("$.child[0]")),
    Fault("a child that is no URI", altered(child=["../../etc/passwd"]), shape("$.child[0]")),
    Fault("a child whose id has odd characters", below(f"{HERE}/1%2F..%2F..%2Fsecret"), shape("$.child[0]")),
    Fault("a child whose id holds a line break", below(f"{HERE}/5%0D%0AX-Evil:1"), shape("$.child[0]")),
    Fault("half a character in a title", altered(title={"@language": "en", "@value": "\ud800"}), COMPLETE),
    # --- the hierarchy
    Fault("an entity that lists itself as child", below(f"{HERE}/12"), COMPLETE),
    Fault("a circle of two", below(f"{HERE}/10"), COMPLETE),
    Fault("a child listed three times", altered(child=[link(f"{HERE}/11")] * 3), COMPLETE),
    # --- the token
    Fault("200 with a list", ok(["token"]), None, NOT_A_TOKEN),
    Fault("no access_token", ok({"token_type": "Bearer"}), None, NOT_A_TOKEN),
    Fault("an empty access_token", ok({"access_token": ""}), None, NOT_A_TOKEN),
    Fault("an access_token that is a number", ok({"access_token": 5}), None, NOT_A_TOKEN),
    Fault("an access_token with a line break", ok({"access_token": "a\r\nX-Evil: 1"}), None, NOT_A_TOKEN),
    Fault("expires_in that is no number", ok({"access_token": "a", "expires_in": "soon"}), None, NOT_A_TOKEN),
    Fault("expires_in that is infinite", ok('{"access_token": "a", "expires_in": 1e999}'), None, NOT_A_TOKEN),
    *[
        Fault(
            f"400 {code}",
            lambda wire, code=code: wire.response(400, {"error": code}),
            None,
            Ends(error, words),
        )
        for code, error, words in (
            (
                "invalid_client",
                errors.CredentialsRejectedError,
                "refuses the client …abcd .*no blank or quote was copied",
            ),
            ("invalid_scope", errors.ConfigurationError, "check the token URL"),
            ("temporarily_unavailable", errors.ServerError, "gives no token .temporarily_unavailable.*again later"),
        )
    ],
]

ROWS = [
    pytest.param(fault, place, ends, stays, id=f"{place}: {fault.name}{'' if stays else ', once'}")
    for fault in FAULTS
    for place, ends in (("api", fault.api), ("token", fault.token))
    if ends
    for stays in ((True, False) if ends.passes else (True,))
]


@pytest.mark.slow
@pytest.mark.parametrize("fault,place,ends,stays", ROWS)
@pytest.mark.filterwarnings("ignore::icdframes.errors.HierarchyWarning")
def test_a_fault_is_overcome_or_told_and_nothing_is_lost(  # one row of the matrix
    faulty, wire, make_client, free_time, fault, place, ends, stays
):
    fails = stays and ends.error is not None
    path = wire.token if place == "token" else f"{wire.top}/{TARGET}"
    faulty.plan[path] = [fault.step(wire), ...] if stays else [fault.step(wire)]
    client = make_client(**(fault.settings or {}))
    if fails:
        loaded, message = _failed(client, place, ends)
        assert re.search(ends.words, message), message
        assert "\n" not in message
        assert not [secret for secret in (wire.secret, *faulty.tokens) if secret in message]
    else:
        loaded = ids(load(client))
    had = [] if fails and place == "token" else [one for one in ALL if one != TARGET or not fails]
    assert loaded == had
    if stays and fault.name == "401, once or always" and place == "api":
        assert (
            2 <= faulty.count(path) <= MOST_RENEWALS + 1
        )  # others are answered meanwhile, so it may be another process
    else:
        assert faulty.count(path) == (_requests(ends, place) if stays else 2)
    if ends.waits:
        assert any(ends.waits[0] < seconds <= ends.waits[1] for seconds in free_time.slept)
    before = dict.fromkeys([seen for seen, _ in faulty.seen if seen.startswith(wire.top)])
    faulty.plan.clear()
    faulty.seen.clear()
    assert ids(load(make_client())) == ALL
    again = {seen for seen, _ in faulty.seen if seen.startswith(wire.top)}
    assert not again & (before.keys() - {path})


def _requests(ends, place):
    """How often a fault that stays is met: a walk asks again at its end for what server or network failed to give."""
    if place == "token" or ends.error not in ASKED_AGAIN or re.search(r"status [34]\d\d", ends.words):
        return ends.requests
    return 2 * (ends.requests + (MOST_THROTTLES if ends.error is errors.RateLimitedError or ends.throttled else 0))


# --- what is no single answer: the network, the hierarchy, the tokens, the clock -------------------------------------


@pytest.fixture
def full_queue():
    """A port on which nobody takes the connections any more."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in waiting:
            connection.close()


@pytest.fixture
def nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def no_name(monkeypatch):
    """An address that no name server knows; the others are numbers."""
    real = socket.getaddrinfo

    def look_up(host, *args, **options):
        if host == "icd.invalid":
            raise socket.gaierror(-2, "Name or service not known")
        return real(host, *args, **options)

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", look_up)
    return "https://icd.invalid"


NETWORK = [
    ("connection refused", "nobody_there", "connection refused"),
    ("connect timeout", "full_queue", "did not answer in time"),
    ("DNS failure", "no_name", "its name could not be resolved"),
]


@pytest.mark.parametrize("name,where,words", NETWORK, ids=str)
@pytest.mark.parametrize("place", ["api", "token"])
def test_a_server_that_cannot_be_reached_is_told(request, faulty, make_client, free_time, place, name, where, words):
    url = request.getfixturevalue(where)
    token_url = faulty.server.token_url if place == "api" else f"{url}/connect/token"
    server = Server("sandbox", url if place == "api" else faulty.url, token_url)
    client = make_client(server, timeout=(0.3, 5))
    with pytest.raises(
        errors.ConnectionFailedError, match=rf"No complete answer from .*{words}.*can be used offline"
    ) as caught:
        load(client)
    info = client.cache_info()
    assert info.requests_sent == (ATTEMPTS if place == "api" else 0)
    assert info.answers == 0
    assert len(free_time.slept) == ATTEMPTS - 1
    assert url.partition("://")[2] in str(caught.value)
    if place == "token":
        assert ids(load(make_client(faulty.server))) == ALL


def test_a_circle_of_three_is_told_and_each_entity_is_there_once(faulty, make_client):
    faulty.children = {"10": ["11"], "11": ["12"], "12": ["13"], "13": ["11"]}
    with pytest.warns(errors.HierarchyWarning, match="11 is below itself through 13"):
        tables = load(make_client())
    assert ids(tables) == ["10", "11", "12", "13"]
    assert len(faulty.seen) == 1 + 1 + 4


def test_a_child_that_does_not_exist_costs_nothing_but_itself(faulty, make_client):
    faulty.children = {"10": ["11", "99", "12"], "11": [], "12": []}
    with pytest.raises(errors.TraversalError, match=r"1 entities could not be loaded, 3 could .99: .*404") as caught:
        load(make_client())
    assert ids(caught.value.tables) == ["10", "11", "12"]
    assert isinstance(caught.value.failures["99"], errors.EntityNotFoundError)
    assert caught.value.tables.entities.n_children[0] == 3
    assert faulty.count(f"{HERE}/99") == 1


def test_ten_thousand_children_are_one_answer(faulty, make_client):
    faulty.children = {"10": [str(number) for number in range(11, 10_011)]}
    tables = make_client().load_tables(link(f"{HERE}/10"), depth=0, progress=False)
    assert tables.entities.n_children.tolist() == [10_000]
    assert faulty.count(f"{HERE}/10") == 1


REFUSED = "does not accept the token .401.*key is active"


@pytest.mark.parametrize("kind", ["expired", "not yet valid", "garbage"])
@pytest.mark.parametrize("stays", [False, True])
def test_a_token_that_is_worth_nothing_is_replaced_once(faulty, wire, make_client, kind, stays):
    value = {"expired": "eyJ.old.x", "not yet valid": "eyJ.new.x", "garbage": "?" * 5000}[kind]
    worthless = wire.response(body={"access_token": value, "expires_in": 3600, "token_type": "Bearer"})
    faulty.plan[wire.token] = [worthless, ...] if stays else [worthless]
    client = make_client()
    if stays:
        with pytest.raises(errors.CredentialsRejectedError, match=REFUSED) as caught:
            load(client)
        assert value not in str(caught.value)
        assert faulty.count(HERE) == 2
    else:
        assert ids(load(client)) == ALL
        assert len(faulty.seen) == 2 + 2 + len(ALL)
    assert faulty.count(wire.token) == 2


@pytest.mark.parametrize("expires_in", [..., None, 0, -1, 59, 1e300, "3600", True, []])
def test_a_token_without_a_sensible_end_is_used_until_it_is_refused(faulty, wire, make_client, expires_in):
    faulty.plan[wire.token] = [faulty.token_answer(expires_in=expires_in)]
    assert ids(load(make_client())) == ALL
    assert faulty.count(wire.token) == 1


def test_a_token_endpoint_that_fails_during_a_walk_loses_only_what_was_not_asked_for(faulty, wire, make_client):
    def revoke(connection, good):
        faulty.valid.clear()
        faulty.plan[wire.token] = [wire.response(500), ...]
        connection.sendall(good)

    faulty.plan[f"{HERE}/10"] = [revoke]
    with pytest.raises(errors.TraversalError) as caught:
        load(make_client())
    assert ids(caught.value.tables) == ["10"]
    assert all("status 500" in str(failure) for failure in caught.value.failures.values())
    faulty.plan.clear()
    faulty.seen.clear()
    assert ids(load(make_client())) == ALL
    assert faulty.count(f"{HERE}/10") == 0


def test_a_server_where_nothing_works_any_more_ends_the_walk_with_what_there_is(faulty, wire, make_client):
    children = [str(number) for number in range(100, 400)]
    faulty.children = {"10": children} | {child: [] for child in children}
    for child in children[20:]:
        faulty.plan[f"{HERE}/{child}"] = [wire.response(503), ...]
    with pytest.raises(errors.TraversalError) as caught:
        load(make_client())
    assert any("too many entities had failed" in str(failure) for failure in caught.value.failures.values())
    assert 1 <= len(caught.value.tables.entities) <= 21
    assert len(caught.value.failures) + len(caught.value.tables.entities) == 301
    assert len(faulty.seen) < 150
    assert not caught.value.tables.provenance.complete


@pytest.mark.parametrize("number", [429, 503])
def test_a_server_that_asks_to_wait_an_hour_is_left_alone_for_an_hour(faulty, wire, make_client, free_time, number):
    children = [str(child) for child in range(100, 200)]
    faulty.children = {"10": children} | {child: [] for child in children}
    for child in children[20:]:
        faulty.plan[f"{HERE}/{child}"] = [wire.response(number, "", {"Retry-After": "3600"}), ...]
    client = make_client()
    with pytest.raises(errors.TraversalError) as caught:
        load(client)
    assert 1 <= sum(faulty.count(f"{HERE}/{child}") for child in children[20:]) <= WORKERS
    had, failures = caught.value.tables.entities.entity_id.tolist(), caught.value.failures
    assert set(had) <= {"10", *children[:20]}
    assert len(had) > 1
    assert sorted([*had, *failures]) == ["10", *children]
    assert any("too many entities had failed" in str(failure) for failure in failures.values())
    assert any("has asked to be left alone" in str(failure) for failure in failures.values())
    seen = len(faulty.seen)
    free_time.ahead += 3550
    with pytest.raises(errors.TraversalError):
        load(client)
    with pytest.raises(errors.RateLimitedError, match=r"nothing is sent to it: try again in \d?\d s"):
        client.get(f"{HERE}/199")
    assert len(faulty.seen) == seen
    faulty.plan.clear()
    free_time.ahead += 100
    assert ids(load(client)) == ["10", *children]


def test_a_token_endpoint_that_asks_to_wait_an_hour_is_left_alone_for_an_hour(faulty, wire, make_client, free_time):
    faulty.plan[wire.token] = [wire.response(429, "", {"Retry-After": "3600"})]
    client = make_client()
    for words in ("too many requests", "has asked to be left alone"):
        with pytest.raises(errors.RateLimitedError, match=words):
            load(client)
        free_time.ahead += 60
    assert [path for path, _ in faulty.seen] == [wire.token]
    free_time.ahead += 3500
    assert ids(load(client)) == ALL


def test_an_entity_for_which_nothing_comes_for_ten_minutes_costs_the_walk_nothing_else(
    faulty, make_client, monkeypatch
):
    monkeypatch.setattr("icdframes.walk._LONGEST_DROUGHT", 1)
    monkeypatch.setattr("icdframes.worker_pool._LEAVE_SECONDS", 0.1)

    def drip(connection, _good):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not faulty.leaving.wait(0.05):
            connection.sendall(b"x")

    faulty.plan[f"{HERE}/12"] = [drip, ...]
    with pytest.raises(errors.TraversalError, match=r"12: No answer came, and nothing had succeeded") as caught:
        load(make_client())
    assert ids(caught.value.tables) == ["10", "11", "13", "14"]
    assert faulty.count(f"{HERE}/12") == 1


def test_the_token_follows_no_link_and_no_redirect_to_another_place(faulty, wire, make_client):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        faulty.plan[f"{HERE}/11"] = [wire.response(302, "", {"Location": f"{there}{HERE}/11"}), ...]
        faulty.plan[f"{HERE}/12"] = [wire.response(body=wire.entity("12", child=[f"{there}{HERE}/5"])), ...]
        faulty.plan[f"{HERE}/13"] = [
            wire.response(body=wire.entity("13", child=["http://id.who.int:8080/icd/entity/5"])),
            ...,
        ]
        with pytest.raises(errors.TraversalError) as caught:
            load(make_client())
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert sorted(caught.value.failures) == ["11", "12", "13"]


def _failed(client, place, ends):
    """The entities that a failing load gives, and what it says."""
    if place == "token":
        with pytest.raises(ends.error) as caught:
            load(client)
        return [], str(caught.value)
    with pytest.raises(errors.TraversalError, match=r"What was fetched is in the cache: run it again") as caught:
        load(client)
    assert list(caught.value.failures) == [TARGET]
    failure = caught.value.failures[TARGET]
    assert type(failure) is ends.error
    assert str(failure) in str(caught.value)
    return ids(caught.value.tables), str(failure)


def load(client):
    return client.load_tables(release="2024-01", progress=False)


def ids(tables):
    return tables.entities.entity_id.tolist()


def markdown():
    """Return the table of notebooks/reliability.md."""
    lines = ["| Fault | At the API | At the token endpoint | Lost |", "| --- | --- | --- | --- |"]
    lines += [f"| {fault.name} | {_told(fault.api)} | {_told(fault.token)} | nothing |" for fault in FAULTS]
    lines += [f"| {name} | {_told(LOST)} | {_told(LOST)} | nothing |" for name, _, _ in NETWORK]
    lines += [f"| {name} | {how} | {token} | nothing |" for name, how, token in OTHERS]
    return "\n".join(lines)


OTHERS = [
    (
        "429 or 503 that asks to wait an hour",
        "`RateLimitedError` for every request until then, and none is sent; a walk ends with what it has",
        "`RateLimitedError` until then, and nothing is sent",
    ),
    ("no answer at all for ten minutes", "`TraversalError` with everything else", "-"),
    ("a circle of three", "each entity once, `HierarchyWarning`", "-"),
    ("a child that does not exist", "`TraversalError` with everything else", "-"),
    ("10,000 children", "read", "-"),
    ("a token that is expired, not yet valid or garbage", "one new token; else `CredentialsRejectedError`", "-"),
    ("`expires_in` missing, null, 0, negative or enormous", "-", "used until it is refused"),
    ("502, 503 or 429 from every address for up to two minutes", "waited for, with one probe at a time", "the same"),
    ("every twentieth answer is 429, 503 or cut short", "tried again", "-"),
    (
        "each new token ends the one before, as with two programs on one key",
        "new tokens, up to 20 for one request; both programs finish",
        "-",
    ),
    ("an answer of another release, linearization or language", "`ResponseShapeError`; not kept", "-"),
    (
        "a root that is an entity, or without entities; a list without releases",
        "`ResponseShapeError`; not kept, no empty table",
        "-",
    ),
    (
        "another release or corpus at the same address, on a server of your own",
        "asked for once by each new client; what was kept before is passed over",
        "-",
    ),
    ("a release that is listed and not there", "`releases()` has a row without title, and `PartialResultWarning`", "-"),
    ("the own token or secret in the body of an answer", "`ServerError`; neither shown nor kept", "the same"),
    ("a host in upper case, or with its usual port", "read", "-"),
]


def _told(ends):
    if ends is None:
        return "-"
    if ends.error is None:
        return "read"
    if ends.told:
        return ends.told
    name = f"`{ends.error.__name__}`"
    return f"tried again; if it stays: {name}" if ends.passes else name


def test_the_guide_shows_the_whole_table(project):
    assert markdown() in (project / "notebooks" / "reliability.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    print(markdown())  # noqa: T201  that is what it is for
