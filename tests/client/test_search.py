"""Search and autocode: recorded answers become the right rows, and nothing is silently left out."""

import json

import pandas as pd
import pytest

from icdframes.client.search_endpoint import SearchEndpoint, SearchOptions
from icdframes.errors import (
    ConfigurationError,
    PartialResultWarning,
    ResponseShapeError,
    ServerError,
    TruncatedResultWarning,
    UnknownLanguageError,
)
from icdframes.frames.provenance import Provenance
from icdframes.frames.results import AUTOCODE, autocode_fields, verdict_table
from icdframes.frames.search_tables import build_search_tables
from icdframes.model.decode_responses import parse_autocode, parse_search, plain_text
from icdframes.model.responses import Outcome, SearchHit, SearchResult
from icdframes.model.uris import first_entity_id

MMS = "http://id.who.int/icd/release/11/2024-01/mms"
PROVENANCE = Provenance(server="https://example.org", classification="mms", release="2024-01")
NO_MATCH = {"searchText": "cholera", "matchLevel": 3, "matchScore": 0, "matchType": 0, "isTitle": False}


def _read(recorded, name):
    return json.loads((recorded / name).read_text(encoding="utf-8"))


def _hits(doc, **options):
    return build_search_tables([("q", Outcome(answer=parse_search(doc, **options)))], PROVENANCE)


def test_the_recorded_search_becomes_the_right_rows(recorded):
    doc = _read(recorded, "search_2024-01_mms_fever.json")
    tables = _hits(doc)
    hits, terms = tables.hits, tables.terms
    assert len(hits) == len(doc["destinationEntities"]) == 50
    assert hits.loc[0, ["entity_id", "code", "title", "chapter"]].tolist() == [
        "915343154", "MG26", "Fever of other or unknown origin", "21",
    ]  # fmt: skip
    assert hits.loc[0, ["is_leaf", "postcoordination", "entity_type", "has_maternal_link"]].tolist() == [
        True, "possible", "real", True,
    ]  # fmt: skip
    for position, entity in enumerate(doc["destinationEntities"]):
        assert hits.code[position] == entity["theCode"]
        assert hits.score[position] == entity["score"]
        assert hits.uri[position] == entity["id"]
        assert (terms.hit == position).sum() == len(entity["matchingPVs"])
    assert hits.score.is_monotonic_decreasing
    assert terms.loc[0, ["property", "label", "score", "value_type"]].tolist() == ["Synonym", "fever", 1.0, "real"]
    assert set(terms.value_type) <= {"real", "below_shoreline", "logically_defined", "cluster"}
    assert hits.chopped.all()
    assert tables.chopped
    assert hits.attrs["chopped"]


def test_markup_is_removed_unless_asked_for(recorded):
    doc = _read(recorded, "search_2024-01_mms_fever.json")
    plain, marked = _hits(doc), _hits(doc, highlight=True)
    assert not plain.hits.title.str.contains("<").any()
    assert not plain.terms.label.str.contains("<").any()
    assert marked.hits.title[0] == "<em class='found'>Fever</em> of other or unknown origin"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<em class='found'>a</em> b", "a b"),
        ("<em class=\"found\">a</em><em class='found'>b</em>", "ab"),
        ("a < b & c > d", "a < b & c > d"),
        ("<em>kept</em>", "<em>kept</em>"),
    ],
)
def test_only_the_markup_of_the_search_is_removed(text, plain):
    assert plain_text(text) == plain


def test_the_recorded_empty_answer_is_an_empty_table_with_all_columns(recorded):
    tables = _hits(_read(recorded, "search_empty.json"))
    full = _hits(_read(recorded, "search_2024-01_mms_fever.json"))
    assert len(tables.hits) == len(tables.terms) == len(tables.words) == 0
    for name in ("hits", "terms", "words"):
        assert getattr(tables, name).dtypes.to_dict() == getattr(full, name).dtypes.to_dict()
    assert not tables.chopped


def test_an_error_in_an_answer_of_status_200_is_an_error():
    with pytest.raises(ServerError, match="word too short"):
        parse_search({"error": True, "errorMessage": "word too short", "destinationEntities": []})


def test_a_failed_search_in_the_cache_does_not_stay_there(icd_client, icd_sandbox):
    failed = json.dumps({"error": True, "errorMessage": "busy", "destinationEntities": []})
    icd_client.newest_release()
    icd_sandbox.fail("*/search", status=200, body=failed, content_type="application/json", times=4)
    with pytest.raises(ServerError, match="busy"):  # asked again, and again in a second round
        icd_client.search("cholera")
    assert icd_client.search("cholera").code[0] == "1A00"


