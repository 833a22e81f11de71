"""Build the five typed tables of an `EntityGraph`, or of columns: entities as objects take several times the memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.pandas_compat import release_unused_memory, text_array
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import (
    TABLES,
    Column,
    apply_schema,
    chosen_columns,
    columns_of,
    translatable_columns,
    typed_columns,
    typed_table,
)
from icdframes.model.code_shapes import icf_chapter
from icdframes.model.entity import Axis, Entity, EntityGraph, garbage_collection_paused
from icdframes.model.uris import is_residual

_OF_PLACE = ("entity_id", "depth", "parent_id", "n_children", "is_leaf", "is_residual", "chapter")
"""Columns of entities that depend on where an entity stands, or follow from its id and its links."""

_ROWS = 4_000
_ENTITIES = 500  # each holds its details too
_OWNER = "entity_id"
_NOTHING: dict[str, Any] = {}

_OF_LINKS = ("code", "class_kind", "block_id", "parent_ids", "child_ids")
_UNTRANSLATED = Entity(uri="", entity_id="", title=None, translated=False)


class EntityColumns:
    """What the tables say of entities wherever they stand.

    Entities are added in any order; the tables have the order that is asked for.

    Parameters
    ----------
    include : iterable of str
        ``"diagnosticCriteria"`` adds that column.

    """

    def __init__(self, include: Iterable[str] = ()) -> None:
        own = [column for column in chosen_columns("entities", include) if column.name not in _OF_PLACE]
        self._added = 0
        self._numbers: dict[str, int] = {}
        self._shared: dict[object, Any] = {}
        self._taken: list[Entity] = []
        self._tables = {
            "entities": _Table(own, _itself, attrgetter),
            "terms": _Table(TABLES["terms"][1:], attrgetter("terms"), attrgetter),
            "references": _Table(TABLES["references"][1:], attrgetter("references"), attrgetter),
            "axes": _Table(TABLES["axes"][1:], _axis_rows, _axis_column),
        }

    @classmethod
    def of(cls, entities: Iterable[Entity], include: Iterable[str] = ()) -> EntityColumns:
        """Collect the columns of some entities."""
        columns = cls(include)
        columns.add(list(entities))
        return columns

    @classmethod
    def from_lists(cls, values: Mapping[str, Sequence[Any]]) -> EntityColumns:
        """Collect values by the name of the field, one for each entity: as objects they take twice the time."""
        columns, count = cls(), len(values["entity_id"])
        columns._number(values["entity_id"])
        for name, table in columns._tables.items():
            if name == "entities":
                table.add_columns(values, count)
            else:
                table.add_rows(values.get(name, [()] * count))
        return columns

    def add(self, entities: Sequence[Entity]) -> None:
        """Collect what the tables say of some entities."""
        self._number([entity.entity_id for entity in entities])
        for table in self._tables.values():
            table.add(entities)

    def _number(self, entity_ids: Sequence[str]) -> None:
        self._numbers |= {entity_id: number for number, entity_id in enumerate(entity_ids, self._added)}
        self._added += len(entity_ids)

    def take(self, entity: Entity) -> Entity:
        """Collect what the tables say of one entity; return it with its links, its code and its kind alone."""
        self._taken.append(entity)
        if len(self._taken) == _ENTITIES:
            self._store_taken()
        share = self._share
        return Entity(
            uri="",
            entity_id=share(entity.entity_id),
            title=None,
            code=entity.code,
            class_kind=share(entity.class_kind),
            block_id=entity.block_id,
            parent_ids=share(tuple(map(share, entity.parent_ids))),
            child_ids=tuple(map(share, entity.child_ids)),
            ancestor_ids=entity.ancestor_ids,
            extra=_NOTHING,
        )

    def _store_taken(self) -> None:
        self.add(self._taken)
        self._taken = []
        for name, table in self._tables.items():
            table.store(1 if name == "entities" else _ROWS)

    def _share(self, value: Any) -> Any:
        """Return the equal value that is kept already, so that each is in memory once."""
        return self._shared.setdefault(value, value)

    def frame(self, name: str, entity_ids: list[str]) -> pd.DataFrame:
        """Return a table for entities in this order; it is given away and can be had once."""
        if self._taken:
            self._store_taken()
        if self._added == len(entity_ids) and list(self._numbers) == entity_ids:  # none came twice
            numbers = np.arange(len(entity_ids))
        else:
            numbers = np.fromiter(map(self._numbers.__getitem__, entity_ids), dtype=np.int64, count=len(entity_ids))
        frame = self._tables.pop(name).frame(entity_ids, numbers)
        release_unused_memory()
        return frame


def without_details(entity: Entity) -> Entity:
    """Return an entity without terms, references, axes and descendants."""
    return replace(entity, terms=(), references=(), axes=(), descendant_ids=None, extra=_NOTHING)


class _Table:
    """Rows of one table: columns of what was added before, objects of what was added last."""

    def __init__(
        self,
        schema: Sequence[Column],
        rows_of: Callable[[Entity], Sequence[Any]],
        getter: Callable[[str], Callable[[Any], Any]],
    ) -> None:
        self._rows_of = rows_of
        self._schema = schema
        self._getters = {column.name: getter(column.name) for column in schema}
        self._rows: list[Any] = []
        self._counts: list[int] = []
        self._parts: dict[str, list[Any]] = {column.name: [] for column in schema}

    def add(self, entities: Sequence[Entity]) -> None:
        self.add_rows(list(map(self._rows_of, entities)))

    def add_rows(self, found: Sequence[Sequence[Any]]) -> None:
        """Add the rows of some entities, a sequence for each."""
        self._rows.extend(chain.from_iterable(found))
        self._counts.extend(map(len, found))

    def add_columns(self, values: Mapping[str, Sequence[Any]], count: int) -> None:
        """Add one row for each of so many entities; what is not there is missing."""
        self._counts += [1] * count
        self._store({name: values.get(name, [None] * count) for name in self._getters})

    def store(self, least: int) -> None:
        """Turn the rows into columns where there are so many."""
        if len(self._rows) < least:
            return
        values = {name: list(map(get, self._rows)) for name, get in self._getters.items()}
        self._rows = []
        self._store(values)

    def _store(self, values: Mapping[str, Sequence[Any]]) -> None:
        frame = typed_table(self._schema, values)
        for name, parts in self._parts.items():
            parts.append(frame[name])

    def frame(self, entity_ids: Sequence[str], numbers: np.ndarray[Any, np.dtype[np.int64]]) -> pd.DataFrame:
        if self._rows or not next(iter(self._parts.values())):  # one part at least has the dtypes
            self.store(0)
        counts = np.asarray(self._counts, dtype=np.int64)
        order = _order(counts, numbers)
        columns = {_OWNER: text_array(np.repeat(np.asarray(entity_ids, dtype=object), counts[numbers]))}
        for name in list(self._parts):
            parts = self._parts.pop(name)
            column = (pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]).array
            columns[name] = column if order is None else column.take(order)
        return pd.DataFrame(columns)


def _order(
    counts: np.ndarray[Any, np.dtype[np.int64]], numbers: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int64]] | None:
    """Return the place of each row among those added, None where they are in order already."""
    if len(numbers) == len(counts) and np.array_equal(numbers, np.arange(len(counts))):
        return None
    begins = np.cumsum(counts) - counts
    chosen = counts[numbers]
    ends = np.cumsum(chosen)
    return np.repeat(begins[numbers] - (ends - chosen), chosen) + np.arange(ends[-1] if len(ends) else 0)


def _itself(entity: Entity) -> tuple[Entity]:
    return (entity,)


def _axis_rows(entity: Entity) -> Sequence[tuple[Axis, str | None]]:
    if not entity.axes:
        return ()
    return [(axis, scale) for axis in entity.axes for scale in axis.scale_entity_ids or (None,)]


def _axis_column(name: str) -> Callable[[tuple[Axis, str | None]], Any]:
    if name == "scale_entity_id":
        return lambda row: row[1]
    get = attrgetter(name)
    return lambda row: get(row[0])


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
