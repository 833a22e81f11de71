from __future__ import annotations

import gzip
import json
import pickle
import socket
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import formatdate

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError

from icdframes.errors import (
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    OfflineMissError,
    RateLimitedError,
    ResponseShapeError,
    ServerError,
)
from icdframes.settings import Server
from icdframes.transport.adapter import IcdAdapter
from icdframes.transport.cached_reader import read_json
from icdframes.transport.session import ApiSession

ENTITY = "/icd/release/11/2024-01/mms/257068234"
LATEST = "/icd/release/11/mms"


def nobody():
    raise CredentialsUnavailableError("nobody is here")


def test_a_request_carries_the_documented_headers(make_session, wire):
    make_session(wire).get_json(ENTITY, {"include": "ancestor", "flexiblemode": True, "n": 2, "x": None}, language="es")
    (seen,) = wire.asked()
    assert seen.query == "include=ancestor&flexiblemode=true&n=2"
    expected = {
        "authorization": "Bearer token-number-0",
        "accept": "application/json",
        "accept-language": "es",
        "api-version": "v2",
    }
    assert {name: seen.headers[name] for name in expected} == expected
    assert "cache-control" not in seen.headers


def test_a_post_sends_its_body_and_is_never_kept(make_session, wire):
    session = make_session(wire)
    session.post_json(ENTITY, {"q": "fever"}, body={"ICDVersion": "ICD11"})
    session.post_json(ENTITY, {"q": "fever"})
    first, second = wire.asked()
    assert (first.method, first.query, first.body) == ("POST", "q=fever", b'{"ICDVersion": "ICD11"}')
    assert (second.body, second.headers["authorization"]) == (b"", "Bearer token-number-0")
    assert session.cache_info().answers == 0


