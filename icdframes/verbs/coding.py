"""Codes and clusters taken apart and put into words, foundation entities found; it judges no code itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from icdframes.endpoints.base import ReleasedClassification
from icdframes.endpoints.coding import Coding
from icdframes.endpoints.linearization import Linearization
from icdframes.errors import CodeSyntaxError, ConfigurationError
from icdframes.frames.verdicts import (
    CODEINFO,
    DESCRIBE,
    LOOKUP,
    Located,
    codeinfo_fields,
    describe_fields,
    entity_releases_table,
    lookup_fields,
    verdict_table,
)
from icdframes.model.codes import CodeSystem, parse_code
from icdframes.model.entity import CodeInfo
from icdframes.model.hits import PostcoordinationSet
from icdframes.model.parse_coding import first_entity_id
from icdframes.model.uris import EntityUri, check_classification, parse_uri
from icdframes.verbs.columns import read_column
from icdframes.verbs.context import Context, Place, as_text, ask_column, found_or, pin, provenance_of
from icdframes.verbs.question import read_question
from icdframes.verbs.resolve import read_name

if TYPE_CHECKING:
    import pandas as pd

CODED: tuple[CodeSystem, ...] = ("mms", "icf")
_FOUNDATION_ID = re.compile(r"\d+")
_EXAMPLE = "http://id.who.int/icd/entity/257068234"


def codeinfo(
    context: Context,
    code: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str = "en",
    flexible: bool = False,
    terminal_codes: bool = False,
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Take one code or each code of a column apart; see `icdframes.codeinfo`."""
    column = read_column(code)
    place = pin(context, classification, release, language, verb="codeinfo", offered_by=CODED, refresh=refresh)
    _one_language(place)
    operation = partial(
        Coding(context.wire, classification).codeinfo,
        release=place.named_release,
        flexible=flexible,
        terminal_codes=terminal_codes,
        refresh=refresh,
    )

    def ask(text: str, tag: str) -> CodeInfo:
        return found_or(lambda: operation(text, language=tag), _no_code(text, place, flexible=flexible))

    answers = ask_column(
        context,
        place,
        column,
        lambda value: canonical(value, classification),
        ask,
        label="codeinfo",
        progress=progress,
    )
    frame = verdict_table(CODEINFO, column.given, answers.first, codeinfo_fields, index=column.index)
    return _signed(frame, context, place)


def describe(
    context: Context,
    code: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    simplify: bool = False,
    flexible: bool = False,
    terminal_codes: bool = False,
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Put one code, cluster or URI, or a column of them, into words; see `icdframes.describe`."""
    column = read_column(code)
    place = pin(context, classification, release, language, verb="describe", offered_by=CODED, refresh=refresh)
    operation = partial(
        Coding(context.wire, classification).describe,
        release=place.named_release,
        simplify=simplify,
        flexible=flexible,
        terminal_codes=terminal_codes,
        refresh=refresh,
    )

    def ask(text: str, tag: str) -> PostcoordinationSet:
        return found_or(lambda: operation(text, language=tag), _no_code(text, place, flexible=flexible))

    answers = ask_column(
        context,
        place,
        column,
        lambda value: _expression(value, classification),
        ask,
        label="describe",
        progress=progress,
    )
    frame = verdict_table(
        DESCRIBE, column.given, answers.first, describe_fields, index=column.index, translations=answers.translations
    )
    return _signed(frame, context, place)


def lookup(
    context: Context,
    foundation_uri: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Find where foundation entities are coded; see `icdframes.lookup`."""
    column = read_column(foundation_uri)
    place = pin(context, classification, release, language, verb="lookup", offered_by=CODED, refresh=refresh)
    endpoint = Linearization(context.wire, classification)

    def ask(foundation_id: str, tag: str) -> Located:
        uri = str(EntityUri("foundation", None, foundation_id))
        entity = found_or(
            lambda: endpoint.lookup(uri, place.named_release, language=tag, refresh=refresh),
            f"{uri} is not coded in {classification} {place.named_release}: load it with classification='foundation'.",
        )
        return Located(foundation_id, entity)

    answers = ask_column(context, place, column, _foundation_id, ask, label="lookup", progress=progress)
    frame = verdict_table(
        LOOKUP, column.given, answers.first, lookup_fields, index=column.index, translations=answers.translations
    )
    return _signed(frame, context, place)


def entity_releases(
    context: Context, entity: str | int, *, classification: str = "mms", refresh: bool = False
) -> pd.DataFrame:
    """List the releases that have an entity; see `icdframes.entity_releases`."""
    source = context.source(check_classification(classification))
    if not isinstance(source, ReleasedClassification):
        raise ConfigurationError(
            "The ICD API does not list the releases of a foundation entity: ask each of releases('foundation')."
        )
    named = read_name(entity, classification)
    entity_id = named.text
    if named.kind != "id":
        question = read_question(entity, classification=classification, refresh=refresh)
        entity_id = context.loader(classification).scope(question).root_id or ""
    known = source.entity_releases(entity_id, refresh=refresh)
    uris = [str(EntityUri(classification, release, entity_id)) for release in known.releases]
    return entity_releases_table(classification, entity_id, known, uris)


def canonical(value: Any, classification: str) -> str:
    """Give the canonical writing of a code or cluster, without a network.

    Raises
    ------
    CodeSyntaxError
        If it is not written like a code of the classification.
    ConfigurationError
        If it is no text.

    """
    system: CodeSystem = "icf" if classification == "icf" else "mms"
    return parse_code(as_text(value), classification=system).text


def _expression(value: Any, classification: str) -> str:
    """Give a code in canonical writing, or a URI or expression of URIs as it is."""
    text = as_text(value)
    if "://" not in text:
        return canonical(text, classification)
    if first_entity_id(text) is None:
        raise CodeSyntaxError(f"{text[:80]!r} is no URI of an entity, and no expression of such URIs.", text=text)
    return text.replace("https://", "http://")


def _no_code(text: str, place: Place, *, flexible: bool) -> str:
    where = f"{place.classification} {place.named_release}"
    if "&" not in text and "/" not in text.replace("://", ""):
        return f"No code {text!r} in {where}. Find codes with search()."
    hint = "" if flexible else ", or they do not go together: flexible=True takes combinations beside the value sets"
    return f"{text!r} is not known in {where}: one of its parts does not exist{hint}."


def _foundation_id(value: Any) -> str:
    text = as_text(value)
    if _FOUNDATION_ID.fullmatch(text):
        return text
    uri = parse_uri(text)
    if uri.classification != "foundation" or uri.entity_id is None:
        raise ConfigurationError(f"{text!r} is no foundation entity: give a URI such as {_EXAMPLE}, or an id.")
    return uri.entity_id


def _one_language(place: Place) -> None:
    if len(place.languages) > 1:
        raise ConfigurationError("codeinfo gives codes and no texts: one language is enough; describe takes several.")


def _signed(frame: pd.DataFrame, context: Context, place: Place) -> pd.DataFrame:
    frame.attrs["provenance"] = provenance_of(context, place).to_dict()
    return frame
