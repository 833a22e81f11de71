"""Codes and clusters: what is read, what is refused, and where."""

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from icdframes.errors import CodeSyntaxError, ConfigurationError
from icdframes.model.cluster import Cluster, Member
from icdframes.model.code_shapes import EXTENSION, ICD10, ICF, STEM, icf_chapter, misfit, read_member
from icdframes.model.codes import normalize_code, parse_code, read_interval, split_codes

SYSTEMS = ("mms", "icf", "icd10")

CANONICAL = [
    # text as met in the field, canonical form, classification, kind of the first code
    ("1A00", "1A00", "mms", "category"),
    ("1a00.0", "1A00.0", "mms", "category"),
    ("5A20.0Z", "5A20.0Z", "mms", "category"),
    ("BA40", "BA40", "mms", "category"),
    ("VA00", "VA00", "mms", "category"),
    ("SA00", "SA00", "mms", "category"),
    ("BB4Y ", "BB4Y", "mms", "category"),
    ("XN62R", "XN62R", "mms", "category"),
    ("xs25", "XS25", "mms", "category"),
    ("XA7RE", "XA7RE", "mms", "category"),
    ("XA7RE3/", "XA7RE3", "mms", "category"),
    ("PE95/", "PE95", "mms", "category"),
    ("PE95%2f", "PE95", "mms", "category"),
    ("PE95 / ", "PE95", "mms", "category"),
    ("\u00a01A00\t\n", "1A00", "mms", "category"),
    ("1B12.2 &XA0G74", "1B12.2&XA0G74", "mms", "category"),
    ("NE84%26XA6KU8", "NE84&XA6KU8", "mms", "category"),
    ("1B12.2%20%26%20xa0g74", "1B12.2&XA0G74", "mms", "category"),
    ("1A03.1%2FMG50.26", "1A03.1/MG50.26", "mms", "category"),
    ("2C25.2&XH74S1/5A11", "2C25.2&XH74S1/5A11", "mms", "category"),
    ("2C25.2 & XH74S1 / 5A11 /", "2C25.2&XH74S1/5A11", "mms", "category"),
    ("DD51&XK8G/ME24.2&XT5R", "DD51&XK8G/ME24.2&XT5R", "mms", "category"),
    ("GB51&XK8G&XN6P4", "GB51&XK8G&XN6P4", "mms", "category"),
    ("01", "01", "mms", "chapter"),
    ("26", "26", "mms", "chapter"),
    ("v", "V", "mms", "chapter"),
    ("X", "X", "mms", "chapter"),
    ("blockl1-1a0", "BlockL1-1A0", "mms", "block"),
    ("KA60-KA6Z", "KA60-KA6Z", "mms", "range"),
    ("1a00 - 1A40.z", "1A00-1A40.Z", "mms", "range"),
    ("A00", "A00", "icd10", "category"),
    ("A00.0", "A00.0", "icd10", "category"),
    ("A000", "A00.0", "icd10", "category"),
    ("i219", "I21.9", "icd10", "category"),
    ("O800", "O80.0", "icd10", "category"),
    ("B18.09", "B18.09", "icd10", "category"),
    ("B1809", "B18.09", "icd10", "category"),
    ("B210", "B21.0", "icd10", "category"),
    ("b21", "B21", "icd10", "category"),
    ("d45.0", "D45.0", "icd10", "category"),
    ("A17.0†", "A17.0", "icd10", "category"),
    ("A170+", "A17.0", "icd10", "category"),
    ("G01*", "G01", "icd10", "category"),
    ("a00-a09", "A00-A09", "icd10", "range"),
    ("A00 \u2013 A09", "A00-A09", "icd10", "range"),
    ("B99-B99", "B99-B99", "icd10", "range"),
    ("A000-A009", "A00.0-A00.9", "icd10", "range"),
    ("I", "I", "icd10", "chapter"),
    ("xi", "XI", "icd10", "chapter"),
    ("XX", "XX", "icd10", "chapter"),
    ("XXII", "XXII", "icd10", "chapter"),
    ("b210", "b210", "icf", "category"),
    ("b2109.3", "b2109.3", "icf", "category"),
    ("d450.12", "d450.12", "icf", "category"),
    ("d450._2", "d450._2", "icf", "category"),
    ("s73001", "s73001", "icf", "category"),
    ("s730.412", "s730.412", "icf", "category"),
    ("e310.3", "e310.3", "icf", "category"),
    ("e310+3", "e310+3", "icf", "category"),
    ("e310.+3", "e310+3", "icf", "category"),
    ("e119", "e119", "icf", "category"),
    ("b1", "b1", "icf", "chapter"),
    ("BlockL3-b11", "BlockL3-b11", "icf", "block"),
    ("b110-b139", "b110-b139", "icf", "range"),
    ("3B11Z", "3B11.Z", "mms", "category"),
    ("1A000", "1A00.0", "mms", "category"),
    ("1A 00", "1A00", "mms", "category"),
    ("1A00.", "1A00", "mms", "category"),
    ("1A00.0,", "1A00.0", "mms", "category"),
    ("; 2C25.2 & XH74S1 |", "2C25.2&XH74S1", "mms", "category"),
    ("I10X", "I10", "icd10", "category"),
    ("r99.x", "R99", "icd10", "category"),
    ("I64-", "I64", "icd10", "category"),
    ("A01.-", "A01", "icd10", "category"),
    ("A39.0+", "A39.0", "icd10", "category"),
    ("C34.!", "C34", "icd10", "category"),
    ("A00.", "A00", "icd10", "category"),
    ("I20-25", "I20-I25", "icd10", "range"),
    ("A00- A09", "A00-A09", "icd10", "range"),
    ("A17.0†-A17.9†", "A17.0-A17.9", "icd10", "range"),
    ("A00.0-A00", "A00.0-A00", "icd10", "range"),
    ("b110.", "b110", "icf", "category"),
    ("e310+", "e310", "icf", "category"),
    ("B110.2", "b110.2", "icf", "category"),
    ("E310+2", "e310+2", "icf", "category"),
    ("b110.3/.8", "b110.3/.8", "icf", "category"),
    ("e310+2/+3", "e310+2/+3", "icf", "category"),
    ("d450.1/.2", "d450.12", "icf", "category"),
    ("D5409.QP3", "d5409.qp3", "icf", "category"),
    ("d5409.qp3.qc2", "d5409.qp3.qc2", "icf", "category"),
    ("b", "b", "icf", "chapter"),
]

