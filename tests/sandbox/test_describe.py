"""describe: codes, clusters and URIs in words; simplified codes."""

import pytest

from icdframes.sandbox import load_corpus

MMS = "/icd/release/11/2024-01/mms"
LINEAR = f"http://id.who.int{MMS}"
ENTITY = "http://id.who.int/icd/entity"
CHOLERA, ELTOR, TYPE2, COMA = "257068234", "802386629", "119724091", "463969617"


@pytest.fixture(scope="module")
def ask(sample_counter):
    return lambda path="describe", **how: sample_counter.json(f"{MMS}/{path}", **how)


def test_a_plain_code_has_no_stem_keys(ask):
    assert ask(code="1A00") == {
        "code": "1A00",
        "linearizationUri": f"{LINEAR}/{CHOLERA}",
        "foundationUri": f"{ENTITY}/{CHOLERA}",
        "label": "Cholera",
    }


def test_a_cluster_tells_its_stem_and_what_is_on_which_axis(ask):
    described = ask(code="1A00 &XN62R")
    assert described == {
        "code": "1A00&XN62R",
        "linearizationUri": f"{LINEAR}/{CHOLERA} & {LINEAR}/{ELTOR}",
        "foundationUri": f"{ENTITY}/{CHOLERA} & {ENTITY}/{ELTOR}",
        "label": "Cholera [Vibrio cholerae O1, biovar eltor]",
        "stemCode": "1A00",
        "stemLinearizationUri": f"{LINEAR}/{CHOLERA}",
        "stemFoundationUri": f"{ENTITY}/{CHOLERA}",
        "stemLabel": "Cholera",
        "postcoordinationValues": [
            {
                "axisName": "http://id.who.int/icd/schema/infectiousAgent",
                "values": [
                    {
                        "code": "XN62R",
                        "linearizationUri": f"{LINEAR}/{ELTOR}",
                        "foundationUri": f"{ENTITY}/{ELTOR}",
                        "label": "Vibrio cholerae O1, biovar eltor",
                    }
                ],
            }
        ],
    }
    assert list(described)[4] == "stemCode"


def test_a_value_may_have_values_of_its_own(ask):
    described = ask(code="5A11/9D90.7&XK8G")
    ((value,),) = [item["values"] for item in described["postcoordinationValues"]]
    assert (value["code"], value["stemCode"]) == ("9D90.7&XK8G", "9D90.7")
    assert value["postcoordinationValues"][0]["values"][0]["label"] == "Left"
    assert described["label"] == "Type 2 diabetes mellitus / Near vision impairment [Left]"
    assert described["linearizationUri"] == f"{LINEAR}/{TYPE2} / {LINEAR}/504779294 & {LINEAR}/271422288"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (f"{ENTITY}/{CHOLERA}", "1A00"),
        (f"https://id.who.int/icd/release/11/mms/{CHOLERA}", "1A00"),
        (f"{LINEAR}/142052508/unspecified", "CA40.Z"),
        (f"{ENTITY}/1205958647", "1A00"),
        (f"{ENTITY}/{CHOLERA} & {LINEAR}/{ELTOR}", "1A00&XN62R"),
        (f"{ENTITY}/{CHOLERA}&{ENTITY}/{ELTOR}", "1A00&XN62R"),
        (f"{LINEAR}/{TYPE2} / {LINEAR}/{COMA}", "5A11/5A20"),
        (f"{LINEAR}/{TYPE2}/{LINEAR}/{COMA} /", "5A11/5A20"),
        (f"{ENTITY}/{CHOLERA} & {ENTITY}/{TYPE2}", 404),
        (f"{ENTITY}/{CHOLERA} & ", 404),
        (f"http://id.who.int/icd/release/11/2022-02/mms/{CHOLERA}", 404),
        (f"http://id.who.int/icd/release/11/2024-01/icf/{CHOLERA}", 404),
        (f"{ENTITY}/1", 404),
        (f"{LINEAR}/1", 404),
        ("http://id.who.int/icd/release/11/2024-01/mms", 404),
        ("http://elsewhere.org/icd/entity/1", 404),
        ("nonsense", 404),
        ("", 404),
    ],
)
def test_uris_are_read_as_codes_are(ask, uri, code):
    described = ask(uri=uri)
    assert (described if code == 404 else described["code"]) == code
    if code != 404:
        assert described == ask(code=code)


def test_a_block_has_a_uri_and_a_label_but_no_code(ask):
    mms = load_corpus().listing("mms")
    key = next(key for key in mms if mms.entity(key).code is None)
    described = ask(uri=f"{LINEAR}/{key}")
    assert set(described) == {"linearizationUri", "foundationUri", "label"}
    assert ask(uri=f"{LINEAR}/{key} & {LINEAR}/{ELTOR}") == 404


def test_a_residual_is_not_in_the_foundation(ask):
    assert "foundationUri" not in ask(code="CA40.Z")
    cluster = ask(code="1B12.Y&XA6KU8")
    assert not {"foundationUri", "stemFoundationUri"} & set(cluster)
    assert cluster["stemLinearizationUri"].endswith("/other")


def test_terminal_codes_change_codes_and_linearization_uris_only(ask):
    described, changed = (ask(code="5A11/5A20", convertToTerminalCodes=flag) for flag in ("false", "true"))
    assert (described["code"], changed["code"]) == ("5A11/5A20", "5A11/5A20.Z")
    assert changed["linearizationUri"] == f"{LINEAR}/{TYPE2} / {LINEAR}/{COMA}/unspecified"
    assert changed["foundationUri"] == described["foundationUri"]


def test_what_fits_no_axis_is_described_in_flexible_mode_only(ask):
    assert ask(code="1A00/5A11") == 404
    described = ask(code="1A00/5A11", flexiblemode="true")
    (item,) = described["postcoordinationValues"]
    assert item["axisName"].endswith("/otherPostcoordination")
    assert item["values"][0]["code"] == "5A11"
    assert ask(code="1A00/ZZZZ", flexiblemode="true") == 404


@pytest.mark.parametrize(
    ("code", "simple", "stem"),
    [
        ("2C25&XH74S1", "2C25.0", None),
        ("2C25&XH74S1&XK8G", "2C25.0&XK8G", "2C25.0"),
        ("CA40&XN6P4", "CA40.01", None),
    ],
)
def test_a_cluster_is_simplified_where_one_entity_says_the_same(ask, code, simple, stem):
    described = ask(code=code, simplify="true")
    assert (described["code"], described.get("stemCode")) == (simple, stem)
    info = ask(f"codeinfo/{code.replace('&', '%26')}")
    assert (info["code"], info["simplifiedCode"], info.get("simplifiedStemCode")) == (code, simple, stem)
    assert ask(code=code)["code"] == code


@pytest.mark.parametrize("code", ["1A00", "1A00&XN62R", "2C25&XK8G", "CA40&XN6P4&XS25", "5A11/9D90.7&XK8G"])
def test_what_nothing_else_says_is_not_simplified(ask, code):
    assert ask(code=code, simplify="true") == ask(code=code)
    assert "simplifiedCode" not in ask(f"codeinfo/{code.replace('&', '%26').replace('/', '%2F')}")


def test_labels_follow_the_language(ask):
    assert ask(code="1A00", language="es")["label"] == "Cólera"
    assert ask(code="1A00", language="onion") == 404
    assert ask() == 404
