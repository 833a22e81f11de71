from __future__ import annotations

import heapq
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from requests_cache import get_url_expiration

from icdframes.transport.cached_reader import url_of
from icdframes.transport.expiry import DAY, EXPIRY, NEVER, WEEK, answer_key, is_language, token_life
from icdframes.transport.retry import (
    LONGEST_OUTAGE,
    LONGEST_WAIT,
    MOST_REFUSED_TOKENS,
    MOST_RENEWALS,
    MOST_THROTTLES,
    Action,
    Do,
    Fault,
    Outcome,
    allowed_target,
    backoff,
    clock_lead,
    concerns_everybody,
    decide,
    is_token,
    longest_answer,
    may_renew,
    may_sign,
    parse_retry_after,
    probe_wait,
    reason_text,
    refusal,
    without_secrets,
)
from icdframes.transport.throttle import ConcurrencyLimit, End, Throttle

NOW = 1_000_000.0
SERVER_DATE = "Mon, 12 Jan 1970 13:46:40 GMT"


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
    assert parse_retry_after(value, SERVER_DATE) == seconds


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
        assert parse_retry_after("Mon, 12 Jan 1970 13:47:40 -0000", SERVER_DATE) == 60
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


@pytest.mark.parametrize(
    ("outcome", "throttles", "action"),
    [
        (Outcome(429, retry_after=1.0), 0, Action(Do.RETRY, 1.0, counts=False)),
        (Outcome(429, retry_after=0.0), 1, Action(Do.RETRY, 0.5, counts=False)),
        (Outcome(429), 20, Action(Do.RETRY, 3.0, counts=False)),
        (Outcome(429, retry_after=1.0), MOST_THROTTLES, Action(Do.ANSWER)),
        (Outcome(429, retry_after=LONGEST_WAIT + 1), 0, Action(Do.ANSWER)),
        (Outcome(503), 0, Action(Do.ANSWER)),
        (Outcome(503, retry_after=2.0), 0, Action(Do.RETRY, 2.0, counts=False)),
        (Outcome(429, retry_after=1.0), None, Action(Do.ANSWER)),
    ],
)
def test_in_a_walk_a_429_costs_time_and_no_retry(outcome, throttles, action):
    assert decide(outcome, attempt=3, retries=3, may_renew=False, jitter=0.5, throttles=throttles) == action


def test_a_401_is_renewed_again_only_where_a_token_was_accepted_and_with_bounds():
    assert may_renew(0, accepted=False, refused=1)
    assert not may_renew(1, accepted=False, refused=1)
    assert may_renew(MOST_RENEWALS - 1, accepted=True, refused=MOST_REFUSED_TOKENS)
    assert not may_renew(MOST_RENEWALS, accepted=True, refused=0)
    assert not may_renew(1, accepted=True, refused=MOST_REFUSED_TOKENS + 1)


def test_probes_are_soon_three_seconds_apart_or_as_the_server_asks():
    assert [probe_wait(number, None) for number in range(7)] == [0.25, 0.5, 1, 2, 3, 3, 3]
    assert probe_wait(10_000, None) == 3
    assert [probe_wait(5, wish) for wish in (0.0, 7.0)] == [0.25, 7]


@pytest.mark.parametrize("secret", ["a/b+c=", "x", "t0ken", "é%"])
def test_the_exact_secret_is_replaced_in_every_form(secret):
    text = f"no {secret} and {quote(secret, safe='')}"
    assert without_secrets(text, [secret, ""]) == "no … and …"


def answered(limit, count, latency=0.05, now=1.0):
    for _ in range(count):
        limit = limit.after_answer(latency, now, full=True)
        now += 1e-6
    return limit


