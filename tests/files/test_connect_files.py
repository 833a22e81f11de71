"""`connect("files")`: the same methods as for the API, answered from files that the sandbox serves."""

import os
import subprocess
import sys

import pandas as pd
import pytest

import icdframes
from icdframes.errors import (
    ConfigurationError,
    EntityNotFoundError,
    OfflineMissError,
    PartialResultWarning,
    TruncatedResultWarning,
    UnknownLanguageError,
    UnknownReleaseError,
)
from icdframes.frames.schema import as_lists
from icdframes.sandbox import Sandbox, load_corpus

MMS = "/static/releasefiles/2024-01/SimpleTabulation-ICD-11-MMS-en.zip"
SAME = [
    "entity_id", "code", "title", "class_kind", "depth", "parent_id", "n_children", "is_leaf", "is_residual", "chapter",
    "block_id", "foundation_id", "translated", "uri",
]  # fmt: skip


@pytest.fixture(scope="module")
def served():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def server(served, monkeypatch):
    served.clear_faults()
    served.clear_log()
    monkeypatch.setenv("ICD_FILES_URL", served.url)
    return served


@pytest.fixture
def client(server, tmp_path):
    with icdframes.connect("files", cache_dir=tmp_path) as connected:
        connected._file_tables._told = True
        yield connected


def methods(server):
    return [(one.method, one.path) for one in server.log]


def test_a_first_load_is_one_request_and_a_second_one_none(client, server, tmp_path):
    frame = client.load_entity(release="2024-01")
    assert methods(server) == [("GET", MMS)]
    again = icdframes.connect("files", cache_dir=tmp_path, offline=True)
    again._file_tables._told = True
    assert again.load_entity(release="2024-01").equals(frame)
    assert again.load_entity("1A00", release="2024-01")["title"].tolist() == ["Cholera"]
    assert len(server.log) == 1
    assert frame.attrs["provenance"]["server"] == server.url + MMS


@pytest.mark.slow
@pytest.mark.parametrize("classification", ["mms", "icf", "icd10"])
def test_files_and_api_agree(classification, client, server, tmp_path):
    found = client.load_tables(classification=classification)
    with icdframes.connect(
        server.url, token_url=server.token_url, client_id=server.client_id, client_secret=server.client_secret,
        cache_dir=tmp_path / "api",
    ) as api:  # fmt: skip
        wanted = api.load_tables(classification=classification)
    assert found.entities[SAME].equals(wanted.entities[SAME])
    assert found.edges.equals(wanted.edges)
    assert found.provenance.release == wanted.provenance.release


def test_several_languages_stand_side_by_side(client):
    frame = client.load_entity("1A00", language=["es", "en"])
    assert frame[["title", "title_en", "translated"]].to_numpy().tolist() == [["Cólera", "Cholera", True]]


@pytest.mark.parametrize(
    "entity, depth, codes",
    [
        ("1A03", None, ["1A03", "1A03.0", "1A03.1", "1A03.2", "1A03.3", "1A03.Y", "1A03.Z"]),
        (["1A03.0", "1A00"], None, ["1A03.0", "1A00"]),
        ("01", 0, ["01"]),
        ("http://id.who.int/icd/entity/257068234", None, ["1A00"]),
        ("257068234", None, ["1A00"]),
    ],
)
@pytest.mark.parametrize("with_parquet", [True, False])
def test_a_branch_is_cut_from_the_file(entity, depth, codes, with_parquet, client, monkeypatch):
    if not with_parquet:
        monkeypatch.setattr("icdframes.frames.snapshots.has_pyarrow", lambda: False)
    frame = client.load_entity(entity, depth=depth)
    assert [code for code in as_lists(frame)["code"] if code] == codes
    assert set(as_lists(frame)["chapter"]) == {"01"}
    assert client.load_tables(entity, depth=depth).entities.equals(frame)


def test_releases_and_languages_are_looked_for_once_a_day(client, server):
    assert client.releases().release.tolist() == ["2024-01", "2022-02"]
    assert client.languages() == ["en", "es", "fr"]
    assert {method for method, _ in methods(server)} == {"HEAD"}
    server.clear_log()
    assert client.newest_release() == "2024-01"
    assert client.languages() == ["en", "es", "fr"]
    assert client.releases("icf").release.tolist() == ["2024-01"]
    assert client.releases("icd10").release.tolist() == ["2019"]
    assert not [path for _, path in methods(server) if "MMS" in path]


