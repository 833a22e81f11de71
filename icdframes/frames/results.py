"""Typed tables of answers about single values, one row each: codes, certificates, releases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from icdframes.frames.schema import Column, table_of_rows, typed_table
from icdframes.model.certificate import CertificateCheck, UnderlyingCause
from icdframes.model.cluster import Cluster
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.responses import NO_MATCH, AutocodeMatch, CodeInfo, Outcome, PostcoordinationSet
from icdframes.model.uris import first_entity_id

Answer = TypeVar("Answer")
Fields = Callable[[Answer], Mapping[str, Any]]

_VALUE = Column("value", "str", "The value that was given")
_ENDING = (
    Column("status", "str", "ok, or why there is no answer: no_match, not_found, invalid, empty, failed, not_asked"),
    Column("message", "str", "The error's sentence"),
)
AUTOCODE = (
    _VALUE,
    Column("code", "str", "Code of the best match; the foundation has none"),
    Column("matching_text", "str", "The text of the classification that matches"),
    Column("entity_id", "str", "Id of the entity; of a cluster that of its stem"),
    Column("foundation_id", "str", "Id of the foundation entity"),
    Column("level", "Int64", "0 is an exact match, higher is weaker, 3 is none"),
    Column("score", "Float64", "0 to 1"),
    Column("match_type", "str", "real, below_shoreline, logically_defined or cluster"),
    Column("is_title", "boolean", "Whether the matching text is a title"),
    Column("uri", "str", "URI as the API gives it"),
    *_ENDING,
)
CODEINFO = (
    _VALUE,
    Column("code", "str", "The code or cluster, canonical"),
    Column("entity_id", "str", "Id of the stem's entity"),
    Column("stem_code", "str", "Code of the stem; the code itself where nothing is added"),
    Column("postcoordination", "str", "What is on which axis: 'infectiousAgent=XN0KC; laterality=XK9J'"),
    Column("other", "str", "Codes that fit no axis, in flexible mode"),
    Column("simplified_code", "str", "A shorter expression with the same meaning"),
    Column("simplified_stem_code", "str", "Its stem"),
    *_ENDING,
)
DESCRIBE = (
    _VALUE,
    Column("code", "str", "The code or cluster"),
    Column("label", "str", "All of it in words", translatable=True),
    Column("entity_id", "str", "Id of the stem's entity"),
    Column("stem_code", "str", "Code of the stem; the code itself where nothing is added"),
    Column("stem_label", "str", "Title of the stem", translatable=True),
    Column("postcoordination", "str", "What is on which axis: 'laterality=Left'", translatable=True),
    Column("uri", "str", "URI, or expression of URIs, in the linearization"),
    Column("foundation_uri", "str", "URI, or expression of URIs, in the foundation"),
    *_ENDING,
)
LOOKUP = (
    _VALUE,
    Column("entity_id", "str", "Id of the entity in which it is coded"),
    Column("code", "str", "Its code"),
    Column("title", "str", "Its title", translatable=True),
    Column("class_kind", "str", "chapter, block, category or window"),
    Column("is_residual", "boolean", "Whether it is an other specified or unspecified category"),
    Column("same_entity", "boolean", "Whether it is the entity that was asked for, and not one that includes it"),
    Column("foundation_id", "str", "Foundation entity of the answer; residuals have none"),
    Column("uri", "str", "URI as the API gives it"),
    *_ENDING,
)
DORIS = (
    Column("code", "str", "Underlying cause of death, perhaps a cluster; missing where rejected"),
    Column("stem_code", "str", "Its stem"),
    Column("uri", "str", "URI, or expression of URIs, in the linearization"),
    Column("stem_uri", "str", "URI of the stem"),
    Column("reject", "boolean", "Whether DORIS rejects the certificate"),
    Column("error", "str", "What DORIS calls an error"),
    Column("warning", "str", "What DORIS warns of"),
    Column("report", "str", "The rules that were applied, as text"),
    Column("tabular_report", "str", "The same as a table, separated by semicolons"),
    *_ENDING,
)
CODEDIT = (
    Column("n_issues", "Int64", "How many issues CoDEdit found"),
    Column("issue_ids", "str", "Their ids, separated by commas"),
    Column("report", "str", "The issues as text"),
    Column("tabular_report", "str", "The same as a table"),
    *_ENDING,
)


def verdict_table(
    columns: Sequence[Column],
    values: Sequence[Any] | None,
    outcomes: Sequence[Outcome[Answer]],
    fields: Fields[Answer],
    *,
    index: pd.Index[Any],
    translations: Mapping[str, Sequence[Outcome[Answer]]] | None = None,
) -> pd.DataFrame:
    """Return one row per value.

    Parameters
    ----------
    columns : sequence of Column
        Such as `AUTOCODE`.
    values : sequence of object or None
        What was asked; None where the table does not repeat it.
    outcomes : sequence of Outcome
        What became of each value.
    fields : callable
        Returns the columns of an answer; its ``status``, if any, replaces ``ok``.
    index : pandas.Index
        Of the answer.
    translations : Mapping of str to sequence of Outcome, optional
        The same in further languages; each adds the translatable columns.

    """
    answered = _answered(outcomes, fields)
    rows = [{"status": one.status, "message": one.message} | row for one, row in zip(outcomes, answered, strict=True)]
    data = _by_column(columns, rows)
    if values is not None:
        data["value"] = [None if value is None else str(value) for value in values]
    translatable = [column for column in columns if column.translatable]
    for language, others in (translations or {}).items():
        texts = _by_column(translatable, _answered(others, fields))
        data |= {f"{name}_{language}": cells for name, cells in texts.items()}
    return typed_table(columns, data, languages=tuple(translations or ()), index=index)


def _answered(outcomes: Sequence[Outcome[Answer]], fields: Fields[Answer]) -> list[dict[str, Any]]:
    """Return the columns of each answer; none where there is no answer."""
    return [{} if outcome.answer is None else dict(fields(outcome.answer)) for outcome in outcomes]


def _by_column(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {column.name: [row.get(column.name) for row in rows] for column in columns}


def autocode_fields(match: AutocodeMatch) -> Mapping[str, Any]:
    """Return the columns of a match."""
    found = {
        name: getattr(match, name)
        for name in (
            "code", "matching_text", "entity_id", "foundation_id", "level", "score", "match_type", "is_title", "uri",
        )
    }  # fmt: skip
    return found if match.uri else found | {"status": NO_MATCH}


def codeinfo_fields(info: CodeInfo) -> Mapping[str, Any]:
    """Return the columns of a code taken apart."""
    return {
        "code": info.code,
        "entity_id": info.stem_id,
        "stem_code": info.stem_code or info.code,
        "postcoordination": _joined((axis, code) for axis, codes in info.values.items() for code in codes),  # noqa: PD011  no pandas
        "other": "; ".join(info.other),
        "simplified_code": info.simplified_code,
        "simplified_stem_code": info.simplified_stem_code,
    }


def describe_fields(described: PostcoordinationSet) -> Mapping[str, Any]:
    """Return the columns of a description."""
    return {
        "code": described.code,
        "label": described.label,
        "entity_id": first_entity_id(described.stem_uri or described.uri),
        "stem_code": described.stem_code or described.code,
        "stem_label": described.stem_label or described.label,
        "postcoordination": _joined((axis, value.label) for axis, value in described.on_axes),
        "uri": described.uri,
        "foundation_uri": described.foundation_uri,
    }


@dataclass(frozen=True, slots=True)
class Located:
    """Where a foundation entity is coded."""

    asked_id: str
    entity: Entity


def lookup_fields(located: Located) -> Mapping[str, Any]:
    """Return the columns of an entity."""
    names = ("entity_id", "code", "title", "class_kind", "is_residual", "foundation_id", "uri")
    found = {name: getattr(located.entity, name) for name in names}
    return found | {"same_entity": located.entity.foundation_id == located.asked_id}


def doris_fields(cause: UnderlyingCause) -> Mapping[str, Any]:
    """Return the columns of an underlying cause."""
    return {column.name: getattr(cause, column.name) for column in DORIS if column not in _ENDING}


def codedit_fields(check: CertificateCheck) -> Mapping[str, Any]:
    """Return the columns of a checked certificate."""
    return {
        "n_issues": len(check.issue_ids),
        "issue_ids": ",".join(check.issue_ids),
        "report": check.report,
        "tabular_report": check.tabular_report,
    }


def _joined(pairs: Iterable[tuple[str | None, str | None]]) -> str:
    return "; ".join(f"{axis or 'other'}={value}" for axis, value in pairs)


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
    """Return one row per member of each value; a value that is no code has one row that says why."""
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
            "qualifiers": member.qualifier_text,
            "axis": told[position].axis,
            "title": told[position].title,
            "entity_id": told[position].entity_id,
            **{f"title_{language}": titles[language][position].title for language in others},
        }
        for position, member in enumerate(one.cluster.members)
    ]


def _assigned(cluster: Cluster, facts: Facts) -> list[MemberFacts]:
    """Assign each member the first unused fact about its code; the server may list values axis by axis."""
    left = list(facts)
    assigned = []
    for member in cluster.members:
        fact = next((one for one in left if one.code == member.code), None)
        if fact:
            left.remove(fact)
        assigned.append(fact or MemberFacts(member.code))
    return assigned


RELEASES = (
    Column("classification", "str", "mms, icf, foundation or icd10"),
    Column("release", "str", "Release id, such as 2024-01"),
    Column("date", "str", "Its date, YYYY-MM-DD"),
    Column("title", "str", "Title of the classification"),
    Column("languages", "str", "Codes of its languages, with blanks between"),
    Column("prerelease_languages", "str", "Codes of languages that are not final yet"),
    Column("n_top_entities", "Int64", "Number of chapters (top entities); missing where nobody says it"),
    Column("uri", "str", "URI of the release"),
)
ENTITY_RELEASES = (
    Column("classification", "str", "mms, icf or icd10"),
    Column("entity_id", "str", "Id of the entity"),
    Column("release", "str", "A release that has it, newest first"),
    Column("latest", "bool", "Whether it is the newest that has it"),
    Column("uri", "str", "URI of the entity in this release"),
)


def releases_table(tops: Sequence[TopLevel], *, server: str) -> pd.DataFrame:
    """Return one row per release, in the order given; the columns are `RELEASES`."""
    frame = typed_table(
        RELEASES,
        {
            "classification": [top.classification for top in tops],
            "release": [top.release for top in tops],
            "date": [top.date for top in tops],
            "title": [top.title for top in tops],
            "languages": [" ".join(top.languages) or None for top in tops],
            "prerelease_languages": [" ".join(top.prerelease_languages) or None for top in tops],
            "n_top_entities": [len(top.child_ids) or None for top in tops],
            "uri": [top.uri for top in tops],
        },
    )
    frame.attrs["server"] = server
    return frame


def entity_releases_table(classification: str, entity_id: str, known: ReleaseList, uris: Sequence[str]) -> pd.DataFrame:
    """Return one row per release that has an entity."""
    n = len(known.releases)
    return typed_table(
        ENTITY_RELEASES,
        {
            "classification": [classification] * n,
            "entity_id": [entity_id] * n,
            "release": known.releases,
            "latest": [release == known.latest for release in known.releases],
            "uri": uris,
        },
    )
