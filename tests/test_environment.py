"""environment.yml and pyproject.toml say the same."""

import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

ALLOWED_KEYS = {"name", "channels", "dependencies"}
NOTEBOOK_ONLY = {"jupyterlab", "pip", "python"}


def disagreements(environment, pyproject):
    """Return every point in which an environment differs from a project."""
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    declared = [
        *project["dependencies"],
        *(line for name in ("parquet", "excel", "plots", "keyboard", "keyring") for line in extras[name]),
    ]
    wanted = {item.name: item.specifier for item in map(Requirement, declared)}
    listed = {
        item.name: item.specifier
        for item in (Requirement(line) for line in environment["dependencies"] if isinstance(line, str))
    }
    found = [f"unknown key {key}" for key in environment.keys() - ALLOWED_KEYS]
    found += [f"{name} is missing" for name in wanted.keys() - listed.keys()]
    found += [f"{name} is not in pyproject.toml" for name in listed.keys() - wanted.keys() - NOTEBOOK_ONLY]
    found += [f"{name} differs" for name in wanted.keys() & listed.keys() if wanted[name] != listed[name]]
    if str(listed.get("python")) != project["requires-python"]:
        found.append("python differs")
    return found


@pytest.fixture
def environment(project):
    return yaml.safe_load((project / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture
def pyproject(project):
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_environment_agrees_with_the_project(environment, pyproject):
    assert disagreements(environment, pyproject) == []


@pytest.mark.parametrize(
    "change,complaint",
    [
        (lambda env: env["dependencies"].remove("pandas>=2.2.2"), "pandas is missing"),
        (lambda env: env["dependencies"].append("left-pad>=1"), "left-pad is not in pyproject.toml"),
        (lambda env: env["dependencies"].__setitem__(0, "python>=3.9"), "python differs"),
        (lambda env: env.update(prefix="/home/me"), "unknown key prefix"),
    ],
)
def test_a_difference_is_noticed(environment, pyproject, change, complaint):
    change(environment)
    assert complaint in disagreements(environment, pyproject)
