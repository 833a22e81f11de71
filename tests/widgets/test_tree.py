import sys
import time
from dataclasses import replace

import pytest
from ipywidgets import Widget
from ipywidgets.widgets import widget as registry

from icdframes import read_tabulation
from icdframes.errors import (
    ConfigurationError,
    ConnectionFailedError,
    EntityNotFoundError,
    PartialResultWarning,
    UnknownLanguageError,
    UnknownReleaseError,
)
from icdframes.functions import connect
from icdframes.model.entity import Entity, Reference
from icdframes.widgets.login_form import LoginForm
from icdframes.widgets.tree_browser import TreeBrowser
from icdframes.widgets.tree_panes import Detail
from icdframes.widgets.tree_sources import trail

INFECTIONS, GASTRO, BACTERIAL, FOODBORNE = "1435254666", "588616678", "135352227", "1834648119"
CHOLERA = "257068234"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return the sandbox's MMS 2024-01 as tables."""
    with connect("sandbox", cache_dir=tmp_path_factory.mktemp("cache")) as client:
        return client.load_tables(release="2024-01", progress=False)


@pytest.fixture(params=["client", "tables"])
def tree(request):
    if request.param == "client":
        return TreeBrowser(request.getfixturevalue("icd_client"), release="2024-01")
    return TreeBrowser(tables=request.getfixturevalue("loaded"))


def open_columns(tree):
    return [column for column in tree._columns.children if column.layout.display != "none"]


def links(tree):
    return {part.description: part for part in tree._detail._links.children if hasattr(part, "click")}


def crumbs(tree):
    return [step.description for step in tree._crumbs.children if step.layout.display != "none"]


def pick(tree, level, entity_id):
    tree._columns.children[level].value = entity_id


def test_source_and_licence_stand_below_the_tree_once(tree):
    shown = [part.value for part in tree.children if isinstance(getattr(part, "value", None), str)]
    assert ["CC BY-ND 3.0 IGO" in text for text in shown].count(True) == 1
    tree._search.run("cholera")
    assert tree._search._source.value == ""


def test_the_first_level_is_the_chapters_and_nothing_is_selected(tree):
    (column,) = open_columns(tree)
    assert column.options[0] == ("▸ 01  Certain infectious or parasitic diseases", INFECTIONS)
    assert len(column.options) == 28
    assert (tree.selected, column.value, tree._load.disabled) == (None, None, True)
    assert repr(tree) == "<TreeBrowser MMS 2024-01 selected=None>"


def test_choosing_entities_opens_one_level_after_another(tree):
    pick(tree, 0, INFECTIONS)
    pick(tree, 1, GASTRO)
    pick(tree, 2, BACTERIAL)
    assert tree.selected == BACTERIAL
    assert len(tree._levels) == 4
    assert [column.value for column in open_columns(tree)] == [GASTRO, BACTERIAL, None]
    assert crumbs(tree)[:2] == ["MMS 2024-01", "/ 01"]
    assert "Bacterial intestinal infections" in tree._detail._text.value
    pick(tree, 3, CHOLERA)
    assert crumbs(tree)[-1] == "/ 1A00"
    assert len(tree._levels) == 4
    pick(tree, 0, tree._levels[0][1].entity_id)
    assert len(tree._levels) == 2


def test_an_exclusion_jumps_to_its_place(tree):
    tree.go_to(BACTERIAL)
    links(tree)["Bacterial foodborne intoxications"].click()
    assert tree.selected == FOODBORNE
    assert open_columns(tree)[-1].options[0][0].endswith("Foodborne staphylococcal intoxication")


def test_a_reference_without_a_place_in_the_classification_is_no_link(tree):
    tree.go_to(FOODBORNE)
    assert links(tree)["Listeriosis"].disabled
    assert not links(tree)["salmonella foodborne intoxication and infection"].disabled


@pytest.mark.parametrize("name", ["1A00", CHOLERA, "http://id.who.int/icd/release/11/2024-01/mms/257068234"])
def test_a_code_an_id_and_a_uri_lead_to_the_entity(tree, name):
    tree.go_to(name)
    assert tree.selected == CHOLERA
    assert [entity.entity_id for entity in tree._way] == [INFECTIONS, GASTRO, BACTERIAL, CHOLERA]


def test_setting_selected_jumps_and_none_goes_back_to_the_top(tree):
    tree.selected = "344162786/other"
    assert tree._way[-1].code == "1A03.Y"
    tree.selected = None
    assert len(open_columns(tree)) == 1
    assert tree._detail._text.value == ""


