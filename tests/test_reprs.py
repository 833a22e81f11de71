"""What a person sees of a value in a terminal and in a notebook."""

import pytest

import icdframes
from icdframes.model.entity import Entity, Term

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def shown(icd_client):
    tables = icd_client.load_tables("1A00", release="2024-01")
    return {
        "client": icd_client,
        "tables": tables,
        "provenance": tables.provenance,
        "entity": icd_client.entity("1A00", release="2024-01"),
        "cluster": icdframes.parse_code("1A00&XN62R"),
    }


@pytest.mark.parametrize("name", ["client", "tables", "provenance", "entity", "cluster"])
def test_every_value_has_a_short_text_and_a_plain_html_form(shown, name):
    value = shown[name]
    assert len(repr(value)) < 900
    html = value._repr_html_()
    assert html.startswith("<table")
    for outside in ("http-equiv", "<script", "<link", "src="):
        assert outside not in html


def test_an_entity_says_code_title_and_licence(shown):
    assert repr(shown["entity"]) == "<Entity 1A00 Cholera (http://id.who.int/icd/release/11/2024-01/mms/257068234)>"
    html = shown["entity"]._repr_html_()
    assert "infectiousAgent" in html
    assert "CC BY-ND 3.0 IGO" in html


def test_a_client_shows_no_secret(shown, icd_sandbox):
    text = repr(shown["client"]) + shown["client"]._repr_html_()
    assert icd_sandbox.url in text
    assert icd_sandbox.client_secret not in text


def test_hostile_titles_are_shown_as_text():
    entity = Entity("http://id.who.int/icd/entity/1", "1", HOSTILE, terms=(Term("inclusion", HOSTILE),))
    html = entity._repr_html_()
    assert "<img" not in html
    assert html.count("&lt;img") == 2
