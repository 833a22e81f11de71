"""Codes and clusters taken apart and put into words, foundation entities found; it judges no code itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from icdframes.client.bulk import Column, ask_column, read_column
from icdframes.client.endpoints import Coding, Linearization
from icdframes.client.query_scope import (
    Context,
    QueryScope,
    as_text,
    one_language,
    reraise_not_found,
    resolve_scope,
    with_provenance,
)
from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.frames.results import (
    CODEINFO,
    DESCRIBE,
    LOOKUP,
    Decoded,
    Facts,
    Located,
    MemberFacts,
    codeinfo_fields,
    describe_fields,
    lookup_fields,
    members_table,
    verdict_table,
)
from icdframes.model.cluster import Cluster, CodeSystem
from icdframes.model.codes import normalize_code, parse_code
from icdframes.model.responses import EMPTY, CodeInfo, Outcome, PostcoordinationSet, outcome_of_error
from icdframes.model.uris import EntityUri, first_entity_id, parse_uri

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
    place = resolve_scope(
        context, classification, release, language, verb="codeinfo", offered_by=_CODED, refresh=refresh
    )
    one_language(place, "codeinfo gives codes and no texts, one language is enough; describe takes several")
    operation = partial(
        Coding(context.wire, classification).codeinfo,
        release=place.named_release,
        flexible=flexible,
        terminal_codes=terminal_codes,
        refresh=refresh,
    )

    def ask(text: str, tag: str) -> CodeInfo:
        return reraise_not_found(lambda: operation(text, language=tag), _no_code(text, place, flexible=flexible))

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
    return with_provenance(frame, context, place)


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
    place = resolve_scope(
        context, classification, release, language, verb="describe", offered_by=_CODED, refresh=refresh
    )
    operation = partial(
        Coding(context.wire, classification).describe,
        release=place.named_release,
        simplify=simplify,
        flexible=flexible,
        terminal_codes=terminal_codes,
        refresh=refresh,
    )

    def ask(text: str, tag: str) -> PostcoordinationSet:
        return reraise_not_found(lambda: operation(text, language=tag), _no_code(text, place, flexible=flexible))

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
    return with_provenance(frame, context, place)


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
    place = resolve_scope(context, classification, release, language, verb="lookup", offered_by=_CODED, refresh=refresh)
    endpoint = Linearization(context.wire, classification)

    def ask(foundation_id: str, tag: str) -> Located:
        uri = str(EntityUri("foundation", None, foundation_id))
        entity = reraise_not_found(
            lambda: endpoint.lookup(uri, place.named_release, language=tag, refresh=refresh),
            f"{uri} is not coded in {classification} {place.named_release}: load it with classification='foundation'.",
        )
        return Located(foundation_id, entity)

    answers = ask_column(context, place, column, _foundation_id, ask, label="lookup", progress=progress)
    frame = verdict_table(
        LOOKUP, column.given, answers.first, lookup_fields, index=column.index, translations=answers.translations
    )
    return with_provenance(frame, context, place)


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


def _no_code(text: str, place: QueryScope, *, flexible: bool) -> str:
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


Source = Literal["describe", "codeinfo"]
_CODE_SYSTEMS: tuple[CodeSystem, ...] = ("mms", "icf", "icd10")
_SOURCES = ("describe", "codeinfo")


def read_codes(codes: object, *, classification: str = "mms") -> pd.DataFrame:
    """Give one row per member of each code or cluster, without a network; see `icdframes.decode_codes`."""
    column = read_column(codes)
    clusters = _clusters(column, _system(classification))
    outcomes = {"": [_reading(clusters[_name(value)]) for value in column.given]}
    if column.single and outcomes[""][0].error:
        raise outcomes[""][0].error
    return _table(column, clusters, outcomes)


def decode_codes(
    context: Context,
    codes: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    source: Source | None = "describe",
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Give one row per member of each code or cluster; see `icdframes.decode_codes`."""
    column = read_column(codes)
    system = _system(classification)
    if source is not None and source not in _SOURCES:
        raise ConfigurationError(
            f"source={source!r} is unknown: give 'describe' (axes and titles), 'codeinfo' (axes), or None (no request)."
            f"{did_you_mean(str(source), _SOURCES)}"
        )
    if source is None:
        return read_codes(codes, classification=classification)
    place = resolve_scope(
        context, classification, release, language, verb="decode_codes", offered_by=_CODE_SYSTEMS, refresh=refresh
    )
    release_id = place.named_release

    def fetch(text: str, tag: str) -> Facts:
        if system == "icd10":
            entity = context.source("icd10").entity(text, release_id, language=tag, refresh=refresh)
            return [MemberFacts(text, None, entity.title, entity.entity_id)]
        endpoint = Coding(context.wire, system)
        if source == "codeinfo":
            return facts_of_info(endpoint.codeinfo(text, release_id, flexible=True, language=tag, refresh=refresh))
        return facts_of_set(endpoint.describe(text, release_id, flexible=True, language=tag, refresh=refresh))

    def ask(text: str, tag: str) -> Facts:
        missing = f"{text!r} is not known in {classification} {release_id}; its members were read from the text alone."
        return reraise_not_found(lambda: fetch(text, tag), missing)

    answers = ask_column(
        context,
        place,
        column,
        lambda value: _asked(parse_code(as_text(value), classification=system)),
        ask,
        label="decode",
        progress=progress,
    )
    return with_provenance(_table(column, _clusters(column, system), answers.by_language), context, place)


