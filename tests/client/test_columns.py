"""Columns: each distinct value asked once, answered in order, nothing lost."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event, Lock, current_thread

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.client.bulk import ask_each, read_column
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    EntityNotFoundError,
    PartialResultWarning,
    UnknownLanguageError,
    UnknownReleaseError,
)
from icdframes.frames.pandas_compat import TEXT
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials

CHOLERA = "257068234"


@pytest.mark.parametrize(
    ("given", "values", "labels"),
    [
        ("1A00", ("1A00",), [0]),
        (257068234, (257068234,), [0]),
        (["a", None, " ", "b "], ("a", None, None, "b"), [0, 1, 2, 3]),
        (("a", float("nan")), ("a", None), [0, 1]),
        (pd.Series(["a", pd.NA], index=["x", "x"]), ("a", None), ["x", "x"]),
        (pd.Index(["a", "b"], name="codes"), ("a", "b"), ["a", "b"]),
        (np.array(["a", "b"], dtype=object), ("a", "b"), [0, 1]),
        (pd.Series([], dtype=TEXT), (), []),
        (pd.Categorical(["a", None]), ("a", None), [0, 1]),
    ],
)
def test_a_column_is_read_with_its_index(given, values, labels):
    column = read_column(given)
    assert column.given == values
    assert column.index.tolist() == labels
    assert column.single == isinstance(given, str | int)


@pytest.mark.parametrize("given", [{"a": 1}, {"a"}, pd.DataFrame({"a": [1]}), pd.MultiIndex.from_tuples([("a", "b")])])
def test_a_table_is_no_column(given):
    with pytest.raises(ConfigurationError, match="no column"):
        read_column(given)


def test_each_distinct_value_is_asked_for_once_and_order_is_kept():
    asked, lock = [], Lock()

    def ask(key):
        with lock:
            asked.append(key)
        if key == 3:
            raise EntityNotFoundError("three")
        return key * 10

    outcomes = ask_each([5, 3, 5, 1, 3], ask, max_workers=4)
    assert sorted(asked) == [1, 3, 5]
    assert [(key, outcome.status, outcome.answer) for key, outcome in outcomes.items()] == [
        (5, "ok", 50), (3, "not_found", None), (1, "ok", 10),
    ]  # fmt: skip


def test_a_column_ends_early_where_nothing_but_failures_comes():
    asked, lock = [], Lock()

    def ask(key):
        with lock:
            asked.append(key)
        raise ConnectionFailedError("gone")

    outcomes = ask_each(range(1000), ask, max_workers=2)
    assert len(asked) < 20
    assert outcomes[0].status == "failed"
    assert outcomes[999].status == "not_asked"


def test_refused_credentials_end_a_column_at_once():
    asked = []

    def ask(key):
        asked.append(key)
        raise CredentialsRejectedError("no")

    ask_each(range(1000), ask, max_workers=1)
    assert len(asked) <= 3


def test_a_programming_error_is_not_hidden_in_a_row():
    def ask(key):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_each([1, 2], ask, max_workers=2)


def test_an_interrupted_column_returns_at_once_and_asks_for_nothing_more(monkeypatch, request):
    monkeypatch.setattr("icdframes.worker_pool._LEAVE_SECONDS", 0.1)
    asked, threads, is_waiting, go_on = [], set(), Event(), Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in the background
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def ask(key):
        asked.append(key)
        threads.add(current_thread())
        if key:
            is_waiting.set()
            go_on.wait(30)

    def interrupt(*_):
        assert is_waiting.wait(
            30
        )  # one request at least is under way: the first answer may come before the second is asked for
        signal.raise_signal(signal.SIGINT)

    @contextmanager
    def interrupted(_label, **_):
        yield interrupt

    monkeypatch.setattr("icdframes.client.bulk.progress_bar", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask_each(range(100), ask, max_workers=2)
    assert any(thread.is_alive() for thread in list(threads))
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert len(asked) <= 3


HANGING_COLUMN = """
import os, signal, threading
from icdframes.client.bulk import ask_each
from icdframes.frames.pandas_compat import TEXT

def ask(key):
    os.write(1, b"asked\\n")
    threading.Event().wait()