def test_a_server_without_authentication_gets_no_token_and_no_netrc(make_session, open_wire, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    make_session(open_wire, nobody).get_json(ENTITY)
    assert "authorization" not in open_wire.asked()[0].headers


def test_a_netrc_does_not_replace_the_token(make_session, wire, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    make_session(wire).get_json(ENTITY)
    assert wire.asked()[0].headers["authorization"] == "Bearer token-number-0"


def test_a_proxy_of_the_machine_is_not_used_for_the_machine_itself(make_session, wire, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert make_session(wire).get_json(ENTITY)["path"] == ENTITY


@pytest.mark.parametrize(("spared", "proxies"), [("", True), ("icd.example", False)])
def test_the_environment_names_the_proxy_of_another_machine_and_is_read_once(tmp_path, monkeypatch, spared, proxies):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", spared)
    used = []

    def send(self, request, **options):
        used.append(options["proxies"].get("https"))
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    server = Server("custom", "https://icd.example")
    with ApiSession(server, nobody, cache_dir=tmp_path, retries=0) as session:
        monkeypatch.setenv("https_proxy", "http://later.example:3128")
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                session.get_json(ENTITY)
    assert used == ["http://proxy.example:3128" if proxies else None] * 2


def test_a_token_is_not_sent_over_plain_http_to_another_machine(credentials, monkeypatch):
    sent = []

    def send(self, request, **options):
        sent.append(dict(request.headers))
        raise requests.exceptions.InvalidURL

    class Tokens:
        def bearer(self, rejected=None):
            pytest.fail("no token is needed")

        def known_secrets(self):
            return ()

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    request = requests.Request("GET", "http://icd.example/icd").prepare()
    with pytest.raises(ConfigurationError):
        IcdAdapter("http://icd.example", Tokens()).send(request)
    assert "Authorization" not in sent[0]


# --- token over time -------------------------------------------------------------------------------------------------


def test_a_token_that_ends_during_a_walk_is_renewed_before_its_end(make_session, wire, fake_time):
    session = make_session(wire)
    for number in range(4):
        session.get_json(f"{ENTITY}/{number}")
        fake_time.now += 1800
    assert len(wire.token_requests) == 2
    assert session.requests_sent == 4


def test_a_revoked_token_is_renewed_once_for_all_threads(make_session, wire):
    session = make_session(wire, max_workers=8)
    session.get_json(f"{ENTITY}/0")
    wire.valid.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: session.get_json(f"{ENTITY}/{number}"), range(1, 101)))
    assert [answer["path"] for answer in answers] == [f"{ENTITY}/{number}" for number in range(1, 101)]
    assert len(wire.token_requests) == session.cache_info().tokens_fetched == 2


def test_a_token_that_is_never_accepted_is_an_error_after_one_renewal(make_session, wire, reply):
    wire.script[ENTITY] = [reply(401, "")]
    with pytest.raises(CredentialsRejectedError, match="does not accept the token"):
        make_session(wire).get_json(ENTITY)
    assert len(wire.asked()) == len(wire.token_requests) == 2


def test_a_401_of_a_server_that_should_need_no_token_says_so(make_session, open_wire, reply):
    open_wire.script[ENTITY] = [reply(401, "")]
    with pytest.raises(CredentialsRejectedError, match="give token_url"):
        make_session(open_wire).get_json(ENTITY)
    assert len(open_wire.asked()) == 1


# --- cache -----------------------------------------------------------------------------------------------------------

KINDS_OF_SERVER = [
    {},
    {"Vary": "Accept, Accept-Language, API-Version,Accept-Encoding", "Cache-Control": "public,max-age=36000"},
    {"Vary": "Authorization"},
    {"Vary": "*"},
    {"Cache-Control": "no-store, max-age=0", "Pragma": "no-cache", "Expires": "0"},
    {"ETag": '"1"', "Set-Cookie": "affinity=1; Path=/"},
]


@pytest.mark.parametrize("headers", KINDS_OF_SERVER, ids=lambda headers: "+".join(headers) or "plain")
def test_a_warm_cache_needs_no_credentials_and_no_request(make_session, wire, headers):
    wire.headers = headers
    first = make_session(wire).get_json(ENTITY)
    requests_before = len(wire.seen)
    session = make_session(wire, nobody)
    assert [session.get_json(ENTITY) for _ in range(3)] == [first] * 3
    assert len(wire.seen) == requests_before
    info = session.cache_info()
    assert (info.answers, info.requests_sent, info.answered_from_cache, info.tokens_fetched) == (1, 0, 3, 0)


@pytest.mark.parametrize("headers", KINDS_OF_SERVER, ids=lambda headers: "+".join(headers) or "plain")
def test_languages_are_kept_apart(make_session, wire, headers):
    wire.headers = headers
    session = make_session(wire)
    for _ in range(2):
        assert [session.get_json(ENTITY, language=tag)["language"] for tag in ("en", "es", "en")] == ["en", "es", "en"]
    assert session.requests_sent == 2


@pytest.mark.parametrize(
    ("path", "params", "days", "asked"), [(LATEST, None, 0.9, 1), (LATEST, None, 1.1, 2), (ENTITY, None, 400, 1)]
)
def test_an_answer_about_the_newest_release_is_asked_for_again_after_a_day(
    make_session, wire, path, params, days, asked
):
    session = make_session(wire)
    session.get_json(path, params)
    cache = session._http.cache
    ((key, answer),) = cache.responses.items()
    if answer.expires is not None:
        answer.expires -= timedelta(days=days)
    cache.responses[key] = answer
    session.get_json(path, params)
    assert len(wire.asked(path)) == asked


def test_an_answer_that_was_sent_for_is_decoded_once(make_session, wire, monkeypatch):
    session, read, loads = make_session(wire), [], json.loads
    monkeypatch.setattr(json, "loads", lambda body, **options: read.append(body) or loads(body, **options))
    answer = session.get_json(ENTITY)
    assert [loads(body) for body in read].count(answer) == 1


def test_an_expired_answer_that_has_not_changed_is_used_again(make_session, wire, reply):
    wire.script[LATEST] = [reply(body={"n": 1}, headers={"ETag": '"1"'}), reply(304, "", {"ETag": '"1"'})]
    session = make_session(wire)
    session.get_json(LATEST)
    session._http.cache.reset_expiration(timedelta(seconds=-1))
    assert session.get_json(LATEST) == {"n": 1}
    assert wire.asked()[1].headers["if-none-match"] == '"1"'
    session.get_json(LATEST)
    assert len(wire.asked()) == 2


@pytest.mark.parametrize("path", [ENTITY, LATEST])
def test_what_is_kept_by_the_short_way_is_what_requests_cache_itself_keeps(make_session, open_wire, path):
    session = make_session(open_wire)
    session.get_json(path)
    (kept,) = session._http.cache.responses.values()
    session.get_json(path, refresh=True)  # by requests-cache's own way
    (other,) = session._http.cache.responses.values()
    for answer in (kept, other):
        answer.headers.pop("Date")
        answer.request.headers.pop("Cache-Control", None)
    same = ("status_code", "reason", "url", "headers", "content", "encoding", "history", "is_expired", "cache_key")
    assert [getattr(kept, name) for name in same] == [getattr(other, name) for name in same]
    assert [getattr(kept.request, name) for name in ("method", "url", "headers", "body")] == [
        getattr(other.request, name) for name in ("method", "url", "headers", "body")
    ]
    assert abs(kept.created_at - other.created_at) < timedelta(seconds=60)
    assert (kept.expires is None) == (other.expires is None) == (path == ENTITY)
    assert kept.expires is None or abs(kept.expires - other.expires) < timedelta(seconds=60)
    assert kept.elapsed > timedelta(0)


def test_requests_of_several_languages_are_prepared_apart(make_session, open_wire):
    session = make_session(open_wire)
    for language in ("en", "es", "en"):
        session.get_json(f"{ENTITY}/{language}", {"include": "ancestor"}, language=language)
        session.get_json(f"{ENTITY}/2", language=language)
    asked = [(seen.path[-2:], seen.query, seen.headers["accept-language"]) for seen in open_wire.asked()]
    assert asked == [
        ("en", "include=ancestor", "en"),
        ("/2", "", "en"),
        ("es", "include=ancestor", "es"),
        ("/2", "", "es"),
    ]


def test_refresh_asks_again_and_keeps_the_new_answer(make_session, wire, reply):
    wire.script[ENTITY] = [reply(body={"n": 1}), reply(body={"n": 2})]
    session = make_session(wire)
    got = [session.get_json(ENTITY, refresh=refresh)["n"] for refresh in (False, False, True, False)]
    assert got == [1, 1, 2, 2]
    assert len(wire.asked()) == 2


def test_what_is_not_there_is_not_kept(make_session, wire, reply):
    wire.script[ENTITY] = [reply(404, "Requested resource could not be found"), reply(body={"n": 1})]
    session = make_session(wire)
    with pytest.raises(EntityNotFoundError):
        session.get_json(ENTITY)
    assert session.get_json(ENTITY) == {"n": 1}


def test_a_quoted_slash_in_a_code_is_another_address(make_session, wire):
    session = make_session(wire)
    for path in ("/codeinfo/A%2FB", "/codeinfo/A/B", "/codeinfo/A%26B"):
        session.get_json(path)
    assert [seen.path for seen in wire.asked()] == ["/codeinfo/A%2FB", "/codeinfo/A/B", "/codeinfo/A%26B"]


def test_clearing_the_cache_tells_how_many_answers_there_were(make_session, wire):
    session = make_session(wire)
    for number in range(3):
        session.get_json(f"{ENTITY}/{number}")
    assert session.cache_info().bytes > 0
    assert (session.clear_cache(), session.clear_cache(), session.cache_info().answers) == (3, 0, 0)
    session.get_json(f"{ENTITY}/0")
    assert session.requests_sent == 4


# --- offline ---------------------------------------------------------------------------------------------------------


def test_offline_answers_come_from_the_cache_even_when_they_are_old(make_session, wire):
    session = make_session(wire)
    session.get_json(LATEST)
    session._http.cache.reset_expiration(timedelta(seconds=-1))
    before = len(wire.seen)
    offline = make_session(wire, nobody, offline=True)
    assert offline.get_json(LATEST)["path"] == LATEST
    assert offline.cache_info().answered_from_cache == 1
    assert len(wire.seen) == before


def test_offline_a_missing_answer_names_what_is_missing_and_how_to_get_it(make_session, wire):
    offline = make_session(wire, nobody, offline=True)
    with pytest.raises(OfflineMissError, match=rf"{ENTITY} \(language es\).*http\.sqlite.*without offline=True"):
        offline.get_json(ENTITY, language="es", refresh=True)
    with pytest.raises(OfflineMissError, match="POST"):
        offline.post_json(ENTITY, body={})
    assert wire.seen == []
    assert "offline" in repr(offline)


# --- retries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("failures", [1, 3])
def test_a_passing_failure_is_tried_again(make_session, open_wire, reply, status, failures):
    open_wire.script[ENTITY] = [reply(status, "<html>busy</html>")] * failures + [reply(body={"n": 1})]
    session = make_session(open_wire)
    assert session.get_json(ENTITY) == {"n": 1}
    assert session.requests_sent == len(open_wire.asked()) == failures + 1


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (400, ServerError, 1),
        (403, CredentialsRejectedError, 1),
        (404, EntityNotFoundError, 1),
        (406, ServerError, 1),
        (408, ServerError, 1),
        (500, ServerError, 4),
        (501, ServerError, 1),
        (503, ServerError, 4),
        (429, RateLimitedError, 4),
        (204, ServerError, 1),
    ],
)
def test_a_lasting_failure_is_an_error_after_so_many_attempts(make_session, open_wire, reply, status, error, attempts):
    open_wire.script[ENTITY] = [reply(status, "" if status == 204 else "because I say so")]
    session = make_session(open_wire)
    with pytest.raises(error) as caught:
        session.get_json(ENTITY)
    assert len(open_wire.asked()) == attempts
    assert str(status) in str(caught.value)
    assert ("because I say so" in str(caught.value)) is (status not in {204, 429})


