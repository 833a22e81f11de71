import re
import shutil
from functools import partial

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:playwright"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

NOTEBOOK = "notebooks/01_first_steps.ipynb"
WRONG, RIGHT = "not-the-secret-7731", "sandbox-secret"
AFTER = """signed_in = icdframes.get_client()
found = icdframes.load_entity("1A01", release="2024-01")["title"].item()
print("the form's client:", signed_in is not tree._source._client, "|", found)"""


@pytest.fixture
def notebook(open_notebook, front_end, project):
    """Open notebook 01 and return its file."""
    nbformat = pytest.importorskip("nbformat")
    shutil.copytree((project / NOTEBOOK).parent / "_static", front_end[1] / "_static")
    book = nbformat.read(project / NOTEBOOK, as_version=4)
    book.cells.append(nbformat.v4.new_code_cell(AFTER))
    return open_notebook(book)


def test_signing_in_and_browsing_works_and_leaves_no_secret(notebook, page, watched, picture):
    _run_all_cells(page)
    keep = partial(picture, page)
    _use_form(page.locator(".icdframes-form"), keep)
    page.get_by_text("the form's client: False").wait_for()  # it ran before the form was used
    _run_last_cell(page)
    page.get_by_text("the form's client: True | Intestinal infection due to other Vibrio").wait_for()
    _use_tree(page.locator(".icdframes-tree"), keep, notebook)
    state = watched(notebook, WRONG, RIGHT)
    assert any(model["model_name"] == "PasswordModel" for model in state.values())


def _use_form(form, picture):
    """Fail once, then sign in."""
    form.wait_for()
    form.scroll_into_view_if_needed()
    picture("login-who")
    form.get_by_role("button", name="Sandbox").click()
    form.get_by_placeholder("leave empty for the sample's own").nth(1).wait_for()  # the kernel has answered
    _sign_in(form, WRONG)
    form.get_by_text("✗").wait_for()
    picture("login-wrong")
    assert "refuses the client …ient" in form.get_by_role("status").inner_text()
    _sign_in(form, RIGHT)
    form.get_by_text(
        re.compile(r"✓ Connected to 127\.0\.0\.1:\d+ as …ient, ICD-11 \S+ is the newest release")
    ).wait_for()
    picture("login-right")
    assert form.locator("input[type=password]").input_value() == ""


def _use_tree(tree, picture, file):
    """Open levels by keys, jump along an exclusion, filter, save by Ctrl+S, search by keys."""
    page, shown = tree.page, tree.locator("h4")
    rows = tree.get_by_role("treeitem")
    selected = tree.locator("[aria-selected=true]")
    rows.first.click()
    shown.filter(has_text="01 Certain infectious").wait_for()
    tree.get_by_role("treeitem", name="Mycobacterial diseases").wait_for()
    selected.press("ArrowRight")  # focuses: at the end of a run Jupyter takes the keyboard to its cell
    page.keyboard.type("gastro")
    shown.filter(has_text="Gastroenteritis or colitis of infectious origin").wait_for()
    page.keyboard.press("ArrowRight")
    tree.get_by_role("treeitem", name="Bacterial intestinal infections").wait_for()
    page.keyboard.press("ArrowRight")
    shown.filter(has_text="Bacterial intestinal infections").wait_for()
    page.keyboard.press("ArrowLeft")
    shown.filter(has_text="Gastroenteritis or colitis of infectious origin").wait_for()
    assert selected.inner_text().endswith("Gastroenteritis or colitis of infectious origin")
    before = file.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    _until(page, lambda: file.stat().st_mtime_ns != before)
    page.keyboard.press("Home")
    shown.filter(has_text="01 Certain infectious").wait_for()
    tree.get_by_role("treeitem", name="Bacterial intestinal infections").click()
    shown.filter(has_text="Bacterial intestinal infections").wait_for()
    tree.get_by_role("button", name="Exclusions (1)").click()
    exclusion = tree.get_by_role("button", name="Bacterial foodborne intoxications").last
    exclusion.wait_for()
    tree.evaluate("node => node.scrollIntoView()")
    picture("tree")
    exclusion.click()
    shown.filter(has_text="Bacterial foodborne intoxications").wait_for()
    picture("tree-jumped")
    tree.get_by_placeholder("Filter the 6").fill("botu")
    tree.get_by_role("treeitem", name="1A10").wait_for(state="detached")
    assert tree.get_by_role("treeitem", name="1A11 Botulism").count() == 1
    field = tree.get_by_placeholder("Search titles and terms")
    _choose_hit_by_mouse(tree, field)
    field.fill("chol")
    tree.get_by_role("button", name="1A00 Cholera").wait_for()
    picture("tree-search")
    field.press("ArrowDown")
    page.keyboard.press("Enter")
    shown.filter(has_text="1A00 Cholera").wait_for()
    tree.get_by_role("button", name="Load this branch").click()
    tree.get_by_text("In a cell: icdframes.load_entity('1A00', release=").wait_for()
    picture("tree-found")
    _look_at_600_pixels(page, tree, picture)


def _choose_hit_by_mouse(tree, field):
    """Click on the line that says why a hit matches: the whole row is a button."""
    field.fill("heart attack")
    hit = tree.locator(".icdframes-hit").filter(has_text="matches: heart attack")
    hit.wait_for()
    hit.click(position={"x": 90, "y": hit.bounding_box()["height"] - 9})
    tree.locator("h4", has_text="BA41.Z Acute myocardial infarction").wait_for()


def _look_at_600_pixels(page, tree, picture):
    """The details stand below the hierarchy where there is little room."""
    page.set_viewport_size({"width": 600, "height": 1000})
    tree.evaluate("node => node.scrollIntoView()")
    hierarchy, details = (tree.locator(name).first.bounding_box() for name in (".icdframes-rows", ".icdframes-detail"))
    assert hierarchy["y"] + hierarchy["height"] <= details["y"]
    picture("tree-600")
    page.set_viewport_size({"width": 1280, "height": 1000})


def _until(page, is_so):
    for _ in range(100):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not happen.")


def _run_all_cells(page):
    """Run all cells, again where nothing happens: it does nothing before the page talks to its kernel."""
    started = page.locator(".jp-InputPrompt").get_by_text(re.compile(r"\[(\*|\d+)\]:"))
    for tries in range(100):
        if tries % 10 == 0:
            _choose(page, "Run", "Run All Cells")
        page.wait_for_timeout(100)
        if started.count():
            return
    raise AssertionError("No cell runs.")


def _run_last_cell(page):
    page.locator(".jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt", has_text="[*]").wait_for(state="detached")


def _choose(page, *path):
    for step in path:
        page.get_by_role("menuitem", name=re.compile(f"^{step}( Ctrl.*)?$")).click()


def _sign_in(form, secret):
    form.get_by_label("Client id").fill("sandbox-client")
    form.get_by_label("Secret").fill(secret)
    form.get_by_label("Secret").press("Enter")