def test_a_step_of_the_breadcrumb_goes_back_to_it(tree):
    tree.go_to("1A00")
    tree._crumbs.children[1].click()
    assert tree.selected == INFECTIONS
    tree._crumbs.children[0].click()
    assert tree.selected is None


def test_what_cannot_be_found_is_said_and_changes_nothing(tree):
    tree.go_to("1A00")
    tree.go_to("9Z99")
    assert "✗" in tree._status.value
    assert "9Z99" in tree._status.value
    assert tree.selected == CHOLERA


def test_a_branch_is_loaded_into_an_attribute(tree):
    tree.go_to("1A03")
    tree._load.click()
    assert tree.branch["code"].tolist()[0] == "1A03"
    assert len(tree.branch) == 7
    assert len(tree.branch_tables.entities) == 7
    assert "7 rows are in .branch" in tree._status.value
    assert not tree._load.disabled


def test_a_branch_that_fails_is_told_and_can_be_loaded_again(icd_client, icd_sandbox):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to("1A03")
    icd_client.clear_cache()
    icd_sandbox.fail("*/mms/*", status=404, times=1)
    tree._load.click()
    assert "✗" in tree._status.value
    assert tree.branch is None
    tree._load.click()
    assert "7 rows are in .branch" in tree._status.value


def test_a_branch_with_holes_says_how_many(icd_client, icd_sandbox):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to("1A03")
    child = tree._way[-1].child_ids[0]
    icd_client.clear_cache()
    icd_sandbox.fail(f"*/mms/{child}", status=404, times=1)
    with pytest.warns(PartialResultWarning):
        tree._load.click()
    assert "6 rows are in .branch" in tree._status.value
    assert "1 entities are missing: press again for those." in tree._status.value
    tree._load.click()
    assert "✓ 7 rows are in .branch" in tree._status.value


def test_a_failed_jump_leaves_selected_as_it_was(tree):
    tree.selected = CHOLERA
    tree.selected = "9Z99"
    assert "✗" in tree._status.value
    assert tree.selected == CHOLERA


def test_nothing_selected_is_nothing_to_load(tree):
    tree.load_branch()
    assert tree.branch is None


def test_a_hit_of_the_search_is_shown_in_the_tree(tree):
    tree._search.run("cholera")
    next(row for row in tree._search._hits.children if row.button.description == "1A00").button.click()
    assert tree.selected == CHOLERA
    assert tree._search._hits.children == ()


def test_a_level_that_was_opened_is_not_asked_for_again(icd_client, icd_sandbox):
    tree = TreeBrowser(icd_client)
    pick(tree, 0, INFECTIONS)
    asked = len(icd_sandbox.log)
    pick(tree, 0, tree._levels[0][1].entity_id)
    more = len(icd_sandbox.log)
    assert more > asked
    pick(tree, 0, INFECTIONS)
    assert len(icd_sandbox.log) == more


def test_tables_are_browsed_without_a_request(icd_client, icd_sandbox):
    tables = icd_client.load_tables("01", progress=False)
    before = len(icd_sandbox.log)
    tree = TreeBrowser(tables=tables)
    tree.go_to("1A00")
    tree.load_branch()
    assert len(tree.branch) == 1
    assert len(icd_sandbox.log) == before


def test_levels_that_were_not_loaded_are_told(icd_client):
    tree = TreeBrowser(tables=icd_client.load_tables("01", depth=1, progress=False))
    pick(tree, 0, INFECTIONS)
    pick(tree, 1, GASTRO)
    assert "5 of 5 were not loaded into these tables" in tree._status.value
    assert len(tree._levels) == 2


@pytest.mark.parametrize("classification", ["icf", "foundation", "icd10"])
def test_every_classification_can_be_browsed(icd_client, classification):
    tree = TreeBrowser(icd_client, classification)
    first = next(entity for entity in tree._levels[0] if not entity.is_leaf)
    pick(tree, 0, first.entity_id)
    assert len(open_columns(tree)) == 2
    below = tree._levels[1][0]
    tree.selected = None
    tree.go_to(below.entity_id)
    assert [entity.entity_id for entity in tree._way] == [first.entity_id, below.entity_id]


def test_titles_are_text_and_never_code(icd_client):
    evil = "<img src=x onerror=alert(1)>"
    tables = icd_client.load_tables("1A00", progress=False)
    tables = replace(
        tables,
        entities=tables.entities.assign(title=evil, definition=evil),
        terms=tables.terms.assign(label=evil),
        references=tables.references.assign(label=evil),
    )
    tree = TreeBrowser(tables=tables)
    tree.go_to(CHOLERA)
    html = [
        part.value
        for part in (tree._detail._text, tree._status, *tree._detail._links.children)
        if hasattr(part, "value")
    ]
    assert not any("<img" in text for text in html)
    assert "&lt;img" in tree._detail._text.value
    tree._search.run("img")
    assert "<img" not in tree._search._hits.children[0].label.value


