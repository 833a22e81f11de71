"""The columns that `annotate` can add, one row per entity; it does not know whose codes they will stand beside."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from icdframes.analysis.assignment import assignment, nearest
from icdframes.analysis.grouping import Group, as_grouping
from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.matching import ENTITY, Tables, entities_of, locate
from icdframes.errors import ConfigurationError, did_you_mean

_TITLE = "_title"
_DERIVED = re.compile(rf"(chapter|block|level:\d+)({_TITLE})?|ancestor:.+")
_EXAMPLES = ("chapter_title", "block", "block_title", "level:1", "level:1_title", "ancestor:ENTITY")


def columns_for(tables: Tables, add: Sequence[Group]) -> pd.DataFrame:
    """Make the table that `annotate` joins: the entity's id and the columns asked for, one row per entity."""
    entities = entities_of(tables).reset_index(drop=True)
    for term in add:
        _check_known(entities, term)
    columns: dict[str, pd.Series] = {ENTITY: entities["entity_id"].astype("str")}
    tree = Hierarchy.of(tables) if any(_needs_tree(entities, term) for term in add) else None
    for term in add:
        name = term if isinstance(term, str) else as_grouping(term).name
        if name in columns:
            advice = "leave one out" if isinstance(term, str) else "give each Grouping its own name"
            raise ConfigurationError(f"add names {name!r} twice: {advice}.")
        columns[name] = _values(tables, tree, term) if tree and _needs_tree(entities, term) else entities[name]
    return pd.DataFrame({name: _nullable(values) for name, values in columns.items()})


def _check_known(entities: pd.DataFrame, term: Group) -> None:
    names = [str(name) for name in entities.columns]
    if isinstance(term, str) and term not in names and not _DERIVED.fullmatch(term):
        raise ConfigurationError(
            f"add={term!r} is unknown: give 'chapter', 'block', 'level:N' (N links below the top), one of these with "
            f"'_title', 'ancestor:ENTITY', or a column of the tables: {', '.join(names)}."
            f"{did_you_mean(term, (*names, *_EXAMPLES))}"
        )


def _needs_tree(entities: pd.DataFrame, term: Group) -> bool:
    return not isinstance(term, str) or term not in entities.columns


def _values(tables: Tables, tree: Hierarchy, term: Group) -> pd.Series:
    if isinstance(term, str) and term.startswith("ancestor:"):
        top = locate(entities_of(tables), term.removeprefix("ancestor:"))
        return pd.Series(tree.branch(top), dtype="boolean")
    wants_title = isinstance(term, str) and term.endswith(_TITLE)
    level = term.removesuffix(_TITLE) if isinstance(term, str) else term
    found = assignment(tables, tree, level)
    groups = nearest(tree, found.own)
    return pd.Series([found.titles[group] if wants_title and group else group for group in groups], dtype="str")


def _nullable(values: pd.Series) -> pd.Series:
    """Give whole numbers and truth values a dtype that can hold the missing rows of unknown codes."""
    if values.dtype.kind == "b":
        return values.astype("boolean")
    return values.astype("Int64") if values.dtype.kind == "i" else values
