"""What the README shows works."""

import inspect
import re
import tomllib

import pytest

import icdframes
from icdframes import errors
from icdframes.cli.main import build_parser


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
    for command in (one.prog.split()[-1] for one in build_parser().get_default("commands")):
        assert f"icdframes {command}" in readme


def test_the_two_commands_are_those_of_ci(readme, project):
    ci = (project / ".ci" / "run").read_text(encoding="utf-8")
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in readme
    assert "icdframes load 07 --server sandbox --out chapter07.parquet" in ci
    assert ".venv/bin/pytest -q" in readme
    assert 'pytest" -q' in ci


def test_every_file_that_it_names_is_there(readme, project):
    named = set(re.findall(r"`((?:icdframes|tests|notebooks)/[\w./]*)`", readme))
    in_picture = re.findall(r"(?<![\w/])((?:verbs|model|frames|endpoints)/\w+\.py)", readme)
    named |= {f"icdframes/{name}" for name in in_picture}
    assert len(named) > 20
    assert [name for name in sorted(named) if not (project / name).exists()] == []


def test_every_dependency_has_its_reason(readme, project):
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    section = readme.split("## Dependencies")[1].split("\n## ")[0]
    always, extras = section.split("| extra |")
    assert [name for name in map(package, declared["dependencies"]) if name not in always] == []
    assert [name for name in declared["optional-dependencies"] if f"`{name}`" not in extras] == []


def package(requirement):
    return re.match(r"[\w-]+", requirement).group()


def test_every_warning_is_named_with_what_silences_it(readme):
    kinds = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.IcdWarning) and value is not errors.IcdWarning
    ]
    assert len(kinds) >= 5
    assert [name for name in kinds if f"| `{name}` |" not in readme] == []


def test_the_version_is_named_as_it_is(readme, project):
    assert f"version {icdframes.__version__}, " in readme
    assert f"git tag v{icdframes.__version__}`" in readme
    changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == icdframes.__version__


def test_the_python_versions_are_those_of_the_classifiers(readme, project):
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    versions = [line.rpartition(" ")[2] for line in declared if "Python :: 3." in line]
    assert f"Python {versions[0]} to {versions[-1]}" in readme