def test_children_that_cannot_be_had_are_told_and_the_others_shown(icd_client, monkeypatch):
    tree = TreeBrowser(icd_client)
    ask = icd_client.entity

    def sometimes(name, **options):
        if name == GASTRO:
            raise ConnectionFailedError("The line is dead.")
        return ask(name, **options)

    monkeypatch.setattr(icd_client, "entity", sometimes)
    pick(tree, 0, INFECTIONS)
    assert "1 of 6 could not be loaded: The line is dead." in tree._status.value
    assert len(tree._levels[1]) == 5


def test_a_wrong_release_or_language_is_an_error_at_once(icd_client):
    with pytest.raises(UnknownReleaseError):
        TreeBrowser(icd_client, release="1999-01")
    with pytest.raises(UnknownLanguageError):
        TreeBrowser(icd_client, language="xx")
    with pytest.raises(ConfigurationError, match="needs a client or loaded tables"):
        TreeBrowser()


CORE = {"@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output"}


def _modules(root):
    """Return the names of the front-end modules that a widget and everything in it ask for."""
    found, waiting = set(), [root]
    while waiting:
        widget = waiting.pop()
        found.add(widget._model_module)
        waiting += [part for name in widget.keys if isinstance(part := getattr(widget, name), Widget)]
        waiting += getattr(widget, "children", ())
    return found


@pytest.mark.parametrize("installed", [True, False])
def test_every_widget_is_one_of_ipywidgets_but_the_one_that_keeps_the_keys(icd_client, monkeypatch, installed):
    if not installed:
        monkeypatch.setitem(sys.modules, "anywidget", None)
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to(BACTERIAL)
    tree._search.run("cholera")
    assert tree._search._hits.children
    assert links(tree)
    assert _modules(tree) == CORE | ({"anywidget"} if installed else set())
    assert _modules(LoginForm(print)) == CORE - {"@jupyter-widgets/output"}


class Family:
    """Entities of which only the parents are known."""

    def __init__(self, **parents):
        self.parents = parents

    def entity(self, name):
        if name not in self.parents:
            raise EntityNotFoundError(name)
        return Entity(uri=name, entity_id=name, title=name, parent_ids=tuple(self.parents[name]))


@pytest.mark.parametrize(
    "family, way",
    [
        ({"a": "", "b": "a", "c": "b"}, "abc"),
        ({"a": "", "b": "a", "c": "ba"}, "ac"),
        ({"a": "c", "b": "a", "c": "b"}, "abc"),
        ({"a": "", "c": "xa"}, "ac"),
        ({"a": ""}, "a"),
    ],
    ids=["one parent", "the shortest of two ways", "a circle", "a parent that is not there", "a root"],
)
def test_the_way_to_an_entity_is_the_shortest_one(family, way):
    levels = Family(**family)
    assert [entity.entity_id for entity in trail(levels, levels.entity(way[-1]), ["a"])] == list(way)


def test_an_entity_to_which_no_way_leads_is_told():
    levels = Family(b="c", c="b")
    with pytest.raises(EntityNotFoundError, match="b is not below what this tree shows: choose"):
        trail(levels, levels.entity("b"), ["a"])


def test_only_so_many_references_are_links():
    detail = Detail(lambda reference: reference.linearization_id, print)
    references = tuple(Reference("exclusion", f"label {n}", linearization_id=str(n)) for n in range(50))
    detail.show(Entity(uri="u", entity_id="1", title="t", references=references))
    heading, *buttons, rest = detail._links.children
    assert "Exclusions" in heading.value
    assert len(buttons) == 40
    assert rest.value == "… and 10 more, in the table of references"


@pytest.mark.full_size
def test_the_whole_mms_opens_at_once_and_299_children_do_not_freeze_it(full_size):
    tables = read_tabulation(full_size / "mms" / "2022-02_simpletabulation_en.tsv.gz")
    instances = registry._instances if hasattr(registry, "_instances") else registry.Widget.widgets  # of version 7
    before = len(instances)
    begin = time.perf_counter()
    tree = TreeBrowser(tables=tables)
    opened = time.perf_counter() - begin
    widest = tables.entities.loc[tables.entities["n_children"].idxmax()]
    begin = time.perf_counter()
    tree.go_to(widest["entity_id"])
    jumped = time.perf_counter() - begin
    assert len(tree._levels[-1]) == widest["n_children"] == 299
    assert opened < 1
    assert jumped < 1
    assert len(instances) - before < 150
