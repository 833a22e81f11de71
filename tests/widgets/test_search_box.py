import asyncio

import pytest

from icdframes.errors import ConfigurationError, ConnectionFailedError
from icdframes.widgets.search_box import Hit, SearchBox, client_search, tables_search

CHOLERA = Hit("257068234", "1A00", "<em class='found'>Cholera</em>")


def box_of(*hits):
    asked = []

    def search(query):
        asked.append(query)
        return hits

    return SearchBox(search=search), asked


def rows(box):
    return [(row.button.description, row.label.value) for row in box._hits.children]


def press_enter(box):
    box._field._msg_callbacks(box._field, {"event": "submit"}, [])


def test_typing_gives_hits_with_what_was_found_marked():
    box, asked = box_of(CHOLERA)
    box._field.value = "chol"
    assert asked == ["chol"]
    assert rows(box) == [("1A00", "<mark>Cholera</mark>")]
    assert "1 hit<" in box._status.value


def test_a_click_gives_the_code():
    picked = []
    box = SearchBox(search=lambda _query: [CHOLERA], on_pick=picked.append)
    box.run("cholera")
    box._hits.children[0].button.click()
    assert (box.code, box.hit, picked) == ("1A00", CHOLERA, [CHOLERA])
    assert repr(box) == "<SearchBox code='1A00'>"


def test_source_and_licence_stand_below_the_hits_unless_they_stand_nearby():
    box, _ = box_of(CHOLERA)
    assert box._source.value == ""
    box.run("cholera")
    assert "CC BY-ND 3.0 IGO" in box._source.value
    box.clear()
    assert box._source.value == ""
    bare = SearchBox(search=lambda _query: [CHOLERA], attribution=False)
    bare.run("cholera")
    assert bare._source.value == ""


def test_a_hit_without_a_code_gives_none():
    box, _ = box_of(Hit("1", None, "A block"))
    box.run("block")
    assert rows(box) == [("open", "A <mark>block</mark>")]
    box._hits.children[0].button.click()
    assert box.code is None
    assert box.hit.entity_id == "1"


def test_two_letters_are_too_few_unless_enter_is_pressed():
    box, asked = box_of(CHOLERA)
    box._field.value = "1A"
    assert asked == []
    press_enter(box)
    assert asked == ["1A"]


def test_an_emptied_field_takes_the_hits_away():
    box, asked = box_of(CHOLERA)
    box.run("chol")
    box.clear()
    assert (rows(box), box._status.value, asked) == ([], "", ["chol"])


def test_hits_never_run_code():
    box, _ = box_of(Hit("1", "<b>", "<img src=x onerror=alert(1)>"))
    box.run("img")
    assert "<img" not in box._hits.children[0].label.value


def test_nothing_found_and_many_found_are_said():
    box, _ = box_of()
    box.run("<none>")
    assert "Nothing found for &#x27;&lt;none&gt;&#x27;" in box._status.value
    box, _ = box_of(*[CHOLERA] * 50)
    box.run("chol")
    assert len(rows(box)) == 20
    assert "The first 20 of 50 hits" in box._status.value


def test_a_failed_search_is_told_in_place():
    def search(_query):
        raise ConnectionFailedError("The server could not be reached.")

    box = SearchBox(search=search)
    box.run("cholera")
    assert "✗ The server could not be reached." in box._status.value


def test_in_a_kernel_the_search_waits_for_a_pause_in_typing(monkeypatch):
    monkeypatch.setattr("icdframes.widgets.search_box._PAUSE_SECONDS", 0.01)
    box, asked = box_of(CHOLERA)

    async def type_on():
        for text in ("cho", "chol", "chole"):
            box._field.value = text
        assert asked == []
        while not asked:  # noqa: ASYNC110  the box has no event to wait for
            await asyncio.sleep(0.005)
        box._field.value = "choler"
        press_enter(box)

    asyncio.run(asyncio.wait_for(type_on(), 10))
    assert asked == ["chole", "choler"]


def test_a_client_is_asked_for_the_beginning_of_a_word(icd_client):
    box = SearchBox(icd_client, classification="mms", release="2024-01")
    box.run("choler")
    assert ("1A00", "<mark>Cholera</mark>") in rows(box)
    assert [hit.code for hit in client_search(icd_client)("zzzzzz")] == []


def test_tables_are_searched_without_a_request(icd_client, icd_sandbox):
    search = tables_search(icd_client.load_tables("01", progress=False))
    before = len(icd_sandbox.log)
    assert [hit.code for hit in search("1a00")] == ["1A00"]
    assert "1A00" in [hit.code for hit in search("chol vibr")]
    assert search("olera") == []
    assert search("(") == []
    assert len(icd_sandbox.log) == before


def test_a_box_needs_something_to_ask():
    with pytest.raises(ConfigurationError, match="needs a client"):
        SearchBox()
