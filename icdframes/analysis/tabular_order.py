"""Ranges and branches as sets of entities in tabular order, and which of several overlapping sets has each entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy, ends_of_branches
from icdframes.analysis.matching import ENTITY, KIND, Lookup, Tables, entities_of, keys_of
from icdframes.errors import CodeSyntaxError
from icdframes.frames.pandas_compat import as_text
from icdframes.model.codes import parse_code, read_interval
from icdframes.model.uris import is_entity_id

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
LAST = "\uffff"  # behind every sign of a code
_SHORTEST = 3
_EXTENSIONS = "X"


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


@dataclass(frozen=True, eq=False)
class CodeIndex:
    """The entities of some tables by code, in the order of their codes, and what lies below each.

    Attributes
    ----------
    tables : EntityTables or pandas.DataFrame
        What is read; everything else is made when it is first asked for.
    known_tree : Hierarchy or None
        The links between the rows, where they were read before.

    """

    tables: Tables
    known_tree: Hierarchy | None = None

    @cached_property
    def entities(self) -> pd.DataFrame:
        """The entities table, its rows numbered."""
        return entities_of(self.tables).reset_index(drop=True)

    @cached_property
    def is_category(self) -> Mask:
        """Of each row whether it counts as a code: all rows where the tables do not tell."""
        entities = self.entities
        if "class_kind" not in entities.columns or entities["class_kind"].isna().all():
            return np.ones(len(entities), dtype=bool)
        return entities["class_kind"].eq("category").to_numpy(bool, na_value=False)

    @cached_property
    def is_extension(self) -> Mask:
        """Of each row whether it is an extension code, and no block or chapter."""
        codes = as_text(self.entities["code"])
        second = codes.str.match(r".[^\W\d_]", na=False)
        return (codes.str.startswith(_EXTENSIONS, na=False) & second & self.is_category).to_numpy(bool, na_value=False)

    @cached_property
    def codes(self) -> Sequence[str | None]:
        """The code of each row; None where it has none."""
        return [None if pd.isna(code) else str(code) for code in self.entities["code"].tolist()]

    @cached_property
    def rows_of_codes(self) -> dict[str, int]:
        """The row of each code, of a category before that of a block of the same code, and of each id."""
        names: dict[str, int] = {}
        if "block_id" in self.entities.columns:
            blocks = self.entities["block_id"].dropna()
            names |= dict(zip(blocks.tolist(), blocks.index.tolist(), strict=True))
        names |= self._rows_of_ids
        coded = np.array([code is not None for code in self.codes], dtype=bool)
        for kind in (~self.is_category, self.is_category):
            names |= {str(self.codes[row]): row for row in np.flatnonzero(kind & coded).tolist()}
        return names

    @cached_property
    def keys(self) -> npt.NDArray[np.str_]:
        """The codes of all categories in capitals, without dots, ascending."""
        return self._sorted[0]

    @cached_property
    def rows(self) -> Rows:
        """The row of the entities table of each of these keys."""
        return self._sorted[1]

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.str_], Rows]:
        codes = self.entities["code"]
        coded = np.flatnonzero(self.is_category & codes.notna().to_numpy(bool))
        keys = keys_of(codes.iloc[coded]).to_numpy(dtype=str) if coded.size else np.array([], dtype=str)
        order = np.argsort(keys, kind="stable")
        return keys[order], coded[order]

    @cached_property
    def tree(self) -> Hierarchy:
        """The links between the rows, for polyhierarchies too."""
        return self.known_tree or Hierarchy.of(self.tables)

    @cached_property
    def lookup(self) -> Lookup:
        """The spellings of the entities."""
        return Lookup.of(self.entities)

    @cached_property
    def _rows_of_ids(self) -> dict[str, int]:
        return {entity_id: row for row, entity_id in enumerate(self.entities["entity_id"].tolist())}

    @cached_property
    def _links(self) -> tuple[Rows, Rows]:
        """Return the rows of all parents and, beside each, of a child; each link once."""
        entities, places = self.entities, self._rows_of_ids
        pairs = [(entities["parent_id"], entities["entity_id"])] if "parent_id" in entities.columns else []
        if not isinstance(self.tables, pd.DataFrame):
            pairs.append((self.tables.edges["parent_id"], self.tables.edges["child_id"]))
        ends = [
            np.array([places.get(key, -1) for pair in pairs for key in pair[end].tolist()], dtype=np.int64)
            for end in (0, 1)
        ]
        known = (ends[0] >= 0) & (ends[1] >= 0)
        links = np.unique(ends[0][known] * len(entities) + ends[1][known])
        above, below = np.divmod(links, max(len(entities), 1))
        return above.astype(np.intp), below.astype(np.intp)

    @cached_property
    def is_tree(self) -> bool:
        """Whether no entity has two parents."""
        below = self._links[1]
        return len(below) == len(np.unique(below))

    @cached_property
    def _ends(self) -> Rows | None:
        """Return of each row the row behind its branch; None where some branch has others in between."""
        if not self.is_tree:
            return None
        parents = np.full(len(self.entities), -1, dtype=np.intp)
        parents[self._links[1]] = self._links[0]
        return ends_of_branches(parents.tolist())

    @cached_property
    def _spans(self) -> tuple[Rows, Rows, Rows]:
        """Return the lowest categories, branch by branch, and of each row where those below it begin and end there."""
        if self._ends is None:
            return _spans_of(self.tree, self.is_category)
        has_below = np.zeros(len(self.entities), dtype=bool)
        has_below[self._links[0]] = True
        lowest = self.is_category & ~has_below
        n_before = np.concatenate([[0], np.cumsum(lowest)])
        return np.flatnonzero(lowest), n_before[:-1], n_before[self._ends]

    @property
    def lowest(self) -> Rows:
        """The rows of the categories that have nothing below them, branch by branch."""
        return self._spans[0]

    def branch(self, row: int) -> Mask:
        """Return of each row whether it lies in the branch of one."""
        if self._ends is None:
            return self.tree.branch(row)
        inside = np.zeros(len(self.entities), dtype=bool)
        inside[row : self._ends[row]] = True
        return inside

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
        sets: dict[str, CodeSet | None] = {}
        for text, entity, kind in zip(texts, found[ENTITY], found[KIND], strict=True):
            if kind in {"exact", "dotless"}:
                row = self._rows_of_ids[entity]
                sets[text] = CodeSet(self.branch(row), row)
            elif ends := read_interval(text):
                inside = self.between(*ends)
                sets[text] = CodeSet(inside) if inside.any() else None
            else:
                _check_writing(text, is_wider=kind == "stem")
                sets[text] = None
        return sets

    def between(self, first: str, last: str) -> Mask:
        """Return of each row whether it lies between two keys, the last standing for all that begin with it.

        A category, block or chapter does also where all its lowest categories do: B20 in B20.0-B24.
        """
        first = self._beginning(first, last)
        start, end = np.searchsorted(self.keys, first), np.searchsorted(self.keys, last + LAST, side="right")
        inside = np.zeros(len(self.is_category), dtype=bool)
        inside[self.rows[start:end]] = True
        return inside | self._holds_only(inside)

    def _beginning(self, first: str, last: str) -> str:
        """Return where a range begins: B20.0 is the beginning of B20 in tables that hold no more than B20.

        It is not where the range ends inside B20 too.
        """
        while (
            first.endswith("0") and len(first) > _SHORTEST and not self._has(first) and not last.startswith(first[:-1])
        ):
            first = first[:-1]
        return first

    def _has(self, key: str) -> bool:
        place = int(np.searchsorted(self.keys, key))
        return place < len(self.keys) and str(self.keys[place]).startswith(key)

    def _holds_only(self, inside: Mask) -> Mask:
        """Return of each row whether there are lowest categories below it and all of them are inside."""
        lowest, begin, end = self._spans
        n_inside = np.concatenate([[0], np.cumsum(inside[lowest])])
        holds: Mask = (end > begin) & (n_inside[end] - n_inside[begin] == end - begin)
        return holds


def _spans_of(tree: Hierarchy, is_category: Mask) -> tuple[Rows, Rows, Rows]:
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
    return np.array(lowest, dtype=np.intp), spans[0], spans[1]


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


def _check_writing(text: str, *, is_wider: bool) -> None:
    """Refuse what is written like no entity and no range."""
    if is_wider:
        raise CodeSyntaxError(
            f"{text!r} is a cluster, or a category with qualifiers, and names no entity alone: give the first code of "
            "it, or make a CodeList, whose rules can be clusters.",
            text=text,
        )
    if not is_entity_id(text) and "://" not in text and read_interval(text) is None:
        parse_code(text)
