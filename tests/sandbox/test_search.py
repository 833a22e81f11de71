"""search: queries, filters, order, nesting, highlighting, keywords, GET and POST, in the sample."""

import json

import pytest

from icdframes.sandbox import Sandbox, load_corpus
from icdframes.sandbox.search.term_index import Phrase, QueryWord, TermIndex, highlighted, read_query, words

MMS = "/icd/release/11/2024-01/mms/search"
FOUNDATION = "/icd/entity/search"
LINEAR = "http://id.who.int/icd/release/11/2024-01/mms"
HEADERS = {"API-Version": "v2", "Accept-Language": "en"}


class Searcher:
    def __init__(self, counter):
        self.counter = counter

    def __call__(self, q="", path=MMS, **options):
        return self.counter.json(path, q=q, **options)

    def codes(self, q="", **options):
        return [hit["theCode"] for hit in self(q, **options)["destinationEntities"]]


@pytest.fixture(scope="module")
def search(sample_counter):
    return Searcher(sample_counter)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fever, of UNKNOWN origin", ["fever", "of", "unknown", "origin"]),
        ("Cólera x-ray", ["colera", "x", "ray"]),
        ("Co\u0301lera", ["colera"]),
        ("Straße 4_5", ["strasse", "4", "5"]),
        ("%&/", []),
    ],
)
def test_case_accents_and_punctuation_do_not_count(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("% , -", ()),
        ("fever fever", (QueryWord("fever"),)),
        ("chol% typhi", (QueryWord("chol", is_prefix=True), QueryWord("typhi"))),
        ("x-ra%", (QueryWord("x"), QueryWord("ra", is_prefix=True))),
    ],
)
def test_a_query_is_read(text, expected):
    assert read_query(text) == expected


def test_whole_words_are_highlighted_with_single_quotes_and_accents_stay():
    marked = highlighted("Cólera, colera-like", read_query("colera lik%"))
    found = "<em class='found'>{}</em>"
    assert marked == f"{found.format('Cólera')}, {found.format('colera')}-{found.format('like')}"


def test_scores_fall_with_the_words_that_are_not_shared():
    index = TermIndex([Phrase("1", "Title", text) for text in ("fever", "Q fever", "fever, unspecified", "rash")])
    assert index.match(read_query("fever")) == {0: 1.0, 1: 0.666667, 2: 1.0}
    assert index.match(read_query("fever rash")) == {}
    assert set(index.match(read_query("fever rash"), flexible=True)) == {0, 1, 2, 3}
    assert index.completions("r") == ["rash"]


def test_the_answer_has_the_recorded_shape(search, recorded):
    real = json.loads((recorded / "search_2024-01_mms_fever.json").read_text(encoding="utf-8"))
    ours = search("fever")
    assert set(ours) == set(real)
    hit, term = ours["destinationEntities"][1], ours["destinationEntities"][1]["matchingPVs"][0]
    assert list(hit) == list(real["destinationEntities"][0])
    assert list(term) == list(real["destinationEntities"][0]["matchingPVs"][0])
    same = {name for name in real if name not in {"destinationEntities", "uniqueSearchId", "resultChopped"}}
    assert {name: ours[name] for name in same} == {name: real[name] for name in same}


def test_the_best_hit_comes_first_and_whole_scores_have_no_fraction(search):
    answer = search.counter.answer(MMS, q="fever").body
    assert b'"score":1,' in answer
    assert b'"score":1.0' not in answer
    first, *others = json.loads(answer)["destinationEntities"]
    assert (first["theCode"], first["score"], first["important"], first["chapter"]) == ("MG26", 1, True, "21")
    assert (first["titleIsASearchResult"], first["titleIsTopScore"]) == (True, False)
    assert first["matchingPVs"][0]["label"] == "<em class='found'>fever</em>"
    scores = [hit["score"] for hit in others]
    assert scores == sorted(scores, reverse=True)


def test_in_coding_mode_what_has_an_unspecified_residual_is_coded_there(search):
    first = search("bacterial pneumonia")["destinationEntities"][0]
    assert (first["theCode"], first["isLeaf"], first["isResidualUnspecified"]) == ("CA40.0Z", True, True)
    named = {term["propertyId"]: term for term in first["matchingPVs"]}
    assert named["TitleOfOtherEntity"]["foundationUri"] == "http://id.who.int/icd/entity/1323682030"
    assert "CA40" not in search.codes("pneumonia")
    assert search.codes("pneumonia", medicalCodingMode="false")[0] == "CA40"