@pytest.mark.parametrize("as_date", [False, True])
def test_a_429_is_waited_out_as_the_server_asks(make_session, open_wire, reply, fake_time, as_date):
    value = formatdate(time.time() + 7, usegmt=True) if as_date else "7"
    open_wire.script[ENTITY] = [reply(429, "", {"Retry-After": value}), reply(body={"n": 1})]
    assert make_session(open_wire).get_json(ENTITY) == {"n": 1}
    assert fake_time.slept == [pytest.approx(7, abs=1.5 if as_date else 0)]


def test_a_wait_that_is_too_long_is_told_and_not_waited(make_session, open_wire, reply, fake_time):
    open_wire.script[ENTITY] = [reply(429, "", {"Retry-After": "3600"})]
    with pytest.raises(RateLimitedError, match="in 3600 s"):
        make_session(open_wire).get_json(ENTITY)
    assert fake_time.slept == []


@pytest.mark.parametrize(("status", "error"), [(429, RateLimitedError), (503, ServerError)])
def test_a_server_that_asks_to_be_left_alone_for_an_hour_gets_no_request_until_then(
    make_session, wire, reply, fake_time, status, error
):
    wire.script[ENTITY] = [reply(status, "", {"Retry-After": "3600"})]
    session = make_session(wire)
    session.get_json(f"{ENTITY}/1")
    with pytest.raises(error):
        session.get_json(ENTITY)
    wire.valid.clear()
    asked, fake_time.now = len(wire.seen), fake_time.now + 3590
    for ask in (session.get_json, session.post_json):
        with pytest.raises(RateLimitedError, match=r"127\.0\.0\.1:\d+ has asked .*try again in 10 s.*cache"):
            ask(f"{ENTITY}/2")
    assert session.get_json(f"{ENTITY}/1")["path"] == f"{ENTITY}/1"
    assert (len(wire.seen), session.requests_sent, fake_time.slept) == (asked, 2, [])
    fake_time.now += 10
    assert session.get_json(f"{ENTITY}/2")["path"] == f"{ENTITY}/2"


