"""Check the options of a load, and resolve which release and languages a verb asks about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from icdframes.client.endpoints import Classification
from icdframes.client.references import EntityReference, read_reference
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    EntityNotFoundError,
    UnknownLanguageError,
    UnknownReleaseError,
    check_option,
    did_you_mean,
)
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.model.entity import ReleaseList, TopLevel
from icdframes.model.uris import check_classification, is_release
from icdframes.settings import Server

if TYPE_CHECKING:
    import pandas as pd

OnError = Literal["raise", "warn"]
_INCLUDES = ("diagnosticCriteria",)
_ON_ERROR = ("raise", "warn")

EntityName = str | int
"""A code, an id, a residual, a URI, a block id, or a range of ICD-10."""

Answer = TypeVar("Answer")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_NO_REASON = "Requested resource could not be found"
_INSTEAD = {
    "icd10": "Load the whole ICD-10 and search its titles in pandas.",
    "foundation": "The foundation has ids and no codes: load its entities by id.",
}


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which entities to load, of which release, in which languages, how deep.

    Attributes
    ----------
    references : tuple of EntityReference
        The roots in the order that the user gave; empty for the whole classification.

    """

    references: tuple[EntityReference, ...]
    classification: str
    release: str | None
    languages: tuple[str, ...]
    depth: int | None
    include: tuple[str, ...]
    on_error: str
    progress: bool | None
    refresh: bool


def read_load_request(
    entity: object = None,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    depth: int | None = None,
    include: Iterable[str] = (),
    on_error: str = "raise",
    progress: bool | None = None,
    refresh: bool = False,
) -> LoadRequest:
    """Check the options of `load_tables` and return them in their standard form.

    Raises
    ------
    ConfigurationError
        If an option is unknown or out of range; the sentence names the likely one.
    CodeSyntaxError
        If `entity` is no code, id or URI.

    """
    check_classification(classification)
    references = read_references(entity, classification)
    named_release = _release_of(references)
    if named_release and release and named_release != release:
        raise ConfigurationError(
            f"{entity} is of release {named_release}, but the release {release!r} was given: leave one of them out."
        )
    if depth is not None and (type(depth) is not int or depth < 0):
        raise ConfigurationError(
            "cannot be: give 0 (the entity alone), 1, 2, … or leave it out for everything.", option="depth", value=depth
        )
    wanted = read_include(include, _INCLUDES)
    check_option("on_error", on_error, _ON_ERROR)
    return LoadRequest(
        references=references,
        classification=classification,
        release=read_release(release) or named_release,
        languages=read_languages(language),
        depth=depth,
        include=wanted,
        on_error=on_error,
        progress=progress,
        refresh=bool(refresh),
    )


def listed(option: str, given: object, example: str) -> tuple[str, ...]:
    """Return one text or number, or several, as texts, each once.

    Raises
    ------
    ConfigurationError
        If it is nothing of the kind.

    """
    if isinstance(given, str | int):
        return (str(given),)
    if not isinstance(given, Iterable):
        raise ConfigurationError(
            f"cannot be: give one such as {example!r}, or a list of them.", option=option, value=given
        )
    return tuple(dict.fromkeys(map(str, given)))


def read_include(include: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return what is to be included, each once.

    Raises
    ------
    ConfigurationError
        If something is not `known`; the sentence names the likely one.

    """
    wanted = listed("include", include, known[-1])
    for name in wanted:
        check_option("include", name, known)
    return wanted


def read_references(entity: object, classification: str) -> tuple[EntityReference, ...]:
    """Read one entity, or several in a list; None is no reference at all.

    Raises
    ------
    CodeSyntaxError
        If one is no code, id or URI, or the list is empty.

    """
    if entity is None:
        return ()
    if not isinstance(entity, Iterable) or isinstance(entity, str | bytes | Mapping):
        return (read_reference(entity, classification),)
    named = list(entity)
    if not named:
        raise CodeSyntaxError(
            "The list of entities is empty: give at least one, or None for the whole classification.", text="[]"
        )
    return tuple(dict.fromkeys(read_reference(one, classification) for one in named))


def _release_of(references: Sequence[EntityReference]) -> str | None:
    named = tuple(dict.fromkeys(reference.release for reference in references if reference.release))
    if len(named) > 1:
        raise ConfigurationError(f"The URIs are of several releases ({', '.join(named)}): load one release at a time.")
    return named[0] if named else None


def read_release(release: object) -> str | None:
    """Return a release id; None for the newest.

    Raises
    ------
    ConfigurationError
        If it is blank.

    """
    if release is None or release == "latest":
        return None
    text = str(release).strip()
    if not text:
        raise ConfigurationError(
            "cannot be: give an id such as '2024-01', or leave it out for the newest.", option="release", value=""
        )
    return text


def read_languages(language: str | Sequence[str]) -> tuple[str, ...]:
    """Return language codes in lower case, each once.

    Raises
    ------
    ConfigurationError
        If there is none, or a blank one.

    """
    cleaned = tuple(dict.fromkeys(one.strip().lower() for one in listed("language", language, "en")))
    if not cleaned or not all(cleaned):
        raise ConfigurationError("cannot be: give a code such as 'en', or several.", option="language", value=language)
    return cleaned


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
