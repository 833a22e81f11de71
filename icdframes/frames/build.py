"""Build the five typed tables from an `EntityGraph`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import apply_schema, columns_of, translatable_columns
from icdframes.model.code_shapes import icf_chapter
from icdframes.model.entity import Entity, EntityGraph, Place

_UNTRANSLATED = Entity(uri="", entity_id="", title=None, translated=False)
_OF_PLACE = ("entity_id", "depth", "parent_id", "n_children", "chapter")


def build_tables(
    graph: EntityGraph,
    provenance: Provenance,
    *,
    chapters: Mapping[str, str | None],
    translations: Mapping[str, Mapping[str, Entity]] | None = None,
    include: Iterable[str] = (),
) -> EntityTables:
    """Flatten what a walk found.

    Parameters
    ----------
    graph : EntityGraph
        Entities below some roots.
    provenance : Provenance
        Where they come from; ``languages`` and ``include`` are taken as given here.
    chapters : Mapping of str to str or None
        For each root the code of the chapter in which it lies. A chapter counts as its own.
    translations : Mapping of str to Mapping of str to Entity, optional
        For each further language the entities by id; each language adds columns.
    include : iterable of str
        ``"diagnosticCriteria"`` adds that column.

    Returns
    -------
    EntityTables

    """
    include = tuple(include)
    translations = translations or {}
    places = list(graph.tabular_list())
    entities = [graph.entities[place.entity_id] for place in places]
    n_failures = max(len(graph.failures), provenance.n_failures)
    provenance = replace(
        provenance,
        include=include,
        complete=provenance.complete and not n_failures,
        n_failures=n_failures,
    )
    columns = _entity_columns(places, entities, chapters, include)
    if provenance.classification == "icf":
        columns["chapter"] = _icf_chapters(entities, columns["chapter"])
    for language, translated in translations.items():
        columns |= _translation_columns(places, language, translated, include)
    frames = {
        "entities": apply_schema("entities", columns, languages=tuple(translations), include=include),
        "edges": apply_schema("edges", _edge_columns(places, entities)),
        "terms": apply_schema("terms", _detail_columns("terms", places, entities)),
        "references": apply_schema("references", _detail_columns("references", places, entities)),
        "axes": apply_schema("axes", _axis_columns(places, entities)),
    }
    for frame in frames.values():
        frame.attrs["provenance"] = provenance.to_dict()
    failures = {entity_id: str(error) or type(error).__name__ for entity_id, error in graph.failures.items()}
    if failures:
        frames["entities"].attrs["failures"] = failures
    return EntityTables(**frames, provenance=provenance, failures=failures)


def _entity_columns(
    places: Sequence[Place], entities: Sequence[Entity], chapters: Mapping[str, str | None], include: tuple[str, ...]
) -> dict[str, list[Any]]:
    own = [name for name in columns_of("entities", include=include) if name not in _OF_PLACE]
    columns: dict[str, list[Any]] = {name: list(map(attrgetter(name), entities)) for name in own}
    columns["entity_id"] = [place.entity_id for place in places]
    columns["depth"] = [place.depth for place in places]
    columns["parent_id"] = [place.parent_id for place in places]
    columns["n_children"] = [len(entity.child_ids) for entity in entities]
    columns["chapter"] = _chapters(places, entities, chapters)
    return columns


def _icf_chapters(entities: Sequence[Entity], chapters: Sequence[str | None]) -> list[str | None]:
    """Return the chapters of ICF, which has them as blocks without a number: ``b1`` of ``b110``."""
    return [
        icf_chapter(entity.code, entity.block_id) or chapter for entity, chapter in zip(entities, chapters, strict=True)
    ]


def _chapters(
    places: Sequence[Place], entities: Sequence[Entity], chapters: Mapping[str, str | None]
) -> list[str | None]:
    found: dict[str, str | None] = {}
    for place, entity in zip(places, entities, strict=True):
        if entity.class_kind == "chapter" and entity.code:
            chapter: str | None = entity.code
        elif place.entity_id in chapters:
            chapter = chapters[place.entity_id]
        else:
            chapter = found.get(place.parent_id or "")
        found[place.entity_id] = chapter
    return list(found.values())


def _translation_columns(
    places: Sequence[Place], language: str, translated: Mapping[str, Entity], include: tuple[str, ...]
) -> dict[str, list[Any]]:
    others = [translated.get(place.entity_id, _UNTRANSLATED) for place in places]
    return {f"{name}_{language}": list(map(attrgetter(name), others)) for name in translatable_columns(include)}


def _edge_columns(places: Sequence[Place], entities: Sequence[Entity]) -> dict[str, list[Any]]:
    loaded = {place.entity_id for place in places}
    position: dict[tuple[str, str], int] = {}
    listed_by: defaultdict[str, list[str]] = defaultdict(list)
    for place, entity in zip(places, entities, strict=True):
        for number, child in enumerate(entity.child_ids):
            if child in loaded:
                position.setdefault((place.entity_id, child), number)
                listed_by[child].append(place.entity_id)
    pairs = [
        (parent, place.entity_id)
        for place, entity in zip(places, entities, strict=True)
        for parent in dict.fromkeys((*entity.parent_ids, *listed_by[place.entity_id]))
    ]
    return {
        "parent_id": [parent for parent, _ in pairs],
        "child_id": [child for _, child in pairs],
        "position": [position.get(pair) for pair in pairs],
    }


def _detail_columns(name: str, places: Sequence[Place], entities: Sequence[Entity]) -> dict[str, list[Any]]:
    """Return terms or references column by column: a tuple per row would keep the garbage collector busy."""
    items = [item for entity in entities for item in getattr(entity, name)]
    columns = {column: list(map(attrgetter(column), items)) for column in list(columns_of(name))[1:]}
    owners = [place.entity_id for place, entity in zip(places, entities, strict=True) for _ in getattr(entity, name)]
    return {"entity_id": owners, **columns}


def _axis_columns(places: Sequence[Place], entities: Sequence[Entity]) -> dict[str, list[Any]]:
    rows = [
        (place.entity_id, axis, scale)
        for place, entity in zip(places, entities, strict=True)
        for axis in entity.axes
        for scale in axis.scale_entity_ids or (None,)
    ]
    return {
        "entity_id": [key for key, _, _ in rows],
        "axis": [axis.axis for _, axis, _ in rows],
        "required": [axis.required for _, axis, _ in rows],
        "allow_multiple": [axis.allow_multiple for _, axis, _ in rows],
        "scale_entity_id": [scale for _, _, scale in rows],
    }
