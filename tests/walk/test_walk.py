import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import (
    ConnectionFailedError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    OfflineMissError,
    TraversalError,
)
from icdframes.model.entity import Entity
from icdframes.walk import FailureBudget, walk


def _fetcher(children, missing=(), error=EntityNotFoundError):
    asked = []

    def fetch(entity_id):
        asked.append(entity_id)
        if entity_id in missing or entity_id not in children:
            raise error(f"no {entity_id}")
        return Entity(uri=entity_id, entity_id=entity_id, title=entity_id, child_ids=tuple(children[entity_id]))

    fetch.asked = asked
    return fetch


def test_everything_below_the_roots_is_fetched_once():
    fetch = _fetcher({"a": "bc", "b": "d", "c": "d", "d": ""})
    graph = walk(["a"], fetch)
    assert sorted(graph.entities) == list("abcd")
    assert sorted(fetch.asked) == list("abcd")
    assert graph.failures == {}


def _asked_ahead(expected, children, **options):
    """Walk from a with everything answered in the order in which it was asked for."""
    fetch = _fetcher(children, **options)
    graph = walk(["a"], fetch, max_workers=1, expected=expected)
    return graph, fetch.asked


def test_what_is_expected_is_asked_for_at_once_and_only_once():
    graph, asked = _asked_ahead("dcb", {"a": "b", "b": "cd", "c": "e", "d": "e", "e": ""})
    assert asked == list("adcbe")
    assert sorted(graph.entities) == list("abcde")
    assert graph.failures == {}


def test_what_was_expected_and_is_not_below_the_roots_is_left_out():
    graph, asked = _asked_ahead("xyb", {"a": "b", "b": "", "x": ""})
    assert asked == list("axyb")
    assert sorted(graph.entities) == list("ab")
    assert graph.failures == {}


def test_what_fails_before_it_is_met_is_a_failure_once_it_is_met():
    graph, asked = _asked_ahead("cb", {"a": "b", "b": "c"})
    assert asked == list("acb")
    assert sorted(graph.entities) == list("ab")
    assert list(graph.failures) == ["c"]


def test_what_failed_ahead_because_of_the_server_is_asked_for_again():
    fetch, failed = _fetcher({"a": "b", "b": "c", "c": ""}), []

    def fails_once(entity_id):
        if entity_id == "c" and not failed:
            failed.append(entity_id)
            raise ConnectionFailedError("no")
        return fetch(entity_id)

    graph = walk(["a"], fails_once, max_workers=1, expected="cb")
    assert (sorted(graph.entities), graph.failures) == (list("abc"), {})


def test_what_is_expected_and_cached_is_not_fetched():
    fetch = _fetcher({"a": "b", "b": "c", "c": ""})
    kept = {"c": Entity(uri="c", entity_id="c", title="kept")}
    told = []
    graph = walk(
        ["a"],
        fetch,
        max_workers=1,
        expected="bc",
        lookup_cached=kept.get,
        on_progress=lambda progress: told.append((progress.done, progress.known)),
    )
    assert graph.entities["c"].title == "kept"
    assert fetch.asked == ["a", "b"]
    assert told == [(2, 3), (3, 3)]


@pytest.mark.parametrize("depth,expected", [(0, "a"), (1, "abc"), (2, "abcd"), (None, "abcd")])
def test_depth_counts_levels_below_the_roots(depth, expected):
    assert sorted(walk(["a"], _fetcher({"a": "bc", "b": "d", "c": "d", "d": ""}), depth=depth).entities) == list(
        expected
    )


def test_a_shorter_way_found_later_still_counts():
    children = {"a": "bs", "b": "x", "s": "t", "x": "y", "t": "x", "y": "z", "z": ""}
    direct_comes_last = {"a": "bd", "b": "c", "c": "x", "d": "x", "x": "y", "y": "z", "z": ""}
    x_is_here = threading.Event()
    plain = _fetcher(direct_comes_last)

    def watched(entity_id):
        entity = plain(entity_id)
        if entity_id == "x":
            x_is_here.set()
        elif entity_id == "d":
            assert x_is_here.wait(10)
        return entity

    assert sorted(walk(["a"], _fetcher(children), depth=3).entities) == list("abstxy")
    graph = walk(["a"], watched, depth=3, max_workers=2)
    assert sorted(graph.entities) == list("abcdxy")
    assert graph.depths()["y"] == 3


