"""The endpoints that give entities, roots and release lists."""

import pytest

from icdframes.model.decode import parse_entity, parse_release_list, parse_top_level

MMS = "/icd/release/11/2024-01/mms"
TEXT_404 = "Requested resource could not be found"


def test_a_linearization_entity_has_the_observed_keys_in_the_observed_order(api):
    assert list(api.json(f"{MMS}/11")) == [
        "@context", "@id", "parent", "browserUrl", "code", "source", "classKind", "postcoordinationScale", "title",
        "definition", "inclusion", "exclusion", "fullySpecifiedName", "relatedEntitiesInMaternalChapter", "indexTerm",
    ]  # fmt: skip


def test_bodies_are_compact_json_with_unescaped_characters(api):
    answer = api.get(f"{MMS}/11", language="es")
    assert b'"title":{"@language":"es","@value":"C\xc3\xb3lera"}' in answer.content
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_every_uri_names_the_host_of_who_and_the_release(api):
    entity = api.json(f"{MMS}/11")
    assert entity["@id"] == "http://id.who.int/icd/release/11/2024-01/mms/11"
    assert entity["parent"] == ["http://id.who.int/icd/release/11/2024-01/mms/10"]
    assert entity["source"] == "http://id.who.int/icd/entity/11"
    assert entity["exclusion"][0]["linearizationReference"] == f"http://id.who.int{MMS}/20/other"
    assert entity["postcoordinationScale"][1] == {
        "@id": f"http://id.who.int{MMS}/11/postcoordinationScale/specificAnatomy",
        "axisName": "http://id.who.int/icd/schema/specificAnatomy",
        "requiredPostcoordination": "true",
        "allowMultipleValues": "AllowedExceptFromSameBlock",
        "scaleEntity": [f"http://id.who.int{MMS}/91"],
    }


def test_a_block_has_an_empty_code_and_children_with_the_residual_last(api):
    block = api.json(f"{MMS}/10")
    assert block["code"] == ""
    assert block["child"] == [f"http://id.who.int{MMS}/{key}" for key in ("11", "12", "10/unspecified")]


def test_a_residual_has_an_address_of_its_own_and_no_source(api):
    residual = api.json(f"{MMS}/10/unspecified")
    assert residual["@id"] == f"http://id.who.int{MMS}/10/unspecified"
    assert "source" not in residual


def test_a_release_has_its_own_texts_codes_and_entities(api):
    old = "/icd/release/11/2022-02/mms"
    assert api.json(f"{old}/11")["title"]["@value"] == "Cholera (old)"
    assert api.json(f"{old}/codeinfo/1A0A")["stemId"] == f"http://id.who.int{old}/11"
    assert api.get(f"{old}/12").status_code == 404
    assert api.json(f"{MMS}/12")["code"] == "1A01"


def test_untranslated_texts_come_in_english_with_the_marker_and_the_wanted_language(api):
    entity = api.json(f"{MMS}/11", language="fr")
    marker = " [No translation available]"
    assert entity["title"] == {"@language": "fr", "@value": "Cholera" + marker}
    assert entity["definition"]["@value"] == "A gut infection." + marker
    assert entity["inclusion"][0]["label"]["@value"] == "Asiatic cholera" + marker
    assert parse_entity(entity).translated is False


def test_the_browser_url_follows_the_language(api):
    assert api.json(f"{MMS}/11", language="es")["browserUrl"] == "https://icd.who.int/browse/2024-01/mms/es#11"
    assert api.json("/icd/entity/11")["browserUrl"] == "https://icd.who.int/browse/2024-01/foundation/en#11"
    assert (
        api.json("/icd/release/10/2019/A00")["browserUrl"]
        == "http://apps.who.int/classifications/icd10/browse/2019/en#/A00"
    )


