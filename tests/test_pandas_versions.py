"""The rules that keep tables right under every pandas that icdframes runs on."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icdframes.errors import UnsupportedVersionError
from icdframes.frames import pandas_compat as compat

PACKAGE = Path(compat.__file__).parents[1]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "pandas_compat.py")
METHODS = {"contains", "match", "fullmatch", "startswith", "endswith"}
NULLS = [None, np.nan, pd.NA, pd.NaT]


def offences(source):
    """Return the lines that name the dtype of text, or ask a text column what is missing in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            names = {word.arg for word in node.keywords}
            given = [word.value for word in node.keywords if word.arg == "dtype"]
            if isinstance(node.func, ast.Attribute):
                given += node.args if node.func.attr == "astype" else []
                of_text = isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "str"
                if of_text and node.func.attr in METHODS and "na" not in names and _is_of_pandas(node):
                    yield node.lineno
            if any(isinstance(value, ast.Constant) and value.value == "str" for value in given):
                yield node.lineno
        elif isinstance(node, ast.Compare) and ".dtype" in (text := ast.unparse(node)) and "'str'" in text:
            yield node.lineno


def _is_of_pandas(call):
    return "nw." not in ast.unparse(call) and not ast.unparse(call.func).startswith(("key", "compact"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_names_the_dtype_of_text_itself(path):
    assert list(offences(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        'pd.Series(codes, dtype="str")',
        'column.astype("str")',
        'column.dtype == "str"',
        'column.str.contains("x")',
        'frame["a"].str.fullmatch("x")',
    ],
)
def test_such_a_line_is_found(line):
    assert list(offences(line)) == [1]


@pytest.mark.parametrize("null", NULLS, ids=repr)
def test_what_is_missing_stays_missing_and_nothing_becomes_a_number(null):
    for made in (
        compat.text_series(["1E10", null, "007", "None"]),
        compat.as_text(pd.Series(["1E10", null, "007", "None"], dtype=object)),
        compat.as_schema(pd.DataFrame({"a": ["1E10", null, "007", "None"]}, dtype=object), {"a": "str"})["a"],
    ):
        assert made.isna().tolist() == [False, True, False, False]
        assert made.dropna().tolist() == ["1E10", "007", "None"]
        assert isinstance(made[1], float)
        assert compat.is_text(made.dtype)
        assert compat.schema_dtype(made) == "str"


def test_other_values_are_written_as_text():
    column = pd.Series([1, None, 2.5, True], dtype=object)
    assert compat.as_text(column).fillna("").tolist() == ["1", "", "2.5", "True"]
    assert compat.as_text(pd.Series([1, None], dtype="Int64")).fillna("").tolist() == ["1", ""]
    assert compat.as_text(pd.Series(["a", None], dtype="category")).fillna("").tolist() == ["a", ""]


def test_filling_text_keeps_its_dtype_even_where_all_is_missing():
    empty = compat.text_series([None, None])
    assert compat.fill_text(empty, empty).dtype == empty.dtype
    assert compat.fill_text(empty, compat.text_series(["a", None])).fillna("").tolist() == ["a", ""]
    assert compat.fill_text(empty, "x").tolist() == ["x", "x"]


@pytest.mark.parametrize("version", ["2.2.1", "2.1.4", "1.5.3", "2.2"])
def test_a_pandas_below_the_floor_is_refused_in_one_sentence(version):
    with pytest.raises(UnsupportedVersionError, match=rf"needs pandas 2\.2\.2 or newer, and {version} is installed"):
        compat.require_pandas(version)


@pytest.mark.parametrize("version", ["2.2.2", "2.3.0rc1", "3.0.0", "3.1.1+local", "10.0"])
def test_other_versions_are_taken(version):
    assert compat.require_pandas(version)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["load_entity", "annotate", "read_tabulation", "TreeBrowser", "read_frame"])
def test_an_import_says_so_instead_of_computing_wrong_tables(name):
    code = f"import pandas; pandas.__version__ = '2.1.4'\nfrom icdframes import {name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("pip install 'pandas>=2.2.2'"), done.stderr
