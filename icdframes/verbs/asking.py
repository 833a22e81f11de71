"""A column asked value by value in one release: read, asked in each language, told in rows or raised."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from icdframes.errors import ConfigurationError, IcdError, PartialResultWarning, warn
from icdframes.model.outcome import EMPTY, FAILED, NOT_ASKED, OK, Outcome, outcome_of_error
from icdframes.verbs.columns import REFUSED, Column, ask_each
from icdframes.verbs.context import Context, Place

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


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
    refused = next((error for error in errors if isinstance(error, REFUSED)), None)
    if refused and not any(outcome.status == OK and outcome.answer is not None for outcome in outcomes):
        raise refused
    unasked = [outcome for outcome in outcomes if outcome.status in {FAILED, NOT_ASKED}]
    if unasked:
        first = str(unasked[0].error).rstrip(".")
        warn(
            f"{len(unasked)} of {len(outcomes)} values have no answer, because server or network failed "
            f"(the first: {first}). Column 'status' tells which; ask again, and only these are sent.",
            PartialResultWarning,
        )
