"""Fixtures that every test may ask for; no test reads the person's own settings."""

import gc
import gzip
import os
import tempfile
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from icdframes.frames.pandas_compat import as_schema

pytest_plugins = ["icdframes.testing"]
collect_ignore = ["example_project"]  # tests/packaging runs it as what it is, a project of its own

PROJECT = Path(__file__).parents[1]
DATA = Path(os.environ.get("ICDFRAMES_TEST_DATA", PROJECT.parent / "shared" / "data"))
RECORDED = Path(os.environ.get("ICDFRAMES_TEST_RECORDED", DATA.parent / "icd-api" / "recorded"))


def pytest_collection_finish():
    """Leave what is loaded by now out of each later collection of garbage, which would look through all of it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    """Put temporary files, of doctests too, below pytest's own folder, which the search for secrets reads."""
    before = tempfile.tempdir
    tempfile.tempdir = str(session.config._tmp_path_factory.mktemp("tempfile"))
    try:
        return (yield)
    finally:
        tempfile.tempdir = before


@pytest.fixture(scope="session")
def _numbered_folders(tmp_path_factory):
    """Return names of folders that are not there yet: to make one for each of thousands of tests takes a minute."""
    parent = tmp_path_factory.mktemp("settings")
    return (parent / str(number) for number in count())


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """Return the cache folder of all that only read the sandbox's sample: to walk its 913 entities takes a second."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared" / "cache"  # one for all workers


@pytest.fixture(scope="session")
def load_sample(shared_cache):
    """Return a function that loads the whole MMS of the sandbox in one of its releases."""
    import icdframes

    def load(release):
        with icdframes.connect("sandbox", cache_dir=shared_cache) as client:
            return client.load_tables(release=release, progress=False)

    return load


@pytest.fixture(autouse=True)
def _own_settings(request, monkeypatch, _numbered_folders, shared_cache):
    for name in list(os.environ):
        if name.startswith(("ICD_", "ICDFRAMES_C")):
            monkeypatch.delenv(name)
    has_folder = "tmp_path" in request.fixturenames
    folder = request.getfixturevalue("tmp_path") if has_folder else next(_numbered_folders)
    cache = shared_cache if isinstance(request.node, pytest.DoctestItem) else folder / "cache"
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(cache))
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture(scope="session")
def project():
    return PROJECT


@pytest.fixture(scope="session")
def full_size():
    """Return the folder of real full-size tables, or skip."""
    if not DATA.is_dir():
        pytest.skip(f"the real full-size tables are not at {DATA} (ICDFRAMES_TEST_DATA names another place)")
    return DATA


@pytest.fixture(scope="session")
def mms_2022(full_size):
    """Return the whole MMS of 2022-02 as tables, with definitions, notes, inclusions and exclusions; or skip."""
    from icdframes.files.tabulation import read_tabulation

    return read_tabulation(
        full_size / "mms" / "2022-02_simpletabulation_en.tsv.gz",
        full_size / "mms_text" / "2022-02_mms_text_en.jsonl.gz",
    )


@pytest.fixture(scope="session")
def mms_2024(full_size):
    """Return the whole MMS of 2024-01 as tables, or skip."""
    from icdframes.files.tabulation import read_tabulation

    return read_tabulation(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")


@pytest.fixture(scope="session")
def recorded():
    """Return the folder of recorded answers of the ICD API, or skip."""
    if not RECORDED.is_dir():
        pytest.skip(f"the recorded answers are not at {RECORDED} (ICDFRAMES_TEST_RECORDED names another place)")
    return RECORDED


ENTITY_COLUMNS = ["entity_id", "code", "title", "class_kind", "depth", "parent_id", "chapter", "block_id"]

MMS = [
    ("1435254666", "01", "Infections", "chapter", 0, None, "01", None),
    ("588616678", None, "Gastroenteritis", "block", 1, "1435254666", "01", "BlockL1-1A0"),
    ("135352227", None, "Bacterial intestinal infections", "block", 2, "588616678", "01", "BlockL2-1A0"),
    ("257068234", "1A00", "Cholera", "category", 3, "135352227", "01", None),
    ("344162786", "1A03", "Escherichia coli", "category", 3, "135352227", "01", None),
    ("139964199", "1A03.0", "Enteropathogenic", "category", 4, "344162786", "01", None),
    ("135352227/other", "1A0Y", "Other bacterial", "category", 3, "135352227", "01", None),
    ("1630407678", "02", "Neoplasms", "chapter", 0, None, "02", None),
    ("1000704511", "2C25", "Lung", "category", 1, "1630407678", "02", None),
    ("316539081", "2C25.2", "Squamous cell", "category", 2, "1000704511", "02", None),
    ("979408586", "X", "Extension codes", "chapter", 0, None, "X", None),
    ("1968939622", "XH74S1", "Adenoma", "category", 1, "979408586", "X", None),
    ("199998888", "XH74", "Not its parent", "category", 1, "979408586", "X", None),
]
ICD10 = [
    ("I", "I", "Infectious", "chapter", 0, None, "I", None),
    ("A00-A09", "A00-A09", "Intestinal", "block", 1, "I", "I", None),
    ("A00", "A00", "Cholera", "category", 2, "A00-A09", "I", None),
    ("A00.1", "A00.1", "Eltor", "category", 3, "A00", "I", None),
    ("A09", "A09", "Diarrhoea", "category", 2, "A00-A09", "I", None),
    ("XX", "XX", "External", "chapter", 0, None, "XX", None),
    ("W19", "W19", "Fall", "category", 1, "XX", "XX", None),
]


def _tables(rows, edges=()):
    dtypes = {name: "int64" if name == "depth" else "str" for name in ENTITY_COLUMNS}
    entities = as_schema(pd.DataFrame(rows, columns=ENTITY_COLUMNS), dtypes)
    entities.attrs["provenance"] = {"server": "a test"}
    links = [(row[5], row[0]) for row in rows] + list(edges)
    return SimpleNamespace(
        entities=entities, edges=pd.DataFrame(links, columns=["parent_id", "child_id"], dtype=object).dropna()
    )


@pytest.fixture(scope="session")
def mms():
    """Return three chapters, two nested blocks, a residual, extension codes whose signs are no hierarchy."""
    return _tables(MMS)


@pytest.fixture(scope="session")
def icd10():
    return _tables(ICD10)


@pytest.fixture(scope="session")
def poly():
    """Return a poly-hierarchy: 4 is below 2 (primary) and 3; 5 below 4; 6 below 3; and a circle 5 → 2."""
    rows = [
        (key, None, f"Entity {key}", None, depth, parent, None, None)
        for key, depth, parent in [("1", 0, None), ("2", 1, "1"), ("4", 2, "2"), ("5", 3, "4"), ("3", 1, "1")]
    ]
    rows.append(("6", None, "Entity 6", None, 2, "3", None, None))
    return _tables(rows, edges=[("3", "4"), ("5", "2"), ("9", "3")])


@pytest.fixture(scope="session")
def icd10_2019(full_size):
    """Return the whole ICD-10 2019 as entities."""
    root = ET.fromstring(gzip.decompress((full_size / "icd10" / "icd_10_v2019.xml.gz").read_bytes()))
    rows = []

    def walk(item, parent, depth, chapter):
        for child in item.findall("item"):
            code, kind = child.findtext("name"), child.get("type")
            within = code if kind == "chapter" else chapter
            kind = "category" if kind == "subcategory" else kind
            rows.append((code, code, child.findtext("description"), kind, depth, parent, within, None))
            walk(child, code, depth + 1, within)

    walk(root, None, 0, None)
    return _tables(rows)
