"""Every error and warning that icdframes raises, and the checks of options that raise them.

    IcdError
    ├─ ConfigurationError            (ValueError)
    ├─ CredentialsUnavailableError   (LookupError)      nothing was found
    ├─ CredentialsRejectedError      (PermissionError)  the server said no
    ├─ EntityNotFoundError           (LookupError)
    ├─ UnknownReleaseError           (LookupError)
    ├─ UnknownLanguageError          (LookupError)
    ├─ ConnectionFailedError         (ConnectionError)
    ├─ RateLimitedError              (ConnectionError)
    ├─ ServerError                   (RuntimeError)
    ├─ ResponseShapeError            (ValueError)
    ├─ OfflineMissError              (LookupError)
    ├─ TraversalError                (RuntimeError)
    ├─ CodeSyntaxError               (ValueError)
    ├─ FileFormatError               (ValueError)
    ├─ MissingExtraError             (ImportError)
    ├─ UnsupportedVersionError       (ImportError)
    └─ ExportError                   (OSError)
    LoadInterruptedError             (KeyboardInterrupt)
    IcdWarning                       (UserWarning)
    ├─ PartialResultWarning
    │  └─ TruncatedResultWarning
    ├─ HierarchyWarning
    ├─ ComparabilityWarning
    ├─ CacheWarning
    └─ CredentialStorageWarning

A message says what happened, where, and what to do next. An error carries the option that it is about and,
where the way out differs, the words of Python and of the command line apart: a front end asks for its own with
`IcdError.describe`.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from typing import Any, Self

_PACKAGE = Path(__file__).parent

REGISTER_URL = "https://icd.who.int/icdapi"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do next, in the words of Python and of the command line."""

    python: str
    shell: str = ""


class IcdError(Exception):
    """Root of every error that icdframes raises.

    Parameters
    ----------
    message : str
        What happened and where, and what to do next where that is the same everywhere.
    option : str, optional
        The option that the error is about, by its Python name; the message then goes on from it.
    value : object, optional
        What was given for it.
    remedy : Remedy, optional
        What to do next, where Python and the command line have other words for it.

    Attributes
    ----------
    option : str or None
        The option that the error is about.

    """

    def __init__(
        self, message: str = "", *, option: str | None = None, value: object = None, remedy: Remedy | None = None
    ) -> None:
        self.option = option
        self._problem = message
        self._value = value
        self._remedy = remedy
        super().__init__(self._compose(f"{option}={value!r}", remedy.python if remedy else ""))

    def describe(self, spell_option: Callable[[str, object], str]) -> str:
        """Return the message in the words of a command line.

        Parameters
        ----------
        spell_option : callable
            Returns an option and its value as they are typed, such as ``--depth -1``.

        """
        spelled = spell_option(self.option, self._value) if self.option else ""
        return self._compose(spelled, self._remedy.shell if self._remedy else "")

    def with_remedy(self, remedy: Remedy) -> Self:
        """Return the error itself, with another way out, for a front end that knows a better one."""
        self._remedy = remedy
        self.args = (self._compose(f"{self.option}={self._value!r}", remedy.python),)
        return self

    def _compose(self, spelled: str, remedy: str) -> str:
        text = f"{spelled} {self._problem}" if self.option else self._problem
        return f"{text}: {remedy}." if remedy else text

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the user's own line and the message; ``%debug`` still finds every frame."""
        return render_short(self)


class ConfigurationError(IcdError, ValueError):
    """An argument or setting cannot be used."""


class CredentialsUnavailableError(IcdError, LookupError):
    """No client id and secret were found anywhere."""


class CredentialsRejectedError(IcdError, PermissionError):
    """The server refused the client id, the secret or the token."""


