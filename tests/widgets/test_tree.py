import sys
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
from icdframes.model.entity import Entity, Reference
from icdframes.widgets.login_form import LoginForm
from icdframes.widgets.tree_browser import TreeBrowser
from icdframes.widgets.tree_panes import Detail
from icdframes.widgets.tree_sources import Level, trail

INFECTIONS, GASTRO, BACTERIAL, FOODBORNE = "1435254666", "588616678", "135352227", "1834648119"
CHOLERA = "257068234"


@pytest.fixture(scope="module")
def loaded(load_sample):
    """Return the sandbox's MMS 2024-01 as tables."""
    return load_sample("2024-01")


@pytest.fixture(params=["client", "tables"])
def tree(request):
    if request.param == "client":
        return TreeBrowser(request.getfixturevalue("icd_client"), release="2024-01")
    return TreeBrowser(tables=request.getfixturevalue("loaded"))


@pytest.fixture
def seen(see, tree):
    return see(tree)


def keys_of(tree):
    """Return the part that takes the keys: a browser shows it in the place of the list."""
    return next(part for part in walk(tree) if hasattr(part, "_esm") and hasattr(part, "rows"))


def walk(part):
    yield part
    for child in getattr(part, "children", ()):
        yield from walk(child)


def tell(tree, act, *way):
    """Do what the keys do in the browser."""
    keys_of(tree)._handle_custom_msg({"type": act, "key": " > ".join(way)}, [])


def test_source_and_licence_stand_below_the_tree_once(seen):
    seen.field("Search").value = "cholera"
    assert seen.text.count("CC BY-ND 3.0 IGO") == 1


def test_the_first_level_is_the_chapters_and_nothing_is_selected(tree, seen):
    assert seen.rows[0] == "▸ 01  Certain infectious or parasitic diseases"
    assert len(seen.rows) == 28
    assert (tree.selected, tree.code, seen.button("Load this branch").disabled) == (None, None, True)
    assert "Choose an entity" in seen.text
    assert repr(tree) == "<TreeBrowser MMS 2024-01 selected=None>"


def test_a_sandbox_says_that_it_is_a_sample_and_tables_do_not(see, icd_client, loaded):
    of_sandbox = see(TreeBrowser(icd_client, release="2024-01")).text
    assert "sandbox" not in see(TreeBrowser(tables=loaded)).text
    if icd_client.server.name == "sandbox":
        assert "The sandbox serves a small sample of 913 entities" in of_sandbox


def test_a_tree_of_one_root_is_open_from_the_start(see, icd_client):
    tree = TreeBrowser(tables=icd_client.load_tables("1A03", release="2024-01", progress=False))
    assert see(tree).rows[0].startswith("▾ 1A03")
    assert len(see(tree).rows) == 7


def test_choosing_entities_opens_one_level_after_another(tree, seen):
    seen.choose("01  Certain")
    seen.choose("Gastroenteritis or colitis of infectious origin")
    seen.choose("Bacterial intestinal infections")
    assert tree.selected == BACTERIAL
    assert any(row.startswith("▸ 1A03") for row in seen.rows)
    assert list(seen.buttons)[:2] == ["MMS 2024-01", "01"]
    assert "Bacterial intestinal infections" in seen.text
    seen.choose("1A00  Cholera")
    assert (tree.selected, tree.code) == (CHOLERA, "1A00")
    assert "1A00" in seen.buttons
    seen.choose("02  Neoplasms")
    assert "· 1A00  Cholera" not in seen.rows  # the list has no other way to close what is open beside it


def test_keys_open_and_close_several_branches(tree, seen):
    tell(tree, "open", INFECTIONS)
    tell(tree, "open", INFECTIONS, GASTRO)
    second = next(row["key"] for row in keys_of(tree).rows if row["title"] == "Neoplasms")
    tell(tree, "open", second)
    rows = keys_of(tree).rows
    assert [row["title"] for row in rows if row["open"]] == [
        "Certain infectious or parasitic diseases",
        "Gastroenteritis or colitis of infectious origin",
        "Neoplasms",
    ]
    assert tree.selected == second
    tell(tree, "close", INFECTIONS)
    assert [row["title"] for row in keys_of(tree).rows if row["open"]] == ["Neoplasms"]
    assert tree.selected == INFECTIONS
    tell(tree, "open", INFECTIONS)
    assert not any(row["title"].startswith("Bacterial intestinal") for row in keys_of(tree).rows)


