"""Code lists read from files: CSV, Excel, JSON and FHIR ValueSets, also those of other programs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import pandas as pd

from icdframes.analysis.codelist import CodeList
from icdframes.analysis.codelist_files import FORMAT, ICD10, NOTE, RULES_TEXT, need_openpyxl
from icdframes.analysis.codelist_move import replace_list
from icdframes.errors import CodeSyntaxError, FileFormatError, check_option
from icdframes.frames.atomic import no_file, read_json
from icdframes.frames.files import SIDECAR
from icdframes.frames.pandas_compat import TEXT
from icdframes.frames.user_table import read_text_table
from icdframes.model.codes import parse_code

_NAMES = {
    "code": (
        "code",
        "icd_code",
        "icd11_code",
        "icd10_code",
        "icd-11",
        "icd-10",
        "icd11",
        "icd10",
        "icd",
        "concept_code",
    ),
    "title": ("title", "term", "description", "display", "label", "concept_name"),
    "rule": ("rule", "include_or_exclude"),
    "scope": ("scope",),
    "note": ("note", "notes", "comment"),
}
_EXCLUDED = {"exclude", "excluded", "exclusion", "excl", "out", "no", "false", "0", "-"}
_INCLUDED = {"", "include", "included", "inclusion", "incl", "in", "yes", "true", "1", "+"}


def read_codelist(
    path: str | os.PathLike[str], *, name: str | None = None, scope: Literal["alone", "branch"] = "alone"
) -> CodeList:
    r"""Read a code list from CSV, TSV, Excel, JSON or a FHIR ValueSet.

    Parameters
    ----------
    path : path
        A file of `CodeList`, or any table with a column of codes (``code``, ``icd10_code``, …) and perhaps
        ``term`` or ``title``, ``rule`` (include or exclude), ``scope``, ``note``. Comma, semicolon or tab.
    name : str, optional
        Name of the list; by default what the file says, or its own name without its ending.
    scope : {"alone", "branch"}, default "alone"
        What a code stands for where the table has no column ``scope``: itself, or also all codes below it.

    Returns
    -------
    CodeList
        No network.

    Raises
    ------
    FileFormatError
        If the file cannot be read or has no column of codes.
    CodeSyntaxError
        If a cell is no code.

    Examples
    --------
    >>> import icdframes
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "diabetes.csv"
    ...     _ = file.write_text("code,term\nE10,Type 1\nE11,Type 2\n")
    ...     icdframes.read_codelist(file)
    <CodeList 'diabetes' icd10: 2 included, 0 excluded>

    """
    check_option("scope", scope, ("alone", "branch"))
    values = _read_values(Path(path), scope)
    found = CodeList.from_dict(values)
    return replace_list(found, name=name) if name else found


def _read_values(file: Path, scope: str) -> dict[str, Any]:
    """Return the plain values of a list from a file of any kind."""
    if not file.is_file():
        raise no_file(file)
    if file.suffix.lower() == ".json":
        values = read_json(file, advice="give a list that to_json wrote, or a FHIR ValueSet")
        return _of_valueset(values, file) if values.get("resourceType") == "ValueSet" else values
    told: dict[str, Any] = {}
    if file.suffix.lower() in {".xlsx", ".xlsm"}:
        table, told = _read_excel(file)
    else:
        table = _read_text(file)
        if (sidecar := file.with_name(file.name + SIDECAR)).is_file():
            told = dict(read_json(sidecar).get("attrs", {}).get("codelist", {}))
    return _of_table(table, told, file, scope)


def _read_text(file: Path) -> pd.DataFrame:
    return read_text_table(file)


def _read_excel(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    need_openpyxl()
    try:
        sheets = pd.read_excel(
            file, sheet_name=None, dtype=TEXT, engine="openpyxl", keep_default_na=False, na_values=[""]
        )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FileFormatError(f"{file} cannot be read as a workbook ({error}): write it anew.") from error
    told: dict[str, Any] = {}
    if "about" in sheets and {"field", "value"} <= set(sheets["about"].columns):
        pairs = sheets["about"].dropna()
        told = dict(zip(pairs["field"], pairs["value"], strict=True))
        told["authors"] = [name for name in str(told.get("authors", "")).split("; ") if name]
    return sheets.get("rules", next(iter(sheets.values()))), told


def _of_table(table: pd.DataFrame, told: dict[str, Any], file: Path, scope: str) -> dict[str, Any]:
    names = {str(name).strip().casefold().replace(" ", "_"): name for name in table.columns}
    columns = {field: next((names[name] for name in known if name in names), None) for field, known in _NAMES.items()}
    if columns["code"] is None:
        there = ", ".join(map(str, table.columns))
        raise FileFormatError(f"{file} has no column of codes: call it 'code'. It has {there}.")
    rows = table[table[columns["code"]].notna()]
    cells = {
        field: [None] * len(rows)
        if name is None
        else [None if pd.isna(cell) else str(cell).strip() for cell in rows[name]]
        for field, name in columns.items()
    }
    system = told.get("classification") or _system_of(cells["code"], file)
    sides: dict[str, list[dict[str, Any]]] = {"include": [], "exclude": []}
    for code, title, word, reach, note in zip(*(cells[field] for field in _NAMES), strict=True):
        rule = (word or "").strip().casefold()
        if rule not in _EXCLUDED | _INCLUDED:
            raise FileFormatError(f"{file} has the rule {word!r} for {code}: write include or exclude.")
        side = "exclude" if rule in _EXCLUDED else "include"
        sides[side].append({"code": code, "scope": reach or scope, "title": title, "note": note})
    return {"format": FORMAT, "name": file.name.split(".")[0], "classification": system} | told | sides


def _system_of(codes: Sequence[str | None], file: Path) -> str:
    """Return the classification that most codes are written as."""
    found: list[str] = []
    for code in codes:
        try:
            found.append(parse_code(code or "").classification)
        except CodeSyntaxError:
            continue
    if not found:
        raise FileFormatError(f"{file} holds no code: its column of codes has none that is written like one.")
    return max(sorted(set(found)), key=found.count)


def _of_valueset(values: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Return the plain values of a list from a ValueSet."""
    compose = values.get("compose") or {}
    elements = [(side, element) for side in ("include", "exclude") for element in compose.get(side, ())]
    if not elements or any("valueSet" in element for _, element in elements):
        raise FileFormatError(f"{file} is a ValueSet of others, or has no rules: give one whose compose names codes.")
    system = str(elements[0][1].get("system", ""))
    classification = "icd10" if system == ICD10 else system.rstrip("/").rsplit("/", 1)[-1]
    releases = [element["version"] for _, element in elements if element.get("version")]
    sides: dict[str, list[dict[str, Any]]] = {"include": [], "exclude": []}
    named = {_filter(element, "is-a") for _, element in elements}
    named |= {one["code"] for _, element in elements for one in element.get("concept", ())}
    for side, element in elements:
        sides[side] += _rules_of(element, file)
        others = [value for value in _filters(element, "is-not-a") if value not in named]
        sides["exclude" if side == "include" else "include"] += [{"code": code, "scope": "branch"} for code in others]
    return {
        "format": FORMAT,
        "name": values.get("title") or values.get("name") or file.stem,
        "description": values.get("description"),
        "authors": [author["name"] for author in values.get("author", ()) if author.get("name")],
        "classification": classification if classification in {"mms", "icf", "icd10"} else "mms",
        "release": releases[0] if releases else None,
    } | sides


def _rules_of(element: Mapping[str, Any], file: Path) -> list[dict[str, Any]]:
    told = {extension.get("url"): extension for extension in element.get("extension", ())}
    note = told.get(NOTE, {}).get("valueAnnotation", {}).get("text")
    if RULES_TEXT in told:
        return [{"code": told[RULES_TEXT].get("valueMarkdown"), "note": note}]
    if code := _filter(element, "is-a"):
        return [{"code": code, "scope": "branch", "note": note}]
    if "concept" not in element:
        raise FileFormatError(
            f"{file} has a filter that is no is-a: {json.dumps(element.get('filter'))}. List the codes."
        )
    concepts = element["concept"]
    return [{"code": one["code"], "scope": "alone", "title": one.get("display"), "note": note} for one in concepts]


def _filters(element: Mapping[str, Any], op: str) -> list[str]:
    return [one["value"] for one in element.get("filter", ()) if one.get("op") == op]


def _filter(element: Mapping[str, Any], op: str) -> str | None:
    return next(iter(_filters(element, op)), None)
