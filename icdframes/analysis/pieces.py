"""A hierarchy cut to what can be read, and where its pieces go; it draws nothing and needs no plot library."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import Tables, entities_of, locate, locate_all
from icdframes.errors import ConfigurationError, PartialResultWarning

MOST = 1_000
Counts: TypeAlias = "pd.Series[float] | Mapping[str, float]"


@dataclass(frozen=True, slots=True)
class Piece:
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

    """

    label: str
    value: float
    level: int
    parent: int | None
    group: int
    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The part of a hierarchy that is shown: everything below `top`, or all of it."""

    label: str | None
    total: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; y grows upwards."""

    x: float
    y: float
    width: float
    height: float


def own_values(tables: Tables, counts: Counts | None) -> npt.NDArray[np.float64]:
    """Give what is counted at each entity itself: your counts, or 1 for an entity with nothing below it.

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
        return (~has_children).to_numpy(dtype=np.float64)
    given = pd.Series(counts)
    numbers = pd.to_numeric(given).to_numpy(dtype=np.float64, na_value=np.nan)
    if not (numbers >= 0).all():
        raise ConfigurationError("Counts must be 0 or more: a negative or missing one has no size.")
    rows = locate_all(entities, pd.Series(given.index.astype("str"), dtype="str"))
    if numbers[rows < 0].any():
        lost = given.index[(rows < 0) & (numbers > 0)]
        warnings.warn(
            f"{numbers[rows < 0].sum():,g} of {numbers.sum():,g} are counted under {len(lost)} codes that are not in "
            f"these tables and are not drawn: {', '.join(map(str, lost[:5]))}{', …' if len(lost) > 5 else ''}.",  # noqa: PLR2004
            PartialResultWarning,
            stacklevel=3,
        )
    return np.bincount(rows[rows >= 0], weights=numbers[rows >= 0], minlength=len(entities))


def cut(
    tables: Tables, values: npt.NDArray[np.float64], *, top: str | int | None, levels: int, min_share: float
) -> Branch:
    """Cut a hierarchy to some levels below an entity; siblings below a share of the whole become ``other (n)``.

    An entity with several parents stands below its primary one. What has the value 0 is left out, and no
    more than about `MOST` pieces come out, whatever the share.
    """
    entities, tree = entities_of(tables), Hierarchy.of(tables)
    above = [parents[0] if parents else None for parents in tree.parents]
    totals = values.copy()
    for row in reversed(tree.order):
        parent = above[row]
        if parent is not None:
            totals[parent] += totals[row]
    below: dict[int | None, list[int]] = {}
    for row, parent in enumerate(above):
        below.setdefault(parent, []).append(row)
    start = None if top is None else locate(entities, top)
    if start is None and len(below.get(None, ())) == 1:
        start = below[None][0]
    total = float(totals[below.get(None, [])].sum() if start is None else totals[start])
    labels = _labels(entities)
    if not total > 0 or start not in below:
        where = labels[start] if start is not None else "these tables"
        raise ConfigurationError(f"There is nothing to draw below {where}: give an entity higher up, or other counts.")
    shown = totals[_rows_within(below, start, levels)]
    least = max(min_share * total, float(np.sort(shown)[-MOST // 2]) if len(shown) > MOST // 2 else 0.0)
    pieces: list[Piece] = []

    def add(rows: Sequence[int], level: int, parent: int | None) -> None:
        counted = [row for row in rows if totals[row] > 0]
        small = [row for row in counted if totals[row] < least]
        if len(small) == 1:
            small = []
        for place, row in enumerate([row for row in counted if row not in set(small)]):
            group = place if parent is None else pieces[parent].group
            pieces.append(Piece(labels[row], float(totals[row]), level, parent, group, tree.entity_ids[row]))
            if level < levels and row in below:
                add(below[row], level + 1, len(pieces) - 1)
        if small:
            group = len(counted) - len(small) if parent is None else pieces[parent].group
            pieces.append(Piece(f"other ({len(small)})", float(totals[small].sum()), level, parent, group))

    add(below[start], 1, None)
    return Branch(None if start is None else labels[start], total, tuple(pieces))


def icicle(branch: Branch, width: float, height: float) -> list[Box]:
    """Lay pieces out in columns, one for each level, as high as their values."""
    column = width / max(piece.level for piece in branch.pieces)
    scale = height / branch.total
    boxes: list[Box] = []
    free = {None: height} | {place: 0.0 for place in range(len(branch.pieces))}
    for place, piece in enumerate(branch.pieces):
        tall = piece.value * scale
        upper = free[piece.parent]
        boxes.append(Box((piece.level - 1) * column, upper - tall, column, tall))
        free[piece.parent] = upper - tall
        free[place] = upper
    return boxes


def treemap(branch: Branch, width: float, height: float, *, header: float, margin: float = 2.0) -> list[Box | None]:
    """Lay pieces out inside one another, below a header for the name; None where there is no room for a piece."""
    inside: dict[int | None, list[int]] = {}
    for place, piece in enumerate(branch.pieces):
        inside.setdefault(piece.parent, []).append(place)
    boxes: list[Box | None] = [None] * len(branch.pieces)
    waiting: list[tuple[int | None, Box, float]] = [(None, Box(0, 0, width, height), branch.total)]
    while waiting:
        parent, room, total = waiting.pop()
        places = inside[parent]
        places.sort(key=lambda place: (branch.pieces[place].entity_id is None, -branch.pieces[place].value))
        sizes = [branch.pieces[place].value for place in places]
        rest = total - sum(sizes)  # counted at the entity itself
        for place, box in zip(places, squarified([*sizes, rest] if rest > 0 else sizes, room), strict=False):
            boxes[place] = box
            within = Box(box.x + margin, box.y + margin, box.width - 2 * margin, box.height - header - margin)
            if place in inside and min(within.width, within.height) > header:
                waiting.append((place, within, branch.pieces[place].value))
    return boxes


def squarified(sizes: Sequence[float], room: Box) -> list[Box]:
    """Fill a rectangle with rectangles of given sizes, in order, as square as may be (Bruls, Huizing, van Wijk)."""
    boxes: list[Box] = []
    left = list(sizes)
    while left:
        area = room.width * room.height / sum(left)
        short = min(room.width, room.height)
        n = 1
        while n < len(left) and _longest(left[: n + 1], area, short) <= _longest(left[:n], area, short):
            n += 1
        row, left = left[:n], left[n:]
        thick = sum(row) * area / short if short else 0.0
        along = 0.0
        for size in row:
            long = size * area / thick if thick else 0.0
            if room.width >= room.height:
                boxes.append(Box(room.x, room.y + room.height - along - long, thick, long))
            else:
                boxes.append(Box(room.x + along, room.y + room.height - thick, long, thick))
            along += long
        if room.width >= room.height:
            room = Box(room.x + thick, room.y, room.width - thick, room.height)
        else:
            room = Box(room.x, room.y, room.width, room.height - thick)
    return boxes


def _longest(row: Sequence[float], area: float, short: float) -> float:
    """Give the worst side ratio of a row."""
    total = sum(row) * area
    return max(short**2 * max(row) * area / total**2, total**2 / (short**2 * min(row) * area))


def _labels(entities: pd.DataFrame) -> list[str]:
    titles = entities["title"].astype("str").fillna(entities["entity_id"])
    codes = entities["code"].where(entities["code"].ne(titles))
    return (codes + "\u2002").fillna("").add(titles).tolist()


def _rows_within(below: Mapping[int | None, Sequence[int]], start: int | None, levels: int) -> list[int]:
    found: list[int] = []
    rows = list(below[start])
    for _ in range(levels):
        found += rows
        rows = [child for row in rows for child in below.get(row, ())]
    return found