def facts_of_set(described: PostcoordinationSet) -> list[MemberFacts]:
    """Give what a description tells of each code, depth first."""
    facts = []
    for axis, one in described.walk():
        code = one.stem_code or one.code
        if code:
            entity_id = first_entity_id(one.stem_uri or one.uri)
            facts.append(MemberFacts(code.strip(), axis, one.stem_label or one.label, entity_id))
    return facts


def facts_of_info(info: CodeInfo) -> list[MemberFacts]:
    """Give what codeinfo tells of each code; a value that is a cluster has its own stem on the axis."""
    facts = [MemberFacts(info.stem_code or info.code, entity_id=info.stem_id)]
    for axis, values in info.values.items():  # noqa: PD011  no pandas
        facts += [MemberFacts(parse_code(value, classification="mms").members[0].code, axis) for value in values]
    return facts


def _system(classification: str) -> CodeSystem:
    for system in _CODE_SYSTEMS:
        if system == classification:
            return system
    raise ConfigurationError(
        f"There are no codes in classification={classification!r}: give one of {', '.join(_CODE_SYSTEMS)}."
        f"{did_you_mean(str(classification), _CODE_SYSTEMS)}"
    )


def _asked(cluster: Cluster) -> str:
    """Give what the API knows: an ICF code goes without its qualifiers."""
    return cluster.members[0].code if cluster.classification == "icf" else cluster.text


def _name(value: object) -> str | None:
    return None if value is None else str(value)


def _clusters(column: Column, system: CodeSystem) -> dict[str | None, Cluster | CodeSyntaxError | None]:
    return {text: _read(text, system) for text in dict.fromkeys(map(_name, column.given))}


def _read(text: str | None, system: CodeSystem) -> Cluster | CodeSyntaxError | None:
    if text is None:
        return None
    try:
        return parse_code(text, classification=system)
    except CodeSyntaxError as error:
        return error


def _reading(cluster: Cluster | CodeSyntaxError | None) -> Outcome[Facts]:
    if isinstance(cluster, CodeSyntaxError):
        return outcome_of_error(cluster)
    return Outcome(EMPTY) if cluster is None else Outcome()


def _table(
    column: Column,
    clusters: dict[str | None, Cluster | CodeSyntaxError | None],
    outcomes: dict[str, list[Outcome[Facts]]],
) -> pd.DataFrame:
    decoded = []
    for place, value in enumerate(column.given):
        cluster = clusters[_name(value)]
        decoded.append(
            Decoded(
                value,
                cluster if isinstance(cluster, Cluster) else None,
                {language: rows[place] for language, rows in outcomes.items()},
            )
        )
    return members_table(decoded, tuple(outcomes), column.index)
