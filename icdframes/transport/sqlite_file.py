"""Open, set up, repair and read an SQLite file that several processes and threads share.

No file descriptor of our own is ever opened on an existing database file: POSIX drops all
locks that a process has on a file as soon as the process closes any descriptor of it, and
then another process deletes the write-ahead log under the connections that are still open.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from icdframes.errors import CacheWarning, warn

Columns = tuple[str, ...]

BUSY_SECONDS = 5
OPENING_SECONDS = 30

_BUSY_PAUSE = 0.01
_PARTS = ("", "-wal", "-shm")


def is_busy(fault: sqlite3.Error) -> bool:
    """Return whether a lock of another program is the reason."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def execute_with_retry(
    connection: sqlite3.Connection, statement: str, values: tuple[object, ...] = (), *, seconds: float = BUSY_SECONDS
) -> list[tuple[object, ...]]:
    """Execute a statement and return its rows; wait for locks for which SQLite itself does not wait.

    SQLite's own time-out does not count for the switch to WAL, for the recovery of a log, or while
    the last connection of another process removes the log.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as fault:
            if not is_busy(fault) or time.monotonic() >= deadline:
                raise
            time.sleep(_BUSY_PAUSE)


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """Let one thread of one process at a time create, repair or set up a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=OPENING_SECONDS, mode=0o600)
    with lock:
        yield


def is_read_only(path: Path) -> bool:
    """Return whether a file is there that this user may read but not write, or whose folder may not be written."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that cannot be written; one without a log is read as it is, without any lock."""
    address = path.absolute().as_uri()
    try:
        return _tried(f"{address}?mode=ro")
    except sqlite3.OperationalError:  # a log cannot be read where no index of it can be written
        return _tried(f"{address}?mode=ro&immutable=1")


def _tried(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def parts_of(path: Path) -> list[Path]:
    """Return the file and what SQLite keeps beside it, there or not."""
    return [path.with_name(path.name + part) for part in _PARTS]


def make_private(path: Path) -> None:
    """Create folder and file with modes 0700 and 0600; SQLite gives its side files the mode of the file.

    A file that is there is not opened; see above. The caller holds `opening`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for part in parts_of(path):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # not there, or somebody else's
            part.chmod(0o600)


def _trouble(path: Path, table: str, columns: Columns, *, thorough: bool) -> str:
    """Return in a few words why a file cannot be used; nothing where it can."""
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        try:
            if thorough and execute_with_retry(connection, "PRAGMA quick_check(1)") != [("ok",)]:
                return "damaged"
            rows = execute_with_retry(connection, "SELECT name FROM pragma_table_info(?)", (table,))
            found = tuple(name for (name,) in rows)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return "damaged"
    return "of another version" if found and found != columns else ""


def repair(path: Path, table: str, columns: Columns, *, thorough: bool = False) -> None:
    """Set a file that cannot be used aside; the caller holds `opening`, so that no other process does it too.

    Parameters
    ----------
    path : Path
        The file; a new private one takes its place.
    table : str
        The table that it should hold, if any.
    columns : tuple of str
        The columns of that table.
    thorough : bool
        Read the whole file, and not only what stands at its beginning.

    Warns
    -----
    CacheWarning
        Where the file was set aside; it says where it is now.

    """
    if trouble := _trouble(path, table, columns, thorough=thorough):
        _set_aside(path, trouble)


def _set_aside(path: Path, trouble: str) -> None:
    for part in reversed(parts_of(path)):  # the file itself last: until then nobody begins a new one
        with contextlib.suppress(FileNotFoundError):
            part.replace(part.with_name(part.name + ".broken"))
    make_private(path)
    warn(
        f"The cache {path} was {trouble}. It is now {path.name}.broken, and a new one is begun.",
        CacheWarning,
    )
