"""DORIS and CoDEdit for a table of death certificates; it sends none that is not well written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from icdframes.client.bulk import Column, ask_column
from icdframes.client.endpoints import Mortality
from icdframes.client.query_scope import Context, one_language, resolve_scope, with_provenance
from icdframes.errors import ConfigurationError
from icdframes.frames.results import CODEDIT, DORIS, codedit_fields, doris_fields, verdict_table
from icdframes.frames.schema import Column as Field
from icdframes.model.certificate import Certificate
from icdframes.model.certificate_reader import certificate_columns, read_certificate

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Engine(Generic[Answer]):
    """One of the two operations on certificates, and how its answers are shown."""

    verb: str
    ask: Callable[..., Answer]
    columns: Sequence[Field]
    fields: Callable[[Answer], Mapping[str, Any]]


def doris(
    context: Context,
    certificates: object,
    *,
    release: str | None = None,
    language: str = "en",
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Find underlying causes of death; see `icdframes.doris`."""
    engine = _Engine("doris", Mortality(context.wire).doris, DORIS, doris_fields)
    return _judge(context, certificates, engine, release, language, progress=progress, refresh=refresh)


def codedit(
    context: Context,
    certificates: object,
    *,
    release: str | None = None,
    language: str = "en",
    progress: bool | None = None,
    refresh: bool = False,
) -> pd.DataFrame:
    """Check certificates; see `icdframes.codedit`."""
    engine = _Engine("codedit", Mortality(context.wire).codedit, CODEDIT, codedit_fields)
    return _judge(context, certificates, engine, release, language, progress=progress, refresh=refresh)


def _judge(
    context: Context,
    certificates: object,
    engine: _Engine[Answer],
    release: str | None,
    language: str,
    *,
    progress: bool | None,
    refresh: bool,
) -> pd.DataFrame:
    rows = _rows(certificates)
    place = resolve_scope(context, "mms", release, language, verb=engine.verb, offered_by=("mms",), refresh=refresh)
    one_language(place, f"{engine.verb} answers in one language")
    answers = ask_column(
        context,
        place,
        rows,
        lambda row: _checked(row, single=rows.single),
        lambda certificate, tag: engine.ask(certificate, place.named_release, language=tag, refresh=refresh),
        label=engine.verb,
        progress=progress,
    )
    return with_provenance(
        verdict_table(engine.columns, None, answers.first, engine.fields, index=rows.index), context, place
    )


def _rows(certificates: object) -> Column:
    """Give one (index label, fields) per certificate."""
    if isinstance(certificates, pd.DataFrame):
        known = certificate_columns(certificates.columns)
        lists = {field.name: certificates[column].tolist() for column, field in known.items()}
        rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        return Column(tuple(zip(certificates.index, rows, strict=True)), certificates.index)
    if isinstance(certificates, Mapping):
        names = certificate_columns(certificates)
        row = {field.name: certificates[column] for column, field in names.items()}
        return Column(((0, row),), pd.RangeIndex(1), single=True)
    raise ConfigurationError(
        f"{type(certificates).__name__} is no certificate: give a DataFrame with one row each, or a dict of one."
    )


def _checked(labelled: tuple[Any, Mapping[str, Any]], *, single: bool) -> Certificate:
    label, row = labelled
    try:
        return read_certificate(row)
    except ConfigurationError as error:
        where = "The certificate" if single else f"Row {label!r}"
        raise ConfigurationError(f"{where}: {error}") from None
