"""Fixtures that every test may ask for; no test reads the person's own settings."""

import os
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ["icdframes.testing"]
collect_ignore = ["example_project"]  # tests/packaging runs it as what it is, a project of its own

PROJECT = Path(__file__).parents[1]
DATA = Path(os.environ.get("ICDFRAMES_TEST_DATA", PROJECT.parent / "shared" / "data"))
RECORDED = Path(os.environ.get("ICDFRAMES_TEST_RECORDED", DATA.parent / "icd-api" / "recorded"))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    """Put temporary files, of doctests too, below pytest's own folder, which the search for secrets reads."""
    before = tempfile.tempdir
    tempfile.tempdir = str(session.config._tmp_path_factory.mktemp("tempfile"))
    try:
        return (yield)
    finally:
        tempfile.tempdir = before


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("ICD_", "ICDFRAMES_C")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture(scope="session")
def project():
    return PROJECT


@pytest.fixture(scope="session")
def full_size():
    """Give the folder of real full-size tables, or skip."""
    if not DATA.is_dir():
        pytest.skip(f"the real full-size tables are not at {DATA} (ICDFRAMES_TEST_DATA names another place)")
    return DATA


@pytest.fixture(scope="session")
def mms_2022(full_size):
    """Give the whole MMS of 2022-02 as tables, with definitions, notes, inclusions and exclusions; or skip."""
    from icdframes.frames.tabulation import read_tabulation

    return read_tabulation(
        full_size / "mms" / "2022-02_simpletabulation_en.tsv.gz",
        full_size / "mms_text" / "2022-02_mms_text_en.jsonl.gz",
    )


@pytest.fixture(scope="session")
def mms_2024(full_size):
    """Give the whole MMS of 2024-01 as tables, or skip."""
    from icdframes.frames.tabulation import read_tabulation

    return read_tabulation(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")


@pytest.fixture(scope="session")
def recorded():
    """Give the folder of recorded answers of the ICD API, or skip."""
    if not RECORDED.is_dir():
        pytest.skip(f"the recorded answers are not at {RECORDED} (ICDFRAMES_TEST_RECORDED names another place)")
    return RECORDED
