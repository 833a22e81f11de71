"""A secret or token must not be found in files, logs, representations, errors or the frames of a traceback."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest
from urllib3.connection import HTTPConnection

from icdframes.errors import IcdError

ENTITY = "/icd/release/11/2024-01/mms/257068234"


@pytest.fixture
def secrets(credentials, wire):
    """Everything that must not be seen, at the end of a test."""

    def known():
        basic = base64.b64encode(f"{credentials.client_id}:{credentials.client_secret}".encode()).decode()
        plain = [credentials.client_secret, basic, *wire.tokens, "token-number", "Bearer ey"]
        return plain + [base64.b64encode(text.encode()).decode().rstrip("=")[:-1] for text in plain]

    return known


def linked(error):
    """An error and all that hangs on it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_no_secret_in_the_cache_folder(make_session, wire, tmp_path, secrets):
    wire.headers = {"Vary": "Authorization", "Set-Cookie": "a=b"}
    session = make_session(wire)
    for number in range(5):
        session.get_json(f"{ENTITY}/{number}")
    wire.valid.clear()
    session.get_json(ENTITY, refresh=True)

    def content():
        return b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())

    for moment in ("open", "closed"):
        assert ENTITY.encode() in content(), moment
        assert not [secret for secret in secrets() if secret.encode() in content()], moment
        session.close()
    assert len(wire.tokens) == 2


def test_no_secret_in_the_logs(make_session, wire, caplog, secrets, reply):
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests_cache", "authlib", "requests"):
        caplog.set_level(logging.DEBUG, name)
    wire.script[f"{ENTITY}/1"] = [reply(503, ""), reply(body={"n": 1})]
    session = make_session(wire)
    session.get_json(ENTITY)
    session.get_json(f"{ENTITY}/1")
    wire.valid.clear()
    session.get_json(ENTITY, refresh=True)
    assert "GET /icd/release" in caplog.text
    assert "retry 1 of" in caplog.text
    assert not [secret for secret in secrets() if secret in caplog.text]


def test_no_secret_in_a_representation(make_session, wire, secrets):
    session = make_session(wire)
    session.get_json(ENTITY)
    shown = repr([session, vars(session), vars(session._tokens), vars(session._adapter), session.cache_info()])
    assert wire.url in shown
    assert not [secret for secret in secrets() if secret in shown]


@pytest.mark.parametrize("case", ["refused", "revoked", "dropped", "cut", "page", "echo", "missing", "token page"])
def test_no_secret_in_an_error_or_in_the_frames_behind_it(make_session, wire, reply, secrets, case):
    at, planned = {
        "refused": ("/connect/token", reply(400, {"error": "invalid_client"})),
        "token page": ("/connect/token", reply(500, "<html>")),
        "revoked": (ENTITY, reply(401, "")),
        "dropped": (ENTITY, reply(drop=True)),
        "cut": (ENTITY, reply(body={"n": 1}, lost=10)),
        "page": (ENTITY, reply(body="<html>")),
        "echo": (ENTITY, reply(400, "your header was Authorization: Bearer token-number-0")),
        "missing": (ENTITY, reply(404, "no")),
    }[case]
    wire.script[at] = [planned]
    with pytest.raises(IcdError) as caught:
        make_session(wire).get_json(ENTITY)
    chain = list(linked(caught.value))
    assert chain == [caught.value]
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if "/tests/" not in frame.filename]
    assert ours
    shown = "".join([*traceback.format_exception(caught.value), repr(caught.value.args), repr(vars(caught.value))])
    shown += "".join(str(frame.locals) for frame in ours)
    assert not [secret for secret in secrets() if secret in shown]


@pytest.mark.parametrize("interrupted", [1, 2], ids=["the token request", "the request"])
def test_no_secret_in_the_frames_of_an_interruption(make_session, wire, secrets, monkeypatch, interrupted):
    calls = []

    def getresponse(connection, real=HTTPConnection.getresponse):
        calls.append(connection)
        if len(calls) == interrupted:
            raise KeyboardInterrupt
        return real(connection)

    monkeypatch.setattr(HTTPConnection, "getresponse", getresponse)
    with pytest.raises(KeyboardInterrupt) as caught:
        make_session(wire).get_json(ENTITY)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert (report.__cause__, report.__context__) == (None, None)
    ours = [frame for frame in report.stack if "/tests/" not in frame.filename]
    assert len(ours) > 3
    assert not [secret for secret in secrets() if secret in "".join(str(frame.locals) for frame in ours)]


def test_the_answer_that_goes_up_to_the_cache_has_no_token(make_session, wire):
    session = make_session(wire)
    kept = []
    session._http.hooks["response"].append(lambda response, **_: kept.append(response))
    session.get_json(ENTITY)
    assert wire.asked()[0].headers["authorization"] == "Bearer token-number-0"
    assert "Authorization" not in kept[0].request.headers
    assert "Vary" not in kept[0].headers