SEVERAL = [
    ("A00.9 I10", ("A00.9", "I10")),
    ("BA41.Z 5A11", ("BA41.Z", "5A11")),
    ("A00\nI10", ("A00", "I10")),
    ("K297 B980", ("K297", "B980")),
    ("A00,I10;B20 | c34", ("A00", "I10", "B20", "c34")),
    ("A01.- A02.-", ("A01.-", "A02.-")),
    ("A17.0†G01*", ("A17.0†", "G01*")),
    ("A17.0†/G01*", ("A17.0†", "G01*")),
    ("E11 / I10", ("E11", "I10")),
    ("b110/d530", ("b110", "d530")),
    ("b110.2 d450.12", ("b110.2", "d450.12")),
    ("2C25.2 & XH74S1, 5A11", ("2C25.2&XH74S1", "5A11")),
    ("1A00-1A0Z, 2C25", ("1A00-1A0Z", "2C25")),
    ("257068234; 135352227/other", ("257068234", "135352227/other")),
    ("A00 I10 and more", ("A00", "I10", "more")),
]

ONE = ["1A00", "1A 03.0", "A00 - A09", "A00- A09", "A00 -A09", "2C25.2 &XH74S1/ 5A11", "b110.3/.8", "A00,9", "A00;",
       "HIV disease", "A00 or so", "257 068 234", "257068234/other", "BlockL1-1A0", "T81", "1A00/", "A0 0"]  # fmt: skip

