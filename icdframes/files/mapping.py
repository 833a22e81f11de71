"""WHO's ICD-10 ↔ ICD-11 tables → `CodeMapping`, row by row; a row that is none is named with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipInfo

import pandas as pd

from icdframes import __version__
from icdframes.errors import CodeSyntaxError, ConfigurationError, FileFormatError, did_you_mean
from icdframes.files.delimited import SHEET_SUFFIX, RawTable, date_in, read_raw_table
from icdframes.frames.code_mapping import COLUMNS, CodeMapping, Edition, Relation
from icdframes.frames.pandas_compat import as_schema
from icdframes.model.uris import EntityUri, is_icd10_key, parse_uri
from icdframes.settings import licence_of

NO_MAPPING = "No Mapping"

_RELATIONS: Mapping[str, Relation] = {"equivalent": "equivalent", "subclass": "broader", "superclass": "narrower"}
_FIELDS = {
    "10classkind": "kind10", "icd10code": "code10", "icd10chapter": "chapter10", "icd10title": "title10",
    "11classkind": "kind11", "icd11code": "code11", "icd11chapter": "chapter11", "icd11title": "title11",
    "icd11foundationuri": "foundation", "foundationuri": "foundation",
    "linearizationreleaseuri": "linearization", "linearizationuri": "linearization",
    "relation": "relation", "stated0deduced": "distance",
}  # fmt: skip


def read_mapping(path: str | Path, *, table: str | None = None) -> CodeMapping:
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
    >>> import icdframes
    >>> import tempfile
    >>> from pathlib import Path
    >>> text = (
    ...     "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\tICD-11 FoundationURI\ticd11Title\t"
    ...     "2024-Jan-21\nCategory\t1\tA00\tI\tCholera\thttp://id.who.int/icd/entity/257068234\tCholera\t"
    ...     "Equivalent\t0\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "foundation_10To11MapToOneCategory.txt")
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     mapping = icdframes.read_mapping(file)
    >>> mapping.frame[["source_code", "target_id", "relation"]]
      source_code  target_id    relation
    0         A00  257068234  equivalent

    """
    raw = read_raw_table(Path(path), partial(_named, table=table))
    fields = _columns_of(raw)
    forward = fields["code10"] < fields["code11" if "code11" in fields else "title11"]
    records = [_record(raw, number, cells, fields, forward=forward) for number, cells in raw.rows]
    frame = pd.DataFrame.from_records([record for record, _ in records], columns=[*COLUMNS][:-1])
    frame["position"] = frame.groupby(["source_code", "source_id"], dropna=False).cumcount() + 1
    frame = as_schema(frame, COLUMNS)
    version = next((found for cell in raw.header if (found := date_in(cell))), None)
    icd10, icd11 = Edition("icd10"), _edition_of([uri for _, uri in records if uri], version)
    source, target = (icd10, icd11) if forward else (icd11, icd10)
    provenance = {
        "file": raw.place,
        "mapping_version": version,
        "source_classification": source.classification, "source_release": source.release,
        "target_classification": target.classification, "target_release": target.release,
        "package_version": __version__,
        "licence": "; ".join(licence_of(side.classification) for side in (source, target)),
    }  # fmt: skip
    frame.attrs["provenance"] = provenance
    return CodeMapping(frame, source, target, version, provenance, provenance["licence"] or "")


def _columns_of(raw: RawTable) -> dict[str, int]:
    """Return the place of each field; a relation and its distance may stand without a name after the version."""
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in raw.header]
    fields = {_FIELDS[name]: place for place, name in reversed([*enumerate(names)]) if name in _FIELDS}
    missing = {"code10", "title10", "title11"} - set(fields)
    if missing or not {"foundation", "linearization"} & set(fields):
        seen = ", ".join(cell for cell in raw.header if cell)[:100] or "nothing"
        raise FileFormatError(
            f"{raw.place}, line 1: this is none of WHO's ICD-10/ICD-11 mapping tables (its columns are {seen}). "
            "Get mapping.zip from https://icd.who.int/browse, Info."
        )
    if "relation" not in fields:
        unnamed = next((place for place, cell in enumerate(raw.header) if date_in(cell)), len(names))
        if any(len(cells) > unnamed and cells[unnamed].lower() in _RELATIONS for _, cells in raw.rows[:50]):
            fields |= {"relation": unnamed, "distance": unnamed + 1}
    return fields


def _record(
    raw: RawTable, number: int, cells: tuple[str, ...], fields: Mapping[str, int], *, forward: bool
) -> tuple[tuple[Any, ...], EntityUri | None]:
    """Turn one line into a record in the order of `COLUMNS`, and give its linearization URI."""
    where = f"{raw.place}, line {number}"
    text = {name: cells[place] or None for name, place in fields.items() if place < len(cells)}
    if NO_MAPPING in text.values():
        text = {name: None if value == NO_MAPPING else value for name, value in text.items()}
        unmapped = True
    else:
        unmapped = False
    code10 = text.get("code10")
    if code10 and not is_icd10_key(code10):
        raise FileFormatError(f"{where}: {code10!r} is no code of ICD-10: correct it, or download the file again.")
    foundation = _uri(text.get("foundation"), where)
    linear = _uri(text.get("linearization"), where)
    icd11 = linear or foundation
    id11 = icd11.entity_id if icd11 else None
    ends = [side for side in (code10, id11) if side]
    if len(ends) < (1 if unmapped else 2):
        raise FileFormatError(f"{where}: the source or the target is missing: download the file again.")
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
        raise FileFormatError(
            f"{where}: {text!r} is no distance of a relation, which is a whole number: correct it."
        ) from error


def _uri(text: str | None, where: str) -> EntityUri | None:
    if text is None:
        return None
    try:
        return parse_uri(text)
    except CodeSyntaxError as error:
        raise FileFormatError(f"{where}: {error}") from error


def _edition_of(uris: list[EntityUri], version: str | None) -> Edition:
    """Name the ICD-11 side: WHO dates a release's files in the month of the release."""
    release = next((uri.release for uri in uris if uri.release), None) or (version[:7] if version else None)
    return Edition(uris[0].classification if uris else "foundation", release)


def _named(path: Path, members: Sequence[ZipInfo], *, table: str | None) -> str:
    """Pick the mapping table of that name in an archive, or the only one; a text goes before a spreadsheet."""
    files = sorted((item.filename for item in members), key=lambda name: not name.lower().endswith(SHEET_SUFFIX))
    found = {PurePosixPath(name).stem: name for name in files if "map" in PurePosixPath(name).stem.lower()}
    if not found:
        raise FileFormatError(
            f"{path} holds no mapping table, no .txt, .tsv or .xlsx with 'Map' in its name: "
            "get mapping.zip from https://icd.who.int/browse, Info."
        )
    if table is None and len(found) == 1:
        return next(iter(found.values()))
    if table not in found:
        wrong = f"no table {table!r}.{did_you_mean(table, found)}" if table else f"{len(found)} tables."
        raise ConfigurationError(
            f"{path.name} holds {wrong} Name one of them as the table: {', '.join(sorted(found))}."
        )
    return found[table]
