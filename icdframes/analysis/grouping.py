"""A user's own grouping, such as a mortality list, as a value; which entities it reaches is not known here."""

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
from icdframes.analysis.matching import Lookup, Tables, entities_of, keys_of
from icdframes.errors import ConfigurationError, FileFormatError, PartialResultWarning, did_you_mean, warn
from icdframes.frames.atomic import no_file

_LISTED = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Grouping:
    """A user's own grouping, such as a mortality list; groups are inherited downwards, the nearest wins.

    Attributes
    ----------
    groups : Mapping of str to str
        Codes, ids or URIs of entities, or ranges of codes (``"A00-B99"``), and the
        group of each. A code goes before a range, a narrow range before a wide one.
    name : str
        Name of the column that `annotate` adds.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.Grouping({"A00-B99": "infectious", "B20-B24": "HIV"}, name="cause").name
    'cause'

    """

    groups: Mapping[str, str]
    name: str = "group"


Group: TypeAlias = str | Grouping | Mapping[str, str]


def read_grouping(
    path: str | os.PathLike[str], *, name: str | None = None, entity: str = "code", group: str = "group"
) -> Grouping:
    r"""Read a grouping from a CSV file.

    Parameters
    ----------
    path : path
        A file with a heading. A cell of the entity column holds one code (id, URI),
        a range such as ``A00-B99``, or several of these with commas or semicolons between.
    name : str, optional
        Name of the grouping; by default that of the file, without its ending.
    entity, group : str
        The columns that are read; others are ignored.

    Returns
    -------
    Grouping
        Named by `name`, or as the file is. No network.

    Raises
    ------
    FileFormatError
        If the file cannot be read, has not these columns, or gives an entity two groups.

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
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise no_file(file) from error
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{file} cannot be read as CSV ({error}): give a file with a heading, in UTF-8."
        ) from error
    for column in (entity, group):
        if column not in table.columns:
            hint = did_you_mean(column, map(str, table.columns))
            raise FileFormatError(f"{file} has no column {column!r}: name the columns with entity= and group=.{hint}")
    groups: dict[str, str] = {}
    for cell, label in zip(table[entity], table[group], strict=True):
        for text in filter(None, map(str.strip, _LISTED.split(cell))):
            if groups.setdefault(text, label.strip()) != label.strip():
                raise FileFormatError(
                    f"{file} puts {text!r} in two groups, {groups[text]!r} and {label.strip()!r}: leave one out."
                )
    return Grouping(groups, name or file.stem)


def as_grouping(term: Grouping | Mapping[str, str]) -> Grouping:
    """Give a plain mapping the name ``group``."""
    return term if isinstance(term, Grouping) else Grouping(term)


_LEVEL = re.compile(r"level:(\d+)")
_RANGE = re.compile(r"([^\s-]+)\s*-\s*([^\s-]+)")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The groups that entities are given directly; `nearest` and `every` hand them down.

    Attributes
    ----------
    name : str
        Name of the level.
    own : dict of int to str
        Row of the entities table and group.
    titles : dict of str to str or None
        Every group in its order, with its title.

    """

    name: str
    own: dict[int, str]
    titles: dict[str, str | None] = field(default_factory=dict)


def assignment(tables: Tables, tree: Hierarchy, level: Group) -> Assignment:
    """Tell which entities are given a group directly, for a level's name or a user's grouping."""
    entities = entities_of(tables)
    if not isinstance(level, str):
        return _own_list(entities, tree, as_grouping(level))
    if level == "chapter":
        rows = _kind(entities, "chapter") | {row for row, above in enumerate(tree.parents) if not above}
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


def nearest(tree: Hierarchy, own: Mapping[int, str]) -> list[str | None]:
    """Give each entity one group: its own, or that of its primary parent, or failing that of its next parent."""
    found: list[str | None] = [None] * len(tree.parents)
    for row in tree.order:
        above = (found[parent] for parent in tree.parents[row] if found[parent] is not None)
        found[row] = own[row] if row in own else next(above, None)
    return found


def every(tree: Hierarchy, own: Mapping[int, str]) -> list[tuple[str, ...]]:
    """Give each entity its own group, or else all groups of all its parents, each once."""
    found: list[tuple[str, ...]] = [()] * len(tree.parents)
    for row in tree.order:
        above = (group for parent in tree.parents[row] for group in found[parent])
        found[row] = (own[row],) if row in own else tuple(dict.fromkeys(above))
    return found


def _kind(entities: pd.DataFrame, kind: str) -> set[int]:
    return set(np.flatnonzero(entities["class_kind"].eq(kind)).tolist()) if "class_kind" in entities.columns else set()


def _structural(entities: pd.DataFrame, name: str, rows: set[int], labels: Sequence[str]) -> Assignment:
    """Label entities that are groups by the first of some columns that is not missing; titles are those of groups."""
    places = sorted(rows)
    chosen = entities.iloc[places]
    named = [chosen[column] for column in labels if column in chosen.columns]
    label = reduce(pd.Series.fillna, named).tolist()
    shown = np.ones(len(chosen), dtype=bool)
    if name == "chapter" and {"class_kind", "chapter"} <= set(chosen.columns):  # a branch's root is not its chapter
        shown = (chosen["class_kind"].eq("chapter") | chosen["chapter"].isna()).to_numpy()
    titles: dict[str, str | None] = {}
    for group, title, is_shown in zip(label, chosen["title"].tolist(), shown, strict=True):
        titles.setdefault(group, None if pd.isna(title) or not is_shown else title)
    return Assignment(name, dict(zip(places, label, strict=True)), titles)


def _own_list(entities: pd.DataFrame, tree: Hierarchy, grouping: Grouping) -> Assignment:
    """Find the entities of a grouping: wide ranges first, then narrow ones, then single codes over them."""
    texts = list(grouping.groups)
    found = Lookup.of(entities).match(texts)
    ids = {entity_id: row for row, entity_id in enumerate(tree.entity_ids)}
    single = {
        text: ids[entity]
        for text, entity, kind in zip(texts, found.iloc[:, 0], found.iloc[:, 1], strict=True)
        if kind in {"exact", "dotless"}
    }
    ranges = {text: rows for text in texts if text not in single and (rows := _in_range(entities, text))}
    own: dict[int, str] = {}
    for text in sorted(ranges, key=lambda text: -len(ranges[text])):
        tops = [row for row in sorted(ranges[text]) if ranges[text].isdisjoint(tree.parents[row])]
        own |= dict.fromkeys(tops, grouping.groups[text])
    own |= {row: grouping.groups[text] for text, row in single.items()}
    if lost := [text for text in texts if text not in single and text not in ranges]:
        warn(
            f"{len(lost)} of {len(texts)} entries of the grouping {grouping.name!r} are not in these tables "
            f"and have no effect: {', '.join(lost[:5])}{', …' if lost[5:] else ''}.",
            PartialResultWarning,
        )
    return Assignment(grouping.name, own, {label: label for label in grouping.groups.values()})


def _in_range(entities: pd.DataFrame, text: str) -> set[int]:
    """Give the categories from one code to another, both included with all below them."""
    ends = _RANGE.fullmatch(text)
    if not ends:
        return set()
    first, last = keys_of(pd.Series(ends.groups(), dtype="str"))
    keys = keys_of(entities["code"])
    inside = keys.ge(first) & keys.str.slice(0, len(last)).le(last)
    return set(np.flatnonzero(inside).tolist()) & _kind(entities, "category")
