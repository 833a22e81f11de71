"""Where entities and codes stand in a hierarchy: what is above, below and beside them, and how deep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.backends import check_series
from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.join import JoinSpec, answer
from icdframes.analysis.matching import ENTITY, MEMBERS, Lookup, Members, Tables, entities_of, locate, locate_all
from icdframes.errors import ConfigurationError, check_option
from icdframes.frames.pandas_compat import TEXT, as_text, text_series

Entities: TypeAlias = str | int | Sequence[str | int]
Codes: TypeAlias = str | int | Sequence[str | int | None] | pd.Series


def ancestors(tables: Tables, entity: Entities) -> pd.DataFrame:
    """Return all entities above an entity, by every parent.

    Parameters
    ----------
    tables : EntityTables or pandas.DataFrame
        From `load_tables`; a frame from `load_entity` will do for a tree, but knows
        only one parent of each entity.
    entity : str, int or sequence of these
        Code, entity id, id of a block or URI; or several.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table in tabular order (so the chapter comes first), each once,
        without the entities themselves. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold an entity.

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


def descendants(tables: Tables, entity: Entities) -> pd.DataFrame:
    """Return all entities below an entity, each once, in tabular order, without the entity itself.

    Parameters
    ----------
    tables, entity
        As for `ancestors`. Of several entities, one that lies below another is among the rows.

    Returns
    -------
    pandas.DataFrame
        Rows of the entities table. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold an entity.

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


def path_to_root(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Return the entities from the top down to an entity, itself included, by primary parents.

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
    >>> icdframes.path_to_root(tables, "7A00")["title"].tolist()
    ['Sleep-wake disorders', 'Insomnia disorders', 'Chronic insomnia']

    """
    entities = entities_of(tables)
    return _rows(entities, Hierarchy.of(tables).primary_path(locate(entities, entity)))


def siblings(tables: Tables, entity: str | int) -> pd.DataFrame:
    """Return the other children of all parents of an entity, in tabular order; for a top entity, the other tops.

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


def _relatives(tables: Tables, entity: Entities, *, up: bool) -> pd.DataFrame:
    entities, tree = entities_of(tables), Hierarchy.of(tables)
    given = list(entity) if isinstance(entity, Iterable) and not isinstance(entity, str) else [entity]
    rows = {
        found for one in given for row in [locate(entities, one)] for found in tree.distances(row, up=up).keys() - {row}
    }
    return _rows(entities, sorted(rows))


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
    index = pd.Index(tree.entity_ids, name="entity_id", dtype=TEXT)
    return pd.Series([sizes[row] for row in range(len(index))], index=index, name="subtree_size", dtype="int64")


def depth_of(tables: Tables, codes: Codes) -> pd.Series:
    """Return the shortest distance of each code from the top.

    Parameters
    ----------
    tables
        As for `ancestors`.
    codes : pandas.Series, sequence, str or int
        A column of codes, entity ids or URIs; one code is a column of one.

    Returns
    -------
    pandas.Series
        Int64: links below the top, which is 0; missing where the code is unknown. The index is that of the
        column. Of one code, ``.item()`` is its number. No network.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("07", release="2024-01")
    >>> icdframes.depth_of(tables, ["7A00", "07"]).tolist()
    [2, 0]

    """
    tree, entities, column = Hierarchy.of(tables), entities_of(tables), _as_column(codes)
    depths = np.zeros(len(entities), dtype="int64")
    for row in tree.order:
        depths[row] = min((depths[parent] + 1 for parent in tree.parents[row]), default=0)
    return _column(pd.Series(depths, dtype="Int64"), locate_all(entities, column), column, "depth")


def is_below(
    tables: Tables, codes: Codes, entity: str | int, *, strict: bool = False, members: Members = "first"
) -> pd.Series:
    """Return whether each code lies in the branch of an entity, by any of its parents.

    Parameters
    ----------
    tables : EntityTables or pandas.DataFrame
        As for `ancestors`.
    codes : pandas.Series, sequence, str or int
        A column of codes, spelled as `annotate` understands them; one code is a column of one.
    entity : str or int
        Code, entity id, id of a block or URI of the top of the branch.
    strict : bool
        Whether the entity itself is left out of its branch.
    members : {"first", "stems", "any"}
        Which codes of a cluster count: its first stem, all its stems, or extension codes too; true if
        any of them is in the branch.

    Returns
    -------
    pandas.Series
        boolean, with the index of the column; missing where no code that counts is known, and where a cell
        holds several codes that form no cluster. Of one code, ``.item()`` is its truth value. No network.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold the entity.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame({"entity_id": ["1", "3"], "code": ["01", "1A00"], "parent_id": [None, "1"]})
    >>> icdframes.is_below(tables, pd.Series(["1a00 ", "9Z9Z"]), "01").tolist()
    [True, <NA>]

    """
    check_option("members", members, MEMBERS)
    entities, column = entities_of(tables), _as_column(codes)
    top = locate(entities, entity)
    inside = Hierarchy.of(tables).branch(top)
    inside[top] = not strict
    ids = as_text(entities["entity_id"]).array
    columns = pd.DataFrame({ENTITY: ids, "is_below": pd.array(inside, dtype="boolean")})
    places, distinct = pd.factorize(column)
    what = JoinSpec("code", Lookup.of(entities), columns, members=members, combine={"is_below": "any"})
    values = answer(pd.Index(distinct), what)["is_below"]
    return _column(values, places, column, "is_below")


def nearest_common_ancestor(tables: Tables, first: Codes, second: Codes) -> pd.Series:
    """Return the entity id of the nearest entity that two codes have above them, pair by pair.

    Parameters
    ----------
    tables
        As for `ancestors`.
    first, second : pandas.Series, sequence, str or int
        Two columns of codes, entity ids or URIs, of the same length; one code is a column of one.

    Returns
    -------
    pandas.Series
        str, with the index of the first: the entity itself where one is above the other, the one with the fewest
        links between. Missing where there is none, or a code is unknown. No network.

    Raises
    ------
    ConfigurationError
        If the columns differ in length.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("07", release="2024-01")
    >>> icdframes.nearest_common_ancestor(tables, "7A00", "7A01").item()
    '1038292737'

    """
    tree, entities = Hierarchy.of(tables), entities_of(tables)
    left, right = _as_column(first), _as_column(second)
    if len(left) != len(right):
        raise ConfigurationError(f"The columns have {len(left)} and {len(right)} codes: give two of the same length.")
    pairs = pd.MultiIndex.from_arrays([locate_all(entities, left), locate_all(entities, right)])
    places, distinct = pairs.factorize()
    found = np.array([_nearest(tree, pair) for pair in distinct], dtype=np.intp)
    return _column(text_series(tree.entity_ids), found[places], left, "nearest_common_ancestor")


def _nearest(tree: Hierarchy, rows: tuple[int, int]) -> int:
    if min(rows) < 0:
        return -1
    left, right = (tree.distances(row) for row in rows)
    common = left.keys() & right.keys()
    return min(common, key=lambda row: (left[row] + right[row], -row), default=-1)


def _as_column(codes: Codes) -> pd.Series:
    if isinstance(codes, pd.Series):
        check_series(codes)
        return codes
    return pd.Series([codes] if isinstance(codes, str | int) else list(codes), dtype=object)


def _column(values: pd.Series, rows: npt.NDArray[np.intp], like: pd.Series, name: str) -> pd.Series:
    return pd.Series(values.array.take(rows, allow_fill=True), index=like.index, name=name)
