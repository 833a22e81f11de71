"""Real, full-size classifications served by the sandbox in a process of its own, and loaded over HTTP."""

import csv
import gzip
import json
import subprocess
import sys

import pandas as pd
import pytest

import icdframes
from icdframes.frames.pandas_compat import is_text
from icdframes.model.uris import entity_id_of

pytestmark = pytest.mark.full_size

ENTITY = "http://id.who.int/icd/entity"
TOP = f"{ENTITY}/448895267"


@pytest.fixture
def serve(tmp_path):
    """Return a function that serves a corpus and connects to it."""
    opened = []

    def start(*arguments):
        command = [sys.executable, "-m", "icdframes", "sandbox", "--no-auth", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        opened.append(process)
        url = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        client = icdframes.connect(url, cache_dir=tmp_path / "cache", max_workers=4)
        opened.append(client)
        return client

    yield start
    for one in reversed(opened):
        if isinstance(one, subprocess.Popen):
            one.terminate()
            one.communicate(timeout=20)
        else:
            one.close()


def _who_rows(path):
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


@pytest.mark.parametrize(
    ("chapter", "rows", "defined"),
    [("01", 1_032, 500), pytest.param(None, 35_459, 7_500, marks=pytest.mark.full_size_walk)],
)
def test_the_mms_agrees_with_whos_own_table_row_by_row(serve, full_size, chapter, rows, defined):
    table = full_size / "mms" / "2022-02_simpletabulation_en.tsv.gz"
    client = serve("--corpus", table, "--text", full_size / "mms_text" / "2022-02_mms_text_en.jsonl.gz")
    tables = client.load_tables(chapter, release="2022-02", progress=False)
    frame = tables.entities
    who = pd.DataFrame(row for row in _who_rows(table) if chapter in {None, row["ChapterNo"]})
    assert len(frame) == len(who) == rows
    uris = who["Linearization (release) URI"]
    dashes = who["Title"].str.extract(r"^((?:- )*)")[0]
    expected = {
        "entity_id": uris.map(entity_id_of),
        "code": who["Code"].where(who["ClassKind"] != "chapter", who["ChapterNo"]),
        "title": who["Title"].str.replace(r"^(?:- )*", "", regex=True),
        "class_kind": who["ClassKind"],
        "depth": dashes.str.len() // 2,
        "block_id": who["BlockId"],
        "is_residual": who["IsResidual"] == "True",
        "is_leaf": who["isLeaf"] == "True",
        "chapter": who["ChapterNo"],
    }
    for column, values in expected.items():
        found = frame[column].fillna("") if is_text(frame[column].dtype) else frame[column]
        assert found.tolist() == values.tolist(), column
    assert frame.definition.notna().sum() > defined
    assert {"inclusion"} <= set(tables.terms.kind)
    assert {"exclusion", "child_elsewhere"} <= set(tables.references.kind)


def test_the_raw_foundation_branch_of_chapter_06_keeps_every_edge(serve, full_size):
    path = full_size / "foundation" / "2026-01_foundation_chapter06_raw_api.json.gz"
    visits = json.loads(gzip.decompress(path.read_bytes())).values()
    docs = {entity_id_of(doc["@id"]): doc for doc in visits}
    client = serve("--corpus", path)
    tables = client.load_tables("334423054", classification="foundation", progress=False)
    frame = tables.entities
    assert len(frame) == len(docs) == 1_955
    assert frame.entity_id.is_unique
    expected = {(entity_id_of(parent), key) for key, doc in docs.items() for parent in doc["parent"]}
    assert set(zip(tables.edges.parent_id, tables.edges.child_id, strict=True)) == expected
    assert dict(zip(frame.entity_id, frame.title, strict=True)) == {
        key: doc["title"]["@value"] for key, doc in docs.items()
    }
    assert (tables.terms.kind == "synonym").sum() == sum(len(doc.get("synonym", ())) for doc in docs.values())
    assert (tables.references.kind == "exclusion").sum() == sum(len(doc.get("exclusion", ())) for doc in docs.values())


@pytest.mark.parametrize(
    ("root", "rows"), [("1435254666", 1_391), pytest.param("448895267", 36_082, marks=pytest.mark.full_size_walk)]
)
def test_a_poly_hierarchy_is_walked_without_repeat(serve, full_size, tmp_path, root, rows):
    edges = pd.read_csv(full_size / "foundation" / "derived_2022_multi_parent_edges.tsv.gz", sep="\t", dtype=str)
    tops = edges.parent[~edges.parent.isin(edges.child)].drop_duplicates()
    edges = pd.concat([pd.DataFrame({"parent": TOP, "child": tops}), edges[["parent", "child"]]], ignore_index=True)
    children = edges.groupby("parent", sort=False)["child"].agg(list).to_dict()
    parents = edges.groupby("child", sort=False)["parent"].agg(list).to_dict()
    inside = _below(f"{ENTITY}/{root}", children)
    corpus = tmp_path / "derived.json"
    corpus.write_text(json.dumps([_doc(uri, parents.get(uri, [ENTITY]), children.get(uri, ())) for uri in inside]))
    client = serve("--corpus", corpus)
    tables = client.load_tables(root, classification="foundation", progress=False)
    assert len(tables.entities) == len(inside) == rows
    assert set(tables.entities.entity_id) == set(map(entity_id_of, inside))
    assert len(tables.edges) == edges.child.isin(inside).sum()
    assert client.cache_info().requests_sent < rows + 10


def _below(root, children):
    """Return an entity and all below it, each once."""
    found, queue = {}, [root]
    while queue:
        uri = queue.pop()
        if uri not in found:
            found[uri] = None
            queue += children.get(uri, ())
    return found


def _doc(uri, parents, children):
    return {
        "@context": "http://id.who.int/icd/contexts/contextForFoundationEntity.json",
        "@id": uri,
        "parent": parents,
        **({"child": list(children)} if children else {}),
        "browserUrl": "NA",
        "title": {"@language": "en", "@value": uri.rpartition("/")[2]},
    }


@pytest.mark.slow
def test_blocks_and_chapters_of_icf_are_loaded_by_their_names(serve, full_size):
    client = serve("--corpus", full_size / "icf" / "2022-09_LinearizationMiniOutput-ICF-en.zip")
    found = {
        name: client.load_entity(name, classification="icf", depth=0, progress=False).iloc[0]
        for name in ("b1", "BlockL3-b11", "b", "B110", "e5")
    }
    assert {name: row["entity_id"] for name, row in found.items()} == {
        "b1": "1363559646", "BlockL3-b11": "882590883", "b": "567313968", "B110": "1060289548", "e5": "949333446",
    }  # fmt: skip
    assert {name: row["chapter"] for name, row in found.items()} == {
        "b1": "b1", "BlockL3-b11": "b1", "b": "b", "B110": "b1", "e5": "e5",
    }  # fmt: skip
    told = client.decode_codes("b110.2 d5409.qp3", classification="icf")
    assert told[["code", "qualifiers", "status"]].to_numpy().tolist() == [["b110", "2", "ok"], ["d5409", "qp3", "ok"]]
