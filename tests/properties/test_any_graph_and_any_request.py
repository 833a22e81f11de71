"""For any graph, order of answers and request: the same tables, each entity once, no two requests in one place."""

from __future__ import annotations

import random
import time

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests import Request

from icdframes.client.endpoints import Foundation, Icd10, Linearization
from icdframes.errors import EntityNotFoundError
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import read_tables, write_tables
from icdframes.frames.provenance import Provenance
from icdframes.model.codes import parse_code
from icdframes.model.decode import parse_entity
from icdframes.model.encode import entity_to_json
from icdframes.model.entity import Entity
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.settings import Server
from icdframes.transport import expiry, retry
from icdframes.transport.cached_reader import headers_for
from icdframes.transport.session import ApiSession
from icdframes.walk import walk

IDS = [str(number) for number in range(1, 13)]
MISSING = ["98", "99"]
CHILDREN = st.fixed_dictionaries(
    {key: st.lists(st.sampled_from(IDS + MISSING), max_size=5, unique=True) for key in IDS}
)
PROVENANCE = Provenance("http://127.0.0.1", "mms", "2024-01")


def _entity(key, children, title="x"):
    return Entity(
        uri=str(EntityUri("mms", "2024-01", key)),
        entity_id=key,
        title=title,
        parent_ids=tuple(parent for parent, below in children.items() if key in below),
        child_ids=tuple(children[key]),
    )


def _fetcher(children, rng):
    """Entities after any short time, so that they come in any order; ``asked`` holds what was asked for."""

    def fetch(key):
        fetch.asked.append(key)
        time.sleep(rng.random() * 0.001)
        if key not in children:
            raise EntityNotFoundError(key)
        return _entity(key, children)

    fetch.asked = []
    return fetch


def _tables(graph):
    return build_tables(graph, PROVENANCE, chapters={})


def _same(one, other):
    for name in one.frames:
        pd.testing.assert_frame_equal(one.frames[name], other.frames[name])


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(
    children=CHILDREN,
    roots=st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True),
    depth=st.none() | st.integers(0, 4),
    seed=st.integers(),
)
def test_any_graph_gives_the_same_tables_for_any_order_of_answers(children, roots, depth, seed):
    rng = random.Random(seed)
    ask_alone, ask_together = _fetcher(children, rng), _fetcher(children, rng)
    alone = walk(roots, ask_alone, depth=depth, max_workers=1)
    together = walk(roots, ask_together, depth=depth, max_workers=5)
    tables = _tables(together)
    _same(_tables(alone), tables)
    assert tables.entities.entity_id.is_unique
    assert set(tables.entities.entity_id) == _reachable(children, roots, depth)
    assert set(alone.failures) == set(together.failures) <= set(MISSING)
    assert sorted(ask_alone.asked) == sorted(ask_together.asked) == sorted({*together.entities, *together.failures})


def _reachable(children, roots, depth):
    found, level = set(), set(roots)
    while level and depth != -1:
        found |= level
        level = {child for key in level for child in children[key] if child in children} - found
        depth = None if depth is None else depth - 1
    return found


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(titles=st.lists(TEXT, min_size=len(IDS), max_size=len(IDS)), kind=st.sampled_from(["parquet", "csv"]))
def test_tables_with_any_text_are_read_back_as_they_were_written(titles, kind, tmp_path_factory):
    children = {key: [] for key in IDS} | {"1": IDS[1:]}
    graph = walk(["1"], lambda key: _entity(key, children, titles[int(key) - 1]))
    tables = _tables(graph)
    folder = tmp_path_factory.getbasetemp() / f"any-{kind}"
    _same(read_tables(write_tables(tables, folder, overwrite=True, format=kind)), tables)


@settings(deadline=None, max_examples=50)
@given(title=TEXT, key=st.sampled_from(["5", "5/other", "5/unspecified"]))
def test_an_entity_with_any_text_is_read_back_from_its_json(title, key):
    entity = Entity(uri=str(EntityUri("mms", "2024-01", key)), entity_id=key, title=title, language="en")
    read = parse_entity(entity_to_json(entity))
    assert (read.entity_id, read.uri) == (key, entity.uri)
    assert read.title == title or title.endswith("[No translation available]")


LETTERS, DIGITS = "ABCDEFGHJKLMNPQRSTUV", "0123456789"
STEMS = st.builds(
    "{}{}{}{}".format, st.sampled_from("123456789"), *[st.sampled_from(x) for x in (LETTERS, DIGITS, DIGITS)]
)
EXTENSIONS = st.builds("X{}{}{}".format, *[st.sampled_from(x) for x in (LETTERS, DIGITS, DIGITS)])
CLUSTERS = st.lists(
    st.builds(lambda stem, more: "&".join([stem, *more]), STEMS, st.lists(EXTENSIONS, max_size=2)), min_size=1
)


