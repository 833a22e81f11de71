"""Ranges and branches as sets of entities in tabular order, and which of several overlapping sets has each entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import ENTITY, KIND, Lookup, Tables, entities_of, keys_of
from icdframes.model.codes import parse_code, read_interval
from icdframes.model.uris import is_entity_id

Mask = npt.NDArray[np.bool_]
_LAST = "\uffff"  # behind every sign of a code
_SHORTEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class CodeSet:
    """What one text names.

    Attributes
    ----------
    rows : array of bool
        Of each row of the entities table, whether it is meant.
    top : int or None
        The row of the entity whose branch it is; None of a range.

    """

    rows: Mask
    top: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CodeOrder:
    """The categories of some tables in the order of their codes, which is that of WHO's tabular lists.

    Attributes
    ----------
    keys : array of str
        The codes of all categories in capitals, without dots, ascending.
    rows : array of int
        The row of the entities table of each of them.
    codes : list of str or None
        The code of each row; None where it has none.
    is_category : array of bool
        Of each row, whether it counts as a code: all rows where the tables do not tell.
    tree : Hierarchy
        The links between the rows.
    lookup : Lookup
        The spellings of the entities.
    lowest : array of int
        The rows of the categories that have nothing below them, branch by branch.
    spans : array of int, of shape (2, rows)
        Of each row, where those below it begin and end in `lowest`.

    """

    keys: npt.NDArray[np.str_]
    rows: npt.NDArray[np.intp]
    codes: Sequence[str | None]
    is_category: Mask
    tree: Hierarchy
    lookup: Lookup
    lowest: npt.NDArray[np.intp]
    spans: npt.NDArray[np.intp]

    @classmethod
    def of(cls, tables: Tables, tree: Hierarchy | None = None) -> CodeOrder:
        """Read the order from tables."""
        entities = entities_of(tables)
        is_category = np.ones(len(entities), dtype=bool)
        if "class_kind" in entities.columns and entities["class_kind"].notna().any():
            is_category = entities["class_kind"].eq("category").to_numpy(bool, na_value=False)
        coded = np.flatnonzero(is_category & entities["code"].notna().to_numpy(bool))
        keys = keys_of(entities["code"].iloc[coded]).to_numpy(dtype=str) if coded.size else np.array([], dtype=str)
        order = np.argsort(keys, kind="stable")
        codes = [None if pd.isna(code) else str(code) for code in entities["code"].tolist()]
        tree = tree or Hierarchy.of(tables)
        lookup = Lookup.of(entities)
        return cls(keys[order], coded[order], codes, is_category, tree, lookup, *_spans(tree, is_category))

    def find(self, texts: Sequence[str]) -> dict[str, CodeSet | None]:
        """Return what each text names: a branch, a range of codes (``A00-A09``) or all with a beginning (``F0*``).

        Returns
        -------
        dict of str to CodeSet or None
            None where the tables hold nothing of it.

        Raises
        ------
        CodeSyntaxError
            If a text is no code, id, URI or range.

        """
        found = self.lookup.match(list(texts))
        places = {entity_id: row for row, entity_id in enumerate(self.tree.entity_ids)}
        sets: dict[str, CodeSet | None] = {}
        for text, entity, kind in zip(texts, found[ENTITY], found[KIND], strict=True):
            if kind in {"exact", "dotless"}:
                sets[text] = CodeSet(self.tree.branch(places[entity]), places[entity])
            elif ends := read_interval(text):
                inside = self.between(*ends)
                sets[text] = CodeSet(inside) if inside.any() else None
            else:
                _check_writing(text)
                sets[text] = None
        return sets

    def between(self, first: str, last: str) -> Mask:
        """Return of each row whether it lies between two keys, the last standing for all that begin with it.

        A category, block or chapter does also where all its lowest categories do: B20 in B20.0-B24.
        """
        first = self._beginning(first)
        start, end = np.searchsorted(self.keys, first), np.searchsorted(self.keys, last + _LAST, side="right")
        inside = np.zeros(len(self.is_category), dtype=bool)
        inside[self.rows[start:end]] = True
        return inside | self._holds_only(inside)

    def _beginning(self, first: str) -> str:
        """Return where a range begins: B20.0 is the beginning of B20 in tables that hold no more than B20."""
        while first.endswith("0") and len(first) > _SHORTEST and not self._has(first):
            first = first[:-1]
        return first

    def _has(self, key: str) -> bool:
        place = int(np.searchsorted(self.keys, key))
        return place < len(self.keys) and str(self.keys[place]).startswith(key)

    def _holds_only(self, inside: Mask) -> Mask:
        """Return of each row whether there are lowest categories below it and all of them are inside."""
        begin, end = self.spans
        n_inside = np.concatenate([[0], np.cumsum(inside[self.lowest])])
        holds: Mask = (end > begin) & (n_inside[end] - n_inside[begin] == end - begin)
        return holds


def _spans(tree: Hierarchy, is_category: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the lowest categories by primary parents, and of each row which stretch of them lies below it."""
    n_rows = len(tree.parents)
    lowest: list[int] = []
    spans = np.zeros((2, n_rows), dtype=np.intp)
    stack = [(row, True) for row in range(n_rows - 1, -1, -1) if not tree.parents[row]]
    while stack:
        row, is_new = stack.pop()
        if not is_new:
            spans[1, row] = len(lowest)
            continue
        spans[0, row] = len(lowest)
        below = [child for child in tree.children[row] if tree.parents[child][0] == row]
        if not below and is_category[row]:
            lowest.append(row)
        stack.append((row, False))
        stack += [(child, True) for child in reversed(below)]
    return np.array(lowest, dtype=np.intp), spans


