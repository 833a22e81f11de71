"""Ask for each distinct value of a column once, concurrently, and return one answer per value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import pandas as pd

from icdframes.client.query_scope import QueryScope
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    IcdError,
    OfflineMissError,
    PartialResultWarning,
    ServerError,
    may_pass,
    warn,
)
from icdframes.model.responses import EMPTY, FAILED, NOT_ASKED, OK, Outcome, outcome_of_error
from icdframes.progress import progress_bar
from icdframes.worker_pool import WorkerPool

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

REFUSED = (CredentialsRejectedError, CredentialsUnavailableError)
"""What makes every further request hopeless."""

_HARMLESS = (EntityNotFoundError, OfflineMissError, ConfigurationError, CodeSyntaxError)
_TELL_SECONDS = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What a user gave: values in their order, and the index that the answer will have.

    Attributes
    ----------
    given : tuple of object
        The values; None where one is missing.
    index : pandas.Index
        Of a Series its index, of an Index the Index itself, otherwise 0, 1, 2, …
    single : bool
        Whether one value was given and no column; then an error is raised and not told in a row.

    """

    given: tuple[Any, ...]
    index: pd.Index[Any]
    single: bool = False


def read_column(given: object) -> Column:
    """Take one value, a list, a Series, an Index or an array apart.

    Raises
    ------
    ConfigurationError
        If it is a table, a dict, a set or nothing of the kind.

    """
    if isinstance(given, pd.MultiIndex | pd.DataFrame | Mapping | set | frozenset):
        raise ConfigurationError(f"{type(given).__name__} is no column: give one value, a list, a Series or an Index.")
    if isinstance(given, pd.Series):
        return Column(tuple(map(_plain, given.tolist())), given.index)
    if isinstance(given, pd.Index):
        return Column(tuple(map(_plain, given.tolist())), given)
    if isinstance(given, str | int) or not isinstance(given, Iterable):
        return Column((_plain(given),), pd.RangeIndex(1), single=True)
    values = tuple(map(_plain, given))
    return Column(values, pd.RangeIndex(len(values)))


def ask_each(
    keys: Iterable[Key],
    ask: Callable[[Key], Answer],
    *,
    max_workers: int,
    label: str = "",
    progress: bool | None = None,
    cached: Callable[[], int] = lambda: 0,
    note: Callable[[], str] = lambda: "",
) -> dict[Key, Outcome[Answer]]:
    """Ask for each distinct key once, concurrently.

    Parameters
    ----------
    keys : iterable of hashable
        Repeated keys are asked for once.
    ask : callable
        Called from several threads; an `IcdError` of it is the outcome of that key alone.
    max_workers : int
        Threads.
    label : str
        Stands before the progress bar.
    progress : bool, optional
        None shows a bar in terminals and notebooks.
    cached : callable
        Returns the number of answers from the cache so far.
    note : callable
        Returns what the progress bar says while the server is out.

    Returns
    -------
    dict of key to Outcome
        In the order of the keys. Where server or network failed, a key is asked for once more
        at the end. Where credentials are refused, or where failures
        follow one another without a success between, the rest is not asked for.

    """
    distinct = list(dict.fromkeys(keys))
    outcomes: dict[Key, Outcome[Answer]] = {}
    before = cached()
    with progress_bar(label, show=progress, unit="values") as report:

        def tell() -> None:
            report(len(outcomes), len(distinct), cached() - before, note())

        pool = WorkerPool(ask, min(max_workers, len(distinct)), "icdframes-column")
        try:
            for key in distinct:
                pool.submit(key)
            if _take_results(pool, outcomes, 2 * max_workers, tell):
                failed = [key for key, outcome in outcomes.items() if may_pass(outcome.error)]
                for key in failed:
                    pool.submit(key)
                _take_results(pool, outcomes, 2 * max_workers, tell)
        finally:
            pool.shutdown()
    left: Outcome[Answer] = Outcome(
        NOT_ASKED, error=IcdError("Not asked for: too many requests before it failed. Try again.")
    )
    return {key: outcomes.get(key, left) for key in distinct}


def _take_results(
    pool: WorkerPool[Key, Answer],
    outcomes: dict[Key, Outcome[Answer]],
    most_failures: int,
    tell: Callable[[], None],
) -> bool:
    """Take results until all have come, and return True; False where going on is hopeless."""
    failures_in_a_row = 0
    while pool.pending:
        if (found := pool.next_result(_TELL_SECONDS)) is not None:
            key, answer = found
            outcome = outcomes[key] = _outcome(answer)
            failures_in_a_row = 0 if _is_harmless(outcome.error) else failures_in_a_row + 1
            if isinstance(outcome.error, REFUSED) or failures_in_a_row >= most_failures:
                _log.warning("column ended early, after %s", type(outcome.error).__name__)
                tell()
                return False
        tell()
    return True


