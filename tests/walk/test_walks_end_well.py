"""Walks that are killed, that share a cache folder, or that meet a damaged one, each several times in a row.

``ICDFRAMES_REPEAT=20 pytest tests/walk`` does it twenty times.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections import Counter

import pandas as pd
import pytest

from icdframes.client.icd_client import IcdClient
from icdframes.errors import CacheWarning
from icdframes.frames.entity_tables import read_tables
from icdframes.frames.files import to_parquet
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials

WORKERS = 4
TIMES = range(int(os.environ.get("ICDFRAMES_REPEAT", "2")))

pytestmark = pytest.mark.slow  # starts processes


@pytest.fixture
def job(slow_sandbox, tmp_path):
    slow_sandbox.clear_log()
    return {"do": "load", "url": slow_sandbox.url, "folder": str(tmp_path / "answers"), "workers": WORKERS}


@pytest.fixture(scope="module")
def undisturbed(slow_sandbox, run, tmp_path_factory):
    """The answer of a walk that nobody disturbs, how long it takes, and what it asks for."""
    folder = tmp_path_factory.mktemp("undisturbed")
    slow_sandbox.clear_log()
    began = time.monotonic()
    (answer,) = run(do="load", url=slow_sandbox.url, folder=str(folder), workers=WORKERS)
    seconds = time.monotonic() - began
    assert answer["rows"] == 40
    assert answer["warnings"] == []
    assert answer["sent"] == len(asked(slow_sandbox))
    return answer["digest"], seconds, set(asked(slow_sandbox))


def asked(sandbox):
    return [request.path for request in sandbox.log if request.method == "GET"]


def kept(folder, sandbox):
    """Paths of the answers in the cache file, read while nobody has it open."""
    with contextlib.closing(sqlite3.connect(folder / "http.sqlite")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'answers_2'").fetchall()
        rows = connection.execute("SELECT envelope FROM answers_2").fetchall() if tables else []
    return {path for path in set(asked(sandbox)) if any(f'{sandbox.url}{path}"' in row for (row,) in rows)}


@pytest.mark.parametrize("seed", TIMES)
def test_a_walk_that_is_killed_goes_on_where_it_was(job, run, slow_sandbox, undisturbed, tmp_path, seed):
    digest, seconds, whole = undisturbed
    (killed,) = run(**job, kill_after=random.Random(seed).uniform(0, 1.1 * seconds))
    first = asked(slow_sandbox)
    assert max(Counter(first).values(), default=1) == 1
    had = kept(tmp_path / "answers", slow_sandbox) if first else set()
    in_flight = set(first) - had
    assert len(in_flight) <= WORKERS
    slow_sandbox.clear_log()
    (again,) = run(**job)
    assert again["digest"] == digest
    assert again["warnings"] == []
    second = asked(slow_sandbox)
    assert not set(second) & had
    assert sorted(second) == sorted(whole - had)
    assert killed["killed"] or killed["digest"] == digest


@pytest.mark.parametrize("seed", TIMES)
def test_a_walk_that_is_interrupted_goes_on_where_it_was(job, run, slow_sandbox, undisturbed, seed):
    digest, seconds, whole = undisturbed
    stopped_after = random.Random(seed).uniform(0, seconds)
    (stopped,) = run(**job, kill_after=stopped_after, signal="SIGINT")
    ends = ("LoadInterruptedError(", "KeyboardInterrupt(")  # the second before the walk has begun
    assert stopped.get("digest") == digest or stopped["error"].startswith(ends)
    first = asked(slow_sandbox)
    slow_sandbox.clear_log()
    (again,) = run(**job)
    assert again["digest"] == digest
    assert set(asked(slow_sandbox)) >= whole - set(first)
    assert len(set(asked(slow_sandbox)) & set(first)) <= WORKERS


@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("seed", TIMES)
def test_processes_share_a_folder(job, run, slow_sandbox, undisturbed, processes, seed):
    digest, _, whole = undisturbed
    answers = run(**job, processes=processes)
    assert [answer.get("digest", answer) for answer in answers] == [digest] * processes
    assert [answer["warnings"] for answer in answers] == [[]] * processes
    assert set(asked(slow_sandbox)) == whole
    slow_sandbox.clear_log()
    (warm,) = run(**job)
    assert (warm["digest"], warm["sent"], asked(slow_sandbox)) == (digest, 0, [])


@pytest.mark.parametrize("seed", TIMES)
def test_processes_and_threads_open_a_cold_folder_together(job, run, slow_sandbox, tmp_path, seed):
    answers = run(**job | {"do": "open", "folder": str(tmp_path / f"cold-{seed}")}, processes=4)
    expected = {"killed": False, "answers": ["http://id.who.int/icd/release/11/2024-01/mms/1"], "warnings": []}
    assert answers == [expected] * 4
    assert not list(tmp_path.glob("*/*.broken"))


@pytest.mark.parametrize("seed", TIMES)
def test_processes_share_a_folder_whose_file_is_damaged(job, run, undisturbed, tmp_path, seed):
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / "http.sqlite").write_bytes(random.Random(seed).randbytes(40_000))
    answers = run(**job, processes=2)
    assert [answer.get("digest", answer) for answer in answers] == [undisturbed[0]] * 2
    told = [one for answer in answers for one in answer["warnings"]]
    assert told
    assert [one for one in told if "was damaged. It is now http.sqlite.broken" not in one] == []
    assert (folder / "http.sqlite.broken").exists()


def test_a_process_that_was_forked_from_another_refuses_its_connections(job, run, slow_sandbox):
    (answer,) = run(**job | {"do": "inherit"})
    for told in answer["child"]:
        assert told.startswith("ConfigurationError(")
        assert "call icdframes.connect() in each process" in told
    assert len(answer["child"]) == 3
    assert answer["parent"] == "http://id.who.int/icd/release/11/2024-01/mms/2"
    assert [path.rpartition("/")[2] for path in asked(slow_sandbox)] == ["1", "2"]


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("seed", TIMES)
def test_an_export_that_is_stopped_leaves_the_old_file_or_the_new_one(run, tmp_path, seed, signal):
    to_parquet(pd.DataFrame({"word": ["old"] * 20_000}), tmp_path / "table.parquet")
    run(do="export", folder=str(tmp_path), kill_after=random.Random(seed).uniform(0.03, 0.12), signal=signal)
    assert signal == "SIGKILL" or [item.name for item in tmp_path.iterdir()] == ["table.parquet"]
    (found,) = run(do="read", folder=str(tmp_path))
    assert found["rows"] == 20_000
    assert found["words"] in (["old"], ["new"])


# --- a damaged folder, met by one process ----------------------------------------------------------------------------


@pytest.fixture
def load(slow_sandbox):
    """Load everything with an own client; gives the tables and the number of requests."""

    def load(folder):
        server = Server("sandbox", slow_sandbox.url, slow_sandbox.token_url)
        credentials = Credentials(slow_sandbox.client_id, slow_sandbox.client_secret)
        with IcdClient(server, lambda: credentials, cache_dir=folder) as client:
            tables = client.load_tables(release="2024-01", progress=False)
            return tables, client.cache_info().requests_sent

    return load


@pytest.fixture(scope="module")
def warm(slow_sandbox, tmp_path_factory):
    """Tables, and a cache file that holds all answers for them."""
    folder = tmp_path_factory.mktemp("warm")
    server = Server("sandbox", slow_sandbox.url, slow_sandbox.token_url)
    credentials = Credentials(slow_sandbox.client_id, slow_sandbox.client_secret)
    with IcdClient(server, lambda: credentials, cache_dir=folder) as client:
        return client.load_tables(release="2024-01", progress=False), folder / "http.sqlite"


def random_bytes(file, rng):
    file.write_bytes(rng.randbytes(rng.randrange(100, 100_000)))


def some_pages_overwritten(file, rng):
    size = file.stat().st_size
    with file.open("r+b") as stream:
        for _ in range(3):
            stream.seek(rng.randrange(100, size - 5000))
            stream.write(rng.randbytes(4096))


def truncated(file, rng):
    os.truncate(file, rng.randrange(1, file.stat().st_size))


def of_another_version(file, rng):
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        names = ", ".join(f"column_{number}" for number in range(rng.randrange(1, 9)))
        connection.execute(f"CREATE TABLE answers_2 ({names})")


@pytest.mark.parametrize("seed", TIMES)
@pytest.mark.parametrize("damage", [random_bytes, some_pages_overwritten, truncated, of_another_version])
def test_a_damaged_cache_is_set_aside_and_the_work_is_done(load, warm, tmp_path, recwarn, damage, seed):
    expected, file = warm
    shutil.copy(file, tmp_path)
    damage(tmp_path / "http.sqlite", random.Random(seed))
    tables, _ = load(tmp_path)
    assert tables.entities.equals(expected.entities)
    assert tables.edges.equals(expected.edges)
    told = [str(one.message) for one in recwarn]
    aside = (tmp_path / "http.sqlite.broken").exists()
    assert all(one.category is CacheWarning for one in recwarn)
    assert [("is now http.sqlite.broken" in one) for one in told] == [True] * aside
    if damage in {random_bytes, of_another_version}:
        assert aside
        assert ("another version" in told[0]) is (damage is of_another_version)
    met_late = damage in {some_pages_overwritten, truncated}  # what was read before is asked for once more
    for _ in range(2 if met_late else 1):
        shutil.rmtree(tmp_path / "snapshots")
        again, requests = load(tmp_path)
        assert again.entities.equals(expected.entities)
    assert requests == 0
    assert len(recwarn) == len(told)


@pytest.mark.parametrize("damage", ["a file is missing", "a file is torn", "another version"])
@pytest.mark.parametrize("seed", TIMES)
def test_a_damaged_snapshot_is_rebuilt_from_the_cache(load, tmp_path, damage, seed):
    rng = random.Random(seed)
    expected, _ = load(tmp_path)
    (folder,) = (tmp_path / "snapshots").iterdir()
    file = rng.choice(sorted(folder.iterdir()))
    if damage == "a file is missing":
        file.unlink()
    elif damage == "a file is torn":
        os.truncate(file, rng.randrange(file.stat().st_size))
    else:
        (folder / "provenance.json").write_text('{"format": "icdframes tables", "format_number": 99}')
    tables, requests = load(tmp_path)
    assert tables.entities.equals(expected.entities)
    assert requests == 0
    (folder,) = (tmp_path / "snapshots").iterdir()
    assert all(file.stat().st_size for file in folder.iterdir())


def test_of_two_processes_that_write_one_folder_of_tables_the_last_wins(warm, tmp_path, monkeypatch):
    tables, _ = warm
    target = tmp_path / "tables"
    replace, calls = os.replace, []

    def another_is_quicker(source, destination):
        calls.append(destination)
        if destination == target and calls.count(target) == 1:
            target.mkdir()
            (target / "entities.parquet").touch()
        replace(source, destination)

    monkeypatch.setattr("os.replace", another_is_quicker)
    tables.to_parquet(target)
    assert calls.count(target) == 2
    assert read_tables(target).entities.equals(tables.entities)
    assert [item.name for item in tmp_path.iterdir()] == ["tables"]


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that makes a folder on a disk of its own; skips where this may not be done."""
    mounted = []

    def make(options):
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no small disk may be mounted here: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(not shutil.which("mount"), reason="there is no mount here")
@pytest.mark.parametrize("size", ["60k", "100k", "150k"])
def test_a_full_disk_is_told_and_the_work_is_done(load, small_disk, warm, size):
    expected, _ = warm
    folder = small_disk(f"size={size}")
    with pytest.warns(CacheWarning) as told:
        tables, _ = load(folder / "answers")
    assert tables.entities.equals(expected.entities)
    words = [str(one.message) for one in told]
    assert all("full" in one or "space" in one or "disk I/O" in one for one in words), words
    assert len(words) <= 2


@pytest.mark.skipif(not shutil.which("mount"), reason="there is no mount here")
def test_a_read_only_folder_is_told_and_the_work_is_done(load, small_disk, warm, recwarn):
    expected, _ = warm
    folder = small_disk("size=1m")
    (folder / "answers").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    tables, _ = load(folder / "answers")
    assert tables.entities.equals(expected.entities)
    first, *others = [str(one.message) for one in recwarn]
    assert first.startswith("No cache can be kept in ")
    assert "Read-only" in first
    assert all("could not be kept for the next time" in other for other in others)
