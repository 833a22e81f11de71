"""Read the options of a load, and check them before any request is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from icdframes.client.references import EntityReference, read_reference
from icdframes.errors import CodeSyntaxError, ConfigurationError, check_option
from icdframes.model.uris import check_classification

OnError = Literal["raise", "warn"]
_INCLUDES = ("diagnosticCriteria",)
_ON_ERROR = ("raise", "warn")


EntityName = str | int
"""A code, an id, a residual, a URI, a block id, or a range of ICD-10."""


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
