"""What became of one value of a column: its answer, or why there is none; it decides nothing about the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, IcdError

Answer = TypeVar("Answer")

OK = "ok"
EMPTY = "empty"
INVALID = "invalid"
NOT_FOUND = "not_found"
NO_MATCH = "no_match"
FAILED = "failed"
NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Answer]):
    """One row of an answer.

    Attributes
    ----------
    status : str
        ``ok``; ``no_match``: the server knows nothing that matches; ``not_found``: it has no such
        code or entity; ``invalid``: the value cannot be asked for and was not sent; ``empty``: the
        value is missing; ``failed``: server or network; ``not_asked``: so many had failed before
        that the rest was left.
    answer : object or None
        None unless the status is ``ok`` or ``no_match``.
    error : IcdError or None
        Why there is no answer.

    """

    status: str = OK
    answer: Answer | None = None
    error: IcdError | None = None

    @property
    def message(self) -> str | None:
        """The error's sentence."""
        return None if self.error is None else str(self.error)


def outcome_of_error(error: IcdError) -> Outcome[Answer]:
    """Sort an error into a status."""
    if isinstance(error, EntityNotFoundError):
        return Outcome(NOT_FOUND, error=error)
    if isinstance(error, ConfigurationError | CodeSyntaxError):
        return Outcome(INVALID, error=error)
    return Outcome(FAILED, error=error)
