"""The builders of code lists and clusters, and the review of codes: by keyboard, in light and dark, 600 pixels wide."""

import itertools
import re
from functools import partial

import pandas as pd
import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:playwright"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WIDEST = 299  # of the levels of the MMS
PAUSE = 900  # milliseconds; what is typed within 800 is one word to the tree
BUILDER = f"""import dataclasses
import icdframes
import pandas as pd
from icdframes import CodeListBuilder

tables = icdframes.connect("sandbox").load_tables(release="2024-01")
entities = tables.entities
place = entities.index[entities["code"].eq("1A01")][0]  # a leaf gets as many below it as the widest level has
one = entities.loc[[place]]
more = pd.concat([one] * {WIDEST}, ignore_index=True)
more["entity_id"] = [f"900{{number:03}}" for number in range({WIDEST})]
more["code"] = [f"1A01.{{number:03}}" for number in range({WIDEST})]
more["title"] = [f"Invented entity {{number}} with a title of usual length" for number in range({WIDEST})]
more["parent_id"], more["depth"] = one["entity_id"].item(), one["depth"].item() + 1
entities.loc[place, ["is_leaf", "n_children"]] = [False, {WIDEST}]
entities = pd.concat([entities[:place + 1], more, entities[place + 1:]], ignore_index=True)
edges = pd.DataFrame({{"parent_id": more["parent_id"], "child_id": more["entity_id"], "position": range({WIDEST})}})
tables = dataclasses.replace(tables, entities=entities, edges=pd.concat([tables.edges, edges], ignore_index=True))
stays = pd.DataFrame({{"code": ["1A00&XN8P1", "1A01.007", "7A01", None] * 500}})
builder = CodeListBuilder(tables, frame=stays)
builder"""
TELL = """print("in:", *[rule.code for rule in builder.codelist.include],
"out:", *[rule.code for rule in builder.codelist.exclude], "cluster:", builder._builder.code)"""
REVIEW = "notebooks/06_coding_texts_offline.ipynb"
SAVE = """file = icdframes.to_csv(review.result(), "coded.csv")
print("to be decided:", review.remaining)"""
OPENED = """tree => new Promise(done => {
    const begin = performance.now();
    new MutationObserver((_, watch) => {
        if (tree.children.length < 299) return;
        watch.disconnect();
        tree.getBoundingClientRect();
        done([performance.now() - begin, performance.now() - window.lastData]);
    }).observe(tree, {childList: true});
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
})"""
NOTE_DATA = """window.WebSocket = class extends WebSocket {
    constructor(...where) {
        super(...where);
        this.addEventListener("message", event => {
            const size = event.data.byteLength ?? event.data.size ?? event.data.length;
            if (size > 10_000) window.lastData = performance.now();  // a level, not a state of the kernel
        });
    }
};"""


@pytest.fixture
def notebook(open_notebook, page):
    """Open a notebook with a builder and return its file."""
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("anywidget", reason="anywidget is not installed (pip install 'icdframes[keyboard]')")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (BUILDER, TELL)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    page.add_init_script(NOTE_DATA)
    return open_notebook(book)


def test_a_list_and_a_cluster_are_built_by_keyboard_alone_then_by_mouse(notebook, page, watched, picture):
    run_cell(page, 0)
    run_cell(page, 1)
    widget = page.locator(".icdframes-codelist")
    tree = widget.get_by_role("tree")
    tree.get_by_role("treeitem").first.wait_for()
    keep = partial(picture, page)

    add_hits(page, widget)
    check_boxes(page, tree)
    keep("builder-list")
    open_the_widest_level(page, tree)
    keep("builder-299")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(PAUSE)
    page.keyboard.type("1A00")
    page.keyboard.press("Enter")
    wait_for_text(widget, "1A00 Cholera")
    tab_to(page, "File")
    page.keyboard.type("mine.json")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    wait_for_text(widget, "Saved in mine.json")
    assert notebook.with_name("mine.json").exists()
    clusters = widget.locator(".icdframes-postcoordination")
    build_cluster(page, clusters)
    clusters.scroll_into_view_if_needed()
    keep("builder-cluster")
    run_cell(page, 2)
    page.get_by_text(re.compile(r"in: 1A00 .* BlockL1-7A0 out: 7A00 cluster: 1A00&XN62R")).wait_for()
    use_mouse(page, widget, tree)
    state = watched(notebook, "sandbox-secret")
    assert any(model["state"].get("_anywidget_id", "").endswith("CheckedTree") for model in state.values())

    page.set_viewport_size({"width": 600, "height": 1000})
    for part, name in ((tree, "builder-600"), (clusters, "builder-600-cluster")):
        part.evaluate("node => node.scrollIntoView()")
        keep(name)
        assert part.evaluate("node => node.scrollWidth - node.clientWidth") <= 1


