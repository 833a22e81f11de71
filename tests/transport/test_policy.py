from __future__ import annotations

import math

import pytest

from icdframes.transport.gate import Gate, Pace
from icdframes.transport.policy import (
    DAY,
    LONGEST_WAIT,
    NEVER,
    WEEK,
    Action,
    Do,
    Fault,
    Outcome,
    allowed_target,
    backoff,
    decide,
    expiry_for,
    is_language,
    is_token,
    may_sign,
    parse_retry_after,
    reason_text,
    token_life,
)

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
        ("9" * 400, math.inf),
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
    assert expiry_for(path, params) == expiry
    assert expiry_for(f"http://localhost:8080/prefix{path}", params) == expiry


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
        ("", "<!DOCTYPE html>", ""),
        ("text/plain", "x" * 201, ""),
        ("text/plain", "got Authorization: Bearer eyJabc.def-x end", "got Authorization: Bearer … end"),
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


def test_the_pace_slows_down_to_a_limit_and_recovers():
    pace = Pace()
    intervals = []
    for _ in range(7):
        pace = pace.slower()
        intervals.append(pace.interval)
    assert intervals == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    for _ in range(19):
        pace = pace.after_answer()
    assert pace.interval == 2.0
    assert pace.after_answer().interval == 1.0
    for _ in range(20 * 10):
        pace = pace.after_answer()
    assert pace == Pace() == Pace().after_answer()


def test_a_429_holds_every_thread_and_several_together_count_once(fake_time):
    gate = Gate(fake_time.clock, fake_time.sleep)
    gate.wait()
    assert fake_time.slept == []
    gate.slow_down(7)
    gate.slow_down(5)
    assert gate.pace.interval == 0.1
    gate.wait()
    gate.wait()
    assert fake_time.slept == pytest.approx([7, 0.1])
    gate.slow_down(0)
    assert gate.pace.interval == 0.2
    gate.wait()
    assert fake_time.slept[-1] == pytest.approx(1)
