"""Sockets, threads, faults and the log."""

import http.client
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from icdframes.errors import ConfigurationError
from icdframes.sandbox import Sandbox, serve, shared_sandbox
from icdframes.sandbox.faults import Fault, FaultQueue

ROOT = "/icd/entity"


def test_a_connection_is_kept_alive(sandbox, api):
    connection = http.client.HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    seen = set()
    for _ in range(3):
        connection.request("GET", ROOT, headers=api.headers)
        connection.getresponse().read()
        seen.add(connection.sock.getsockname())
    connection.close()
    assert len(seen) == 1


def test_an_answer_is_not_held_up_by_delayed_acknowledgements(sandbox, api):
    api.get(ROOT)
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        api.get(ROOT)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.03  # a delayed acknowledgement would add 0.04 s to each


def test_many_threads_are_answered_rightly(sandbox, api):
    def ask(number):
        path = "/icd/release/11/2024-01/mms/" + ("11" if number % 2 else "20")
        return requests.Session().request("GET", sandbox.url + path, headers=api.headers).json()["code"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(ask, range(64)))
    assert codes == ["2A00", "1A00"] * 32


def test_it_listens_on_this_machine_only(sandbox):
    assert sandbox._server.socket.getsockname()[0] == "127.0.0.1"


def test_stopping_ends_open_connections_and_threads(corpus, talk):
    before = set(threading.enumerate())
    sandbox = Sandbox(corpus).start()
    api = talk(sandbox)
    assert api.get(ROOT).status_code == 200
    sandbox.stop()
    assert set(threading.enumerate()) <= before
    with pytest.raises(requests.ConnectionError):
        api.get(ROOT)
    sandbox.stop()


def test_stopping_does_not_wait_for_a_delayed_answer(corpus, talk):
    sandbox = Sandbox(corpus).start()
    api = talk(sandbox)
    sandbox.fail(ROOT, delay=60)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(api.get, ROOT)
        while not sandbox.count(ROOT):
            time.sleep(0.001)
        begun = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begun < 5
        assert isinstance(asked.exception(), requests.ConnectionError)


def test_it_may_start_again_at_the_same_address(corpus, talk):
    sandbox = Sandbox(corpus)
    with pytest.raises(ConfigurationError, match="start it first"):
        _ = sandbox.url
    assert repr(sandbox) == "Sandbox(stopped)"
    with sandbox:
        first = sandbox.url
        assert sandbox.start() is sandbox
        assert repr(sandbox) == f"Sandbox(at {first})"
    with sandbox:
        assert sandbox.url == first
        assert talk(sandbox).get(ROOT).status_code == 200


@pytest.mark.parametrize("port", [-1, 70_000, "8080", True])
def test_a_port_that_cannot_be_is_told(corpus, port):
    with pytest.raises(ConfigurationError, match=f"port={port!r}"):
        Sandbox(corpus, port=port)


def test_a_port_in_use_is_told(sandbox, corpus):
    with pytest.raises(ConfigurationError, match="give another port"):
        Sandbox(corpus, port=sandbox._server.server_port).start()


def test_neither_repr_nor_log_holds_secret_or_token(sandbox, api):
    api.get(ROOT)
    shown = repr(sandbox) + repr(sandbox.log)
    assert sandbox.client_secret not in shown
    assert api.headers["Authorization"].split()[1] not in shown


def test_the_log_tells_what_was_asked(sandbox, api):
    api.get(f"{ROOT}?releaseId=2022-02", language="en", Authorization=None)
    api.get("/nothing", API_Version=None)
    assert [(r.method, r.path, r.status, r.language, r.api_version, r.has_token) for r in sandbox.log] == [
        ("POST", "/connect/token", 200, None, None, False),
        ("GET", f"{ROOT}?releaseId=2022-02", 401, "en", "v2", False),
        ("GET", "/nothing", 404, "en", None, True),
    ]
    assert (sandbox.count(), sandbox.count("/icd/"), sandbox.tokens_issued) == (3, 1, 1)
    sandbox.clear_log()
    assert sandbox.log == []


def test_a_delay_is_kept_for_all_at_once(start, talk):
    sandbox = start(delay=0.4)
    begun = time.monotonic()
    talk(sandbox).get(ROOT)
    assert time.monotonic() - begun >= 0.4
    slower = start()
    slower.fail(ROOT, delay=60, times=4)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(talk(slower).get, ROOT) for _ in range(4)]
        while slower.count(ROOT) < 4:
            time.sleep(0.001)
        slower.stop()
        assert all(isinstance(one.exception(), requests.ConnectionError) for one in asked)


def test_a_status_is_given_as_often_as_asked_and_then_the_real_answer(sandbox, api):
    sandbox.fail("/icd/release/11/*/mms", status=503, times=2, headers={"Retry-After": "1"})
    path = "/icd/release/11/2024-01/mms"
    assert api.get(ROOT).status_code == 200
    answers = [api.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].headers["Retry-After"], answers[0].text) == ("1", "Service Unavailable")


