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
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import apply_schema, columns_of, translatable_columns, typed_columns
from icdframes.model.code_shapes import icf_chapter
from icdframes.model.entity import Entity, EntityGraph, garbage_collection_paused
from icdframes.model.uris import is_residual

_OF_LINKS = ("code", "class_kind", "block_id", "parent_ids", "child_ids")
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
    lists = {name: list(map(attrgetter(name), entities)) for name in _OF_LINKS}
    ids, parents, depths = map(list, zip(*places, strict=True)) if places else ([], [], [])
    more: dict[str, list[Any]] = {}
    for language, translated in translations.items():
        more |= _translation_columns(ids, language, translated, include)
    return build_listed(
        lists | {"entity_id": ids, "parent_id": parents, "depth": depths},
        columns or EntityColumns.of(entities, include),
        provenance,
        chapters=chapters,
        languages=tuple(translations),
        translated=more,
        include=include,
        failures=graph.failures,
    )


@garbage_collection_paused()
def build_listed(
    lists: Mapping[str, list[Any]],
    columns: EntityColumns,
    provenance: Provenance,
    *,
    chapters: Mapping[str, str | None],
    languages: Sequence[str] = (),
    translated: Mapping[str, list[Any]] | None = None,
    include: Sequence[str] = (),
    failures: Mapping[str, Exception] | None = None,
) -> EntityTables:
    """Build the tables of entities that are listed in their order already.

    Parameters
    ----------
    lists : Mapping of str to list
        ``entity_id``, ``parent_id``, ``depth``, ``code``, ``class_kind``, ``block_id``, ``parent_ids`` and
        ``child_ids``, one value for each entity.
    columns : EntityColumns
        What else the tables say of these entities; it is used up.
    provenance, chapters, include
        As for `build_tables`.
    languages : sequence of str
        The further languages.
    translated : Mapping of str to list, optional
        Their columns.
    failures : Mapping of str to Exception, optional
        Entities that could not be loaded.

    Returns
    -------
    EntityTables

    """
    ids, errors = lists["entity_id"], failures or {}
    n_failures = max(len(errors), provenance.n_failures)
    provenance = replace(
        provenance,
        include=tuple(include),
        complete=provenance.complete and not n_failures,
        n_failures=n_failures,
    )
    of_place = {
        "entity_id": ids,
        "depth": lists["depth"],
        "parent_id": lists["parent_id"],
        "n_children": list(map(len, lists["child_ids"])),
        "is_leaf": [not children for children in lists["child_ids"]],
        "is_residual": list(map(is_residual, ids)),
        "chapter": _chapters(lists, chapters, is_icf=provenance.classification == "icf"),
    }
    more = typed_columns("entities", of_place | dict(translated or {}), languages=languages, include=include)
    own = columns.frame("entities", ids)
    names = columns_of("entities", languages=languages, include=include)
    frames = {
        "entities": pd.DataFrame({name: more[name] if name in more else own[name] for name in names}),
        "edges": apply_schema("edges", _edge_columns(ids, lists["parent_ids"], lists["child_ids"])),
    }
    del own, more, of_place
    frames |= {name: columns.frame(name, ids) for name in ("terms", "references", "axes")}
    for frame in frames.values():
        frame.attrs["provenance"] = provenance.to_dict()
    told = {entity_id: str(error) or type(error).__name__ for entity_id, error in errors.items()}
    if told:
        frames["entities"].attrs["failures"] = told
    return EntityTables(**frames, provenance=provenance, failures=told)


def _chapters(lists: Mapping[str, Sequence[Any]], given: Mapping[str, str | None], *, is_icf: bool) -> list[str | None]:
    """Return the chapter of each entity; ICF has them as blocks without a number: ``b1`` of ``b110``."""
    found: dict[str, str | None] = {}
    places = zip(*(lists[name] for name in ("entity_id", "parent_id", "code", "class_kind")), strict=True)
    for entity_id, parent_id, code, kind in places:
        if kind == "chapter" and code:
            found[entity_id] = code
        elif entity_id in given:
            found[entity_id] = given[entity_id]
        else:
            found[entity_id] = found.get(parent_id)
    if is_icf:
        own = map(icf_chapter, lists["code"], lists["block_id"])
        return [chapter or above for chapter, above in zip(own, found.values(), strict=True)]
    return list(found.values())


def _translation_columns(
    ids: Sequence[str], language: str, translated: Mapping[str, Entity], include: tuple[str, ...]
) -> dict[str, list[Any]]:
    others = [translated.get(entity_id, _UNTRANSLATED) for entity_id in ids]
    return {f"{name}_{language}": list(map(attrgetter(name), others)) for name in translatable_columns(include)}


def _edge_columns(
    ids: Sequence[str], parents: Sequence[tuple[str, ...]], children: Sequence[tuple[str, ...]]
) -> dict[str, list[Any]]:
    """Return the links from each entity up: first those that it names itself, then those that list it alone."""
    loaded = set(ids)
    listed: dict[str, tuple[str, int]] = {}  # the first parent that lists a child, and at which place
    more: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for parent, below in zip(ids, children, strict=True):
        for number, child in enumerate(below):
            if child in loaded and listed.setdefault(child, (parent, number))[0] != parent:
                more[child].setdefault(parent, number)
    edges: list[tuple[str, str, int | None]] = []
    for child, above in zip(ids, parents, strict=True):
        first = listed.get(child)
        if first and child not in more and above == first[:1]:
            edges.append((first[0], child, first[1]))
        else:
            positions = dict.fromkeys(above) | (dict((first,)) if first else {}) | more.get(child, {})
            edges += [(parent, child, position) for parent, position in positions.items()]
    columns = zip(*edges, strict=True) if edges else ((), (), ())
    return dict(zip(("parent_id", "child_id", "position"), map(list, columns), strict=True))