class EntityNotFoundError(IcdError, LookupError):
    """The release has no such entity or code.

    Attributes
    ----------
    reason : str
        What the server says about it, if anything.

    """

    def __init__(self, message: str, *, reason: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class UnknownReleaseError(IcdError, LookupError):
    """The classification has no such release on this server."""


class UnknownLanguageError(IcdError, LookupError):
    """The release is not available in this language."""


class ConnectionFailedError(IcdError, ConnectionError):
    """The server could not be reached, or broke off its answer."""


class RateLimitedError(IcdError, ConnectionError):
    """The server kept saying 429, too many requests."""


class ServerError(IcdError, RuntimeError):
    """The server answered with a status that it should not have.

    Attributes
    ----------
    status : int or None
        That status, where it is known.

    """

    def __init__(self, message: str = "", *, status: int | None = None, remedy: Remedy | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class ResponseShapeError(IcdError, ValueError):
    """An answer is not what the ICD API documents.

    Attributes
    ----------
    uri : str
        What was asked for.
    json_path : str
        Where in the answer, such as ``$.title``.

    """

    def __init__(self, message: str, *, uri: str = "", json_path: str = "$") -> None:
        super().__init__(message)
        self.uri = uri
        self.json_path = json_path


class OfflineMissError(IcdError, LookupError):
    """Offline mode, and the answer is not in the cache."""


class TraversalError(IcdError, RuntimeError):
    """Some entities of a walk could not be loaded.

    Attributes
    ----------
    failures : dict of str to Exception
        Entity id and why it failed.
    tables : EntityTables or None
        Everything that did arrive.

    """

    def __init__(
        self,
        message: str,
        *,
        failures: Mapping[str, Exception] | None = None,
        tables: Any = None,
        remedy: Remedy | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.failures = dict(failures or {})
        self.tables = tables


class LoadInterruptedError(KeyboardInterrupt):
    """A load was interrupted; what has come is in the cache, and the same call goes on from there."""

    def __init__(self) -> None:
        super().__init__(
            "The load was interrupted. What was fetched is in the cache: the same call goes on from there."
        )

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class CodeSyntaxError(IcdError, ValueError):
    """A text is not a code, cluster, id or URI.

    Attributes
    ----------
    text : str
        What was given.
    position : int
        Zero-based place of the first character that does not fit.

    """

    def __init__(self, message: str, *, text: str = "", position: int = 0, remedy: Remedy | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.text = text
        self.position = position


class FileFormatError(IcdError, ValueError):
    """A file is unreadable or is not of the kind that was asked for."""


class MissingExtraError(IcdError, ImportError):
    """An optional package is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package: pip install 'icdframes[{extra}]'")
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.feature, self.extra)


class UnsupportedVersionError(IcdError, ImportError):
    """A package is installed in a version that is too old."""


class ExportError(IcdError, OSError):
    """A table could not be written; what was there before is unchanged."""


def may_pass(error: Exception | None) -> bool:
    """Return whether server or network failed in a way that may be over by now."""
    if isinstance(error, ServerError):
        return error.status is None or (error.status >= 500 and error.status != 501)  # noqa: PLR2004  HTTP's numbers
    return isinstance(error, ConnectionFailedError | RateLimitedError)


class IcdWarning(UserWarning):
    """Root of every warning that icdframes shows; as text it says how to silence it."""

    def __init__(self, message: str = "", *, remedy: Remedy | None = None) -> None:
        self._problem = message
        self._remedy = remedy
        super().__init__(f"{message}: {remedy.python}." if remedy else message)

    def describe(self) -> str:
        """Return the message in the words of a command line, without the way to silence it."""
        shell = self._remedy.shell if self._remedy else ""
        return f"{self._problem}: {shell}." if shell else self._problem

    def __str__(self) -> str:
        name = type(self).__name__
        return f'{super().__str__()} To silence: warnings.simplefilter("ignore", icdframes.errors.{name})'


class PartialResultWarning(IcdWarning):
    """A result is not complete."""


class TruncatedResultWarning(PartialResultWarning):
    """The server gave the best hits of a search only."""


class HierarchyWarning(IcdWarning):
    """A hierarchy holds a circle: an entity that is below itself."""


class ComparabilityWarning(IcdWarning):
    """Two things that are compared or joined are of different releases, languages or branches."""


class CacheWarning(IcdWarning):
    """The cache could not be used as it was."""


class CredentialStorageWarning(IcdWarning):
    """A secret is kept in a file because no system keyring is there."""


def render_short(error: BaseException) -> list[str]:
    """Return a traceback of the user's own lines and the message, as IPython wants it: a list of texts."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_of_a_library(frame.filename)]
    shown = traceback.StackSummary.from_list(frames).format()
    return ["".join([*shown, f"{type(error).__name__}: {error}"])]


def _is_of_a_library(filename: str) -> bool:
    path = Path(filename)
    return _PACKAGE in path.parents or "site-packages" in path.parts or "IPython" in path.parts


def warn(message: str, category: type[IcdWarning], *, remedy: Remedy | None = None) -> None:
    """Warn about the line outside icdframes that led here."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").startswith("icdframes."):
        level, frame = level + 1, frame.f_back
    warnings.warn(category(message, remedy=remedy), stacklevel=level)


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ``" Did you mean 'mms'?"``, or nothing where no name is near."""
    names = list(known)
    near = [name for name in names if name.casefold().strip() == word.casefold().strip()] or get_close_matches(
        word, names, n=1, cutoff=cutoff
    )
    return f" Did you mean {near[0]!r}?" if near else ""


def check_option(option: str, value: object, known: Sequence[str]) -> None:
    """Refuse a value that an option does not know; the message names those that it knows, and the likely one."""
    if value not in known:
        *others, last = map(repr, known)
        choice = f"{', '.join(others)} or {last}" if others else last
        hint = did_you_mean(str(value), known)
        raise ConfigurationError(f"is unknown: give {choice}.{hint}", option=option, value=value)


def check_whole(option: str, value: object, *, least: int, most: int | None = None, more: str = "") -> None:
    """Refuse what is no whole number in its range; the message names the range, and then whatever `more` says."""
    whole = None if isinstance(value, bool) or not isinstance(value, Integral) else int(value)
    if whole is None or whole < least or (most and whole > most):
        choice = f"{least} to {most}" if most else f"{least} or more"
        raise ConfigurationError(f"cannot be: give a whole number, {choice}{more}.", option=option, value=value)
