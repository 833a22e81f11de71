"""Write tables as a FHIR R5 CodeSystem: a plain dict."""

from __future__ import annotations

from typing import Any, Literal, get_args

import pandas as pd

from icdframes.errors import ConfigurationError, check_option
from icdframes.frames.entity_tables import EntityTables, check_tables
from icdframes.frames.pandas_compat import fill_text
from icdframes.model.uris import EntityUri

Content = Literal["complete", "fragment"]

_ICD10 = "http://hl7.org/fhir/sid/icd-10"
_TITLES = {
    "mms": ("ICD11MMS", "ICD-11 for Mortality and Morbidity Statistics"),
    "icf": ("ICF", "International Classification of Functioning, Disability and Health"),
    "foundation": ("ICD11Foundation", "ICD-11 Foundation"),
    "icd10": ("ICD10", "International Classification of Diseases, 10th Revision"),
}
_PROPERTIES = (
    ("parent", "code", "Each parent, by its code here."),
    ("kind", "code", "chapter, block or category."),
    ("entityId", "string", "Entity id of the ICD API."),
    ("codingNote", "string", "Coding note."),
)


def to_fhir_codesystem(tables: EntityTables, *, nested: bool = False, content: Content | None = None) -> dict[str, Any]:
    """Write tables as a FHIR R5 CodeSystem resource.

    Parameters
    ----------
    tables : EntityTables
        Any classification. An entity without a code (a block, the foundation) goes
        by its block id, else by its entity id.
    nested : bool
        True puts children inside ``concept.concept``; False (default) lists all
        concepts flat. Either way ``parent`` properties tell every parent that is
        in the tables.
    content : {"complete", "fragment"}, optional
        None tells by itself: a whole classification is complete, a branch is a
        fragment.

    Returns
    -------
    dict
        JSON, ready for ``json.dump``; ``copyright`` is WHO's line. Titles in
        further languages become designations. No network.

    Raises
    ------
    ConfigurationError
        If two entities would have the same code, or `content` is none of the two.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> system = icdframes.to_fhir_codesystem(icdframes.load_tables("1A00", release="2024-01"))
    >>> system["url"], system["version"], system["content"]
    ('http://id.who.int/icd/release/11/mms', '2024-01', 'fragment')

    """
    if content is not None:
        check_option("content", content, get_args(Content))
    check_tables(tables)
    provenance = tables.provenance
    codes = _codes(tables.entities)
    kept = tables.edges[tables.edges["parent_id"].isin(codes) & tables.edges["child_id"].isin(codes)]
    parents = {child: list(group) for child, group in kept.groupby("child_id")["parent_id"]}
    concepts = {
        row["entity_id"]: _concept(row, codes, parents.get(row["entity_id"], []), provenance.language)
        for row in tables.entities.to_dict("records")
    }
    whole = provenance.root is None and provenance.depth is None and provenance.complete
    classification = provenance.classification
    name, title = _TITLES[classification]
    url = _ICD10 if classification == "icd10" else str(EntityUri(classification, None, None))
    system = {
        "resourceType": "CodeSystem",
        "url": url,
        "version": provenance.release,
        "name": name,
        "title": title,
        "status": "active",
        "experimental": False,
        "publisher": "World Health Organization",
        "copyright": provenance.licence,
        "language": provenance.language,
        "caseSensitive": True,
        "hierarchyMeaning": "is-a",
        "compositional": classification == "mms",
        "content": content or ("complete" if whole else "fragment"),
        "count": len(concepts),
        "property": [{"code": code, "type": kind, "description": text} for code, kind, text in _PROPERTIES],
        "concept": _nest(tables.entities, concepts) if nested else list(concepts.values()),
    }
    return {key: value for key, value in system.items() if not (value is None or value == [])}


def _codes(entities: pd.DataFrame) -> dict[str, str]:
    """Return a code of its own for each entity."""
    codes = fill_text(fill_text(entities["code"], entities["block_id"]), entities["entity_id"])
    twice = codes[codes.duplicated()]
    if len(twice):
        raise ConfigurationError(
            f"{twice.iloc[0]!r} is the code of several entities, FHIR wants it once. Load one classification only."
        )
    return dict(zip(entities["entity_id"], codes, strict=True))


def _concept(row: dict[Any, Any], codes: dict[str, str], parents: list[str], language: str | None) -> dict[str, Any]:
    stated = {"kind": row["class_kind"], "entityId": row["entity_id"], "codingNote": row["coding_note"]}
    types = {code: f"value{kind.title()}" for code, kind, _ in _PROPERTIES}
    properties = [{"code": "parent", "valueCode": codes[parent]} for parent in parents]
    properties += [{"code": code, types[code]: value} for code, value in stated.items() if pd.notna(value)]
    concept: dict[str, Any] = {"code": codes[row["entity_id"]]}
    if pd.notna(row["title"]):
        concept["display"] = row["title"]
    if pd.notna(row["definition"]):
        concept["definition"] = row["definition"]
    designations = [
        {"language": column.removeprefix("title_"), "value": value}
        for column, value in row.items()
        if column.startswith("title_") and pd.notna(value) and column != f"title_{language}"
    ]
    return concept | ({"designation": designations} if designations else {}) | {"property": properties}


def _nest(entities: pd.DataFrame, concepts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Put each concept into the parent of its tabular list; give the ones that have none here."""
    top = []
    for entity_id, parent_id in zip(entities["entity_id"], entities["parent_id"], strict=True):
        if parent_id in concepts:
            concepts[parent_id].setdefault("concept", []).append(concepts[entity_id])
        else:
            top.append(concepts[entity_id])
    return top
