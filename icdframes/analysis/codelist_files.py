"""Code lists written to files: CSV, Excel, JSON and FHIR ValueSets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from icdframes.analysis.codelist_expand import TableTerm
from icdframes.analysis.codelist_rules import CodeRule, read_rule
from icdframes.analysis.matching import Tables
from icdframes.analysis.tabular_order import CodeIndex
from icdframes.errors import FileFormatError, MissingExtraError, check_option
from icdframes.frames.atomic import check_target, write_json, written_beside
from icdframes.frames.files import to_csv
from icdframes.frames.pandas_compat import as_schema
from icdframes.model.cluster import CodeSystem
from icdframes.model.uris import EntityUri
from icdframes.settings import licence_of

if TYPE_CHECKING:
    import os

    from icdframes.analysis.codelist import CodeList

FORMAT = "icdframes code list"
_RULE_COLUMNS = ["code", "title", "rule", "scope", "note"]
ICD10 = "http://hl7.org/fhir/sid/icd-10"
RULES_TEXT = "http://hl7.org/fhir/StructureDefinition/valueset-rules-text"
NOTE = "http://hl7.org/fhir/StructureDefinition/note"


def about(codelist: CodeList) -> dict[str, Any]:
    """Return what a file says of a list beside its rules."""
    return {
        "format": FORMAT,
        "name": codelist.name,
        "description": codelist.description,
        "authors": list(codelist.authors),
        "classification": codelist.classification,
        "release": codelist.release,
        "citation": codelist.cite(),
    }


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a list from plain values, its rules read."""
    if values.get("format") != FORMAT:
        raise FileFormatError("This is no code list of icdframes: it lacks the mark of its format. Write it anew.")
    system: Any = values.get("classification") or "mms"
    check_option("classification", system, get_args(CodeSystem))
    fields = ("name", "description", "authors", "classification", "release")
    known: dict[str, Any] = {field: values[field] for field in fields if values.get(field) is not None}
    sides = ("include", "exclude")
    return known | {side: [read_rule(rule, system) for rule in values.get(side, ())] for side in sides}


def rules_frame(include: Iterable[CodeRule], exclude: Iterable[CodeRule]) -> pd.DataFrame:
    """Return rules as a table."""
    rows = [
        (rule.code, rule.title, word, rule.scope, rule.note)
        for word, rules in (("include", include), ("exclude", exclude))
        for rule in rules
    ]
    return as_schema(pd.DataFrame(rows, columns=_RULE_COLUMNS), dict.fromkeys(_RULE_COLUMNS, "str"))


def terms_frame(codes: pd.DataFrame) -> pd.DataFrame:
    """Return the codes of a release in the two columns that other programs read."""
    frame = codes[["code", "title"]].rename(columns={"title": "term"})
    frame.attrs = dict(codes.attrs)
    return frame


