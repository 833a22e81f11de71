"""Keep answers in a private file that processes share; a fault of the file is a warning, never an error.

Answers are stored as JSON, not pickled: reading a pickle runs whatever code the
file holds, and a cache is passed around. It costs some 15 % of the time of a hit.
"""

from __future__ import annotations

import contextlib
import copy
import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import requests
from requests_cache.backends.base import BaseCache, BaseStorage
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import SerializerPipeline, Stage, json_serializer

from icdframes.errors import CacheWarning, warn
from icdframes.transport.concurrency import ForkGuard
from icdframes.transport.sqlite_file import (
    BUSY_SECONDS,
    OPENING_SECONDS,
    connect_read_only,
    execute_with_retry,
    is_busy,
    is_read_only,
    make_private,
    opening,
    parts_of,
    repair,
)

FILE_NAME = "http.sqlite"
_ENVELOPE = SerializerPipeline([*json_serializer.stages[:-1], Stage(json)], name="json")  # without its indentation

_TABLE = "answers_2"
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_COLUMNS = ("key", "expires", "body", "envelope")
_SETUP = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS answers_2 (key TEXT PRIMARY KEY, expires REAL, body BLOB, envelope TEXT)",
    "CREATE TABLE IF NOT EXISTS servers (base_url TEXT PRIMARY KEY, epoch TEXT)",
)

_ROWS = 100
_WRITE = "INSERT OR REPLACE INTO answers_2 VALUES (?, ?, ?, ?)"
_ONE_MORE = ", (?, ?, ?, ?)"
_FIND = "SELECT CASE WHEN expires IS NULL OR expires > ? THEN body END FROM answers_2 WHERE key = ?"
_KEPT_AT = "CASE WHEN json_valid(envelope) THEN json_extract(envelope, '$.created_at') ELSE '' END"
_OLDER = f"DELETE FROM answers_2 WHERE {_KEPT_AT} < ?"  # noqa: S608  nothing in it comes from outside
_BEYOND = f"""
    DELETE FROM answers_2 WHERE rowid IN (
        SELECT rowid FROM (
            SELECT rowid, sum(length(body) + length(envelope)) OVER (ORDER BY {_KEPT_AT} DESC, rowid DESC) AS total
            FROM answers_2
        ) WHERE total > ?
    )
"""  # noqa: S608  as above


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the cache holds and what it has saved.

    Attributes
    ----------
    path : Path or None
        The file; None if answers are only in memory.
    answers, bytes : int
        Answers kept, of all servers that share the file, and its size.
    snapshots, snapshot_bytes : int
        Finished tables kept in the same folder, and their size.
    downloads, download_bytes : int
        Files of WHO's that were downloaded into the same folder, and their size.
    requests_sent : int
        Requests that this session sent to the API, retries included.
    answered_from_cache : int
        Requests that it did not have to send.
    tokens_fetched : int
        Tokens that it bought.

    """

    path: Path | None
    answers: int
    bytes: int
    requests_sent: int
    answered_from_cache: int
    tokens_fetched: int
    snapshots: int = 0
    snapshot_bytes: int = 0
    downloads: int = 0
    download_bytes: int = 0


def open_cache(folder: Path) -> BaseCache:
    """Open the cache in a folder, or one in memory where the folder cannot be used.

    Parameters
    ----------
    folder : Path
        Created with mode 0700 if it is not there.

    Returns
    -------
    BaseCache

    Warns
    -----
    CacheWarning
        If the file is broken (it is set aside) or cannot be used (answers stay in memory).

    """
    try:
        return DiskCache(folder / FILE_NAME)
    except (OSError, NotImplementedError, sqlite3.Error) as fault:
        warn(
            f"No cache can be kept in {folder} ({fault}): answers stay in memory until this client is closed. "
            "Name another folder as the cache folder or in ICDFRAMES_CACHE_DIR.",
            CacheWarning,
        )
        return BaseCache(cache_name="memory")


class DiskCache(BaseCache):
    """requests-cache's cache over one `AnswerTable`."""

    responses: AnswerTable

    def __init__(self, path: Path) -> None:
        super().__init__(cache_name=str(path))
        self.path = path
        self.responses = AnswerTable(path)

    def save_response(
        self, response: requests.Response, cache_key: str | None = None, expires: datetime | None = None
    ) -> None:
        """Keep an answer; one that has just come need not become requests-cache's own kind first."""
        if cache_key is None or response.history or isinstance(response, CachedResponse):
            super().save_response(response, cache_key, expires)
        else:
            self.responses.keep(cache_key, response, expires)

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(part.stat().st_size for part in parts_of(self.path) if part.exists())


