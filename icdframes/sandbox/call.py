"""One request as a handler sees it, and what was negotiated for it; it knows no socket and no token."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from icdframes.sandbox.answers import not_found
from icdframes.sandbox.corpus import Corpus, Listing

_VERSION = re.compile(r"v?2(\.[0-6])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """A routed, authenticated request.

    Attributes
    ----------
    corpus : Corpus
        What there is to answer from.
    path : Mapping of str to str
        Decoded parts of the path by the name in the route's pattern.
    query : Mapping of str to str
        Decoded query and form fields; names in lower case, the last of equal names counts.
    languages : tuple of str
        Wanted languages, best first; empty means any.
    body : bytes or None
        Of a POST; None where the method has none.

    """

    corpus: Corpus
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    body: bytes | None = None

    def listing(self, classification: str, release: str | None = None) -> Listing:
        """Give a release, the newest if None; refuse with 404 where it is not there."""
        found = self.corpus.listing(classification, release)
        if found is None:
            raise not_found()
        return found

    def linearization(self) -> Listing:
        """Give the linearization and release that the path names."""
        return self.listing(self.path["lin"], self.path["release"])

    def language(self, *listings: Listing) -> str:
        """Give the wanted language that one of the listings has; refuse with 404 where none has it."""
        available = [language for listing in listings for language in listing.languages]
        chosen = choose_language(self.languages, available)
        if chosen is None:
            raise not_found()
        return chosen

    @property
    def key(self) -> str | None:
        """The entity id that the path names, if any."""
        return "/".join(self.path[part] for part in ("id", "residual") if part in self.path) or None

    def entity_id(self, listing: Listing) -> str:
        """Give the entity id that the path names; refuse with 404 where the listing has none such."""
        if self.key is None or self.key not in listing:
            raise not_found()
        return self.key

    def listings(self, classification: str) -> tuple[Listing, ...]:
        """Give the releases that hold the entity of the path (all, if it names none); refuse with 404 for none."""
        found = self.corpus.of(classification)
        if self.key is not None:
            found = tuple(listing for listing in found if self.key in listing)
        if not found:
            raise not_found()
        return found

    def include(self) -> frozenset[str]:
        """Give what ``include`` asks for, in lower case."""
        return frozenset(part.strip().lower() for part in self.query.get("include", "").split(",")) - {""}

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a boolean of the query."""
        return self.query.get(name.lower(), str(default)).strip().lower() == "true"


def choose_language(wanted: Iterable[str], available: Collection[str]) -> str | None:
    """Give the first wanted language that is available; ``en-US`` finds ``en``, ``*`` and nothing find the default."""
    default = "en" if "en" in available else next(iter(available), None)
    tags = tuple(wanted)
    if not tags:
        return default
    for tag in tags:
        if tag == "*":
            return default
        for candidate in (tag.lower(), tag.lower().partition("-")[0]):
            if candidate in available:
                return candidate
    return None


def weighted(header: str) -> tuple[str, ...]:
    """Give the values of an Accept… header, best first, without those of weight 0."""
    ranked: list[tuple[float, str]] = []
    for part in header.split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.lower().startswith("q=")), "1")
        quality = float(weight) if re.fullmatch(r"\d(\.\d*)?", weight) else 0.0
        if value and quality:
            ranked.append((quality, value))
    return tuple(value for _, value in sorted(ranked, key=lambda pair: -pair[0]))


def choose_media_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """Give the media type to answer with, or None where none is acceptable."""
    for value in weighted(accept or "*/*"):
        kind = value.lower()
        if kind in {"*/*", "application/*"}:
            return offered[0]
        if kind in offered:
            return kind
    return None


def is_version_2(header: str) -> bool:
    """Tell whether an API-Version header asks for version 2."""
    return _VERSION.fullmatch(header.strip()) is not None
