"""Content that attacks: titles that are HTML or formulas, files that would run code, names that are paths."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import pickle
import re
import socket
import sqlite3
import stat
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

import icdframes
from icdframes import errors
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import read_tables
from icdframes.frames.files import read_frame, to_csv, to_parquet
from icdframes.frames.pandas_compat import text_series
from icdframes.frames.provenance import Provenance
from icdframes.functions import connect
from icdframes.model.entity import Entity, EntityGraph, Reference, Term
from icdframes.plotting.hierarchy import interactive_hierarchy, plot_hierarchy
from icdframes.sandbox import Sandbox
from icdframes.settings import resolve_server
from icdframes.transport.profiles import delete_profile, load_profile, save_profile
from icdframes.transport.secrets import Credentials
from icdframes.widgets.login_form import LoginForm
from icdframes.widgets.markup import entity_html, highlighted, labels_html, message
from icdframes.widgets.search_box import Hit, SearchBox
from icdframes.widgets.tree_browser import TreeBrowser

EVIL = "<img src=x onerror=alert(1)>"
QUOTES = "\"'><script>alert(1)</script>"
FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"]


def _entity(key, title=EVIL, parents=(), children=()):
    return Entity(
        uri=f"http://id.who.int/icd/release/11/2024-01/mms/{key}",
        entity_id=key,
        title=title,
        code=f"1A0{key}",
        class_kind="category" if parents else "chapter",
        definition=QUOTES,
        fully_specified_name=EVIL,
        browser_url=f"https://icd.who.int/{QUOTES}",
        parent_ids=parents,
        child_ids=children,
        terms=(Term("synonym", EVIL), Term("inclusion", QUOTES)),
        references=(Reference("exclusion", EVIL, "2", "2"),),
    )


@pytest.fixture
def evil_graph():
    entities = {
        "1": _entity("1", children=("2", "3")),
        "2": _entity("2", parents=("1",)),
        "3": _entity("3", QUOTES, ("1",)),
    }
    return EntityGraph(("1",), entities)


@pytest.fixture
def evil(evil_graph):
    return build_tables(evil_graph, Provenance(EVIL, "mms", QUOTES, root=EVIL), chapters={"1": EVIL})


def is_text_only(page):
    return not re.search(r"<\s*(img|script)|on\w+\s*=\s*['\"]?alert\(1\)[^&]*?>", page.replace("&lt;", ""))


def html_of(widget):
    """The values of all HTML widgets below one."""
    return "".join(str(child.value) for child in _below(widget) if type(child).__name__ in {"HTML", "HTMLMath"})


def _below(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _below(child)


def test_the_check_of_these_tests_finds_what_is_not_escaped():
    assert not is_text_only(f"<td>{EVIL}</td>")
    assert not is_text_only(f"<td>{QUOTES}</td>")
    assert is_text_only("<td>&lt;img src=x onerror=alert(1)&gt;</td>")


def test_every_html_form_of_tables_shows_a_hostile_title_as_text(evil):
    pages = {
        "tables": evil._repr_html_(),
        "provenance": evil.provenance._repr_html_(),
        **{name: frame._repr_html_() for name, frame in evil.frames.items()},
    }
    assert [name for name, page in pages.items() if not is_text_only(page)] == []
    assert "&lt;img" in pages["tables"]
    assert "&lt;img" in pages["entities"]


def test_every_class_with_an_html_form_escapes_what_it_shows():
    package = Path(icdframes.__file__).parent
    ours = [path for path in package.rglob("*.py") if "_repr_html_" in path.read_text(encoding="utf-8")]
    assert len(ours) >= 4
    assert [
        path.name for path in ours if not re.search(r"escape\(|html_rows\(", path.read_text(encoding="utf-8"))
    ] == []


def test_tree_search_and_form_show_a_hostile_title_as_text(evil, evil_graph):
    tree = TreeBrowser(tables=evil)
    tree.selected = "2"
    hits = SearchBox(search=lambda query: [Hit("2", EVIL, EVIL), Hit(None, None, f"<em class='found'>{EVIL}</em>")])
    hits.run(EVIL)
    pieces = [entity_html(evil_graph.entities["2"]), highlighted(EVIL, "src"), message(EVIL), labels_html([QUOTES])]
    for page in (html_of(tree), html_of(hits), *pieces):
        assert page
        assert is_text_only(page), page
    assert "&lt;img" in html_of(tree)


def test_a_sign_in_form_shows_what_a_server_says_as_text():
    def refuse(*_args, **_options):
        raise errors.CredentialsRejectedError(EVIL)

    form = LoginForm(refuse, server="sandbox")
    form._client_id.value, form._secret.value = QUOTES, "s3cret"
    form._button.click()
    assert "&lt;img" in html_of(form)
    assert is_text_only(html_of(form))


@pytest.mark.parametrize("kind", ["icicle", "treemap", "sunburst"])
def test_an_interactive_figure_has_a_hostile_title_as_text(evil, kind):
    pytest.importorskip("plotly", reason="plotly is not installed (pip install 'icdframes[interactive]')")
    page = interactive_hierarchy(evil, kind=kind, title=QUOTES).to_html(include_plotlyjs=False)
    assert is_text_only(page.replace("\\u003c", "<").replace("\\u003e", ">").partition("Plotly.newPlot")[2])
    assert "img src=x" in page


def test_a_hostile_answer_of_the_server_is_shown_as_text_in_the_tree(icd_sandbox, icd_client):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to("1A03")
    icd_client.clear_cache()
    icd_sandbox.fail("*", status=400, times=None, body=f"Go {EVIL}", content_type="text/plain")  # no page
    next(child for child in _below(tree) if getattr(child, "description", "") == "Load this branch").click()
    assert "✗" in html_of(tree)
    assert "alert(1)" in html_of(tree)
    assert is_text_only(html_of(tree))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["icicle", "treemap"])
@pytest.mark.parametrize("title", [EVIL, QUOTES, "costs $1 and $2", r"$\frac{", "a_b^c \\"])
def test_a_plot_draws_a_hostile_title_as_text(evil_graph, kind, title):
    entities = dict(evil_graph.entities) | {"3": _entity("3", title, ("1",))}
    tables = build_tables(EntityGraph(("1",), entities), Provenance("http://x", "mms", "2024-01"), chapters={})
    axes = plot_hierarchy(tables, kind=kind, title=title, ax=Figure().add_subplot())
    with mpl.rc_context({"svg.fonttype": "none"}), io.StringIO() as stream:
        axes.figure.savefig(stream, format="svg")
        page = stream.getvalue()
    assert is_text_only(page)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_table_for_spreadsheets_holds_no_formula_and_reads_back_the_same(tmp_path, formula):
    frame = pd.DataFrame({"title": text_series([formula, "Cholera", None])})
    path = to_csv(frame, tmp_path / "t.csv", safe_for_spreadsheets=True)
    cells = [line.strip('"') for line in path.read_bytes().decode().split("\n")[1:]]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    pd.testing.assert_frame_equal(read_frame(path), frame)
    assert formula in to_csv(frame, tmp_path / "plain.csv").read_bytes().decode()


# --- files -----------------------------------------------------------------------------------------------------------


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def bomb(tmp_path):
    path = tmp_path / "boom"
    content = pickle.dumps(Bomb(str(path)))
    yield content
    assert not path.exists()


def test_a_cache_that_holds_a_pickle_runs_nothing(icd_client, bomb):
    before = icd_client.load_tables("1A00", progress=False)
    with contextlib.closing(sqlite3.connect(icd_client.cache_info().path)) as connection, connection:
        connection.execute("UPDATE answers_2 SET body = ?, envelope = ?", (bomb, bomb))
    icd_client._snapshots.clear()
    assert icd_client.load_tables("1A00", progress=False).entities.equals(before.entities)


def test_tables_and_profiles_that_hold_a_pickle_run_nothing(evil, bomb, tmp_path):
    folder = evil.to_parquet(tmp_path / "tables")
    for name in ("entities.parquet", "provenance.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(bomb)
        with pytest.raises(errors.FileFormatError):
            read_tables(folder)
        (folder / name).write_bytes(whole)
    path = to_parquet(evil.entities, tmp_path / "one.parquet")
    path.write_bytes(bomb)
    with pytest.raises(errors.FileFormatError):
        read_frame(path)
    profiles = Path(os.environ["ICDFRAMES_CONFIG_DIR"]) / "profiles.json"
    profiles.parent.mkdir()
    profiles.write_bytes(bomb)
    profiles.chmod(0o600)
    with pytest.raises(errors.ConfigurationError):
        load_profile("default")


FORBIDDEN = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "subprocess"}


def test_no_module_can_run_what_it_reads():
    found = []
    for path in Path(icdframes.__file__).parent.rglob("*.py"):
        for inner in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
            names += [inner.module or ""] if isinstance(inner, ast.ImportFrom) else []
            called = inner.func.id if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) else ""
            read = inner.func.attr if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) else ""
            if (
                FORBIDDEN & {name.partition(".")[0] for name in names}
                or called in {"eval", "exec"}
                or read == "read_pickle"
            ):
                found.append((path.name, inner.lineno))
    assert found == []


def test_folders_and_files_are_for_their_owner_only(icd_client):
    icd_client.load_tables("1A00", progress=False)
    with pytest.warns(errors.CredentialStorageWarning):
        save_profile("default", Credentials("client-0123-abcd", "s3cret"))
    cache = icd_client.cache_info().path.parent
    config = Path(os.environ["ICDFRAMES_CONFIG_DIR"])
    for folder in (cache, cache / "snapshots", config):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (*cache.glob("http.sqlite*"), *config.iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- names that are paths, servers that are elsewhere ---------------------------------------------------------------

PATHS = ["../../etc/passwd", "..", "/etc/passwd", "a/b", "a\\b", "\x00", "", ".hidden", "x" * 65, "a\nb"]


@pytest.mark.parametrize("name", PATHS)
def test_a_profile_name_is_no_path(name, tmp_path):
    for action in (load_profile, delete_profile, lambda name: save_profile(name, Credentials("a", "b"))):
        with pytest.raises(errors.ConfigurationError, match="no profile name"):
            action(name)
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    "entity", ["../../etc/passwd", "1%2F..%2F2", "..\\..", "257068234/../1", "a/b", "5\n", "%2e%2e"]
)
def test_an_id_is_no_path(icd_sandbox, icd_client, entity):
    with contextlib.suppress(errors.CodeSyntaxError, errors.EntityNotFoundError):
        icd_client.load_tables(entity, progress=False)
    asked = [request.path for request in icd_sandbox.log]
    assert not [path for path in asked if ".." in path or "%2F" in path or "\\" in path]


@pytest.mark.parametrize("release", ["../..", "2024-01/../../x", "2024-01?x=1", "2024-01#x", "%2e%2e"])
def test_a_release_is_no_path(icd_sandbox, icd_client, release):
    with pytest.raises(errors.UnknownReleaseError):
        icd_client.load_tables("1A00", release=release, progress=False)
    assert {request.path for request in icd_sandbox.log} <= {"/connect/token", "/icd/release/11/mms"}


@pytest.mark.parametrize("path", ["//evil.example/x", "/icd/../../x", "/a?b", "/a#b", "\\\\evil.example", "/a b"])
def test_a_path_leads_to_no_other_place(icd_sandbox, icd_client, path):
    with pytest.raises(errors.IcdError):
        icd_client.get(path)
    assert all(request.path.startswith(("/icd", "/connect", "/evil", "/x")) for request in icd_sandbox.log)


@pytest.mark.parametrize(
    "server,token_url",
    [
        ("http://icd.example", "https://icd.example/token"),
        ("https://icd.example", "http://icd.example/token"),
        ("https://user:password@icd.example", None),
        ("ftp://icd.example", None),
        ("file:///etc/passwd", None),
        ("javascript://icd.example/%0aalert(1)", None),
    ],
)
def test_a_secret_goes_by_https_or_within_this_machine(server, token_url):
    with pytest.raises(errors.ConfigurationError) as caught:
        connect(server, token_url=token_url, client_id="client-0123", client_secret="s3cret")
    assert "s3cret" not in str(caught.value)
    assert resolve_server("http://127.0.0.1:8080", "http://127.0.0.1:8080/connect/token").needs_token
    assert not resolve_server("http://icd.example").needs_token


def test_a_sandbox_listens_on_this_machine_only():
    with Sandbox() as sandbox:
        assert sandbox._server.socket.getsockname()[0] == "127.0.0.1"
        port = sandbox._server.server_port
        with socket.socket() as other, contextlib.suppress(OSError):
            other.bind(("127.0.0.2", port))
            assert other.getsockname() == ("127.0.0.2", port)
        assert json.loads(json.dumps(sandbox.url)).startswith("http://127.0.0.1:")