def test_a_thread_that_waits_for_its_turn_sends_nothing_where_the_server_asks_for_an_hour_meanwhile(
    make_session, open_wire, fake_time
):
    session = make_session(open_wire)
    throttle = session._adapter._throttle
    throttle.hold(60)
    throttle._sleep = lambda seconds: (fake_time.sleep(seconds), throttle.refuse(3600))
    with pytest.raises(RateLimitedError, match="try again in 3600 s"):
        session.get_json(ENTITY)
    assert (open_wire.seen, session.requests_sent) == ([], 0)


def test_a_date_that_no_calendar_has_is_passed_over(make_session, open_wire, reply):
    never = {"Retry-After": "Sat, 01 Jan 99999999999999999999 00:00:00 GMT"}
    open_wire.script[ENTITY] = [reply(503, "", never), reply(body={"n": 1}, headers=never)]
    assert make_session(open_wire).get_json(ENTITY) == {"n": 1}


@pytest.mark.parametrize("length", ["9" * 30, "9" * 5000, "-1"])
def test_a_length_that_no_answer_has_is_an_answer_cut_short_or_passed_over(make_session, open_wire, reply, length):
    headers = {"Content-Length": length, "Connection": "close"}
    open_wire.script[ENTITY] = [reply(body={"n": 1}, headers=headers)]
    session = make_session(open_wire)
    if length == "9" * 30:
        with pytest.raises(ConnectionFailedError, match="cut short"):
            session.get_json(ENTITY)
    else:
        assert session.get_json(ENTITY) == {"n": 1}


