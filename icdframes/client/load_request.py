"""What a user asks to load, checked before any request is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from icdframes.client.references import EntityReference, read_name
from icdframes.errors import ConfigurationError, check_option
from icdframes.model.uris import check_classification

OnError = Literal["raise", "warn"]
_INCLUDES = ("diagnosticCriteria",)
_ON_ERROR = ("raise", "warn")


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """One question: which entities, of which release, in which languages, how deep."""

    reference: EntityReference | None
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
    """Check the options of `load_tables` and give them their standard form.

    Raises
    ------
    ConfigurationError
        If an option is unknown or out of range; the sentence names the likely one.
    CodeSyntaxError
        If `entity` is no code, id or URI.

    """
    check_classification(classification)
    reference = None if entity is None else read_name(entity, classification)
    if reference and reference.release and release and reference.release != release:
        raise ConfigurationError(
            f"{entity} is of release {reference.release}, but release={release!r} was given: leave one of them out."
        )
    if depth is not None and (type(depth) is not int or depth < 0):
        raise ConfigurationError(
            f"depth={depth!r} cannot be: give 0 (the entity alone), 1, 2, … or leave it out for everything."
        )
    wanted = read_include(include, _INCLUDES)
    check_option("on_error", on_error, _ON_ERROR)
    return LoadRequest(
        reference=reference,
        classification=classification,
        release=_release(release, reference),
        languages=_languages(language),
        depth=depth,
        include=wanted,
        on_error=on_error,
        progress=progress,
        refresh=bool(refresh),
    )


def listed(option: str, given: object, example: str) -> tuple[str, ...]:
    """Give one text or number, or several, as texts, each once.

    Raises
    ------
    ConfigurationError
        If it is nothing of the kind.

    """
    if isinstance(given, str | int):
        return (str(given),)
    if not isinstance(given, Iterable):
        raise ConfigurationError(f"{option}={given!r} cannot be: give one such as {example!r}, or a list of them.")
    return tuple(dict.fromkeys(map(str, given)))


def read_include(include: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Give what is to be included, each once.

    Raises
    ------
    ConfigurationError
        If something is not `known`; the sentence names the likely one.

    """
    wanted = listed("include", include, known[-1])
    for name in wanted:
        check_option("include", name, known)
    return wanted


def _release(release: object, reference: EntityReference | None) -> str | None:
    if release is None or release == "latest":
        return reference.release if reference else None
    text = str(release).strip()
    if not text:
        raise ConfigurationError("release='' cannot be: give an id such as '2024-01', or leave it out for the newest.")
    return text


def _languages(language: str | Sequence[str]) -> tuple[str, ...]:
    cleaned = tuple(dict.fromkeys(one.strip().lower() for one in listed("language", language, "en")))
    if not cleaned or not all(cleaned):
        raise ConfigurationError(f"language={language!r} cannot be: give a code such as 'en', or several.")
    return cleaned
