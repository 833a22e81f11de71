"""Corpora from files: tables, tabulations, raw entities."""

import gzip
import json

import pytest

from icdframes.errors import FileFormatError
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import write_tables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import EntityGraph
from icdframes.sandbox import load_corpus
from icdframes.sandbox.corpus_files import corpus_of_documents

MMS = "/icd/release/11/2024-01/mms"


def foundation(entity_id, parents=(), children=(), **more):
    uri = "http://id.who.int/icd/entity"
    return {
        "@context": "http://id.who.int/icd/contexts/contextForFoundationEntity.json",
        "@id": f"{uri}/{entity_id}",
        "parent": [f"{uri}/{key}" for key in parents],
        **({"child": [f"{uri}/{key}" for key in children]} if children else {}),
        "browserUrl": f"https://icd.who.int/browse/2026-01/foundation/en#{entity_id}",
        "title": {"@language": "en", "@value": f"Title {entity_id}"},
        **more,
    }


RAW = [
    foundation(1, [455013390], [2, 3], level=0),
    foundation(2, [1], [3], level=1, longDefinition={"@language": "en", "@value": "L"}, unheardOf=[1, None]),
    foundation(3, [1, 2], level=1),
    foundation(3, [1, 2], level=2),
]


@pytest.fixture(params=["list", "object", "gz"])
def raw_file(request, tmp_path):
    content = json.dumps(RAW if request.param == "list" else {str(n): doc for n, doc in enumerate(RAW)})
    path = tmp_path / ("raw.json.gz" if request.param == "gz" else "raw.json")
    path.write_bytes(gzip.compress(content.encode()) if request.param == "gz" else content.encode())
    return path


def test_raw_entities_are_served_as_they_were_read_without_their_level(raw_file, start, talk):
    api = talk(start(load_corpus(raw_file)))
    for document in RAW:
        served = api.json(document["@id"].removeprefix("http://id.who.int"))
        expected = {key: value for key, value in document.items() if key != "level"}
        assert served == expected
        assert list(served) == list(expected)
    root = api.json("/icd/entity")
    assert (root["releaseId"], root["child"]) == ("2026-01", ["http://id.who.int/icd/entity/1"])
    assert "includedLinearizations" not in root


def test_raw_entities_can_have_their_descendants_included(start, talk):
    api = talk(start(corpus_of_documents(RAW)))
    entity = api.json("/icd/entity/1?include=descendant,ancestor")
    assert entity["descendant"] == ["http://id.who.int/icd/entity/2", "http://id.who.int/icd/entity/3"]
    assert "ancestor" not in entity
    assert api.json("/icd/entity/2?include=ancestor")["unheardOf"] == [1, None]


def test_raw_entities_of_several_releases_make_several_listings():
    one = {"@id": "http://id.who.int/icd/release/11/2024-01/mms/1", "title": {"@language": "es", "@value": "Uno"}}
    two = {"@id": "http://id.who.int/icd/release/10/2019/A00", "title": {"@language": "en", "@value": "Cholera"}}
    corpus = corpus_of_documents([one, two])
    assert [(at.classification, at.release, at.languages) for at in corpus] == [
        ("mms", "2024-01", ("es",)),
        ("icd10", "2019", ("en",)),
    ]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", b"{", "cannot be read as JSON.*give"),
        ("a.json.gz", b"no gzip", "cannot be read as JSON"),
        ("a.json", b"[1]", "no list of entities.*give"),
        ("a.json", b'"text"', "no list of entities"),
        ("a.json", b"[]", "no entity .*give"),
        ("a.json", b'{"@id": "http://id.who.int/icd/entity/1"}', "Item 0"),
        ("a.txt", b"no tabulation", "a.txt"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=complaint) as refused:
        load_corpus(path)
    assert name in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no corpus at"):
        load_corpus(tmp_path / "nothing")


@pytest.fixture
def folder(corpus, tmp_path):
    """The small MMS as a folder of tables, in English and Spanish."""
    listing = corpus.listing("mms")
    graph = EntityGraph(listing.tops, listing.entities["en"])
    tables = build_tables(
        graph,
        Provenance("http://x", "mms", "2024-01", ("en", "es")),
        chapters={top: listing.entity(top).code for top in listing.tops},
        translations={"es": listing.entities["es"]},
        include=("diagnosticCriteria",),
    )
    return write_tables(tables, tmp_path / "tables")


def test_a_folder_of_tables_is_served_as_what_was_loaded(folder, api, start, talk, corpus):
    other = talk(start(load_corpus(folder)))
    for entity_id in corpus.listing("mms"):
        path = f"{MMS}/{entity_id}?include=ancestor,descendant,diagnosticCriteria"
        assert other.json(path) == api.json(path)
    assert other.json(f"{MMS}/11", language="es")["title"] == {"@language": "es", "@value": "Cólera"}
    assert other.json(f"{MMS}/20", language="es")["title"]["@value"] == "Growth [No translation available]"
    assert other.get(f"{MMS}/20", language="fr").status_code == 404
    assert other.get("/icd/entity").status_code == 404
    assert other.json(f"{MMS}/lookup?foundationUri=http://id.who.int/icd/entity/10")["code"] == "1A0Z"
    assert other.json(f"{MMS}/codeinfo/1A00%26XN1A")["infectiousAgent"] == ["XN1A"]


def test_a_branch_in_tables_has_no_children_that_are_not_there(corpus, tmp_path, start, talk):
    listing = corpus.listing("mms")
    few = {key: listing.entity(key) for key in ("10", "11")}
    tables = build_tables(
        EntityGraph(("10",), few), Provenance("http://x", "mms", "2024-01", root="10"), chapters={"10": "01"}
    )
    api = talk(start(load_corpus(write_tables(tables, tmp_path / "branch"))))
    assert api.json(MMS)["child"] == [f"http://id.who.int{MMS}/10"]
    assert api.json(f"{MMS}/10")["child"] == [f"http://id.who.int{MMS}/11"]


@pytest.mark.full_size
def test_the_tabulation_of_who_is_served_whole(full_size, start, talk):
    corpus = load_corpus(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")
    assert len(corpus.listing("mms", "2024-01")) == 36_044
    api = talk(start(corpus))
    root = api.json(MMS)
    assert len(root["child"]) == 28
    assert api.json(f"{MMS}/codeinfo/1A00")["stemId"] == f"http://id.who.int{MMS}/257068234"
    chapter = api.json(f"{MMS}/1435254666?include=descendant")
    assert chapter["code"] == "01"
    assert len(chapter["descendant"]) > 1_000


@pytest.mark.full_size
def test_the_raw_answers_of_a_chapter_are_served_verbatim(full_size, start, talk):
    path = full_size / "foundation" / "2026-01_foundation_chapter06_raw_api.json.gz"
    corpus = load_corpus(path)
    assert len(corpus.listing("foundation", "2026-01")) == 1_955
    with gzip.open(path, "rt", encoding="utf-8") as file:
        first = next(iter(json.load(file).values()))
    first.pop("level", None)
    assert talk(start(corpus)).json("/icd/entity/334423054") == first