REFUSED = [
    # text, zero-based place, what the message says of it
    ("", 0, "such as 1A00"),
    ("   ", 3, "such as 1A00"),
    ("/", 0, "such as 1A00"),
    ("&", 0, "such as 1A00"),
    ("&XA7RE3", 0, "such as 1A00"),
    ("/BA41.0", 0, "such as 1A00"),
    ("BA41.0&", 7, "such as XN62R"),
    ("BA41.0 & ", 9, "such as XN62R"),
    ("BA41.0//ME24.2", 7, "such as 5A11"),
    ("BA41.0//", 7, "such as 5A11"),
    ("BA41.0&&XA7RE3", 7, "such as XN62R"),
    ("BA41.0&/ME24.2", 7, "such as XN62R"),
    ("BA41.0/&XA7RE3", 7, "such as 5A11"),
    ("BA41.0&/", 7, "such as XN62R"),
    ("BA41.0&5A11", 7, "join the stem code 5A11 with '/'"),
    ("BA41.0&XA7RE3&5A11", 14, "join the stem code 5A11 with '/'"),
    ("BA41.0%26%265A11", 9, "such as XN62R"),
    ("BA41.0%265A11", 9, "join the stem code 5A11 with '/'"),
    ("XA7RE3&BA41.0", 0, "hang the extension code XA7RE3 on its stem with '&'"),
    ("XA7RE3&XN62R", 0, "hang the extension code XA7RE3"),
    ("1A00/XN62R", 5, "hang the extension code XN62R"),
    ("BA41.0&XNOTREAL", 9, "extension code looks like"),
    ("BA41.0&bogus", 7, "extension code looks like"),
    ("BA41.0/bogus", 8, "stem code looks like"),
    ("01&XN62R", 0, "01 is a chapter"),
    ("1A00/02", 5, "02 is a chapter"),
    ("BlockL1-1A0/1A00", 0, "is a block"),
    ("1A00-1A09/1A00", 0, "is a range"),
    ("ZZZZZZ", 0, "stem code looks like"),
    ("TA00", 0, "stem code looks like"),
    ("1A0!", 3, "stem code looks like"),
    ("1A0", 3, "ends too early, after character 3"),
    ("1AO0", 2, "never with I or O"),
    ("1I00", 1, "never with I or O"),
    ("1A0O", 3, "never with I or O"),
    ("1A00.I", 5, "never with I or O"),
    ("XN6O", 3, "never with I or O"),
    ("XN62I", 4, "never with I or O"),
    ("1A00.0ZZ", 7, "stem code looks like"),
    ("00", 0, "stem code looks like"),
    ("27", 1, "stem code looks like"),
    ("1", 1, "ends too early"),
    ("257068234", 1, "stem code looks like"),
    ("XA7", 3, "extension code looks like"),
    ("XA7REE", 5, "extension code looks like"),
    ("XA7RE33", 6, "extension code looks like"),
    ("XXIII", 2, "extension code looks like"),
    ("BlockL1-", 8, "BlockL1-1A0"),
    ("BlockL0-1A0", 6, "BlockL1-1A0"),
    ("BlockL3-b1x", 10, "BlockL3-b11"),
    ("CA BREAST", 3, "stem code looks like"),
    ("G20A", 3, "ICD-10 code looks like"),
    ("A00.000", 6, "ICD-10 code looks like"),
    ("A0", 2, "ends too early"),
    ("A00-A0X", 6, "ICD-10 code looks like"),
    ("A00- ?", 5, "ICD-10 code looks like"),
    ("A00-A09-A10", 7, "ICD-10 code looks like"),
    ("A09-A00", 4, "goes up"),
    ("01-02", 3, "goes up"),
    ("XA00-XA01", 5, "goes up"),
    ("b110.3-b139", 7, "goes up"),
    ("b110&XA7RE3", 4, "only ICD-11 MMS codes"),
    ("b110.5", 5, "b2109.3"),
    ("b110.33", 6, "b2109.3"),
    ("s730.4123", 8, "s730.412"),
    ("d450.5", 5, "d450.12"),
    ("d450.123412", 10, "d450.12"),
    ("e310.12", 6, "e310+3"),
    ("b1100000", 6, "b2109.3"),
    ("\u017f5A11", 0, None),
    ("1A0\u0660", 3, None),
    ("A0\uff10", 2, None),
    ("\ud800", 0, None),
    ("%2", 0, None),
    ("1A00\x00", 4, None),
]


@pytest.mark.parametrize("text, canonical, classification, kind", CANONICAL)
def test_a_code_is_read_as_it_is_met_in_the_field(text, canonical, classification, kind):
    cluster = parse_code(text)
    assert (cluster.text, cluster.classification, cluster.members[0].kind) == (canonical, classification, kind)
    assert normalize_code(text) == canonical


@pytest.mark.parametrize("text, position, says", REFUSED)
def test_a_text_that_is_no_code_is_refused_at_the_place(text, position, says):
    with pytest.raises(CodeSyntaxError) as caught:
        parse_code(text)
    assert (caught.value.position, caught.value.text) == (position, text)
    assert says is None or says in str(caught.value)


@pytest.mark.parametrize("text, codes", SEVERAL)
def test_two_codes_in_one_text_are_never_one_code(text, codes):
    assert split_codes(text) == codes
    with pytest.raises(CodeSyntaxError, match=rf"holds {len(codes)} codes, .*decode_codes\(\)") as caught:
        parse_code(text)
    assert caught.value.position >= len(codes[0])


