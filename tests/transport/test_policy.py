from __future__ import annotations

import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from requests_cache import get_url_expiration

from icdframes.transport.cached_reader import url_of
from icdframes.transport.policy import (
    DAY,
    EXPIRY,
    LONGEST_WAIT,
    NEVER,
    WEEK,
    Action,
    Do,
    Fault,
    Outcome,
    allowed_target,
    answer_key,
    backoff,
    clock_lead,
    concerns_everybody,
    decide,
    is_language,
    is_token,
    longest_answer,
    may_sign,
    parse_retry_after,
    reason_text,
    refusal,
    token_life,
)
from icdframes.transport.throttle import ConcurrencyLimit, Throttle

NOW = 1_000_000.0  # Mon, 12 Jan 1970 13:46:40 GMT


@pytest.mark.parametrize(
    ("outcome", "attempt", "may_renew", "action"),
    [
        (Outcome(200), 0, True, Action(Do.ANSWER)),
        (Outcome(304), 0, True, Action(Do.ANSWER)),
        (Outcome(404), 0, True, Action(Do.ANSWER)),
        (Outcome(400), 0, True, Action(Do.ANSWER)),
        (Outcome(501), 0, True, Action(Do.ANSWER)),
        (Outcome(401), 0, True, Action(Do.RENEW)),
        (Outcome(401), 3, True, Action(Do.RENEW)),
        (Outcome(401), 0, False, Action(Do.ANSWER)),
        (Outcome(500), 0, True, Action(Do.RETRY, 0.25)),
        (Outcome(502), 1, True, Action(Do.RETRY, 0.5)),
        (Outcome(503), 2, True, Action(Do.RETRY, 1.0)),
        (Outcome(504), 3, True, Action(Do.ANSWER)),
        (Outcome(429, retry_after=7.0), 0, True, Action(Do.RETRY, 7.0)),
        (Outcome(429, retry_after=0.0), 0, True, Action(Do.RETRY, 0.0)),
        (Outcome(429, retry_after=LONGEST_WAIT + 1), 0, True, Action(Do.ANSWER)),
        (Outcome(429, retry_after=LONGEST_WAIT), 0, True, Action(Do.RETRY, LONGEST_WAIT)),
        (Outcome(429), 3, True, Action(Do.ANSWER)),
        (Outcome(fault=Fault.CONNECTION), 0, True, Action(Do.RETRY, 0.25)),
        (Outcome(fault=Fault.CUT_SHORT), 2, True, Action(Do.RETRY, 1.0)),
        (Outcome(fault=Fault.NOT_JSON), 3, True, Action(Do.FAIL)),
        (Outcome(fault=Fault.CERTIFICATE), 0, True, Action(Do.FAIL)),
        (Outcome(fault=Fault.REDIRECT), 0, True, Action(Do.FAIL)),
        (Outcome(fault=Fault.TOO_LARGE), 0, True, Action(Do.FAIL)),
        (Outcome(fault=Fault.SETTING), 0, True, Action(Do.FAIL)),
    ],
)
def test_what_follows_an_attempt(outcome, attempt, may_renew, action):
    assert decide(outcome, attempt=attempt, retries=3, may_renew=may_renew, jitter=0.5) == action


