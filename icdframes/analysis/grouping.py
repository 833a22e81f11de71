"""Groups of entities: chapters, blocks, levels and users' own lists, and which entities belong to each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import Tables, entities_of
from icdframes.analysis.tabular_order import CodeIndex, CodeSet, OverlapError, narrowest
from icdframes.errors import (
    CodeSyntaxError,
    ConfigurationError,
    FileFormatError,
    PartialResultWarning,
    did_you_mean,
    warn,
)
from icdframes.frames.files import read_frame
from icdframes.frames.pandas_compat import fill_text
from icdframes.model.codes import split_codes

_LISTED = re.compile(r"[,;|\n]")


@dataclass(frozen=True, slots=True)
class Grouping:
    """A user's own grouping, such as a mortality list: every code gets one group, the narrowest that has it.

    Attributes
    ----------
    groups : Mapping of str to str or None
        What belongs to a group, and the group's name; without a name (None, or an empty text) it is taken
        out of a wider group. Each key is

        - a code, an id, a block's id or a URI: that entity and all below it;
        - a range of codes (``"A00-B99"``, ``"I20-25"``): exactly the codes from the first to the last in
          tabular order, the last with all below it. An end inside a category cuts it: ``"A02-A03.1"`` has
          A03.1, and A03.2 is in no group. A block or category belongs to a range that has all codes below it;
        - a beginning (``"F0*"``): all codes that begin so;
        - several of these with commas or semicolons between.
    name : str
        Name of the column that `annotate` adds.

    Notes
    -----
    Where one entry lies inside another, the narrower one (with fewer codes) wins, however they are written.
    Two groups that cross, or that claim the same codes, are refused when the grouping is used: such lists,
    as those of comorbidity, need one column each (`flag` with a `CodeList` for each).

    Examples
    --------
    >>> import icdframes
    >>> icdframes.Grouping({"A00-B99": "infectious", "B20-B24": "HIV"}, name="cause").name
    'cause'

    """

    groups: Mapping[str, str | None]
    name: str = "group"


Group: TypeAlias = str | Grouping | Mapping[str, str | None]


def read_grouping(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    entity: str = "code",
    group: str = "group",
    sep: str | None = None,
    encoding: str | None = None,
) -> Grouping:
    r"""Read a grouping from a table: a CSV file of any country, tab-separated text, or Excel.

    Parameters
    ----------
    path : path
        A file with a heading. A cell of the entity column holds what a key of `Grouping` can be;
        an empty cell of the group column is no group.
    name : str, optional
        Name of the grouping; by default that of the file, without its ending.
    entity, group : str
        The columns that are read; others are ignored.
    sep, encoding : str, optional
        As for `read_frame`; by default recognised.

    Returns
    -------
    Grouping
        Named by `name`, or as the file is. No network.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or has not these columns, or gives an entity two groups.

    Examples
    --------
    >>> import icdframes
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "causes.csv"
    ...     _ = file.write_text("code,group\nA00-B99,infectious\nB20;B24,HIV\n")
    ...     icdframes.read_grouping(file)
    Grouping(groups={'A00-B99': 'infectious', 'B20': 'HIV', 'B24': 'HIV'}, name='causes')

    """
    file = Path(path)
    table = read_frame(file, sep=sep, encoding=encoding).astype("object")
    table = table.where(table.notna(), "")
    for column in (entity, group):
        if column not in table.columns:
            hint = did_you_mean(column, map(str, table.columns))
            raise FileFormatError(f"{file} has no column {column!r}: name the columns with entity= and group=.{hint}")
    groups: dict[str, str | None] = {}
    for cell, written in zip(table[entity], table[group], strict=True):
        label = written.strip() or None
        for text in filter(None, map(str.strip, _LISTED.split(cell))):
            if groups.setdefault(text, label) != label:
                raise FileFormatError(
                    f"{file} puts {text!r} in two groups, {groups[text]!r} and {label!r}: leave one out, or make a "
                    "CodeList of each for flag(), which gives one column per list."
                )
    return Grouping(groups, name or file.stem)


def as_grouping(term: Grouping | Mapping[str, str | None]) -> Grouping:
    """Return a plain mapping as a grouping with the name ``group``."""
    return term if isinstance(term, Grouping) else Grouping(term)


_LEVEL = re.compile(r"level:(\d+)")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Assignment:
    """The groups that entities are given directly; `nearest` and `every` hand them down.

    Attributes
    ----------
    name : str
        Name of the level.
    own : dict of int to str or None
        Row of the entities table and group; None takes a row out of the group above it.
    titles : dict of str to str or None
        Every group in its order, with its title.

    """

    name: str
    own: dict[int, str | None]
    titles: dict[str, str | None] = field(default_factory=dict)


def assignment(tables: Tables, tree: Hierarchy, level: Group) -> Assignment:
    """Return which entities are given a group directly, for a level's name or a user's grouping."""
    entities = entities_of(tables)
    if not isinstance(level, str):
        return _own_list(tables, tree, as_grouping(level))
    if level == "chapter":
        rows = _kind(entities, "chapter") | {row for row, above in enumerate(tree.parents) if not above}
        rows |= _icf_chapters(entities)
        return _structural(entities, level, rows, ("chapter", "code", "entity_id"))
    if level == "block":
        return _structural(entities, level, _kind(entities, "block"), ("block_id", "code", "entity_id"))
    if found := _LEVEL.fullmatch(level):
        depths: dict[int, int] = {}
        for row in tree.order:
            depths[row] = depths[tree.parents[row][0]] + 1 if tree.parents[row] else 0
        wanted = {row for row, depth in depths.items() if depth == int(found[1])}
        return _structural(entities, level, wanted, ("code", "block_id", "entity_id"))
    hint = did_you_mean(level, ("chapter", "block", "level:1"))
    raise ConfigurationError(
        f"Unknown level {level!r}: give 'chapter', 'block', 'level:N' (N links below the top) or a grouping.{hint}"
    )


def nearest(tree: Hierarchy, own: Mapping[int, str | None]) -> list[str | None]:
    """Assign each entity one group: its own, or that of its primary parent, or failing that of its next parent."""
    found: list[str | None] = [None] * len(tree.parents)
    for row in tree.order:
        if row in own:
            found[row] = own[row]
            continue
        for parent in tree.parents[row]:
            if found[parent] is not None:
                found[row] = found[parent]
                break
    return found


def every(tree: Hierarchy, own: Mapping[int, str | None]) -> list[tuple[str, ...]]:
    """Assign each entity its own group, or else all groups of all its parents, each once."""
    found: list[tuple[str, ...]] = [()] * len(tree.parents)
    for row in tree.order:
        above = (group for parent in tree.parents[row] for group in found[parent])
        if row in own:
            group = own[row]
            found[row] = () if group is None else (group,)
        else:
            found[row] = tuple(dict.fromkeys(above))
    return found


def _kind(entities: pd.DataFrame, kind: str) -> set[int]:
    return set(np.flatnonzero(entities["class_kind"].eq(kind)).tolist()) if "class_kind" in entities.columns else set()


def _icf_chapters(entities: pd.DataFrame) -> set[int]:
    """Return the rows of ICF's components and chapters, which WHO calls blocks of the first and second level."""
    if "block_id" not in entities.columns:
        return set()
    return set(np.flatnonzero(entities["block_id"].str.fullmatch("BlockL[12]-[bdes][0-9]+", na=False)).tolist())


