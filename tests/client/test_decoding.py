"""Clusters become one row per member, with and without a network."""

import pandas as pd
import pytest

import icdframes
from icdframes import decode_codes
from icdframes.client.decoding import facts_of_set
from icdframes.errors import CodeSyntaxError, ConfigurationError, UnknownReleaseError
from icdframes.model.decode_responses import parse_postcoordination_set
from icdframes.sandbox import Sandbox
from icdframes.settings import Server

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
CHOLERA = "257068234"
CLUSTER = "1A00&XN62R"  # with an extension code of its axis infectiousAgent


def test_icd10_codes_are_decoded_with_and_without_dot(icd_client):
    frame = icd_client.decode_codes(["A00.0", "A000", "a00-a09", "ZZ"], classification="icd10")
    assert frame.code.tolist()[:3] == ["A00.0", "A00.0", "A00-A09"]
    assert frame.title.tolist()[0] == frame.title.tolist()[1]
    assert frame.title[0].startswith("Cholera")
    assert frame.status.tolist() == ["ok", "ok", "ok", "invalid"]


def test_clusters_are_read_without_a_network():
    frame = decode_codes(pd.Series(["2C25.2&XH74S1/5A11", None, "1A0O"], index=list("abc")), source=None)
    assert frame.index.tolist() == ["a", "a", "a", "b", "c"]
    assert frame.code.tolist()[:3] == ["2C25.2", "XH74S1", "5A11"]
    assert frame.stem_code.tolist()[:3] == ["2C25.2", "2C25.2", "5A11"]
    assert frame.status.tolist() == ["ok", "ok", "ok", "empty", "invalid"]
    with pytest.raises(CodeSyntaxError):
        decode_codes("1A0O", source=None)


def test_the_parts_of_a_description_find_their_members():
    doc = {
        "code": "BD54&XK9J/5A11&XT5R",
        "label": "whole",
        "linearizationUri": f"{MMS}/1 & {MMS}/2 / {MMS}/3 & {MMS}/4",
        "stemCode": "BD54",
        "stemLabel": "stem",
        "stemLinearizationUri": f"{MMS}/1",
        "postcoordinationValues": [
            {
                "axisName": "http://id.who.int/icd/schema/hasCausingCondition",
                "values": [
                    {
                        "code": "5A11&XT5R",
                        "label": "both",
                        "stemCode": "5A11",
                        "stemLabel": "cause",
                        "stemLinearizationUri": f"{MMS}/3",
                        "postcoordinationValues": [
                            {
                                "axisName": "course",
                                "values": [{"code": "XT5R", "label": "acute", "linearizationUri": f"{MMS}/4"}],
                            }
                        ],
                    }
                ],
            },
            {
                "axisName": "laterality",
                "values": [{"code": "XK9J", "label": "both sides", "linearizationUri": f"{MMS}/2"}],
            },
        ],
    }
    facts = [
        (fact.code, fact.axis, fact.title, fact.entity_id) for fact in facts_of_set(parse_postcoordination_set(doc))
    ]
    assert facts == [
        ("BD54", None, "stem", "1"),
        ("5A11", "hasCausingCondition", "cause", "3"),
        ("XT5R", "course", "acute", "4"),
        ("XK9J", "laterality", "both sides", "2"),
    ]


def test_decode_codes_tells_axis_and_title_of_each_member(icd_client):
    for source in ("describe", "codeinfo"):
        frame = icd_client.decode_codes([CLUSTER, "NZ99"], source=source)
        assert frame.role.tolist() == ["stem", "extension", "stem"]
        assert frame.axis.isna().tolist() == [True, False, True]
        assert frame.title.notna().tolist() == [source == "describe"] * 2 + [False]
        assert frame.status.tolist() == ["ok", "ok", "not_found"]
        assert frame.code[1] == "NZ99"


def test_decoding_has_two_sources_and_needs_codes(icd_client):
    with pytest.raises(ConfigurationError, match="Did you mean 'describe'"):
        icd_client.decode_codes("1A00", source="describes")
    with pytest.raises(ConfigurationError, match="no codes in the classification 'foundation'"):
        icd_client.decode_codes("1A00", classification="foundation")
    assert icd_client.decode_codes(["1A00"], source=None).code.tolist() == ["1A00"]


def test_a_local_deployment_has_no_icd10_and_says_so(tmp_path):
    with Sandbox(authenticate=False) as sandbox:
        server = Server("local", sandbox.url)
        with icdframes.IcdClient(server, lambda: None, cache_dir=tmp_path / "c") as client:
            assert client.codeinfo("1A00").entity_id[0] == CHOLERA
            with pytest.raises(UnknownReleaseError, match="local deployment serves ICD-11 only"):
                client.decode_codes("A00", classification="icd10")


@pytest.mark.full_size
def test_the_codes_of_whos_example_certificates_are_read(full_size):
    deaths = pd.read_csv(full_size / "examples" / "codedit_example_raw_cod.csv", dtype="str")
    frame = decode_codes(deaths.icd_11_underlying_cause, source=None)
    assert set(frame.status) == {"ok"}
    assert frame.groupby("value", sort=False).code.agg("&".join).index.tolist() == list(
        dict.fromkeys(deaths.icd_11_underlying_cause)
    )
    assert frame[frame.role == "extension"].code.str.startswith("X").all()
