"""Ancestors, descendants and what follows from them, on trees and poly-hierarchies; it fetches nothing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from icdframes.analysis.matching import Tables, entities_of, locate, locate_all


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The links between the entities of some tables, by row number.

    Attributes
    ----------
    entity_ids : tuple of str
        In tabular order.
    parents : tuple of tuple of int
        Of each entity; the primary parent (`parent_id`) first.
    children : tuple of tuple of int
        Of each entity, in order.
    order : tuple of int
        All entities, each after all of its parents.

    """

    entity_ids: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    children: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, tables: Tables) -> Hierarchy:
        """Read the links; those to entities that are not loaded, and those that close a circle, are left out.

        A frame of entities alone has its primary parents only.
        """
        entities = entities_of(tables)
        ids = tuple(entities["entity_id"].tolist())
        place = {entity_id: row for row, entity_id in enumerate(ids)}
        parents: list[dict[int, None]] = [{} for _ in ids]
        links = list(zip(entities["parent_id"].tolist(), ids, strict=True))
        if not isinstance(tables, pd.DataFrame):
            edges = tables.edges
            links += zip(edges["parent_id"].tolist(), edges["child_id"].tolist(), strict=True)
        for parent, child in links:
            if parent in place and child in place:
                parents[place[child]][place[parent]] = None
        order = _parents_first(parents)
        children: list[list[int]] = [[] for _ in ids]
        for row, above in enumerate(parents):
            for parent_row in above:
                children[parent_row].append(row)
        return cls(ids, tuple(tuple(above) for above in parents), tuple(tuple(below) for below in children), order)

    def distances(self, row: int, *, up: bool = True) -> dict[int, int]:
        """Give everything above (or below) an entity with its shortest distance; the entity itself is 0."""
        links = self.parents if up else self.children
        found = {row: 0}
        queue = deque(found)
        while queue:
            here = queue.popleft()
            for other in links[here]:
                if other not in found:
                    found[other] = found[here] + 1
                    queue.append(other)
        return found

    def primary_path(self, row: int) -> list[int]:
        """Give the way from the top down to an entity by primary parents."""
        path = [row]
        while self.parents[path[-1]]:
            path.append(self.parents[path[-1]][0])
        return path[::-1]


def ancestors(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Give all entities above an entity, by every parent.

    Parameters
    ----------
    tables : EntityTables or pandas.DataFrame
        From `load_tables`; a frame from `load_entity` will do for a tree, but knows
        only one parent of each entity.
    entity : str or int
        Code, entity id or URI.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table in tabular order (so the chapter comes first),
        without the entity itself.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {"entity_id": ["1", "2", "3"], "code": ["01", None, "1A00"], "parent_id": [None, "1", "2"]}
    ... )
    >>> ancestors(tables, "1A00")["entity_id"].tolist()
    ['1', '2']

    """
    return _relatives(tables, entity, up=True)


def descendants(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Give all entities below an entity, each once, in tabular order, without the entity itself.

    Parameters, result and errors are those of `ancestors`.

    Examples
    --------
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {"entity_id": ["1", "2", "3"], "code": ["01", None, "1A00"], "parent_id": [None, "1", "2"]}
    ... )
    >>> descendants(tables, "01")["entity_id"].tolist()
    ['2', '3']

    """
    return _relatives(tables, entity, up=False)