@pytest.mark.parametrize("text", ONE)
def test_one_code_is_not_taken_apart(text):
    assert len(split_codes(text)) == 1


@pytest.mark.parametrize("text", ["", "  ", "\u00a0\n", ";", " , "])
def test_a_blank_text_holds_no_code(text):
    assert split_codes(text) == ()


@pytest.mark.parametrize(
    "text, ends",
    [
        ("A00-B99", ("A00", "B99")),
        ("a00.1 \u2013 A09", ("A001", "A09")),
        ("A000-A099", ("A000", "A099")),
        ("I20-25", ("I20", "I25")),
        ("F0*", ("F0", "F0")),
        ("f*", ("F", "F")),
        ("1A0*", ("1A0", "1A0")),
        ("b11*", ("B11", "B11")),
        ("1A00-1H0Z", ("1A00", "1H0Z")),
        ("b110-b139", ("B110", "B139")),
        ("A17*", None),
        ("A01.-", None),
        ("B99-A00", None),
        ("A00-1A00", None),
        ("XA00-XA01", None),
        ("BlockL1-1A0", None),
        ("A00-A09, B20", None),
        ("A01.- A02.-", None),
        ("nonsense", None),
    ],
)
def test_a_range_and_a_beginning_are_read_as_their_ends(text, ends):
    assert read_interval(text) == ends


@pytest.mark.parametrize(
    "code, block_id, chapter",
    [("b110", None, "b1"), ("B1100", None, "b1"), ("e5959", None, "e5"), (None, "BlockL3-b11", "b1"),
     (None, "BlockL2-s84", "s8"), (None, "BlockL1-d11", "d"), (None, None, None), ("A00", None, None),
     (None, "BlockL1-1A0", None)],
)  # fmt: skip
def test_the_chapter_of_an_icf_code_is_its_beginning(code, block_id, chapter):
    assert icf_chapter(code, block_id) == chapter


def test_the_message_names_text_place_and_what_would_fit():
    with pytest.raises(CodeSyntaxError) as caught:
        parse_code("1A0!")
    assert str(caught.value) == (
        "'1A0!': '!' at character 4 does not fit; "
        "an ICD-11 stem code looks like 1A00, 1A40.Z or 1D01.0Z (never with I or O)."
    )


def test_the_message_for_a_text_that_breaks_off_says_so():
    with pytest.raises(CodeSyntaxError) as caught:
        parse_code("1A00&")
    assert str(caught.value) == (
        "'1A00&' ends too early, after character 5; after '&' comes an extension code such as XN62R."
    )


@pytest.mark.parametrize(
    "text, beginning",
    [
        ("1A00&XN62R" + "/1A00" * 1000 + "?", "…'"),
        ("!" + "x" * 100_000, "'!xxx"),
        (" " * 100_000, "…'"),
        ("&" * 100_000, "'&&&"),
    ],
)
def test_a_very_long_text_is_refused_with_a_short_message(text, beginning):
    with pytest.raises(CodeSyntaxError) as caught:
        parse_code(text)
    assert len(str(caught.value)) < 250
    assert str(caught.value).startswith(beginning)


def test_the_excerpt_of_a_long_text_shows_the_place_and_where_it_was_cut():
    with pytest.raises(CodeSyntaxError, match=r"^…'[^']*1A0![^']*'…: '!' at character 54 does not fit") as caught:
        parse_code("1A00/" * 10 + "1A0!" + "/1A00" * 10 + "x" * 30)
    assert caught.value.position == 53


def test_sixty_characters_are_shown_whole_and_the_end_of_more_is_not_marked_as_cut():
    whole = "1A00/" * 11 + "1A00?"
    with pytest.raises(CodeSyntaxError, match=re.escape(f"'{whole}': '?' at character 60 ")):
        parse_code(whole)
    with pytest.raises(CodeSyntaxError, match=r"^…'[^']*/1A00\.\?': '\?' at character 61 "):
        parse_code(whole.replace("?", ".?"))


@pytest.mark.parametrize("value", [None, 1e10, 5, b"1A00", ["1A00"]])
def test_what_is_not_text_is_refused_in_a_sentence(value):
    with pytest.raises(CodeSyntaxError, match=f"is {type(value).__name__}, not text"):
        parse_code(value)