def simulate(limit, bears, count=3000, latency=0.05):
    """Send so many requests to a server that works on a few at a time; return the limit, the seconds and the widths."""
    now, under_way, free, sent, widths = 1.0, [], [1.0] * bears, 0, []
    while sent < count or under_way:
        while sent < count and len(under_way) < limit.width:
            sent += 1
            end = max(now, free[0]) + latency
            heapq.heapreplace(free, end)
            heapq.heappush(under_way, (end, now, len(under_way) + 1))
        full = max(len(under_way), under_way[0][2]) * 4 >= limit.width * 3
        now, began, _ = heapq.heappop(under_way)
        limit = limit.after_answer(now - began, now, full=full)
        widths.append(limit.width)
    return limit, now - 1.0, widths


def test_the_width_doubles_with_every_round_while_latency_does_not_grow():
    _, _, widths = simulate(ConcurrencyLimit.of(32, 8), bears=100, count=100)
    assert list(dict.fromkeys(widths)) == [8, 16, 32]
    assert widths.index(16) == 7
    assert widths.index(32) <= 7 + 2 * 16


@pytest.mark.parametrize(("bears", "found"), [(8, 8), (12, 12), (16, 16), (24, 24), (32, 32), (100, 32)])
@pytest.mark.parametrize("latency", [0.02, 0.3])
def test_the_width_stays_at_what_the_server_bears_and_costs_no_time(bears, found, latency):
    limit, seconds, widths = simulate(ConcurrencyLimit.of(32, 8), bears, latency=latency)
    assert limit.width == found
    assert max(widths) <= 2 * found
    assert seconds <= 1.1 * 3000 * latency / found


def test_a_server_that_slows_down_with_load_is_left_at_eight():
    limit, now, widths = ConcurrencyLimit.of(32, 8), 1.0, []
    for _ in range(400):
        latency = 0.02 + 0.01 * limit.width
        now += latency / limit.width
        limit = limit.after_answer(latency, now, full=True)
        widths.append(limit.width)
    assert widths[-1] == 8
    assert list(dict.fromkeys(widths)) == [8, 16, 12]


def test_what_was_asked_before_the_width_changed_says_nothing_about_the_new_one():
    limit = answered(ConcurrencyLimit.of(32, 8), 8)
    assert limit.width == 16
    limit = answered(limit, 100, latency=0.2, now=1.1)
    assert limit.width == 16
    assert answered(limit, 16, latency=0.05, now=1.2).width == 32


def test_answers_to_a_few_requests_say_nothing_about_a_full_width():
    limit = ConcurrencyLimit.of(32, 8)
    for _ in range(400):
        limit = limit.after_answer(0.05, 0.0, full=False)
    assert limit.width == 8


def test_a_server_that_becomes_slow_later_gets_less_and_is_tried_again_after_ten_seconds():
    limit = answered(answered(ConcurrencyLimit.of(16, 8), 8), 200, now=2.0)
    assert limit.width == 16
    limit = answered(answered(limit, 200, latency=0.5, now=3.0), 200, latency=0.5, now=4.0)
    assert limit.width == 8
    assert answered(limit, 200, now=13.0).width == 8
    limit = answered(limit, 400, now=15.0)
    assert limit.width == 12
    assert answered(limit, 400, now=16.0).width == 16


def test_a_fixed_number_of_workers_stays():
    assert simulate(ConcurrencyLimit.of(5), bears=100)[0].width == 5
    assert ConcurrencyLimit.of(4, 8).width == 4


def test_single_refusals_change_nothing_and_many_halve_once_a_window():
    limit = ConcurrencyLimit.of(8)
    for _ in range(50):
        limit = answered(limit, 19).after_refusal()
    assert limit.width == 8
    for expected in (4, 2, 1, 1):
        for _ in range(3):
            limit = limit.after_refusal()
        assert limit.width == expected
    assert answered(limit, 1 + 2 + 3 + 4 + 5 + 6 + 7).width == 8


def pass_by(throttle):
    with throttle.passage():
        pass


def test_a_hold_is_waited_out_by_every_thread(fake_time):
    throttle = Throttle(ConcurrencyLimit.of(8), fake_time.clock, fake_time.sleep)
    pass_by(throttle)
    assert fake_time.slept == []
    throttle.hold(7)
    throttle.hold(3)
    pass_by(throttle)
    pass_by(throttle)
    assert fake_time.slept == [7]


