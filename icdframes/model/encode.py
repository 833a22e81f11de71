"""Encode values as JSON as the ICD API writes it, key order included."""

from __future__ import annotations

from typing import Any

from icdframes.model.decode import UNTRANSLATED
from icdframes.model.entity import Axis, Entity, Reference, ReferenceKind, ReleaseList, Term, TermKind, TopLevel
from icdframes.model.uris import PREFIX, SCHEMA_PREFIX, EntityUri, parse_uri

_CONTEXT = f"{PREFIX}/icd/contexts/contextFor"
_FOUNDATION_ORDER = (
    "@context", "@id", "parent", "child", "browserUrl", "ancestor", "descendant", "diagnosticCriteria", "title",
    "synonym", "definition", "longDefinition", "narrowerTerm", "inclusion", "fullySpecifiedName", "exclusion",
    "relatedEntitiesInMaternalChapter", "relatedEntitiesInPerinatalChapter",
)  # fmt: skip
_LINEARIZATION_ORDER = (
    "@context", "@id", "parent", "child", "browserUrl", "code", "source", "classKind", "blockId", "codeRange",
    "foundationChildElsewhere", "postcoordinationScale", "ancestor", "descendant", "diagnosticCriteria", "title",
    "definition", "longDefinition", "inclusion", "exclusion", "fullySpecifiedName",
    "relatedEntitiesInMaternalChapter", "relatedEntitiesInPerinatalChapter", "codingNote", "indexTerm",
)  # fmt: skip
_ICD10_ORDER = ("@context", "@id", "parent", "child", "browserUrl", "code", "title", "classKind")


def entity_to_json(entity: Entity) -> dict[str, Any]:
    """Write an entity as the API would.

    Parameters
    ----------
    entity : Entity
        Its ``uri`` decides the shape and the release of every link.

    Returns
    -------
    dict
        Keys in the observed order; absent values are left out. ``parse_entity``
        reads it back to an equal value.

    """
    uri = parse_uri(entity.uri)
    writer = _Writer(entity, uri)
    order: tuple[str, ...]
    if uri.classification == "foundation":
        order, context = _FOUNDATION_ORDER, "FoundationEntity"
    elif uri.classification == "icd10":
        order, context = _ICD10_ORDER, "ICD10Entity"
    else:
        order, context = _LINEARIZATION_ORDER, "LinearizationEntity"
    found = {**writer.values(), "@context": f"{_CONTEXT}{context}.json"}
    doc = {key: found[key] for key in order if found.get(key) is not None}
    return {**doc, **entity.extra}


def top_level_to_json(top: TopLevel, language: str = "en") -> dict[str, Any]:
    """Write the root of a release as the API would."""
    uri = parse_uri(top.uri)
    children = [str(EntityUri(uri.classification, uri.release, child)) for child in top.child_ids]
    doc = {
        "@context": f"{_CONTEXT}TopLevel.json",
        "@id": top.uri,
        "title": {"@language": language, "@value": top.title or ""},
        "releaseId": None if uri.classification == "icd10" else top.release,
        "releaseDate": top.date,
        "availableLanguages": sorted(top.languages) or None,
        "prereleaseLanguages": sorted(top.prerelease_languages) or None,
        "allReleases": [f"{top.uri}?version={release}" for release in top.all_releases] or None,
        **top.extra,
        "child": children,
        "browserUrl": top.browser_url,
    }
    return {key: value for key, value in doc.items() if value is not None}


def release_list_to_json(listing: ReleaseList, language: str = "en") -> dict[str, Any]:
    """Write a list of releases as the API would."""
    uri = parse_uri(listing.uri)
    return {
        "@context": f"{_CONTEXT}MultiVersion.json",
        "@id": listing.uri,
        "title": {"@language": language, "@value": listing.title or ""},
        "latestRelease": str(EntityUri(uri.classification, listing.latest, uri.entity_id)),
        "release": [str(EntityUri(uri.classification, release, uri.entity_id)) for release in listing.releases],
        **listing.extra,
    }


