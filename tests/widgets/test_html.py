import pytest

from icdframes.model.decode_responses import plain_text
from icdframes.model.entity import Axis, Entity, Term
from icdframes.widgets.markup import entity_html, highlighted, message, name_of

EVIL = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "text, query, expected",
    [
        ("Cholera", "", "Cholera"),
        ("Cholera", "chol", "<mark>Chol</mark>era"),
        ("Echolalia", "chol", "Echolalia"),
        ("Cholera, cholera", "era chol", "<mark>Chol</mark>era, <mark>chol</mark>era"),
        ("A (b) + c", "(b +", "A (<mark>b</mark>) + c"),
        ("<em class='found'>Cholera</em> due", "x", "<mark>Cholera</mark> due"),
        ('<em class="found">A</em> & <em class="found">B</em>', "", "<mark>A</mark> &amp; <mark>B</mark>"),
        ("<em class='found'>a<b></em>", "", "<mark>a&lt;b&gt;</mark>"),
        ("<em class='other'>a</em>", "", "&lt;em class=&#x27;other&#x27;&gt;a&lt;/em&gt;"),
        (EVIL, "img", "&lt;<mark>img</mark> src=x onerror=alert(1)&gt;"),
        ("a & b", "amp", "a &amp; b"),
    ],
)
def test_what_was_found_is_marked_and_everything_else_escaped(text, query, expected):
    assert highlighted(text, query) == expected


def test_plain_text_of_a_hit_has_no_marks():
    assert plain_text("<em class='found'>Cholera</em> <b>") == "Cholera <b>"


def test_every_text_of_an_entity_is_escaped():
    fields = ("title", "code", "class_kind", "definition", "long_definition", "coding_note", "diagnostic_criteria")
    more = ("fully_specified_name", "block_id", "code_range", "entity_id", "uri")
    entity = Entity(
        **dict.fromkeys((*fields, *more), EVIL),
        browser_url=f"https://example.org/{EVIL}\"'",
        terms=(Term("inclusion", EVIL), Term("index_term", EVIL)),
        axes=(Axis(EVIL),),
    )
    html = entity_html(entity)
    assert "<img" not in html
    assert html.count("&lt;img") == 14
    assert "<img" not in message(EVIL, "bad")


def test_only_web_addresses_become_links():
    assert "href" not in entity_html(Entity(uri="u", entity_id="1", title="a", browser_url="javascript:alert(1)"))
    assert "href" not in entity_html(Entity(uri="u", entity_id="1", title="a", browser_url="NA"))


def test_an_entity_says_what_it_has_and_leaves_out_what_it_has_not():
    entity = Entity(
        uri="u", entity_id="1", title=None, translated=False,
        axes=(Axis("infectiousAgent", required=True, allow_multiple="AllowAlways"), Axis("laterality")),
        terms=(*(Term("index_term", f"term {n}") for n in range(14)), Term("synonym", "old", deprecated=True),
               Term("narrower_term", "older (Deprecated)", deprecated=True)),
    )  # fmt: skip
    html = entity_html(entity)
    assert "untitled" in html
    assert "no translation available" in html
    assert "infectious agent (required, several values)" in html
    assert "laterality (optional)" in html
    assert "2 more" in html
    assert "old (deprecated)" in html
    assert "older (Deprecated)<" in html
    assert "infectious agent" not in entity_html(entity, axes=False)
    assert "Coding note" not in html
    assert name_of(entity) == "(untitled 1)"