def test_an_entity_under_way_is_not_asked_for_again_where_a_shorter_way_to_it_is_found():
    plain = _fetcher({"a": "bd", "b": "c", "c": "x", "d": "x", "x": "y", "y": ""})
    x_is_asked_for, shorter_way_is_known = threading.Event(), threading.Event()

    def fetch(entity_id):
        entity = plain(entity_id)
        if entity_id == "x":
            x_is_asked_for.set()
            assert shorter_way_is_known.wait(10)
        elif entity_id == "d":
            assert x_is_asked_for.wait(10)
        return entity

    def tell(progress):
        if progress.done == 4:  # all but x and what is below it
            shorter_way_is_known.set()

    graph = walk(["a"], fetch, depth=3, max_workers=3, on_progress=tell)
    assert sorted(graph.entities) == list("abcdxy")
    assert sorted(plain.asked) == list("abcdxy")


def test_an_entity_with_10000_children_is_walked_whole():
    children = [f"x{number}" for number in range(10_000)]
    fetch = _fetcher({"a": children} | dict.fromkeys(children, ""))
    graph = walk(["a"], fetch)
    assert list(graph.tabular_list())[1].entity_id == "x0"
    assert len(graph.entities) == len(fetch.asked) == len(set(fetch.asked)) == 10_001


def test_circles_and_self_parents_end():
    graph = walk(["a"], _fetcher({"a": "ab", "b": "c", "c": "a"}))
    assert sorted(graph.entities) == list("abc")


def test_one_failure_does_not_lose_the_rest():
    graph = walk(["a"], _fetcher({"a": "bcd", "b": "", "d": ""}, missing="c"))
    assert sorted(graph.entities) == list("abd")
    assert list(graph.failures) == ["c"]
    assert isinstance(graph.failures["c"], EntityNotFoundError)


def test_a_walk_where_nothing_works_any_more_ends_early_and_names_all_that_is_missing():
    children = {"a": [f"x{number}" for number in range(500)]}
    fetch = _fetcher(children, error=ConnectionFailedError)
    graph = walk(["a"], fetch, max_workers=4)
    assert len(fetch.asked) < 40
    assert len(graph.failures) == 500
    not_asked = [str(error) for error in graph.failures.values() if isinstance(error, TraversalError)]
    assert len(not_asked) > 450
    assert set(not_asked) < {
        f"Not asked for, since too many entities had failed; the last fault: no x{number}" for number in range(500)
    }


REFUSED = CredentialsRejectedError("no")
BAD, GOOD, GONE = ConnectionFailedError("no"), Entity(uri="", entity_id="", title=""), EntityNotFoundError("no")


@pytest.mark.parametrize(
    "answers,ends",
    [
        ([BAD] * 7, ""),
        ([BAD] * 8, "too many entities had failed"),
        ([BAD] * 7 + [GOOD, BAD], ""),
        ([BAD] * 7 + [GOOD, BAD, BAD], "too many entities had failed"),
        ([BAD, GOOD] * 12, "too many entities had failed"),
        ([BAD, GOOD, GOOD, GOOD, GOOD, GOOD] * 100, ""),
        ([BAD, *[GONE] * 5] * 100, ""),
        ([GONE] * 100, ""),
        ([OfflineMissError("no")] * 100, ""),
        ([REFUSED] * 3, ""),
        ([REFUSED] * 4, "the credentials were refused"),
        ([REFUSED, *[GOOD] * 8] * 10, ""),
        ([CredentialsUnavailableError("none")], "there are no credentials"),
    ],
)
def test_the_budget_of_a_walk(answers, ends):
    patience = FailureBudget(8, lambda: 0.0)
    reasons = [patience.end_after(answer) for answer in answers]
    assert any(reasons) is bool(ends)
    assert next(filter(None, reasons), "") == ends


def test_ten_minutes_without_a_success_end_a_walk_however_few_have_failed():
    now = [0.0]
    patience = FailureBudget(100, lambda: now[0])
    now[0] = 600
    assert patience.end_after(BAD) == ""
    assert patience.end_after(GOOD) == ""
    now[0] = 1200
    assert patience.end_after(BAD) == ""
    now[0] = 1201
    assert patience.end_after(BAD) == "nothing had succeeded for 10 minutes"