def _envelope(response: requests.Response, expires: datetime | None) -> str:
    """Return what stands beside a body, as requests-cache's own serializer writes it, in a tenth of the time."""
    request = response.request
    return json.dumps(
        {
            "_content": None,
            "created_at": datetime.now(UTC).isoformat(),
            "elapsed": response.elapsed.total_seconds(),
            "encoding": response.encoding,
            **({"expires": expires.isoformat()} if expires else {}),
            "headers": dict(response.headers),
            "reason": response.reason,
            "request": {"headers": dict(request.headers), "method": request.method, "url": request.url},
            "status_code": response.status_code,
            "url": response.url,
        }
    )


class AnswerTable(BaseStorage[str, CachedResponse]):
    """Answers in one SQLite table, with faults of the file as misses and one warning.

    requests-cache's own SQLite storage tries for ever to write to a file that has
    become read-only or is gone, therefore this one.

    Parameters
    ----------
    path : Path
        The file; made private before SQLite opens it. One that cannot be written is read.

    Notes
    -----
    A lock of another program is waited for once; after that answers are not kept while
    it lasts, and nobody waits. What comes while one thread writes is written by it next, in
    one transaction; every statement sees what was kept before.

    """

    def __init__(self, path: Path) -> None:
        super().__init__(serializer=_ENVELOPE)
        self._path = path
        self._lock = threading.RLock()
        self._unwritten: deque[tuple[object, ...]] = deque()
        self._warned = False
        self._connection: sqlite3.Connection | None = None
        self._home = ForkGuard()
        self._read_only = is_read_only(path)
        self._patient = True
        if self._read_only:
            self._connected()
            return
        with opening(path):
            make_private(path)
            repair(path, _TABLE, _COLUMNS)
            self._connected()

    def __getitem__(self, key: str) -> CachedResponse:
        for body, envelope in self._run("SELECT body, envelope FROM answers_2 WHERE key = ?", key):
            with contextlib.suppress(Exception):  # damaged, or of another version: ask the server again
                json.loads(body)
                answer: CachedResponse = _ENVELOPE.loads(envelope)
                answer._content = body  # noqa: SLF001  requests' own name for the body
                answer.cache_key = key
                return answer
        raise KeyError(key)

    def __setitem__(self, key: str, answer: CachedResponse) -> None:
        bare = copy.copy(answer)
        bare._content = b""  # noqa: SLF001  the body stands beside the envelope, so that it can be read alone
        self._write(key, answer.expires, answer.content, _ENVELOPE.dumps(bare))

    def keep(self, key: str, response: requests.Response, expires: datetime | None) -> None:
        """Keep an answer that has just come."""
        self._write(key, expires, response.content, _envelope(response, expires))

    def _write(self, key: str, expires: datetime | None, body: bytes, envelope: str | bytes) -> None:
        self._home.check()
        self._unwritten.append((key, expires.timestamp() if expires else None, body, envelope))
        while self._unwritten and self._lock.acquire(blocking=False):
            try:
                self._write_out()
            finally:
                self._lock.release()

    def _write_out(self) -> None:
        while count := min(len(self._unwritten), _ROWS):
            rows = [self._unwritten[place] for place in range(count)]  # other threads append meanwhile
            self._execute(_WRITE + _ONE_MORE * (count - 1), *chain.from_iterable(rows))
            for _ in rows:  # only now, so that Ctrl-C loses none
                self._unwritten.popleft()

    def flush(self) -> None:
        """Wait until every answer that came is written: another thread may still be at it."""
        with self._lock:
            self._write_out()

    def find(self, key: str) -> tuple[bool, bytes | str | None]:
        """Return whether an answer is kept, and the body of one that has not expired, without all the rest of it."""
        now = time.time()  # the clock by which requests-cache set the end
        found = self._run(_FIND, now, key)
        return bool(found), found[0][0] if found and isinstance(found[0][0], bytes | str) else None

    def epoch(self, base_url: str) -> str | None:
        """Return what tells apart what a server serves now from what it served before; None for one not met before."""
        if not self._run("SELECT name FROM sqlite_master WHERE name = 'servers'"):  # an older file, read-only
            return None
        found = self._run("SELECT epoch FROM servers WHERE base_url = ?", base_url)
        return str(found[0][0]) if found else None

    def set_epoch(self, base_url: str, epoch: str) -> None:
        """Begin a new epoch of a server, where the file can be written."""
        if not self._read_only:
            self._run("INSERT OR REPLACE INTO servers VALUES (?, ?)", base_url, epoch)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._run("DELETE FROM answers_2 WHERE key = ?", key)

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._run("SELECT key FROM answers_2"))

    def __len__(self) -> int:
        return sum(count for (count,) in self._run("SELECT count(*) FROM answers_2"))

    def clear(self) -> None:
        """Forget all answers and give the space back."""
        self._run("DELETE FROM answers_2")
        self._give_space_back()

    def _give_space_back(self) -> None:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            self._run(statement)

    def prune(self, before: datetime, keep: int | None = None) -> None:
        """Forget what was kept before a moment, then the oldest until the rest has so many bytes."""
        self._run(_OLDER, before.astimezone(UTC).isoformat())
        if keep is not None:
            self._run(_BEYOND, keep)
        self._give_space_back()

    def close(self) -> None:
        """Close the file; the next look-up would open it again."""
        with self._lock:
            if self._connection is not None and self._home.is_here:
                self._write_out()
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None and self._home.is_here:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect_read_only(self._path) if self._read_only else self._set_up()
        return self._connection

    def _set_up(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for statement in _SETUP:
                execute_with_retry(connection, statement, seconds=OPENING_SECONDS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement after what is to be written; where the file does not allow it there are no rows."""
        self._home.check()
        with self._lock:
            self._write_out()
            return self._execute(statement, *values)

    def _execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            rows = execute_with_retry(
                self._connected(), statement, values, seconds=BUSY_SECONDS if self._patient else 0
            )
        except sqlite3.Error as fault:
            if getattr(fault, "sqlite_errorcode", 0) & 0xFF in _BROKEN and not self._read_only:
                self._start_again()
                return []
            if is_busy(fault):
                self._wait_no_more()
            self._warn(str(fault))
            return []
        if not self._patient and not statement.startswith("SELECT"):
            self._wait_again()
        return rows

    def _wait_no_more(self) -> None:
        """Try each write once from now on, so that a lock that another program keeps costs no more time."""
        if self._patient and self._connection is not None:
            self._patient = False
            self._connection.execute("PRAGMA busy_timeout = 0")

    def _wait_again(self) -> None:
        """Wait for locks as before, since the lock is gone."""
        self._patient = True
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS}")

    def _start_again(self) -> None:
        """Set a broken file aside, unless another process already did, and open a new one."""
        self._disconnect()
        try:
            with opening(self._path):
                repair(self._path, _TABLE, _COLUMNS, thorough=True)
                make_private(self._path)
                self._connected()
        except (OSError, NotImplementedError, sqlite3.Error) as fault:
            self._warn(str(fault))

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            warn(
                f"Answers are not kept in the cache {self._path} for now ({reason}): what is in it is used all the "
                "same. Close the other program that holds it, or give another folder as cache_dir=....",
                CacheWarning,
            )
