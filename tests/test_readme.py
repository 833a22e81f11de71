"""What the README shows works."""

import re

import pytest

from icdframes.cli import _EXAMPLES


@pytest.fixture
def readme(project):
    return (project / "README.md").read_text(encoding="utf-8")


def test_every_python_example_runs_in_order(readme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "chapter07.csv.provenance.json").exists()


def test_every_command_of_the_program_is_mentioned(readme):
    for command in _EXAMPLES:
        assert f"icdframes {command}" in readme


def test_the_two_commands_are_those_of_ci(readme, project):
    ci = (project / ".ci" / "run").read_text(encoding="utf-8")
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in readme
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in ci
    assert ".venv/bin/pytest -q" in readme
    assert 'pytest" -q' in ci