class _Writer:
    """The fields of one entity as the API would write them; None where there is nothing."""

    def __init__(self, entity: Entity, uri: EntityUri) -> None:
        self.entity = entity
        self.uri = uri

    def values(self) -> dict[str, Any]:
        entity, linear = self.entity, self.uri.classification != "foundation"
        return {
            "@id": entity.uri,
            "parent": self._uris(entity.parent_ids)
            or [str(EntityUri(self.uri.classification, self.uri.release, None))],
            "child": self._uris(entity.child_ids) or None,
            "browserUrl": entity.browser_url,
            "code": (entity.code or "") if linear else None,
            "source": self._foundation(entity.foundation_id) if linear else None,
            "classKind": entity.class_kind,
            "blockId": entity.block_id,
            "codeRange": entity.code_range,
            "postcoordinationScale": [self._axis(axis) for axis in entity.axes] or None,
            "ancestor": None if entity.ancestor_ids is None else self._uris(entity.ancestor_ids),
            "descendant": None if entity.descendant_ids is None else self._uris(entity.descendant_ids),
            "title": self._text((entity.title or "") + ("" if entity.translated else UNTRANSLATED)),
            "fullySpecifiedName": self._text(entity.fully_specified_name),
            "definition": self._text(entity.definition),
            "longDefinition": self._text(entity.long_definition),
            "codingNote": self._text(entity.coding_note),
            "diagnosticCriteria": self._text(entity.diagnostic_criteria),
            "synonym": self._labelled("synonym"),
            "narrowerTerm": self._labelled("narrower_term"),
            "inclusion": self._labelled("inclusion"),
            "indexTerm": self._labelled("index_term"),
            "exclusion": self._labelled("exclusion"),
            "foundationChildElsewhere": self._labelled("child_elsewhere"),
            "relatedEntitiesInMaternalChapter": self._related("related_maternal"),
            "relatedEntitiesInPerinatalChapter": self._related("related_perinatal"),
        }

    def _text(self, value: str | None) -> dict[str, str] | None:
        if value is None:
            return None
        return {"@language": self.entity.language or "en", "@value": value}

    def _labelled(self, kind: TermKind | ReferenceKind) -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = []
        linked: tuple[Term | Reference, ...] = (*self.entity.terms, *self.entity.references)
        for item in linked:
            if item.kind != kind:
                continue
            written: dict[str, Any] = {"label": {"@language": self.entity.language or "en", "@value": item.label or ""}}
            if item.foundation_id:
                written["foundationReference"] = self._foundation(item.foundation_id)
            if item.linearization_id:
                written["linearizationReference"] = self._linear(item.linearization_id)
            if isinstance(item, Term) and item.deprecated:
                written["deprecated"] = True
            items.append(written)
        return items or None

    def _related(self, kind: ReferenceKind) -> list[str] | None:
        found = [self._foundation(item.foundation_id) for item in self.entity.references if item.kind == kind]
        return [uri for uri in found if uri] or None

    def _axis(self, axis: Axis) -> dict[str, Any]:
        return {
            "@id": f"{self.entity.uri}/postcoordinationScale/{axis.axis}",
            "axisName": SCHEMA_PREFIX + axis.axis,
            "requiredPostcoordination": "true" if axis.required else "false",
            "allowMultipleValues": axis.allow_multiple,
            "scaleEntity": [self._linear(scale) for scale in axis.scale_entity_ids],
        }

    def _uris(self, ids: tuple[str, ...]) -> list[str]:
        return [self._linear(entity_id) for entity_id in ids]

    def _linear(self, entity_id: str) -> str:
        return str(EntityUri(self.uri.classification, self.uri.release, entity_id))

    @staticmethod
    def _foundation(entity_id: str | None) -> str | None:
        return str(EntityUri("foundation", None, entity_id)) if entity_id else None
