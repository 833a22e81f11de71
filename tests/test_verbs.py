"""The verbs on columns: asked once, answered in order, nothing lost; over real HTTP against the sandbox."""

import inspect
import json
import re
from functools import partial
from threading import Lock
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.api import coding, load, mortality, search
from icdframes.api.coding import decode_codes
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    EntityNotFoundError,
    PartialResultWarning,
    UnknownLanguageError,
    UnknownReleaseError,
)
from icdframes.frames.verdicts import CODEINFO, codeinfo_fields, verdict_table
from icdframes.model.outcome import Outcome
from icdframes.model.parse import parse_code_info, parse_entity
from icdframes.model.parse_coding import parse_postcoordination_set
from icdframes.sandbox import Sandbox
from icdframes.settings import Server
from icdframes.transport.credentials import Credentials
from icdframes.verbs import methods
from icdframes.verbs.columns import ask_each, read_column
from icdframes.verbs.decoding import facts_of_set

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
FOUNDATION = "http://id.who.int/icd/entity"
CHOLERA = "257068234"
CLUSTER = "1A00&XN62R"  # with an extension code of its axis infectiousAgent


@pytest.mark.parametrize(
    ("given", "values", "labels"),
    [
        ("1A00", ("1A00",), [0]),
        (257068234, (257068234,), [0]),
        (["a", None, " ", "b "], ("a", None, None, "b"), [0, 1, 2, 3]),
        (("a", float("nan")), ("a", None), [0, 1]),
        (pd.Series(["a", pd.NA], index=["x", "x"]), ("a", None), ["x", "x"]),
        (pd.Index(["a", "b"], name="codes"), ("a", "b"), ["a", "b"]),
        (np.array(["a", "b"], dtype=object), ("a", "b"), [0, 1]),
        (pd.Series([], dtype="str"), (), []),
        (pd.Categorical(["a", None]), ("a", None), [0, 1]),
    ],
)
def test_a_column_is_read_with_its_index(given, values, labels):
    column = read_column(given)
    assert column.given == values
    assert column.index.tolist() == labels
    assert column.single == isinstance(given, str | int)


@pytest.mark.parametrize("given", [{"a": 1}, {"a"}, pd.DataFrame({"a": [1]}), pd.MultiIndex.from_tuples([("a", "b")])])
def test_a_table_is_no_column(given):
    with pytest.raises(ConfigurationError, match="no column"):
        read_column(given)


def test_each_distinct_value_is_asked_for_once_and_order_is_kept():
    asked, lock = [], Lock()

    def ask(key):
        with lock:
            asked.append(key)
        if key == 3:
            raise EntityNotFoundError("three")
        return key * 10

    outcomes = ask_each([5, 3, 5, 1, 3], ask, max_workers=4)
    assert sorted(asked) == [1, 3, 5]
    assert [(key, outcome.status, outcome.answer) for key, outcome in outcomes.items()] == [
        (5, "ok", 50), (3, "not_found", None), (1, "ok", 10),
    ]  # fmt: skip


def test_a_column_ends_early_where_nothing_but_failures_comes():
    asked, lock = [], Lock()

    def ask(key):
        with lock:
            asked.append(key)
        raise ConnectionFailedError("gone")

    outcomes = ask_each(range(1000), ask, max_workers=2)
    assert len(asked) < 20
    assert outcomes[0].status == "failed"
    assert outcomes[999].status == "not_asked"


def test_refused_credentials_end_a_column_at_once():
    asked = []

    def ask(key):
        asked.append(key)
        raise CredentialsRejectedError("no")

    ask_each(range(1000), ask, max_workers=1)
    assert len(asked) <= 3


def test_a_programming_error_is_not_hidden_in_a_row():
    def ask(key):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_each([1, 2], ask, max_workers=2)


def test_an_empty_column_gives_an_empty_table_of_the_same_columns(icd_client):
    full = icd_client.codeinfo(["1A00"])
    empty = icd_client.codeinfo([])
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert not len(empty)


def test_ten_thousand_texts_of_five_hundred_cost_five_hundred_requests_and_none_again(icd_client, icd_sandbox):
    distinct = ["Cholera", *(f"illness number {number}" for number in range(499))]
    texts = pd.Series(distinct * 20, index=range(10_000, 20_000))
    first = icd_client.autocode(texts, release="2024-01")
    assert icd_sandbox.count("/icd/release/11/2024-01/mms/autocode") == 500
    assert len([request for request in icd_sandbox.log if "autocode" not in request.path]) <= 3
    icd_sandbox.clear_log()
    second = icd_client.autocode(texts, release="2024-01")
    assert icd_sandbox.log == []
    pd.testing.assert_frame_equal(first, second)
    assert first.index.equals(texts.index)
    assert first.value.tolist() == texts.tolist()
    assert (first.code == "1A00").sum() == 20


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
    from icdframes.frames.verdicts import LOOKUP, Located, lookup_fields

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