def test_an_answer_of_another_shape_names_the_place():
    with pytest.raises(ResponseShapeError) as caught:
        parse_search({"error": False, "destinationEntities": [{"id": "x"}, {"matchingPVs": [{"label": 3}]}]})
    assert caught.value.json_path == "$.destinationEntities[1].matchingPVs[0].label"


def test_nested_hits_know_their_depth_and_parent():
    doc = {
        "destinationEntities": [
            {
                "id": f"{MMS}/1",
                "title": "Top",
                "descendants": [
                    {"id": f"{MMS}/2", "title": "Below", "descendants": [{"id": f"{MMS}/3/other", "title": "Deep"}]},
                    {"id": f"{MMS}/4", "title": "Beside"},
                ],
            }
        ],
        "words": [{"label": "fever", "dontChangeResult": True}],
    }
    tables = _hits(doc)
    assert tables.hits.title.tolist() == ["Top", "Below", "Deep", "Beside"]
    assert tables.hits.depth.tolist() == [0, 1, 2, 1]
    assert tables.hits.parent_id.tolist()[1:] == ["1", "2", "1"]
    assert tables.hits.parent_id.isna()[0]
    assert tables.hits.entity_id[2] == "3/other"
    assert tables.words.to_dict("list") == {"query": ["q"], "label": ["fever"], "keeps_result": [True]}


@pytest.mark.parametrize(
    ("expression", "entity_id"),
    [
        (f"{MMS}/1", "1"),
        (f"{MMS}/1/other", "1/other"),
        (f"{MMS}/1 & {MMS}/2", "1"),
        (f"{MMS}/1/unspecified / {MMS}/2 & {MMS}/3", "1/unspecified"),
        (f"{MMS}/1&{MMS}/2", "1"),
        ("http://id.who.int/icd/entity/7", "7"),
        ("", None),
        (None, None),
        ("something else", None),
    ],
)
def test_the_stem_of_an_expression_of_uris(expression, entity_id):
    assert first_entity_id(expression) == entity_id


def test_a_hit_of_the_foundation_has_no_code():
    hit = parse_search(
        {"destinationEntities": [{"id": "http://id.who.int/icd/entity/7", "title": "x", "theCode": None}]}
    ).hits[0]
    assert (hit.entity_id, hit.code) == ("7", None)


def test_the_recorded_autocode_becomes_the_right_row(recorded):
    doc = _read(recorded, "autocode_2024-01_mms_cerebrovascular_accident.json")
    frame = verdict_table(
        AUTOCODE,
        ["Cerebrovascular accident"],
        [Outcome(answer=parse_autocode(doc))],
        autocode_fields,
        index=pd.RangeIndex(1),
    )
    assert frame.drop(columns="message").iloc[0].tolist() == [
        "Cerebrovascular accident", "8B20", "cerebrovascular accident", "1442995018", "1442995018", 0, 1.0, "real",
        pd.NA, f"{MMS}/1442995018", "ok",
    ]  # fmt: skip


def test_no_match_is_a_row_that_says_so():
    outcomes = [Outcome(answer=parse_autocode(NO_MATCH))]
    frame = verdict_table(AUTOCODE, ["cholera"], outcomes, autocode_fields, index=pd.RangeIndex(1))
    assert frame.status.tolist() == ["no_match"]
    assert frame[["code", "entity_id", "uri"]].isna().all(axis=None)


def test_a_search_goes_as_get_and_a_long_one_as_post_with_form_fields(answering):
    wire = answering({"destinationEntities": []})
    search = SearchEndpoint(wire, "mms")
    search.search("fever", "2024-01")
    search.search("fever " * 400, "2024-01", options=SearchOptions(chapter_filter=("01", "02")))
    assert [method for method, *_ in wire.sent] == ["GET", "POST"]
    assert {path for _, path, _ in wire.sent} == {"/icd/release/11/2024-01/mms/search"}
    assert wire.sent[0][2]["highlightingEnabled"] == "false"
    assert wire.sent[1][2]["chapterFilter"] == "01;02"
    assert wire.sent[1][2]["q"] == "fever " * 400