@pytest.mark.parametrize(
    ("include", "present"),
    [
        ("", set()),
        ("ancestor", {"ancestor"}),
        ("ancestor, descendant", {"ancestor", "descendant"}),
        ("diagnosticCriteria", {"diagnosticCriteria"}),
        ("nonsense", set()),
    ],
)
def test_include_adds_what_it_names(api, include, present):
    entity = api.json(f"/icd/release/11/2024-01/mms/{'11' if 'Criteria' in include else '10'}?include={include}")
    assert {"ancestor", "descendant", "diagnosticCriteria"} & set(entity) == present


def test_ancestors_come_nearest_first_and_descendants_in_tabular_order(api):
    assert api.json(f"{MMS}/11?include=ancestor")["ancestor"] == [f"http://id.who.int{MMS}/{key}" for key in (10, 1)]
    below = api.json(f"{MMS}/1?include=descendant")["descendant"]
    assert below == [f"http://id.who.int{MMS}/{key}" for key in ("10", "11", "12", "10/unspecified")]
    above = api.json("/icd/entity/110?include=ancestor")["ancestor"]
    assert above == [f"http://id.who.int/icd/entity/{key}" for key in (11, 20, 10, 2, 1, 448895267)]


def test_an_entity_of_the_foundation_has_all_its_parents_and_no_code(api):
    entity = api.json("/icd/entity/110")
    assert entity["parent"] == ["http://id.who.int/icd/entity/11", "http://id.who.int/icd/entity/20"]
    assert list(entity) == ["@context", "@id", "parent", "child", "browserUrl", "title"]


def test_the_foundation_root_names_releases_and_linearizations(api):
    root = api.json("/icd/entity")
    assert list(root) == [
        "@context", "@id", "title", "releaseId", "releaseDate", "availableLanguages", "allReleases",
        "includedLinearizations", "child", "browserUrl",
    ]  # fmt: skip
    assert root["allReleases"] == [f"http://id.who.int/icd/entity?version={one}" for one in ("2024-01", "2022-02")]
    assert root["includedLinearizations"] == [
        f"http://id.who.int/icd/release/11/2024-01/{lin}" for lin in ("mms", "icf")
    ]
    assert root["child"] == [f"http://id.who.int/icd/entity/{key}" for key in (448895267, 1405434703)]


def test_the_foundation_answers_for_the_release_that_is_asked_for(api):
    assert api.json("/icd/entity")["releaseId"] == "2024-01"
    assert api.json("/icd/entity?releaseId=2022-02")["releaseId"] == "2022-02"
    assert "child" in api.json("/icd/entity/110")
    assert "child" not in api.json("/icd/entity/110?releaseId=2022-02")


def test_the_root_of_a_linearization_is_as_recorded(api):
    root = api.json(MMS)
    assert root == {
        "@context": "http://id.who.int/icd/contexts/contextForTopLevel.json",
        "@id": "http://id.who.int/icd/release/11/2024-01/mms",
        "title": {"@language": "en", "@value": "ICD-11 for Mortality and Morbidity Statistics"},
        "releaseId": "2024-01",
        "releaseDate": "2024-01-21",
        "availableLanguages": ["en", "es", "fr"],
        "prereleaseLanguages": ["fr"],
        "child": [f"http://id.who.int{MMS}/{key}" for key in (1, 2, 9)],
        "browserUrl": "https://icd.who.int/browse/2024-01/mms/en",
    }
    assert parse_top_level(root).child_ids == ("1", "2", "9")


def test_release_lists_are_newest_first_and_hold_only_releases_with_the_entity(api):
    listing = parse_release_list(api.json("/icd/release/11/mms"))
    assert (listing.latest, listing.releases) == ("2024-01", ("2024-01", "2022-02"))
    assert parse_release_list(api.json("/icd/release/11/mms/12")).releases == ("2024-01",)
    residual = api.json("/icd/release/11/mms/10/unspecified")
    assert residual["latestRelease"] == f"http://id.who.int{MMS}/10/unspecified"
    assert residual["title"]["@value"] == "Gut, unspecified"
    assert api.json("/icd/release/11/mms/11", language="fr")["title"]["@value"].startswith("Cholera [No tr")