@given(CLUSTERS.map("/".join), st.sampled_from([str.upper, str.lower, lambda text: text.replace("&", " %26 ")]))
def test_a_cluster_is_read_back_from_its_own_text(text, spelled):
    cluster = parse_code(spelled(text))
    assert cluster.text == text
    assert parse_code(cluster.text) == cluster


CLASSIFICATIONS = st.sampled_from(["mms", "icf", "foundation", "icd10"])
URIS = st.builds(
    EntityUri,
    CLASSIFICATIONS,
    st.none() | st.sampled_from(["2024-01", "2019"]),
    st.none() | st.sampled_from(["5", "6"]),
).filter(lambda uri: uri.classification != "icd10")


@given(URIS)
def test_a_uri_is_read_back_from_its_own_text(uri):
    plain = EntityUri(uri.classification, None if uri.classification == "foundation" else uri.release, uri.entity_id)
    assert parse_uri(str(plain)) == plain


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    with ApiSession(Server("custom", "http://127.0.0.1:9"), pytest.fail, cache_dir=folder) as session:
        yield session


def _key(session, asked):
    """The place of one question in the cache, by way of the endpoints: where it is kept, and where it is looked for."""
    classification, release, entity_id, language, include = asked
    asked_for = []

    class JsonSession:
        def get_json(self, path, params=None, *, language="en", refresh=False):
            asked_for.append((session._url(path, params), language))
            raise EntityNotFoundError(path)

    source = {"foundation": Foundation, "icd10": Icd10}.get(classification)
    source = source(JsonSession()) if source else Linearization(JsonSession(), classification)
    with pytest.raises(EntityNotFoundError):
        source.entity(entity_id, release, language=language, include=include)
    ((url, language),) = asked_for
    headers = headers_for(language)
    looked_for = expiry.answer_key("GET", url, headers)
    kept = session._http.cache.create_key(session._http.prepare_request(Request("GET", url, headers=headers)))
    assert looked_for == kept
    return kept


ASKED = st.tuples(
    CLASSIFICATIONS,
    st.sampled_from(["2024-01", "2022-02", "2019"]),
    st.sampled_from(["5", "6", "5/other"]),
    st.sampled_from(["en", "es", "pt-BR"]),
    st.sampled_from([(), ("ancestor",), ("ancestor", "descendant")]),
)


@settings(deadline=None)
@given(ASKED, ASKED)
def test_two_questions_share_a_place_in_the_cache_only_where_they_are_the_same(session, one, other):
    assert (_key(session, one) == _key(session, other)) is (one == other)


HEADERS = st.fixed_dictionaries(
    {
        "Accept": st.sampled_from(["application/json", "application/ld+json"]),
        "Accept-Language": st.sampled_from(["en", "es", "pt-BR", ""]),
        "API-Version": st.sampled_from(["v2", "v3", ""]),
    }
)
REQUESTS = st.tuples(st.sampled_from(["GET", "POST"]), st.sampled_from(["http://a/1", "http://a/1?q=en", ""]), HEADERS)


@given(REQUESTS, REQUESTS)
def test_address_language_and_version_of_the_api_each_have_their_own_place_in_the_cache(one, other):
    assert (expiry.answer_key(*one) == expiry.answer_key(*other)) is (one == other)


ANY_TEXT = st.text()


@pytest.mark.slow
@example(header="Sat, 01 Jan 99999999999999999999 00:00:00 GMT", text="", url="", value=10**400)
@example(header="Sat, 01 Jan 2000 00:00:00 +99999999999999999999", text="", url="", value="9" * 400)
@example(header="Fri, 31 Dec 9999 23:59:59 -2300", text="", url="", value=None)
@example(header="9" * 5000, text="", url="", value=None)
@given(
    ANY_TEXT | st.none(), ANY_TEXT, ANY_TEXT, st.none() | st.integers() | st.floats() | ANY_TEXT | st.lists(st.none())
)
def test_whatever_a_server_says_is_read_or_passed_over_and_never_an_error(header, text, url, value):
    for seconds in (retry.parse_retry_after(header, None), retry.clock_lead(header, 0.0)):
        assert seconds is None or isinstance(seconds, float)
    assert expiry.token_life(value) > 0
    assert retry.is_token(value) is (
        isinstance(value, str) and value != "" and set(value) <= set(map(chr, range(33, 127)))
    )
    reason = retry.reason_text("text/plain", text)
    assert reason == "" or reason.isprintable()
    assert retry.allowed_target("https://icd.example", url) is False
