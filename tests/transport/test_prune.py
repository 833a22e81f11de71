"""What `prune_cache` removes: what is old, then what is oldest, until the rest has a size."""

import contextlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

import icdframes
from icdframes.cli.main import main
from icdframes.sandbox import Sandbox


@pytest.fixture
def client(tmp_path):
    with Sandbox(authenticate=False) as sandbox, icdframes.connect(sandbox.url, cache_dir=tmp_path) as client:
        yield client


def _age(client, code, days):
    """Let an answer look as if it had been kept so many days ago."""
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    with contextlib.closing(sqlite3.connect(client.cache_info().path)) as file, file:
        changed = file.execute(
            "UPDATE answers_2 SET envelope = json_set(envelope, '$.created_at', ?) WHERE envelope LIKE ?",
            (moment, f"%codeinfo/{code}%"),
        )
        assert changed.rowcount == 1


def _kept(client):
    with contextlib.closing(sqlite3.connect(client.cache_info().path)) as file:
        urls = [url for (url,) in file.execute("SELECT json_extract(envelope, '$.url') FROM answers_2")]
    return {url.rpartition("/")[2] for url in urls if "codeinfo" in url}


def test_what_is_older_goes(client):
    for code, days in {"1A00": 100, "1A03": 80, "2C25": 0}.items():
        client.codeinfo(code, release="2024-01")
        _age(client, code, days)
    client.prune_cache()
    assert _kept(client) == {"1A03", "2C25"}
    client.prune_cache(older_than=79.5)
    assert _kept(client) == {"2C25"}
    assert client.prune_cache(older_than=-1).answers == 0


def test_the_oldest_go_until_the_rest_fits(client):
    client.load_tables("1A00", release="2024-01")
    for age, code in enumerate(["2C25", "1A00", "1A03"]):
        client.codeinfo(code, release="2024-01")
        _age(client, code, age + 1)
    before = client.cache_info()
    assert client.prune_cache(keep=10**9).answers == before.answers
    left = client.prune_cache(keep=before.snapshot_bytes + 4000)
    assert left.snapshots == 1
    assert 0 < left.answers < before.answers
    assert "1A03" not in _kept(client)
    gone = client.prune_cache(keep=0)
    assert (gone.answers, gone.snapshots, gone.downloads) == (0, 0, 0)
    assert client.codeinfo("1A00", release="2024-01").code[0] == "1A00"


def test_an_answer_that_is_damaged_goes_first(client):
    for code in ("1A00", "1A03"):
        client.codeinfo(code, release="2024-01")
    with contextlib.closing(sqlite3.connect(client.cache_info().path)) as file, file:
        file.execute("UPDATE answers_2 SET envelope = 'x' WHERE envelope LIKE '%codeinfo/1A00%'")
        answers = file.execute("SELECT count(*) FROM answers_2").fetchone()[0]
    assert client.prune_cache().answers == answers - 1


def test_old_tables_go(client):
    client.load_tables("1A00", release="2024-01")
    client.load_tables("1A03", release="2024-01")
    (one, _other) = sorted((client.cache_info().path.parent / "snapshots").iterdir())
    long_ago = (datetime.now(UTC) - timedelta(days=100)).timestamp()
    os.utime(one, (long_ago, long_ago))
    assert client.prune_cache().snapshots == 1
    assert not one.exists()


@pytest.mark.parametrize("size", ["500MB", "0.5 gb", "500000000", "500000 KB", "500000000B"])
def test_the_program_reads_sizes(client, capsys, size):
    client.codeinfo("1A00", release="2024-01")
    folder = str(client.cache_info().path.parent)
    assert main(["cache", "prune", "--keep", size, "--cache-dir", folder]) == 0
    assert f"{client.cache_info().answers} answers" in capsys.readouterr().out
    assert main(["cache", "prune", "--keep", "0", "--cache-dir", folder]) == 0
    assert "0 answers" in capsys.readouterr().out


def test_what_is_no_size_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["cache", "prune", "--keep", "much"])
    assert "'much' is no size: write it like 500MB or 2GB" in capsys.readouterr().err
