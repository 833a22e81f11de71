"""The cache of a server that serves something else now: another corpus, other releases, or the same at another port."""

import dataclasses
import warnings

import pytest

import icdframes
from icdframes.errors import CacheWarning, EntityNotFoundError
from icdframes.sandbox import Sandbox
from icdframes.sandbox.corpus import Corpus
from icdframes.sandbox.sample import sample_corpus


def _corpus(title, releases=("2024-01", "2022-02")):
    """The sample with another title of cholera, in some of its releases."""

    def changed(listing):
        entities = {
            language: {
                key: dataclasses.replace(entity, title=title) if entity.code == "1A00" else entity
                for key, entity in known.items()
            }
            for language, known in listing.entities.items()
        }
        return dataclasses.replace(listing, entities=entities)

    return Corpus(changed(one) for one in sample_corpus() if one.classification == "mms" and one.release in releases)


@pytest.fixture
def serve(tmp_path):
    """Return a function that asks for cholera at one port, from a new client, and counts what was sent."""
    port = 0

    def ask(corpus, question):
        nonlocal port
        with Sandbox(corpus, port=port, authenticate=False) as sandbox:
            port = int(sandbox.url.rpartition(":")[2])
            with icdframes.connect(sandbox.url, cache_dir=tmp_path / "cache") as client:
                return question(client), len(sandbox.log)

    return ask


QUESTIONS = {
    "a table": lambda client: client.load_entity("1A00").title[0],
    "a table of a release": lambda client: client.load_entity("1A00", release="2024-01").title[0],
    "an entity": lambda client: client.entity("1A00", release="2024-01").title,
    "raw JSON": lambda client: client.get("/icd/release/11/2024-01/mms/257068234")["title"]["@value"],
    "asked anew": lambda client: (
        client.load_entity("1A00", refresh=True).title[0] and client.entity("1A00", release="2024-01").title
    ),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_another_corpus_at_the_same_address_is_never_answered_from_the_old_cache(serve, question):
    assert serve(_corpus("One"), question)[0] == "One"
    assert serve(_corpus("Two"), question)[0] == "Two"
    assert serve(_corpus("One"), question)[0] == "One"


@pytest.mark.parametrize("question", list(QUESTIONS.values())[:4], ids=list(QUESTIONS)[:4])
def test_the_same_corpus_costs_a_new_process_one_request(serve, question):
    serve(_corpus("One"), question)
    assert serve(_corpus("One"), question) == ("One", 1)


def test_a_server_with_a_newer_release_is_asked_for_it(serve):
    newest = lambda client: client.newest_release()  # noqa: E731
    assert serve(_corpus("One", ("2022-02",)), newest)[0] == "2022-02"
    assert serve(_corpus("One"), newest)[0] == "2024-01"
    assert serve(_corpus("One"), lambda client: client.load_entity("1A00", release="2022-02").code[0])[0] == "1A00"
    after = lambda client: (client.load_entity("1A00", release="2024-01").code[0], client.newest_release())  # noqa: E731
    assert serve(_corpus("One", ("2024-01",)), after)[0] == ("1A00", "2024-01")


def test_what_is_gone_from_the_server_is_no_answer_any_more(serve):
    ask = lambda client: client.get("/icd/release/11/2022-02/mms/257068234")["code"]  # noqa: E731
    assert serve(_corpus("One"), ask)[0] == "1A00"
    with pytest.raises(EntityNotFoundError):
        serve(_corpus("One", ("2024-01",)), ask)


def test_a_server_that_is_off_leaves_what_is_in_the_cache(tmp_path):
    with Sandbox(authenticate=False) as sandbox:
        icdframes.connect(sandbox.url, cache_dir=tmp_path).entity("1A00")
    client = icdframes.connect(sandbox.url, cache_dir=tmp_path, retries=0)
    with pytest.warns(CacheWarning, match="could not be asked whether it still serves"):
        assert client.entity("1A00").title == "Cholera"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert client.entity("1A00", release="2024-01").title == "Cholera"
        offline = icdframes.connect(sandbox.url, cache_dir=tmp_path, offline=True)
        assert offline.entity("1A00").title == "Cholera"


def test_the_sandbox_answers_offline_in_the_next_process_whatever_its_port(tmp_path, monkeypatch):
    online = icdframes.connect("sandbox", cache_dir=tmp_path)
    loaded, title = online.load_entity("1A00"), online.entity("1A00").title
    one = Sandbox().start()  # what another process has: another port
    try:
        monkeypatch.setattr("icdframes.sandbox.shared_sandbox", lambda: one)
        offline = icdframes.connect("sandbox", cache_dir=tmp_path, offline=True)
        assert offline.base_url != online.base_url
        assert offline.load_entity("1A00").equals(loaded)
        assert offline.entity("1A00").title == title
        assert one.log == []
    finally:
        one.stop()


def test_two_corpora_share_a_digest_only_where_they_serve_the_same():
    assert _corpus("One").digest == _corpus("One").digest
    assert len({_corpus("One").digest, _corpus("Two").digest, _corpus("One", ("2024-01",)).digest}) == 3
