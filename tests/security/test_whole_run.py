"""Comes last: no secret and no token in anything that the tests before it have written.

``ICDFRAMES_SEARCH_FOR_SECRETS`` names a folder that is searched too: that of runs before this one. What is logged is
read as it comes, in every process (see conftest).
"""

import base64
import contextlib
import logging
import os
import sqlite3
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import icdframes


@pytest.mark.slow
def test_no_file_of_the_whole_run_holds_a_secret(tmp_path_factory, search_files, capsys):
    folders = [tmp_path_factory.getbasetemp(), *filter(None, [os.environ.get("ICDFRAMES_SEARCH_FOR_SECRETS")])]
    for folder in map(Path, folders):
        found, files = search_files(folder)
        with capsys.disabled():
            print(f"\n{files} files of this run searched for secrets and tokens")  # noqa: T201  the figure
        assert found == []


@pytest.mark.slow
def test_what_the_sandbox_of_connect_keeps_is_searched_too(tmp_path_factory, search_files):
    searched = tmp_path_factory.getbasetemp()
    assert Path(tempfile.gettempdir()).is_relative_to(searched)
    with icdframes.connect("sandbox") as client:
        client.load_entity("1A00")
        kept = Path(client.cache_info().path).parent
        assert kept.is_relative_to(searched)  # it is made once in a process, perhaps by another test
        _, n_files = search_files(kept)
    assert n_files


def test_what_a_test_logs_is_read(log_records):
    _, logged = log_records
    logging.getLogger("urllib3.connectionpool").debug("Authorization: Bearer %s", "token-number-0")
    assert logged.pop() == "Authorization: Bearer token-number-0"


def test_the_search_finds_what_strayed(tmp_path, search_files):
    leak = "Basic " + base64.b64encode(b"client:s3cret/+=of-the-client").decode()
    (tmp_path / "plain.log").write_text("Authorization: Bearer token-number-0")
    (tmp_path / "encoded.ipynb").write_text(f'{{"source": "{leak}"}}')
    (tmp_path / "clean.csv").write_text("code,title\n1A00,Cholera\n")
    found, files = search_files(tmp_path)
    assert sorted(path.name for path in found) == ["encoded.ipynb", "plain.log"]
    assert files == 3
    for path in found:
        path.unlink()


def test_the_search_looks_into_packed_files(tmp_path, search_files):
    pd.DataFrame({"title": ["Cholera", "token-number-0"] * 1000}).to_parquet(tmp_path / "table.parquet")
    with contextlib.closing(sqlite3.connect(tmp_path / "http.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE answers (body BLOB)")
        connection.execute("INSERT INTO answers VALUES (?)", (b"x" * 5000 + b"token-number-0" + b"x" * 5000,))
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", "token-number-0 " * 100)
    found, _ = search_files(tmp_path)
    assert sorted(path.name for path in found) == ["book.xlsx", "http.sqlite", "table.parquet"]
    for path in found:
        path.unlink()