def test_backoff_doubles_up_to_a_limit_and_full_jitter_reaches_zero():
    assert [backoff(attempt, 1.0) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(5, 0.0) == 0
    assert backoff(10_000, 1.0) == 30


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", 0),
        ("Mon, 12 Jan 1970 13:47:40 GMT", 60),
        ("Mon, 12 Jan 1970 13:47:40 -0000", 60),
        ("Mon, 12 Jan 1970 13:40:00 GMT", 0),
        ("Mon, 12 Jan 1970 15:47:40 +0200", 60),
        ("9" * 400, math.inf),
        ("Sat, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Sat, 01 Jan 2000 99999999999999999999:00:00 GMT", None),
        ("Sat, 01 Jan 2000 00:00:00 +99999999999999999999", None),
        ("-7", None),
        ("soon", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Mon, 12 Jan 1970 13:46:40 GMT", 0),
        ("Mon, 12 Jan 1970 13:45:40 GMT", 60),
        ("Mon, 12 Jan 1970 13:47:40 GMT", -60),
        ("Mon, 12 Jan 1970 13:45:40 -0000", 60),
        ("today", None),
        ("Sat, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_how_far_the_clock_of_this_machine_is_ahead(date, seconds):
    assert clock_lead(date, NOW) == seconds


def test_a_date_without_a_zone_is_in_utc_wherever_this_machine_is(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_retry_after("Mon, 12 Jan 1970 13:47:40 -0000", NOW) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


HEADERS = {"Accept": "application/json", "Accept-Language": "en", "API-Version": "v2"}


def test_an_answer_goes_by_all_that_it_depends_on_and_nothing_else():
    url = "http://id.example/icd/entity/5"
    key = answer_key("GET", url, HEADERS)
    others = [
        answer_key("POST", url, HEADERS),
        answer_key("GET", url + "?include=ancestor", HEADERS),
        answer_key("GET", url, HEADERS | {"Accept-Language": "es"}),
        answer_key("GET", url, HEADERS | {"API-Version": "v1"}),
        answer_key("GET", url, HEADERS | {"Accept": "text/html"}),
        answer_key("GET", url, {}),
        answer_key("GET", url, {"Accept": "enapplication/json"}),
        answer_key("GET", "", HEADERS | {"Accept": url}),
    ]
    assert len({key, *others}) == 9
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert answer_key("GET", url, HEADERS | {"Authorization": "Bearer x"}) == key
    assert answer_key("GET", url, {}) == answer_key("GET", url, dict.fromkeys(HEADERS, ""))


@pytest.mark.parametrize(
    ("path", "params", "expiry"),
    [
        ("/icd/release/11/2024-01/mms", None, NEVER),
        ("/icd/release/11/2024-01/mms/257068234/other", {"include": "descendant"}, NEVER),
        ("/icd/release/11/2024-01/mms/codeinfo/2C25.2%26XH74S1", None, NEVER),
        ("/icd/release/11/2024-01/mms/describe", {"code": "1A00"}, NEVER),
        ("/icd/release/10/2019", None, NEVER),
        ("/icd/release/10/2019/A00-A09", None, NEVER),
        ("/icd/entity/257068234", {"releaseId": "2024-01"}, NEVER),
        ("/icd/entity/257068234", {"include": "ancestor", "releaseId": "2024-01"}, NEVER),
        ("/icd/entity", {"releaseId": "2024-01"}, NEVER),
        ("/icd/entity", None, DAY),
        ("/icd/entity/257068234", {"include": "ancestor"}, DAY),
        ("/icd/entity/257068234", {"releaseId": "latest"}, DAY),
        ("/icd/release/11/mms", None, DAY),
        ("/icd/release/11/mms/257068234", None, DAY),
        ("/icd/release/11/beta/mms/257068234", None, DAY),
        ("/icd/release/10", None, DAY),
        ("/icd/release/10/A00", None, DAY),
        ("/icd/release/11/2024-01/mms/search", {"q": "cholera"}, WEEK),
        ("/icd/release/11/2024-01/mms/search", {"q": "/icd/release/11/2024-01/"}, WEEK),
        ("/icd/release/11/2024-01/mms/autocode", {"searchText": "cholera"}, WEEK),
        ("/icd/entity/search", {"q": "cholera", "releaseId": "2024-01"}, WEEK),
        ("/icd/release/11/2024-01/doris", {"sex": 1}, WEEK),
    ],
)
def test_how_long_an_answer_is_kept(path, params, expiry):
    for server in ("https://id.who.int", "http://localhost:8080/prefix"):
        assert get_url_expiration(url_of(server, path, params), dict(EXPIRY)) == expiry


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (3600, 3540),
        ("3600", 3540),
        (3600.5, 3540.5),
        (None, 3540),
        ("soon", 3540),
        (61, 1),
        (60, math.inf),
        (0, math.inf),
        (-5, math.inf),
    ],
)
def test_a_token_is_used_until_a_minute_before_its_end(expires_in, life):
    assert token_life(expires_in) == life


@pytest.mark.parametrize(
    ("base", "url", "allowed", "signed"),
    [
        ("https://id.who.int", "https://id.who.int/icd/entity", True, True),
        ("https://id.who.int", "https://ID.WHO.INT:443/icd", True, True),
        ("https://id.who.int", "http://id.who.int/icd/entity", False, False),
        ("https://id.who.int", "https://id.who.int.evil.example/icd", False, False),
        ("https://id.who.int", "https://user@evil.example/", False, False),
        ("https://id.who.int", "https://id.who.int:8443/icd", False, False),
        ("https://id.who.int", "https://id.who.int:x/icd", False, False),
        ("http://127.0.0.1:80", "http://127.0.0.1/icd", True, True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081/icd", False, False),
        ("http://localhost:8080", "http://127.0.0.1:8080/icd", False, False),
        ("http://icd.example", "http://icd.example/icd", True, False),
        ("http://icd.example", "https://icd.example/icd", True, False),
        ("http://icd.example", "ftp://icd.example/icd", False, False),
    ],
)
def test_where_a_redirect_and_a_token_may_go(base, url, allowed, signed):
    assert allowed_target(base, url) is allowed
    assert (allowed and may_sign(base, url)) is signed


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("text/plain", "Requested resource could not be found", "Requested resource could not be found"),
        ("application/json", '"no such\ncombination"', "no such combination"),
        ("text/html", "<html>500</html>", ""),
        ("text/HTML; charset=utf-8", "Bad gateway", ""),
        ("text/plain", "x " * 99 + "xy", "x " * 99 + "xy"),
        ("text/plain", "XML is missing X", "XML is missing X"),
        ("", "<!DOCTYPE html>", ""),
        ("text/plain", "x " * 100 + "y", ""),
        ("text/plain", "got Authorization: Bearer eyJabc.def-x end", "got Authorization: Bearer … end"),
        ("text/plain", "basic dXNlcjpw no", "basic … no"),
        ("text/plain", f"the token {'aB3_' * 8} has ended", "the token … has ended"),
        ("text/plain", f"the token {'eyJ-.~+=' * 4}x", "the token …"),
        ("text/plain", f"release {'a' * 31}", f"release {'a' * 31}"),
        ("text/plain", "red \x1b[31malert\x07\u202e \x00", "red [31malert"),
    ],
)
def test_the_reason_of_a_server_is_short_and_shows_no_secret(kind, text, reason):
    assert reason_text(kind, text) == reason


def test_a_language_is_one_plain_tag():
    assert all(is_language(text) for text in ("en", "pt-BR", "zh-Hans-CN", "fil"))
    assert not any(is_language(text) for text in ("", "en,fr", "en;q=0.5", "*", "en ", "e", "en\r\nX: y", "en_US"))


def test_a_token_can_stand_in_a_header():
    assert is_token("eyJ.abc-_=")
    assert not any(is_token(value) for value in ("", "a b", "a\r\nX: y", "é", None, 5))


def test_the_pace_halves_down_to_one_request_at_a_time_and_then_to_one_in_two_seconds():
    pace, steps = ConcurrencyLimit(8, 8), []
    for _ in range(10):
        pace = pace.slower()
        steps.append((pace.width, pace.interval))
    assert steps == [(4, 0), (2, 0), (1, 0), (1, 0.1), (1, 0.2), (1, 0.4), (1, 0.8), (1, 1.6), (1, 2), (1, 2)]


def test_the_pace_recovers_one_step_after_every_twenty_good_answers():
    pace, steps = ConcurrencyLimit(4, 1, 0.2), []
    for number in range(1, 141):
        before, pace = pace, pace.after_answer()
        if (pace.width, pace.interval) != (before.width, before.interval):
            steps.append((number, pace.width, pace.interval))
    assert steps == [(20, 1, 0.1), (40, 1, 0), (60, 2, 0), (80, 3, 0), (100, 4, 0)]
    assert pace == ConcurrencyLimit(4, 4) == pace.after_answer()
    assert ConcurrencyLimit(8, 3, calm=19).slower() == ConcurrencyLimit(8, 1)


def test_a_429_holds_every_thread_and_several_together_count_once(fake_time):
    gate = Throttle(8, fake_time.clock, fake_time.sleep)

    def pass_by():
        with gate.passage():
            pass

    pass_by()
    assert fake_time.slept == []
    for _ in range(3):
        gate.slow_down()
        gate.hold(7)
    assert gate.pace.width == 4
    pass_by()
    pass_by()
    assert fake_time.slept == [7]
    gate.slow_down()
    gate.hold(0)
    assert gate.pace.width == 2
    pass_by()
    assert fake_time.slept == [7, 1]


def test_where_one_at_a_time_is_too_fast_there_is_a_pause_between_two(fake_time):
    gate = Throttle(1, fake_time.clock, fake_time.sleep)
    gate.slow_down()
    for _ in range(3):
        with gate.passage():
            pass
    assert fake_time.slept == pytest.approx([0.1, 0.1])


def test_a_503_without_a_wish_halves_the_width_once_in_a_second(fake_time):
    gate = Throttle(8, fake_time.clock, fake_time.sleep)
    widths = []
    for _ in range(4):
        gate.slow_down()
        widths.append(gate.pace.width)
        fake_time.now += 0.5
    assert widths == [4, 4, 2, 2]
    with gate.passage():
        assert fake_time.slept == []


def test_as_many_requests_as_the_width_allows_are_under_way(fake_time):
    gate = Throttle(4, fake_time.clock, fake_time.sleep)
    inside, most, lock, arrived = [0], [0], threading.Lock(), threading.Semaphore(0)
    go = threading.Semaphore(0)

    def work(_):
        with gate.passage():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            arrived.release()
            assert go.acquire(timeout=10)
            with lock:
                inside[0] -= 1

    gate.slow_down()
    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(work, number) for number in range(6)]
        assert arrived.acquire(timeout=10)
        assert arrived.acquire(timeout=10)
        for _ in range(20):
            gate.good()
        assert gate.pace.width == 3
        assert arrived.acquire(timeout=10)
        assert not arrived.acquire(timeout=0.05)
        for _ in running:
            go.release()
    for future in running:
        future.result()
    assert most == [3]


