"""Relatives of one entity as rows of the entities table: above, below, beside; it fetches nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import Tables, entities_of, locate, locate_all
from icdframes.errors import ConfigurationError


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
        without the entity itself. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {"entity_id": ["1", "2", "3"], "code": ["01", None, "1A00"], "parent_id": [None, "1", "2"]}
    ... )
    >>> icdframes.ancestors(tables, "1A00")["entity_id"].tolist()
    ['1', '2']

    """
    return _relatives(tables, entity, up=True)


def descendants(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Give all entities below an entity, each once, in tabular order, without the entity itself.

    Parameters
    ----------
    tables, entity
        As for `ancestors`.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {"entity_id": ["1", "2", "3"], "code": ["01", None, "1A00"], "parent_id": [None, "1", "2"]}
    ... )
    >>> icdframes.descendants(tables, "01")["entity_id"].tolist()
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
        Rows of the entities table, the top first. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> icdframes.path(tables, "7A00")["title"].tolist()
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
        Rows of the entities table. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> icdframes.siblings(tables, "7A00")["code"].tolist()
    ['7A01', '7A0Z']

    """
    entities = entities_of(tables)
    tree, row = Hierarchy.of(tables), locate(entities, entity)
    tops = [place for place, above in enumerate(tree.parents) if not above]
    found = {child for parent in tree.parents[row] for child in tree.children[parent]} or set(tops)
    return _rows(entities, sorted(found - {row}))


def _relatives(tables: Tables, entity: str | int, *, up: bool) -> pd.DataFrame:
    entities = entities_of(tables)
    row = locate(entities, entity)
    return _rows(entities, sorted(Hierarchy.of(tables).distances(row, up=up).keys() - {row}))


def _rows(entities: pd.DataFrame, rows: Sequence[int]) -> pd.DataFrame:
    return entities.iloc[list(rows)].reset_index(drop=True)


def subtree_sizes(tables: Tables) -> pd.Series:
    """Count for every entity the distinct entities of its branch, itself included; the index is entity_id.

    Parameters
    ----------
    tables
        As for `ancestors`.

    Returns
    -------
    pandas.Series
        int64, one value per entity. No network.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> int(icdframes.subtree_sizes(tables).max())
    86

    """
    tree = Hierarchy.of(tables)
    sizes = Counter(above for row in range(len(tree.entity_ids)) for above in tree.distances(row))
    index = pd.Index(tree.entity_ids, name="entity_id", dtype="str")
    return pd.Series([sizes[row] for row in range(len(index))], index=index, name="subtree_size", dtype="int64")


@overload
def depth(tables: Tables, code: str | int) -> int: ...
@overload
def depth(tables: Tables, code: pd.Series) -> pd.Series: ...
def depth(tables: Tables, code: str | int | pd.Series) -> int | pd.Series:
    """Give the shortest distance from the top; for a column of codes a column (Int64, missing where unknown).

    Parameters
    ----------
    tables
        As for `ancestors`.
    code : str, int or pandas.Series
        One code, entity id or URI, or a column of them.

    Returns
    -------
    int or pandas.Series
        Links below the top, which is 0; a column for a column, with the same index. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the one code.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> icdframes.depth(tables, "7A00")
    2

    """
    tree, entities = Hierarchy.of(tables), entities_of(tables)
    depths = np.zeros(len(entities), dtype="int64")
    for row in tree.order:
        depths[row] = min((depths[parent] + 1 for parent in tree.parents[row]), default=0)
    if isinstance(code, pd.Series):
        return _column(pd.Series(depths, dtype="Int64"), locate_all(entities, code), code, "depth")
    return int(depths[locate(entities, code)])


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
        A column for a column: boolean, the same index, missing where the code is unknown. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the ancestor, or the one code.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame({"entity_id": ["1", "3"], "code": ["01", "1A00"], "parent_id": [None, "1"]})
    >>> icdframes.is_below(tables, "1A00", "01")
    True
    >>> icdframes.is_below(tables, pd.Series(["1a00 ", "9Z9Z"]), "01").tolist()
    [True, <NA>]

    """
    entities = entities_of(tables)
    top = locate(entities, ancestor)
    inside = Hierarchy.of(tables).branch(top)
    inside[top] = not strict
    if isinstance(code, pd.Series):
        return _column(pd.Series(inside, dtype="boolean"), locate_all(entities, code), code, "is_below")
    return bool(inside[locate(entities, code)])


@overload
def nearest_common_ancestor(tables: Tables, first: str | int, second: str | int) -> str | None: ...
@overload
def nearest_common_ancestor(tables: Tables, first: pd.Series, second: pd.Series) -> pd.Series: ...
def nearest_common_ancestor(
    tables: Tables, first: str | int | pd.Series, second: str | int | pd.Series
) -> str | pd.Series | None:
    """Give the entity id of the nearest entity that two codes have above them.

    Parameters
    ----------
    tables
        As for `ancestors`.
    first, second : str, int or pandas.Series
        Two codes, entity ids or URIs, or two columns of them.

    Returns
    -------
    str, None or pandas.Series
        The entity itself where one is above the other, the one with the fewest links between. None (missing)
        where there is none, or a code of a column is unknown; a column has the index of the first. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold one of two codes.
    ConfigurationError
        If one is a code and the other a column.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> icdframes.nearest_common_ancestor(tables, "7A00", "7A01")
    '1038292737'

    """
    tree, entities = Hierarchy.of(tables), entities_of(tables)
    if not isinstance(first, pd.Series) and not isinstance(second, pd.Series):
        nearest = _nearest(tree, (locate(entities, first), locate(entities, second)))
        return None if nearest < 0 else tree.entity_ids[nearest]
    if not isinstance(first, pd.Series) or not isinstance(second, pd.Series):
        raise ConfigurationError("One is a column and the other is not: give two codes, or two columns of codes.")
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


def _column(values: pd.Series, rows: npt.NDArray[np.intp], like: pd.Series, name: str) -> pd.Series:
    return pd.Series(values.array.take(rows, allow_fill=True), index=like.index, name=name)