def test_a_single_value_raises_what_a_row_would_say(icd_client):
    with pytest.raises(EntityNotFoundError, match="NZ99"):
        icd_client.codeinfo("NZ99")
    with pytest.raises(CodeSyntaxError):
        icd_client.codeinfo("1A0O")
    with pytest.raises(ConfigurationError, match="Nothing was given"):
        icd_client.codeinfo("")
    with pytest.raises(ConfigurationError, match="not text"):
        icd_client.codeinfo(5.5)


@pytest.mark.parametrize("verb", ["codeinfo", "describe", "lookup"])
@pytest.mark.parametrize("classification", ["foundation", "icd10"])
def test_a_classification_without_the_operation_is_refused_with_advice(icd_client, verb, classification):
    with pytest.raises(ConfigurationError, match=f"no {verb} for classification='{classification}'.*load_entity"):
        getattr(icd_client, verb)("1A00", classification=classification)


def test_release_and_language_are_checked_before_anything_is_asked(icd_client, icd_sandbox):
    with pytest.raises(UnknownReleaseError, match="2024-01"):
        icd_client.codeinfo("1A00", release="2023-01")
    with pytest.raises(UnknownLanguageError, match="'onion'"):
        icd_client.lookup(CHOLERA, language="onion")
    with pytest.raises(ConfigurationError, match="one language is enough"):
        icd_client.codeinfo("1A00", language=["en", "es"])
    assert not [request for request in icd_sandbox.log if "codeinfo" in request.path or "lookup" in request.path]


def test_the_newest_release_is_resolved_once_for_a_column(icd_client, icd_sandbox):
    icd_client.codeinfo(["1A00", "5A11", "BA41.Z"])
    assert icd_sandbox.count("/icd/release/11/mms") == 1


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


def test_decoding_has_two_sources_and_needs_codes(icd_client):
    with pytest.raises(ConfigurationError, match="Did you mean 'describe'"):
        icd_client.decode_codes("1A00", source="describes")
    with pytest.raises(ConfigurationError, match="no codes in classification='foundation'"):
        icd_client.decode_codes("1A00", classification="foundation")
    assert icd_client.decode_codes(["1A00"], source=None).code.tolist() == ["1A00"]


@pytest.mark.parametrize(
    "verb",
    [
        "search",
        "search_tables",
        "autocode",
        "codeinfo",
        "describe",
        "lookup",
        "decode_codes",
        "entity_releases",
        "doris",
        "codedit",
    ],
)
def test_a_verb_and_its_method_take_the_same_options(verb):
    homes = (search, coding, mortality)
    function = next(getattr(home, verb) for home in homes if hasattr(home, verb))
    offered = set(inspect.signature(function).parameters) - {"client"}
    method = inspect.signature(getattr(icdframes.IcdClient, verb))
    taken = {name for name, one in method.parameters.items() if one.kind is not one.VAR_KEYWORD} - {"self"}
    hints = get_type_hints(getattr(icdframes.IcdClient, verb), vars(methods) | {"pd": pd, "SearchTables": object})
    for extra in get_args(hints.get("options")):
        taken |= set(get_type_hints(extra))
    assert offered == taken


@pytest.mark.parametrize(
    ("verb", "noun"),
    [
        ("load_entity", "1A00"),
        ("releases", "mms"),
        ("search", "cholera"),
        ("autocode", "cholera"),
        ("codeinfo", "1A00"),
        ("describe", "1A00"),
        ("decode_codes", "1A00"),
        ("lookup", CHOLERA),
        ("entity_releases", "1A00"),
        ("doris", {"cause_a": "1A00"}),
        ("codedit", {"cause_a": "1A00"}),
    ],
)
def test_the_documented_shape_and_columns_are_those_of_the_table(icd_client, verb, noun):
    doc = inspect.getdoc(getattr(icdframes, verb))
    table = getattr(icdframes, verb)(noun)
    assert int(re.search(r"Shape ``\(\w+, (\d+)\)``", doc)[1]) == table.shape[1]
    assert [column for column in table.columns if not re.search(rf"\b{column}\b", doc)] == []


def _public(*homes):
    return [
        function
        for home in homes
        for _, function in inspect.getmembers(home, inspect.isfunction)
        if function.__module__ == home.__name__
    ]


@pytest.mark.parametrize("function", _public(load, search, coding, mortality), ids=lambda function: function.__name__)
def test_every_verb_tells_its_cost_and_source(function):
    sections = inspect.getdoc(function)
    for part in ("Parameters\n---", "Returns\n---", "Raises\n---", "\nNetwork: ", "\nSource: ", ">>> "):
        assert part in sections, part


