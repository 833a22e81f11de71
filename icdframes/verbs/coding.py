"""Codes and clusters taken apart and put into words, foundation entities found; it judges no code itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

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
    lookup_fields,
    verdict_table,
)
from icdframes.model.codes import normalize_code
from icdframes.model.hits import CodeInfo, PostcoordinationSet
from icdframes.model.uris import EntityUri, first_entity_id, parse_uri
from icdframes.verbs.asking import ask_column
from icdframes.verbs.columns import read_column
from icdframes.verbs.context import Context, Place, as_text, found_or, one_language, pin, signed

if TYPE_CHECKING:
    import pandas as pd

_CODED = ("mms", "icf")
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
    place = pin(context, classification, release, language, verb="codeinfo", offered_by=_CODED, refresh=refresh)
    one_language(place, "codeinfo gives codes and no texts, one language is enough; describe takes several")
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
        lambda value: _canonical(value, classification),
        ask,
        label="codeinfo",
        progress=progress,
    )
    frame = verdict_table(CODEINFO, column.given, answers.first, codeinfo_fields, index=column.index)
    return signed(frame, context, place)


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
    place = pin(context, classification, release, language, verb="describe", offered_by=_CODED, refresh=refresh)
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
    return signed(frame, context, place)


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
    place = pin(context, classification, release, language, verb="lookup", offered_by=_CODED, refresh=refresh)
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
    return signed(frame, context, place)


def _canonical(value: object, classification: str) -> str:
    """Give a code or cluster in canonical writing."""
    return normalize_code(as_text(value), classification="icf" if classification == "icf" else "mms")


def _expression(value: object, classification: str) -> str:
    """Give a code in canonical writing, or a URI or expression of URIs as it is."""
    text = as_text(value)
    if "://" not in text:
        return _canonical(text, classification)
    if first_entity_id(text) is None:
        raise CodeSyntaxError(
            f"{text[:80]!r} is no URI of an entity, and no expression of such URIs: write it as {_EXAMPLE}.", text=text
        )
    return text.replace("https://", "http://")


def _no_code(text: str, place: Place, *, flexible: bool) -> str:
    where = f"{place.classification} {place.named_release}"
    is_uri = "://" in text
    if not (text.count("://") > 1 if is_uri else "&" in text or "/" in text):
        return f"No {'entity' if is_uri else 'code'} {text!r} in {where}. Find codes with search()."
    hint = "" if flexible else ", or they do not go together: flexible=True takes combinations beside the value sets"
    return f"{text!r} is not known in {where}: one of its parts does not exist{hint}."


def _foundation_id(value: object) -> str:
    text = as_text(value)
    if _FOUNDATION_ID.fullmatch(text):
        return text
    wanted = f"{text!r} is no foundation entity: give a URI such as {_EXAMPLE}, or an id; codeinfo takes codes."
    if "://" not in text:
        raise CodeSyntaxError(wanted, text=text)
    uri = parse_uri(text)
    if uri.classification != "foundation" or uri.entity_id is None:
        raise ConfigurationError(wanted)
    return uri.entity_id