def test_only_usable_codes_outside_the_supplementary_chapters_are_found_in_coding_mode(search):
    assert search.codes("O139") == []
    assert search.codes("O139", chapterFilter="X") == ["XN8KD"]
    assert search.codes("O139", subtreesFilter=f"{LINEAR}/979408586") == ["XN8KD"]
    assert search.codes("O139", medicalCodingMode="false") == ["XN8KD"]
    blocks = search("tuberculosis", medicalCodingMode="false")["destinationEntities"]
    assert "" in [hit["theCode"] for hit in blocks]


def test_a_name_from_below_the_shoreline_says_so(search):
    hit = search("classical cholera")["destinationEntities"][0]
    term = hit["matchingPVs"][0]
    assert (hit["theCode"], hit["titleIsASearchResult"]) == ("1A00", False)
    assert (term["propertyValueType"], term["foundationUri"][-10:]) == (1, "1205958647")


def test_a_prefix_finds_every_word_that_begins_so(search):
    assert search.codes("chole") == []
    assert search.codes("chole%")[0] == "1A00"
    assert search.codes("escher% enterohaem%") == ["1A03.3"]


def test_all_words_are_needed_unless_the_search_is_flexible(search):
    assert search.codes("cholera zzz") == []
    hits = search("cholera zzz", useFlexisearch="true")["destinationEntities"]
    assert (hits[0]["theCode"], hits[0]["important"]) == ("1A00", False)


@pytest.mark.parametrize(
    ("filters", "chapters"),
    [
        ({"chapterFilter": "07"}, {"07"}),
        ({"chapterFilter": "07;10"}, {"07", "10"}),
        ({"chapterFilter": "07, 10"}, {"07", "10"}),
        ({"chapterFilter": "99"}, set()),
        ({"subtreesFilter": f"{LINEAR}/142052508"}, {"12"}),
        ({"subtreesFilter": "http://id.who.int/icd/entity/142052508"}, {"12"}),
        ({"subtreesFilter": f"{LINEAR}/142052508,{LINEAR}/257068234"}, {"12", "01"}),
        ({"subtreesFilter": "nonsense"}, set()),
        ({"subtreesFilter": f"{LINEAR}/1"}, set()),
        ({"subtreesFilter": "http://id.who.int/icd/release/11/2024-01/icf/142052508"}, {"12"}),
    ],
)
def test_filters_keep_hits_inside(search, filters, chapters):
    hits = search("a% b% c% d% o%", useFlexisearch="true", **filters)["destinationEntities"]
    assert {hit["chapter"] for hit in hits} == chapters


def test_a_subtree_may_follow_the_foundation(search):
    listing = load_corpus().listing("mms")
    foundation = load_corpus().listing("foundation")
    for key in listing:
        source = listing.entity(key).foundation_id
        below = [] if source is None or source not in foundation else foundation.descendants(source)
        elsewhere = [place for place in below if place in listing and key not in listing.ancestors(place)]
        coded = [place for place in elsewhere if listing.entity(place).class_kind == "category"]
        if coded:
            break
    title, uri = listing.entity(coded[0]).title, f"{LINEAR}/{key}"
    options = {"subtreesFilter": uri, "medicalCodingMode": "false"}
    assert listing.entity(coded[0]).code not in search.codes(title, **options)
    options["subtreeFilterUsesFoundationDescendants"] = "true"
    assert search.codes(title, **options)[0] == listing.entity(coded[0]).code


def test_hits_nest_under_hits_on_request(search):
    options = {"medicalCodingMode": "false", "propertiesToBeSearched": "Title"}
    flat = search("pneumonia", **options)["destinationEntities"]
    tops = search("pneumonia", flatResults="false", **options)["destinationEntities"]
    assert all(hit["descendants"] == [] for hit in flat)
    top = next(hit for hit in tops if hit["theCode"] == "CA40")
    below = {hit["theCode"]: hit for hit in top["descendants"]}
    assert "CA40.0" in below
    assert "CA40.01" not in below
    assert "CA40.01" in [hit["theCode"] for hit in below["CA40.0"]["descendants"]]

    def count(hits):
        return sum(1 + count(hit["descendants"]) for hit in hits)

    assert count(tops) == len(flat)


