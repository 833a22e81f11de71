"""The sample that ships with the package."""

import re
from itertools import pairwise

import pytest

from icdframes.errors import ConfigurationError
from icdframes.model.decode import UNTRANSLATED, parse_entity
from icdframes.sandbox import load_corpus
from icdframes.sandbox.handlers.entities import CRITERIA, entity_document
from icdframes.sandbox.sample import example_deaths

LISTINGS = [(listing.classification, listing.release) for listing in load_corpus()]


@pytest.fixture(scope="module")
def sample():
    return load_corpus()


@pytest.fixture(params=LISTINGS, ids="-".join)
def listing(request, sample):
    return sample.listing(*request.param)


def test_it_has_two_releases_and_parts_of_all_classifications(sample):
    assert {"mms", "icf", "foundation", "icd10"} == {classification for classification, _ in LISTINGS}
    assert all(len(sample.of(name)) >= 2 for name in ("mms", "foundation", "icd10"))
    assert len(sample.listing("mms")) >= 400
    assert sample.listing("mms").languages == ("en", "es", "fr")


def test_every_link_within_a_listing_resolves(listing):
    for key in listing:
        entity = listing.entity(key)
        assert all(parent in listing for parent in entity.parent_ids), key
        assert all(key in listing.entity(child).parent_ids for child in entity.child_ids), key
        assert all(scale in listing for axis in entity.axes for scale in axis.scale_entity_ids), key
        assert all(child in listing for child in entity.child_ids), key


def test_every_reference_resolves_but_names_of_what_lies_outside_the_sample(listing, sample):
    foundation = sample.listing("foundation", listing.release) or sample.listing("foundation")
    for key in listing:
        entity = listing.entity(key)
        for item in (*entity.references, *entity.terms):
            assert item.linearization_id is None or item.linearization_id in listing, (key, item)
            named_only = item.kind in {"exclusion", "child_elsewhere"}
            assert named_only or item.foundation_id is None or item.foundation_id in foundation, (key, item)
        assert entity.foundation_id is None or entity.foundation_id in foundation, key


def test_it_is_in_tabular_order(listing):
    if listing.classification != "foundation":
        order = list(listing)
        walked = [key for top in listing.tops for key in (top, *listing.descendants(top))]
        assert order == walked


def test_codes_are_unique(listing):
    codes = [listing.entity(key).code for key in listing if listing.entity(key).code]
    assert len(codes) == len(set(codes))


def test_residuals_stand_last_among_their_siblings(listing):
    for key in listing:
        flags = [listing.entity(child).is_residual for child in listing.entity(key).child_ids]
        assert flags == sorted(flags), key


def test_documents_are_read_back_as_they_were(listing):
    for language in listing.languages:
        for key in listing:
            document = entity_document(listing, key, language, {CRITERIA})
            assert parse_entity(document).title == listing.entity(key, language).title


def test_untranslated_titles_and_texts_occur_and_are_marked(sample):
    french = sample.listing("mms").entities["fr"].values()
    assert {entity.translated for entity in french} == {True, False}
    assert any((entity.definition or "").endswith(UNTRANSLATED) for entity in french)
    assert all(entity.translated for entity in sample.listing("mms").entities["en"].values())


def test_every_field_of_a_linearization_entity_occurs(sample):
    listing = sample.listing("mms")
    seen = set().union(*(entity_document(listing, key, "en", {CRITERIA}) for key in listing))
    assert seen == {
        "@context", "@id", "parent", "child", "browserUrl", "code", "source", "classKind", "blockId", "codeRange",
        "foundationChildElsewhere", "postcoordinationScale", "diagnosticCriteria", "title", "definition",
        "longDefinition", "inclusion", "exclusion", "fullySpecifiedName", "relatedEntitiesInMaternalChapter",
        "relatedEntitiesInPerinatalChapter", "codingNote", "indexTerm",
    }  # fmt: skip
    assert {listing.entity(key).class_kind for key in listing} >= {"chapter", "block", "category"}
    multiple = {axis.allow_multiple for key in listing for axis in listing.entity(key).axes}
    assert multiple == {"AllowAlways", "NotAllowed", "AllowedExceptFromSameBlock"}
    assert {axis.required for key in listing for axis in listing.entity(key).axes} == {True, False}