def test_moving_selects_without_opening(tree, seen):
    keys_of(tree).selected = INFECTIONS
    assert tree.selected == INFECTIONS
    assert len(seen.rows) == 28
    assert "01 Certain infectious" in seen.text


def test_rows_carry_what_a_screen_reader_says_of_them(tree):
    tell(tree, "open", INFECTIONS)
    rows = keys_of(tree).rows
    assert (rows[0]["level"], rows[0]["place"], rows[0]["size"], rows[0]["open"]) == (1, 1, 28, True)
    assert (rows[1]["level"], rows[1]["place"]) == (2, 1)
    assert keys_of(tree).selected == INFECTIONS


def test_one_level_can_be_filtered(tree, seen):
    field = seen.field("Filter the 28")
    field.value = "neo"
    assert [row for row in seen.rows if not row.startswith(("▸ 02", "▸ 19"))] == []
    seen.choose("02  Neoplasms")
    assert field.value == "neo"
    assert len([row for row in seen.rows if row.startswith("▾")]) == 1
    tree.go_to("1A00")  # is hidden by the filter, which is taken away
    assert field.value == ""
    assert field.placeholder.startswith("Filter the ")
    assert "· 1A00  Cholera" in seen.rows
    field.value = "typh"
    assert "· 1A00  Cholera" not in seen.rows
    assert tree.selected == CHOLERA
    field.value = ""
    assert "· 1A00  Cholera" in seen.rows
    field.value = "typh"
    seen.choose("02  Neoplasms")
    assert field.value == ""


def test_an_exclusion_has_its_code_and_jumps_to_its_place(tree, seen):
    tree.go_to(BACTERIAL)
    if "Bacterial foodborne intoxications" not in seen.buttons:
        assert "Bacterial foodborne intoxications" in seen.text  # what is excluded is seen before its codes are
        seen.button("Exclusions (").click()
    seen.button("Bacterial foodborne intoxications").click()
    assert tree.selected == FOODBORNE
    assert any("Foodborne staphylococcal intoxication" in row for row in seen.rows)


def test_a_reference_without_a_place_in_the_classification_is_no_link(tree, seen):
    tree.go_to(FOODBORNE)
    for name, button in seen.buttons.items():
        if name.startswith("Exclusions (") and button.description.startswith("▸"):
            button.click()
    assert "Listeriosis (not " in seen.text
    assert not any("isteriosis" in name for name in seen.buttons)
    assert any(re_match.startswith("1A") for re_match in seen.buttons)


def test_relations_have_titles_and_are_read_when_they_are_opened(icd_client, icd_sandbox, see):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to(CHOLERA)
    before = len(icd_sandbox.log)
    see(tree).button("Related in the maternal chapter (1)").click()
    assert len(icd_sandbox.log) > before
    assert any(name.startswith("JB63  Maternal infectious diseases") for name in see(tree).buttons)
    asked = len(icd_sandbox.log)
    see(tree).button("Related in the maternal chapter (1)").click()
    see(tree).button("Related in the maternal chapter (1)").click()
    assert len(icd_sandbox.log) == asked


def test_a_part_that_cannot_be_read_says_so_and_is_read_when_it_is_opened_again(icd_client, see, monkeypatch):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to(BACTERIAL)
    maternal = "Related in the maternal chapter (1)"
    ask = icd_client.entity

    def dead(*_names, **_options):
        raise ConnectionFailedError("The line is dead.")

    monkeypatch.setattr(icd_client, "entity", dead)
    see(tree).button(maternal).click()
    assert "✗ The line is dead." in see(tree).text
    monkeypatch.setattr(icd_client, "entity", ask)
    see(tree).button(maternal).click()
    see(tree).button(maternal).click()
    assert "The line is dead" not in see(tree).text
    assert any(name.startswith("JB63") for name in see(tree).buttons)


def test_axes_have_their_values(tree, seen):
    tree.go_to("1A00")
    heading = seen.button("Axis: infectious agent (optional, several values)")
    if heading.description.startswith("▸"):
        heading.click()
    values = [name for name in seen.buttons if name.startswith("XN") or "acteria" in name]
    assert values
    seen.buttons[values[0]].click()
    assert tree.selected != CHOLERA


