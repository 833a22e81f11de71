"""The main job from end to end, over real HTTP against the sandbox."""

import json
from pathlib import Path

import pandas as pd
import pytest

import icdframes
from icdframes.errors import EntityNotFoundError, OfflineMissError, PartialResultWarning, ServerError, TraversalError
from icdframes.sandbox import Sandbox
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials

CHAPTER = "07"
CHAPTER_ID = "274880002"


@pytest.fixture
def connect_to(tmp_path):
    """Return a function that connects to a sandbox as a fresh process would."""
    made = []

    def connect(sandbox, **options):
        options.setdefault("cache_dir", tmp_path / "cache")
        server = Server("sandbox", sandbox.url, sandbox.token_url)
        credentials = Credentials(sandbox.client_id, sandbox.client_secret)
        client = icdframes.IcdClient(server, lambda: credentials, **options)
        made.append(client)
        return client

    yield connect
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The whole MMS of the sample, loaded once."""
    folder = tmp_path_factory.mktemp("whole")
    with Sandbox(authenticate=False) as sandbox, icdframes.connect(sandbox.url, cache_dir=folder) as client:
        yield client.load_tables(release="2024-01", include=["diagnosticCriteria"], progress=False)


def test_a_chapter_comes_as_a_tidy_table(icd_client):
    frame = icd_client.load_entity(CHAPTER)
    assert (frame.entity_id.iloc[0], frame.code.iloc[0], frame.depth.iloc[0]) == (CHAPTER_ID, "07", 0)
    assert frame.entity_id.is_unique
    assert set(frame.chapter) == {"07"}
    assert len(frame) == 86
    assert frame.attrs["provenance"]["release"] == "2024-01"
    assert "CC BY-ND 3.0 IGO" in frame.attrs["provenance"]["licence"]


def test_a_code_an_id_and_uris_name_the_same_entity(icd_client):
    names = [
        "1A00",
        257068234,
        "257068234",
        "http://id.who.int/icd/entity/257068234",
        "https://id.who.int/icd/release/11/mms/257068234",
        "http://id.who.int/icd/release/11/2024-01/mms/257068234",
    ]
    frames = [icd_client.load_entity(name) for name in names]
    for frame in frames:
        assert frame.entity_id.tolist() == ["257068234"]
        assert frame.chapter.tolist() == ["01"]


def test_a_uri_with_a_release_loads_that_release(icd_client):
    frame = icd_client.load_entity("http://id.who.int/icd/release/11/2022-02/mms/257068234")
    assert frame.attrs["provenance"]["release"] == "2022-02"


def test_a_foundation_uri_below_the_shoreline_loads_the_entity_in_which_it_is_coded(icd_client):
    classical_cholera = "http://id.who.int/icd/entity/1205958647"
    assert icd_client.load_entity(classical_cholera).code.tolist() == ["1A00"]
    top = "http://id.who.int/icd/entity/448895267"
    with pytest.raises(EntityNotFoundError, match="load it from the classification 'foundation'"):
        icd_client.load_entity(top)


def test_the_whole_classification_has_chapters_at_depth_0(whole):
    frame = whole.entities
    assert frame[frame.depth == 0].class_kind.eq("chapter").all()
    assert (frame.depth == 0).sum() == 28
    assert len(frame) == 913
    assert frame.parent_id[frame.depth == 0].isna().all()


def test_each_entity_is_asked_for_once(icd_client, icd_sandbox):
    frame = icd_client.load_entity(CHAPTER, release="2024-01")
    asked = [request.path.split("?")[0] for request in icd_sandbox.log if "/2024-01/mms/" in request.path]
    entities = [path for path in asked if "codeinfo" not in path]
    assert len(entities) == len(set(entities)) == len(frame)


def test_depth_cuts_and_0_is_the_entity_alone(icd_client):
    whole = icd_client.load_entity(CHAPTER)
    for depth in (0, 1, 2):
        part = icd_client.load_entity(CHAPTER, depth=depth)
        pd.testing.assert_frame_equal(part, whole[whole.depth <= depth].reset_index(drop=True), check_like=False)


def test_every_classification_loads(icd_client):
    foundation = icd_client.load_entity("257068234", classification="foundation")
    assert foundation.code.isna().all()
    assert len(foundation) > 1
    icd10 = icd_client.load_entity("A00-A09", classification="icd10")
    assert icd10.code.tolist()[:3] == ["A00-A09", "A00", "A00.0"]
    assert set(icd10.chapter) == {"I"}
    icf = icd_client.load_entity("b110", classification="icf")
    assert icf.code.iloc[0] == "b110"
    assert len(icf) == 6


def test_an_icd10_code_without_its_dot_is_understood(icd_client):
    assert icd_client.load_entity("a000", classification="icd10").code.tolist() == ["A00.0"]


def test_an_entity_with_several_parents_stands_once_and_keeps_every_edge(icd_client):
    tables = icd_client.load_tables(classification="foundation")
    counts = tables.edges.child_id.value_counts()
    assert {2, 3} <= set(counts)
    assert tables.entities.entity_id.is_unique
    assert set(tables.edges.child_id) <= set(tables.entities.entity_id)


def test_several_languages_stand_side_by_side(icd_client):
    frame = icd_client.load_entity("1A00", language=["en", "es", "fr"])
    row = frame.iloc[0]
    assert (row.title, row.title_es, row.title_fr) == ("Cholera", "Cólera", "Choléra")


def test_an_untranslated_title_is_english_and_says_so(icd_client):
    frame = icd_client.load_entity(CHAPTER, language="fr")
    assert not frame.translated.all()
    assert frame.translated.any()
    assert not frame.title.str.contains("No translation").any()


def test_one_language_after_another_is_not_mixed_up(icd_client):
    assert icd_client.load_entity("1A00", language="en").title.item() == "Cholera"
    assert icd_client.load_entity("1A00", language="es").title.item() == "Cólera"
    assert icd_client.load_entity("1A00", language="en").title.item() == "Cholera"


@pytest.mark.parametrize("vary", [True, False])
def test_languages_and_releases_stay_apart_with_and_without_vary(connect_to, tmp_path, vary):
    with Sandbox(vary=vary) as sandbox:
        client = connect_to(sandbox)
        titles = {
            (release, language): client.load_entity("1E71", release=release, language=language).title.item()
            for release in ("2022-02", "2024-01")
            for language in ("en", "es")
        }
    assert titles["2022-02", "en"] != titles["2024-01", "en"]
    assert titles["2022-02", "en"] != titles["2022-02", "es"]


def test_diagnostic_criteria_come_where_they_are_asked_for(icd_client, whole):
    assert "diagnostic_criteria" not in icd_client.load_entity(CHAPTER)
    assert whole.entities.diagnostic_criteria.notna().sum() >= 3


def test_the_five_tables_hold_what_the_sample_has(whole):
    assert set(whole.terms.kind) == {"inclusion", "index_term"}
    assert set(whole.references.kind) == {"exclusion", "child_elsewhere", "related_maternal", "related_perinatal"}
    assert whole.axes.required.any()
    assert whole.terms.deprecated.any()
    assert set(whole.axes.allow_multiple) == {"AllowAlways", "NotAllowed", "AllowedExceptFromSameBlock"}


def test_a_fresh_process_with_a_warm_cache_needs_no_credentials_and_no_request(connect_to, icd_sandbox, tmp_path):
    first = connect_to(icd_sandbox).load_entity(CHAPTER)
    asked, tokens = icd_sandbox.count(), icd_sandbox.tokens_issued

    def nobody():
        raise AssertionError("credentials were asked for")

    with icdframes.IcdClient(
        Server("sandbox", icd_sandbox.url, icd_sandbox.token_url), nobody, cache_dir=tmp_path / "cache"
    ) as second:
        pd.testing.assert_frame_equal(second.load_entity(CHAPTER), first)
        second._snapshots.clear()
        again = second.load_entity(CHAPTER)
    pd.testing.assert_frame_equal(again, first)
    assert (icd_sandbox.count(), icd_sandbox.tokens_issued) == (asked, tokens)


@pytest.mark.slow
def test_one_token_serves_a_whole_process_with_16_threads(connect_to, icd_sandbox):
    connect_to(icd_sandbox, max_workers=16).load_entity(release="2024-01")
    assert icd_sandbox.tokens_issued == 1


def test_a_token_that_dies_in_mid_walk_costs_one_more(connect_to, icd_sandbox):
    client = connect_to(icd_sandbox, max_workers=16)
    revoked = []

    def revoke_at_half(done, _total, _cached, _note):
        if done > 40 and not revoked:
            revoked.append(done)
            icd_sandbox.revoke_tokens()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icdframes.client.traversal.progress_bar", _bar_that_calls(revoke_at_half))
        frame = client.load_entity(CHAPTER)
    assert len(frame) == 86
    assert revoked
    assert icd_sandbox.tokens_issued == 2


def test_an_interrupted_walk_goes_on_where_it_was(connect_to, icd_sandbox):
    def interrupt_at_half(done, _total, _cached, _note=""):
        if done == 43:
            raise KeyboardInterrupt

    client = connect_to(icd_sandbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icdframes.client.traversal.progress_bar", _bar_that_calls(interrupt_at_half))
        with pytest.raises(KeyboardInterrupt):
            client.load_entity(CHAPTER)
    client.close()
    before = icd_sandbox.count("/icd/release/11/2024-01/mms/")
    frame = connect_to(icd_sandbox).load_entity(CHAPTER)
    paths = [r.path for r in icd_sandbox.log if r.status == 200 and "/2024-01/mms/" in r.path]
    assert len(frame) == 86
    assert before >= 43
    assert len(paths) == len(set(paths))


def test_a_failed_entity_loses_nothing_else(connect_to, icd_sandbox):
    whole = connect_to(icd_sandbox).load_entity(CHAPTER)
    victim = whole.entity_id[whole.is_leaf].iloc[3]
    icd_sandbox.fail(f"*/mms/{victim}", status=404, times=None)
    client = connect_to(icd_sandbox, cache_dir=None)
    client.clear_cache()
    with pytest.raises(TraversalError) as caught:
        client.load_entity(CHAPTER)
    assert list(caught.value.failures) == [victim]
    assert len(caught.value.tables.entities) == len(whole) - 1
    with pytest.warns(PartialResultWarning, match="1 entities could not be loaded"):
        frame = client.load_entity(CHAPTER, on_error="warn")
    assert len(frame) == len(whole) - 1
    assert frame.attrs["provenance"]["n_failures"] == 1


def test_one_entity_of_an_odd_shape_loses_nothing_else(connect_to, icd_sandbox):
    client = connect_to(icd_sandbox)
    doc = client.get("/icd/release/11/2024-01/mms/257068234")
    doc["postcoordinationScale"][0]["requiredPostcoordination"] = {}
    client.clear_cache()
    icd_sandbox.fail("*/mms/257068234", body=json.dumps(doc), times=None)
    with pytest.warns(PartialResultWarning, match="1 entities could not be loaded"):
        tables = client.load_tables("01", release="2024-01", on_error="warn", progress=False)
    assert list(tables.failures) == ["257068234"]
    assert "requiredPostcoordination should be true or false" in tables.failures["257068234"]
    assert len(tables.entities) > 10


def test_a_chapter_that_cannot_be_loaded_is_missing_with_a_warning(icd_client, icd_sandbox):
    icd_sandbox.fail("*/mms/1435254666", status=501, times=None)
    with pytest.warns(PartialResultWarning, match="'chapter' is missing"):
        tables = icd_client.load_tables("1A00", release="2024-01")
    assert tables.entities.code.tolist() == ["1A00"]
    assert tables.entities.chapter.isna().all()
    assert list(tables.failures) == ["1435254666"]
    assert not tables.provenance.complete
    icd_sandbox.clear_faults()
    assert icd_client.load_entity("1A00", release="2024-01").chapter.tolist() == ["01"]


def test_a_second_language_that_is_down_does_not_lose_the_first(icd_client, icd_sandbox):
    whole = icd_client.load_entity(CHAPTER, release="2024-01")
    icd_sandbox.fail("*/mms/*", status=501, times=None)
    both = {"release": "2024-01", "language": ["en", "es"]}
    with pytest.raises(TraversalError) as caught:
        icd_client.load_tables(CHAPTER, **both)
    with pytest.warns(PartialResultWarning):
        tables = icd_client.load_tables(CHAPTER, **both, on_error="warn")
    for found in (caught.value.tables, tables):
        assert found.entities.title.tolist() == whole.title.tolist()
        assert found.entities.title_es.isna().all()
        assert list(found.failures) == [CHAPTER_ID]
        assert found.provenance.n_failures == 1
    icd_sandbox.clear_faults()
    assert icd_client.load_entity(CHAPTER, **both).title_es.notna().all()


def test_a_first_language_that_is_down_leaves_nothing_to_give(icd_client, icd_sandbox):
    icd_client.load_entity(CHAPTER, release="2024-01")
    icd_sandbox.fail("*/mms/*", status=501, times=None)
    with pytest.raises(ServerError):
        icd_client.load_tables(CHAPTER, release="2024-01", language=["es", "en"])


def test_a_language_that_a_release_does_not_have_is_told(icd_client):
    with pytest.raises(icdframes.errors.UnknownLanguageError, match="not available in 'fr': try the language 'en'"):
        icd_client.load_entity(classification="icd10", language="fr", progress=False)
    with pytest.raises(EntityNotFoundError, match="check the id and the language 'fr'"):
        icd_client.load_entity("A00", classification="icd10", language="fr", progress=False)


def test_refresh_asks_again(connect_to, icd_sandbox):
    client = connect_to(icd_sandbox)
    client.load_entity("1A00")
    before = icd_sandbox.count()
    client.load_entity("1A00")
    assert icd_sandbox.count() == before
    client.load_entity("1A00", refresh=True)
    assert icd_sandbox.count() > before


def test_the_cache_counts_answers_and_snapshots(connect_to, icd_sandbox):
    client = connect_to(icd_sandbox)
    client.load_entity("01", release="2024-01", progress=False)
    info = client.cache_info()
    assert (info.snapshots, info.answers) == (1, info.requests_sent)
    assert info.snapshot_bytes > 1000
    client.clear_cache()
    assert (client.cache_info().snapshots, client.cache_info().answers) == (0, 0)


def test_offline_answers_from_the_cache_or_says_so(connect_to, icd_sandbox):
    first = connect_to(icd_sandbox).load_entity(CHAPTER)
    before = icd_sandbox.count()
    offline = connect_to(icd_sandbox, offline=True)
    pd.testing.assert_frame_equal(offline.load_entity(CHAPTER), first)
    offline._snapshots.clear()
    pd.testing.assert_frame_equal(offline.load_entity(CHAPTER), first)
    with pytest.raises(OfflineMissError):
        offline.load_entity("17")
    assert icd_sandbox.count() == before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3, 16])
def test_the_table_is_the_same_whatever_the_threads_do(connect_to, icd_sandbox, tmp_path, workers):
    one = connect_to(icd_sandbox, max_workers=1, cache_dir=tmp_path / "one").load_tables("10")
    many = connect_to(icd_sandbox, max_workers=workers, cache_dir=tmp_path / str(workers)).load_tables("10")
    for name in ("entities", "edges", "terms", "references", "axes"):
        left, right = getattr(one, name).copy(), getattr(many, name).copy()
        left.attrs = right.attrs = {}
        pd.testing.assert_frame_equal(left, right)


def test_a_local_deployment_needs_no_credentials(tmp_path):
    with Sandbox(authenticate=False) as sandbox, icdframes.connect(sandbox.url, cache_dir=tmp_path) as client:
        assert client.load_entity("1A00").title.item() == "Cholera"
        with pytest.raises(icdframes.errors.UnknownReleaseError, match="local deployment"):
            client.load_entity("A00", classification="icd10")


@pytest.mark.parametrize("server", ["sandbox", " sandbox\n", None])
def test_a_server_may_be_named_with_blanks_or_by_the_environment(monkeypatch, server):
    monkeypatch.setenv("ICD_SERVER", " sandbox ")
    with icdframes.connect(server) as client:
        assert client.server.name == "sandbox"


def test_the_verbs_use_the_sandbox_after_connect():
    icdframes.connect("sandbox")
    assert icdframes.load_entity("1A00").code.tolist() == ["1A00"]
    assert icdframes.releases().release.tolist() == ["2024-01", "2022-02"]
    assert icdframes.languages(release="2022-02") == ["en", "es", "fr"]


def test_any_operation_can_be_posted(icd_client, icd_sandbox):
    body = {"ICDVersion": "ICD11", "Part1": [{"Conditions": [{"Code": "1A00"}]}]}
    assert icd_client.post("/icd/release/11/2024-01/doris", body=body)["code"] == "1A00"


def test_a_raw_answer_is_one_call_away(icd_client):
    doc = icd_client.get("/icd/release/11/2024-01/mms/257068234")
    assert doc["code"] == "1A00"
    assert icd_client.entity("1A00").axes[0].axis == "infectiousAgent"


def _bar_that_calls(report):
    from contextlib import contextmanager

    @contextmanager
    def progress_bar(_label, *, show=None):
        yield report

    return progress_bar


@pytest.mark.parametrize(
    ("classification", "spelling", "entity_ids"),
    [
        ("mms", "1a00", ["257068234"]),
        ("mms", "BA41Z", ["1334938734/unspecified"]),
        ("mms", "BlockL1-1A0", ["588616678"]),
        ("mms", "blockl1-1a0", ["588616678"]),
        ("mms", ["1A00", "BA41", "1A00"], ["257068234", "1334938734"]),
        ("icf", "b110.2", ["1060289548"]),
        ("icf", "b1", ["1363559646"]),
        ("icf", "b", ["567313968"]),
        ("icd10", "A00.-", ["A00"]),
        ("icd10", "A00\N{EN DASH}A09", ["A00-A09"]),
        ("icd10", "I10X", ["I10"]),
    ],
)
def test_an_entity_is_found_by_every_spelling_of_its_code(icd_client, classification, spelling, entity_ids):
    frame = icd_client.load_entity(spelling, classification=classification, depth=0)
    assert frame.entity_id.tolist() == entity_ids


def test_a_list_loads_every_branch_and_each_row_once(icd_client):
    both = icd_client.load_tables(["BA41", "1334938734/unspecified", "1A00"])
    assert both.entities.entity_id.is_unique
    alone = icd_client.load_entity("BA41").code.tolist()
    assert both.entities.code.tolist() == [*alone, "1A00"]
    assert both.provenance.root == "1334938734,1334938734/unspecified,257068234"
    again = icd_client.load_entity(["BA41", "1334938734/unspecified", "1A00"])
    assert again.equals(both.entities)


def test_several_codes_in_one_text_are_refused(icd_client):
    with pytest.raises(icdframes.errors.CodeSyntaxError, match="holds 2 codes"):
        icd_client.load_entity("1A00 BA41")


def test_the_first_request_is_near_the_users_line(icd_client, monkeypatch):
    import traceback

    from icdframes.transport.adapter import IcdAdapter

    package, seen = str(Path(icdframes.__file__).parent), []
    send = IcdAdapter.send

    def note(self, *args, **options):
        seen.append([frame for frame in traceback.extract_stack() if frame.filename.startswith(package)])
        return send(self, *args, **options)

    monkeypatch.setattr(IcdAdapter, "send", note)
    icdframes.load_entity("1A00")
    assert 1 <= len(seen[0]) < 8, [f"{frame.filename}:{frame.name}" for frame in seen[0]]  # `send` itself is one more
