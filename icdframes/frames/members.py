"""Clusters as a table with one row per member: role, axis, title; it never sees HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from icdframes.frames.schema import Column, table_of_rows
from icdframes.model.cluster import Cluster
from icdframes.model.outcome import Outcome

MEMBERS = (
    Column("value", "str", "The value that was given"),
    Column("cluster", "str", "The whole expression, canonical"),
    Column("position", "Int64", "Place in the expression, from 0"),
    Column("code", "str", "The member's code, canonical"),
    Column("role", "str", "stem or extension"),
    Column("group", "Int64", "Which stem it belongs to, from 0"),
    Column("stem_code", "str", "Code of that stem"),
    Column("kind", "str", "category, chapter, block or range"),
    Column("qualifiers", "str", "Of ICF codes, as written"),
    Column("axis", "str", "Axis of the first stem (or of the value before) on which it is; missing for the stem"),
    Column("title", "str", "Its title, where the server was asked for it", translatable=True),
    Column("entity_id", "str", "Id of its entity"),
    Column("status", "str", "ok, or why something is missing: invalid, not_found, empty, failed, not_asked"),
    Column("message", "str", "The error's sentence"),
)


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the server tells of one member."""

    code: str
    axis: str | None = None
    title: str | None = None
    entity_id: str | None = None


Facts = Sequence[MemberFacts]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One value: how it reads, and what the server said of it in each language, the first language first."""

    value: object
    cluster: Cluster | None
    outcomes: Mapping[str, Outcome[Facts]]


def members_table(decoded: Sequence[Decoded], languages: Sequence[str], index: pd.Index[Any]) -> pd.DataFrame:
    """Give one row per member of each value; a value that is no code has one row that says why."""
    first, *others = languages
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    for place, one in enumerate(decoded):
        found = _rows(one, first, others)
        rows += found
        places += [place] * len(found)
    return table_of_rows(MEMBERS, rows, languages=others, index=index.take(places))


def _rows(one: Decoded, first: str, others: Sequence[str]) -> list[dict[str, Any]]:
    outcome = one.outcomes[first]
    ending = {
        "value": None if one.value is None else str(one.value),
        "status": outcome.status,
        "message": outcome.message,
    }
    if one.cluster is None:
        return [ending]
    told = _assigned(one.cluster, outcome.answer or ())
    titles = {language: _assigned(one.cluster, one.outcomes[language].answer or ()) for language in others}
    stems = {member.group: member.code for member in one.cluster.stems}
    return [
        {
            **ending,
            "cluster": one.cluster.text,
            "position": position,
            "code": member.code,
            "role": member.role,
            "group": member.group,
            "stem_code": stems.get(member.group),
            "kind": member.kind,
            "qualifiers": "".join(member.qualifiers),
            "axis": told[position].axis,
            "title": told[position].title,
            "entity_id": told[position].entity_id,
            **{f"title_{language}": titles[language][position].title for language in others},
        }
        for position, member in enumerate(one.cluster.members)
    ]


def _assigned(cluster: Cluster, facts: Facts) -> list[MemberFacts]:
    """Give each member the first unused fact about its code; the server may list values axis by axis."""
    left = list(facts)
    assigned = []
    for member in cluster.members:
        fact = next((one for one in left if one.code == member.code), None)
        if fact:
            left.remove(fact)
        assigned.append(fact or MemberFacts(member.code))
    return assigned
