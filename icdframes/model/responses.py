"""The answers of search, autocode, codeinfo and describe as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, IcdError

POSTCOORDINATION = {0: "none", 1: "possible", 2: "required"}
ENTITY_TYPES = {0: "real", 1: "logically_defined", 2: "cluster"}
VALUE_TYPES = {0: "real", 1: "below_shoreline", 2: "logically_defined", 3: "cluster"}


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """A text of an entity that matches a query.

    Attributes
    ----------
    property_name : str or None
        ``Title``, ``Synonym``, ``TitleOfOtherEntity``, …
    foundation_id : str or None
        Foundation entity that has the text.
    value_type : str or None
        One of `VALUE_TYPES`.

    """

    label: str
    property_name: str | None = None
    score: float | None = None
    important: bool = False
    foundation_id: str | None = None
    value_type: str | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An entity or cluster that matches a query.

    Attributes
    ----------
    uri : str
        Of the entity; for a cluster an expression of several URIs.
    entity_id : str
        Of the stem.
    score : float or None
        Comparable within one answer only.
    postcoordination, entity_type : str or None
        One of `POSTCOORDINATION`, `ENTITY_TYPES`.
    descendants : tuple of SearchHit
        Hits below this one, where they are nested.

    """

    uri: str
    entity_id: str
    title: str
    code: str | None = None
    score: float | None = None
    chapter: str | None = None
    is_leaf: bool = False
    is_residual: bool = False
    postcoordination: str | None = None
    entity_type: str | None = None
    important: bool = False
    title_matches: bool = False
    title_is_best: bool = False
    has_coding_note: bool = False
    has_maternal_link: bool = False
    has_perinatal_link: bool = False
    terms: tuple[MatchedTerm, ...] = ()
    terms_truncated: bool = False
    descendants: tuple[SearchHit, ...] = ()


@dataclass(frozen=True, slots=True)
class WordSuggestion:
    """A word that could complete or narrow a query."""

    label: str
    keeps_result: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query.

    Attributes
    ----------
    chopped, words_chopped : bool
        Whether there are more hits or words than the server gives.

    """

    hits: tuple[SearchHit, ...] = ()
    words: tuple[WordSuggestion, ...] = ()
    chopped: bool = False
    words_chopped: bool = False

    def walk(self) -> Iterator[tuple[SearchHit, SearchHit | None, int]]:
        """Return every hit with the one above it and its depth, from top to bottom."""
        stack: list[tuple[SearchHit, SearchHit | None, int]] = [(hit, None, 0) for hit in reversed(self.hits)]
        while stack:
            hit, above, depth = stack.pop()
            yield hit, above, depth
            stack.extend((below, hit, depth + 1) for below in reversed(hit.descendants))


@dataclass(frozen=True, slots=True)
class AutocodeMatch:
    """The best match for a text; ``uri`` and ``foundation_uri`` are None where nothing matches.

    Attributes
    ----------
    level : int or None
        0 is an exact match, 3 none; 1 and 2 are weaker matches.
    score : float or None
        0 to 1.
    match_type : str or None
        One of `VALUE_TYPES`.

    """

    text: str
    matching_text: str | None = None
    code: str | None = None
    uri: str | None = None
    foundation_uri: str | None = None
    entity_id: str | None = None
    foundation_id: str | None = None
    level: int | None = None
    score: float | None = None
    match_type: str | None = None
    is_title: bool | None = None


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """What the API says of a code or cluster.

    Attributes
    ----------
    stem_id : str
        Entity id of the stem.
    values : Mapping of str to tuple of str
        Axis name and the codes given on it.
    other : tuple of str
        Codes that fit no axis (flexible mode only).

    """

    uri: str
    code: str
    stem_id: str
    stem_code: str | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    simplified_code: str | None = None
    simplified_stem_code: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostcoordinationSet:
    """A code or cluster in words: what is on which axis, with labels.

    Attributes
    ----------
    on_axes : tuple of (str, PostcoordinationSet)
        Axis and value, in the order of the answer; the axis is None where a value is on
        none (flexible mode). A value may have values of its own.

    """

    code: str | None
    label: str | None
    uri: str | None = None
    foundation_uri: str | None = None
    stem_code: str | None = None
    stem_label: str | None = None
    stem_uri: str | None = None
    stem_foundation_uri: str | None = None
    on_axes: tuple[tuple[str | None, PostcoordinationSet], ...] = ()

    def walk(self, axis: str | None = None) -> Iterator[tuple[str | None, PostcoordinationSet]]:
        """Return the stem, then every value with its axis, depth first."""
        yield axis, self
        for name, value in self.on_axes:
            yield from value.walk(name)


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