def test_single_entities_codes_and_the_tree_come_from_the_file(client):
    entity = client.entity("1A03", include=["ancestor", "descendant"])
    assert (entity.title, len(entity.descendant_ids)) == ("Intestinal infections due to Escherichia coli", 6)
    assert entity.ancestor_ids[-1] == "1435254666"
    assert client.codeinfo(["1A00", "9Z99"]).status.tolist() == ["ok", "not_found"]
    assert client.lookup(257068234).code.item() == "1A00"
    root = client.get("/icd/release/11/2024-01/mms")
    assert root["child"][0].endswith("/1435254666")


def test_the_levels_of_a_tree_come_from_the_file(client):
    from icdframes.widgets.tree_sources import ClientLevels

    levels = ClientLevels(client, "mms", None, "en")
    top = levels.top().entities
    assert [entity.code for entity in top[:2]] == ["01", "02"]
    below = levels.below(top[0], lambda _progress: None)
    assert (below.problem, below.entities[0].block_id) == ("", "BlockL1-1A0")


def test_what_files_lack_is_said_once(server, tmp_path):
    with icdframes.connect("files", cache_dir=tmp_path) as client:
        with pytest.warns(PartialResultWarning, match=r"no definitions, terms.*connect\(\) with a free key") as told:
            client.load_tables("1A00")
        assert len(told) == 1
        tables = client.load_tables("1A00")  # a second warning would be an error
    assert tables.entities["definition"].isna().all()
    assert len(tables.terms) == 0


@pytest.mark.parametrize(
    "ask, error, words",
    [
        (
            lambda client: client.search("cholera", use_flexisearch=True),
            ConfigurationError,
            "use_flexisearch=True is known to a server only",
        ),
        (lambda client: client.describe("1A00"), ConfigurationError, r"do not have describe\(\)"),
        (lambda client: client.doris({"cause_a": "1A00"}), ConfigurationError, r"do not have doris\(\)"),
        (lambda client: client.post("/icd/release/11/2024-01/doris"), ConfigurationError, "do not have doris"),
        (lambda client: client.codeinfo("1A00&XN62R"), ConfigurationError, "do not have the axes of clusters"),
        (lambda client: client.entity_releases("1A00"), ConfigurationError, r"do not have entity_releases\(\)"),
        (lambda client: client.load_entity(classification="foundation"), ConfigurationError, "have the foundation"),
        (lambda client: client.load_entity(release="2021-05"), UnknownReleaseError, "there are 2024-01, 2022-02"),
        (lambda client: client.languages(release="2021-05"), UnknownReleaseError, "there are 2024-01, 2022-02"),
        (lambda client: client.load_entity(language="de"), UnknownLanguageError, "in 'de': there are en, es, fr"),
        (lambda client: client.load_entity("9Z99"), EntityNotFoundError, "No code '9Z99' in mms 2024-01"),
        (lambda client: client.load_entity("999"), EntityNotFoundError, "no entity '999' in mms 2024-01"),
    ],
)
def test_what_cannot_be_had_has_a_sentence(ask, error, words, client):
    with pytest.raises(error, match=words):
        ask(client)


def test_offline_without_a_file_says_so(server, tmp_path):
    with icdframes.connect("files", cache_dir=tmp_path, offline=True) as client:
        client._file_tables._told = True
        with pytest.raises(OfflineMissError, match="was not downloaded before"):
            client.load_entity(release="2024-01")
    assert server.log == []


