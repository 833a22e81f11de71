from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from icdframes.errors import (
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    RateLimitedError,
    ServerError,
)
from icdframes.settings import LOCAL, Server
from icdframes.transport.auth import TokenSource
from icdframes.transport.secrets import Credentials

TOKEN_PATH = "/connect/token"


@pytest.fixture
def source(wire, credentials, fake_time):
    return TokenSource(wire.server, lambda: credentials, retries=2, clock=fake_time.clock, sleep=fake_time.sleep)


def test_the_token_request_is_the_documented_one(source, wire):
    assert source.bearer().value == "token-number-0"
    (seen,) = wire.token_requests
    assert (seen.method, seen.body) == ("POST", b"grant_type=client_credentials&scope=icdapi_access")
    assert seen.headers["authorization"].startswith("Basic ")
    assert seen.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert seen.headers["user-agent"].startswith("icdframes/")


def test_sixteen_threads_buy_one_token(source, wire):
    start = threading.Barrier(16)

    def ask(_):
        start.wait(5)
        return source.bearer()

    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(ask, range(16)))
    assert len(tokens) == len(wire.token_requests) == source.fetched == 1


def test_sixteen_threads_replace_a_rejected_token_once(source, wire):
    old = source.bearer()
    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(source.bearer, [old] * 16))
    assert len(tokens) == 1
    assert old not in tokens
    assert len(wire.token_requests) == 2


@pytest.mark.parametrize(
    ("expires_in", "later", "bought"), [(3600, 3539, 1), (3600, 3541, 2), (None, 3539, 1), (None, 3541, 2), (0, 9e9, 1)]
)
def test_a_token_is_renewed_a_minute_before_its_end(source, wire, fake_time, expires_in, later, bought):
    wire.expires_in = expires_in
    source.bearer()
    fake_time.now += later
    source.bearer()
    assert len(wire.token_requests) == bought


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_refused_credentials_give_a_hint_and_not_the_secret(source, wire, reply, credentials, code):
    wire.script[TOKEN_PATH] = [reply(400, {"error": code, "error_description": credentials.client_secret})]
    with pytest.raises(CredentialsRejectedError, match=r"blank or quote.*key is active") as caught:
        source.bearer()
    assert credentials.masked_id in str(caught.value)
    assert credentials.client_secret not in str(caught.value)
    assert len(wire.token_requests) == 1


def test_threads_that_waited_share_the_refusal_and_other_credentials_are_tried_at_once(wire, credentials, fake_time):
    keys = [Credentials("client-9999-zzzz", "wrong")]
    source = TokenSource(wire.server, lambda: keys[0], clock=fake_time.clock, sleep=fake_time.sleep)

    def ask(_):
        with pytest.raises(CredentialsRejectedError):
            source.bearer()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(wire.token_requests) == 1
    fake_time.now += 6
    ask(0)
    assert len(wire.token_requests) == 2
    keys[0] = credentials
    assert source.bearer().value == "token-number-0"


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, {"error": "invalid_scope"}, ConfigurationError, "check the token URL"),
        (400, {"error": "unsupported_grant_type"}, ConfigurationError, "check the token URL"),
        (400, {"error": "invalid_request"}, ServerError, "invalid_request"),
        (400, {"error": {"code": "x"}}, ServerError, "unknown error"),
        (401, "nope", CredentialsRejectedError, "invalid_client"),
        (403, "<html>firewall</html>", ServerError, "status 403"),
        (404, "not here", ServerError, "status 404"),
        (500, "boom", ServerError, "status 500"),
        (429, "slow", RateLimitedError, "too many requests"),
        (200, "<html>log in</html>", ServerError, "as a token endpoint does"),
        (200, ["token"], ServerError, "as a token endpoint does"),
        (200, {}, ServerError, "as a token endpoint does"),
        (200, {"access_token": ""}, ServerError, "as a token endpoint does"),
        (200, {"access_token": "a\r\nX-Evil: 1"}, ServerError, "as a token endpoint does"),
        (200, {"access_token": 5}, ServerError, "as a token endpoint does"),
        (200, {"access_token": "a", "expires_in": "soon"}, ServerError, "as a token endpoint does"),
        (302, "", ServerError, "as a token endpoint does"),
    ],
)
def test_every_other_answer_is_a_clear_error(source, wire, reply, status, body, error, words):
    wire.script[TOKEN_PATH] = [reply(status, body)]
    with pytest.raises(error, match=words):
        source.bearer()


def test_passing_faults_of_the_token_endpoint_are_tried_again(source, wire, reply, fake_time):
    good = reply(body={"access_token": "at-last"})
    wire.script[TOKEN_PATH] = [reply(503), reply(429, headers={"Retry-After": "7"}), good]
    assert source.bearer().value == "at-last"
    assert 7 in fake_time.slept
    assert source.fetched == 1


def test_a_token_endpoint_that_asks_to_be_left_alone_for_an_hour_gets_no_request_until_then(
    source, wire, reply, fake_time
):
    wire.script[TOKEN_PATH] = [reply(429, headers={"Retry-After": "3600"}), reply(body={"access_token": "at-last"})]
    with pytest.raises(RateLimitedError, match="too many requests"):
        source.bearer()
    for _ in range(2):
        fake_time.now += 1000  # longer than a failure is remembered
        with pytest.raises(RateLimitedError, match=r"has asked to be left alone.*try again in \d+00 s"):
            source.bearer()
    assert len(wire.token_requests) == 1
    fake_time.now += 1600
    assert source.bearer().value == "at-last"
    assert fake_time.slept == []


def test_the_secret_does_not_follow_a_redirect_to_another_host(source, wire, make_wire, reply):
    foreign = make_wire()
    wire.script[TOKEN_PATH] = [reply(307, "", {"Location": f"{foreign.url}/connect/token"})]
    with pytest.raises(ServerError, match="redirects to"):
        source.bearer()
    assert foreign.seen == []


def test_an_unreachable_token_endpoint_is_a_connection_error(credentials, fake_time):
    server = Server("custom", "http://127.0.0.1:9", "http://127.0.0.1:9/connect/token")
    source = TokenSource(server, lambda: credentials, retries=1, clock=fake_time.clock, sleep=fake_time.sleep)
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1:9.*refused"):
        source.bearer()


def test_a_character_that_no_key_has_is_told_before_anything_is_sent(wire):
    source = TokenSource(wire.server, lambda: Credentials("client-0123-abcd", "s3cret\u2019"))
    with pytest.raises(CredentialsRejectedError, match="typographic") as caught:
        source.bearer()
    assert "s3cret" not in str(caught.value)
    assert wire.seen == []


def test_missing_credentials_are_told_when_they_are_needed(wire):
    def none():
        raise CredentialsUnavailableError("none")

    with pytest.raises(CredentialsUnavailableError):
        TokenSource(wire.server, none).bearer()


def test_a_server_without_a_token_url_has_no_tokens(credentials):
    with pytest.raises(ConfigurationError, match="no token URL"):
        TokenSource(LOCAL, lambda: credentials)


def test_certificates_are_always_checked(source, monkeypatch):
    asked = []

    def send(self, request, **options):
        asked.append(options["verify"])
        raise requests.ConnectionError

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    with pytest.raises(ConnectionFailedError):
        source.bearer()
    assert asked == [True, True, True]