def test_as_many_requests_as_the_width_allows_are_under_way(fake_time):
    throttle = Throttle(ConcurrencyLimit.of(3), fake_time.clock, fake_time.sleep)
    inside, most, lock, arrived = [0], [0], threading.Lock(), threading.Semaphore(0)
    go = threading.Semaphore(0)

    def work(_):
        with throttle.passage():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            arrived.release()
            assert go.acquire(timeout=10)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(work, number) for number in range(6)]
        for _ in range(3):
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
            throttle.hold(20)

    throttle = Throttle(ConcurrencyLimit.of(2), fake_time.clock, sleep)
    throttle.hold(5)
    with throttle.passage():
        assert fake_time.slept == [5, 20]


REFUSED, GOOD = Outcome(fault=Fault.CONNECTION), Outcome(200)


def suspected(fake_time):
    throttle = Throttle(ConcurrencyLimit.of(4), fake_time.clock, fake_time.sleep)
    for _ in range(2):
        throttle.note(REFUSED)
    assert not throttle.is_suspected
    throttle.note(REFUSED)
    assert throttle.is_suspected
    return throttle


def test_in_an_outage_one_thread_probes_and_all_go_on_together(fake_time):
    throttle = suspected(fake_time)
    probing, probes, began, waiting = threading.Event(), [], threading.Event(), []

    def probe():
        probes.append(threading.get_ident())
        began.set()
        assert probing.wait(10)
        return REFUSED if len(probes) < 6 else GOOD

    def passer():
        pass_by(throttle)
        waiting.append(throttle.out_for)

    with ThreadPoolExecutor(8) as pool:
        ends = [pool.submit(throttle.wait_for_server, probe) for _ in range(4)]
        assert began.wait(10)
        assert throttle.out_for is not None
        passing = [pool.submit(passer) for _ in range(3)]
        assert waiting == []
        probing.set()
        assert {end.result() for end in ends} == {End.BACK}
        for one in passing:
            one.result()
    assert len(probes) == 6
    assert len(set(probes)) == 1
    assert waiting == [None] * 3
    assert fake_time.slept == [0.25, 0.5, 1, 2, 3, 3]
    assert throttle.out_for is None


def test_an_outage_is_given_up_after_its_time_and_forgotten_with_the_next_good_answer(fake_time):
    throttle = suspected(fake_time)
    assert throttle.wait_for_server(lambda: REFUSED) is End.GIVEN_UP
    assert LONGEST_OUTAGE - 4 <= sum(fake_time.slept) <= LONGEST_OUTAGE
    assert throttle.is_hopeless
    throttle.note(GOOD)
    assert not throttle.is_hopeless


def test_a_probe_that_is_answered_at_once_means_that_the_server_was_never_out(fake_time):
    assert suspected(fake_time).wait_for_server(lambda: GOOD) is End.NEVER_OUT


def test_a_probe_that_is_interrupted_leaves_the_throttle_open(fake_time):
    throttle = suspected(fake_time)

    def probe():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        throttle.wait_for_server(probe)
    pass_by(throttle)
    assert throttle.out_for is None


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


def test_a_refusal_ends_at_its_time_and_a_shorter_one_does_not_shorten_it(fake_time):
    throttle = Throttle(ConcurrencyLimit.of(8), fake_time.clock, fake_time.sleep)
    assert throttle.refused() == 0
    throttle.refuse(3600)
    throttle.refuse(200)
    fake_time.now += 3599
    assert throttle.refused() == 1
    fake_time.now += 1
    assert throttle.refused() == 0


@pytest.mark.parametrize(("timeout", "seconds"), [(30, 300), (2.0, 20), (0.5, 5), (None, math.inf)])
def test_how_long_a_whole_answer_may_take(timeout, seconds):
    assert longest_answer(timeout) == seconds
