"""What a verb needs of a client, and where it asks: release and languages; it knows no operation by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from icdframes.client.endpoints import Classification, JsonSession
from icdframes.client.load_request import read_load_request
from icdframes.client.loading import Loader
from icdframes.errors import ConfigurationError, EntityNotFoundError
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.model.uris import check_classification

if TYPE_CHECKING:
    import pandas as pd

Answer = TypeVar("Answer")

_NO_REASON = "Requested resource could not be found"
_INSTEAD = {
    "icd10": "Load ICD-10 with load_entity(classification='icd10') and search its titles in pandas.",
    "foundation": "The foundation has ids and no codes: load them with load_entity(classification='foundation').",
}


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

    wire: JsonSession
    loader: Callable[[str], Loader]
    source: Callable[[str], Classification]
    cached: Callable[[], int]
    base_url: str
    max_workers: int


@dataclass(frozen=True, slots=True)
class QueryScope:
    """Where a verb asks: one classification and release, one or more languages."""

    classification: str
    release: str | None
    languages: tuple[str, ...]
    refresh: bool = False

    @property
    def named_release(self) -> str:
        """The release, which only the foundation can lack."""
        return self.release or ""


def resolve_scope(
    context: Context,
    classification: str,
    release: str | None,
    language: str | Sequence[str],
    *,
    verb: str,
    offered_by: Iterable[str],
    refresh: bool = False,
) -> QueryScope:
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
    request = read_load_request(classification=classification, release=release, language=language, refresh=refresh)
    scope = context.loader(classification).scope(request)
    return QueryScope(classification, scope.release, request.languages, refresh=refresh)


def provenance_for(context: Context, place: QueryScope) -> Provenance:
    """Tell where the answers come from."""
    return Provenance(
        server=context.base_url,
        classification=place.classification,
        release=place.release,
        languages=place.languages,
        retrieved_at=utc_text(datetime.now(UTC)),
    )


def with_provenance(frame: pd.DataFrame, context: Context, place: QueryScope) -> pd.DataFrame:
    """Note in a frame where it comes from."""
    frame.attrs["provenance"] = provenance_for(context, place).to_dict()
    return frame


def one_language(place: QueryScope, reason: str) -> None:
    """Refuse a second language.

    Raises
    ------
    ConfigurationError
        With the reason.

    """
    if len(place.languages) > 1:
        raise ConfigurationError(f"language={list(place.languages)!r} cannot be: {reason}.")


def reraise_not_found(ask: Callable[[], Answer], sentence: str) -> Answer:
    """Give the answer; where there is no such thing, say so in terms of what the user gave.

    Raises
    ------
    EntityNotFoundError
        With the sentence, and the reason of the server where it gives one.

    """
    try:
        return ask()
    except EntityNotFoundError as error:
        said = f" The server says: {error.reason}" if error.reason not in {"", _NO_REASON} else ""
        raise EntityNotFoundError(f"{sentence}{said}", reason=error.reason) from None


def as_text(value: object) -> str:
    """Give a text or whole number of a column as text; refuse everything else."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ConfigurationError(f"{str(value)[:60]!r} is {type(value).__name__}, not text: read the column as text.")