def test_highlighting_can_be_turned_off(search):
    assert "<em" in json.dumps(search("cholera"))
    assert "<em" not in json.dumps(search("cholera", highlightingEnabled="false"))


def test_no_more_than_fifty_hits_are_given(search):
    many, few = search("of"), search("cholera")
    assert (len(many["destinationEntities"]), many["resultChopped"]) == (50, True)
    assert few["resultChopped"] is False
    assert 0 < len(few["destinationEntities"]) < 50


def test_keywords_complete_an_unfinished_word_and_suggest_after_a_finished_one(search):
    begun = search("chol", includeKeywordResult="true")
    assert begun["guessType"] == 0
    assert {"label": "cholera", "dontChangeResult": False} in begun["words"]
    done = search("cholera", includeKeywordResult="true")
    labels = [word["label"] for word in done["words"]]
    assert done["guessType"] == 1
    assert "classical" in labels
    assert "cholera" not in labels
    assert search("zzz", includeKeywordResult="true")["words"] == []
    assert search("cholera")["words"] is None
    many, few = search("p%", includeKeywordResult="true"), search("chol", includeKeywordResult="true")
    assert (len(many["words"]), many["wordSuggestionsChopped"], few["wordSuggestionsChopped"]) == (50, True, False)


def test_a_suggested_word_that_all_phrases_have_changes_nothing(search):
    answer = search("ebola", includeKeywordResult="true", chapterFilter="X")
    assert {word["label"]: word["dontChangeResult"] for word in answer["words"]} == {"virus": True}


@pytest.mark.parametrize("query", ["", "%", " - ", "&&"])
def test_a_query_without_words_is_an_error_in_a_good_answer(search, query):
    answer = search(query)
    assert (answer["error"], answer["destinationEntities"], answer["words"]) == (True, [], None)
    assert answer["errorMessage"] == "The query has no words: give some text in q."


def test_the_search_id_belongs_to_the_query(search):
    assert search("cholera") == search("cholera")
    ids = {search(text, path=path)["uniqueSearchId"] for text in ("cholera", "fever") for path in (MMS, FOUNDATION)}
    ids.add(search("cholera", language="es")["uniqueSearchId"])
    assert len(ids) == 5


def test_a_stem_and_an_extension_make_a_cluster_where_no_phrase_has_the_words(search):
    (hit,) = search("stroke left")["destinationEntities"]
    assert hit["theCode"] == "8B20 &XK8G"
    assert hit["id"] == f"{LINEAR}/1442995018 & {LINEAR}/271422288"
    assert (hit["stemId"], hit["entityType"]) == (f"{LINEAR}/1442995018", 2)
    assert hit["matchingPVs"][0]["propertyValueType"] == 3
    assert search("stroke left", medicalCodingMode="false")["destinationEntities"] == []
    assert search.codes("stroke mild") == []


@pytest.mark.parametrize(
    ("properties", "found"),
    [("Title", False), ("Definition", True), ("definition , Title", True), ("Exclusion", False), ("nonsense", False)],
)
def test_only_the_wanted_properties_are_searched(search, properties, found):
    listing = load_corpus().listing("mms")
    key = next(
        key for key in listing if listing.entity(key).definition and listing.entity(key).class_kind == "category"
    )
    text = listing.entity(key).definition
    hits = search(text, medicalCodingMode="false", propertiesToBeSearched=properties)["destinationEntities"]
    assert (bool(hits) and hits[0]["id"].endswith(key)) is found


def test_index_terms_include_titles_and_synonyms(search):
    options = {"medicalCodingMode": "false", "propertiesToBeSearched": "IndexTerm"}
    assert search.codes("cerebrovascular accident", **options) == ["8B20"]
    assert search.codes("Pneumonia", **options)[0] == "CA40"
    options["propertiesToBeSearched"] = "Title"
    assert search.codes("cerebrovascular accident", **options) == []


