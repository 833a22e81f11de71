"""codeinfo, describe, lookup and entity_releases, over real HTTP against the sandbox."""

import json

import pandas as pd
import pytest

from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError
from icdframes.frames.results import CODEINFO, codeinfo_fields, verdict_table
from icdframes.model.decode import parse_entity
from icdframes.model.decode_responses import parse_code_info
from icdframes.model.responses import Outcome

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
FOUNDATION = "http://id.who.int/icd/entity"
CHOLERA = "257068234"
CLUSTER = "1A00&XN62R"  # with an extension code of its axis infectiousAgent


@pytest.mark.parametrize(
    ("name", "code", "stem_id"),
    [
        ("codeinfo_2024-01_8B20.json", "8B20", "1442995018"),
        ("codeinfo_2026-01_5A11.json", "5A11", "119724091"),
        (
            "vcr_release_11_2023_01_mms_codeinfo_1F4Z_flexiblemode_false_by_code_1F4Z_1.json",
            "1F4Z",
            "1439886552/unspecified",
        ),
        ("vcr_release_11_2023_01_mms_codeinfo_7A01_flexiblemode_false_by_code_7A01_1.json", "7A01", "1832877760"),
        ("vcr_release_11_2023_01_mms_codeinfo_FB32_5_flexiblemode_false_by_code_FB32_5_1.json", "FB32.5", "254923627"),
    ],
)
def test_a_recorded_codeinfo_becomes_the_right_row(recorded, name, code, stem_id):
    info = parse_code_info(json.loads((recorded / name).read_text(encoding="utf-8")))
    frame = verdict_table(CODEINFO, [code], [Outcome(answer=info)], codeinfo_fields, index=pd.RangeIndex(1))
    assert frame.loc[0, ["value", "code", "entity_id", "stem_code", "status"]].tolist() == [
        code,
        code,
        stem_id,
        code,
        "ok",
    ]
    assert frame.loc[0, ["postcoordination", "other", "simplified_code", "message"]].isna().all()


def test_a_recorded_lookup_becomes_the_right_row(recorded):
    from icdframes.frames.results import LOOKUP, Located, lookup_fields

    entity = parse_entity(json.loads((recorded / "lookup_2024-01_mms_1442995018.json").read_text(encoding="utf-8")))
    outcomes = [Outcome(answer=Located("1442995018", entity)), Outcome(answer=Located("999", entity))]
    frame = verdict_table(LOOKUP, ["1442995018", "999"], outcomes, lookup_fields, index=pd.RangeIndex(2))
    assert frame.code.tolist() == ["8B20", "8B20"]
    assert frame.title[0] == "Stroke not known if ischaemic or haemorrhagic"
    assert frame.same_entity.tolist() == [True, False]


def test_codeinfo_of_a_column_tells_what_is_wrong_with_each(icd_client, icd_sandbox):
    codes = pd.Series(["1A00", " 1a00 ", "1A00/", None, "1A0O", "NZ99"], index=list("abcdef"))
    icd_client.newest_release()
    icd_sandbox.clear_log()
    frame = icd_client.codeinfo(codes)
    assert frame.index.tolist() == list("abcdef")
    assert frame.status.tolist() == ["ok", "ok", "ok", "empty", "invalid", "not_found"]
    assert frame.code.tolist()[:3] == ["1A00"] * 3
    assert "'O' at character 4" in frame.message["e"]
    assert "No code 'NZ99' in mms 2024-01" in frame.message["f"]
    assert icd_sandbox.count("/icd/release/11/2024-01/mms/codeinfo") == 2


@pytest.mark.parametrize(
    ("verb", "noun"),
    [
        ("codeinfo", "1A00"),
        ("describe", "1A00"),
        ("lookup", CHOLERA),
        ("autocode", "cholera"),
        ("search", "1A00 cholera%"),
        ("doris", {"cause_a": "1A00"}),
    ],
)
def test_an_answer_of_another_shape_is_asked_for_once_more(icd_client, icd_sandbox, verb, noun):
    icd_client.newest_release()
    icd_sandbox.fail(f"*/{verb}*", status=200, body="[]", content_type="application/json")
    getattr(icd_client, verb)(noun)
    assert len([request for request in icd_sandbox.log if f"/{verb}" in request.path]) == 2