def test_a_fault_without_number_lasts_until_it_is_cleared(sandbox, api):
    sandbox.fail(ROOT, status=599, times=None, body="<html>", content_type="text/html")
    for _ in range(3):
        answer = api.get(ROOT)
        assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (599, "<html>", "text/html")
    sandbox.clear_faults()
    assert api.get(ROOT).status_code == 200


def test_the_token_endpoint_can_fail_too(sandbox, api):
    sandbox.fail("/connect/token", status=500)
    assert api.token().status_code == 500
    assert api.token().status_code == 200


def test_a_cut_body_ends_the_connection_early(sandbox, api):
    sandbox.fail(ROOT, cut_body=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get(ROOT)
    assert api.get(ROOT).status_code == 200


def test_a_closed_connection_gives_no_answer(sandbox, api):
    sandbox.fail(ROOT, close=True)
    with pytest.raises(requests.ConnectionError):
        api.get(ROOT)
    assert sandbox.log[-1].status is None
    assert api.get(ROOT).status_code == 200


def test_a_good_answer_can_be_altered(sandbox, api):
    sandbox.fail(ROOT, content_type="text/html", headers={"API-Version": "v9"})
    altered = api.get(ROOT)
    assert (altered.status_code, altered.headers["Content-Type"], altered.headers["API-Version"]) == (
        200,
        "text/html",
        "v9",
    )
    assert altered.content == api.get(ROOT).content
    sandbox.fail(ROOT, body=b"{")
    assert api.get(ROOT).content == b"{"


def test_faults_are_taken_in_the_order_they_were_planned():
    book = FaultQueue()
    book.add(Fault("/a*", status=500))
    book.add(Fault("/*", status=503))
    assert [fault and fault.status for fault in map(book.take, ("/b", "/a", "/a", "/a"))] == [503, 500, None, None]


def _raw(sandbox, message):
    with socket.create_connection(("127.0.0.1", sandbox._server.server_port), timeout=5) as connection:
        connection.sendall(message)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            if b"100 Continue" in received and b"\r\n\r\nabc" not in message:
                connection.sendall(b"abc")
                message += b"\r\n\r\nabc"
    return received


@pytest.mark.parametrize("length", ["Transfer-Encoding: chunked", "Content-Length: x", "Content-Length: 99999999"])
def test_a_body_without_a_plain_length_is_refused(sandbox, length):
    assert b" 411 " in _raw(sandbox, f"POST {ROOT} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode()).split(b"\r\n")[0]


def test_a_client_that_waits_for_leave_to_send_gets_it(sandbox):
    head = f"POST {ROOT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    received = _raw(sandbox, head.encode())
    assert received.startswith(b"HTTP/1.1 100 ")
    assert b" 405 " in received
    assert b"Connection: close" in received


def test_a_client_that_goes_away_disturbs_nobody(sandbox, api, capfd):
    sandbox.fail(ROOT, delay=0.05)
    with socket.create_connection(("127.0.0.1", sandbox._server.server_port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(f"GET {ROOT} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while not sandbox.count(ROOT):
            time.sleep(0.001)
    while len(sandbox._server._connections) > 1:
        time.sleep(0.001)
    assert api.get(ROOT).status_code == 200
    assert capfd.readouterr().err == ""


def test_what_goes_wrong_within_the_server_is_shown(sandbox, api, capfd):
    sandbox._server.respond = lambda asked: 1 / 0
    with pytest.raises(requests.ConnectionError):
        api.get(ROOT)
    sandbox.stop()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_the_shared_sandbox_is_one():
    with ThreadPoolExecutor(4) as pool:
        assert len({id(found) for found in pool.map(lambda _: shared_sandbox(), range(4))}) == 1
    assert shared_sandbox().url.startswith("http://127.0.0.1:")


def test_serve_tells_in_one_line_how_to_connect_and_ends_when_told():
    until, lines = threading.Event(), []
    until.set()
    serve(out=lines.append, until=until)
    serve(out=lines.append, until=until, authenticate=False)
    assert [line.count("\n") for line in lines] == [0, 0]
    assert 'client_id="sandbox-client"' in lines[0]
    assert "token" not in lines[1]


@pytest.mark.slow
def test_an_interrupted_server_ends_quietly():
    import signal

    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from icdframes.sandbox import serve; serve()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True) as process:
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(20), process.stderr.read()) == (0, "")


@pytest.mark.slow
def test_a_program_that_forgets_the_shared_sandbox_still_ends():
    program = "from icdframes.sandbox import shared_sandbox; print(shared_sandbox().url)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert (done.stdout[:17], done.stderr) == ("http://127.0.0.1:", "")


def test_the_sandbox_loads_no_library_of_tables_or_http():
    program = "import sys, icdframes.sandbox; print(sorted({'pandas', 'requests', 'authlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 1.0])
def test_a_fault_meets_a_share_of_the_requests(sandbox, api, share):
    sandbox.fail(ROOT, status=503, times=None, share=share)
    statuses = [api.get(ROOT).status_code for _ in range(40)]
    assert statuses.count(503) == 40 * share
    first = statuses.index(503)
    assert statuses[first + 1 :].count(503) == 40 * share - 1


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_is_a_part(sandbox, share):
    with pytest.raises(ConfigurationError, match="above 0, at most 1"):
        sandbox.fail("*", share=share)
