"""The releases of one classification on one server: finds one and checks its languages, or says which there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from icdframes.client.endpoints import Classification
from icdframes.errors import EntityNotFoundError, UnknownLanguageError, UnknownReleaseError, did_you_mean
from icdframes.model.entity import TopLevel
from icdframes.model.uris import is_release

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


class Releases:
    """The releases of one classification.

    Parameters
    ----------
    classification : Classification
        Whom to ask.
    base_url : str
        Of the server, for messages.

    """

    def __init__(self, classification: Classification, base_url: str) -> None:
        self._source = classification
        self._base_url = base_url

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Give the root of a release; None is the newest, resolved to its id."""
        if release is None:
            release = self._newest(refresh=refresh)
        elif not is_release(release):
            raise self._unknown(release)
        try:
            return self._source.top_level(release, refresh=refresh)
        except EntityNotFoundError:
            raise self._unknown(release) from None

    def _newest(self, *, refresh: bool) -> str | None:
        try:
            return self._source.releases(refresh=refresh).latest
        except EntityNotFoundError:
            raise self._unknown(None) from None

    def _unknown(self, release: str | None) -> UnknownReleaseError:
        name = self._source.name
        try:
            known = self._source.releases().releases
        except EntityNotFoundError:
            return UnknownReleaseError(
                f"{self._base_url} has no {name}: a local deployment serves ICD-11 only, in the releases that it was "
                "started with."
            )
        hint = did_you_mean(release or "", known)
        return UnknownReleaseError(f"{name} has no release {release!r}: there are {', '.join(known)}.{hint}")


def check_languages(languages: Iterable[str], top: TopLevel) -> None:
    """Raise `UnknownLanguageError` for the first language that a release does not have."""
    for language in languages:
        _check_language(language, top)


def _check_language(language: str, top: TopLevel) -> None:
    known = top.languages
    if not _LANGUAGE.fullmatch(language) or (known and language not in known):
        there = f": there are {', '.join(known)}" if known else ""
        raise UnknownLanguageError(
            f"{top.classification} {top.release} is not available in {language!r}{there}."
            f"{did_you_mean(language, known)}"
        )
