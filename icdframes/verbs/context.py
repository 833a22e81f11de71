"""What a verb needs of a client, and asking a column in one release; it knows no operation by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from icdframes.endpoints.base import Classification, Wire
from icdframes.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    IcdError,
    PartialResultWarning,
)
from icdframes.frames.provenance import Provenance
from icdframes.model.outcome import EMPTY, FAILED, NOT_ASKED, OK, Outcome, outcome_of_error
from icdframes.model.uris import check_classification
from icdframes.verbs.columns import Column, ask_each
from icdframes.verbs.loading import Loader
from icdframes.verbs.question import read_question

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

_STACKLEVEL = 5
_SAID = " The server says: "
_NO_REASON = "Requested resource could not be found"
_REFUSED = (CredentialsRejectedError, CredentialsUnavailableError)


@dataclass(frozen=True, slots=True)
class Context:
    """What a verb needs of a client.

    Attributes
    ----------
    wire : Wire
        Sends requests.
    loader : callable
        Gives the `Loader` of a classification.
    source : callable
        Gives the `Classification` of that name.
    cached : callable
        Gives the number of answers from the cache so far.

    """

    wire: Wire
    loader: Callable[[str], Loader]
    source: Callable[[str], Classification]
    cached: Callable[[], int]
    base_url: str
    max_workers: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a verb asks: one classification and release, one or more languages."""

    classification: str
    release: str | None
    languages: tuple[str, ...]
    refresh: bool = False

    @property
    def named_release(self) -> str:
        """The release, which only the foundation can lack."""
        return self.release or ""


@dataclass(frozen=True, slots=True)
class Answers(Generic[Answer]):
    """What became of each value of a column, by language; the first language is what the user asked in."""

    by_language: dict[str, list[Outcome[Answer]]]

    @property
    def first(self) -> list[Outcome[Answer]]:
        """In the first language."""
        return next(iter(self.by_language.values()))

    @property
    def translations(self) -> dict[str, list[Outcome[Answer]]]:
        """In the other languages."""
        return dict(list(self.by_language.items())[1:])


def pin(
    context: Context,
    classification: str,
    release: str | None,
    language: str | Sequence[str],
    *,
    verb: str,
    offered_by: Iterable[str],
    refresh: bool = False,
) -> Place:
    """Resolve the release once, check the languages, and refuse a classification that lacks the operation.

    Raises
    ------
    ConfigurationError
        If the API has no such operation there.
    UnknownReleaseError, UnknownLanguageError
        If the server has no such thing.

    """
    offered = tuple(offered_by)
    if check_classification(classification) not in offered:
        raise ConfigurationError(
            f"The ICD API has no {verb} for classification={classification!r}, only for {', '.join(offered)}. "
            f"{_INSTEAD.get(classification, '')}".rstrip()
        )
    question = read_question(classification=classification, release=release, language=language, refresh=refresh)
    scope = context.loader(classification).scope(question)
    return Place(classification, scope.release, question.languages, refresh=refresh)


_INSTEAD = {
    "icd10": "Load ICD-10 with load_entity(classification='icd10') and search its titles in pandas.",
    "foundation": "The foundation has ids and no codes: load them with load_entity(classification='foundation').",
}


def ask_column(
    context: Context,
    place: Place,
    column: Column,
    read: Callable[[Any], Key],
    ask: Callable[[Key, str], Answer],
    *,
    label: str,
    progress: bool | None = None,
) -> Answers[Answer]:
    """Ask for every distinct value of a column once in every language.

    Parameters
    ----------
    column : Column
        What the user gave.
    read : callable
        Checks a value and gives what is asked for; raises ConfigurationError or CodeSyntaxError.
    ask : callable
        Sends the request for one of these and a language.

    Returns
    -------
    Answers

    Raises
    ------
    IcdError
        Of a single value, its own error; of a column only where the credentials are refused.

    """
    readings = _read_all(column, read)
    keys = [reading.answer for reading in readings if reading.answer is not None]
    asked = ask_each(
        ((key, language) for language in place.languages for key in keys),
        lambda pair: ask(*pair),
        max_workers=context.max_workers,
        label=f"{label} {place.classification} {place.named_release}".rstrip(),
        progress=False if column.single else progress,
        cached=context.cached,
    )
    answers = Answers(
        {language: [_outcome(reading, language, asked) for reading in readings] for language in place.languages}
    )
    _raise_or_warn(column, [outcome for outcomes in answers.by_language.values() for outcome in outcomes])
    return answers


def provenance_of(context: Context, place: Place) -> Provenance:
    """Tell where the answers come from."""
    return Provenance(
        server=context.base_url,
        classification=place.classification,
        release=place.release,
        languages=place.languages,
        retrieved_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def found_or(ask: Callable[[], Answer], sentence: str) -> Answer:
    """Give the answer; where there is no such thing, say so in terms of what the user gave.

    Raises
    ------
    EntityNotFoundError
        With the sentence, and the reason of the server where it gives one.

    """
    try:
        return ask()
    except EntityNotFoundError as error:
        reason = str(error).partition(_SAID)[2]
        said = "" if not reason or reason == _NO_REASON else f"{_SAID}{reason}"
        raise EntityNotFoundError(f"{sentence}{said}") from None


def as_text(value: Any) -> str:
    """Give a text or whole number of a column as text; refuse everything else."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ConfigurationError(f"{str(value)[:60]!r} is {type(value).__name__}, not text: read the column as text.")


def _read_all(column: Column, read: Callable[[Any], Key]) -> list[Outcome[Key]]:
    """Read each distinct text once; give keys as answers, and errors as they are."""
    known: dict[str, Outcome[Key]] = {}
    readings = []
    for value in column.given:
        if not isinstance(value, str):
            readings.append(_read_one(value, read))
            continue
        if value not in known:
            known[value] = _read_one(value, read)
        readings.append(known[value])
    return readings


def _read_one(value: Any, read: Callable[[Any], Key]) -> Outcome[Key]:
    if value is None:
        return Outcome(EMPTY)
    try:
        return Outcome(OK, read(value))
    except IcdError as error:
        return outcome_of_error(error)


def _outcome(reading: Outcome[Key], language: str, asked: dict[tuple[Key, str], Outcome[Answer]]) -> Outcome[Answer]:
    if reading.answer is None:
        return Outcome(reading.status, error=reading.error)
    return asked[reading.answer, language]


def _raise_or_warn(column: Column, outcomes: Sequence[Outcome[Any]]) -> None:
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if column.single:
        if errors:
            raise errors[0]
        if outcomes[0].status == EMPTY:
            raise ConfigurationError("Nothing was given: give a value, or a column of values.")
        return
    refused = next((error for error in errors if isinstance(error, _REFUSED)), None)
    if refused and not any(outcome.status == OK and outcome.answer is not None for outcome in outcomes):
        raise refused
    unasked = [outcome for outcome in outcomes if outcome.status in {FAILED, NOT_ASKED}]
    if unasked:
        warnings.warn(
            f"{len(unasked)} of {len(outcomes)} values have no answer, because server or network failed "
            f"(the first: {unasked[0].message}). Column 'status' tells which; ask again, and only these are sent.",
            PartialResultWarning,
            stacklevel=_STACKLEVEL,
        )
