"""Decode clusters into one row per member: the verb `decode_codes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from icdframes.client.base import ClientBase
from icdframes.client.bulk import Column, as_text, read_column
from icdframes.client.endpoints import CodeEndpoint
from icdframes.client.query_scope import reraise_not_found
from icdframes.coding.checks import decode_from_tables, describe_from_tables
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, did_you_mean
from icdframes.frames.results import Decoded, Facts, MemberFacts, members_table
from icdframes.model.cluster import Cluster, CodeSystem
from icdframes.model.codes import parse_code, split_codes
from icdframes.model.responses import EMPTY, NOT_FOUND, CodeInfo, Outcome, PostcoordinationSet, outcome_of_error
from icdframes.model.uris import first_entity_id

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables

Source = Literal["describe", "codeinfo"]
_CODE_SYSTEMS: tuple[CodeSystem, ...] = ("mms", "icf", "icd10")
_SOURCES = ("describe", "codeinfo")
_QUALIFIERS_SINCE = "2026"


class DecodingMethods(ClientBase):
    """The verb that decodes clusters."""

    def decode_codes(
        self,
        codes: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        source: Source | None = "describe",
        tables: EntityTables | None = None,
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Return one row per member of each code or cluster: its role, axis and title.

        Parameters
        ----------
        codes : str, or list, Series or Index of str
            Codes and clusters in any writing that `parse_code` reads; of a cell with several codes that form no
            cluster (``"A00.9 I10"``) each is decoded.
        classification : {"mms", "icf", "icd10"}, default "mms"
            ICD-10 codes are asked for one by one; they have no axes.
        release, progress, refresh
            As `codeinfo`.
        language : str or list of str, default "en"
            Each language after the first adds title_es.
        source : {"describe", "codeinfo", None}, default "describe"
            ``describe`` tells axes and titles, ``codeinfo`` axes only. None asks nothing:
            the reading alone, without network and client. Where a server has no ``describe`` (before API 2.5),
            ``codeinfo`` is asked instead.
        tables : EntityTables, optional
            Read axes and titles from these tables, in their languages and without a request; classification, release
            and language are theirs then.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_members, 14)``: value, cluster, position, code, role (stem or extension), group, stem_code, kind,
            qualifiers, axis, title, entity_id, status, message. Rows carry the index label of
            their value. A cluster that the server does not know keeps its members.

        Raises
        ------
        IcdError
            As `codeinfo`.

        Notes
        -----
        Network: one request per distinct value and language, in flexible mode; none with `tables`.
        Source: ``GET …/describe`` or ``…/codeinfo/{code}`` of the ICD API; for ICD-10 the
        entities themselves.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.decode_codes("2C25.2&XH74S1/5A11", source=None)[["code", "role", "group"]]
             code       role  group
        0  2C25.2       stem      0
        0  XH74S1  extension      0
        0    5A11       stem      1

        """
        values, column = _one_by_one(read_column(codes))
        if tables is not None:
            clusters = _clusters(column, _system(tables.provenance.classification))
            read = [clusters[_name(value)] for value in column.given]
            _raise_single(column, read)
            return decode_from_tables(values, read, tables, column.index)
        system = _system(classification)
        if source is not None and source not in _SOURCES:
            raise ConfigurationError(
                "is unknown: give 'describe' (axes and titles), 'codeinfo' (axes), or None (no request)."
                f"{did_you_mean(str(source), _SOURCES)}",
                option="source",
                value=source,
            )
        if source is None:
            return read_codes(codes, classification=classification)
        scope = self._scope("decode_codes", _CODE_SYSTEMS, classification, release, language, refresh=refresh)
        release_id = scope.release_id

        def fetch(text: str, tag: str) -> Facts:
            if system == "icd10":
                entity = scope.source.entity(text, release_id, language=tag, refresh=refresh)
                return [MemberFacts(text, None, entity.title, entity.entity_id)]
            endpoint = CodeEndpoint(self._session, system)
            if source == "codeinfo":
                return facts_of_info(endpoint.codeinfo(text, release_id, flexible=True, language=tag, refresh=refresh))
            try:
                return facts_of_set(endpoint.describe(text, release_id, flexible=True, language=tag, refresh=refresh))
            except EntityNotFoundError:  # also of a server without describe
                found = endpoint.codeinfo(text, release_id, flexible=True, language=tag, refresh=refresh)
                return facts_of_info(found)

        def ask(text: str, tag: str) -> Facts:
            missing = (
                f"{text!r} is not known in {classification} {release_id}; its members were read from the text alone."
            )
            return reraise_not_found(lambda: fetch(text, tag), missing)

        answers = self._ask_column(
            scope,
            column,
            lambda value: _asked(parse_code(as_text(value), classification=system), release_id),
            ask,
            label="decode",
            progress=progress,
        )
        table = _table(values, column, _clusters(column, system), answers.by_language)
        return scope.with_provenance(table)


