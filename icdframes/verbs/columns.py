"""One value or a column of them → one answer for each distinct value; it knows neither HTTP nor what is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from icdframes.crew import Crew
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    EntityNotFoundError,
    IcdError,
    OfflineMissError,
)
from icdframes.model.outcome import NOT_ASKED, Outcome, outcome_of_error
from icdframes.progress import progress_bar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

REFUSED = (CredentialsRejectedError, CredentialsUnavailableError)
"""What makes every further request hopeless."""

_HARMLESS = (EntityNotFoundError, OfflineMissError, ConfigurationError, CodeSyntaxError)
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
        None shows a bar where somebody looks.
    cached : callable
        Gives the number of answers from the cache so far.

    Returns
    -------
    dict of key to Outcome
        In the order of the keys. Where credentials are refused, or where failures
        follow one another without a success between, the rest is not asked for.

    """
    distinct = list(dict.fromkeys(keys))
    outcomes: dict[Key, Outcome[Answer]] = {}
    before = cached()
    with progress_bar(label, show=progress, unit="values") as report:

        def arrived(key: Key, outcome: Outcome[Answer]) -> None:
            outcomes[key] = outcome
            report(len(outcomes), len(distinct), cached() - before)

        _ask_concurrently(distinct, ask, max_workers, arrived)
    left: Outcome[Answer] = Outcome(
        NOT_ASKED, error=IcdError("Not asked for: too many requests before it failed. Try again.")
    )
    return {key: outcomes.get(key, left) for key in distinct}


def _ask_concurrently(
    keys: Sequence[Key],
    ask: Callable[[Key], Answer],
    max_workers: int,
    arrived: Callable[[Key, Outcome[Answer]], None],
) -> None:
    """Keep a few requests per thread queued; leave at once where going on is hopeless or the user interrupts."""
    failures_in_a_row = 0
    crew = Crew(ask, min(max_workers, len(keys)), "icdframes-column")
    try:
        for key in keys:
            crew.ask(key)
        while found := crew.answer():
            key, answer = found
            outcome = _outcome(answer)
            arrived(key, outcome)
            harmless = outcome.error is None or isinstance(outcome.error, _HARMLESS)
            failures_in_a_row = 0 if harmless else failures_in_a_row + 1
            if isinstance(outcome.error, REFUSED) or failures_in_a_row >= 2 * max_workers:
                _log.warning("column ended early, after %s", type(outcome.error).__name__)
                return
    finally:
        crew.leave()


def _outcome(answer: Answer | BaseException) -> Outcome[Answer]:
    if isinstance(answer, IcdError):
        return outcome_of_error(answer)
    if isinstance(answer, BaseException):
        raise answer
    return Outcome(answer=answer)


def _plain(value: Any) -> Any:
    """Give None for everything that is missing: None, NaN, NaT, pandas.NA, a blank text."""
    if isinstance(value, str):
        return value.strip() or None
    return None if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) else value
