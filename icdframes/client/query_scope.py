"""Resolve which release and which languages a verb asks about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from icdframes.client.endpoints import Classification
from icdframes.errors import (
    ConfigurationError,
    EntityNotFoundError,
    UnknownLanguageError,
    UnknownReleaseError,
    did_you_mean,
)
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.model.entity import ReleaseList, TopLevel
from icdframes.model.uris import is_release
from icdframes.settings import Server

if TYPE_CHECKING:
    import pandas as pd

Answer = TypeVar("Answer")

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_NO_REASON = "Requested resource could not be found"
_INSTEAD = {
    "icd10": "Load the whole ICD-10 and search its titles in pandas.",
    "foundation": "The foundation has ids and no codes: load its entities by id.",
}


@dataclass(frozen=True, slots=True)
class QueryScope:
    """One classification on one server, in one release and one or more languages."""

    source: Classification
    server: Server
    top: TopLevel
    languages: tuple[str, ...]
    refresh: bool = False

    @property
    def classification(self) -> str:
        """The name of the classification."""
        return self.source.name

    @property
    def release(self) -> str | None:
        """The id of the release; None only where the foundation's server does not say."""
        return self.top.release

    @property
    def release_id(self) -> str:
        """The id of a release that stands in a path."""
        return self.top.release or ""

    def provenance(self) -> Provenance:
        """Return where answers that come now are from."""
        return Provenance(
            server=self.server.base_url,
            classification=self.classification,
            release=self.release,
            languages=self.languages,
            retrieved_at=utc_text(datetime.now(UTC)),
            is_sample=self.server.name == "sandbox",
        )

    def with_provenance(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Write into a frame's ``attrs`` where it comes from, and return the frame."""
        frame.attrs["provenance"] = self.provenance().to_dict()
        return frame


def resolve_scope(
    source: Classification, server: Server, release: str | None, languages: tuple[str, ...], *, refresh: bool = False
) -> QueryScope:
    """Find the release, once, and check that it has the languages.

    Parameters
    ----------
    source : Classification
        The endpoints of one classification.
    server : Server
        Where it is asked.
    release : str or None
        None is the newest.
    languages : tuple of str
        The first is the one that the text columns are in.
    refresh : bool
        Ask the server again.

    Raises
    ------
    UnknownReleaseError, UnknownLanguageError
        If the server has no such thing; the message lists what there is.

    """
    try:
        wanted = release or source.releases(refresh=refresh).latest
        if wanted is not None and not is_release(wanted):
            raise _unknown_release(source, server.base_url, wanted)
        top = source.top_level(wanted, refresh=refresh)
    except EntityNotFoundError:
        raise _unknown_release(source, server.base_url, release) from None
    for language in languages:
        _check_language(language, top)
    return QueryScope(source, server, top, languages, refresh)


def list_releases(source: Classification, base_url: str) -> ReleaseList:
    """Return the releases of a classification, newest first; `UnknownReleaseError` where the server has none."""
    try:
        return source.releases()
    except EntityNotFoundError:
        raise _unknown_release(source, base_url, None) from None


def check_offered(verb: str, classification: str, offered_by: Iterable[str]) -> None:
    """Raise `ConfigurationError` where the API has no such operation for a classification."""
    offered = tuple(offered_by)
    if classification not in offered:
        raise ConfigurationError(
            f"The ICD API has no {verb} for the classification {classification!r}, only for {', '.join(offered)}. "
            f"{_INSTEAD.get(classification, '')}".rstrip()
        )


def check_one_language(scope: QueryScope, reason: str) -> None:
    """Raise `ConfigurationError` with the reason where a verb that takes one language is given several."""
    if len(scope.languages) > 1:
        raise ConfigurationError(f"cannot be: {reason}.", option="language", value=list(scope.languages))


def reraise_not_found(ask: Callable[[], Answer], sentence: str) -> Answer:
    """Return the answer; where there is no such thing, say so in terms of what the user gave.

    Raises
    ------
    EntityNotFoundError
        With the sentence, and the reason of the server where it has one.

    """
    try:
        return ask()
    except EntityNotFoundError as error:
        said = f" The server says: {error.reason}" if error.reason not in {"", _NO_REASON} else ""
        raise EntityNotFoundError(f"{sentence}{said}", reason=error.reason) from None


def _unknown_release(source: Classification, base_url: str, release: str | None) -> UnknownReleaseError:
    try:
        known = source.releases().releases
    except EntityNotFoundError:
        return UnknownReleaseError(
            f"{base_url} has no {source.name}: a local deployment serves ICD-11 only, in the releases that it was "
            "started with."
        )
    hint = did_you_mean(release or "", known)
    return UnknownReleaseError(f"{source.name} has no release {release!r}: there are {', '.join(known)}.{hint}")


def _check_language(language: str, top: TopLevel) -> None:
    known = top.languages
    if not _LANGUAGE.fullmatch(language) or (known and language not in known):
        there = f": there are {', '.join(known)}" if known else ""
        raise UnknownLanguageError(
            f"{top.classification} {top.release} is not available in {language!r}{there}."
            f"{did_you_mean(language, known)}"
        )