@pytest.mark.parametrize("name", ["1A00", CHOLERA, "http://id.who.int/icd/release/11/2024-01/mms/257068234"])
def test_a_code_an_id_and_a_uri_lead_to_the_entity(tree, seen, name):
    tree.go_to(name)
    assert (tree.selected, tree.code) == (CHOLERA, "1A00")
    assert list(seen.buttons)[1:3] == ["01", "Gastroenteritis or colitis of infectious origin"]


def test_setting_selected_or_code_jumps_and_none_goes_back_to_the_top(tree, seen):
    tree.selected = "344162786/other"
    assert tree.code == "1A03.Y"
    tree.code = "1A00"
    assert tree.selected == CHOLERA
    tree.selected = None
    assert len(seen.rows) == 28
    assert tree.code is None


def test_a_step_of_the_breadcrumb_goes_back_to_it(tree, seen):
    tree.go_to("1A00")
    seen.buttons["01"].click()
    assert tree.selected == INFECTIONS
    assert seen.buttons["01"].tooltip == "01  Certain infectious or parasitic diseases"
    seen.buttons["MMS 2024-01"].click()
    assert tree.selected is None


def test_what_cannot_be_found_is_said_and_changes_nothing(tree, seen):
    tree.go_to("1A00")
    tree.go_to("9Z99")
    assert "✗" in seen.text
    assert "9Z99" in seen.text
    assert tree.selected == CHOLERA


def test_a_branch_is_loaded_and_shown_with_the_line_that_loads_it_again(tree, seen):
    tree.go_to("1A03")
    seen.button("Load this branch").click()
    assert tree.frame["code"].tolist()[0] == "1A03"
    assert (len(tree.frame), len(tree.tables.entities)) == (7, 7)
    assert "✓ 1A03  Intestinal infections due to Escherichia coli: 7 rows in .frame" in seen.text
    assert "Enteropathogenic Escherichia coli infection" in seen.text
    assert "… and 2 more rows" in seen.text
    line = "icdframes.load_entity('1A03', release='2024-01')"
    assert line in seen.text
    assert eval(line, {"icdframes": type("", (), {"load_entity": lambda *given, **options: (given, options)})})
    assert not seen.button("Load this branch").disabled


def test_a_branch_that_fails_is_told_and_can_be_loaded_again(icd_client, icd_sandbox, see):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to("1A03")
    icd_client.clear_cache()
    icd_sandbox.fail("*/mms/*", status=404, times=1)
    see(tree).button("Load this branch").click()
    assert "✗" in see(tree).text
    assert tree.frame is None
    see(tree).button("Load this branch").click()
    assert "7 rows in .frame" in see(tree).text


def test_a_branch_with_holes_says_how_many(icd_client, icd_sandbox, see):
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to("1A03")
    child = icd_client.entity("1A03.0", release="2024-01").entity_id
    icd_client.clear_cache()
    icd_sandbox.fail(f"*/mms/{child}", status=404, times=1)
    with pytest.warns(PartialResultWarning):
        see(tree).button("Load this branch").click()
    assert "6 rows in .frame" in see(tree).text
    assert "1 entities are missing: press again for those." in see(tree).text
    see(tree).button("Load this branch").click()
    assert "7 rows in .frame" in see(tree).text


def test_a_failed_jump_leaves_selected_as_it_was(tree, seen):
    tree.selected = CHOLERA
    tree.selected = "9Z99"
    assert "✗" in seen.text
    assert (tree.selected, tree.code) == (CHOLERA, "1A00")


def test_nothing_selected_is_nothing_to_load(tree):
    tree.load_branch()
    assert tree.frame is None


def test_a_hit_of_the_search_is_shown_in_the_tree(tree, seen):
    seen.field("Search").value = "cholera"
    seen.button("1A00 Cholera").click()
    assert tree.selected == CHOLERA
    assert "1A00 Cholera" not in seen.buttons
    assert seen.field("Search").value == ""


def test_a_level_that_was_opened_is_not_asked_for_again(icd_client, icd_sandbox, see):
    tree = TreeBrowser(icd_client)
    see(tree).choose("01  Certain")
    asked = len(icd_sandbox.log)
    see(tree).choose("02  Neoplasms")
    more = len(icd_sandbox.log)
    assert more > asked
    see(tree).choose("01  Certain")
    assert len(icd_sandbox.log) == more


