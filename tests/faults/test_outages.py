"""Walks through outages, refusals and lost tokens: complete, with no real waiting; and how they end otherwise."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from icdframes.errors import TraversalError
from icdframes.sandbox import Sandbox
from icdframes.settings import Server

CHAPTER = 86
FAULTS = {
    "502": {"status": 502},
    "503": {"status": 503},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "2"}},
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}},
    "a closed connection": {"close": True},
    "half an answer": {"cut_body": 20},
    "a page of HTML": {"status": 200, "body": "<html>", "content_type": "text/html"},
}


@pytest.fixture
def sandbox():
    with Sandbox(client_id="client-0123-abcd", client_secret="s3cret/+=of-the-client") as sandbox:
        yield sandbox


@pytest.fixture
def connect(make_client):
    def connect(sandbox, **settings):
        return make_client(Server("sandbox", sandbox.url, sandbox.token_url), max_workers=8, **settings)

    return connect


def chapter(client):
    return client.load_tables(274880002, release="2024-01", progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_outage_in_a_walk_costs_no_entity(sandbox, connect, free_time, fault):
    client = connect(sandbox)
    client.load_tables("1A00", release="2024-01")
    sandbox.fail("*", times=45, **fault)  # 8 threads with 2 retries would lose 15 entities of it
    assert len(chapter(client)) == CHAPTER
    assert free_time.ahead < 160


def test_a_server_that_is_not_there_for_a_while_costs_no_entity(sandbox, connect, free_time, monkeypatch):
    client = connect(sandbox)
    client.load_tables("1A00", release="2024-01")
    sandbox.stop()
    sleep = free_time.sleep

    def sleep_until_it_is_back(seconds):
        sleep(seconds)
        if free_time.ahead > 60:
            sandbox.start()

    monkeypatch.setattr(client._session._adapter._throttle, "_sleep", sleep_until_it_is_back)
    assert len(chapter(client)) == CHAPTER
    assert 60 < free_time.ahead < 90


def test_an_outage_without_an_end_ends_the_walk_in_minutes_and_says_so(sandbox, connect, free_time):
    client = connect(sandbox)
    client.load_tables("1A00", release="2024-01")
    sandbox.fail("*/mms/[0-9]*", status=503, times=None, share=1.0)
    with pytest.raises(Exception, match=r"gave no good answer for \d+ s|503"):
        chapter(client)
    assert free_time.ahead < 400
    sandbox.clear_faults()
    assert len(chapter(connect(sandbox))) == CHAPTER


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["429 with Retry-After", "503", "a closed connection"])
def test_a_share_of_faults_costs_no_entity(sandbox, connect, free_time, kind):
    sandbox.fail("*", times=None, share=0.2, **FAULTS[kind])
    client = connect(sandbox)
    assert len(chapter(client)) == CHAPTER


def test_what_failed_for_good_in_the_first_round_has_a_second_one(sandbox, connect):
    client = connect(sandbox)
    client.load_tables("1A00", release="2024-01")
    leaf = chapter(connect(sandbox)).entities.query("is_leaf").entity_id.iloc[3]
    client.clear_cache()
    sandbox.fail(f"*/{leaf}", status=500, times=4)  # two retries are not enough
    assert len(chapter(client)) == CHAPTER


def test_a_fault_that_stays_costs_one_entity_and_is_told(sandbox, connect):
    leaf = chapter(connect(sandbox)).entities.query("is_leaf").entity_id.iloc[3]
    client = connect(sandbox)
    client.clear_cache()
    sandbox.fail(f"*/{leaf}", status=500, times=None)
    with pytest.raises(TraversalError) as caught:
        chapter(client)
    assert list(caught.value.failures) == [leaf]
    assert len(caught.value.tables.entities) == CHAPTER - 1


@pytest.mark.slow
def test_two_programs_with_one_key_both_finish_where_each_new_token_ends_the_last(connect, tmp_path):
    key = {"client_id": "client-0123-abcd", "client_secret": "s3cret/+=of-the-client"}
    with Sandbox(**key, one_token=True, delay=0.002) as sandbox:
        clients = [connect(sandbox, cache_dir=tmp_path / str(number)) for number in range(2)]
        with ThreadPoolExecutor(2) as pool:
            assert [len(tables) for tables in pool.map(chapter, clients)] == [CHAPTER, CHAPTER]


def test_threads_that_ask_for_the_same_at_once_send_it_once(sandbox, connect):
    client = connect(sandbox)
    client.load_tables("1A00", release="2024-01")
    sandbox.clear_log()
    sandbox.delay = 0.005
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda _: len(chapter(client)), range(8)))
    assert sizes == [CHAPTER] * 8
    asked = [request.path for request in sandbox.log if "/mms/" in request.path and "codeinfo" not in request.path]
    assert len(asked) <= CHAPTER + 2