def path(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Give the entities from the top down to an entity, itself included, by primary parents.

    Parameters
    ----------
    tables, entity
        As for `ancestors`.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table, the top first.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
    >>> path(tables, "7A00")["title"].tolist()
    ['Sleep-wake disorders', 'Insomnia disorders', 'Chronic insomnia']

    """
    entities = entities_of(tables)
    return _rows(entities, Hierarchy.of(tables).primary_path(locate(entities, entity)))


def siblings(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Give the other children of all parents of an entity, in tabular order; for a top entity, the other tops.

    Parameters
    ----------
    tables, entity
        As for `ancestors`.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
    >>> siblings(tables, "7A00")["code"].tolist()
    ['7A01', '7A0Z']

    """
    entities = entities_of(tables)
    tree, row = Hierarchy.of(tables), locate(entities, entity)
    tops = [place for place, above in enumerate(tree.parents) if not above]
    found = {child for parent in tree.parents[row] for child in tree.children[parent]} or set(tops)
    return _rows(entities, sorted(found - {row}))


def subtree_sizes(tables: Tables) -> pd.Series:
    """Count for every entity the distinct entities of its branch, itself included; the index is entity_id.

    Parameters
    ----------
    tables
        As for `ancestors`.

    Returns
    -------
    pandas.Series
        int64, one value per entity.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
    >>> int(subtree_sizes(tables).max())
    86

    """
    tree = Hierarchy.of(tables)
    sizes = Counter(above for row in range(len(tree.entity_ids)) for above in tree.distances(row))
    index = pd.Index(tree.entity_ids, name="entity_id", dtype="str")
    return pd.Series([sizes[row] for row in range(len(index))], index=index, name="subtree_size", dtype="int64")


@overload
def depth(tables: Tables, code: str) -> int: ...
@overload
def depth(tables: Tables, code: pd.Series) -> pd.Series: ...
def depth(tables: Tables, code: str | pd.Series) -> int | pd.Series:
    """Give the shortest distance from the top; for a column of codes a column (Int64, missing where unknown).

    Parameters
    ----------
    tables
        As for `ancestors`.
    code : str or pandas.Series
        One code, or a column of them.

    Returns
    -------
    int or pandas.Series
        A column for a column.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
    >>> depth(tables, "7A00")
    2

    """
    tree, entities = Hierarchy.of(tables), entities_of(tables)
    depths = np.zeros(len(entities), dtype="int64")
    for row in tree.order:
        depths[row] = min((depths[parent] + 1 for parent in tree.parents[row]), default=0)
    if isinstance(code, str):
        return int(depths[locate(entities, code)])
    return _column(pd.Series(depths, dtype="Int64"), locate_all(entities, code), code, "depth")


@overload
def is_below(tables: Tables, code: str | int, ancestor: str | int, *, strict: bool = ...) -> bool: ...
@overload
def is_below(tables: Tables, code: pd.Series, ancestor: str | int, *, strict: bool = ...) -> pd.Series: ...
def is_below(
    tables: Tables, code: str | int | pd.Series, ancestor: str | int, *, strict: bool = False
) -> bool | pd.Series:
    """Tell whether a code lies in the branch of an entity, by any of its parents.

    Parameters
    ----------
    tables : EntityTables or pandas.DataFrame
        As for `ancestors`.
    code : str, int or pandas.Series
        One code, or a column of them (spelled as `annotate` understands them).
    ancestor : str or int
        Code, entity id or URI of the top of the branch.
    strict : bool
        Whether the entity itself is left out of its branch.

    Returns
    -------
    bool or pandas.Series
        A column for a column: boolean, the same index, missing where the code is unknown.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the ancestor, or the one code.

    Examples
    --------
    >>> import pandas as pd
    >>> tables = pd.DataFrame({"entity_id": ["1", "3"], "code": ["01", "1A00"], "parent_id": [None, "1"]})
    >>> is_below(tables, "1A00", "01")
    True
    >>> is_below(tables, pd.Series(["1a00 ", "9Z9Z"]), "01").tolist()
    [True, <NA>]

    """
    entities = entities_of(tables)
    inside = branch(tables, ancestor, strict=strict)
    if isinstance(code, pd.Series):
        return _column(inside, locate_all(entities, code), code, "is_below")
    return bool(inside.iloc[locate(entities, code)])


def branch(tables: Tables, ancestor: str | int, *, strict: bool = False) -> pd.Series:
    """Tell for every row of the entities whether it is in the branch of an entity (boolean)."""
    entities = entities_of(tables)
    top = locate(entities, ancestor)
    inside = np.zeros(len(entities), dtype=bool)
    inside[list(Hierarchy.of(tables).distances(top, up=False))] = True
    inside[top] = not strict
    return pd.Series(inside, dtype="boolean")


@overload
def nearest_common_ancestor(tables: Tables, first: str, second: str) -> str | None: ...
@overload
def nearest_common_ancestor(tables: Tables, first: pd.Series, second: pd.Series) -> pd.Series: ...
def nearest_common_ancestor(tables: Tables, first: str | pd.Series, second: str | pd.Series) -> str | pd.Series | None:
    """Give the entity id of the nearest entity that two codes have above them.

    Parameters
    ----------
    tables
        As for `ancestors`.
    first, second : str or pandas.Series
        Two codes, or two columns of them.

    Returns
    -------
    str, None or pandas.Series
        None (missing) where there is none.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
    >>> nearest_common_ancestor(tables, "7A00", "7A01") == siblings(tables, "7A00").parent_id.iloc[0]
    True

    """
    tree, entities = Hierarchy.of(tables), entities_of(tables)
    if isinstance(first, str) or isinstance(second, str):
        rows = (locate(entities, str(first)), locate(entities, str(second)))
        nearest = _nearest(tree, rows)
        return None if nearest < 0 else tree.entity_ids[nearest]
    pairs = pd.MultiIndex.from_arrays([locate_all(entities, first), locate_all(entities, second)])
    places, distinct = pairs.factorize()
    found = np.array([_nearest(tree, pair) for pair in distinct], dtype=np.intp)
    return _column(pd.Series(tree.entity_ids, dtype="str"), found[places], first, "nearest_common_ancestor")


def _nearest(tree: Hierarchy, rows: tuple[int, int]) -> int:
    if min(rows) < 0:
        return -1
    left, right = (tree.distances(row) for row in rows)
    common = left.keys() & right.keys()
    return min(common, key=lambda row: (left[row] + right[row], -row), default=-1)


def _relatives(tables: Tables, entity: str | int, *, up: bool) -> pd.DataFrame:
    entities = entities_of(tables)
    row = locate(entities, entity)
    return _rows(entities, sorted(Hierarchy.of(tables).distances(row, up=up).keys() - {row}))


def _rows(entities: pd.DataFrame, rows: Sequence[int]) -> pd.DataFrame:
    return entities.iloc[list(rows)].reset_index(drop=True)


def _column(values: pd.Series, rows: np.ndarray, like: pd.Series, name: str) -> pd.Series:
    return pd.Series(values.array.take(rows, allow_fill=True), index=like.index, name=name)


def _parents_first(parents: list[dict[int, None]]) -> tuple[int, ...]:
    """Order entities so that parents come first; links that close a circle on the way down are taken out."""
    children: list[list[int]] = [[] for _ in parents]
    for row, above in enumerate(parents):
        for parent in above:
            children[parent].append(row)
    is_open: dict[int, bool] = {}
    left: list[int] = []
    tops = [row for row, above in enumerate(parents) if not above]
    for start in (*tops, *range(len(parents))):
        if start in is_open:
            continue
        is_open[start] = True
        stack = [(start, iter(children[start]))]
        while stack:
            row, below = stack[-1]
            child = next(below, None)
            if child is None:
                is_open[row] = False
                left.append(row)
                stack.pop()
            elif child not in is_open:
                is_open[child] = True
                stack.append((child, iter(children[child])))
            elif is_open[child]:
                del parents[child][row]
    return tuple(reversed(left))
