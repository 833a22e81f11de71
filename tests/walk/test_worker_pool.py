"""Threads that ask: every answer arrives, whatever it is; nobody waits for ever."""

import threading
from queue import SimpleQueue

import pytest

from icdframes.worker_pool import WorkerPool


@pytest.fixture
def make_pool():
    """Return a function that makes a worker pool, which is shut down after the test."""
    made = []

    def make(ask, size=2):
        made.append(WorkerPool(ask, size, "test-pool"))
        return made[-1]

    yield make
    for pool in made:
        pool.shutdown()


def test_every_question_is_answered_and_then_no_answer_is_to_come(make_pool):
    pool = make_pool(lambda key: key * 10)
    for key in range(100):
        pool.submit(key)
    assert sorted(pool.next_result() for _ in range(100)) == [(key, key * 10) for key in range(100)]
    assert pool.next_result() is None


@pytest.mark.parametrize("error", [ValueError, SystemExit, pytest.fail.Exception])
def test_what_is_raised_is_the_answer_and_the_thread_goes_on(make_pool, error):
    def ask(key):
        if key == 0:
            raise error("no")
        return key

    pool = make_pool(ask, 1)
    for key in (0, 1):
        pool.submit(key)
    answers = dict(pool.next_result() for _ in range(2))
    assert isinstance(answers[0], error)
    assert answers[1] == 1


def test_an_answer_that_does_not_come_in_time_is_none(make_pool):
    late = threading.Event()
    pool = make_pool(lambda _key: late.wait(30))
    pool.submit(1)
    assert pool.next_result(0.01) is None
    late.set()
    assert pool.next_result() == (1, True)


def test_only_a_little_is_queued_with_the_threads(make_pool):
    both_ask, go_on = threading.Barrier(3, timeout=30), threading.Event()

    def ask(_key):
        both_ask.wait()
        go_on.wait(30)

    pool = make_pool(ask)
    for key in range(100):
        pool.submit(key)
    both_ask.wait()
    assert pool._asked.qsize() == 2
    pool._leaving.set()
    go_on.set()


def test_no_more_threads_are_started_than_there_is_work_for(make_pool):
    pool = make_pool(lambda key: key, 32)
    assert len(pool._threads) == 0
    for key in range(3):
        pool.submit(key)
    assert sorted(pool.next_result() for _ in range(3)) == [(0, 0), (1, 1), (2, 2)]
    pool.submit(4)
    assert len(pool._threads) == 3
    for key in range(100):
        pool.submit(key)
    assert len(pool._threads) == 32


def test_a_wait_without_end_looks_up_for_ctrl_c(make_pool, monkeypatch):
    waits, go_on = [], threading.Event()

    class Watched:
        def __init__(self):
            self._queue = SimpleQueue()
            self.put = self._queue.put

        def get(self, timeout=None):
            waits.append(timeout)
            if len(waits) == 3:
                go_on.set()
            return self._queue.get(timeout=timeout)

    pool = make_pool(lambda _key: go_on.wait(30))
    pool._answers = Watched()
    monkeypatch.setattr("icdframes.worker_pool._LOOK_UP_SECONDS", 0.01)
    pool.submit(1)
    assert pool.next_result() == (1, True)
    assert waits[:3] == [0.01] * 3
