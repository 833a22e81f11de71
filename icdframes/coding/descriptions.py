"""Decode and describe codes and clusters from tables, in the tables of the verbs that ask a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import pandas as pd

from icdframes.coding.clusters import ClusterTables, HasFrames, Placed
from icdframes.errors import EntityNotFoundError, IcdError
from icdframes.frames.results import (
    DESCRIBE,
    Decoded,
    Facts,
    MemberFacts,
    describe_fields,
    members_table,
    verdict_table,
)
from icdframes.model.cluster import Cluster
from icdframes.model.responses import EMPTY, Outcome, PostcoordinationSet, outcome_of_error

Read: TypeAlias = Cluster | IcdError | None
"""A code that was read, why it was not, or nothing."""


def decode_from_tables(
    values: Sequence[object], clusters: Sequence[Read], tables: HasFrames, index: pd.Index[Any]
) -> pd.DataFrame:
    """Return one row per member of each cluster, with its axis and its title in every language of the tables."""
    reader = ClusterTables(tables)
    first, *others = tables.provenance.languages or ("",)
    decoded = []
    for value, cluster in zip(values, clusters, strict=True):
        outcomes = {
            language: _facts(cluster, reader, language if language in others else None) for language in (first, *others)
        }
        decoded.append(Decoded(value, cluster if isinstance(cluster, Cluster) else None, outcomes))
    frame = members_table(decoded, (first, *others), index)
    frame.attrs["provenance"] = tables.provenance.to_dict()
    return frame


def describe_from_tables(
    values: Sequence[object], clusters: Sequence[Read], tables: HasFrames, index: pd.Index[Any]
) -> pd.DataFrame:
    """Return one row per cluster, in words in every language of the tables."""
    reader = ClusterTables(tables)
    first, *others = tables.provenance.languages or ("",)
    told = {
        language: [_described(cluster, reader, None if language == first else language) for cluster in clusters]
        for language in (first, *others)
    }
    translations = {language: told[language] for language in others}
    frame = verdict_table(DESCRIBE, values, told[first], describe_fields, index=index, translations=translations)
    frame.attrs["provenance"] = tables.provenance.to_dict()
    return frame


def _facts(cluster: Read, reader: ClusterTables, language: str | None) -> Outcome[Facts]:
    if not isinstance(cluster, Cluster):
        return Outcome(EMPTY) if cluster is None else outcome_of_error(cluster)
    placed = reader.place(cluster).stem
    facts = [
        MemberFacts(one.member.code, one.axis, reader.title(one.row, language), reader.columns["entity_id"][one.row])
        for one in placed.walk()
        if one.row >= 0
    ]
    if error := _lost(placed, reader):
        return Outcome(outcome_of_error(error).status, facts, error)
    return Outcome(answer=facts)


def _described(cluster: Read, reader: ClusterTables, language: str | None) -> Outcome[PostcoordinationSet]:
    if not isinstance(cluster, Cluster):
        return Outcome(EMPTY) if cluster is None else outcome_of_error(cluster)
    placed = reader.place(cluster).stem
    if error := _lost(placed, reader):
        return outcome_of_error(error)
    return Outcome(answer=_set(cluster.text, placed, reader, language))


def _set(code: str, placed: Placed, reader: ClusterTables, language: str | None) -> PostcoordinationSet:
    alone = Placed(placed.member, placed.row)
    stem = {
        "stem_code": placed.member.code,
        "stem_label": reader.title(placed.row, language),
        "stem_uri": reader.uri(alone),
        "stem_foundation_uri": reader.foundation_uri(alone),
    }
    values = tuple((value.axis, _set(reader.text(value), value, reader, language)) for value in placed.below)
    label, uri, foundation = reader.label(placed, language), reader.uri(placed), reader.foundation_uri(placed)
    return PostcoordinationSet(code, label, uri, foundation, **(stem if values else {}), on_axes=values)


def _lost(placed: Placed, reader: ClusterTables) -> EntityNotFoundError | None:
    lost = [one.member.code for one in placed.walk() if one.row < 0]
    provenance = reader.tables.provenance
    where = f"{provenance.classification} {provenance.release or ''}".strip()
    return (
        EntityNotFoundError(f"The tables of {where} hold no {', '.join(lost)}: correct it, or load more.")
        if lost
        else None
    )
