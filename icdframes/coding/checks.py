"""Check, decode and describe codes and clusters from the tables of a release, as WHO's service does, offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

from icdframes.coding.clusters import ClusterTables, HasFrames, Placed, Placement
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, IcdError
from icdframes.frames.results import (
    DESCRIBE,
    Decoded,
    Facts,
    MemberFacts,
    describe_fields,
    members_table,
    verdict_table,
)
from icdframes.frames.schema import Column, table_of_rows
from icdframes.model.cluster import Cluster, CodeSystem, Member
from icdframes.model.codes import parse_code, split_codes
from icdframes.model.responses import EMPTY, Outcome, PostcoordinationSet, outcome_of_error

CHECKS = (
    Column("value", "str", "The value that was given"),
    Column("code", "str", "The code or cluster in its usual writing; missing where it is none"),
    Column("reading", "str", "exact, respelled, several, missing or invalid"),
    Column("known", "boolean", "Whether these tables have all of its codes"),
    Column("known_in", "str", "Another release that has all of its codes"),
    Column("title", "str", "Title of the code, or the cluster in WHO's words"),
    Column("entity_id", "str", "Id of the stem's entity"),
    Column("class_kind", "str", "chapter, block, category or window"),
    Column("is_leaf", "boolean", "Whether the stem has no children"),
    Column("is_residual", "boolean", "Whether the stem is an other specified or unspecified category"),
    Column(
        "primary", "boolean", "Whether the stem may stand first: codes of chapters 26, V and X are for use beside one"
    ),
    Column("valid", "boolean", "Whether WHO takes it; missing where these tables do not tell"),
    Column("reason", "str", "Why it is not valid, or was not checked"),
    Column("advice", "str", "What a coder may want to know; it makes no code invalid"),
)
_BESIDE = {"26": "traditional medicine", "V": "functioning", "X": "extension codes"}
_QUALIFIERS_SINCE = "2026"

Read: TypeAlias = Cluster | IcdError | None
"""A code that was read, why it was not, or nothing."""


def check_codes(codes: object, tables: HasFrames, *, others: Sequence[HasFrames] = ()) -> pd.DataFrame:
    """Check how codes and clusters read, whether a release has them, and whether they are valid.

    Parameters
    ----------
    codes : str, or list, Series or Index of str
        In any writing that `parse_code` reads. Of a cell with several codes each has a row.
    tables : EntityTables
        The release: from `load_tables`, or `read_tabulation`, whose tables have no axes.
    others : sequence of EntityTables
        Other releases, in which codes are looked for that this one lacks.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_codes, 14)``: one row per code, with the index label of its value: value, code, reading
        (``exact``, ``respelled``, ``several``, ``missing``, ``invalid``), known, known_in, title, entity_id,
        class_kind, is_leaf, is_residual, primary, valid, reason, advice.

        ``valid`` follows WHO's service: a value must lie in the scale of an axis of its stem, and of two stems one
        must be a value of the other. A required axis without a value, a second value where one is allowed and a
        repeated value are told in ``advice``. ``valid`` is missing, and ``reason`` begins with "not checked", where
        the tables hold no axes, or only a branch that lacks what would decide. No network.

    Raises
    ------
    ConfigurationError
        If `codes` is no column.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables(release="2024-01")
    >>> icdframes.check_codes(["1A00&XN8P1", "1A00&XK8G"], tables)[["code", "valid", "reason"]]
             code  valid                                             reason
    0  1A00&XN8P1   True                                                NaN
    1   1A00&XK8G  False  XK8G (Left) is a value of laterality, an axis ...

    """
    reader = ClusterTables(tables)
    more = [ClusterTables(other) for other in others]
    values, index = _column(codes)
    known: dict[str, list[dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    for place, value in enumerate(values):
        text = None if value is None else str(value)
        if text is None or not text.strip():
            found = [{"reading": "missing"}]
        else:
            if text not in known:
                known[text] = list(_checked(text, reader, more))
            found = known[text]
        rows += [{"value": text, **one} for one in found]
        places += [place] * len(found)
    frame = table_of_rows(CHECKS, rows, index=index.take(places))
    frame.attrs["provenance"] = tables.provenance.to_dict()
    return frame


def _column(codes: object) -> tuple[list[Any], pd.Index[Any]]:
    if isinstance(codes, pd.DataFrame | Mapping | set | frozenset):
        raise ConfigurationError(f"{type(codes).__name__} is no column: give one code, a list, a Series or an Index.")
    values: list[Any]
    if isinstance(codes, pd.Series | pd.Index):
        values = codes.tolist()
        index = codes.index if isinstance(codes, pd.Series) else codes
    else:
        values = [codes] if isinstance(codes, str) or not isinstance(codes, Iterable) else list(codes)
        index = pd.RangeIndex(len(values))
    return [value if isinstance(value, str) or pd.notna(value) else None for value in values], index


def _checked(text: str, reader: ClusterTables, others: Sequence[ClusterTables]) -> Iterator[dict[str, Any]]:
    system = _system(reader)
    parts = split_codes(text)
    for part in parts:
        try:
            cluster = parse_code(part, classification=system)
        except CodeSyntaxError as error:
            yield {"reading": "invalid", "valid": False, "reason": str(error)}
            continue
        is_same = cluster.text == text
        reading = "several" if len(parts) > 1 else "exact" if is_same else "respelled"
        yield {"reading": reading} | _told(cluster, reader, others)


def _system(reader: ClusterTables) -> CodeSystem:
    found = reader.tables.provenance.classification
    return "icf" if found == "icf" else "icd10" if found == "icd10" else "mms"


def _told(cluster: Cluster, reader: ClusterTables, others: Sequence[ClusterTables]) -> dict[str, Any]:
    placement = reader.place(cluster)
    row = placement.stem.row
    lost = _lost(cluster, reader)
    told: dict[str, Any] = {
        "code": cluster.text,
        "known": not lost,
        "known_in": None if not lost else _elsewhere(cluster, others),
        "title": reader.label(placement.stem),
    }
    if row >= 0:
        columns = reader.columns
        told |= {name: columns[name][row] for name in ("entity_id", "class_kind", "is_leaf", "is_residual")}
        told["primary"] = columns["chapter"][row] not in _BESIDE
    valid, reason = _verdict(cluster, placement, lost, reader)
    return told | {"valid": valid, "reason": reason, "advice": _advice(cluster, placement, reader) or None}


def _lost(cluster: Cluster, reader: ClusterTables) -> list[str]:
    return [member.code for member in cluster.members if not _has(reader, member)]


def _has(reader: ClusterTables, member: Member) -> bool:
    if member.kind == "range" and member.code not in reader.rows_of_codes:
        return all(end in reader.rows_of_codes for end in member.code.split("-"))
    return member.code in reader.rows_of_codes


def _elsewhere(cluster: Cluster, others: Sequence[ClusterTables]) -> str | None:
    found = [other.tables.provenance for other in others if not _lost(cluster, other)]
    return " ".join(one.release or one.server for one in found) or None


def _verdict(
    cluster: Cluster, placement: Placement, lost: Sequence[str], reader: ClusterTables
) -> tuple[bool | None, str | None]:
    provenance = reader.tables.provenance
    if lost and not reader.is_whole:
        return None, f"not checked: {', '.join(lost)} is not in these tables, which hold a part of the release"
    if lost:
        return False, f"{', '.join(lost)} is not in {provenance.classification} {provenance.release or ''}".rstrip()
    if cluster.classification == "icf" and cluster.members[0].qualifiers:
        return _verdict_of_qualifiers(cluster.members[0], provenance.release or "")
    return _verdict_of_axes(cluster, placement, reader) if cluster.is_cluster else (True, None)


def _verdict_of_axes(cluster: Cluster, placement: Placement, reader: ClusterTables) -> tuple[bool | None, str | None]:
    if wrong := next((one for one in cluster.members if not _may_join(one, reader)), None):
        return False, f"{wrong.code} is no category, and clusters are made of categories"
    if not placement.unplaced:
        return True, None
    if not reader.has_axes:
        return None, "not checked: these tables hold no axes; load_tables gives them"
    reasons = "; ".join(_why_not(value, stem, reader) for value, stem in placement.unplaced)
    if not reader.is_whole:
        return None, f"not checked: these tables hold a part of the release, in which {reasons}"
    return False, reasons


def _verdict_of_qualifiers(member: Member, release: str) -> tuple[bool | None, str | None]:
    if member.qualifiers[0].startswith("q"):
        return None, "not checked: these tables do not tell which qualifiers a category takes"
    if release >= _QUALIFIERS_SINCE:
        return False, f"the qualifiers of {member.text} are not written as they are since 2026, such as d5409.qp3"
    return None, "not checked: the tables hold no qualifiers"


def _may_join(member: Member, reader: ClusterTables) -> bool:
    return bool(reader.columns["class_kind"][reader.rows_of_codes[member.code]] == "category")


def _why_not(value: Placed, stem: Placed, reader: ClusterTables) -> str:
    name = f"{value.member.code} ({reader.title(value.row)})"
    whose = f"{stem.member.code} ({reader.title(stem.row)})"
    if value.member.role == "stem":
        return f"{name} and {whose} are two stems without a link: neither is a value of an axis of the other"
    known = reader.axes_of_value(value.row)
    own = [axis.axis for axis in reader.axes.get(stem.row, ())]
    if shared := [axis for axis in own if axis in known]:
        return f"{name} is outside the scale of {', '.join(shared)} of {whose}"
    if known:
        return f"{name} is a value of {', '.join(sorted(known))}, an axis that {whose} does not have"
    return f"{name} is a value of no axis of {whose}"


def _advice(cluster: Cluster, placement: Placement, reader: ClusterTables) -> str:
    row = placement.stem.row
    notes = []
    if row >= 0:
        chapter = reader.columns["chapter"][row]
        if chapter in _BESIDE:
            notes.append(f"chapter {chapter} ({_BESIDE[chapter]}) is not for primary coding")
        n_children = reader.columns["n_children"][row]
        if n_children and reader.columns["class_kind"][row] == "category":
            notes.append(f"{placement.stem.member.code} has {n_children} subcategories")
    if any(member.mark == "asterisk" for member in cluster.members):
        notes.append("a code with an asterisk is not for primary coding")
    notes += [f"{code} is repeated and counts once" for code in placement.repeated]
    for one in placement.stem.walk():
        notes += _advice_on_axes(one, reader)
    return "; ".join(notes)


def _advice_on_axes(placed: Placed, reader: ClusterTables) -> Iterator[str]:
    for axis in reader.axes.get(placed.row, ()):
        values = [value.member.code for value in placed.below if value.axis == axis.axis]
        if axis.required and not values:
            yield f"{placed.member.code} requires a value of {axis.axis}"
        if len(values) > 1 and axis.allow_multiple == "NotAllowed":
            yield f"{placed.member.code} takes one value of {axis.axis}, and has {', '.join(values)}"


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
    if error := _not_in_tables(placed, reader):
        return Outcome(outcome_of_error(error).status, facts, error)
    return Outcome(answer=facts)


def _described(cluster: Read, reader: ClusterTables, language: str | None) -> Outcome[PostcoordinationSet]:
    if not isinstance(cluster, Cluster):
        return Outcome(EMPTY) if cluster is None else outcome_of_error(cluster)
    placed = reader.place(cluster).stem
    if error := _not_in_tables(placed, reader):
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


def _not_in_tables(placed: Placed, reader: ClusterTables) -> EntityNotFoundError | None:
    lost = [one.member.code for one in placed.walk() if one.row < 0]
    provenance = reader.tables.provenance
    where = f"{provenance.classification} {provenance.release or ''}".strip()
    return (
        EntityNotFoundError(f"The tables of {where} hold no {', '.join(lost)}: correct it, or load more.")
        if lost
        else None
    )