def test_every_field_of_a_foundation_entity_occurs(sample):
    listing = sample.listing("foundation")
    seen = set().union(*(entity_document(listing, key, "en", {CRITERIA}) for key in listing))
    assert seen == {
        "@context", "@id", "parent", "child", "browserUrl", "diagnosticCriteria", "title", "synonym", "definition",
        "longDefinition", "narrowerTerm", "inclusion", "fullySpecifiedName", "exclusion",
        "relatedEntitiesInMaternalChapter", "relatedEntitiesInPerinatalChapter",
    }  # fmt: skip
    assert any(len(listing.entity(key).parent_ids) > 1 for key in listing)
    assert any(term.deprecated for key in listing for term in listing.entity(key).terms)


def test_the_foundation_reaches_below_the_shoreline(sample):
    placed = set(sample.listing("mms").by_foundation)
    below = [key for key in sample.listing("foundation") if key not in placed]
    assert len(below) > 3


def test_the_releases_differ_in_every_way_that_can_be_compared(sample):
    new, old = sample.of("mms")
    common = [key for key in new if key in old]
    assert set(new) - set(old)
    assert set(old) - set(new)
    for field in ("title", "code", "parent_ids", "class_kind", "definition"):
        assert any(getattr(new.entity(key), field) != getattr(old.entity(key), field) for key in common), field


def test_own_texts_say_that_they_are_not_whos(sample):
    for listing in sample:
        for key in listing:
            entity = listing.entity(key)
            for text in (entity.definition, entity.long_definition, entity.diagnostic_criteria, entity.coding_note):
                assert text is None or re.search(r"\(icdframes sample text, not WHO's\.\)$", text), key


@pytest.mark.parametrize(("name", "near"), [("msm", "'mms'"), ("icd-10", "'icd10'")])
def test_an_example_that_is_not_there_is_told(name, near):
    with pytest.raises(ConfigurationError, match=f"Did you mean {near}"):
        example_deaths(name)


def test_releases_are_newest_first_and_dated(sample):
    for name in {classification for classification, _ in LISTINGS}:
        dates = [listing.date for listing in sample.of(name)]
        assert all(newer > older for newer, older in pairwise(dates)), name


def _plain(text):
    return (text or "").casefold()


@pytest.mark.parametrize("classification", ["foundation", "mms"])
def test_translated_exclusions_stand_beside_their_own_targets(classification, sample):
    listing = sample.listing(classification)
    english, spanish = (
        {entity.foundation_id: entity.title for entity in listing.entities[language].values() if entity.translated}
        for language in ("en", "es")
    )
    checked = 0
    for key in listing:
        both = (listing.entity(key, language).references for language in ("en", "es"))
        pairs = [
            (said, told)
            for said, told in zip(*both, strict=True)
            if told.label and not told.label.endswith(UNTRANSLATED) and told.kind in {"exclusion", "child_elsewhere"}
        ]
        targets = {_plain(spanish.get(told.foundation_id)): told.foundation_id for _, told in pairs}
        for said, told in pairs:
            chapters = [re.findall(r"\d\d(?=\))", text) for text in (said.label, told.label)]
            assert chapters[0] == chapters[1], (key, told)
            assert targets.get(_plain(told.label), told.foundation_id) == told.foundation_id, (key, told)
            if told.foundation_id in spanish and _plain(said.label) == _plain(english[told.foundation_id]):
                assert told.label == spanish[told.foundation_id], (key, told)
                checked += 1
    assert checked >= 40