def _is_harmless(error: IcdError | None) -> bool:
    """Return whether an error tells of one value alone, and nothing of the server's health."""
    is_unable = isinstance(error, ServerError) and error.status == HTTPStatus.NOT_IMPLEMENTED
    return error is None or is_unable or isinstance(error, _HARMLESS)


def _outcome(answer: Answer | BaseException) -> Outcome[Answer]:
    if isinstance(answer, IcdError):
        return outcome_of_error(answer)
    if isinstance(answer, BaseException):
        raise answer
    return Outcome(answer=answer)


def as_text(value: object) -> str:
    """Return a text or whole number of a column as text; refuse everything else."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ConfigurationError(f"{str(value)[:60]!r} is {type(value).__name__}, not text: read the column as text.")


def _plain(value: Any) -> Any:
    """Return None for everything that is missing: None, NaN, NaT, pandas.NA, a blank text."""
    if isinstance(value, str):
        return value.strip() or None
    return None if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) else value


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
    scope: QueryScope,
    column: Column,
    read: Callable[[Any], Key],
    ask: Callable[[Key, str], Answer],
    *,
    label: str,
    max_workers: int,
    count_cached: Callable[[], int],
    note: Callable[[], str] = lambda: "",
    progress: bool | None = None,
) -> Answers[Answer]:
    """Ask for every distinct value of a column once in every language.

    Parameters
    ----------
    scope : QueryScope
        Where to ask, and in which languages.
    column : Column
        What the user gave.
    read : callable
        Checks a value and returns what is asked for; raises ConfigurationError or CodeSyntaxError.
    ask : callable
        Sends the request for one of these and a language.
    label : str
        Stands before the progress bar.
    max_workers : int
        Threads.
    count_cached : callable
        Returns the number of answers from the cache so far.
    note : callable
        Returns what the progress bar says while the server is out.
    progress : bool, optional
        None shows a bar in terminals and notebooks.

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
        ((key, language) for language in scope.languages for key in keys),
        lambda pair: ask(*pair),
        max_workers=max_workers,
        label=f"{label} {scope.classification} {scope.release_id}".rstrip(),
        progress=False if column.single else progress,
        cached=count_cached,
        note=note,
    )
    answers = Answers(
        {
            language: [_outcome_in_language(reading, language, asked) for reading in readings]
            for language in scope.languages
        }
    )
    _raise_or_warn(column, [outcome for outcomes in answers.by_language.values() for outcome in outcomes])
    return answers


def _read_all(column: Column, read: Callable[[Any], Key]) -> list[Outcome[Key]]:
    """Read each distinct text once; return keys as answers, and errors as they are."""
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


def _outcome_in_language(
    reading: Outcome[Key], language: str, asked: dict[tuple[Key, str], Outcome[Answer]]
) -> Outcome[Answer]:
    if reading.answer is None:
        return Outcome(reading.status, error=reading.error)
    return asked[reading.answer, language]


def _raise_or_warn(column: Column, outcomes: Sequence[Outcome[Any]]) -> None:
    """Raise the error of a single value; of a column, raise refused credentials and warn of what has no answer."""
    if column.single:
        _raise_single(outcomes)
    else:
        _raise_if_refused(outcomes)
        _warn_of_unanswered(outcomes)


def _raise_single(outcomes: Sequence[Outcome[Any]]) -> None:
    for outcome in outcomes:
        if outcome.error:
            raise outcome.error
    if outcomes[0].status == EMPTY:
        raise ConfigurationError("Nothing was given: give a value, or a column of values.")


def _raise_if_refused(outcomes: Sequence[Outcome[Any]]) -> None:
    refused = [outcome.error for outcome in outcomes if isinstance(outcome.error, REFUSED)]
    if refused and not any(outcome.status == OK and outcome.answer is not None for outcome in outcomes):
        raise refused[0]


def _warn_of_unanswered(outcomes: Sequence[Outcome[Any]]) -> None:
    unanswered = [outcome for outcome in outcomes if outcome.status in {FAILED, NOT_ASKED}]
    if unanswered:
        first = str(unanswered[0].error).rstrip(".")
        warn(
            f"{len(unanswered)} of {len(outcomes)} values have no answer, because server or network failed "
            f"(the first: {first}). Column 'status' tells which; ask again, and only these are sent.",
            PartialResultWarning,
        )
