"""Relatives of one entity as rows of the entities table: above, below, beside; it fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import Tables, entities_of, locate


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
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
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
    >>> tables = icdframes.load_tables("07", release="2024-01", client=icdframes.connect("sandbox"))
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