@pytest.mark.parametrize(
    "text, named, canonical",
    [
        ("b210", "icd10", "B21.0"),
        ("e119", "icd10", "E11.9"),
        ("V", "icd10", "V"),
        ("X", "icd10", "X"),
        ("V", "mms", "V"),
        ("B210", "icf", "b210"),
        ("E310.+3", "icf", "e310+3"),
        ("BLOCKL3-B11", "icf", "BlockL3-b11"),
        ("A00-A09", "icd10", "A00-A09"),
        ("1A00/", "mms", "1A00"),
        ("1A00&XN62R", "mms", "1A00&XN62R"),
    ],
)
def test_a_named_classification_decides(text, named, canonical):
    cluster = parse_code(text, classification=named)
    assert (str(cluster), cluster.classification) == (canonical, named)


@pytest.mark.parametrize(
    "text, named, position",
    [
        ("A00", "mms", 1),
        ("1A00", "icd10", 0),
        ("1A00", "icf", 0),
        ("b210", "mms", 1),
        ("A00.0", "icf", 0),
        ("BA40", "icd10", 1),
        ("01", "icd10", 0),
        ("II", "mms", 0),
        ("A00-A09", "mms", 1),
        ("BlockL1-1A0", "icd10", 1),
        ("BlockL1-1A0", "icf", 8),
        ("BlockL3-b11", "mms", 9),
        ("1A00&XN62R", "icf", 4),
        ("b110.+3", "icf", 5),
        ("b11", "icf", 3),
        ("/b110", "icf", 0),
    ],
)
def test_a_named_classification_refuses_what_belongs_to_another(text, named, position):
    with pytest.raises(CodeSyntaxError) as caught:
        parse_code(text, classification=named)
    assert caught.value.position == position


@pytest.mark.parametrize("verb", [parse_code, normalize_code])
def test_an_unknown_classification_is_named_with_a_near_match(verb):
    with pytest.raises(ConfigurationError, match=r"no codes of 'icd-10': .*Did you mean 'icd10'\?"):
        verb("A00", classification="icd-10")
    with pytest.raises(ConfigurationError, match="no codes of 'foundation'"):
        verb("A00", classification="foundation")


def test_an_extension_belongs_to_the_stem_before_it():
    cluster = parse_code("DD51&XK8G/ME24.2&XT5R&XS25/5A11")
    assert [(member.code, member.role, member.group) for member in cluster.members] == [
        ("DD51", "stem", 0),
        ("XK8G", "extension", 0),
        ("ME24.2", "stem", 1),
        ("XT5R", "extension", 1),
        ("XS25", "extension", 1),
        ("5A11", "stem", 2),
    ]
    assert [member.code for member in cluster.stems] == ["DD51", "ME24.2", "5A11"]
    assert [member.code for member in cluster.extensions] == ["XK8G", "XT5R", "XS25"]
    assert cluster.stem is cluster.members[0]
    assert cluster.is_cluster


def test_the_order_of_stems_is_kept_because_it_has_a_meaning():
    assert parse_code("5A11/5A23") != parse_code("5A23/5A11")


def test_an_extension_code_alone_has_no_stem():
    cluster = parse_code("XN62R")
    assert (cluster.stem, cluster.stems, cluster.is_cluster) == (None, (), False)
    assert [member.role for member in cluster.extensions] == ["extension"]


def test_positions_count_in_the_text_that_was_given():
    text = "  1B12.2%20%26 xa0g74 %2f5A11"
    assert [member.position for member in parse_code(text).members] == [2, 15, 25]
    assert [text[member.position :][:4] for member in parse_code(text).members] == ["1B12", "xa0g", "5A11"]


def test_writing_does_not_matter_to_equality():
    tidy, messy = parse_code("1B12.2&XA0G74"), parse_code(" 1b12.2 %26 xa0g74/")
    assert tidy == messy
    assert hash(tidy) == hash(messy)
    assert parse_code("A17.0†") == parse_code("A170")


@pytest.mark.parametrize(
    "text, residual",
    [
        ("BA41.Z", "unspecified"),
        ("BB4Y", "other"),
        ("8E0Y", "other"),
        ("8B11.5Z", "unspecified"),
        ("1D01.0Y", "other"),
        ("BA41.0", None),
        ("XS8Z", None),
        ("XS6Y", None),
        ("d138", None),
    ],
)
def test_only_stem_codes_ending_in_y_or_z_are_residual(text, residual):
    member = parse_code(text).members[0]
    assert (member.residual, member.is_residual) == (residual, residual is not None)


