"""Threads that ask: every answer arrives, whatever it is; nobody waits for ever."""

import threading
from queue import SimpleQueue

import pytest

from icdframes.worker_pool import WorkerPool


@pytest.fixture
def make_crew():
    """Give a function that makes a crew, which leaves after the test."""
    made = []

    def make(ask, size=2):
        made.append(WorkerPool(ask, size, "test-crew"))
        return made[-1]

    yield make
    for crew in made:
        crew.shutdown()


def test_every_question_is_answered_and_then_no_answer_is_to_come(make_crew):
    crew = make_crew(lambda key: key * 10)
    for key in range(100):
        crew.submit(key)
    assert sorted(crew.next_result() for _ in range(100)) == [(key, key * 10) for key in range(100)]
    assert crew.next_result() is None


@pytest.mark.parametrize("error", [ValueError, SystemExit, pytest.fail.Exception])
def test_what_is_raised_is_the_answer_and_the_thread_goes_on(make_crew, error):
    def ask(key):
        if key == 0:
            raise error("no")
        return key

    crew = make_crew(ask, 1)
    for key in (0, 1):
        crew.submit(key)
    answers = dict(crew.next_result() for _ in range(2))
    assert isinstance(answers[0], error)
    assert answers[1] == 1


def test_an_answer_that_does_not_come_in_time_is_none(make_crew):
    late = threading.Event()
    crew = make_crew(lambda _key: late.wait(30))
    crew.submit(1)
    assert crew.next_result(0.01) is None
    late.set()
    assert crew.next_result() == (1, True)


def test_only_a_little_is_queued_with_the_threads(make_crew):
    both_ask, go_on = threading.Barrier(3, timeout=30), threading.Event()

    def ask(_key):
        both_ask.wait()
        go_on.wait(30)

    crew = make_crew(ask)
    for key in range(100):
        crew.submit(key)
    both_ask.wait()
    assert crew._asked.qsize() == 2
    crew._leaving.set()
    go_on.set()


def test_a_wait_without_end_looks_up_for_ctrl_c(make_crew, monkeypatch):
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

    crew = make_crew(lambda _key: go_on.wait(30))
    crew._answers = Watched()
    monkeypatch.setattr("icdframes.worker_pool._LOOK_UP_SECONDS", 0.01)
    crew.submit(1)
    assert crew.next_result() == (1, True)
    assert waits[:3] == [0.01] * 3