@pytest.mark.parametrize("name", ["entity", "newest_release", "get", "post", "cache_info", "clear_cache"])
def test_what_only_a_client_has_tells_its_cost_too(name):
    doc = inspect.getdoc(getattr(icdframes.IcdClient, name))
    for part in ("Returns\n---", "\nNetwork: ", ">>> "):
        assert part in doc, part


def test_a_local_deployment_has_no_icd10_and_says_so(tmp_path):
    with Sandbox(authenticate=False) as sandbox:
        server = Server("local", sandbox.url)
        with icdframes.IcdClient(server, lambda: None, cache_dir=tmp_path / "c") as client:
            assert client.codeinfo("1A00").entity_id[0] == CHOLERA
            with pytest.raises(UnknownReleaseError, match="local deployment serves ICD-11 only"):
                client.decode_codes("A00", classification="icd10")


def test_entity_releases_lists_where_an_entity_is(icd_client):
    frame = icd_client.entity_releases("1A00")
    assert frame.release.tolist() == ["2024-01", "2022-02"]
    assert frame.latest.tolist() == [True, False]
    assert frame.uri[1] == f"http://id.who.int/icd/release/11/2022-02/mms/{CHOLERA}"
    assert icd_client.entity_releases("A00", classification="icd10").entity_id[0] == "A00"
    assert len(icd_client.entity_releases(f"{MMS}/{CHOLERA}")) == 2
    with pytest.raises(ConfigurationError, match="foundation"):
        icd_client.entity_releases(CHOLERA, classification="foundation")


def test_some_failures_warn_and_keep_the_rest(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.fail("*/codeinfo/5A11", status=501)
    with pytest.warns(PartialResultWarning, match="1 of 2 values have no answer"):
        frame = icd_client.codeinfo(["1A00", "5A11"])
    assert frame.status.tolist() == ["ok", "failed"]
    assert icd_client.codeinfo(["1A00", "5A11"]).status.tolist() == ["ok", "ok"]


def test_a_warning_points_at_the_users_line_and_says_how_to_silence_it(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.fail("*/codeinfo/*", status=501, times=None)
    for call in (icd_client.codeinfo, partial(coding.codeinfo, client=icd_client)):
        with pytest.warns(PartialResultWarning) as caught:
            call(["1A00"])
        assert caught[0].filename == __file__
        assert 'warnings.simplefilter("ignore", icdframes.errors.PartialResultWarning)' in str(caught[0].message)


def test_refused_credentials_are_raised_not_told_in_rows(icd_sandbox, tmp_path):
    server = Server("sandbox", icd_sandbox.url, icd_sandbox.token_url)
    with (
        icdframes.IcdClient(server, lambda: Credentials("a", "b"), cache_dir=tmp_path / "c") as client,
        pytest.raises(CredentialsRejectedError),
    ):
        client.codeinfo(["1A00", "5A11"])


def test_answers_survive_a_file(icd_client, tmp_path):
    frame = icd_client.codeinfo(["1A00", "NZ99"])
    for path in (tmp_path / "answer.csv", tmp_path / "answer.parquet"):
        (icdframes.to_csv if path.suffix == ".csv" else icdframes.to_parquet)(frame, path)
        back = icdframes.read_frame(path)
        pd.testing.assert_frame_equal(back, frame)
        assert back.attrs["provenance"] == frame.attrs["provenance"]


def test_progress_is_shown_for_a_column_that_asks_for_it(icd_client, capsys):
    icd_client.codeinfo(["1A00"], progress=True)
    assert "codeinfo mms 2024-01" in capsys.readouterr().err
    icd_client.codeinfo("5A11", progress=True)
    assert capsys.readouterr().err == ""


def test_any_operation_can_be_posted(icd_client, icd_sandbox):
    body = {"ICDVersion": "ICD11", "Part1": [{"Conditions": [{"Code": "1A00"}]}]}
    assert icd_client.post("/icd/release/11/2024-01/doris", body=body)["code"] == "1A00"


@pytest.mark.full_size
def test_the_codes_of_whos_example_certificates_are_read(full_size):
    deaths = pd.read_csv(full_size / "examples" / "codedit_example_raw_cod.csv", dtype="str")
    frame = decode_codes(deaths.icd_11_underlying_cause, source=None)
    assert set(frame.status) == {"ok"}
    assert frame.groupby("value", sort=False).code.agg("&".join).index.tolist() == list(
        dict.fromkeys(deaths.icd_11_underlying_cause)
    )
    assert frame[frame.role == "extension"].code.str.startswith("X").all()
