"""Answer requests for releases and entities with the documents of the API, in the observed key order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from icdframes.errors import CodeSyntaxError
from icdframes.model.decode import UNTRANSLATED
from icdframes.model.encode import entity_to_json, release_list_to_json, top_level_to_json
from icdframes.model.entity import ReleaseList, TopLevel
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import Answer, RequestContext, json_answer, not_found

ANCESTOR, DESCENDANT, CRITERIA = "ancestor", "descendant", "diagnosticcriteria"
_ICD10_BROWSER = "http://apps.who.int/classifications/icd10/browse"
_VERSION_MARK = " Version for "


def entity_document(
    listing: Listing, entity_id: str, language: str, include: Collection[str] = ()
) -> Mapping[str, Any]:
    """Write one entity.

    Parameters
    ----------
    listing : Listing
        Where it is; KeyError if it is not there.
    entity_id : str
        Such as ``"257068234/other"``.
    language : str
        One of the listing's languages.
    include : collection of str
        Any of `ANCESTOR`, `DESCENDANT`, `CRITERIA`.

    Returns
    -------
    Mapping

    """
    if entity_id in listing.documents and not include:
        return listing.documents[entity_id]
    entity = listing.entity(entity_id, language)
    return entity_to_json(
        replace(
            entity,
            browser_url=browser_url(listing, language, entity_id),
            ancestor_ids=listing.ancestors(entity_id) or None if ANCESTOR in include else None,
            descendant_ids=listing.descendants(entity_id) or None if DESCENDANT in include else None,
            diagnostic_criteria=entity.diagnostic_criteria if CRITERIA in include else None,
        )
    )


def top_document(listing: Listing, language: str) -> dict[str, Any]:
    """Write the root of a release of a linearization or of ICD-10."""
    return top_level_to_json(_top(listing, language), language)


def foundation_document(corpus: Corpus, listing: Listing, language: str) -> dict[str, Any]:
    """Write the root of a release of the foundation, which names its linearizations too."""
    included = [
        str(EntityUri(name, listing.release, None))
        for name in corpus.linearizations
        if corpus.listing(name, listing.release)
    ]
    top = replace(
        _top(listing, language),
        all_releases=tuple(other.release for other in corpus.of("foundation")),
        extra={"includedLinearizations": included} if included else {},
    )
    return top_level_to_json(top, language)


def release_list_document(listings: tuple[Listing, ...], entity_id: str | None, language: str) -> dict[str, Any]:
    """Write the releases in which a classification, or one of its entities, exists; `listings` newest first."""
    named = next((listing for listing in listings if language in listing.languages), listings[0])
    if entity_id is None:
        title = _title_of(named, language).partition(_VERSION_MARK)[0]
    else:
        entity = named.entity(entity_id, language)
        title = (entity.title or "") + ("" if entity.translated else UNTRANSLATED)
    uri = EntityUri(named.classification, None, entity_id)
    releases = tuple(listing.release for listing in listings)
    return release_list_to_json(ReleaseList(str(uri), title, releases[0], releases), language)


def _title_of(listing: Listing, language: str) -> str:
    """Return the title of a release, with the marker where it is not translated."""
    if language in listing.titles:
        return listing.titles[language]
    return listing.titles["en"] + UNTRANSLATED if "en" in listing.titles else listing.classification.upper()


def browser_url(listing: Listing, language: str, entity_id: str | None = None) -> str:
    """Return the address in WHO's own browser, which follows the language."""
    if listing.classification == "icd10":
        return f"{_ICD10_BROWSER}/{listing.release}/{language}" + (f"#/{entity_id}" if entity_id else "")
    base = f"https://icd.who.int/browse/{listing.release}/{listing.classification}/{language}"
    return base + (f"#{entity_id}" if entity_id else "")


def _top(listing: Listing, language: str) -> TopLevel:
    release = None if listing.classification == "foundation" else listing.release
    return TopLevel(
        uri=str(EntityUri(listing.classification, release, None)),
        classification=listing.classification,
        release=listing.release,
        title=_title_of(listing, language),
        date=listing.date,
        languages=() if listing.classification == "icd10" else listing.languages,
        prerelease_languages=listing.prerelease_languages,
        child_ids=listing.tops,
        browser_url=browser_url(listing, language),
    )


def linearization_releases(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{lin}``, ``…/{id}`` and its residuals."""
    listings = context.listings(context.path["lin"])
    return json_answer(release_list_document(listings, context.key, context.language(*listings)))


def linearization_root(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}``."""
    listing = context.linearization()
    return json_answer(top_document(listing, context.language(listing)))


def linearization_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/{id}`` and its residuals."""
    listing = context.linearization()
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language, context.include()))


def linearization_lookup(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/{lin}/lookup``."""
    listing = context.linearization()
    language = context.language(listing)
    try:
        asked = parse_uri(context.query.get("foundationuri", ""))
    except CodeSyntaxError:
        raise not_found() from None
    if asked.classification != "foundation" or asked.entity_id is None:
        raise not_found()
    found = context.corpus.coded_at(listing, asked.entity_id)
    if found is None:
        raise not_found()
    return json_answer(entity_document(listing, found, language))


def foundation_root(context: RequestContext) -> Answer:
    """Answer ``/icd/entity``."""
    listing = _release(context)
    return json_answer(foundation_document(context.corpus, listing, context.language(listing)))


def foundation_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/entity/{id}``."""
    listing = _release(context)
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language, context.include()))


def _release(context: RequestContext) -> Listing:
    return context.listing("foundation", context.query.get("releaseid") or None)


def icd10_releases(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10`` and ``/icd/release/10/{code}``."""
    listings = context.listings("icd10")
    return json_answer(release_list_document(listings, context.key, context.language(*listings)))


def icd10_root(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10/{release}``."""
    listing = context.listing("icd10", context.path["release"])
    return json_answer(top_document(listing, context.language(listing)))


def icd10_entity(context: RequestContext) -> Answer:
    """Answer ``/icd/release/10/{release}/{code}``."""
    listing = context.listing("icd10", context.path["release"])
    language = context.language(listing)
    return json_answer(entity_document(listing, context.entity_id(listing), language))
