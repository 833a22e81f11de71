"""Decode JSON of entities and releases: tolerant of unknown fields, strict on the shape of known ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icdframes.errors import CodeSyntaxError
from icdframes.model.entity import Axis, Entity, Reference, ReferenceKind, ReleaseList, Term, TermKind, TopLevel
from icdframes.model.json_reader import JsonReader
from icdframes.model.uris import SCHEMA_PREFIX, EntityUri, parse_uri

UNTRANSLATED = " [No translation available]"

TERM_FIELDS: Mapping[str, TermKind] = {
    "synonym": "synonym",
    "narrowerTerm": "narrower_term",
    "inclusion": "inclusion",
    "indexTerm": "index_term",
}
LABELLED_REFERENCE_FIELDS: Mapping[str, ReferenceKind] = {
    "exclusion": "exclusion",
    "foundationChildElsewhere": "child_elsewhere",
}
BARE_REFERENCE_FIELDS: Mapping[str, ReferenceKind] = {
    "relatedEntitiesInMaternalChapter": "related_maternal",
    "relatedEntitiesInPerinatalChapter": "related_perinatal",
}
TEXT_FIELDS = {
    "fullySpecifiedName": "fully_specified_name",
    "definition": "definition",
    "longDefinition": "long_definition",
    "codingNote": "coding_note",
    "diagnosticCriteria": "diagnostic_criteria",
}

_OTHER_ENTITY_FIELDS = {
    "@context", "@id", "parent", "child", "browserUrl", "ancestor", "descendant", "code", "source",
    "classKind", "blockId", "codeRange", "postcoordinationScale", "title",
}  # fmt: skip
_ENTITY_FIELDS = (
    _OTHER_ENTITY_FIELDS
    | set(TEXT_FIELDS)
    | set(TERM_FIELDS)
    | set(LABELLED_REFERENCE_FIELDS)
    | set(BARE_REFERENCE_FIELDS)
)
_TOP_LEVEL_FIELDS = {
    "@context", "@id", "title", "releaseId", "releaseDate", "availableLanguages", "prereleaseLanguages",
    "allReleases", "child", "browserUrl",
}  # fmt: skip


def parse_entity(doc: Any, *, asked: str = "") -> Entity:
    """Read a foundation, linearization or ICD-10 entity.

    Parameters
    ----------
    doc : object
        The decoded JSON.
    asked : str
        What was asked for, for error messages.

    Returns
    -------
    Entity

    Raises
    ------
    ResponseShapeError
        If a known field has another shape than the API documents.

    """
    at = JsonReader(doc, asked)
    uri = at.entity_uri("@id")
    title = at.required_text("title")
    others = {
        name: _translated(at.label(text, field)) or None
        for field, name in TEXT_FIELDS.items()
        if (text := at.doc.get(field)) is not None
    }
    return Entity(
        uri=str(uri),
        entity_id=uri.entity_id or "",
        title=_translated(title.value),
        language=title.language,
        translated=not title.value.endswith(UNTRANSLATED),
        code=at.filled("code"),
        class_kind=at.string("classKind"),
        parent_ids=at.ids("parent") or (),
        child_ids=at.ids("child") or (),
        block_id=at.filled("blockId"),
        code_range=at.filled("codeRange"),
        **others,
        foundation_id=_foundation_id(at, uri),
        browser_url=_known(at.string("browserUrl")),
        terms=tuple(_terms(at)),
        references=tuple(_references(at)),
        axes=tuple(_axes(at)),
        ancestor_ids=at.ids("ancestor"),
        descendant_ids=at.ids("descendant"),
        extra={key: value for key, value in at.doc.items() if key not in _ENTITY_FIELDS},
    )


def parse_top_level(doc: Any, *, asked: str = "") -> TopLevel:
    """Read the root of one release of a classification."""
    at = JsonReader(doc, asked)
    uri = at.uri("@id")
    title = at.text("title")
    return TopLevel(
        uri=str(uri),
        classification=uri.classification,
        release=at.string("releaseId") or uri.release,
        title=title.value if title else None,
        date=at.string("releaseDate"),
        languages=at.strings("availableLanguages"),
        prerelease_languages=at.strings("prereleaseLanguages"),
        child_ids=at.ids("child") or (),
        all_releases=tuple(release_of(item) for item in at.strings("allReleases")),
        browser_url=_known(at.string("browserUrl")),
        extra={key: value for key, value in at.doc.items() if key not in _TOP_LEVEL_FIELDS},
    )


def parse_release_list(doc: Any, *, asked: str = "") -> ReleaseList:
    """Read the releases in which a classification or an entity exists."""
    at = JsonReader(doc, asked)
    title = at.text("title")
    latest = at.string("latestRelease")
    known = {"@context", "@id", "title", "latestRelease", "release"}
    return ReleaseList(
        uri=str(at.uri("@id")),
        title=title.value if title else None,
        latest=release_of(latest) if latest else None,
        releases=tuple(release_of(item) for item in at.strings("release")),
        extra={key: value for key, value in at.doc.items() if key not in known},
    )


def release_of(text: str) -> str:
    """Return the release id in a URI, in its ``?version=`` or ``?releaseId=`` marker, or the text itself."""
    head, _, query = text.partition("?")
    if query:
        return query.rpartition("=")[2]
    if "://" not in head:
        return head
    try:
        return parse_uri(head).release or head
    except CodeSyntaxError:
        return head


def _terms(at: JsonReader) -> list[Term]:
    return [
        Term(kind, *_label_and_links(at, item, field, place), item.get("deprecated") is True)
        for field, kind in TERM_FIELDS.items()
        if field in at.doc
        for place, item in enumerate(at.objects(field))
    ]


def _references(at: JsonReader) -> list[Reference]:
    found = [
        Reference(kind, *_label_and_links(at, item, field, place))
        for field, kind in LABELLED_REFERENCE_FIELDS.items()
        if field in at.doc
        for place, item in enumerate(at.objects(field))
    ]
    for field, kind in BARE_REFERENCE_FIELDS.items():
        listed = [at.doc[field]] if isinstance(at.doc.get(field), str) else at.objects(field)
        found += [Reference(kind, None, at.entity_id(item, field, place)) for place, item in enumerate(listed)]
    return found


def _label_and_links(at: JsonReader, item: Any, field: str, place: int) -> tuple[str, str | None, str | None]:
    """Return a label, the id of its foundation entity, the id of its linearization entity."""
    if not isinstance(item, dict):
        raise at.wrong("an object with a label", item, field, place)
    label = _translated(at.label(item.get("label"), field, place, "label"))
    foundation, linearization = item.get("foundationReference"), item.get("linearizationReference")
    return (
        label,
        at.entity_id(foundation, field, place, "foundationReference") if foundation else None,
        at.entity_id(linearization, field, place, "linearizationReference") if linearization else None,
    )


def _axes(at: JsonReader) -> list[Axis]:
    axes = []
    for axis in at.items("postcoordinationScale"):
        name, required = axis.string("axisName"), axis.doc.get("requiredPostcoordination")
        if name is None:
            raise axis.wrong("an axis with its name", axis.doc)
        if required is not None and not isinstance(required, str | bool):
            raise axis.wrong("true or false", required, "requiredPostcoordination")
        axes.append(
            Axis(
                axis=name.removeprefix(SCHEMA_PREFIX),
                required=required in {"true", True},
                allow_multiple=axis.string("allowMultipleValues"),
                scale_entity_ids=axis.ids("scaleEntity") or (),
            )
        )
    return axes


def _foundation_id(at: JsonReader, uri: EntityUri) -> str | None:
    if uri.classification == "foundation":
        return uri.entity_id
    source = at.doc.get("source")
    return at.entity_id(source, "source") if isinstance(source, str) else None


def _translated(text: str) -> str:
    return text.removesuffix(UNTRANSLATED)


def _known(text: str | None) -> str | None:
    return None if text in {None, "", "NA"} else text