@pytest.mark.parametrize("look", [("jupyterlab", "Light")], ids="-".join, indirect=True)  # buttons and fields alone
def test_proposed_codes_are_chosen_skipped_and_saved(open_notebook, project, page, watched, picture):
    file = open_notebook(review_cells(project))
    for cell in range(3):
        run_cell(page, cell)
    form = page.locator(".icdframes-review")
    heading = form.locator(".icdframes-heading")
    heading.filter(has_text="1. Heart attack").wait_for()
    form.scroll_into_view_if_needed()
    picture(page, "review")
    form.get_by_role("radio").nth(1).click()
    form.get_by_placeholder("note").fill("had one in May")
    form.get_by_role("button", name="Accept").click()
    heading.filter(has_text="2. CVA").wait_for()
    tab_to(page, "Skip")  # the focus has stayed on the button
    page.keyboard.press("Enter")
    heading.filter(has_text="3. OSA").wait_for()
    assert page.locator(":focus").inner_text() == "Skip"
    choose_by_keys(page, form)
    heading.filter(has_text="4. narcolepsia").wait_for()
    run_cell(page, 3)
    page.get_by_text("to be decided: 6").wait_for()
    saved = pd.read_csv(file.with_name("coded.csv"), dtype=str, keep_default_na=False).set_index("text")
    assert saved.loc["Heart attack", ["code", "status", "note"]].tolist() == ["BA42.Z", "chosen", "had one in May"]
    assert saved.loc["CVA", ["code", "status"]].tolist() == ["", "skipped"]
    assert saved.loc["OSA", ["code", "status"]].tolist() == ["", "none"]
    assert saved["status"].value_counts()["open"] >= 1
    watched(file, "sandbox-secret")
    look_at_600_pixels(page, form, picture)


def choose_by_keys(page, form):
    """Mark "none of these", the last choice, and accept it."""
    for _ in range(4):  # from Skip over Accept and two fields
        page.keyboard.press("Shift+Tab")
    assert form.get_by_role("radio").last.evaluate("node => node === document.activeElement")
    page.keyboard.press("Space")
    tab_to(page, "Accept")
    page.keyboard.press("Enter")


def look_at_600_pixels(page, form, picture):
    """No choice lies over another where their titles need two lines."""
    page.set_viewport_size({"width": 600, "height": 1000})
    form.get_by_role("radio").first.evaluate("node => node.scrollIntoView()")
    picture(page, "review-600")
    boxes = [label.bounding_box() for label in form.locator(".widget-radio-box label").all()]
    assert max(box["height"] for box in boxes) > 1.5 * min(box["height"] for box in boxes)
    inside = [label.evaluate("node => node.scrollHeight - node.clientHeight") for label in form.locator("label").all()]
    assert max(inside) <= 1
    assert all(above["y"] + above["height"] <= below["y"] + 1 for above, below in itertools.pairwise(boxes))


def review_cells(project):
    """Return the cells of notebook 06 up to its form, and one that saves what was decided."""
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(project / REVIEW, as_version=4)
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    form = next(source for source in code if "CodeReview" in source)
    book.cells = [nbformat.v4.new_code_cell(source) for source in ("\n".join(code[:2]), form, SAVE)]
    return book


def add_hits(page, widget):
    widget.get_by_placeholder("Search titles and terms").focus()
    page.keyboard.type("cholera")
    page.keyboard.press("Enter")
    wait_for_text(widget, "5 hits")
    tab_to(page, "Add all hits")
    page.keyboard.press("Enter")
    wait_for_text(widget, "5 of 5 hits are new in the list.")
    wait_for_text(widget, "500 of 2,000 rows of your data")