@pytest.mark.parametrize(
    "text, code, qualifiers",
    [
        ("b2109.3", "b2109", ("3",)),
        ("d450.12", "d450", ("1", "2")),
        ("d450._2", "d450", ("_", "2")),
        ("d450.12340", "d450", ("1", "2", "3", "4", "0")),
        ("s730.412", "s730", ("4", "1", "2")),
        ("s730.47", "s730", ("4", "7")),
        ("e310.8", "e310", ("8",)),
        ("e310.+3", "e310", ("+3",)),
        ("e310+9", "e310", ("+9",)),
        ("b110.3/.8", "b110", ("3", "8")),
        ("e310+2/.8", "e310", ("+2", "8")),
        ("s730.4/.1/.2", "s730", ("4", "1", "2")),
        ("d5409.qp3.qc2", "d5409", ("qp3", "qc2")),
        ("e310", "e310", ()),
    ],
)
def test_icf_qualifiers_are_kept_apart_from_the_code(text, code, qualifiers):
    member = parse_code(text).members[0]
    assert (member.code, member.qualifiers) == (code, qualifiers)


@pytest.mark.parametrize(
    "text, mark", [("A17.0†", "dagger"), ("A17.0+", "dagger"), ("G01*", "asterisk"), ("G01", None)]
)
def test_dagger_and_asterisk_are_noted_and_are_no_part_of_the_code(text, mark):
    member = parse_code(text).members[0]
    assert member.mark == mark
    assert member.code in {"A17.0", "G01"}


def test_a_cluster_shows_itself_in_text_and_html():
    cluster = parse_code("2C25.2&XH74S1")
    assert repr(cluster) == "Cluster('2C25.2&XH74S1')"
    html = cluster._repr_html_()
    assert "<caption>2C25.2&amp;XH74S1</caption>" in html
    assert "<tr><td><code>XH74S1</code></td><td>extension</td><td>category</td><td>1</td></tr>" in html


def test_html_is_escaped_whoever_made_the_cluster():
    html = Cluster((Member("<script>"),))._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 2


def _codes(shape):
    return st.from_regex(f"(?:{shape.pattern})\\Z", fullmatch=True)


groups = st.builds(lambda stem, tail: "&".join([stem, *tail]), _codes(STEM), st.lists(_codes(EXTENSION), max_size=3))
clusters = st.lists(groups, min_size=1, max_size=4).map("/".join)
singles = st.one_of(_codes(ICD10), *(_codes(shape) for shape in ICF.values()))
noise = st.text(st.sampled_from("0123456789ABIXYZbdes.&/%+-†* \u00a0é_"), max_size=14)


@settings(deadline=None)
@given(st.one_of(clusters, singles))
def test_what_the_grammar_makes_is_read_and_read_again_as_the_same(text):
    cluster = parse_code(text)
    again = parse_code(str(cluster), classification=cluster.classification)
    assert again == cluster
    assert parse_code(str(cluster)) == cluster
    assert str(again) == str(cluster)


@settings(deadline=None)
@given(clusters, st.randoms(use_true_random=False))
def test_blanks_case_and_encoding_do_not_change_a_cluster(text, random):
    messy = "".join(
        random.choice(["", " ", "%20"])
        + random.choice([sign, "%26" if sign == "&" else "%2F"])
        + random.choice(["", " "])
        if sign in "&/"
        else random.choice([sign, sign.lower()])
        for sign in text
    )
    assert normalize_code(f" {messy}{random.choice(['', '/', ' %2f '])}", classification="mms") == normalize_code(
        text, classification="mms"
    )


def read_or_refused(text, classification):
    try:
        return parse_code(text, classification=classification)
    except CodeSyntaxError as error:
        return error


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), noise), st.sampled_from([None, *SYSTEMS]))
@example("\ud800", None)
@example("%%26", None)
@example("-", "icd10")
def test_any_text_is_read_or_refused_with_one_error(text, classification):
    found = read_or_refused(text, classification)
    if isinstance(found, CodeSyntaxError):
        assert 0 <= found.position <= len(text)
    else:
        assert normalize_code(text, classification=classification) == found.text
        assert parse_code(found.text, classification=found.classification) == found


@settings(deadline=None)
@given(noise, st.sampled_from(SYSTEMS))
def test_a_misfit_lies_inside_the_text_or_at_its_end(text, classification):
    assume(read_member(text, classification) is None)
    position, advice = misfit(text, classification)
    assert 0 <= position <= len(text)
    assert advice
