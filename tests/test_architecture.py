"""The rules of the house that a machine can check."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "icdframes"
LAYERS = [
    {"errors", "settings"},
    {"model"},
    {"transport", "walk", "worker_pool", "progress", "frames"},
    {"files"},
    {"analysis", "coding", "export", "sandbox"},
    {"client", "plotting"},
    {"widgets"},
    {"functions", "testing"},
    {"cli"},
]
ONLY_IN = {
    "requests": {"transport"},
    "urllib3": {"transport"},
    "requests_cache": {"transport"},
    "authlib": {"transport"},
    "filelock": {"transport"},
    "narwhals": {"analysis"},
    "ipywidgets": {"widgets"},
    "anywidget": {"widgets"},
    "matplotlib": {"plotting"},
    "plotly": {"plotting"},
    "networkx": {"export"},
    "rdflib": {"export"},
    "sqlalchemy": {"export"},
    "tqdm": {"progress"},
    "keyring": {"transport"},
    "sklearn": {"coding"},
    "scipy": {"coding"},
    "sparse_dot_topn": {"coding"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def _layer_of(part):
    return next(level for level, names in enumerate(LAYERS) if part in names)


def _part(path):
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def _is_module(part):
    """Return whether a part is a single file: on one floor, files may import one another, folders may not."""
    return (PACKAGE / f"{part}.py").is_file()


@cache
def _nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _imports(path):
    for node in _nodes(path):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _run_time_imports(path):
    """Imports outside ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module, [alias.name for alias in node.names]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_layers_import_downwards_only(path):
    part = _part(path)
    if part in {"__init__", "__main__"}:
        return
    for module in _imports(path):
        if module and module.startswith("icdframes."):
            other = module.split(".")[1]
            beside = _is_module(part) and _is_module(other) and _layer_of(other) == _layer_of(part)
            assert other == part or beside or _layer_of(other) < _layer_of(part), f"{part} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_known_in_one_layer_only(path):
    for module in _imports(path):
        library = (module or "").split(".")[0]
        assert _part(path) in ONLY_IN.get(library, {_part(path)}), f"{path.name} imports {library}"


def test_model_needs_the_standard_library_only():
    import sys

    for path in (PACKAGE / "model").glob("*.py"):
        for module in _imports(path):
            root = module.split(".")[0]
            assert root == "icdframes" or root in sys.stdlib_module_names, f"{path.name} imports {module}"


def test_no_module_imports_itself_through_others():
    graph = {}
    names = {".".join(("icdframes", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES}
    for name, path in names.items():
        wanted = {
            candidate
            for module, imported in _run_time_imports(path)
            for candidate in (module, *(f"{module}.{item}" for item in imported))
        }
        graph[name] = {other for other in wanted if other in names}
    done, trail = set(), []

    def visit(name):
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        trail.append(name)
        for other in graph[name]:
            visit(other)
        done.add(trail.pop())

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in _nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


def test_the_readme_draws_the_layers_as_they_are(project):
    built = (project / "README.md").read_text(encoding="utf-8").split("## How it is built")[1]
    drawn = [{name.strip() for name in floor.split("|")} for floor in built.split("```")[1].split("→")]
    assert drawn == [names for names in reversed(LAYERS) if names != {"__main__"}]


def test_importing_icdframes_loads_no_heavy_library():
    import subprocess
    import sys

    heavy = "{'pandas', 'requests', 'ipywidgets', 'authlib', 'narwhals', 'tqdm'}"
    script = f"import sys, icdframes; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_top_level_is_what_the_design_names():
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {name.split("/")[0] for name in listed.stdout.splitlines()}
    allowed = {
        "pyproject.toml",
        "README.md",
        "icdframes",
        "notebooks",
        "tests",
        "environment.yml",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
    }
    assert {name for name in tops if not name.startswith(".")} <= allowed