@pytest.mark.parametrize(
    ("classification", "options", "sentence"),
    [
        ("mms", {"properties_to_be_searched": "Title"}, "medical_coding_mode=False"),
        ("mms", {"properties_to_be_searched": "Titel", "medical_coding_mode": False}, "Did you mean 'Title'"),
        ("mms", {"properties_to_be_searched": "Synonym", "medical_coding_mode": False}, "unknown in mms"),
        ("mms", {"chapter_filter": None}, "chapter_filter=None"),
        ("foundation", {"include_keyword_result": True}, "no include_keyword_result"),
        ("foundation", {"medical_coding_mode": False}, "no medical_coding_mode"),
        ("icd10", {}, "no search for the classification 'icd10'"),
        ("mms", {"language": ["en", "es"]}, "one language"),
    ],
)
def test_an_option_without_meaning_is_refused(icd_client, classification, options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        icd_client.search("fever", classification=classification, **options)


def test_an_unknown_language_is_told_from_a_search_without_hits(icd_client):
    with pytest.raises(UnknownLanguageError, match="'onion'"):
        icd_client.search("fever", language="onion")


def test_autocode_has_its_limits(icd_client):
    for threshold in (2, "0.5"):
        with pytest.raises(ConfigurationError, match="0 to 1"):
            icd_client.autocode("fever", match_threshold=threshold)
    with pytest.raises(ConfigurationError, match="no autocode"):
        icd_client.autocode("fever", classification="icd10")
    with pytest.raises(ConfigurationError, match="too many for autocode"):
        icd_client.autocode("fever " * 400)
    assert icd_client.autocode(["fever " * 400]).status.tolist() == ["invalid"]


def test_a_search_finds_entities_of_the_sample(icd_client):
    hits = icd_client.search("cholera", release="2024-01")
    assert hits.loc[0, ["query", "code", "title", "status"]].tolist() == ["cholera", "1A00", "Cholera", "ok"]
    assert not hits.title.str.contains("<em").any()
    assert icd_client.search("cholera", highlight=True).title.str.contains("<em class='found'>").any()
    assert hits.attrs["provenance"]["release"] == "2024-01"


def test_filters_take_codes_ids_and_uris(icd_client, icd_sandbox):
    both = icd_client.search("cholera", subtrees_filter=["1A00", 257068234, "http://id.who.int/icd/entity/257068234"])
    assert "1A00" in set(both.code)
    assert not len(icd_client.search("cholera", chapter_filter="22"))
    sent = next(request.path for request in icd_sandbox.log if "subtreesFilter" in request.path)
    assert sent.count("257068234") == 3


def test_the_foundation_is_searched_with_its_release(icd_client, icd_sandbox):
    hits = icd_client.search("cholera", classification="foundation")
    assert "257068234" in set(hits.entity_id)
    assert hits.code.isna().all()
    assert any("/icd/entity/search" in request.path for request in icd_sandbox.log)


def test_a_column_of_queries_keeps_index_and_order(icd_client):
    queries = pd.Series(["cholera", None, "no such illness", "cholera"], index=list("wxyz"))
    tables = icd_client.search_tables(queries)
    firsts = tables.hits[~tables.hits.index.duplicated()]
    assert firsts.index.tolist() == list("wxyz")
    assert firsts.status.tolist() == ["ok", "empty", "no_match", "ok"]
    assert tables.hits.loc[["w"]].title.tolist() == tables.hits.loc[["z"]].title.tolist()
    for position, label in zip(tables.terms.hit, tables.terms.entity_id, strict=True):
        assert tables.hits.entity_id.iloc[position] == label


def test_a_chopped_answer_warns_and_says_so_in_the_table(icd_client, monkeypatch):
    hit = SearchHit(uri=f"{MMS}/1", entity_id="1", title="x")
    monkeypatch.setattr(SearchEndpoint, "search", lambda *_, **__: SearchResult(hits=(hit,), chopped=True))
    with pytest.warns(TruncatedResultWarning, match="'fever'"):
        hits = icd_client.search("fever")
    assert hits.attrs["chopped"] is True
    assert hits.chopped.tolist() == [True]


def test_a_failing_server_costs_only_the_rows_that_it_fails(icd_client, icd_sandbox):
    icd_client.newest_release()
    icd_sandbox.fail("*/search", status=501, times=1)
    with pytest.warns(PartialResultWarning, match="1 of 2 values"):
        hits = icd_client.search(["cholera", "fever"])
    assert sorted(set(hits.status)) == ["failed", "ok"]


def test_a_query_too_long_for_a_url_is_searched_too(icd_client, icd_sandbox):
    icd_client.search("cholera " * 300, use_flexisearch=True)
    assert [request.method for request in icd_sandbox.log if request.path.endswith("/search")] == ["POST"]
    assert icd_client.search("cholera " * 300, use_flexisearch=True).code[0] == "1A00"


def test_search_tables_have_a_readable_summary(icd_client):
    tables = icd_client.search_tables("cholera")
    assert "hits" in repr(tables)
    assert "chopped" in tables._repr_html_()
    assert len(tables) == len(tables.hits)
