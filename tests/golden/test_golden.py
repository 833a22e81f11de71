"""Every table and verb gives the same values, and misses the same ones, under every version of pandas.

One file beside this one for each table: a heading, then a line for each row. A new one is written with
``ICDFRAMES_WRITE_GOLDEN=1 pytest tests/golden``; look at the difference before it is committed.
"""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.sandbox.sample import example_deaths

HERE = Path(__file__).parent
CODES = ["1A00", "1a00", "7A00", "1E10", "NA", "007", "1A00&XN62R", "nonsense", "", None]


def cell_text(value):
    """Return a value as text that no pandas writes otherwise, and ∅ for what is missing."""
    if not isinstance(value, list | tuple | dict) and pd.isna(value):
        return "∅"
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return f"{float(value):.9g}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    assert isinstance(value, str), type(value)
    return repr(value)


def written(table):
    """Return a table as text; what differs from run to run (ports, days) is left out."""
    if isinstance(table, pd.Series):
        table = table.to_frame(table.name or "value")
    lines = [" | ".join(map(str, table.columns))]
    lines += [" | ".join(map(cell_text, row)) for row in table.itertuples(index=False, name=None)]
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", "\n".join(lines)) + "\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with icdframes.connect("sandbox", cache_dir=tmp_path_factory.mktemp("golden")) as client:
        yield client


@pytest.fixture(scope="module")
def tables(client):
    return client.load_tables("07", release="2024-01", language=["en", "es"])


def deaths():
    return example_deaths().head(60)


def with_codes():
    return pd.DataFrame({"dx": pd.Series(CODES, dtype=object), "n": range(len(CODES))})


CASES = {
    "entities": lambda client, tables: tables.entities,
    "edges": lambda client, tables: tables.edges,
    "terms": lambda client, tables: tables.terms,
    "references": lambda client, tables: tables.references,
    "axes": lambda client, tables: tables.axes,
    "icf": lambda client, tables: client.load_entity(classification="icf", depth=3),
    "icd10": lambda client, tables: client.load_entity(classification="icd10", depth=2),
    "foundation": lambda client, tables: client.load_entity(257068234, classification="foundation"),
    "search": lambda client, tables: client.search("cholera", release="2024-01"),
    "search_several": lambda client, tables: client.search(["insomnia", "", None, "zzzz"], release="2024-01"),
    "autocode": lambda client, tables: client.autocode(pd.Series(["cholera", None, "zzzz"]), release="2024-01"),
    "codeinfo": lambda client, tables: client.codeinfo(pd.Series(["1A00", None, "7A00"]), release="2024-01"),
    "describe": lambda client, tables: client.describe(pd.Series(["1A00", None, "7A00"]), release="2024-01"),
    "decode_codes": lambda client, tables: client.decode_codes(pd.Series(["1A00", None, "x"]), release="2024-01"),
    "releases": lambda client, tables: client.releases(),
    "example": lambda client, tables: deaths(),
    "annotate": lambda client, tables: icdframes.annotate(
        with_codes(), tables, code="dx", add=["title", "chapter", "block", "is_leaf", "depth", "definition"]
    ),
    "annotate_deaths": lambda client, tables: icdframes.annotate(deaths(), tables, code="dx"),
    "match_report": lambda client, tables: icdframes.match_report(with_codes(), tables, code="dx"),
    "rollup": lambda client, tables: icdframes.rollup(deaths(), tables, code="dx", by=["sex"]),
    "rollup_hidden": lambda client, tables: icdframes.rollup(deaths(), tables, code="dx", min_count=5),
    "compare_releases": lambda client, tables: icdframes.compare_releases(
        client.load_tables("07", release="2022-02"), client.load_tables("07", release="2024-01")
    ),
    "descendants": lambda client, tables: icdframes.descendants(tables, "7A20"),
    "ancestors": lambda client, tables: icdframes.ancestors(tables, "7A20.0"),
    "is_below": lambda client, tables: icdframes.is_below(tables, pd.Series(CODES, dtype=object), "07"),
    "subtree_sizes": lambda client, tables: icdframes.subtree_sizes(tables),
}


@pytest.mark.filterwarnings("ignore::icdframes.errors.IcdWarning")
@pytest.mark.parametrize("name", CASES)
def test_a_table_has_the_values_of_its_golden_file(client, tables, name):
    made = written(CASES[name](client, tables))
    file = HERE / f"{name}.txt"
    if os.environ.get("ICDFRAMES_WRITE_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made.encode() == file.read_bytes()
    assert not re.search(r"'(None|nan|<NA>|NaN|NaT)'(?= \||$)", made, re.MULTILINE)


def test_there_is_no_golden_file_without_a_table():
    assert {file.stem for file in HERE.glob("*.txt")} == CASES.keys()
