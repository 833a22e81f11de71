"""Clusters → one row per member; the reading needs no network, axes and titles are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from icdframes.endpoints.coding import Coding
from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.frames.members import Decoded, Facts, MemberFacts, members_table
from icdframes.model.cluster import Cluster, CodeSystem
from icdframes.model.codes import parse_code
from icdframes.model.hits import CodeInfo, PostcoordinationSet
from icdframes.model.outcome import EMPTY, Outcome, outcome_of_error
from icdframes.model.uris import first_entity_id
from icdframes.verbs.asking import ask_column
from icdframes.verbs.columns import Column, read_column
from icdframes.verbs.context import Context, as_text, found_or, pin, signed

if TYPE_CHECKING:
    import pandas as pd

Source = Literal["describe", "codeinfo"]
_CODED: tuple[CodeSystem, ...] = ("mms", "icf", "icd10")
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
    place = pin(context, classification, release, language, verb="decode_codes", offered_by=_CODED, refresh=refresh)
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
        return found_or(lambda: fetch(text, tag), missing)

    answers = ask_column(
        context,
        place,
        column,
        lambda value: _asked(parse_code(as_text(value), classification=system)),
        ask,
        label="decode",
        progress=progress,
    )
    return signed(_table(column, _clusters(column, system), answers.by_language), context, place)


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
    for system in _CODED:
        if system == classification:
            return system
    raise ConfigurationError(
        f"There are no codes in classification={classification!r}: give one of {', '.join(_CODED)}."
        f"{did_you_mean(str(classification), _CODED)}"
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