def check_boxes(page, tree):
    """Take a block in, and leave out what is below it."""
    press = page.keyboard.press
    tab_to(page, "treeitem")
    item = tree.locator(":focus")
    press("Home")
    assert item.get_attribute("aria-level") == "1"
    page.keyboard.type("07")
    assert item.locator(".code").inner_text() == "07"
    press("ArrowRight")
    tree.locator("[aria-level='2']").first.wait_for()
    press("ArrowDown")
    press("Space")
    wait_for(page, item, "aria-checked", "true")
    press("ArrowRight")
    wait_for(page, item, "aria-expanded", "true")
    press("ArrowDown")
    assert item.get_attribute("aria-checked") == "true"
    assert item.get_attribute("aria-description") == "in the list, inherited"
    press("Space")
    wait_for(page, item, "aria-checked", "false")
    assert item.get_attribute("aria-description") == "left out"
    press("ArrowLeft")
    assert item.get_attribute("aria-checked") == "mixed"


def open_the_widest_level(page, tree):
    item = tree.locator(":focus")
    page.keyboard.press("Home")
    for name in ("01", "Gastro", "Bact"):
        page.wait_for_timeout(PAUSE)
        page.keyboard.type(name)
        page.keyboard.press("ArrowRight")
        wait_for(page, item, "aria-expanded", "true")
    page.wait_for_timeout(PAUSE)
    page.keyboard.type("1A01")
    from_key, from_data = tree.evaluate(OPENED)
    print(f"a level of {WIDEST} with boxes: {from_key:.0f} ms after the key, {from_data:.0f} ms after its data")  # noqa: T201
    assert tree.locator("[data-level='5']").count() == WIDEST
    page.keyboard.press("ArrowDown")
    assert item.get_attribute("aria-setsize") == str(WIDEST)


def use_mouse(page, widget, tree):
    """Close and open a level, set a box, undo it, choose a row: what the keys do, by mouse."""
    names = (re.compile("^07"), re.compile("^Hypersomnolence disorders$"))
    chapter, block = (tree.get_by_role("treeitem", name=name) for name in names)
    chapter.locator(".turn").click()
    block.wait_for(state="detached")
    chapter.locator(".turn").click()
    block.locator(".box").click()
    wait_for(page, block, "aria-checked", "true")
    widget.get_by_role("button", name="Undo").click()
    wait_for(page, block, "aria-checked", "false")
    chapter.locator(".name").click()
    widget.locator("h4", has_text="07 Sleep-wake disorders").wait_for()


def build_cluster(page, clusters):
    tab_to(page, "Find")
    page.keyboard.type("eltor")
    clusters.locator("option", has_text="XN8P1").wait_for(state="detached")
    tab_to(page, "Values")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Add to the cluster")
    page.keyboard.press("Enter")
    wait_for_text(clusters, "Cholera [Vibrio cholerae O1, biovar eltor]")
    wait_for_text(clusters, "WHO takes it")
    assert clusters.get_by_label("Cluster", exact=True).input_value() == "1A00&XN62R"


def run_cell(page, number):
    """Run a cell, again where nothing happens: it does nothing before the page talks to its kernel."""
    cell = page.locator(".jp-CodeCell").nth(number)
    for _ in range(100):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(300)
        if cell.locator(".jp-InputPrompt").first.inner_text() not in {"[ ]:", ""}:
            return
    raise AssertionError("The cell does not run.")


def tab_to(page, name):
    """Press Tab until the focus is on a field, a button or a role of a name."""
    for _ in range(40):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => { const node = document.activeElement, label = node.labels && node.labels[0];
            return [node.getAttribute("role"), node.getAttribute("aria-label"), node.title, node.placeholder,
                label && label.textContent, node.tagName === "BUTTON" && node.textContent]; }"""
        )
        if name in [text.strip() for text in here if isinstance(text, str)]:
            return
    raise AssertionError(f"Tab does not come to {name}.")


def wait_for(page, item, attribute, value):
    handle = item.element_handle()
    page.wait_for_function("([node, name, value]) => node.getAttribute(name) === value", arg=[handle, attribute, value])


def wait_for_text(widget, text):
    widget.get_by_text(text).first.wait_for(state="attached")
