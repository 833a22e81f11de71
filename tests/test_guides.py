"""The guides of the documentation site say what the package does, and their examples run.

``python tests/test_guides.py`` prints the tables of columns that stand in notebooks/tables.md.
"""

import importlib.util
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import icdframes
from icdframes.cli.main import build_parser
from icdframes.frames.schema import TABLES

FOLDER = Path(__file__).parents[1] / "notebooks"
RUNNING = [
    "code_lists",
    "tables",
    "codes_and_text",
    "your_own_data",
    "in_a_notebook",
    "offline",
    "reliability",
    pytest.param("whos_files", marks=pytest.mark.filterwarnings("ignore:WHO's files hold")),  # as the guide says
]
MARK = {True: " \\*", False: ""}
ASKED_FOR = {True: ' (with `include=["diagnosticCriteria"]`)', False: ""}


def columns_of(table):
    """Return the columns of a table as Markdown."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    lines += [
        f"| {column.name}{MARK[column.translatable]} | {column.dtype} | {column.meaning}{ASKED_FOR[column.optional]} |"
        for column in TABLES[table]
    ]
    return "\n".join(lines)


def text_of(name):
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_explained(table):
    assert columns_of(table) in text_of("tables")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNING)
def test_the_examples_of_a_guide_run_in_order(name, icd_sandbox, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'icdframes[test]')")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'icdframes[test]')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICD_FILES_URL", icd_sandbox.url)  # it serves files under WHO's paths, too
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", text_of(name), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), names)


GUIDES = re.findall(r"^\| \[.*\]\((\w+)\.md\)", text_of("guides"), re.MULTILINE)


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_has_a_picture_that_says_in_words_what_it_shows(name):
    pictures = re.findall(r"^!\[(.*)\]\(_static/(.*)\)$", text_of(name), re.MULTILINE)
    assert pictures
    for words, file in pictures:
        assert len(words.split()) >= 4
        assert (FOLDER / "_static" / file).stat().st_size < 200_000


@pytest.fixture(scope="module")
def pictures():
    spec = importlib.util.spec_from_file_location("pictures", FOLDER / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["tables", "offline", "reliability", "whos_files", "sandbox", "installation", "command_line"]
)
def test_a_diagram_is_what_its_script_draws(name, pictures):
    stored = (FOLDER / "_static" / f"{name}.svg").read_text(encoding="utf-8")
    assert stored == pictures.PICTURES[name]().svg(), "run python notebooks/pictures.py and look"


def test_a_diagram_is_whole(pictures):
    for file in (FOLDER / "_static").glob("*.svg"):
        assert file.stem in pictures.PICTURES
        drawn = ET.parse(file).getroot()
        width, height = (float(drawn.get(side)) for side in ("width", "height"))
        for part in drawn.iter("{http://www.w3.org/2000/svg}rect"):
            assert 0 <= float(part.get("x")) <= float(part.get("x")) + float(part.get("width")) <= width
            assert 0 <= float(part.get("y")) <= float(part.get("y")) + float(part.get("height")) <= height
        assert "http" not in file.read_text(encoding="utf-8").replace("http://www.w3.org", "").replace(
            "https://id.who.int", ""
        )


def test_the_extras_in_the_diagram_are_those_of_the_project(project, pictures):
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    drawn = {
        name for found in re.findall(r"icdframes\[(.*?)\]", pictures.installation().svg()) for name in found.split(",")
    }
    assert drawn == declared.keys() - {"all", "test", "browser", "docs", "dev"}


def test_the_reference_has_a_page_for_every_public_name():
    listed = re.findall(r"^   (\w+)$", text_of("api"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(icdframes.__all__) - {"__version__", "errors"}


def test_every_command_of_the_program_is_shown():
    shown = text_of("command_line")
    named = [command.prog.removeprefix("icdframes ") for command in build_parser().get_default("commands")]
    assert len(named) > 5
    assert [name for name in named if f"icdframes {name}" not in shown] == []


def test_every_dependency_has_its_reason(project):
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras, always = text_of("installation").split("## What is always installed")
    names = [re.match(r"[\w-]+", requirement).group() for requirement in declared["dependencies"]]
    assert [name for name in names if name not in always] == []
    assert [name for name in declared["optional-dependencies"] if f"`{name}`" not in extras] == []


def test_every_page_is_in_a_table_of_contents():
    places = ("index", "tutorials", "guides")
    listed = [name for place in places for name in re.findall(r"^(\w+)$", text_of(place), re.MULTILINE)]
    assert sorted([*listed, "index"]) == sorted(
        path.stem for path in FOLDER.iterdir() if path.suffix in {".md", ".ipynb"}
    )


@pytest.mark.parametrize(
    "file",
    [*FOLDER.glob("*.md"), *FOLDER.parent.glob("*.md"), *FOLDER.parent.glob(".github/*.md")],
    ids=lambda p: p.name,
)
def test_every_link_to_a_file_leads_somewhere(file):
    text = file.read_text(encoding="utf-8")
    linked = {target.partition("#")[0] for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text)} - {""}
    assert [target for target in sorted(linked) if not (file.parent / target).exists()] == []


@pytest.mark.parametrize("file", [*FOLDER.glob("*.md"), FOLDER.parent / "README.md"], ids=lambda p: p.name)
def test_every_place_in_the_repository_that_is_named_is_there(file):
    named = re.findall(r"`((?:icdframes|tests|notebooks)/[\w./]*)`", file.read_text(encoding="utf-8"))
    assert [name for name in sorted(set(named)) if not (FOLDER.parent / name).exists()] == []


if __name__ == "__main__":
    for each in TABLES:
        print(f"### {each}\n\n{columns_of(each)}\n")  # noqa: T201  that is what it is for