def test_tables_are_browsed_without_a_request(icd_client, icd_sandbox):
    tables = icd_client.load_tables("01", progress=False)
    before = len(icd_sandbox.log)
    tree = TreeBrowser(tables=tables)
    tree.go_to("1A00")
    tree.load_branch()
    assert len(tree.frame) == 1
    assert len(icd_sandbox.log) == before


def test_levels_that_were_not_loaded_are_told(icd_client, see):
    tree = TreeBrowser(tables=icd_client.load_tables("01", depth=1, progress=False))
    see(tree).choose("Gastroenteritis or colitis of infectious origin")
    assert "5 of 5 were not loaded into these tables" in see(tree).text
    assert len(see(tree).rows) == 7


@pytest.mark.parametrize("classification", ["icf", "foundation", "icd10"])
def test_every_classification_can_be_browsed(icd_client, classification, see):
    tree = TreeBrowser(icd_client, classification)
    seen = see(tree)
    tops = len(seen.rows)
    if tops > 1:
        seen.choose("▸")
    assert len(seen.rows) > max(1, tops)
    below = next(row for row in keys_of(tree).rows if row["level"] == 2)
    way = below["key"].split(" > ")
    tree.selected = None
    tree.go_to(way[-1])
    assert keys_of(tree).selected == " > ".join(way)


def test_titles_are_text_and_never_code(icd_client, see):
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
    tree.load_branch()
    see(tree).field("Search").value = "img"
    assert "<img" not in see(tree).html
    assert see(tree).html.count("&lt;img") > 3


def test_children_that_cannot_be_had_are_told_and_asked_for_again(icd_client, monkeypatch, see):
    tree = TreeBrowser(icd_client)
    ask = icd_client.entity

    def sometimes(name, **options):
        if name == GASTRO:
            raise ConnectionFailedError("The line is dead.")
        return ask(name, **options)

    monkeypatch.setattr(icd_client, "entity", sometimes)
    see(tree).choose("01  Certain")
    assert "1 of 6 could not be loaded: The line is dead." in see(tree).text
    assert len(see(tree).rows) == 28 + 5
    monkeypatch.setattr(icd_client, "entity", ask)
    see(tree).choose("02  Neoplasms")
    see(tree).choose("01  Certain")
    assert len(see(tree).rows) == 28 + 6


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
def test_every_widget_is_one_of_ipywidgets_but_those_for_keys(icd_client, monkeypatch, installed, see):
    if not installed:
        monkeypatch.setitem(sys.modules, "anywidget", None)
    tree = TreeBrowser(icd_client, release="2024-01")
    tree.go_to(BACTERIAL)
    see(tree).field("Search").value = "cholera"
    assert "1A00 Cholera" in see(tree).buttons
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


class AllThere:
    """A source that has every entity it is asked for."""

    classification, is_local, here, note = "mms", True, "here", ""

    def some(self, ids):
        return Level(tuple(Entity(uri=key, entity_id=key, title=f"title {key}") for key in ids))


def test_only_so_many_references_are_links(see):
    detail = Detail(AllThere(), print)
    references = tuple(Reference("exclusion", f"label {n}", linearization_id=str(n)) for n in range(50))
    detail.show(Entity(uri="u", entity_id="1", title="t", references=references))
    assert next(iter(see(detail).buttons)) == "Exclusions (50)"
    assert len(see(detail).buttons) == 1 + 40
    assert "… and 10 more, in the table of references" in see(detail).text


@pytest.mark.full_size
def test_the_whole_mms_and_299_children_are_shown_with_few_widgets(full_size, see):
    tables = read_tabulation(full_size / "mms" / "2022-02_simpletabulation_en.tsv.gz")
    instances = registry._instances if hasattr(registry, "_instances") else registry.Widget.widgets  # of version 7
    before = len(instances)
    tree = TreeBrowser(tables=tables)
    widest = tables.entities.loc[tables.entities["n_children"].idxmax()]
    tree.go_to(widest["entity_id"])
    (width,) = {row["size"] for row in keys_of(tree).rows if row["key"].startswith(f"{keys_of(tree).selected} > ")}
    assert width == widest["n_children"] == 299
    see(tree).field("Filter the 299").value = "zz"
    assert len(instances) - before < 150