def write_csv(frame: pd.DataFrame, codelist: CodeList, path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Write a table of a list, what is said of the list beside it."""
    frame.attrs = {**frame.attrs, "codelist": about(codelist)}
    return to_csv(frame, path, overwrite=overwrite)


def write_json_file(values: Mapping[str, Any], path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Write plain values as a JSON file."""
    target = check_target(path, overwrite=overwrite, suffixes=(".json",))
    with written_beside(target, lambda file: write_json(file, values)) as temporary:
        temporary.replace(target)
    return target


def write_excel(
    rules: pd.DataFrame,
    codelist: CodeList,
    codes: pd.DataFrame | None,
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
) -> Path:
    """Write a workbook with a sheet for the rules, one that tells of the list, and perhaps one for codes."""
    target = check_target(path, overwrite=overwrite, suffixes=(".xlsx",))
    told = [(key, "; ".join(value) if isinstance(value, list) else value) for key, value in about(codelist).items()]
    sheets = {"rules": rules, "about": pd.DataFrame(told, columns=["field", "value"])}
    if codes is not None:
        sheets["codes"] = codes

    def write(file: Path) -> None:
        with file.open("xb") as stream, pd.ExcelWriter(stream, engine="openpyxl") as writer:
            for name, sheet in sheets.items():
                sheet.to_excel(writer, sheet_name=name, index=False)
                for cells in writer.sheets[name].iter_rows():
                    for cell in cells:
                        if cell.data_type == "f":  # a text that begins with = is no formula
                            cell.data_type = "s"

    need_openpyxl()
    with written_beside(target, write) as temporary:
        temporary.replace(target)
    return target


def need_openpyxl() -> None:
    """Refuse to go on without openpyxl."""
    try:
        import openpyxl  # noqa: F401, PLC0415  an optional package
    except ImportError as error:
        raise MissingExtraError("A code list in Excel", "excel") from error


def valueset_of(codelist: CodeList, term: TableTerm, tables: Tables) -> dict[str, Any]:
    """Return the rules of a list as a FHIR R5 ValueSet."""
    system = ICD10 if codelist.classification == "icd10" else str(EntityUri(codelist.classification, None, None))
    titles = _titles(tables)
    inside = _inclusions_inside(term, tables)
    n_included = len(term.rules)

    def element(number: int, rule: CodeRule) -> dict[str, Any]:
        made: dict[str, Any] = {"system": system}
        if codelist.release:
            made["version"] = codelist.release
        extensions = [{"url": NOTE, "valueAnnotation": {"text": rule.note}}] if rule.note else []
        if rule.scope == "branch":
            made["filter"] = [{"property": "concept", "op": "is-a", "value": rule.code}]
            made["filter"] += [{"property": "concept", "op": "is-not-a", "value": code} for code in inside[number]]
        elif rule.scope in {"range", "beginning"}:
            extensions.append({"url": RULES_TEXT, "valueMarkdown": rule.code})
            made["concept"] = [_concept(code, titles.get(code)) for code in _codes_of(term, number, tables)]
        else:
            made["concept"] = [_concept(rule.code, rule.title or titles.get(rule.code))]
        return made | ({"extension": extensions} if extensions else {})

    include = [element(number, rule) for number, rule in enumerate(term.rules)]
    exclude = [element(number + n_included, rule) for number, rule in enumerate(term.left_out)]
    found = {
        "resourceType": "ValueSet",
        "name": "".join(part.capitalize() for part in codelist.name.split()) or "CodeList",
        "title": codelist.name,
        "status": "active",
        "description": codelist.description,
        "author": [{"name": name} for name in codelist.authors],
        "copyright": licence_of(codelist.classification),
        "compose": {"include": include, "exclude": exclude} if exclude else {"include": include},
    }
    return {key: value for key, value in found.items() if value}


def _inclusions_inside(term: TableTerm, tables: Tables) -> list[list[str]]:
    """Return for each rule the inclusions that lie inside it where it is an exclusion, ranges as their codes."""
    n_included = len(term.rules)
    inside: list[list[str]] = [[] for _ in term.sets]
    for number in range(n_included, len(term.sets)):
        outer = term.sets[number]
        for place, (inner, rule) in enumerate(zip(term.sets[:n_included], term.rules, strict=True)):
            if outer is not None and inner is not None and (inner.rows <= outer.rows).all():
                inside[number] += [rule.code] if rule.scope == "branch" else _codes_of(term, place, tables)
    return inside


def _concept(code: str, title: str | None) -> dict[str, str]:
    return {"code": code} | ({"display": title} if title else {})


def _codes_of(term: TableTerm, number: int, tables: Tables) -> list[str]:
    found = term.sets[number]
    if found is None:
        return []
    index = CodeIndex(tables)
    codes = index.entities["code"][found.rows & index.is_category]
    return [str(code) for code in codes.dropna()]


def _titles(tables: Tables) -> dict[str, str]:
    entities = tables if isinstance(tables, pd.DataFrame) else tables.entities
    if "title" not in entities.columns:
        return {}
    named = entities[entities["code"].notna() & entities["title"].notna()]
    return dict(zip(named["code"].tolist(), named["title"].tolist(), strict=True))