def test_icd10_has_lists_roots_and_entities_of_its_own_shape(api):
    assert api.json("/icd/release/10")["title"]["@value"] == "ICD-10"
    assert api.json("/icd/release/10")["release"] == [f"http://id.who.int/icd/release/10/{y}" for y in (2019, 2016)]
    root = api.json("/icd/release/10/2019")
    assert list(root) == ["@context", "@id", "title", "releaseDate", "child", "browserUrl"]
    assert root["title"]["@value"] == "ICD-10 Version for 2019"
    block = api.json("/icd/release/10/2019/A00-A09")
    assert list(block) == ["@context", "@id", "parent", "child", "browserUrl", "code", "title", "classKind"]
    assert api.json("/icd/release/10/A00.0")["release"] == ["http://id.who.int/icd/release/10/2019/A00.0"]


@pytest.mark.parametrize(
    ("recorded_file", "path"),
    [
        ("icd10_2019_A00.json", "/icd/release/10/2019/A00"),
        ("release_10.json", "/icd/release/10"),
        ("release_11_2026-01_mms.json", MMS),
        ("release_11_mms_in_2026.json", "/icd/release/11/mms"),
        ("codeinfo_2024-01_8B20.json", f"{MMS}/codeinfo/1A00"),
    ],
)
def test_documents_have_the_keys_of_the_recorded_ones(api, recorded, recorded_file, path):
    import json

    real = json.loads((recorded / recorded_file).read_text(encoding="utf-8"))
    assert list(api.json(path)) == list(real)


@pytest.mark.parametrize(
    ("foundation_id", "found"),
    [
        ("11", "11"),
        ("1", "1"),
        ("10", "10/unspecified"),
        ("110", "11"),
        ("111", "11"),
        ("91", "91"),
        ("448895267", None),
        ("999", None),
    ],
)
def test_lookup_tells_where_a_foundation_entity_is_coded(api, foundation_id, found):
    answer = api.get(f"{MMS}/lookup?foundationUri=http%3A%2F%2Fid.who.int%2Ficd%2Fentity%2F{foundation_id}")
    assert (answer.json()["@id"] if answer.ok else None) == (found and f"http://id.who.int{MMS}/{found}")


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "?foundationUri=11",
        "?foundationUri=http://id.who.int/icd/entity",
        f"?foundationUri=http://id.who.int{MMS}/11",
    ],
)
def test_lookup_of_what_is_no_foundation_entity_is_not_found(api, asked):
    assert api.get(f"{MMS}/lookup{asked}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/", "/icd", "/icd/release/11", "/icd/release/11/2024-01", "/icd/release/11/ichi", "/icd/entity/12345",
        "/icd/entity?releaseId=1999-01", "/icd/release/11/2019-04/mms", "/icd/release/11/2022-02/icf",
        f"{MMS}/999", f"{MMS}/11/unspecified", f"{MMS}/11/nothing", f"{MMS}/codeinfo", "/icd/release/10/2008",
        "/icd/release/10/2016/A00.0", "/icd/release/10/Z99", "/icd/release/11/mms/999", "/icd/release/11/2024-01/icd10",
        "/icd/release/11/foundation", "/icd/release/11/2024-01/foundation/1",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404_with_a_plain_text(api, path):
    answer = api.get(path)
    assert (answer.status_code, answer.text) == (404, TEXT_404)
    assert not answer.headers["Content-Type"].startswith("application/json")


def test_a_trailing_slash_and_unknown_parameters_change_nothing(api):
    assert api.json(f"{MMS}/11/?whatever=1&x") == api.json(f"{MMS}/11")
    assert api.json("/icd/entity/") == api.json("/icd/entity")
