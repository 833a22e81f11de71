"""Count rows by chapter, block, level or a user's grouping, safe to publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.backends import N
from icdframes.analysis.disclosure_control import hidden_cells
from icdframes.analysis.grouping import Assignment, Group, assignment, every, nearest
from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.join import JOINT, JoinSpec, join
from icdframes.analysis.matching import ENTITY, MEMBERS, Lookup, Members, Tables
from icdframes.errors import ConfigurationError, check_option, check_whole
from icdframes.frames.pandas_compat import as_text, fill_text, text_array

UNGROUPED, TOTAL = "ungrouped", "total"
REST = (UNGROUPED, "several", "unknown", "missing")
"""What is counted beside the groups: codes in none of them, and rows without one code that is known."""
_SET, _MATCH, _ROW = "_icd_set", "_icd_match", "_icd_row"
_RULES = ("primary", "all", "fractional")


def rollup(
    frame: Any,
    tables: Tables,
    *,
    code: str = "code",
    level: Group = "chapter",
    by: str | Sequence[str] = (),
    weight: str | None = None,
    min_count: int | None = None,
    zeros: bool = False,
    totals: bool = False,
    parents: Literal["primary", "all", "fractional"] = "primary",
    members: Members = "first",
) -> pd.DataFrame:
    """Count rows by a level of the classification.

    Parameters
    ----------
    frame : data frame
        Of pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark.
    tables : EntityTables or pandas.DataFrame
        As for `annotate`.
    code : str
        The column of codes, spelled as `annotate` understands them.
    level : str, Grouping or mapping
        ``"chapter"``, ``"block"`` (the nearest), ``"level:N"`` (N links below the top) or a
        user's own grouping.
    by : str or sequence of str
        Columns by which the counts are split, such as sex and year.
    weight : str, optional
        A column of numbers to add up instead of counting rows, such as a number of deaths. A row without a
        number is refused.
    min_count : int, optional
        Hide what is above 0 and below this, and as much more as is needed so that no
        hidden count can be worked out by subtraction (see Notes).
    zeros : bool
        Whether groups without a row are listed, with 0, for each combination of `by`.
    totals : bool
        Whether totals are added: of all groups for each combination of `by` (group
        ``"total"``), and over all combinations (`by` missing). ``is_total`` marks them.
    parents : {"primary", "all", "fractional"}
        Where an entity with several parents counts: in the group of its primary parent
        (once), in all its groups (once in each: groups then add up to more than the
        total), or in equal parts in all its groups.
    members : {"first", "stems", "any"}
        Which codes of a cluster count: its first stem, all its stems, or extension codes too. With more than
        the first, a row counts in the groups of all of them (once in each; with ``"fractional"`` in equal parts).
        A lazy back end has to read its distinct clusters once for it.

    Returns
    -------
    pandas.DataFrame
        Always pandas, for the counts are few; the same on every back end: the columns of
        `by`, then group, title, n (Int64, or Float64 for parts and decimal weights),
        is_total with `totals`, is_suppressed with `min_count` (n is then missing, and
        nothing tells why a cell is hidden). Ordered by `by`, then as the classification
        is. Known codes that lie in no group are counted as ``ungrouped``, cells with several codes as
        ``several``, unknown codes as ``unknown``, and rows without a code as ``missing``. No network.

    Raises
    ------
    ConfigurationError
        If the level, a column or an option is not known, or a weight is missing.

    Notes
    -----
    For suppression the counts are one two-way table, the combinations of `by` against the
    groups, with its row totals, column totals and grand total, whether or not they are
    returned. Another table of the same people (other columns in `by`, another level) is
    not known to it: tables that are published together are not protected together.

    See Also
    --------
    annotate : The same groups, as columns of the data.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {
    ...         "entity_id": ["1", "2", "3", "4"],
    ...         "code": ["01", "1A00", "02", "2A00"],
    ...         "title": ["Infections", "Cholera", "Neoplasms", "Glioma"],
    ...         "class_kind": ["chapter", "category"] * 2,
    ...         "parent_id": [None, "1", None, "3"],
    ...         "chapter": ["01", "01", "02", "02"],
    ...     }
    ... )
    >>> deaths = pd.DataFrame({"sex": [1, 2, 2], "code": ["1A00", "1A00", "2a00"]})
    >>> print(icdframes.rollup(deaths, tables, by="sex", zeros=True).to_string())
       sex group       title  n
    0    1    01  Infections  1
    1    1    02   Neoplasms  0
    2    2    01  Infections  1
    3    2    02   Neoplasms  1

    """
    keys = [by] if isinstance(by, str) else list(by)
    _check_options(keys, weight, min_count, parents, members)
    backends.check_names(backends.names_of(frame), code, ())
    backends.check_columns(frame, [*keys, *([weight] if weight else [])])
    tree = Hierarchy.of(tables)
    found = assignment(tables, tree, level)
    if reserved := {*REST, TOTAL} & found.titles.keys():
        raise ConfigurationError(
            f"A group must not be called {min(reserved)!r}: rollup uses that name itself, rename it."
        )
    sets = _sets(tree, found, parents)
    what = JoinSpec(code, Lookup.of(tables), sets, match=_MATCH, members=members, combine={_SET: "union"})
    counts = backends.count_rows(join(frame, what), [*keys, _SET, _MATCH], weight)
    combinations, table = _cross(_labelled(counts), keys, [*found.titles, *REST], parents)
    hidden = np.zeros(table.shape, dtype=bool) if min_count is None else hidden_cells(table, min_count)
    cells = _long(combinations, table, hidden, found.titles)
    if parents != "fractional" and pd.api.types.is_integer_dtype(counts[N].dtype):
        cells["n"] = cells["n"].astype("Int64")
    is_real = ~cells["group"].isin(REST) if zeros else False
    kept = cells[(cells["n"].ne(0).fillna(value=True) | is_real) & (totals | ~cells["is_total"])]
    if not keys:
        kept = kept[kept[_ROW].eq(0)]
    optional = [*(["is_total"] if totals else []), *(["is_suppressed"] if min_count is not None else [])]
    return kept[[*keys, "group", "title", "n", *optional]].reset_index(drop=True)


def _labelled(counts: pd.DataFrame) -> pd.DataFrame:
    """Name the sets of rows without an entity by their kind of match."""
    kinds = as_text(counts[_MATCH])
    sets = fill_text(counts[_SET], kinds.where(kinds.isin(REST), UNGROUPED))
    return counts.assign(**{_SET: [JOINT.join(_without_rest(text)) for text in sets.tolist()]})


def _without_rest(together: str) -> list[str]:
    """Return the groups of one set; that a code of a cluster is in no group counts where none is in any."""
    groups = together.split(JOINT)
    return [group for group in groups if group != UNGROUPED] or [UNGROUPED]


def _check_options(keys: Sequence[str], weight: object, min_count: int | None, parents: str, members: str) -> None:
    check_option("parents", parents, _RULES)
    check_option("members", members, MEMBERS)
    if weight is not None and not isinstance(weight, str):
        raise ConfigurationError(f"weight={weight!r} is no name of a column: give the name of one column of numbers.")
    if min_count is not None:
        check_whole("min_count", min_count, least=1, more=", or None to hide nothing")
    if taken := {"group", "title", "n", "is_total", "is_suppressed"} & set(keys):
        raise ConfigurationError(f"by must not name {min(taken)!r}, a column of the result: rename it first.")


def _sets(tree: Hierarchy, found: Assignment, parents: str) -> pd.DataFrame:
    """Return the set of its groups as one text; by the rule of the primary parent, a set of one."""
    if parents == "primary":
        sets = [group or UNGROUPED for group in nearest(tree, found.own)]
    else:
        sets = [JOINT.join(groups) or UNGROUPED for groups in every(tree, found.own)]
    ids = text_array(tree.entity_ids)
    return pd.DataFrame({ENTITY: ids, _SET: text_array(sets)})


def _cross(
    counts: pd.DataFrame, keys: Sequence[str], groups: Sequence[str], parents: str
) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
    """Lay counts out as combinations of keys against groups, with totals in the last row and column."""
    rows: npt.NDArray[Any] = np.zeros(len(counts), dtype=np.intp)
    combinations = pd.DataFrame(index=range(1))
    if keys:
        grouped = counts.groupby(list(keys), dropna=False, sort=True)
        rows = grouped.ngroup().to_numpy()
        combinations = counts[list(keys)].assign(**{_ROW: rows}).drop_duplicates(_ROW).set_index(_ROW).sort_index()
    column = {group: place for place, group in enumerate(groups)}
    table = np.zeros((len(combinations) + 1, len(groups) + 1))
    for row, together, n in zip(rows, counts[_SET], counts[N].fillna(0).astype(float), strict=True):
        several = together.split(JOINT)
        for group in several:
            table[row, column[group]] += n / len(several) if parents == "fractional" else n
        table[row, -1] += n
    table[-1] = table[:-1].sum(axis=0)
    return combinations, table


def _long(
    combinations: pd.DataFrame, table: npt.NDArray[np.float64], hidden: npt.NDArray[np.bool_], titles: dict[str, Any]
) -> pd.DataFrame:
    """Return one row per cell, totals included; the count of a hidden one is missing."""
    n_rows, n_columns = table.shape
    rows = np.repeat(np.arange(n_rows), n_columns)
    groups = text_array([*titles, *REST, TOTAL])
    names = text_array([*titles.values(), *[None] * (len(REST) + 1)])
    cells = combinations.reindex(range(n_rows)).iloc[rows].reset_index(drop=True)
    place = np.tile(np.arange(n_columns), n_rows)
    cells[_ROW] = rows
    cells["group"], cells["title"] = groups.take(place), names.take(place)
    cells["n"] = pd.array(table.ravel(), dtype="Float64")
    cells["is_total"] = (rows == n_rows - 1) | (place == n_columns - 1)
    cells["is_suppressed"] = hidden.ravel()
    cells.loc[cells["is_suppressed"], "n"] = pd.NA
    return cells