signal.signal(signal.SIGINT, signal.default_int_handler)
ask_each(range(100), ask, max_workers=2, progress=False)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process there")
def test_a_request_that_hangs_does_not_keep_an_interrupted_process_from_ending():
    command = [sys.executable, "-c", HANGING_COLUMN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "asked\n"
            process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in process.communicate(timeout=30)[1]
        finally:
            process.kill()


def test_an_empty_column_gives_an_empty_table_of_the_same_columns(icd_client):
    full = icd_client.codeinfo(["1A00"])
    empty = icd_client.codeinfo([])
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert not len(empty)


@pytest.mark.slow
def test_ten_thousand_texts_of_five_hundred_cost_five_hundred_requests_and_none_again(icd_client, icd_sandbox):
    distinct = ["Cholera", *(f"illness number {number}" for number in range(499))]
    texts = pd.Series(distinct * 20, index=range(10_000, 20_000))
    first = icd_client.autocode(texts, release="2024-01")
    assert icd_sandbox.count("/icd/release/11/2024-01/mms/autocode") == 500
    assert len([request for request in icd_sandbox.log if "autocode" not in request.path]) <= 3
    icd_sandbox.clear_log()
    second = icd_client.autocode(texts, release="2024-01")
    assert icd_sandbox.log == []
    pd.testing.assert_frame_equal(first, second)
    assert first.index.equals(texts.index)
    assert first.value.tolist() == texts.tolist()
    assert (first.code == "1A00").sum() == 20


@pytest.mark.parametrize("verb", ["autocode", "search"])
def test_a_text_that_cannot_be_sent_costs_its_own_row_alone(icd_client, verb):
    frame = getattr(icd_client, verb)(["cholera", "\ud800"], release="2024-01")
    assert (frame.status[:-1].unique().tolist(), frame.status.iloc[-1]) == (["ok"], "invalid")
    assert "half a character" in frame.message.iloc[-1]


@pytest.mark.parametrize("verb", ["autocode", "search"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "1" + 400 * "0"], ids=["nan", "infinity", "huge"])
def test_an_answer_with_a_number_that_no_column_holds_costs_its_own_row_alone(icd_client, icd_sandbox, verb, number):
    getattr(icd_client, verb)("cholera")
    odd = f'{{"matchLevel": {number}, "destinationEntities": [{{"score": {number}}}]}}'
    icd_sandbox.fail(f"*/{verb}", status=200, body=odd, content_type="application/json", times=None)
    with pytest.warns(PartialResultWarning, match="1 of 2 values"):
        frame = getattr(icd_client, verb)(["fever", "cholera"])
    assert (frame.status[0], set(frame.status[1:])) == ("failed", {"ok"})
    assert "should be a number" in frame.message[0]


def test_a_single_value_raises_what_a_row_would_say(icd_client):
    with pytest.raises(EntityNotFoundError, match="NZ99"):
        icd_client.codeinfo("NZ99")
    with pytest.raises(CodeSyntaxError):
        icd_client.codeinfo("1A0O")
    with pytest.raises(ConfigurationError, match="Nothing was given"):
        icd_client.codeinfo("")
    with pytest.raises(ConfigurationError, match="not text"):
        icd_client.codeinfo(5.5)


def test_the_newest_release_is_resolved_once_for_a_column(icd_client, icd_sandbox):
    icd_client.codeinfo(["1A00", "5A11", "BA41.Z"])
    assert icd_sandbox.count("/icd/release/11/mms") == 1


def test_release_and_language_are_checked_before_anything_is_asked(icd_client, icd_sandbox):
    with pytest.raises(UnknownReleaseError, match="2024-01"):
        icd_client.codeinfo("1A00", release="2023-01")
    with pytest.raises(UnknownLanguageError, match="'onion'"):
        icd_client.lookup(CHOLERA, language="onion")
    with pytest.raises(ConfigurationError, match="one language is enough"):
        icd_client.codeinfo("1A00", language=["en", "es"])
    assert not [request for request in icd_sandbox.log if "codeinfo" in request.path or "lookup" in request.path]


def test_some_failures_warn_and_keep_the_rest(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.fail("*/codeinfo/5A11", status=501)
    with pytest.warns(PartialResultWarning, match="1 of 2 values have no answer"):
        frame = icd_client.codeinfo(["1A00", "5A11"])
    assert frame.status.tolist() == ["ok", "failed"]
    assert icd_client.codeinfo(["1A00", "5A11"]).status.tolist() == ["ok", "ok"]


def test_a_warning_points_at_the_users_line_and_says_how_to_silence_it(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.fail("*/codeinfo/*", status=501, times=None)
    for call in (icd_client.codeinfo, icdframes.codeinfo):
        with pytest.warns(PartialResultWarning) as caught:
            call(["1A00"])
        assert caught[0].filename == __file__
        assert 'warnings.simplefilter("ignore", icdframes.errors.PartialResultWarning)' in str(caught[0].message)


def test_refused_credentials_are_raised_not_told_in_rows(icd_sandbox, tmp_path):
    server = Server("sandbox", icd_sandbox.url, icd_sandbox.token_url)
    with (
        icdframes.IcdClient(server, lambda: Credentials("a", "b"), cache_dir=tmp_path / "c") as client,
        pytest.raises(CredentialsRejectedError),
    ):
        client.codeinfo(["1A00", "5A11"])


def test_credentials_that_are_refused_later_are_raised_too(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.revoke_tokens()
    refusal = {"status": 400, "body": '{"error":"invalid_client"}', "content_type": "application/json"}
    icd_sandbox.fail("/connect/token", times=None, **refusal)
    with pytest.raises(CredentialsRejectedError):
        icd_client.codeinfo(["1A00", "5A11"])


def test_answers_survive_a_file(icd_client, tmp_path):
    frame = icd_client.codeinfo(["1A00", "NZ99"])
    for path in (tmp_path / "answer.csv", tmp_path / "answer.parquet"):
        (icdframes.to_csv if path.suffix == ".csv" else icdframes.to_parquet)(frame, path)
        back = icdframes.read_frame(path)
        pd.testing.assert_frame_equal(back, frame)
        assert back.attrs["provenance"] == frame.attrs["provenance"]


def test_progress_is_shown_for_a_column_that_asks_for_it(icd_client, capsys):
    icd_client.codeinfo(["1A00"], progress=True)
    assert "codeinfo mms 2024-01" in capsys.readouterr().err
    icd_client.codeinfo("5A11", progress=True)
    assert capsys.readouterr().err == ""
