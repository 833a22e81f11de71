"""Build the five typed tables from an `EntityGraph`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import pandas as pd

from icdframes.frames.entity_columns import EntityColumns
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.pandas_compat import garbage_collection_paused
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import apply_schema, columns_of, translatable_columns, typed_columns
from icdframes.model.code_shapes import icf_chapter
from icdframes.model.entity import Entity, EntityGraph, Place

_UNTRANSLATED = Entity(uri="", entity_id="", title=None, translated=False)


@garbage_collection_paused()
def build_tables(
    graph: EntityGraph,
    provenance: Provenance,
    *,
    chapters: Mapping[str, str | None],
    translations: Mapping[str, Mapping[str, Entity]] | None = None,
    include: Iterable[str] = (),
    columns: EntityColumns | None = None,
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
    columns : EntityColumns, optional
        What was taken from the entities before; it is used up.

    Returns
    -------
    EntityTables

    """
    include = tuple(include)
    translations = translations or {}
    places = list(graph.tabular_list())
    entities = [graph.entities[place.entity_id] for place in places]
    columns = columns or EntityColumns.of(entities, include)
    ids = [place.entity_id for place in places]
    n_failures = max(len(graph.failures), provenance.n_failures)
    provenance = replace(
        provenance,
        include=include,
        complete=provenance.complete and not n_failures,
        n_failures=n_failures,
    )
    of_place = _place_columns(places, entities, chapters)
    if provenance.classification == "icf":
        of_place["chapter"] = _icf_chapters(entities, of_place["chapter"])
    for language, translated in translations.items():
        of_place |= _translation_columns(places, language, translated, include)
    names = columns_of("entities", languages=tuple(translations), include=include)
    more = typed_columns("entities", of_place, languages=tuple(translations), include=include)
    own = columns.frame("entities", ids)
    frames = {
        "entities": pd.DataFrame({name: more[name] if name in more else own[name] for name in names}),
        "edges": apply_schema("edges", _edge_columns(places, entities)),
    }
    del own, more, of_place, entities
    frames |= {name: columns.frame(name, ids) for name in ("terms", "references", "axes")}
    for frame in frames.values():
        frame.attrs["provenance"] = provenance.to_dict()
    failures = {entity_id: str(error) or type(error).__name__ for entity_id, error in graph.failures.items()}
    if failures:
        frames["entities"].attrs["failures"] = failures
    return EntityTables(**frames, provenance=provenance, failures=failures)


def _place_columns(
    places: Sequence[Place], entities: Sequence[Entity], chapters: Mapping[str, str | None]
) -> dict[str, list[Any]]:
    return {
        "entity_id": [place.entity_id for place in places],
        "depth": [place.depth for place in places],
        "parent_id": [place.parent_id for place in places],
        "n_children": [len(entity.child_ids) for entity in entities],
        "chapter": _chapters(places, entities, chapters),
    }


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
    positions: defaultdict[str, dict[str, int | None]] = defaultdict(dict)  # of each child below each parent
    for place, entity in zip(places, entities, strict=True):
        for number, child in enumerate(entity.child_ids):
            if child in loaded:
                positions[child].setdefault(place.entity_id, number)
    edges = [
        (parent, place.entity_id, position)
        for place, entity in zip(places, entities, strict=True)
        for parent, position in _by_parent(entity, positions[place.entity_id])
    ]
    return {name: [edge[part] for edge in edges] for part, name in enumerate(("parent_id", "child_id", "position"))}


def _by_parent(entity: Entity, positions: dict[str, int | None]) -> Iterable[tuple[str, int | None]]:
    """Return the places of an entity below its parents: first those that it names, then those that list it alone."""
    if entity.parent_ids == tuple(positions):
        return positions.items()
    return (dict.fromkeys(entity.parent_ids) | positions).items()
