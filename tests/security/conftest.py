"""Finds secrets and tokens in all that a test run has written: caches, exports, notebooks, log records at DEBUG.

Every secret of the tests begins with one of `MARKS`, and so does every token that
one of their servers gives out, in whatever process. Whatever runs together with
these tests is watched; `test_whole_run.py` comes last and looks.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import sqlite3
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icdframes.sandbox.tokens import TOKEN_PREFIX

MARKS = (TOKEN_PREFIX, "token-number-", "sandbox-secret", "s3cret", "s3cret/+=of-the-client")
SHORTEST_ENCODED = 8  # less is found in any base64 text by chance
LOGGERS = ("icdframes", "urllib3", "requests", "requests_cache", "authlib")
HOLDS_SECRETS = {"profiles.json"}  # stored profiles without a keyring


def _encoded(mark):
    """What a mark looks like in base64, by where it begins in its group of three bytes."""
    for shift in range(3):
        whole = len(mark) - (len(mark) - (3 - shift) % 3) % 3
        yield base64.b64encode(mark.encode()[(3 - shift) % 3 : whole])


FORMS = [mark.encode() for mark in MARKS]
FORMS += [form for mark in MARKS for form in _encoded(mark) if len(form) >= SHORTEST_ENCODED]


def holds_a_secret(content):
    return any(form in content for form in FORMS)


def readable(path):
    """The bytes of a file, and what is packed in it."""
    content = path.read_bytes()
    yield content
    with contextlib.suppress(pa.ArrowException, sqlite3.Error, zipfile.BadZipFile, UnicodeDecodeError):
        if path.suffix == ".parquet":
            table = pq.read_table(pa.BufferReader(content))  # its name may be no UTF-8
            yield str(table.schema.metadata).encode()
            buffers = (buffer for column in table.columns for chunk in column.chunks for buffer in chunk.buffers())
            yield from map(bytes, filter(None, buffers))
        elif path.suffix == ".sqlite":
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
                for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    yield from (str(row).encode() for row in connection.execute(f'SELECT * FROM "{table}"'))
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())


def files_with_secrets(folder):
    """The files below a folder that hold a secret, and how many were read."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    found = [path for path in files if any(map(holds_a_secret, readable(path)))]
    return [path for path in found if path.name not in HOLDS_SECRETS], len(files)


class Watch(logging.Handler):
    """Reads every record of every logger at DEBUG and keeps those that hold a secret."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.read = 0
        self.found = []
        self.generated = set()  # tests that make up text: of the code's own literals too, so that a mark says nothing

    def emit(self, record):
        self.read += 1
        if os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0] in self.generated:
            return
        text = self.format(record)
        if holds_a_secret(text.encode()):
            self.found.append(text)

    @contextlib.contextmanager
    def watching(self):
        loggers = [logging.getLogger(name) for name in LOGGERS]
        before = [logger.level for logger in loggers]
        logging.getLogger().addHandler(self)
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        yield self
        logging.getLogger().removeHandler(self)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


WATCH = Watch()
LAST, OPENAPI = "test_whole_run.py", "test_openapi.py"


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop():
    with WATCH.watching():
        result = yield
    if WATCH.found:
        pytest.exit(f"{len(WATCH.found)} log records hold a secret, such as {WATCH.found[0][:300]}", returncode=1)
    return result


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name == LAST)
    WATCH.generated = {item.nodeid for item in items if item.path.name == OPENAPI or _is_generated(item)}


def _is_generated(item):
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


@pytest.fixture
def log_records():
    """Return how many log records were read so far, and those that hold a secret."""
    return WATCH.read, WATCH.found


@pytest.fixture
def search_files():
    """Return the function that gives the files with secrets, and how many were read."""
    return files_with_secrets
