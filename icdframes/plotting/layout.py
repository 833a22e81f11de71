"""Prune a hierarchy to what can be read, and compute where its boxes go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import Tables, entities_of, locate, locate_all
from icdframes.errors import ConfigurationError, PartialResultWarning, warn
from icdframes.frames.pandas_compat import as_text, fill_text

MOST = 1_000
_MARGIN = 2.0
_LONGEST = 300  # signs of a title: to measure 20,000 takes long
Counts: TypeAlias = pd.Series | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Node:
    """One entity of a cut hierarchy, or several small siblings together.

    Attributes
    ----------
    label : str
        Code and title, or ``other (n)``.
    value : float
        What is counted at the entity and below.
    level : int
        1 is the first level that is shown.
    parent : int or None
        Place of the piece above.
    group : int
        Which piece of level 1 it belongs to, counted from 0.
    entity_id : str or None
        None for several together.
    members : tuple of str
        Codes, or titles where there are none, of several together.

    """

    label: str
    value: float
    level: int
    parent: int | None
    group: int
    entity_id: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A part of a hierarchy, counted.

    Attributes
    ----------
    top : int or None
        Row of the entity whose branch it is; None for all of the hierarchy.
    below : Mapping of int or None to list of int
        Rows of the entities below each, by primary parents; None has the top entities.
    totals : array of float
        What is counted at each entity and below.
    labels : list of str
        Code and title of each entity.
    entity_ids : tuple of str
        Of each entity.

    """

    top: int | None
    below: Mapping[int | None, list[int]]
    totals: npt.NDArray[np.float64]
    labels: list[str]
    entity_ids: tuple[str, ...]

    @property
    def total(self) -> float:
        """What is counted in all."""
        return float(self.totals[self.below[None]].sum() if self.top is None else self.totals[self.top])

    @property
    def label(self) -> str | None:
        """Code and title of the entity whose branch it is."""
        return None if self.top is None else self.labels[self.top]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; y grows upwards."""

    x: float
    y: float
    width: float
    height: float


def own_values(tables: Tables, counts: Counts | None) -> npt.NDArray[np.float64]:
    """Return what is counted at each entity itself: your counts, or 1 for an entity with nothing below it.

    Raises
    ------
    ConfigurationError
        If a count is negative or missing.

    Warns
    -----
    PartialResultWarning
        If something is counted under codes that the tables do not hold.

    """
    entities = entities_of(tables)
    if counts is None:
        has_children = entities["entity_id"].isin(entities["parent_id"].dropna())
        return np.where(has_children, 0.0, 1.0)
    given = pd.Series(counts)
    numbers = pd.to_numeric(given).to_numpy(dtype=np.float64, na_value=np.nan)
    if not (numbers >= 0).all():
        raise ConfigurationError("A negative or missing count has no size: give counts of 0 or more.")
    rows = locate_all(entities, as_text(given.index.to_series()))
    if numbers[rows < 0].any():
        lost = given.index[(rows < 0) & (numbers > 0)]
        warn(
            f"{numbers[rows < 0].sum():,g} of {numbers.sum():,g} are counted under {len(lost)} codes that are not in "
            f"these tables and are not drawn: {', '.join(map(str, lost[:5]))}{', …' if len(lost) > 5 else ''}.",  # noqa: PLR2004
            PartialResultWarning,
        )
    values = np.zeros(len(entities))
    np.add.at(values, rows[rows >= 0], numbers[rows >= 0])
    return values


def aggregate(tables: Tables, values: npt.NDArray[np.float64], top: str | int | None) -> Branch:
    """Add values up from below; an entity with several parents stands below its primary one.

    Raises
    ------
    ConfigurationError
        If nothing is counted, or nothing is below the entity.

    """
    entities, tree = entities_of(tables), Hierarchy.of(tables)
    below: dict[int | None, list[int]] = {None: []}
    for row, parents in enumerate(tree.parents):
        below.setdefault(parents[0] if parents else None, []).append(row)
    totals = values.copy()
    for row in reversed(tree.order):
        totals[row] += totals[below.get(row, [])].sum()
    start = None if top is None else locate(entities, top)
    if start is None and len(below[None]) == 1:
        start = below[None][0]
    branch = Branch(start, below, totals, _labels(entities), tree.entity_ids)
    if not branch.total > 0 or start not in below:
        where = f"below {branch.label}" if branch.label else "in these tables"
        raise ConfigurationError(f"There is nothing to draw {where}: give an entity higher up, or other counts.")
    return branch


def prune(branch: Branch, *, levels: int, min_share: float) -> list[Node]:
    """Cut a branch to some levels; siblings with less than a share of the whole become ``other (n)``.

    Where all siblings are so small, none is shown. What has the value 0 is left out, and no more than about
    `MOST` pieces come out, whatever the share.
    """
    totals, nodes = branch.totals, list[Node]()
    shown = np.sort(totals[_rows_within(branch, levels)])
    least = max(min_share * branch.total, shown[-MOST // 2] if len(shown) > MOST // 2 else 0.0)

    def add(rows: Sequence[int], level: int, parent: int | None) -> None:
        small = [row for row in rows if 0 < totals[row] < least]
        large = [row for row in rows if totals[row] > 0 and (totals[row] >= least or len(small) == 1)]
        for place, row in enumerate(large):
            group = place if parent is None else nodes[parent].group
            nodes.append(Node(branch.labels[row], float(totals[row]), level, parent, group, branch.entity_ids[row]))
            if level < levels:
                add(branch.below.get(row, ()), level + 1, len(nodes) - 1)
        if len(small) > 1 and large:
            group = len(large) if parent is None else nodes[parent].group
            members = tuple(branch.labels[row].partition("\u2002")[0] for row in small)
            whole = float(totals[small].sum())
            nodes.append(Node(f"other ({len(small)})", whole, level, parent, group, members=members))

    add(branch.below[branch.top], 1, None)
    return nodes


def count_rows(branch: Branch, levels: int) -> int:
    """Return how many entities with a value stand below one another at the lowest level that is drawn."""

    def below(rows: Sequence[int], level: int) -> int:
        n_rows = 0
        for row in rows:
            if branch.totals[row] > 0:
                n_rows += max(1, below(branch.below.get(row, ()), level + 1) if level < levels else 1)
        return n_rows

    return below(branch.below[branch.top], 1)


def icicle(nodes: Sequence[Node], total: float, width: float, height: float) -> list[Box]:
    """Lay pieces out in columns, one for each level, as high as their values."""
    column = width / max(node.level for node in nodes)
    scale = height / total
    boxes: list[Box] = []
    free = {None: height} | dict.fromkeys(range(len(nodes)), 0.0)
    for place, node in enumerate(nodes):
        tall = node.value * scale
        upper = free[node.parent]
        boxes.append(Box((node.level - 1) * column, upper - tall, column, tall))
        free[node.parent] = upper - tall
        free[place] = upper
    return boxes


def treemap(
    nodes: Sequence[Node], total: float, width: float, height: float, *, header: float, narrowest: float
) -> list[Box | None]:
    """Lay nodes out inside one another, below a header for the name, by size.

    A node stays closed where most of what is in it would be too small for a word; what is in it has no box then.
    """
    inside: dict[int | None, list[int]] = {}
    for place, node in enumerate(nodes):
        inside.setdefault(node.parent, []).append(place)
    boxes: list[Box | None] = [None] * len(nodes)
    waiting: list[tuple[int | None, Box, float]] = [(None, Box(0, 0, width, height), total)]
    while waiting:
        parent, room, whole = waiting.pop()
        tiles = _tiles([(place, nodes[place]) for place in inside[parent]], room, whole)
        named = [tile for place, tile in tiles.items() if nodes[place].entity_id is not None]
        if parent is not None and _mostly_too_small(named, header, narrowest):
            continue
        for place, tile in tiles.items():
            boxes[place] = tile
            within = Box(tile.x + _MARGIN, tile.y + _MARGIN, tile.width - 2 * _MARGIN, tile.height - header - _MARGIN)
            if place in inside and min(within.width, within.height) > 0:
                waiting.append((place, within, nodes[place].value))
    return boxes


def _tiles(placed: Sequence[tuple[int, Node]], room: Box, whole: float) -> dict[int, Box]:
    """Return the tile of each node in a room: the largest first, those put together last."""
    ordered = sorted(placed, key=lambda item: (item[1].entity_id is None, -item[1].value))
    sizes = [node.value for _, node in ordered]
    rest = whole - sum(sizes)  # counted at the entity itself
    tiles = squarified([*sizes, rest] if rest > 0 else sizes, room)
    return {place: tile for (place, _), tile in zip(ordered, tiles, strict=False)}


def _mostly_too_small(tiles: Sequence[Box], header: float, narrowest: float) -> bool:
    small = sum(tile.width * tile.height for tile in tiles if tile.width < narrowest or tile.height < header)
    return 2 * small > sum(tile.width * tile.height for tile in tiles)


def squarified(sizes: Sequence[float], room: Box) -> list[Box]:
    """Fill a rectangle with rectangles of given sizes, in order from the top left, as square as may be."""
    import squarify  # noqa: PLC0415  optional, and only for treemaps

    if not sizes:
        return []
    areas = squarify.normalize_sizes(sizes, room.width, room.height)
    tiles = squarify.squarify(areas, 0, 0, room.width, room.height)
    return [
        Box(room.x + tile["x"], room.y + room.height - tile["y"] - tile["dy"], tile["dx"], tile["dy"]) for tile in tiles
    ]


def _labels(entities: pd.DataFrame) -> list[str]:
    titles = fill_text(as_text(entities["title"]), entities["entity_id"])
    titles = titles.where(titles.str.len() <= _LONGEST, titles.str[:_LONGEST] + "…")
    codes = entities["code"].where(entities["code"].ne(titles))
    return (codes + "\u2002").fillna("").add(titles).tolist()


def _rows_within(branch: Branch, levels: int) -> list[int]:
    found: list[int] = []
    rows = branch.below[branch.top]
    for _ in range(levels):
        found += rows
        rows = [child for row in rows for child in branch.below.get(row, ())]
    return found