def test_a_walk_to_which_no_answer_comes_any_more_ends_with_what_there_is(monkeypatch):
    monkeypatch.setattr("icdframes.walk._LONGEST_DROUGHT", 0.1)
    monkeypatch.setattr("icdframes.worker_pool._LEAVE_SECONDS", 0.1)
    plain, never = _fetcher({"a": "bcd", "b": "", "c": "", "d": ""}), threading.Event()

    def fetch(entity_id):
        if entity_id in "cd":
            never.wait(10)
        return plain(entity_id)

    graph = walk(["a"], fetch, max_workers=2)
    never.set()
    assert sorted(graph.entities) == ["a", "b"]
    assert {key: str(error) for key, error in graph.failures.items()} == dict.fromkeys(
        "cd", "No answer came, and nothing had succeeded for 0 minutes"
    )


def test_many_missing_entities_do_not_end_a_walk():
    children = {"a": [f"x{number}" for number in range(100)] + ["b"], "b": ""}
    graph = walk(["a"], _fetcher(children), max_workers=2)
    assert sorted(graph.entities) == ["a", "b"]
    assert len(graph.failures) == 100


def test_refused_credentials_end_a_walk_soon():
    fetch = _fetcher({}, error=CredentialsRejectedError)
    graph = walk([f"x{number}" for number in range(100)], fetch, max_workers=2)
    assert len(fetch.asked) <= 8
    assert len(graph.failures) == 100


def test_a_bug_in_fetch_reaches_the_caller():
    def fetch(entity_id):
        raise ZeroDivisionError(entity_id)

    with pytest.raises(ZeroDivisionError):
        walk(["a"], fetch)


def test_entities_at_hand_are_not_fetched():
    fetch = _fetcher({"b": ""})
    lookup_cached = {"a": Entity(uri="a", entity_id="a", title="a", child_ids=("b",))}
    assert sorted(walk(["a"], fetch, lookup_cached=lookup_cached.get).entities) == list("ab")
    assert fetch.asked == ["b"]


def test_a_chain_of_20000_entities_at_hand_is_followed_to_its_end():
    def lookup_cached(entity_id):
        below = (str(int(entity_id) + 1),) if int(entity_id) < 20_000 else ()
        return Entity(uri=entity_id, entity_id=entity_id, title="", child_ids=below)

    assert len(walk(["1"], _fetcher({}), lookup_cached=lookup_cached).entities) == 20_000


def test_progress_ends_at_the_number_of_entities():
    seen = []
    walk(["a"], _fetcher({"a": "bc", "b": "", "c": ""}), on_progress=seen.append)
    assert [step.done for step in seen] == [1, 2, 3]
    assert (seen[0].known, seen[-1].known) == (3, 3)


def test_progress_of_what_is_at_hand_is_told_now_and_then_and_at_its_end():
    seen = []
    children = {str(number): str(number + 1) for number in range(1, 250)} | {"250": ""}

    def lookup_cached(entity_id):
        below = (children[entity_id],) if children[entity_id] else ()
        return Entity(uri=entity_id, entity_id=entity_id, title="", child_ids=below)

    walk(["1"], _fetcher({}), lookup_cached=lookup_cached, on_progress=seen.append)
    assert [step.done for step in seen] == [100, 200, 250]


def test_requests_run_at_the_same_time_up_to_the_number_of_workers():
    barrier = threading.Barrier(4, timeout=10)

    def fetch(entity_id):
        if entity_id != "a":
            barrier.wait()
        return Entity(uri=entity_id, entity_id=entity_id, title="", child_ids=tuple("bcde") if entity_id == "a" else ())

    assert len(walk(["a"], fetch, max_workers=4).entities) == 5


def test_no_thread_is_left_behind():
    walk(["a"], _fetcher({"a": "b", "b": ""}))
    end = time.monotonic() + 5
    while any(thread.name.startswith("icdframes-walk") for thread in threading.enumerate()):
        assert time.monotonic() < end


ids = st.sampled_from("abcdefgh")


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(ids, st.lists(ids, max_size=5, unique=True)),
    st.lists(ids, min_size=1, max_size=3, unique=True),
    st.one_of(st.none(), st.integers(0, 4)),
)
def test_any_graph_is_walked_once_and_the_same_by_one_thread_or_many(children, roots, depth):
    alone, together = _fetcher(children), _fetcher(children)
    one = walk(roots, alone, depth=depth, max_workers=1)
    many = walk(roots, together, depth=depth, max_workers=6)
    assert dict(one.entities) == dict(many.entities)
    assert list(one.failures) == list(many.failures)
    assert list(one.tabular_list()) == list(many.tabular_list())
    assert len(together.asked) == len(set(together.asked)) == len(many.entities) + len(many.failures)
    if depth is not None:
        assert all(place.depth <= depth for place in many.tabular_list())