def describe_offline(column: Column, tables: EntityTables) -> pd.DataFrame:
    """Describe codes and clusters from tables; see `IcdClient.describe`."""
    clusters = _clusters(column, _system(tables.provenance.classification))
    read = [clusters[_name(value)] for value in column.given]
    _raise_single(column, read)
    frame = describe_from_tables(column.given, read, tables, column.index)
    if column.single and frame["status"].item() == NOT_FOUND:
        raise EntityNotFoundError(str(frame["message"].item()))
    return frame


def _raise_single(column: Column, read: Sequence[Cluster | CodeSyntaxError | None]) -> None:
    """Raise why a single value is no code."""
    if column.single and isinstance(read[0], CodeSyntaxError):
        raise read[0]


def read_codes(codes: object, *, classification: str = "mms") -> pd.DataFrame:
    """Read one row per member of each code or cluster, without a network; see `icdframes.decode_codes`."""
    values, column = _one_by_one(read_column(codes))
    clusters = _clusters(column, _system(classification))
    outcomes = {"": [_reading(clusters[_name(value)]) for value in column.given]}
    if column.single and outcomes[""][0].error:
        raise outcomes[""][0].error
    return _table(values, column, clusters, outcomes)


def _one_by_one(column: Column) -> tuple[list[object], Column]:
    """Put each code of a cell with several in a place of its own; return the cells, and the column of codes."""
    values: list[object] = []
    codes: list[object] = []
    places: list[int] = []
    for place, value in enumerate(column.given):
        found = split_codes(value) if isinstance(value, str) else ()
        each = found if len(found) > 1 else (value,)
        values += [value] * len(each)
        codes += each
        places += [place] * len(each)
    if len(codes) == len(column.given):
        return list(column.given), column
    return values, Column(tuple(codes), column.index.take(places))


def facts_of_set(described: PostcoordinationSet) -> list[MemberFacts]:
    """Return what a description says of each code, depth first."""
    facts = []
    for axis, one in described.walk():
        code = one.stem_code or one.code
        if code:
            entity_id = first_entity_id(one.stem_uri or one.uri)
            facts.append(MemberFacts(code.strip(), axis, one.stem_label or one.label, entity_id))
    return facts


def facts_of_info(info: CodeInfo) -> list[MemberFacts]:
    """Return what codeinfo says of each code; a value that is a cluster has its own stem on the axis."""
    facts = [MemberFacts(info.stem_code or info.code, entity_id=info.stem_id)]
    for axis, values in info.values.items():  # noqa: PD011  no pandas
        facts += [MemberFacts(parse_code(value, classification="mms").members[0].code, axis) for value in values]
    return facts


def _system(classification: str) -> CodeSystem:
    for system in _CODE_SYSTEMS:
        if system == classification:
            return system
    raise ConfigurationError(
        f"There are no codes in the classification {classification!r}: give one of {', '.join(_CODE_SYSTEMS)}."
        f"{did_you_mean(str(classification), _CODE_SYSTEMS)}"
    )


def _asked(cluster: Cluster, release: str) -> str:
    """Return what the API knows: of ICF only the qualifiers of 2026 (``d5409.qp3``), and these since 2026."""
    first = cluster.members[0]
    is_known = first.qualifiers[:1] and first.qualifiers[0].startswith("q") and release >= _QUALIFIERS_SINCE
    return first.code if cluster.classification == "icf" and not is_known else cluster.text


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
    values: Sequence[object],
    column: Column,
    clusters: dict[str | None, Cluster | CodeSyntaxError | None],
    outcomes: dict[str, list[Outcome[Facts]]],
) -> pd.DataFrame:
    decoded = []
    for position, (value, code) in enumerate(zip(values, column.given, strict=True)):
        cluster = clusters[_name(code)]
        decoded.append(
            Decoded(
                value,
                cluster if isinstance(cluster, Cluster) else None,
                {language: rows[position] for language, rows in outcomes.items()},
            )
        )
    return members_table(decoded, tuple(outcomes), column.index)
