from __future__ import annotations

import contextlib
import gc
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from icdframes.errors import CacheWarning, OfflineMissError
from icdframes.transport.cache import open_cache
from icdframes.transport.sqlite_file import execute_with_retry, opening

ENTITY = "/icd/release/11/2024-01/mms/257068234"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def file(folder):
    return folder / "http.sqlite"


def fill(session, count=40):
    for number in range(count):
        session.get_json(f"{ENTITY}/{number}")


def test_folder_and_files_are_for_their_owner_only(make_session, open_wire, folder, file):
    session = make_session(open_wire)
    fill(session, 2)
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    names.pop("http.sqlite.lock", None)
    assert names == {"http.sqlite": 0o600, "http.sqlite-wal": 0o600, "http.sqlite-shm": 0o600}
    session.close()
    file.chmod(0o644)
    make_session(open_wire)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_was_there_keeps_its_mode(make_session, open_wire, folder):
    folder.mkdir(mode=0o755)
    fill(make_session(open_wire), 1)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_comes_while_a_thread_writes_is_written_by_it_and_seen_at_once(make_session, open_wire, monkeypatch):
    session = make_session(open_wire)
    session.get_json(f"{ENTITY}/0")
    table = session._http.cache.responses
    execute, writing, go_on, statements = table._execute, threading.Event(), threading.Event(), []

    def slowly(statement, *values):
        if statement.startswith("INSERT"):
            statements.append(statement)
            writing.set()
            assert go_on.wait(10)
        return execute(statement, *values)

    monkeypatch.setattr(table, "_execute", slowly)
    monkeypatch.setattr(table, "find", lambda _key: (False, None))
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(session.get_json, f"{ENTITY}/1")
        assert writing.wait(10)
        others = [pool.submit(session.get_json, f"{ENTITY}/{number}") for number in range(2, 8)]
        for other in others:
            other.result(10)  # though the first is still being written
        go_on.set()
        first.result(10)
    assert [statement.count("(?") for statement in statements] == [1, 6]
    monkeypatch.undo()
    assert session.cache_info().answers == 8


def test_what_is_not_written_yet_is_written_at_closing(make_session, open_wire, folder):
    session = make_session(open_wire)
    fill(session, 1)
    table = session._http.cache.responses
    with ThreadPoolExecutor(1) as pool, table._lock:
        pool.submit(fill, session, 0).result(10)
        answer = next(iter(table._run("SELECT * FROM answers_2")))
        pool.submit(table._write, "another key", None, *answer[2:]).result(10)
        assert len(table._unwritten) == 1
    session.close()
    assert len(open_cache(folder).responses) == 2


def test_a_walk_ends_with_every_answer_on_disk(make_session, open_wire, folder):
    # another thread was still writing the last one, and who looked at once asked the server again
    session = make_session(open_wire)
    fill(session, 1)
    table = session._http.cache.responses
    answer = next(iter(table._run("SELECT * FROM answers_2")))

    def walk():
        with session.riding_out_outages():
            table._write("the last", None, *answer[2:])

    with ThreadPoolExecutor(1) as pool:
        with table._lock:
            walking = pool.submit(walk)
            assert not wait([walking], 0.2).done
        walking.result(10)
    assert len(open_cache(folder).responses) == 2


def test_answers_that_come_while_others_are_written_disturb_nothing(make_session, open_wire):
    session = make_session(open_wire)
    fill(session, 1)
    table = session._http.cache.responses
    answer = next(iter(table._run("SELECT * FROM answers_2")))
    more = [(f"key {number}", None, *answer[2:]) for number in range(50)]

    def another_thread(phase, info):
        if more:
            table._unwritten.append(more.pop())

    gc.callbacks.append(another_thread)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        table._write("first", None, *answer[2:])
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(another_thread)
    table._write("last", None, *answer[2:])
    assert len(table) >= 3
    assert not table._unwritten