@pytest.mark.parametrize("kind", ["cut short", "cut gzip", "dropped", "page", "empty", "half a JSON"])
def test_a_broken_answer_is_tried_again_and_never_kept(make_session, open_wire, reply, kind):
    broken = {
        "cut short": reply(body={"n": 0}, lost=50),
        "cut gzip": reply(body=b"not gzip at all", headers={"Content-Encoding": "gzip"}),
        "dropped": reply(drop=True),
        "page": reply(body="<html>Log in to the hospital's network</html>"),
        "empty": reply(body=""),
        "half a JSON": reply(body=b'{"title": "Chol'),
    }[kind]
    open_wire.script[ENTITY] = [broken, broken, reply(body={"n": 1})]
    session = make_session(open_wire)
    assert session.get_json(ENTITY) == session.get_json(ENTITY) == {"n": 1}
    open_wire.script[LATEST] = [broken]
    error = ResponseShapeError if kind in {"page", "empty", "half a JSON"} else ConnectionFailedError
    with pytest.raises(error) as caught:
        session.get_json(LATEST)
    assert len(open_wire.asked(LATEST)) == 4
    assert session.cache_info().answers == 1
    assert getattr(caught.value, "uri", open_wire.url + LATEST) == open_wire.url + LATEST


def test_compressed_answers_are_read(make_session, open_wire, reply):
    open_wire.script[ENTITY] = [reply(body=gzip.compress(b'{"n": 1}'), headers={"Content-Encoding": "gzip"})]
    session = make_session(open_wire)
    assert session.get_json(ENTITY) == session.get_json(ENTITY) == {"n": 1}


def test_an_answer_that_is_too_large_is_not_read_on(make_session, open_wire, reply, monkeypatch):
    monkeypatch.setattr(
        "icdframes.transport.session.IcdAdapter", lambda *a, **k: IcdAdapter(*a, **k, largest_body=10**6)
    )
    open_wire.script[ENTITY] = [reply(body=gzip.compress(b" " * 2_000_000), headers={"Content-Encoding": "gzip"})]
    session = make_session(open_wire)
    with pytest.raises(ServerError, match="more than 1 MB"):
        session.get_json(ENTITY)
    assert session.requests_sent == 1


def test_a_server_that_is_not_there_is_told_with_what_to_do(make_session, open_wire, fake_time):
    session = make_session(open_wire)
    open_wire._http.server_close()
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1:\d+: connection refused.*can be used offline"):
        session.get_json(ENTITY)
    assert session.requests_sent == 4
    assert len(fake_time.slept) == 3


NOT_RESOLVED = requests.ConnectionError(
    MaxRetryError(None, "/icd", NameResolutionError("id.who.int", None, socket.gaierror(-2, "Name not known")))
)


@pytest.mark.parametrize(
    ("fault", "error", "words", "attempts"),
    [
        (requests.exceptions.ConnectTimeout(), ConnectionFailedError, "in time", 4),
        (requests.exceptions.ReadTimeout(), ConnectionFailedError, "in time", 4),
        (requests.exceptions.ProxyError(), ConnectionFailedError, "proxy", 4),
        (requests.exceptions.SSLError(), ConnectionFailedError, "broke off", 4),
        (NOT_RESOLVED, ConnectionFailedError, "name could not be resolved", 4),
        (requests.exceptions.InvalidProxyURL(), ConfigurationError, "InvalidProxyURL", 1),
        (OSError("no CA bundle"), ConfigurationError, "REQUESTS_CA_BUNDLE", 1),
    ],
)
def test_faults_of_the_connection_are_told_apart(make_session, open_wire, monkeypatch, fault, error, words, attempts):
    def send(self, request, **options):
        raise fault

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    session = make_session(open_wire)
    with pytest.raises(error, match=words):
        session.get_json(ENTITY)
    assert session.requests_sent == attempts