def test_a_hold_that_comes_while_a_thread_waits_counts_for_it_too(fake_time):
    def sleep(seconds):
        fake_time.sleep(seconds)
        if len(fake_time.slept) == 1:
            gate.hold(20)

    gate = Throttle(2, fake_time.clock, sleep)
    gate.hold(5)
    with gate.passage():
        assert fake_time.slept == [5, 20]


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_is_set_ends_the_waiting(fake_time, jump):
    gate = Throttle(8, fake_time.clock, fake_time.sleep)
    gate.slow_down()
    gate.hold(100)
    fake_time.now += jump
    with gate.passage():
        assert fake_time.slept == []
    gate.slow_down()
    assert gate.pace.width == 2


@pytest.mark.parametrize(
    ("outcome", "everybody"),
    [
        (Outcome(429), True),
        (Outcome(429, retry_after=3.0), True),
        (Outcome(503), False),
        (Outcome(503, retry_after=3.0), True),
        (Outcome(500, retry_after=3.0), False),
        (Outcome(fault=Fault.CONNECTION), False),
    ],
)
def test_whom_a_complaint_concerns(outcome, everybody):
    assert concerns_everybody(outcome) is everybody


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Outcome(429), 0),
        (Outcome(429, retry_after=LONGEST_WAIT), 0),
        (Outcome(429, retry_after=LONGEST_WAIT + 1), LONGEST_WAIT + 1),
        (Outcome(503, retry_after=3600.0), 3600),
        (Outcome(429, retry_after=math.inf), DAY),
        (Outcome(503), 0),
        (Outcome(500, retry_after=3600.0), 0),
        (Outcome(200, retry_after=3600.0), 0),
        (Outcome(fault=Fault.CONNECTION), 0),
    ],
)
def test_for_how_long_nobody_asks_again(outcome, seconds):
    assert refusal(outcome) == seconds


def test_a_refusal_ends_at_its_time_or_where_the_clock_is_set_back_and_a_shorter_one_does_not_shorten_it(fake_time):
    gate = Throttle(8, fake_time.clock, fake_time.sleep)
    assert gate.refused() == 0
    gate.refuse(3600)
    gate.refuse(200)
    fake_time.now += 3599
    assert gate.refused() == 1
    fake_time.now += 1
    assert gate.refused() == 0
    gate.refuse(200)
    assert gate.refused() == 200
    fake_time.now -= DAY
    assert gate.refused() == 0
    gate.refuse(200)
    assert gate.refused() == 200


@pytest.mark.parametrize(("timeout", "seconds"), [(30, 300), (2.0, 20), (0.5, 5), (None, math.inf)])
def test_how_long_a_whole_answer_may_take(timeout, seconds):
    assert longest_answer(timeout) == seconds