def test_closing_leaves_no_open_file(make_session, open_wire, folder):
    session = make_session(open_wire)
    fill(session, 2)
    session.close()
    opened = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
    assert not [path for path in opened if path.is_relative_to(folder)]
    assert {path.name for path in folder.iterdir()} - {"http.sqlite.lock"} == {"http.sqlite"}


def test_random_bytes_are_set_aside_and_a_new_file_is_begun(make_session, open_wire, folder, file):
    folder.mkdir()
    rubbish = random.Random(1).randbytes(50_000)
    file.write_bytes(rubbish)
    file.with_name("http.sqlite-wal").write_bytes(rubbish)
    with pytest.warns(CacheWarning, match=r"damaged.*http\.sqlite\.broken"):
        session = make_session(open_wire)
    fill(session, 3)
    assert session.cache_info().answers == 3
    assert file.with_name("http.sqlite.broken").read_bytes() == rubbish


@pytest.mark.parametrize("rest", [0.1, 0.4, 0.6, 0.9])
def test_a_truncated_file_costs_its_answers_and_nothing_else(make_session, open_wire, file, rest):
    session = make_session(open_wire)
    fill(session)
    session.close()
    os.truncate(file, int(file.stat().st_size * rest))
    with pytest.warns(CacheWarning, match="damaged"):
        fill(make_session(open_wire))
    session = make_session(open_wire)
    fill(session)
    assert session.cache_info().answers > 30
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_another_process_has_renewed_is_not_set_aside(make_session, open_wire, file):
    session = make_session(open_wire)
    fill(session, 3)
    session._http.cache.responses._start_again()
    assert session.cache_info().answers == 3
    assert not file.with_name("http.sqlite.broken").exists()


@pytest.mark.parametrize("column", ["body", "key"])
def test_a_damaged_row_is_asked_for_again(column, make_session, open_wire, file):
    session = make_session(open_wire)
    fill(session, 2)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE answers_2 SET {column} = substr({column}, 5)")
    fill(session, 2)
    fill(session, 2)
    assert session.requests_sent == 4