# --- redirects -------------------------------------------------------------------------------------------------------


def test_a_redirect_on_the_same_host_is_followed_signed_and_kept(make_session, wire, reply):
    wire.script["/old"] = [reply(301, "", {"Location": ENTITY})]
    session = make_session(wire)
    assert session.get_json("/old")["path"] == session.get_json("/old")["path"] == ENTITY
    assert [seen.headers["authorization"] for seen in wire.asked()] == ["Bearer token-number-0"] * 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_gets_nothing(make_session, wire, make_wire, reply, status):
    foreign = make_wire()
    wire.script[ENTITY] = [reply(status, "", {"Location": foreign.url + ENTITY})]
    with pytest.raises(ServerError, match="redirects to 'http://127"):
        make_session(wire).get_json(ENTITY)
    assert foreign.seen == []


@pytest.mark.parametrize(
    "location", ["https://[icd", "http://127.0.0.1:99999/", "javascript:alert(1)", "http://evil.example\\@127.0.0.1/"]
)
def test_a_redirect_that_cannot_be_read_in_one_way_is_refused(make_session, wire, reply, location):
    wire.script[ENTITY] = [reply(301, "", {"Location": location})]
    with pytest.raises(ServerError, match="redirects to '"):
        make_session(wire).get_json(ENTITY)
    assert len(wire.asked()) == 1


def test_a_redirect_is_judged_by_the_host_to_which_it_would_go(monkeypatch, wire):
    adapter = IcdAdapter("https://icd.example")
    request = requests.Request("GET", "https://icd.example/icd").prepare()
    assert adapter._following(request, "https://evil.example\\@icd.example/x") is None
    assert adapter._following(request, "/x").url == "https://icd.example/x"


def test_a_post_is_redirected_only_where_it_stays_a_post(make_session, wire, reply):
    wire.script["/a"] = [reply(302, "", {"Location": ENTITY})]
    wire.script["/b"] = [reply(307, "", {"Location": ENTITY})]
    session = make_session(wire)
    with pytest.raises(ServerError, match="redirects to"):
        session.post_json("/a", body={"n": 1})
    session.post_json("/b", body={"n": 1})
    assert wire.asked(ENTITY)[0].body == b'{"n": 1}'


def test_a_redirect_in_a_circle_ends(make_session, open_wire, reply):
    open_wire.script[ENTITY] = [reply(301, "", {"Location": ENTITY})]
    with pytest.raises(ServerError, match="again and again"):
        make_session(open_wire).get_json(ENTITY)
    assert len(open_wire.asked()) == 5


def test_another_server_is_never_asked(open_wire):
    adapter = IcdAdapter(open_wire.url)
    with pytest.raises(ConfigurationError, match="not on the server"):
        adapter.send(requests.Request("GET", "https://id.who.int/icd").prepare())
    adapter.close()


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["", "en,fr", "en;q=0.5", "*", "en\r\nX-Evil: 1", "english language"])
def test_a_language_that_is_no_plain_tag_is_refused(make_session, wire, language):
    with pytest.raises(ConfigurationError, match="no language"):
        make_session(wire).get_json(ENTITY, language=language)


@pytest.mark.parametrize(
    "path", ["", "icd", "//evil.example/icd", "https://evil.example", "/a?b=c", "/a#b", "/a\n", "/a b"]
)
def test_a_path_that_could_lead_elsewhere_is_refused(make_session, wire, path):
    with pytest.raises(ConfigurationError, match="no path on"):
        make_session(wire).get_json(path)


def test_half_a_character_is_refused_before_anything_is_sent(make_session, wire):
    session = make_session(wire)
    for send in (session.get_json, session.post_json):
        with pytest.raises(ConfigurationError, match=r"'fever \\udc80' cannot be sent.*wrong encoding"):
            send(ENTITY, {"q": "fever \udc80"})
    with pytest.raises(ConfigurationError, match="half a character"):
        session.post_json(ENTITY, form={"q": "\ud800"})
    assert wire.seen == []


