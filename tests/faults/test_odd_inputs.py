"""Odd inputs: things of a wrong kind, hosts in upper case, a release that is listed and not there, many sandboxes."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest

import icdframes
from icdframes.analysis.compare import affected_codes
from icdframes.errors import CodeSyntaxError, ConfigurationError, PartialResultWarning, UnknownReleaseError
from icdframes.model.uris import parse_uri


def _to_sql(given):
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        icdframes.to_sql(given, connection)


NO_TABLES = ["frame", "none", "text"]
VERBS = {
    "to_sql": _to_sql,
    "to_skos": icdframes.to_skos,
    "to_networkx": icdframes.to_networkx,
    "to_fhir_codesystem": icdframes.to_fhir_codesystem,
    "compare_releases": lambda given: icdframes.compare_releases(given, given),
}


@pytest.fixture(scope="module")
def tables():
    with icdframes.connect("sandbox") as client:
        return client.load_tables("1A00", release="2024-01")


@pytest.mark.parametrize("given", NO_TABLES)
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_tables_is_a_type_error_in_one_sentence(tables, verb, given):
    wrong = {"frame": tables.entities, "none": None, "text": "1A00"}[given]
    with pytest.raises(TypeError, match=r"EntityTables are wanted here, but this is a \w+: give what load_tables\(\)"):
        VERBS[verb](wrong)


def test_affected_codes_says_what_it_wants(tables):
    changes = icdframes.compare_releases(tables, tables)
    for wrong in (tables.entities, tables, None, 3):
        with pytest.raises(TypeError, match="not what compare_releases"):
            affected_codes(wrong, ["1A00"])
    for wrong in (None, 3, "1A00"):
        with pytest.raises(TypeError, match="give a column or a list of codes"):
            affected_codes(changes, wrong)


@pytest.mark.parametrize("path", [None, 3, b"/icd/entity", ["/icd/entity"]])
def test_what_is_no_path_is_refused(icd_client, path):
    for ask in (icd_client.get, icd_client.post):
        with pytest.raises(ConfigurationError, match="is no path of the API: give a text such as"):
            ask(path)
    with pytest.raises(ConfigurationError, match="is no language"):
        icd_client.get("/icd/entity", language=None)


SAME = [
    "http://ID.WHO.INT/icd/entity/257068234",
    "HTTPS://Id.Who.Int/icd/entity/257068234",
    "http://id.who.int:80/icd/entity/257068234",
    "https://id.who.int:443/icd/entity/257068234",
]


@pytest.mark.parametrize("uri", SAME)
def test_a_host_has_no_case_and_its_usual_port_may_be_written(uri):
    assert str(parse_uri(uri)) == "http://id.who.int/icd/entity/257068234"


@pytest.mark.parametrize(
    "uri",
    [
        "http://id.who.int:8080/icd/entity/1",
        "http://id.who.int:443/icd/entity/1",
        "http://id.who.int:x/icd/entity/1",
        "http://id.who.int@evil.example/icd/entity/1",
        "http://id.who.int.evil.example/icd/entity/1",
        "http://me@id.who.int/icd/entity/1",
        "ftp://id.who.int/icd/entity/1",
    ],
)
def test_another_host_or_port_is_none_of_who(uri):
    with pytest.raises(CodeSyntaxError, match="is no URI of the ICD API"):
        parse_uri(uri)


@pytest.mark.parametrize("host", ["ID.WHO.INT", "id.who.int:80"])
def test_a_server_may_write_its_host_so(icd_client, icd_sandbox, host):
    path = "/icd/release/11/2024-01/mms/274880002"
    usual = json.dumps(icd_client.get(path, include="ancestor,descendant"))
    expected = icd_client.load_tables("07", release="2024-01")
    body = usual.replace("//id.who.int/", f"//{host}/")
    assert body != usual
    icd_client.clear_cache()
    icd_sandbox.fail("*/274880002", body=body, status=200, content_type="application/json", times=None)
    assert icd_client.load_tables("07", release="2024-01").entities.equals(expected.entities)


def test_a_release_that_is_listed_and_not_there_has_a_row(icd_client, icd_sandbox):
    whole = icd_client.releases()
    icd_client.clear_cache()
    icd_sandbox.fail("/icd/release/11/2022-02/mms", status=404, times=None)
    with pytest.warns(PartialResultWarning, match="lists the release 2022-02 of mms, but does not have it"):
        found = icd_client.releases()
    assert found.release.tolist() == whole.release.tolist()
    assert found[found.release == "2024-01"].equals(whole[whole.release == "2024-01"])
    hole = found[found.release == "2022-02"].iloc[0]
    assert hole[["date", "title", "languages"]].isna().all()
    assert hole.uri == "http://id.who.int/icd/release/11/2022-02/mms"


def test_a_server_without_the_classification_says_so(icd_client, icd_sandbox):
    icd_sandbox.fail("/icd/release/11/icf", status=404, times=None)
    with pytest.raises(UnknownReleaseError, match="has no icf"):
        icd_client.releases("icf")


def test_one_entity_whose_chapter_cannot_be_reached_is_there_without_it(icd_client, icd_sandbox):
    icd_sandbox.fail("*/1435254666", status=404)
    with pytest.warns(PartialResultWarning, match=r"1 ancestor\(s\) could not be loaded .1435254666"):
        tables = icd_client.load_tables(257068234, release="2024-01", depth=0)
    assert tables.entities["code"].tolist() == ["1A00"]
    assert tables.entities["chapter"].isna().all()


@pytest.mark.slow
def test_the_sandboxes_of_a_process_share_a_folder_that_ends_with_it(tmp_path):
    program = (
        "import icdframes, pathlib, sys\n"
        "for _ in range(3):\n"
        "    with icdframes.connect('sandbox') as client:\n"
        "        assert client.entity('1A00').title == 'Cholera'\n"
        "assert client.cache_info().requests_sent == 0\n"
        "print(len(list(pathlib.Path(sys.argv[1]).glob('icdframes-sandbox-*'))))"
    )
    command = [sys.executable, "-c", program, tmp_path]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    assert done.stdout.strip() == "1"
    assert list(tmp_path.glob("icdframes-sandbox-*")) == []