def test_the_foundation_has_no_codes_but_chapters_and_reaches_below_the_shoreline(search):
    hits = search("classical cholera", path=FOUNDATION)["destinationEntities"]
    assert hits[0]["id"] == "http://id.who.int/icd/entity/1205958647"
    assert (hits[0]["theCode"], hits[0]["chapter"], hits[0]["stemId"]) == (None, "01", hits[0]["id"])
    assert search("classical cholera", path=FOUNDATION, chapterFilter="02")["destinationEntities"] == []
    assert search("cholera", path=FOUNDATION, releaseId="2022-02")["destinationEntities"]
    assert search("cholera", path=FOUNDATION, includeKeywordResult="true")["words"] is None
    inside = search("cholera", path=FOUNDATION, subtreesFilter="http://id.who.int/icd/entity/257068234")
    assert {hit["chapter"] for hit in inside["destinationEntities"]} == {"01"}


def test_a_foundation_without_mms_has_no_chapters(counter_of):
    hits = Searcher(counter_of(load_corpus().without("mms")))("cholera", path=FOUNDATION)["destinationEntities"]
    assert {hit["chapter"] for hit in hits} == {None}


def test_other_languages_are_searched_in_their_own_words(search):
    hits = search("colera", language="es")["destinationEntities"]
    assert (hits[0]["theCode"], hits[0]["title"]) == ("1A00", "<em class='found'>Cólera</em>")
    assert search.codes("consciousness", path="/icd/release/11/2024-01/icf/search")[0].startswith("b110")


@pytest.mark.parametrize(
    ("path", "language"),
    [(MMS, "onion"), (FOUNDATION + "?releaseId=1999-01", "en"), (MMS.replace("2024", "1999"), "en")],
)
def test_unknown_languages_and_releases_are_not_found(search, path, language):
    answer = search.counter.answer(path, language=language)
    assert (answer.status, answer.body) == (404, b"Requested resource could not be found")


@pytest.fixture(scope="module")
def sample_api():
    import requests

    with Sandbox(authenticate=False) as sandbox, requests.Session() as http:
        yield lambda method, path, **options: http.request(
            method, sandbox.url + path, headers=HEADERS | options.pop("headers", {}), **options
        )


FIELDS = {"q": "cholera", "chapterFilter": "01", "highlightingEnabled": "false", "includePostcoordination": "true"}


@pytest.mark.parametrize("path", [MMS, FOUNDATION])
@pytest.mark.parametrize(
    "sent",
    [
        {"params": FIELDS},
        {"data": FIELDS},
        {"files": {name: (None, value) for name, value in FIELDS.items()}},
        {"params": {"q": "cholera"}, "data": {**FIELDS, "q": ""}},
    ],
    ids=["query", "form", "multipart", "both"],
)
def test_a_post_is_answered_as_the_get(sample_api, path, sent):
    got, posted = sample_api("GET", path, params=FIELDS), sample_api("POST", path, **sent)
    assert (got.status_code, posted.status_code) == (200, 200)
    assert posted.json() == got.json()
    assert got.json()["destinationEntities"]


def test_a_post_may_be_long(sample_api):
    uris = ",".join(f"{LINEAR}/{number}" for number in range(2000)) + f",{LINEAR}/257068234"
    answer = sample_api("POST", MMS, files={"q": (None, "cholera"), "subtreesFilter": (None, uris)})
    assert [hit["theCode"] for hit in answer.json()["destinationEntities"]] == ["1A00"]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"--x", 400),
        ("multipart/form-data; boundary=x", b"no parts", 400),
        ("multipart/form-data; boundary=x", b"", 200),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--", 200),
        ("text/plain", b"q=cholera", 200),
    ],
)
def test_a_malformed_body_is_refused_and_one_of_another_kind_is_not_read(sample_api, content_type, body, status):
    answer = sample_api("POST", MMS, data=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert status == 400 or answer.json()["error"] is True


def test_a_browser_may_post_a_search_from_anywhere(sample_api):
    wanted = "accept-language,api-version,authorization,x-of-some-tool"
    origin = {"Origin": "http://localhost:3000"}
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    preflight = sample_api("OPTIONS", MMS, headers=origin | asking)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == wanted
    answer = sample_api("POST", MMS, files={"q": (None, "cholera")}, headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "API-Version"


@pytest.mark.slow
def test_the_whole_mms_is_indexed_and_searched(full_size, counter_of):
    search = Searcher(counter_of(load_corpus(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")))
    options = {"medicalCodingMode": "false"}
    assert "8B20" in search.codes("stroke", **options)
    assert "MG26" in search.codes("fever unknown origin", **options)
    assert all("other" in hit["title"].lower() for hit in search("other%", **options)["destinationEntities"])
    assert search.codes("a%", useFlexisearch="true", **options)
