"""Read death certificates from tables, files and WHO's JSON form, and add to the answers what belongs to them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from icdframes.client.bulk import Column
from icdframes.errors import ComparabilityWarning, ConfigurationError, FileFormatError, PartialResultWarning, warn
from icdframes.frames.atomic import no_file
from icdframes.frames.files import read_frame
from icdframes.model.certificate import CertificateField, is_month_first, read_duration
from icdframes.model.certificate_forms import (
    CertificateColumns,
    certificate_columns,
    is_document,
    read_document,
    unread_sentence,
)
from icdframes.model.certificate_reader import (
    TRANSLATE_FIRST,
    assigned_cause,
    compare_causes,
    is_all_icd10,
    is_missing,
)

Certificates: TypeAlias = pd.DataFrame | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | os.PathLike[str]

_KEY = "CertificateKey"
_ASSIGNED, _COMPARISON = "underlying_cause", "comparison"
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CertificateRows:
    """Certificates as they were given.

    Attributes
    ----------
    column : Column
        One (index label, fields) per certificate.
    key : str or None
        Name of the column that holds the keys of the certificates.
    unread : tuple of str
        What is no field of a certificate.

    """

    column: Column
    key: str | None = None
    unread: tuple[str, ...] = field(default=(), repr=False)

    @property
    def rows(self) -> list[Row]:
        """The fields of each certificate."""
        return [row for _, row in self.column.given]

    def warn_of_unread(self, release: str | None) -> None:
        """Name in one warning what is not sent, and in others keys given twice, and certificates of another release."""
        if self.unread:
            warn(unread_sentence(self.unread), PartialResultWarning)
        keys = [str(row["certificate_key"]) for row in self.rows if not is_missing(row.get("certificate_key"))]
        if twice := [key for key, n in Counter(keys).items() if n > 1]:
            warn(
                f"{len(twice)} keys in {self.key!r} stand for more than one certificate, such as {twice[0]!r}: each is "
                "judged, but a join by the key would multiply rows.",
                ComparabilityWarning,
            )
        minor = {str(row["icd_minor_version"]) for row in self.rows if not is_missing(row.get("icd_minor_version"))}
        if others := sorted(minor - {str(release)}):
            warn(
                f"ICDMinorVersion says {', '.join(others)}, and the certificates are judged by {release}: give "
                "release= where the codes are of another release.",
                ComparabilityWarning,
            )

    def with_keys(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the keys of the certificates, and how causes assigned by hand compare with those of DORIS."""
        rows = self.rows
        if "stem_code" in table.columns and any(_ASSIGNED in row or f"{_ASSIGNED}_uri" in row for row in rows):
            assigned = [assigned_cause(row) for row in rows]
            found = (
                table[name].astype(object).where(table[name].notna(), None) for name in ("code", "stem_code", "uri")
            )
            compared = map(compare_causes, assigned, *found)
            table = table.assign(
                **{
                    _ASSIGNED: pd.Series(assigned, index=table.index, dtype=table["code"].dtype),
                    _COMPARISON: pd.Series(list(compared), index=table.index, dtype=table["code"].dtype),
                }
            )
        if self.key is not None:
            keys = pd.Series([row.get("certificate_key") for row in rows], index=table.index)
            table.insert(0, self.key, keys)
        return table


def read_certificates(given: object) -> CertificateRows:
    """Read a table, a dict, a list of dicts or a file of certificates.

    Raises
    ------
    ConfigurationError
        If it is none of these, if no cause of death is among the fields, or if all codes are of ICD-10.
    FileFormatError
        If the file cannot be read.

    """
    if isinstance(given, str | os.PathLike):
        given = _read_file(Path(given))
    if isinstance(given, pd.DataFrame):
        read = _of_columns(certificate_columns(given.columns), lambda column: given[column].tolist(), given.index)
    elif isinstance(given, Mapping):
        read = _of_dicts([given], single=True)
    elif isinstance(given, list | tuple) and given and all(isinstance(one, Mapping) for one in given):
        read = _of_dicts(given, single=False)
    else:
        library = type(given).__module__.split(".")[0]
        kind = f"{library}.{type(given).__name__}".removeprefix("builtins.")
        raise ConfigurationError(
            f"{kind} is no certificate: give a pandas DataFrame with one row each, a dict of one, "
            "WHO's JSON form or a list of them, or the path of a file."
        )
    _check_codes(read.rows)
    return read


def _read_file(path: Path) -> object:
    if path.suffix.lower() != ".json":
        return read_frame(path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise no_file(path) from error
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path} is no JSON file ({error}): give one certificate, or an array of them."
        ) from error


def _of_columns(
    columns: CertificateColumns, values: Callable[[Any], list[Any]], index: pd.Index[Any], *, single: bool = False
) -> CertificateRows:
    unread = list(columns.unread)
    lists: dict[str, list[Any]] = {}
    known = {one.name: str(column) for column, one in columns.fields.items()}
    for column, one in columns.fields.items():
        found = values(column)
        if one.kind == "date":
            _check_dates(column, one, found)
        if one.name == "age" and "age_unit" not in known and not any(map(_has_unit, found)):
            unread.append(str(column))
        else:
            lists[one.name] = found
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    column = Column(tuple(zip(index, rows, strict=True)), index, single=single)
    return CertificateRows(column, known.get("certificate_key"), tuple(unread))


def _of_dicts(given: Sequence[Mapping[str, Any]], *, single: bool) -> CertificateRows:
    index = pd.RangeIndex(len(given))
    documents = [is_document(one) for one in given]
    if not any(documents):
        columns = certificate_columns(dict.fromkeys(name for one in given for name in one))
        return _of_columns(columns, lambda name: [one.get(name) for one in given], index, single=single)
    if not all(documents):
        raise ConfigurationError("Some certificates are in WHO's JSON form and others are rows: give them apart.")
    rows, unread = zip(*map(read_document, given), strict=True)
    key = _KEY if any("certificate_key" in row for row in rows) else None
    column = Column(tuple(enumerate(rows)), index, single=single)
    return CertificateRows(column, key, tuple(name for names in unread for name in names))


def _check_codes(rows: Sequence[Row]) -> None:
    """Refuse certificates of which every code is one of ICD-10."""
    cells = (row[name] for row in rows for name in row if name == "part2" or name.startswith("cause_"))
    if example := is_all_icd10(cells):
        raise ConfigurationError(f"The codes, such as {example}, are of ICD-10. {TRANSLATE_FIRST}.")


def _check_dates(column: object, one: CertificateField, values: Sequence[Any]) -> None:
    wrong = next((value for value in values if isinstance(value, str) and is_month_first(value)), None)
    if wrong is not None:
        raise ConfigurationError(
            f"Column {str(column)!r} ({one.name}) holds {wrong!r}, which has the month first; dates with / are read as "
            "DD/MM/YYYY, so others of the column would be misread. Write dates as 2019-05-25."
        )


def _has_unit(value: Any) -> bool:
    return not is_missing(value) and read_duration(value) is not None