DAMAGES = {
    "an integer": "5",
    "a real": "1.5",
    "nothing": "NULL",
    "half a JSON": "substr(body, 5)",
    "half a character": "CAST(x'ff' AS TEXT)",
    "nested too deeply": f"'{'[' * 200_000}{']' * 200_000}'",
    "a number too long": f"'{'1' * 6000}'",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.filterwarnings("ignore:.*Could not decode to UTF-8:icdframes.errors.CacheWarning")
def test_whatever_stands_in_place_of_an_answer_is_asked_for_again_and_missing_offline(
    make_session, open_wire, file, damage, expired
):
    open_wire.headers = {"ETag": '"same"'}
    session = make_session(open_wire)
    fill(session, 1)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE answers_2 SET body = {DAMAGES[damage]}")
        if expired:
            connection.execute(
                """UPDATE answers_2 SET expires = 1,
                envelope = json_set(envelope, '$.expires', '2020-01-01T00:00:00+00:00')"""
            )
    with pytest.raises(OfflineMissError, match=r"damaged|not in the cache"):
        fill(make_session(open_wire, offline=True), 1)
    with pytest.raises(OfflineMissError):
        make_session(open_wire).lookup_cached.get_json(f"{ENTITY}/0")
    assert len(open_wire.seen) == 1
    fill(session, 1)
    fill(session, 1)
    assert session.requests_sent == 2
    assert "if-none-match" not in open_wire.seen[1].headers


@pytest.mark.parametrize("kind", ["a file stands there", "the file is a folder"])
def test_a_folder_that_cannot_be_used_means_answers_in_memory(make_session, open_wire, folder, file, kind):
    if kind == "a file stands there":
        folder.write_text("")
    else:
        file.mkdir(parents=True)
    with pytest.warns(CacheWarning, match=r"stay in memory.*ICDFRAMES_CACHE_DIR"):
        session = make_session(open_wire)
    fill(session, 2)
    fill(session, 2)
    info = session.cache_info()
    assert (info.path, info.answers, info.requests_sent, info.answered_from_cache) == (None, 2, 2, 2)
    assert info.bytes > 0
    assert session.clear_cache() == 2


@pytest.mark.parametrize(
    ("fault", "words"), [("PRAGMA max_page_count = 8", "full"), ("PRAGMA query_only = 1", "readonly")]
)
def test_a_full_or_read_only_disk_is_told_once_and_answers_go_on(make_session, open_wire, fault, words):
    session = make_session(open_wire)
    session._http.cache.responses._run(fault)
    with pytest.warns(CacheWarning, match=words) as told:
        fill(session)
    assert len(told) == 1
    assert session.requests_sent == 40


def test_a_folder_that_is_deleted_meanwhile_does_not_hang(make_session, open_wire, folder):
    session = make_session(open_wire)
    fill(session, 2)
    shutil.rmtree(folder)
    fill(session, 5)
    assert session.requests_sent == 5


def test_a_file_that_breaks_while_it_is_used_is_set_aside(make_session, open_wire, file):
    session = make_session(open_wire)
    fill(session)
    session._http.cache.responses._run("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(random.Random(1).randbytes(file.stat().st_size - 4096))
    session._http.cache.responses.close()
    with pytest.warns(CacheWarning, match="damaged"):
        fill(session)
    fill(session)
    assert session.cache_info().answers > 30


def test_a_file_that_breaks_and_cannot_be_renewed_is_told(make_session, open_wire, file, monkeypatch):
    session = make_session(open_wire)
    fill(session, 2)
    monkeypatch.setattr("icdframes.transport.cache.make_private", lambda path: (_ for _ in ()).throw(OSError("no")))
    with pytest.warns(CacheWarning, match="not kept in the cache"):
        session._http.cache.responses._start_again()


def test_one_answer_can_be_deleted(make_session, open_wire):
    session = make_session(open_wire)
    fill(session, 2)
    table = session._http.cache.responses
    key = next(iter(table))
    del table[key]
    with pytest.raises(KeyError):
        del table[key]
    assert len(table) == 1


def test_answers_are_kept_as_text_that_runs_nothing(make_session, open_wire, file):
    session = make_session(open_wire)
    fill(session, 1)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        ((body, envelope),) = connection.execute("SELECT body, envelope FROM answers_2").fetchall()
    assert body.startswith(b"{")
    assert envelope.startswith("{")


def test_an_unopened_cache_is_made_in_a_folder_below_others(tmp_path):
    open_cache(tmp_path / "a" / "b").close()
    assert (tmp_path / "a" / "b" / "http.sqlite").exists()


class Locked:
    """A connection to a file that another process holds for a while."""

    def __init__(self, faults):
        self.faults = faults

    def execute(self, statement, values=()):
        if self.faults:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.faults.pop()
            raise error
        return self

    def fetchall(self):
        return []


def test_a_lock_of_another_process_is_waited_for_and_other_faults_are_not(monkeypatch):
    monkeypatch.setattr("icdframes.transport.sqlite_file._BUSY_PAUSE", 0)
    connection = Locked([sqlite3.SQLITE_BUSY] * 3)
    execute_with_retry(connection, "PRAGMA journal_mode = WAL")
    assert connection.faults == []
    with pytest.raises(sqlite3.OperationalError):
        execute_with_retry(Locked([sqlite3.SQLITE_READONLY]), "PRAGMA journal_mode = WAL")
    with pytest.raises(sqlite3.OperationalError):
        execute_with_retry(Locked([sqlite3.SQLITE_BUSY]), "PRAGMA journal_mode = WAL", seconds=-1)


def test_a_file_that_cannot_be_set_up_is_closed_and_answers_stay_in_memory(make_session, open_wire, monkeypatch):
    monkeypatch.setattr("icdframes.transport.cache._SETUP", ("no such statement",))
    with pytest.warns(CacheWarning, match="stay in memory"):
        fill(make_session(open_wire), 1)


@pytest.mark.slow
def test_several_processes_share_one_file(make_session, open_wire, folder):
    code = f"""
import warnings; warnings.simplefilter("error")
from pathlib import Path
from icdframes.settings import Server
from icdframes.transport.session import ApiSession
from icdframes.frames.pandas_compat import TEXT
with ApiSession(Server("custom", {open_wire.url!r}), lambda: None, cache_dir=Path({str(folder)!r})) as session:
    for number in range(60):
        path = f"{ENTITY}/{{number}}"
        assert session.get_json(path)["path"] == path
"""
    workers = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [worker.communicate(timeout=60)[1] for worker in workers] == [""] * 4
    assert [worker.returncode for worker in workers] == [0] * 4
    session = make_session(open_wire)
    fill(session, 60)
    assert (session.requests_sent, session.cache_info().answers) == (0, 60)


def test_a_process_waits_until_another_has_repaired_the_file(make_session, open_wire, file):
    file.parent.mkdir()
    file.write_bytes(b"rubbish" * 100)
    with opening(file):
        other = threading.Thread(target=lambda: fill(make_session(open_wire), 1))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        file.write_bytes(b"")
    other.join(10)
    assert not file.with_name("http.sqlite.broken").exists()


def test_opening_beside_a_connection_keeps_its_locks(make_session, open_wire, file):
    """Closing a descriptor of the file drops all POSIX locks of the process; then others remove the log in use."""
    session = make_session(open_wire)
    fill(session, 2)
    make_session(open_wire)
    code = f"import sqlite3; c = sqlite3.connect({str(file)!r}); c.execute('SELECT count(*) FROM answers_2'); c.close()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert file.with_name("http.sqlite-wal").exists()
    fill(session, 4)
    assert session.requests_sent == 4


def test_a_lock_that_another_program_keeps_is_waited_for_once(make_session, open_wire, file, monkeypatch):
    monkeypatch.setattr("icdframes.transport.cache.BUSY_SECONDS", 0.5)
    session = make_session(open_wire)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.warns(CacheWarning, match="locked") as told:
            fill(session, 20)
        assert time.monotonic() - began < 8  # once for each of 20 answers would be 10 s
        assert (len(told), session.requests_sent) == (1, 20)
        other.execute("ROLLBACK")
    fill(session, 20)
    fill(session, 20)
    assert session.requests_sent == 40


def test_threads_of_one_process_open_a_cold_folder_together(make_session, open_wire, recwarn):
    threads = [threading.Thread(target=lambda: fill(make_session(open_wire), 3)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(one.message) for one in recwarn] == []
    assert make_session(open_wire).cache_info().answers == 3


@pytest.mark.parametrize("with_log", [False, True])
def test_a_file_that_cannot_be_written_is_read(make_session, open_wire, file, folder, monkeypatch, with_log, recwarn):
    session = make_session(open_wire)
    fill(session, 3)
    if not with_log:
        session.close()
    monkeypatch.setattr("os.access", lambda path, mode: not (mode & os.W_OK and str(path).startswith(str(folder))))
    before = file.stat().st_mtime_ns
    reader = make_session(open_wire, offline=True)
    fill(reader, 3)
    assert [str(one.message) for one in recwarn] == []
    online = make_session(open_wire)
    with pytest.warns(CacheWarning, match="readonly") as told:
        fill(online, 6)
    assert (len(told), online.requests_sent) == (1, 3)
    assert file.stat().st_mtime_ns == before


def test_offline_a_damaged_answer_is_a_missing_answer(make_session, open_wire, file):
    session = make_session(open_wire)
    fill(session, 1)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE answers_2 SET body = substr(body, 5)")
    with pytest.raises(OfflineMissError, match="what the cache holds of it is damaged"):
        fill(make_session(open_wire, offline=True), 1)
