"""Write tables as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from icdframes.errors import MissingExtraError
from icdframes.frames.entity_tables import EntityTables, check_tables

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(tables: EntityTables) -> nx.DiGraph:
    """Turn tables into a directed graph from parents to children.

    Parameters
    ----------
    tables : EntityTables
        Any classification; several parents stay several edges.

    Returns
    -------
    networkx.DiGraph
        A graph of entity ids. Attributes of an entity are its columns, without
        the missing ones; of an edge, ``position`` among the children. Parents
        outside the tables are left out. ``graph["provenance"]`` holds the
        provenance with WHO's licence line. No network connection is made.

    Raises
    ------
    MissingExtraError
        If networkx is not installed.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> graph = icdframes.to_networkx(icdframes.load_tables("1A00", release="2024-01"))  # doctest: +SKIP
    >>> graph.nodes["257068234"]["title"]  # doctest: +SKIP
    'Cholera'

    """
    check_tables(tables)
    try:
        import networkx as nx  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("A networkx graph", "networks") from error
    graph: nx.DiGraph = nx.DiGraph(provenance=tables.provenance.to_dict())
    for row in tables.entities.to_dict("records"):
        known = {str(name): value for name, value in row.items() if pd.notna(value)}
        graph.add_node(known.pop("entity_id"), **known)
    edges = zip(*(tables.edges[name] for name in ("parent_id", "child_id", "position")), strict=True)
    for parent, child, position in edges:
        if parent in graph and child in graph:
            graph.add_edge(parent, child, position=position)
    return graph
