"""The extras are declared once, completely; try_extras.py installs and tries them, which takes minutes."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

FOR_DEVELOPERS = {"all", "test", "browser", "dev", "docs"}


@pytest.fixture
def extras(project):
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["optional-dependencies"]


def test_all_holds_every_extra_that_a_user_may_want(extras):
    named = [name for line in extras["all"] for name in re.search(r"\[(.*)\]", line).group(1).split(",")]
    assert sorted(named) == sorted(extras.keys() - FOR_DEVELOPERS)


def test_every_extra_is_tried(extras):
    tree = ast.parse((Path(__file__).parent / "features.py").read_text(encoding="utf-8"))
    tried = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert extras.keys() - FOR_DEVELOPERS <= tried


def test_an_extra_that_an_error_names_exists(project, extras):
    texts = [path.read_text(encoding="utf-8") for path in sorted((project / "icdframes").rglob("*.py"))]
    named = {name for text in texts for name in re.findall(r"MissingExtraError\([^()]*\"(\w+)\"\)", text)}
    assert {"parquet", "excel", "plots"} <= named
    assert named <= extras.keys()
