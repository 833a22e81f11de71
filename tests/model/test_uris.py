"""Every form of WHO's URIs is read and written; anything else is refused with its text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icdframes.errors import CodeSyntaxError, ConfigurationError
from icdframes.model.uris import (
    EntityUri,
    check_classification,
    entity_id_of,
    first_entity_id,
    is_entity_id,
    is_icd10_key,
    is_residual,
    parse_uri,
)

GOOD = [
    ("http://id.who.int/icd/entity", EntityUri("foundation", None, None)),
    ("http://id.who.int/icd/entity/257068234", EntityUri("foundation", None, "257068234")),
    ("https://id.who.int/icd/entity/257068234/", EntityUri("foundation", None, "257068234")),
    ("http://id.who.int/icd/release/11/mms", EntityUri("mms", None, None)),
    ("http://id.who.int/icd/release/11/mms/257068234", EntityUri("mms", None, "257068234")),
    ("http://id.who.int/icd/release/11/2024-01/mms", EntityUri("mms", "2024-01", None)),
    ("http://id.who.int/icd/release/11/2018/mms/1/other", EntityUri("mms", "2018", "1/other")),
    ("http://id.who.int/icd/release/11/2024-01/icf/5/unspecified", EntityUri("icf", "2024-01", "5/unspecified")),
    ("http://id.who.int/icd/release/11/beta/icf/619527855", EntityUri("icf", "beta", "619527855")),
    ("http://id.who.int/icd/release/10", EntityUri("icd10", None, None)),
    ("http://id.who.int/icd/release/10/2019", EntityUri("icd10", "2019", None)),
    ("http://id.who.int/icd/release/10/A00.0", EntityUri("icd10", None, "A00.0")),
    ("http://id.who.int/icd/release/10/2019/A00-A09", EntityUri("icd10", "2019", "A00-A09")),
    ("http://id.who.int/icd/release/10/2019/XXII", EntityUri("icd10", "2019", "XXII")),
]
BAD = [
    "",
    "257068234",
    "http://[",
    "ftp://id.who.int/icd/entity/1",
    "http://id.who.int.evil.example/icd/entity/1",
    "http://evil.example/icd/entity/1",
    "http://user@id.who.int/icd/entity/1",
    "http://id.who.int:8080/icd/entity/1",
    "http://id.who.int/",
    "http://id.who.int/icd",
    "http://id.who.int/icd/entity/abc",
    "http://id.who.int/icd/entity/1/elsewhere",
    "http://id.who.int/icd/entity/../secret",
    "http://id.who.int/icd/entity/1%2F..%2F2",
    "http://id.who.int/icd/release/11",
    "http://id.who.int/icd/release/11/2024-01/MMS/1",
    "http://id.who.int/icd/release/11/MMS/1",
    "http://id.who.int/icd/release/11/mms/abc",
    "http://id.who.int/icd/release/11/2024-01/mms/1/other/2",
    "http://id.who.int/icd/release/10/2019/a00",
    "http://id.who.int/icd/release/10/2019/A00/A01",
    "http://id.who.int/icd/release/12/2024-01/mms/1",
]


@pytest.mark.parametrize("text,expected", GOOD)
def test_every_form_of_uri_is_read(text, expected):
    assert parse_uri(text) == expected


@pytest.mark.parametrize("text,expected", GOOD)
@pytest.mark.parametrize("spelled", ["{}/", " {} ", "{}?include=ancestor", "{}#top"])
def test_a_uri_with_something_around_it_is_read_all_the_same(text, expected, spelled):
    assert parse_uri(spelled.format(text)) == expected


@pytest.mark.parametrize("text,expected", GOOD)
def test_a_uri_is_written_as_who_writes_it(text, expected):
    assert str(expected) == text.replace("https", "http").rstrip("/")


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_its_text(text):
    with pytest.raises(CodeSyntaxError) as caught:
        parse_uri(text)
    assert repr(text) in str(caught.value)
    assert caught.value.text == text


@pytest.mark.parametrize(
    "text,wrong", [("http://id.who.int/icd/entity/abc", "abc"), ("http://id.who.int/icd/search", "/icd/search")]
)
def test_what_is_wrong_is_pointed_at(text, wrong):
    with pytest.raises(CodeSyntaxError) as caught:
        parse_uri(text)
    assert caught.value.position == text.index(wrong)


def test_a_classification_is_no_entity():
    assert entity_id_of("http://id.who.int/icd/entity/5") == "5"
    text = "http://id.who.int/icd/release/11/2024-01/mms"
    with pytest.raises(CodeSyntaxError, match="names a classification") as caught:
        entity_id_of(text)
    assert caught.value.text == text


@given(
    st.sampled_from(["foundation", "mms", "icf"]),
    st.one_of(st.none(), st.sampled_from(["2018", "2022-02", "2026-01"])),
    st.integers(min_value=0, max_value=2**40).map(str),
    st.sampled_from(["", "/other", "/unspecified"]),
)
def test_writing_and_reading_a_uri_gives_the_same(classification, release, number, suffix):
    uri = EntityUri(classification, None if classification == "foundation" else release, number + suffix)
    assert parse_uri(str(uri)) == uri


@given(st.text())
def test_no_text_breaks_the_reader(text):
    for candidate in (text, "http://id.who.int/icd/" + text):
        with suppress(CodeSyntaxError):
            assert parse_uri(candidate).path.startswith("/icd/")


@pytest.mark.parametrize(
    "text,residual", [("1/other", True), ("1/unspecified", True), ("1", False), ("other", True), ("1/others", False)]
)
def test_residuals_are_told_by_their_ending(text, residual):
    assert is_residual(text) is residual


@pytest.mark.parametrize(
    "text,good", [("1", True), ("1/other", True), ("", False), ("1/", False), ("a", False), ("1A00", False)]
)
def test_an_entity_id_is_a_number_with_or_without_the_ending_of_a_residual(text, good):
    assert is_entity_id(text) is good


@pytest.mark.parametrize(
    "text,good",
    [
        ("I", True),
        ("XXII", True),
        ("A00", True),
        ("A00.0", True),
        ("A00-B99", True),
        ("A0", False),
        ("1A00", False),
        ("a00", False),
        ("A00.", False),
        ("Y", False),
    ],
)
def test_keys_of_icd_10_are_chapters_blocks_and_categories(text, good):
    assert is_icd10_key(text) is good


@pytest.mark.parametrize(
    "expression,entity_id",
    [
        ("http://id.who.int/icd/entity/5", "5"),
        (" http://id.who.int/icd/entity/5 ", "5"),
        ("http://id.who.int/icd/entity/5&http://id.who.int/icd/entity/6", "5"),
        ("http://id.who.int/icd/release/11/mms/5/other / http://id.who.int/icd/release/11/mms/6", "5/other"),
        ("http://id.who.int/icd/entity", None),
        ("1A00", None),
        ("", None),
        (None, None),
    ],
)
def test_the_stem_of_an_expression_is_its_first_entity(expression, entity_id):
    assert first_entity_id(expression) == entity_id


def test_icd_11_alone_is_told_which_classification_that_is():
    with pytest.raises(ConfigurationError, match=r"icd10\. ICD-11 for statistics is 'mms'\.$"):
        check_classification("ICD-11")


def test_an_unknown_classification_names_the_near_one():
    assert check_classification("mms") == "mms"
    with pytest.raises(ConfigurationError, match=r"give one of mms, icf, foundation, icd10\. Did you mean 'icd10'"):
        check_classification("icd-10")