class OverlapError(ValueError):
    """Two sets of different groups that cross, or are the same.

    Attributes
    ----------
    pair : tuple of int
        Which of the sets.
    rows : array of int
        The rows that both claim.

    """

    def __init__(self, pair: tuple[int, int], rows: npt.NDArray[np.intp]) -> None:
        super().__init__(f"sets {pair[0]} and {pair[1]} overlap")
        self.pair = pair
        self.rows = rows


def narrowest(sets: Sequence[Mask], groups: Sequence[object], is_category: Mask) -> npt.NDArray[np.intp]:
    """Return of each row the number of the narrowest set that has it, -1 where none has.

    Parameters
    ----------
    sets : sequence of array of bool
        Of each set, which rows it has.
    groups : sequence
        The group of each set; two sets of one group may cross, and are then one.
    is_category : array of bool
        Which rows count: sets are compared by these alone.

    Raises
    ------
    OverlapError
        If two sets of different groups cross, or have the same rows.

    Examples
    --------
    >>> import numpy as np
    >>> wide, narrow = np.array([True, True, True, False]), np.array([False, True, False, False])
    >>> narrowest([wide, narrow], ["a", "b"], np.ones(4, dtype=bool))
    array([ 0,  1,  0, -1])

    """
    sets = list(sets)
    sizes = [int((one & is_category).sum()) for one in sets]
    waiting = sorted(range(len(sets)), key=lambda number: -sizes[number])
    painted = np.full(len(is_category), -1, dtype=np.intp)
    while waiting:
        number = waiting.pop(0)
        rows = np.flatnonzero(sets[number] & is_category)
        crossed = None
        for other in np.unique(painted[rows][painted[rows] >= 0]).tolist():
            shared = sets[other][rows]
            is_inside = shared.all() and (sizes[other] > len(rows) or groups[other] == groups[number])
            if not is_inside and groups[other] != groups[number]:
                raise OverlapError((other, number), rows[shared])
            crossed = crossed if is_inside else other
        if crossed is None:
            painted[sets[number]] = number
            continue
        sets[crossed], sets[number] = sets[crossed] | sets[number], np.zeros_like(sets[number])  # and begin anew
        sizes = [int((one & is_category).sum()) for one in sets]
        waiting = sorted((one for one in range(len(sets)) if sizes[one]), key=lambda one: -sizes[one])
        painted[:] = -1
    return painted


def _check_writing(text: str) -> None:
    """Refuse what is written like no entity and no range."""
    if not is_entity_id(text) and "://" not in text and read_interval(text) is None:
        parse_code(text)
