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


def test_typing_gives_hits_with_what_was_found_marked(see):
    box, asked = box_of(CHOLERA)
    see(box).field("Search").value = "chol"
    assert asked == ["chol"]
    assert '<span class="icdframes-code">1A00</span> <mark>Cholera</mark>' in see(box).html
    assert "1 hit" in see(box).text


def test_a_click_on_the_row_chooses_it_and_says_so(see):
    selected = []
    box = SearchBox(search=lambda _query: [CHOLERA], on_select=selected.append)
    box.run("cholera")
    see(box).button("1A00 Cholera").click()
    assert (box.code, box.hit, selected) == ("1A00", CHOLERA, [CHOLERA])
    assert "chosen: 1A00copy Cholera" in see(box).text
    assert 'data-copy="1A00"' in see(box).html
    assert repr(box) == "<SearchBox code='1A00'>"


def test_a_hit_by_another_term_shows_the_term(see):
    box, _ = box_of(Hit("1", "5A11", "Type 2 diabetes mellitus", "adult-onset <em class='found'>diabetes</em>"))
    box.run("adult onset")
    assert "matches: adult-onset diabetes" in see(box).text
    assert "<mark>diabetes</mark>" in see(box).html


def test_source_and_licence_stand_below_the_hits_unless_they_stand_nearby(see):
    box, _ = box_of(CHOLERA)
    assert "CC BY-ND" not in see(box).text
    box.run("cholera")
    assert "CC BY-ND 3.0 IGO" in see(box).text
    box.clear()
    assert "CC BY-ND" not in see(box).text
    bare = SearchBox(search=lambda _query: [CHOLERA], attribution=False)
    bare.run("cholera")
    assert "CC BY-ND" not in see(bare).text


def test_a_hit_without_a_code_gives_none(see):
    box, _ = box_of(Hit("1", None, "A block"))
    box.run("block")
    assert "A <mark>block</mark>" in see(box).html
    see(box).button("A block").click()
    assert box.code is None
    assert box.hit.entity_id == "1"
    assert "chosen: A block" in see(box).text


def test_two_letters_are_too_few_unless_enter_is_pressed(see):
    box, asked = box_of(CHOLERA)
    field = see(box).field("Search")
    field.value = "1A"
    assert asked == []
    see(box).press_enter(field)
    assert asked == ["1A"]


def test_an_emptied_field_takes_the_hits_away(see):
    box, asked = box_of(CHOLERA)
    box.run("chol")
    box.clear()
    assert (see(box).buttons, see(box).text.strip(), asked) == ({}, "", ["chol"])


def test_hits_never_run_code(see):
    evil = "<img src=x onerror=alert(1)>"
    box, _ = box_of(Hit("1", "<b>", evil, evil))
    box.run("img")
    see(box).button("<b>").click()
    assert "<img" not in see(box).html
    assert "<b>" not in see(box).html


def test_nothing_found_and_many_found_are_said(see):
    box, _ = box_of()
    box.run("<none>")
    assert "Nothing found for '<none>'" in see(box).text
    box, _ = box_of(*(Hit(str(n), f"1A0{n}", "Cholera") for n in range(50)))
    box.run("chol")
    assert len(see(box).buttons) == 20
    assert "The first 20 of 50 hits" in see(box).text


def test_a_failed_search_is_told_in_place(see):
    def search(_query):
        raise ConnectionFailedError("The server could not be reached.")

    box = SearchBox(search=search)
    box.run("cholera")
    assert "✗ The server could not be reached." in see(box).text


def test_in_a_kernel_the_search_waits_for_a_pause_in_typing(monkeypatch, see):
    monkeypatch.setattr("icdframes.widgets.search_box._PAUSE_SECONDS", 0.01)
    box, asked = box_of(CHOLERA)
    field = see(box).field("Search")

    async def type_on():
        for text in ("cho", "chol", "chole"):
            field.value = text
        assert asked == []
        while not asked:  # noqa: ASYNC110  the box has no event to wait for
            await asyncio.sleep(0.005)
        field.value = "choler"
        see(box).press_enter(field)

    asyncio.run(asyncio.wait_for(type_on(), 10))
    assert asked == ["chole", "choler"]


def test_a_client_is_asked_for_the_beginning_of_a_word(icd_client, see):
    box = SearchBox(icd_client, classification="mms", release="2024-01")
    box.run("choler")
    assert '<span class="icdframes-code">1A00</span> <mark>Cholera</mark>' in see(box).html
    box.run("enteric fev")
    assert "1A07.Z Typhoid fever, unspecified" in see(box).text
    assert "matches: enteric fever due to Salmonella Typhi" in see(box).text
    assert [hit.code for hit in client_search(icd_client)("zzzzzz")] == []


def test_tables_are_searched_without_a_request(icd_client, icd_sandbox):
    search = tables_search(icd_client.load_tables("01", progress=False))
    before = len(icd_sandbox.log)
    assert [hit.code for hit in search("1a00")] == ["1A00"]
    (found,) = [hit for hit in search("chol vibr") if hit.code == "1A00"]
    assert found.matched == "Intestinal infection due to Vibrio cholerae"
    assert [hit.matched for hit in search("cholera") if hit.code == "1A00"] == [None]
    assert search("olera") == []
    assert search("(") == []
    assert len(icd_sandbox.log) == before


def test_a_box_needs_something_to_ask():
    with pytest.raises(ConfigurationError, match="needs a client"):
        SearchBox()