def test_no_token_goes_to_the_files(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ICD_CLIENT_ID", "someone")
    monkeypatch.setenv("ICD_CLIENT_SECRET", "something")
    with icdframes.connect("files", cache_dir=tmp_path) as client:
        client._file_tables._told = True
        client.load_entity(release="2024-01")
    assert not any(one.has_token for one in server.log)


def test_a_mirror_must_be_an_address(monkeypatch):
    monkeypatch.setenv("ICD_FILES_URL", "hospital/files")
    with pytest.raises(ConfigurationError, match="address in ICD_FILES_URL"):
        icdframes.connect("files")


def test_refresh_asks_whether_the_file_has_changed(client, server):
    client.load_entity("1A00", release="2024-01")
    client.load_entity("1A00", release="2024-01", refresh=True)
    assert [one.status for one in server.log] == [200, 304]


@pytest.mark.slow
def test_texts_are_searched_in_the_files(client):
    pytest.importorskip("sklearn", reason="the extra coding is not installed")
    hits = client.search("cholera", release="2024-01")
    assert hits.loc[0, ["code", "title"]].tolist() == ["1A00", "Cholera"]
    assert (hits["status"] == "ok").all()
    assert client.search("cholera", release="2024-01", chapter_filter="02").empty
    below = client.search("insomnia", release="2024-01", subtrees_filter="07")
    assert below["code"].notna().any()
    assert set(below["chapter"]) == {"07"}
    with pytest.warns(TruncatedResultWarning, match="more hits than it gives for 'disorder of sleep'"):
        client.search("disorder of sleep", release="2024-01")
    found = client.autocode(pd.Series(["Cholera", None, "no such illness"], index=[5, 6, 7]), release="2024-01")
    assert found["code"].tolist()[0] == "1A00"
    assert found["status"].tolist() == ["ok", "empty", "no_match"]
    assert found.index.tolist() == [5, 6, 7]


def test_the_cache_shows_downloads_and_forgets_them(client):
    client.load_entity("1A00", release="2024-01")
    info = client.cache_info()
    assert (info.downloads, info.snapshots) == (1, 1)
    assert info.download_bytes > 9999
    client.clear_cache()
    assert client.cache_info().downloads == 0


SCRIPT = """
import pathlib, sys, time
import icdframes
client = icdframes.connect("files", cache_dir=sys.argv[1])
client._file_tables._told = True
import pandas, icdframes.frames.folder
begun = time.perf_counter()
frame = client.load_entity(release="2024-01")
whole = time.perf_counter() - begun
status = pathlib.Path("/proc/self/status").read_text()  # getrusage counts what the process before exec had, too
memory = int(status.partition("VmHWM:")[2].split()[0])
begun = time.perf_counter()
branch = client.load_entity("1A03", release="2024-01")
print(len(frame), len(branch), whole, time.perf_counter() - begun, memory)
"""


@pytest.mark.full_size
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of a process")
def test_the_whole_of_2024_is_read_within_memory_and_again_from_the_snapshot(full_size, tmp_path, monkeypatch):
    corpus = load_corpus(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")
    with Sandbox(corpus) as sandbox:
        monkeypatch.setenv("ICD_FILES_URL", sandbox.url)
        runs = [
            subprocess.run([sys.executable, "-c", SCRIPT, tmp_path], capture_output=True, text=True, check=True).stdout
            for _ in range(2)
        ]
        assert methods(sandbox) == [("GET", MMS)]
    first, second = (run.split() for run in runs)
    assert first[0] == second[0] == "36044"
    assert first[1] == second[1]
    assert int(first[4]) < 300_000  # kB, of which pandas and pyarrow have 130,000
    assert float(second[2]) < float(first[2])


THREE_LINES = """
import icdframes, pandas, time
begun = time.perf_counter()
icdframes.connect("files")
tables = icdframes.load_tables(release="2024-01")
deaths = icdframes.annotate(pandas.read_csv("deaths.csv"), tables, code="dx")
axes = icdframes.plot_chapter_counts(deaths, tables, code="dx")
icdframes.save_figure(axes, "deaths.png")
print(len(tables), deaths["title"].tolist(), time.perf_counter() - begun)
"""


@pytest.mark.slow
def test_a_person_without_an_account_has_a_table_and_a_figure(server, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "deaths.csv").write_text("dx\n1A00\n2C25.2\n1A00\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICD")}
    environment |= {"ICD_FILES_URL": server.url, "ICDFRAMES_CACHE_DIR": str(tmp_path), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", THREE_LINES], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("913 ['Cholera', ")
    assert (tmp_path / "deaths.png").stat().st_size > 9999
    assert [one.has_token for one in server.log] == [False]
