"""An SQLite file on a disk that others use too: private, waited for, set aside when broken; it knows no answers."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from icdframes.errors import CacheWarning, warn

Columns = tuple[str, ...]

BUSY_SECONDS = 30

_BUSY_PAUSE = 0.01
_LONGEST_MENDING = 5.0
_PARTS = ("", "-wal", "-shm")


def execute_with_retry(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement for which SQLite itself does not wait, as the switch to WAL."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE)
        else:
            return


def parts_of(path: Path) -> list[Path]:
    """Give the file and what SQLite keeps beside it, there or not."""
    return [path.with_name(path.name + part) for part in _PARTS]


def make_private(path: Path) -> None:
    """Create folder and file with modes 0700 and 0600; SQLite gives its side files the mode of the file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for part in parts_of(path):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # not there, or somebody else's
            part.chmod(0o600)


def _trouble(path: Path, table: str, columns: Columns, *, thorough: bool) -> str:
    """Tell in a few words why a file cannot be used; nothing where it can."""
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        try:
            if thorough and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return "damaged"
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", [table])
            found = tuple(name for (name,) in rows)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return "damaged"
    return "of another version" if found and found != columns else ""


def repair(path: Path, table: str, columns: Columns, *, thorough: bool = False) -> None:
    """Set a file that cannot be used aside, unless another process has just done it.

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
    if _trouble(path, table, columns, thorough=thorough):
        with _claimed(path.with_name(path.name + ".mending")):
            if trouble := _trouble(path, table, columns, thorough=thorough):
                _set_aside(path, trouble)


@contextlib.contextmanager
def _claimed(mark: Path) -> Iterator[None]:
    """Keep other processes out; the mark of one that was killed counts for a few seconds only."""
    while True:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            time.sleep(_BUSY_PAUSE)
            with contextlib.suppress(FileNotFoundError):
                if abs(time.time() - mark.stat().st_mtime) > _LONGEST_MENDING:
                    mark.unlink()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _set_aside(path: Path, trouble: str) -> None:
    for part in reversed(parts_of(path)):  # the file itself last: until then nobody begins a new one
        with contextlib.suppress(FileNotFoundError):
            part.replace(part.with_name(part.name + ".broken"))
    make_private(path)
    warn(
        f"The cache {path} was {trouble}. It is now {path.name}.broken, and a new one is begun.",
        CacheWarning,
    )