def _structural(entities: pd.DataFrame, name: str, rows: set[int], labels: Sequence[str]) -> Assignment:
    """Label entities that are groups by the first of some columns that is not missing; titles are those of groups."""
    places = sorted(rows)
    chosen = entities.iloc[places]
    named = [chosen[column] for column in labels if column in chosen.columns]
    label = reduce(fill_text, named).tolist()
    shown = np.ones(len(chosen), dtype=bool)
    if name == "chapter" and {"class_kind", "chapter"} <= set(chosen.columns):  # a branch's root is not its chapter
        shown = (chosen["class_kind"].eq("chapter") | chosen["chapter"].isna()).to_numpy()
        shown = shown | np.isin(places, list(_icf_chapters(entities)))
    titles: dict[str, str | None] = {}
    for group, title, is_shown in zip(label, chosen["title"].tolist(), shown, strict=True):
        titles.setdefault(group, None if pd.isna(title) or not is_shown else title)
    return Assignment(name, dict(zip(places, label, strict=True)), titles)


def _own_list(tables: Tables, tree: Hierarchy, grouping: Grouping) -> Assignment:
    """Find the entities of a user's grouping, of overlapping entries those of the narrowest."""
    order = CodeIndex(tables, tree)
    entries = _entries(order, grouping)
    groups = [group for _, group, _ in entries]
    titles: dict[str, str | None] = {group: group for group in groups if group is not None}
    is_poly = any(len(above) > 1 for above in tree.parents)
    if is_poly and all(found.top is not None for *_, found in entries):  # branches may cross there
        return Assignment(
            grouping.name, {found.top: group for _, group, found in entries if found.top is not None}, titles
        )
    try:
        painted = narrowest([found.rows for *_, found in entries], groups, order.is_category)
    except OverlapError as error:
        raise _overlap(order, grouping, entries, error) from None
    own = {row: groups[number] if number >= 0 else None for row, number in enumerate(painted.tolist())}
    return Assignment(grouping.name, own, titles)


def _entries(order: CodeIndex, grouping: Grouping) -> list[tuple[str, str | None, CodeSet]]:
    """Read the entries of a grouping: text, group, and what it names; warn of those that name nothing."""
    read = [
        (text, None if pd.isna(group) or not str(group).strip() else str(group))
        for key, group in grouping.groups.items()
        for text in split_codes(str(key))
    ]
    try:
        found = order.find([text for text, _ in read])
    except CodeSyntaxError as error:
        raise CodeSyntaxError(
            f"The grouping {grouping.name!r} has an entry that cannot be read: {error}", text=error.text
        ) from error
    if lost := [text for text, _ in read if found[text] is None]:
        warn(
            f"{len(lost)} of {len(read)} entries of the grouping {grouping.name!r} are not in these tables "
            f"and have no effect: {', '.join(lost[:_SHOWN])}{', …' if lost[_SHOWN:] else ''}.",
            PartialResultWarning,
        )
    return [(text, group, one) for text, group in read if (one := found[text]) is not None]


def _overlap(
    order: CodeIndex, grouping: Grouping, entries: Sequence[tuple[str, str | None, CodeSet]], error: OverlapError
) -> ConfigurationError:
    (first, group, _), (second, other, _) = (entries[number] for number in error.pair)
    codes = [code for code in (order.codes[row] for row in error.rows.tolist()) if code]
    return ConfigurationError(
        f"The grouping {grouping.name!r} puts {len(codes):,} codes in two groups, {group!r} ({first}) and {other!r} "
        f"({second}): {', '.join(codes[:_SHOWN])}{', …' if codes[_SHOWN:] else ''}. Correct an end, or make a CodeList "
        "of each group for flag(), which gives one column per list."
    )
