"""The public names are typed: checkers see what they are, and a misspelt option or name is an error."""

import json
import re
import subprocess
import sys

import pytest

import icdframes

RIGHT = """\
import pandas as pd
import icdframes

client: icdframes.IcdClient = icdframes.connect("sandbox")
frame: pd.DataFrame = icdframes.load_entity("1A00", release="2024-01", language=["en", "es"])
several: pd.DataFrame = client.load_entity(["1A00", "BA41"], depth=1)
tables: icdframes.EntityTables = icdframes.load_tables("07")
hits: pd.DataFrame = client.search("cholera", flat_results=False)
names: list[str] = icdframes.languages("icf")
shown: pd.DataFrame = icdframes.annotate(frame, tables, code="code")
"""
WRONG = """\
import icdframes

client = icdframes.connect("sandbox")
icdframes.connect("sandbox", max_worker=8)
icdframes.load_entity("1A00", langauge="es")
client.search("cholera", flat_result=False)
icdframes.load_entitty("1A00")
"""


@pytest.fixture(scope="module")
def mypy(project):
    def check(file):  # in the project, where an earlier run has left what mypy knows of pandas
        pytest.importorskip("mypy")
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(file)]
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
        assert not told.stderr
        return [int(number) for number in re.findall(rf"{file.name}:(\d+): error", told.stdout)]

    return check


@pytest.fixture(scope="module")
def pyright():
    def check(file):
        pytest.importorskip("pyright")
        command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(file)]
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
        found = json.loads(told.stdout)["generalDiagnostics"]
        return [one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"]

    return check


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_four_misspelt_options_and_names_are_four_errors_and_right_ones_none(checker, request, tmp_path):
    check = request.getfixturevalue(checker)
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    assert check(tmp_path / "right.py") == []
    assert check(tmp_path / "wrong.py") == [4, 5, 6, 7]


def test_the_names_for_type_checkers_are_those_of_the_run_time(project):
    source = (project / "icdframes" / "__init__.py").read_text(encoding="utf-8")
    typed = re.findall(r"\b(\w+) as \1\b", source.split("if TYPE_CHECKING:")[1].split("\nelse:")[0])
    assert sorted(typed) == sorted(set(icdframes.__all__) - {"__version__"})