@pytest.mark.parametrize("verb", ["codeinfo", "describe", "lookup"])
@pytest.mark.parametrize("classification", ["foundation", "icd10"])
def test_a_classification_without_the_operation_is_refused_with_advice(icd_client, verb, classification):
    with pytest.raises(ConfigurationError, match=f"no {verb} for the classification '{classification}'"):
        getattr(icd_client, verb)("1A00", classification=classification)


def test_lookup_takes_uris_and_ids_in_several_languages(icd_client):
    uris = [f"{FOUNDATION}/{CHOLERA}", f"https://id.who.int/icd/entity/{CHOLERA}", f"{MMS}/1"]
    frame = icd_client.lookup([int(CHOLERA), *uris, "12"], language=["en", "es"])
    assert frame.code.tolist()[:3] == ["1A00"] * 3
    assert frame.title_es.tolist()[:3] == ["Cólera"] * 3
    assert frame.same_entity.tolist()[:3] == [True] * 3
    assert frame.status.tolist() == ["ok", "ok", "ok", "invalid", "not_found"]
    assert "not coded in mms 2024-01" in frame.message[4]
    with pytest.raises(CodeSyntaxError, match="codeinfo takes codes"):
        icd_client.lookup("1A00")


def test_icf_goes_through_the_same_verbs(icd_client):
    tops = icd_client.load_entity(classification="icf")
    code = tops.code[tops.class_kind == "category"].iloc[0]
    found = icd_client.codeinfo(code, classification="icf")
    assert found.entity_id.item() == tops.set_index("code").entity_id[code]
    decoded = icd_client.decode_codes(f"{code}.3", classification="icf", source="codeinfo")
    assert decoded.loc[0, ["code", "qualifiers", "entity_id"]].tolist() == [code, "3", found.entity_id.item()]


def test_describe_puts_codes_clusters_and_uris_into_words(icd_client):
    frame = icd_client.describe(
        ["1A00", f"{MMS}/{CHOLERA}", f"{FOUNDATION}/{CHOLERA}", CLUSTER, "x://y"], language=["en", "es"]
    )
    assert frame.code.tolist()[:3] == ["1A00"] * 3
    assert frame.label.tolist()[:3] == ["Cholera"] * 3
    assert frame.label_es.tolist()[:3] == ["Cólera"] * 3
    assert frame.stem_code[3] == "1A00"
    assert frame.postcoordination[3].startswith("infectiousAgent=")
    assert frame.status.tolist() == ["ok"] * 4 + ["invalid"]
    with pytest.raises(EntityNotFoundError, match=r"No entity 'http:.*/1' in mms 2024-01"):
        icd_client.describe(f"{FOUNDATION}/1")


def test_a_value_beside_the_value_sets_is_on_no_axis(icd_client):
    frame = icd_client.decode_codes("1A00/5A11", source="describe")
    assert frame.axis.isna().all()
    assert frame.title.tolist() == ["Cholera", "Type 2 diabetes mellitus"]
    assert icd_client.describe("1A00/5A11", flexible=True).postcoordination[0] == "other=Type 2 diabetes mellitus"
    assert icd_client.codeinfo("1A00/5A11", flexible=True).other[0] == "5A11"
    with pytest.raises(EntityNotFoundError, match="flexible=True"):
        icd_client.describe("1A00/5A11")


def test_entity_releases_lists_where_an_entity_is(icd_client):
    frame = icd_client.entity_releases("1A00")
    assert frame.release.tolist() == ["2024-01", "2022-02"]
    assert frame.latest.tolist() == [True, False]
    assert frame.uri[1] == f"http://id.who.int/icd/release/11/2022-02/mms/{CHOLERA}"
    assert icd_client.entity_releases("A00", classification="icd10").entity_id[0] == "A00"
    assert len(icd_client.entity_releases(f"{MMS}/{CHOLERA}")) == 2
    with pytest.raises(ConfigurationError, match="foundation"):
        icd_client.entity_releases(CHOLERA, classification="foundation")
