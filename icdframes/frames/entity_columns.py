"""Collect the columns of the five tables while entities come, since as objects they take several times the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from icdframes.frames.pandas_compat import release_unused_memory, text_array
from icdframes.frames.schema import TABLES, Column, chosen_columns, typed_table
from icdframes.model.entity import Axis, Entity

_OF_PLACE = ("entity_id", "depth", "parent_id", "n_children", "is_leaf", "is_residual", "chapter")
"""Columns of entities that depend on where an entity stands, or follow from its id and its links."""

_ROWS = 4_000
_ENTITIES = 500  # each holds its details too
_OWNER = "entity_id"
_NOTHING: dict[str, Any] = {}


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
        columns = cls()
        columns._numbers = {entity_id: number for number, entity_id in enumerate(values["entity_id"])}
        columns._added = len(values["entity_id"])
        for name, table in columns._tables.items():
            if name == "entities":
                table.add_columns(values, len(columns._numbers))
            else:
                table.add_rows(values.get(name, [()] * len(columns._numbers)))
        return columns

    def add(self, entities: Sequence[Entity]) -> None:
        """Collect what the tables say of some entities."""
        self._numbers |= {entity.entity_id: number for number, entity in enumerate(entities, self._added)}
        self._added += len(entities)
        for table in self._tables.values():
            table.add(entities)

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
