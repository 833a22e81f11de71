"""WHO's ICD-10 ↔ ICD-11 tables as one typed frame; it adds no judgement of its own to what WHO states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from icdframes import __version__
from icdframes.analysis.mapping_files import RawTable, read_raw_table
from icdframes.errors import CodeSyntaxError, FileFormatError, IcdWarning, warn
from icdframes.frames.tables import EntityTables
from icdframes.model.uris import EntityUri, is_icd10_key, parse_uri
from icdframes.settings import licence_of

Relation = Literal["equivalent", "broader", "narrower", "mapped", "unmapped"]

COLUMNS = {
    "source_code": "str", "source_title": "str", "source_chapter": "str", "source_kind": "str", "source_id": "str",
    "target_code": "str", "target_title": "str", "target_chapter": "str", "target_kind": "str", "target_id": "str",
    "foundation_id": "str", "relation": "str", "distance": "Int64", "position": "int64",
}  # fmt: skip
NO_MAPPING = "No Mapping"

_RELATIONS: Mapping[str, Relation] = {"equivalent": "equivalent", "subclass": "broader", "superclass": "narrower"}
_FIELDS = {
    "10classkind": "kind10", "icd10code": "code10", "icd10chapter": "chapter10", "icd10title": "title10",
    "11classkind": "kind11", "icd11code": "code11", "icd11chapter": "chapter11", "icd11title": "title11",
    "icd11foundationuri": "foundation", "foundationuri": "foundation",
    "linearizationreleaseuri": "linearization", "linearizationuri": "linearization",
    "relation": "relation", "stated0deduced": "distance",
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_VERSION = re.compile(r"(?:version:?\s*)?(\d{4})[- ]([a-z]{3})[a-z]*[- ](\d{1,2})\b.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edition:
    """A classification and its release, as far as the file names one."""

    classification: str
    release: str | None = None

    def __str__(self) -> str:
        return f"{self.classification} {self.release}" if self.release else self.classification


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CodeMapping:
    r"""A mapping between two classifications, one row per candidate.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``source_code``, ``source_title``, ``source_chapter``,
        ``source_kind``, ``source_id``, the same five for ``target_``,
        ``foundation_id`` (of the ICD-11 side), ``relation``, ``distance``,
        ``position``. ``relation`` tells how the target stands to the source:
        ``equivalent``; ``broader`` (WHO: the source is a subclass of it);
        ``narrower``; ``mapped`` where the file names a target and does not say of
        what kind; ``unmapped`` where WHO says "No Mapping". ``distance`` is WHO's:
        0 is stated, anything else was deduced that many levels away.
        ``position`` counts the candidates of one source from 1.
    source, target : Edition
        From what to what.
    version : str or None
        Date of the file, ``YYYY-MM-DD``.
    provenance : Mapping
        File, version, package version, licence.
    licence : str
        The line that must stand wherever the table is shown.

    Examples
    --------
    >>> import tempfile
    >>> text = (
    ...     "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\tICD-11 FoundationURI\ticd11Title\t"
    ...     "2024-Jan-21\nCategory\t1\tA00\tI\tCholera\thttp://id.who.int/icd/entity/257068234\tCholera\t"
    ...     "Equivalent\t0\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "foundation_10To11MapToOneCategory.txt")
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     mapping = load_mapping(file)
    >>> mapping.version, mapping.target.classification
    ('2024-01-21', 'foundation')

    """

    frame: pd.DataFrame
    source: Edition
    target: Edition
    version: str | None
    provenance: Mapping[str, Any]
    licence: str

    def check_release(self, tables: EntityTables) -> bool:
        """Tell whether tables are of a release that this mapping was made for; warn where they are not.

        Parameters
        ----------
        tables : EntityTables
            Tables of the source or of the target classification.

        Returns
        -------
        bool
            False after an `IcdWarning`.

        """
        found = Edition(tables.provenance.classification, tables.provenance.release)
        own = next((side for side in (self.source, self.target) if side.classification == found.classification), None)
        if own is None:
            problem = f"The mapping {self.source} → {self.target} has nothing to do with tables of {found}."
        elif own.release and found.release and own.release != found.release:
            problem = f"The mapping was made for {own}, the tables are of {found}: codes may differ."
        else:
            return True
        warn(f"{problem} Load the tables of {own or self.target}.", IcdWarning)
        return False

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return "\n".join((f"CodeMapping {self._title()}", *(f"  {key}: {value}" for key, value in self._facts())))

    def _repr_html_(self) -> str:
        facts = "".join(f"<tr><th>{key}</th><td>{escape(str(value))}</td></tr>" for key, value in self._facts())
        head = self.frame.head().to_html(index=False, na_rep="")
        return f"<p><b>{escape(self._title())}</b></p><table>{facts}</table>{head}"

    def _title(self) -> str:
        return f"{self.source} → {self.target}, version {self.version or 'not stated'}"

    def _facts(self) -> list[tuple[str, str]]:
        sources = self.frame.groupby(["source_code", "source_id"], dropna=False)["target_id"].count()
        kinds = self.frame["relation"].value_counts()
        return [
            ("sources", f"{len(sources):,} ({(sources > 1).sum():,} with several candidates)"),
            ("candidates", ", ".join(f"{kind} {count:,}" for kind, count in kinds.items()) or "none"),
            ("file", str(self.provenance.get("file", ""))),
            ("licence", self.licence),
        ]


def load_mapping(path: str | Path, *, table: str | None = None) -> CodeMapping:
    r"""Read one of WHO's mapping tables between ICD-10 and ICD-11.

    Parameters
    ----------
    path : str or Path
        ``10To11MapToOneCategory``, ``10To11MapToMultipleCategories``,
        ``11To10MapToOneCategory`` or one of the two ``foundation_`` tables, as
        .txt, .tsv or .xlsx (needs the extra ``excel``), also .gz, or WHO's
        ``mapping.zip``, from https://icd.who.int/browse (Info, ICD-10/ICD-11
        mapping tables). Files from 2019 on are understood.
    table : str, optional
        Which table of a zip that holds several, such as
        ``"10To11MapToMultipleCategories"``.

    Returns
    -------
    CodeMapping
        One row per candidate, in the file's order. No network.

    Raises
    ------
    FileFormatError
        If the file is no such table; names the file and the line.
    ConfigurationError
        If a zip holds several tables and ``table`` names none of them.

    Examples
    --------
    >>> import tempfile
    >>> text = (
    ...     "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\tICD-11 FoundationURI\ticd11Title\t"
    ...     "2024-Jan-21\nCategory\t1\tA00\tI\tCholera\thttp://id.who.int/icd/entity/257068234\tCholera\t"
    ...     "Equivalent\t0\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "foundation_10To11MapToOneCategory.txt")
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     mapping = load_mapping(file)
    >>> mapping.frame[["source_code", "target_id", "relation"]]
      source_code  target_id    relation
    0         A00  257068234  equivalent

    """
    raw = read_raw_table(path, table)
    fields = _columns_of(raw)
    forward = fields["code10"] < fields["code11" if "code11" in fields else "title11"]
    records = [_record(raw, number, cells, fields, forward=forward) for number, cells in raw.rows]
    frame = pd.DataFrame.from_records([record for record, _ in records], columns=[*COLUMNS][:-1])
    frame["position"] = frame.groupby(["source_code", "source_id"], dropna=False).cumcount() + 1
    frame = frame.astype(COLUMNS)
    version = next((found for cell in raw.header if (found := _version_of(cell))), None)
    icd10, icd11 = Edition("icd10"), _edition_of([uri for _, uri in records if uri], version)
    source, target = (icd10, icd11) if forward else (icd11, icd10)
    provenance = {
        "file": raw.name,
        "mapping_version": version,
        "source_classification": source.classification, "source_release": source.release,
        "target_classification": target.classification, "target_release": target.release,
        "package_version": __version__,
        "licence": "; ".join(licence_of(side.classification) for side in (source, target)),
    }  # fmt: skip
    frame.attrs["provenance"] = provenance
    return CodeMapping(frame, source, target, version, provenance, provenance["licence"] or "")


def _columns_of(raw: RawTable) -> dict[str, int]:
    """Give the place of each field; a relation and its distance may stand without a name after the version."""
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in raw.header]
    fields = {_FIELDS[name]: place for place, name in reversed([*enumerate(names)]) if name in _FIELDS}
    missing = {"code10", "title10", "title11"} - set(fields)
    if missing or not {"foundation", "linearization"} & set(fields):
        seen = ", ".join(cell for cell in raw.header if cell)[:100] or "nothing"
        raise FileFormatError(
            f"{raw.name}, line 1: this is none of WHO's ICD-10/ICD-11 mapping tables (its columns are {seen}). "
            "Get mapping.zip from https://icd.who.int/browse, Info."
        )
    if "relation" not in fields:
        unnamed = next((place for place, cell in enumerate(raw.header) if _version_of(cell)), len(names))
        if any(len(cells) > unnamed and cells[unnamed].lower() in _RELATIONS for _, cells in raw.rows[:50]):
            fields |= {"relation": unnamed, "distance": unnamed + 1}
    return fields


def _record(
    raw: RawTable, number: int, cells: tuple[str, ...], fields: Mapping[str, int], *, forward: bool
) -> tuple[tuple[Any, ...], EntityUri | None]:
    """Turn one line into a record in the order of `COLUMNS`, and give its linearization URI."""
    where = f"{raw.name}, line {number}"
    text = {name: cells[place] or None for name, place in fields.items() if place < len(cells)}
    if NO_MAPPING in text.values():
        text = {name: None if value == NO_MAPPING else value for name, value in text.items()}
        unmapped = True
    else:
        unmapped = False
    code10 = text.get("code10")
    if code10 and not is_icd10_key(code10):
        raise FileFormatError(f"{where}: {code10!r} is no code of ICD-10.")
    foundation = _uri(text.get("foundation"), where)
    linear = _uri(text.get("linearization"), where)
    icd11 = linear or foundation
    id11 = icd11.entity_id if icd11 else None
    ends = [side for side in (code10, id11) if side]
    if len(ends) < (1 if unmapped else 2):
        raise FileFormatError(f"{where}: the source or the target is missing; is the file complete?")
    old = (code10, text.get("title10"), text.get("chapter10"), _kind(text.get("kind10")), code10)
    new = (text.get("code11"), text.get("title11"), text.get("chapter11"), _kind(text.get("kind11")), id11)
    relation = "unmapped" if unmapped else _RELATIONS.get((text.get("relation") or "").lower(), "mapped")
    pair = (*old, *new) if forward else (*new, *old)
    return (
        (*pair, foundation.entity_id if foundation else None, relation, _distance(text.get("distance"), where)),
        linear,
    )


def _kind(text: str | None) -> str | None:
    return text.lower() if text else None


def _distance(text: str | None, where: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError as error:
        raise FileFormatError(f"{where}: {text!r} is no distance of a relation.") from error


def _uri(text: str | None, where: str) -> EntityUri | None:
    if text is None:
        return None
    try:
        return parse_uri(text)
    except CodeSyntaxError as error:
        raise FileFormatError(f"{where}: {error}") from error


def _version_of(cell: str) -> str | None:
    """Read ``2024-Jan-21`` or ``Version:2022 Feb 07 - 09:47 UTC``; None for anything else."""
    match = _VERSION.fullmatch(cell.strip())
    if match is None or match[2].lower() not in _MONTHS:
        return None
    return f"{match[1]}-{_MONTHS.index(match[2].lower()) + 1:02}-{int(match[3]):02}"


def _edition_of(uris: list[EntityUri], version: str | None) -> Edition:
    """Name the ICD-11 side: WHO dates a release's files in the month of the release."""
    release = next((uri.release for uri in uris if uri.release), None) or (version[:7] if version else None)
    return Edition(uris[0].classification if uris else "foundation", release)
