"""The README runs from top to bottom, in order, in one folder, and prints what it shows."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

import icdframes

ORDER = [
    "Install",
    "Six lines",
    "No account, or an account",
    "The five tables",
    "Your own data",
    "Links",
    "How it is built",
    "Cite",
    "Licence",
]
STEP = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)


@pytest.fixture
def readme(project):
    return (project / "README.md").read_text(encoding="utf-8")


def words(text):
    """Return the words of a text; pandas 2 and 3 write what is missing in different ways."""
    return ["NaN" if word in {"<NA>", "None"} else word for word in text.split()]


def run_shell_line(line, project):
    """Run one line of a shell block, where it calls the program and needs nobody to answer."""
    command = shlex.split(line, comments=True)
    if command[:1] == ["icdframes"] and command[1] != "login":
        environment = os.environ | {"PYTHONPATH": str(project)}
        subprocess.run([sys.executable, "-m", *command], env=environment, check=True, capture_output=True, timeout=120)


@pytest.mark.slow
def test_it_runs_from_top_to_bottom_and_prints_what_it_shows(readme, project, icd_sandbox, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'icdframes[test]')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICD_SERVER", "sandbox")
    monkeypatch.setenv("ICD_FILES_URL", icd_sandbox.url)  # it serves files under WHO's paths, too
    monkeypatch.setenv("MPLBACKEND", "agg")
    names, printed, kinds = {}, "", []
    for kind, block in STEP.findall(readme):
        kinds.append(kind)
        output = io.StringIO()
        if kind == "text":
            assert words(printed) == words(block)
            continue
        with contextlib.redirect_stdout(output):
            if kind == "python":
                exec(compile(block, "README.md", "exec"), names)
            else:
                for line in block.splitlines():
                    run_shell_line(line, project)
        printed = output.getvalue()
    assert (kinds.count("python") >= 5, kinds.count("text") >= 3) == (True, True)
    made = {path.name for path in tmp_path.iterdir()}
    assert {"sleep.csv", "sleep.csv.provenance.json", "chapter07", "cholera.csv", "mms.parquet", "deaths.pdf"} <= made


def test_it_is_short_and_in_the_order_that_readers_expect(readme):
    assert len(readme.splitlines()) <= 200
    assert re.findall(r"^## (.*)$", readme, re.MULTILINE) == ORDER
    before = readme.split("## Install")[0]
    assert before.index("![") < before.index("# 1. ") < before.index("# 2. ")


def test_its_picture_is_there_and_small(readme, project):
    pictures = re.findall(r"!\[[^]]+\]\((.*?)\)", readme)
    assert pictures
    assert all((project / name).stat().st_size < 200_000 for name in pictures)


def test_the_two_commands_are_those_of_ci(readme, project):
    ci = (project / ".ci" / "run").read_text(encoding="utf-8")
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in readme
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in ci
    assert ".venv/bin/pytest -q -n auto\n" in readme
    assert 'pytest" -q -n auto\n' in ci


def test_the_table_of_tables_names_every_column(readme):
    from icdframes.frames.schema import TABLES

    for table, columns in TABLES.items():
        row = re.search(rf"^\| `{table}` \|.*$", readme, re.MULTILINE)[0]
        assert [column.name for column in columns if not column.optional and column.name not in row] == []


def test_the_version_is_named_as_it_is(readme, project):
    version = icdframes.__version__
    assert f"version {version}, " in readme
    assert f"\nversion: {version}\n" in (project / "CITATION.cff").read_text(encoding="utf-8")
    assert f"git tag v{version}`" in (project / "notebooks" / "contributing.md").read_text(encoding="utf-8")
    changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == version


def test_the_python_versions_are_those_of_the_classifiers(readme, project):
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    versions = [line.rpartition(" ")[2] for line in declared if "Python :: 3." in line]
    assert f"Python {versions[0]} to {versions[-1]}" in readme
