"""What a sandbox serves: releases of classifications as plain values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from threading import Lock
from typing import Any, TypeVar

from icdframes.model.entity import Entity

_NO_LINEARIZATION = ("foundation", "icd10")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Listing:
    """One release of one classification.

    Attributes
    ----------
    classification, release : str
        Such as ``"mms"`` and ``"2024-01"``.
    entities : Mapping of str to Mapping of str to Entity
        Language, then entity id; each language holds the same entities in tabular order.
        A loaded part may name parents and children that it does not hold.
    languages : tuple of str
        What ``Accept-Language`` may ask for; the first is the default.
    titles : Mapping of str to str
        Title of the release by language.
    date : str or None
        ``YYYY-MM-DD``.
    prerelease_languages : tuple of str
        Those of `languages` that are not final.
    documents : Mapping of str to dict
        Entity ids whose JSON is served as it was read, in the default language.

    """

    classification: str
    release: str
    entities: Mapping[str, Mapping[str, Entity]] = field(repr=False)
    languages: tuple[str, ...] = ("en",)
    titles: Mapping[str, str] = field(default_factory=dict)
    date: str | None = None
    prerelease_languages: tuple[str, ...] = ()
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def __contains__(self, entity_id: object) -> bool:
        return entity_id in self._base

    def __iter__(self) -> Iterator[str]:
        return iter(self._base)

    def __len__(self) -> int:
        return len(self._base)

    def entity(self, entity_id: str, language: str | None = None) -> Entity:
        """Return an entity in one language (the default one if None); KeyError where there is none."""
        return self.entities[language or self.languages[0]][entity_id]

    @property
    def _base(self) -> Mapping[str, Entity]:
        return self.entities[self.languages[0]]

    @cached_property
    def tops(self) -> tuple[str, ...]:
        """Entities none of whose parents is held here, in order: the chapters of a whole classification."""
        held = self._base
        return tuple(key for key, entity in held.items() if not any(parent in held for parent in entity.parent_ids))

    @cached_property
    def has_axes(self) -> bool:
        """Whether any entity has postcoordination axes; WHO's table of the MMS, for one, has none."""
        return any(entity.axes for entity in self._base.values())

    @cached_property
    def by_code(self) -> Mapping[str, str]:
        """Entity id of each code."""
        return {entity.code: key for key, entity in self._base.items() if entity.code}

    @cached_property
    def by_foundation(self) -> Mapping[str, str]:
        """Entity id of each foundation entity that has a place of its own here."""
        found: dict[str, str] = {}
        for key, entity in self._base.items():
            if entity.foundation_id:
                found.setdefault(entity.foundation_id, key)
        return found

    @cached_property
    def chapters(self) -> Mapping[str, str | None]:
        """Code of the chapter of each entity."""
        found: dict[str, str | None] = {}
        for key, entity in self._base.items():
            above = next((parent for parent in entity.parent_ids if parent in found), None)
            found[key] = entity.code if above is None else found[above]
        return found

    def ancestors(self, entity_id: str) -> tuple[str, ...]:
        """Return all held ancestors, nearest first, without the classification itself."""
        found: dict[str, None] = {}
        queue = deque(self._base[entity_id].parent_ids)
        while queue:
            parent = queue.popleft()
            if parent in self._base and parent not in found and parent != entity_id:
                found[parent] = None
                queue.extend(self._base[parent].parent_ids)
        return tuple(found)

    def descendants(self, entity_id: str) -> tuple[str, ...]:
        """Return all held descendants, each once, in tabular order."""
        found: dict[str, None] = {}
        stack = list(reversed(self._base[entity_id].child_ids))
        while stack:
            child = stack.pop()
            if child in self._base and child not in found and child != entity_id:
                found[child] = None
                stack.extend(reversed(self._base[child].child_ids))
        return tuple(found)

    def residual(self, entity_id: str) -> str | None:
        """Return the unspecified residual of an entity, where it has one."""
        residual_id = f"{entity_id}/unspecified"
        return residual_id if residual_id in self._base else None


class Corpus:
    """Some releases of some classifications.

    Parameters
    ----------
    listings : iterable of Listing
        At most one for each classification and release.

    """

    def __init__(self, listings: Iterable[Listing]) -> None:
        newest_first = sorted(listings, key=lambda listing: listing.release, reverse=True)
        self._listings = {(listing.classification, listing.release): listing for listing in newest_first}
        self._lock = Lock()
        self._made: dict[Hashable, Any] = {}

    def __iter__(self) -> Iterator[Listing]:
        """Iterate over the listings, newest release first."""
        return iter(self._listings.values())

    def listing(self, classification: str, release: str | None = None) -> Listing | None:
        """Return one release (the newest if None), or None where it is not held."""
        if release is not None:
            return self._listings.get((classification, release))
        return next(iter(self.of(classification)), None)

    def of(self, classification: str) -> tuple[Listing, ...]:
        """Return all releases of a classification, newest first."""
        return tuple(listing for listing in self if listing.classification == classification)

    def foundation_beside(self, listing: Listing) -> Listing | None:
        """Return the foundation of the same release, else the newest."""
        return self.listing("foundation", listing.release) or self.listing("foundation")

    def coded_at(self, listing: Listing, foundation_id: str) -> str | None:
        """Return where a foundation entity is coded in a linearization.

        It is the entity itself, or its nearest ancestor that has a place there; of a
        block, which has no code, it is the unspecified residual.
        """
        foundation = self.foundation_beside(listing)
        above = foundation.ancestors(foundation_id) if foundation and foundation_id in foundation else ()
        places = listing.by_foundation
        place = next((places[key] for key in (foundation_id, *above) if key in places), None)
        if place is None or listing.entity(place).code:
            return place
        return listing.residual(place) or place

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what belongs to a key; it is made at first use and kept as long as the corpus."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made: _Made = self._made[key]
            return made

    @cached_property
    def digest(self) -> str:
        """A short text that two corpora share only where they serve the same."""
        found = blake2b(digest_size=8)
        for listing in self:
            about = (listing.classification, listing.release, listing.languages, listing.date, dict(listing.titles))
            found.update(repr((about, sorted(listing.documents.items()))).encode())
            for entities in listing.entities.values():
                for entity in entities.values():
                    found.update(repr(entity).encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    @property
    def linearizations(self) -> tuple[str, ...]:
        """Names of the ICD-11 linearizations held, such as ``("mms", "icf")``."""
        names = dict.fromkeys(listing.classification for listing in self)
        return tuple(name for name in names if name not in _NO_LINEARIZATION)

    def without(self, classification: str) -> Corpus:
        """Return the same without one classification."""
        return Corpus(listing for listing in self if listing.classification != classification)
