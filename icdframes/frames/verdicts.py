"""Answers about single values as typed tables, one row each; it never sees HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from icdframes.frames.schema import Column, typed_table
from icdframes.model.certificate import CertificateCheck, UnderlyingCause
from icdframes.model.entity import Entity
from icdframes.model.hits import AutocodeMatch, CodeInfo, PostcoordinationSet
from icdframes.model.outcome import NO_MATCH, Outcome
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
    """Give one row per value.

    Parameters
    ----------
    columns : sequence of Column
        Such as `AUTOCODE`.
    values : sequence of object or None
        What was asked; None where the table does not repeat it.
    outcomes : sequence of Outcome
        What became of each value.
    fields : callable
        Gives the columns of an answer; its ``status``, if any, replaces ``ok``.
    index : pandas.Index
        Of the answer.
    translations : Mapping of str to sequence of Outcome, optional
        The same in further languages; each adds the translatable columns.

    """
    rows = [
        {"status": outcome.status, "message": outcome.message}
        | (dict(fields(outcome.answer)) if outcome.answer is not None else {})
        for outcome in outcomes
    ]
    data = {column.name: [row.get(column.name) for row in rows] for column in columns}
    if values is not None:
        data["value"] = [None if value is None else str(value) for value in values]
    for language, others in (translations or {}).items():
        translated = [fields(other.answer) if other.answer is not None else {} for other in others]
        data |= {f"{c.name}_{language}": [row.get(c.name) for row in translated] for c in columns if c.translatable}
    return typed_table(columns, data, languages=tuple(translations or ()), index=index)


def autocode_fields(match: AutocodeMatch) -> Mapping[str, Any]:
    """Give the columns of a match."""
    found = {
        name: getattr(match, name)
        for name in (
            "code", "matching_text", "entity_id", "foundation_id", "level", "score", "match_type", "is_title", "uri",
        )
    }  # fmt: skip
    return found if match.uri else found | {"status": NO_MATCH}


def codeinfo_fields(info: CodeInfo) -> Mapping[str, Any]:
    """Give the columns of a code taken apart."""
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
    """Give the columns of a description."""
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
    """Give the columns of an entity."""
    names = ("entity_id", "code", "title", "class_kind", "is_residual", "foundation_id", "uri")
    found = {name: getattr(located.entity, name) for name in names}
    return found | {"same_entity": located.entity.foundation_id == located.asked_id}


def doris_fields(cause: UnderlyingCause) -> Mapping[str, Any]:
    """Give the columns of an underlying cause."""
    return {column.name: getattr(cause, column.name) for column in DORIS if column not in _ENDING}


def codedit_fields(check: CertificateCheck) -> Mapping[str, Any]:
    """Give the columns of a checked certificate."""
    return {
        "n_issues": len(check.issue_ids),
        "issue_ids": ",".join(check.issue_ids),
        "report": check.report,
        "tabular_report": check.tabular_report,
    }


def _joined(pairs: Iterable[tuple[str | None, str | None]]) -> str:
    return "; ".join(f"{axis or 'other'}={value}" for axis, value in pairs)