def test_a_message_shows_the_beginning_of_a_long_url(make_session, open_wire, reply):
    open_wire.script[ENTITY] = [reply(400, "no")]
    with pytest.raises(ServerError) as caught:
        make_session(open_wire).get_json(ENTITY, {"q": "fever " * 1000})
    assert len(str(caught.value)) < 400
    assert f"{ENTITY}?q=fever" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"verify": False},
        {"verify": True},
        {"verify": "/no/such/ca.pem"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(make_session, wire, settings):
    with pytest.raises(ConfigurationError):
        make_session(wire, **settings)


@pytest.mark.parametrize("setting", [{"verify": False}, {"retries": -1}])
def test_a_traceback_that_shows_variables_can_be_written_of_a_setting_that_is_refused(make_session, wire, setting):
    with pytest.raises(ConfigurationError) as caught:
        make_session(wire, **setting)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert f"ApiSession('{wire.url}')" in "".join(report.format())


def test_a_ca_file_reaches_every_request_also_against_the_environment(make_session, wire, tmp_path, monkeypatch):
    (tmp_path / "ca.pem").write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/another.pem")
    asked = []
    send = requests.adapters.HTTPAdapter.send

    def watched(self, request, **options):
        asked.append((request.method, options["verify"]))
        return send(self, request, **options)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", watched)
    make_session(wire, verify=str(tmp_path / "ca.pem")).get_json(ENTITY)
    make_session(wire).get_json(LATEST)
    given = str(tmp_path / "ca.pem")
    assert asked == [("POST", given), ("GET", given), ("POST", "/another.pem"), ("GET", "/another.pem")]


def test_an_untrusted_certificate_stops_everything_and_a_ca_file_makes_it_trusted(make_session, make_wire, certificate):
    wire = make_wire(secured=True, certificate=certificate)
    with pytest.raises(ConnectionFailedError, match=r"not trusted.*REQUESTS_CA_BUNDLE"):
        make_session(wire).get_json(ENTITY)
    assert wire.seen == []
    assert make_session(wire, verify=str(certificate)).get_json(ENTITY)["path"] == ENTITY


def test_a_trusted_certificate_of_another_host_is_told_as_that(make_session, make_wire, make_certificate):
    certificate = make_certificate("127.0.0.2")
    wire = make_wire(secured=True, certificate=certificate)
    with pytest.raises(
        ConnectionFailedError, match=r"is for another host name. Check the host .* a CA file does not help"
    ):
        make_session(wire, verify=str(certificate)).get_json(ENTITY)
    assert wire.seen == []


def test_a_session_is_neither_pickled_nor_used_after_closing(make_session, wire):
    session = make_session(wire)
    with pytest.raises(TypeError, match="connect in each process"):
        pickle.dumps(session)
    with session as entered:
        assert entered is session
        session.get_json(ENTITY)
    with pytest.raises(ConfigurationError, match="connect again"):
        session.get_json(ENTITY)


def test_a_base_url_with_a_prefix_is_kept(make_session, open_wire, monkeypatch):
    monkeypatch.setattr(type(open_wire), "server", Server("custom", f"{open_wire.url}/who"))
    make_session(open_wire).get_json(ENTITY)
    assert open_wire.asked()[0].path == f"/who{ENTITY}"


def test_eight_threads_and_many_paths_get_their_own_answers(make_session, wire):
    session = make_session(wire)
    paths = [f"{ENTITY}/{number % 50}" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        assert [answer["path"] for answer in pool.map(session.get_json, paths)] == paths
    info = session.cache_info()
    assert info.answers == 50
    assert info.requests_sent + info.answered_from_cache == 400


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 300 + "1" + "}" * 300])
@pytest.mark.parametrize("limit", [1000, 150_000])
def test_json_that_nests_too_deep_is_refused_whatever_the_limit_of_recursion(text, limit):
    """Where another library has raised the limit, the decoder would read it, and another rule would refuse it later."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        with pytest.raises(ValueError, match="deep"):
            read_json(text)
    finally:
        sys.setrecursionlimit(before)


def test_brackets_within_texts_are_no_depth():
    assert read_json(b'["' + b"[{" * 500 + b'\\"[", {}]') == ["[{" * 500 + '"[', {}]
    assert len(read_json("[" + "[]," * 500 + "[]]")) == 501
