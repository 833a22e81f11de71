"""Collect the phrases that a search looks through, for a release in one language.

In medical coding mode only codes that can be used are found: what has an unspecified
residual is coded there, so its names count as names of the residual.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from icdframes.model.decode_entity import UNTRANSLATED
from icdframes.model.entity import Entity, Term
from icdframes.sandbox.corpus import Listing

TITLE, OTHER_TITLE, SYNONYM = "Title", "TitleOfOtherEntity", "Synonym"
FULL_NAME, NARROWER, DEFINITION, EXCLUSION = "FullySpecifiedName", "NarrowerTerm", "Definition", "Exclusion"
INDEX_TERM = "IndexTerm"
FOUNDATION_PROPERTIES = (TITLE, SYNONYM, NARROWER, FULL_NAME, DEFINITION, EXCLUSION)
FOUNDATION_DEFAULT = (TITLE, SYNONYM, FULL_NAME)
LINEAR_PROPERTIES = (TITLE, FULL_NAME, DEFINITION, EXCLUSION, INDEX_TERM)
CODING_PROPERTIES = (TITLE, FULL_NAME, INDEX_TERM)
REAL, BELOW_SHORELINE, CLUSTER = 0, 1, 3


class Phrase(NamedTuple):
    """A text by which an entity is found.

    Attributes
    ----------
    entity_id : str
        What is found.
    property_id : str
        As the API calls it.
    label : str
        As it is written.
    foundation_id : str or None
        The foundation entity that has the text.
    value_type : int
        `REAL`, `BELOW_SHORELINE` or `CLUSTER`.

    """

    entity_id: str
    property_id: str
    label: str
    foundation_id: str | None = None
    value_type: int = REAL


def foundation_phrases(listing: Listing, language: str, properties: Collection[str]) -> Iterator[Phrase]:
    """Return the phrases of the foundation, entity by entity."""
    for key in listing:
        entity = listing.entity(key, language)
        for property_id, label, _ in _own_texts(entity, properties):
            yield Phrase(key, property_id, label, key)


def linear_phrases(
    listing: Listing,
    language: str,
    properties: Collection[str],
    title_below: Callable[[str], str | None],
    *,
    coding: bool,
) -> Iterator[Phrase]:
    """Return the phrases of a linearization, entity by entity.

    Parameters
    ----------
    listing : Listing
        The release.
    language : str
        One of its languages.
    properties : collection of str
        Any of `LINEAR_PROPERTIES`.
    title_below : callable
        Returns the title of a foundation entity.
    coding : bool
        Whether only usable codes are to be found.

    """
    for key in listing:
        entity = listing.entity(key, language)
        target = _coded_as(listing, entity) if coding else key
        if target is None:
            continue
        own = entity.foundation_id or listing.entity(target.partition("/")[0], language).foundation_id
        for property_id, label, term in _own_texts(entity, properties):
            name = OTHER_TITLE if property_id == TITLE and target != key else property_id
            below = term.foundation_id if term else None
            if below is not None and below != own:
                name = TITLE if label == title_below(below) else name
                yield Phrase(target, name, label, below, BELOW_SHORELINE)
            else:
                yield Phrase(target, name, label, own)


def _coded_as(listing: Listing, entity: Entity) -> str | None:
    residual = listing.residual(entity.entity_id)
    if residual is not None:
        return residual
    return entity.entity_id if entity.code and entity.class_kind == "category" else None


def _own_texts(entity: Entity, properties: Collection[str]) -> Iterator[tuple[str, str, Term | None]]:
    """Return (property, label, term) of an entity, equal labels once."""
    seen: set[str] = set()
    for name, label, term in _all_texts(entity):
        if label and name in properties and (folded := label.casefold()) not in seen:
            seen.add(folded)
            yield SYNONYM if name == INDEX_TERM else name, label.removesuffix(UNTRANSLATED), term


def _all_texts(entity: Entity) -> Iterable[tuple[str, str | None, Term | None]]:
    yield TITLE, entity.title, None
    yield FULL_NAME, entity.fully_specified_name, None
    for term in entity.terms:
        yield _TERM_PROPERTY[term.kind], term.label, term
    yield DEFINITION, entity.definition, None
    for reference in entity.references:
        if reference.kind == "exclusion":
            yield EXCLUSION, reference.label, None


_TERM_PROPERTY: Mapping[str, str] = {
    "synonym": SYNONYM,
    "narrower_term": NARROWER,
    "inclusion": INDEX_TERM,
    "index_term": INDEX_TERM,
}
