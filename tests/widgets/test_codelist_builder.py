"""The builders of code lists and clusters, without a browser: what their messages and buttons do."""

import pandas as pd
import pytest

import icdframes
from icdframes import CodeList, CodeListBuilder, PostcoordinationBuilder

pytest.importorskip("anywidget")


@pytest.fixture(scope="module")
def tables(load_sample):
    return load_sample("2024-01")


@pytest.fixture
def built(tables):
    """Return a builder, and what it sends to the browser."""
    stays = pd.DataFrame({"code": ["1A00&XN8P1", "7A00", "7A01", None] * 5})
    builder = CodeListBuilder(tables, frame=stays)
    sent = []
    builder._tree.send = sent.append
    return builder, sent


def id_of(tables, code):
    return tables.entities.set_index("code").loc[code, "entity_id"]


def test_levels_and_states_are_sent(built, tables):
    builder, sent = built
    builder._heard("ready", "")
    assert len(sent[-1]["rows"]) == 28
    chapter = id_of(tables, "07")
    builder._heard("open", chapter)
    assert sent[-1]["parent"] == chapter
    block = sent[-1]["rows"][0]
    assert (block["title"], block["state"], block["own"], block["code"]) == ("Insomnia disorders", "none", False, None)
    builder._heard("toggle", block["id"])
    states = sent[-1]["states"]
    assert states[block["id"]] == ["in", True]
    assert states[chapter] == ["mixed", False]
    builder._heard("open", block["id"])
    assert {row["state"] for row in sent[-1]["rows"]} == {"in"}
    builder._heard("toggle", id_of(tables, "7A00"))
    assert sent[-1]["states"][block["id"]] == ["mixed", True]
    assert sent[-1]["states"][id_of(tables, "7A00")] == ["out", True]
    assert [rule.code for rule in builder.codelist.exclude] == ["7A00"]
    builder._heard("toggle", id_of(tables, "7A00"))
    assert builder.codelist.exclude == ()


def test_states_are_those_of_the_codes(built, tables):
    builder, _ = built
    builder._take(CodeList(["01", "06", "BlockL1-7A0"], ["1A03"], release="2024-01"))
    entities = tables.entities
    taken = set(builder.codelist.codes(tables)["entity_id"])
    index = builder._index
    for row in range(0, len(entities), 7):
        below = set(entities["entity_id"][index.branch(row) & index.is_category])
        state, _ = builder._state(row)
        if below:
            wanted = {"in"} if below <= taken else {"mixed"} if below & taken else {"none", "out"}
            assert state in wanted, entities["code"].iloc[row]


def test_hits_are_added_and_changes_taken_back(built):
    builder, _ = built
    assert builder._undo.disabled
    builder._search.run("cholera")
    builder._add_hits.click()
    assert "1A00" in [rule.code for rule in builder.codelist.include]
    assert "are new in the list" in builder._status.value
    assert "5 of 20 rows" in builder._total.value
    builder._undo.click()
    assert builder.codelist.include == ()
    builder.toggle("9A00")
    assert "no entity" in builder._status.value


def test_rules_are_removed_by_their_buttons(built):
    builder, _ = built
    builder.toggle("7A00")
    builder.toggle("1A00")
    assert "1 code, 5 rows" in builder._rules.children[0].children[1].value
    builder._rules.children[0].children[0].click()
    assert [rule.code for rule in builder.codelist.include] == ["1A00"]


def test_a_rule_without_a_title_shows_that_of_the_tables(tables):
    builder = CodeListBuilder(tables, CodeList(include=["1A00"], release="2024-01"))
    (row,) = builder._rules.children
    assert "Cholera" in row.children[1].value


def test_a_list_is_saved_and_what_goes_wrong_is_said(built, tmp_path):
    builder, _ = built
    builder.toggle("7A00")
    builder._path.value = str(tmp_path / "sleep.json")
    builder._save.click()
    assert "Saved in" in builder._status.value
    assert icdframes.read_codelist(tmp_path / "sleep.json") == builder.codelist
    builder.save(str(tmp_path / "no folder" / "sleep.csv"))
    assert "✗" in builder._status.value


def test_the_tree_opens_down_to_a_hit_and_shows_its_builder(built, tables):
    builder, sent = built
    builder._heard("ready", "")
    builder.show("1A00")
    assert sent[-1] == {"type": "focus", "id": id_of(tables, "1A00")}
    assert "Cholera" in builder._detail.value
    assert builder._builder.code == "1A00"
    builder._heard("select", id_of(tables, "07"))
    assert builder._builder.code == ""


def test_a_cluster_is_built_and_judged(tables):
    builder = PostcoordinationBuilder(tables, "1A00")
    assert builder._axis.options[0][0] == "infectious agent"
    assert [code for _, code in builder._values.options] == ["XN8P1", "XN62R", "XN8KD"]
    builder._add.click()
    assert builder.code == "1A00"  # nothing is selected
    builder._filter.value = "elto"
    builder._values.value = ("XN62R",)
    builder._filter.value = "eltor"
    assert builder._values.value == ("XN62R",)
    builder._values.value = ()
    assert [code for _, code in builder._values.options] == ["XN62R"]
    builder._add.click()  # the only one that is listed
    assert builder.code == builder._cluster.value == "1A00&XN62R"
    assert "Cholera [Vibrio cholerae O1, biovar eltor]" in builder._label.value
    assert "✓" in builder._label.value
    builder._cluster.value = "1A00&XK8G"
    assert builder.code == "1A00&XK8G"
    assert "✗" in builder._label.value
    builder._clear.click()
    assert builder.code == "1A00"
    builder.show("9A00")
    assert "9A00" in builder._label.value


def test_the_browser_is_told_of_new_values_and_of_no_selection_at_once(tables, monkeypatch):
    builder = PostcoordinationBuilder(tables, "1A00")
    builder._values.value = ("XN8KD",)
    sent = []
    monkeypatch.setattr(builder._values, "send_state", lambda key=None: sent.append(key))
    builder.show("")
    told = [set(one) for one in sent if not isinstance(one, str)]
    assert [keys for keys in told if "_options_labels" in keys and "index" not in keys] == []
    assert "_options_labels" not in sent
    assert builder._values.index == builder._values.options == ()


def test_axes_and_values_come_from_the_server_where_the_tables_have_none(icd_client, icd_sandbox):
    from dataclasses import replace

    tables = icd_client.load_tables("1A00", release="2024-01")
    bare = replace(tables, axes=tables.axes.iloc[:0])
    builder = PostcoordinationBuilder(bare, "1A00", client=icd_client)
    assert [code for _, code in builder._values.options] == ["XN8P1", "XN62R", "XN8KD"]
    assert builder._axes


@pytest.mark.parametrize("server, is_said", [("sandbox", True), (None, False)])
def test_the_sandbox_is_said_to_be_a_sample(tables, server, is_said):
    builder = CodeListBuilder(tables, client=icdframes.connect(server) if server else None)
    texts = [str(getattr(part, "value", "")) for part in builder.children]
    assert any("small sample of 913 entities" in text for text in texts) == is_said
    assert any("sample" in text for text in texts) == is_said
