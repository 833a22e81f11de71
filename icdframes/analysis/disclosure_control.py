"""Find the cells of a table of counts that must be hidden so that no small count can be computed.

A two-way table with its totals is seen as a graph: each row and each column (the totals' row and
column included) is a point, each cell the link between its row and its column. What is published
tells the sum over the links at each point. A hidden cell can then be worked out exactly when its
link lies on no circle of hidden links (it is a bridge): all circles together are all the ways in
which the hidden values could differ. So every cell is protected when every hidden link lies on one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Cell = tuple[int, int]


def hidden_cells(table: Table, min_count: float) -> Mask:
    """Return which cells to hide so that no small count can be computed, not even by subtraction.

    Parameters
    ----------
    table : array of shape (rows + 1, columns + 1)
        Counts, with the totals in the last row and the last column.
    min_count : float
        Cells above 0 and below this are hidden (primary suppression).

    Returns
    -------
    array of bool
        Primary cells and those hidden for their sake (secondary suppression): from the
        cells that are left, with all totals that are left, no hidden cell can be computed,
        and in no row or column do the hidden cells visibly add up to a small count. Cheap
        cells are chosen: small counts before large ones, zeros after these, totals last.
        The choice is a good one, not the least possible; and the bounds that a reader may
        put to a hidden cell (it is no less than 0) are not kept wide.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[3.0, 40, 43], [20, 30, 50], [23, 70, 93]])
    >>> hidden_cells(table, 5).astype(int)
    array([[1, 1, 0],
           [1, 1, 0],
           [0, 0, 0]])

    """
    hidden = (table > 0) & (table < min_count)
    price = _prices(table)
    while True:
        bridge = next(_bridges(hidden), None)
        if bridge is not None:
            for cell in _cheapest_circle(np.where(hidden, 0.0, price), bridge):
                hidden[cell] = True
            continue
        thin = _thin_line(table, hidden, min_count)
        if thin is None:
            return hidden
        costs = np.where(hidden, np.inf, price)[thin]
        line = hidden[thin]
        line[np.argmin(costs)] = True
        hidden[thin] = line


def _prices(table: Table) -> Table:
    """Return what hiding each cell costs."""
    dear = float(np.abs(table).sum()) + 1
    price = np.where(table == 0, dear, np.abs(table))
    price[-1, :] += 2 * dear
    price[:, -1] += 2 * dear
    return price


def _thin_line(table: Table, hidden: Mask, min_count: float) -> tuple[int | slice, int | slice] | None:
    """Find a row or column with a visible total whose hidden cells add up to a small count."""
    everything = slice(None)
    for axis in (1, 0):
        inner, total = (hidden[:, :-1], hidden[:, -1]) if axis else (hidden[:-1, :], hidden[-1, :])
        values = table[:, :-1] if axis else table[:-1, :]
        sums = np.where(inner, values, 0).sum(axis=axis)
        thin = np.flatnonzero(~total & inner.any(axis=axis) & (sums < min_count))
        if thin.size:
            return (int(thin[0]), everything) if axis else (everything, int(thin[0]))
    return None


def _bridges(hidden: Mask) -> Iterator[Cell]:
    """Return the hidden cells that lie on no circle of hidden cells (Tarjan's search, without recursion)."""
    n_rows = hidden.shape[0]
    links: list[list[int]] = [[] for _ in range(sum(hidden.shape))]
    for row, column in np.argwhere(hidden).tolist():
        links[row].append(n_rows + column)
        links[n_rows + column].append(row)
    met: dict[int, int] = {}
    low: dict[int, int] = {}
    for start in range(n_rows):
        if start in met or not links[start]:
            continue
        met[start] = low[start] = len(met)
        stack = [(start, -1, iter(links[start]))]
        while stack:
            here, came_from, others = stack[-1]
            other = next((point for point in others if point != came_from), None)
            if other is None:
                stack.pop()
                if stack:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[here])
                    if low[here] > met[above]:
                        yield min(above, here), max(above, here) - n_rows
            elif other in met:
                low[here] = min(low[here], met[other])
            else:
                met[other] = low[other] = len(met)
                stack.append((other, here, iter(links[other])))


def _cheapest_circle(price: Table, cell: Cell) -> list[Cell]:
    """Return the other cells of the cheapest circle through a cell (Dijkstra's search from its row to its column)."""
    n_rows, n_columns = price.shape
    price = price.copy()
    price[cell] = np.inf
    cost = np.full(n_rows + n_columns, np.inf)
    cost[cell[0]] = 0
    came_from = np.full(n_rows + n_columns, -1)
    is_open = np.ones(n_rows + n_columns, dtype=bool)
    goal = n_rows + cell[1]
    here = cell[0]
    while here != goal:
        is_open[here] = False
        is_row = here < n_rows
        reach = slice(n_rows, None) if is_row else slice(0, n_rows)
        step = cost[here] + (price[here] if is_row else price[:, here - n_rows])
        better = is_open[reach] & (step < cost[reach])
        cost[reach] = np.where(better, step, cost[reach])
        came_from[reach] = np.where(better, here, came_from[reach])
        here = int(np.argmin(np.where(is_open, cost, np.inf)))
    circle = []
    while here != cell[0]:
        before = int(came_from[here])
        circle.append((min(before, here), max(before, here) - n_rows))
        here = before
    return circle
