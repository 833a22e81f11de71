"""Draw charts for papers: counts by chapter, changes of a release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from icdframes.analysis.annotate import columns_for
from icdframes.analysis.compare import CHANGES
from icdframes.analysis.matching import Tables, entities_of
from icdframes.analysis.rollup import REST, rollup
from icdframes.errors import ConfigurationError
from icdframes.plotting.style import (
    FONT_SIZE,
    LINE,
    OKABE_ITO,
    attribute,
    available_width,
    axes_for,
    background_of,
    measure_text,
    mixed,
    name_of,
    number_text,
    origin_of,
    set_title,
    size_in_points,
    text_on,
    wrap_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_MM, _BAR_MM, _SURROUNDINGS_MM, _HIGHEST_MM = 6.4, 3.4, 24.0, 235.0
_LABEL_POINTS, _LABEL_SHARE = 187.0, 0.36
_GAP = 3.0
_MOST_SERIES = len(OKABE_ITO)


def plot_chapter_counts(
    counts: Any,
    tables: Tables,
    *,
    code: str = "code",
    by: str | None = None,
    title: str | None = None,
    attribution: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw counts by chapter as bars.

    Parameters
    ----------
    counts : pandas.DataFrame or any data frame
        The result of `rollup` (of any level, with one column in `by` at most; hidden
        counts stay hidden, 0 has no bar), or a frame of people's data, which is then rolled up by chapter.
    tables : EntityTables or pandas.DataFrame
        As for `rollup`.
    code : str
        For people's data, the column of codes.
    by : str, optional
        For people's data, a column by which the bars are split, such as sex.
    title, attribution, ax
        As for `plot_hierarchy`; the height of a new figure follows the number of bars.

    Returns
    -------
    matplotlib Axes
        Rows in the order of the classification. No network.

    Raises
    ------
    ConfigurationError
        If there is nothing to draw, or more than 6 bars to a row.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import icdframes
    >>> from icdframes.sandbox.sample import example_deaths
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables(release="2024-01")
    >>> ax = icdframes.plot_chapter_counts(example_deaths(), tables, code="dx", by="sex")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['female', 'male', 'missing']

    """
    if not (isinstance(counts, pd.DataFrame) and {"group", "title", "n"} <= set(counts.columns)):
        counts = rollup(counts, tables, code=code, by=[by] if by else [])
    table, labels, series = _bar_table(counts, entities_of(tables))
    bar_mm = max(_ROW_MM, _BAR_MM * len(series) + 1)
    ax = axes_for(ax, min(bar_mm * len(table) + _SURROUNDINGS_MM, _HIGHEST_MM))
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  optional

    fills = [mixed(colour, 0.85, background_of(ax)) for colour in OKABE_ITO]
    thick = 0.8 / len(series)
    for place, name in enumerate(series):
        middles = np.arange(len(table)) + (place - (len(series) - 1) / 2) * thick
        _draw_bars(
            ax, table[name], middles, thick * 0.94, color=fills[place], label=None if name is None else str(name)
        )
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.margins(x=0.08)
    _label_rows(ax, labels)
    ax.tick_params(labelsize=FONT_SIZE, axis="x")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.set_xlabel("Count", fontsize=FONT_SIZE)
    if len(series) > 1:
        above: Any = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(series), "borderaxespad": 0}
        ax.legend(fontsize=FONT_SIZE, frameon=False, **above)
    set_title(ax, title, pad=2 * LINE if len(series) > 1 else None)
    if attribution:
        attribute(ax, tables, ax.xaxis.label)
    return ax


def plot_release_changes(
    changes: pd.DataFrame,
    old: Tables,
    new: Tables,
    *,
    title: str | None = None,
    attribution: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw what changed between two releases, by chapter and kind of change, as a table of tinted numbers.

    Parameters
    ----------
    changes : pandas.DataFrame
        From `compare_releases`.
    old, new : EntityTables or pandas.DataFrame
        The tables that were compared; they tell the chapter of each entity: the new one,
        for removed entities the old one.
    title : str, optional
        By default both releases and the number of changes.
    attribution, ax
        As for `plot_hierarchy`.

    Returns
    -------
    matplotlib Axes
        Chapters are rows, kinds of change are columns. No network.

    Raises
    ------
    ConfigurationError
        If nothing changed.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> old, new = (icdframes.load_tables("01", release=release) for release in ("2022-02", "2024-01"))
    >>> ax = icdframes.plot_release_changes(icdframes.compare_releases(old, new), old, new)
    >>> [label.get_text() for label in ax.get_xticklabels()][:3]
    ['added', 'removed', 'recoded']

    """
    if changes.empty:
        raise ConfigurationError(
            "Nothing changed between these releases, there is nothing to draw: compare two others."
        )
    columns = [columns_for(tables, ["entity_id", "chapter", "chapter_title"]) for tables in (new, old)]
    chapters = pd.concat(columns).drop_duplicates("entity_id")
    table = (
        changes[["entity_id", "change"]]
        .merge(chapters, on="entity_id", how="left")
        .pivot_table(index="chapter", columns="change", aggfunc="size", fill_value=0, dropna=False)
    )
    order = chapters.drop_duplicates("chapter")
    rows = [chapter for chapter in order["chapter"] if chapter in table.index]
    kinds = [change for change in CHANGES if change in table.columns]
    table = table.loc[rows, kinds]
    names = dict(zip(order["chapter"], order["chapter_title"], strict=True))
    ax = axes_for(ax, _ROW_MM * (len(table) + 1) + _SURROUNDINGS_MM)
    ax.set(xlim=(-0.5, len(kinds) + 0.5), ylim=(len(rows) + 0.5, -0.5))
    _label_rows(ax, [*(f"{code}\u2002{names[code]}" for code in rows), "total"])
    _label_columns(ax, [*(kind.replace("_", " ") for kind in kinds), "total"])
    ax.spines[:].set_visible(False)
    _draw_cells(ax, table)
    set_title(ax, _title_of_changes(old, new, len(changes)) if title is None else title)
    if attribution:
        attribute(ax, new)
    return ax


def _title_of_changes(old: Tables, new: Tables, n: int) -> str | None:
    """Name both releases; nothing where they are not known."""
    before, after = origin_of(old).get("release"), name_of(origin_of(new))
    return f"{after} compared with {before}: {number_text(n)} changes" if before and after else None


def _label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Write labels of two lines at most, and leave most of the width to what is drawn."""
    measure, width = measure_text(), min(_LABEL_POINTS, _LABEL_SHARE * available_width(ax))
    n_lines = 2 if size_in_points(ax)[1] >= 2 * LINE * len(labels) else 1
    ax.set_yticks(range(len(labels)), ["\n".join(wrap_text(text, width, n_lines, measure)) for text in labels])
    ax.tick_params(labelsize=FONT_SIZE, length=0, axis="y")


def _label_columns(ax: Axes, labels: Sequence[str]) -> None:
    """Write labels above, upright where their words have no room side by side."""
    measure, width = measure_text(), size_in_points(ax)[0] / len(labels)
    fits = all(measure(word) + _GAP <= width for label in labels for word in label.split())
    texts = [label.replace(" ", "\n") for label in labels] if fits else labels
    ax.set_xticks(range(len(labels)), texts, rotation=0 if fits else 90)
    ax.tick_params(labelsize=FONT_SIZE, length=0, axis="x", top=False, labeltop=True, labelbottom=False)


def _bar_table(counts: pd.DataFrame, entities: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[Any]]:
    """Return one row per group, one column per series; labels of the rows, names of the series."""
    keys = list(counts.columns[: list(counts.columns).index("group")])
    if len(keys) > 1:
        raise ConfigurationError(
            f"These counts are split by {', '.join(keys)}, a figure shows one of them at a time: count by one only."
        )
    if "is_total" in counts.columns:
        counts = counts[~counts["is_total"]]
    if counts.empty:
        raise ConfigurationError("There is nothing to draw, no row was counted: give rows to rollup.")
    series = counts[keys[0]].astype("object").fillna("missing") if keys else pd.Series(None, counts.index, dtype=object)
    names = list(dict.fromkeys(series))
    if len(names) > _MOST_SERIES:
        raise ConfigurationError(
            f"{keys[0]} has {len(names)} values, more than {_MOST_SERIES} bars side by side cannot be read: "
            "count by fewer groups of it."
        )
    groups = counts.drop_duplicates("group").set_index("group")["title"]
    place: dict[str, float] = dict.fromkeys(REST, len(entities))
    for column in ("entity_id", "block_id", "code"):
        if column in entities.columns:
            place |= dict(zip(entities[column], range(len(entities)), strict=True))
    order = sorted(groups.index, key=lambda group: place.get(group, 0))
    hidden = counts["n"].isna()
    table = pd.DataFrame(0.0, index=pd.Index(order), columns=pd.Index(names, dtype=object))
    for name, group, n, is_hidden in zip(series, counts["group"], counts["n"], hidden, strict=True):
        table.loc[group, name] = np.nan if is_hidden else float(n)
    labels = [
        group if pd.isna(groups[group]) or groups[group] == group else f"{group}\u2002{groups[group]}"
        for group in order
    ]
    return table, labels, names


def _draw_bars(ax: Axes, values: pd.Series, middles: Any, thick: float, **style: Any) -> None:
    from matplotlib import rcParams  # noqa: PLC0415  optional

    ax.barh(middles, values.fillna(0), height=thick, **style)
    for value, middle in zip(values, middles, strict=True):
        is_hidden = bool(np.isnan(value))
        if is_hidden or value:
            ax.annotate(
                "hidden" if is_hidden else number_text(value),
                (0 if is_hidden else value, middle),
                (2, 0),
                textcoords="offset points",
                va="center_baseline",
                fontsize=FONT_SIZE,
                color=rcParams["text.color"],
                style="italic" if is_hidden else "normal",
            )


def _draw_cells(ax: Axes, table: pd.DataFrame) -> None:
    """Draw numbers on tints by their size, with totals below and to the right."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415  optional

    background = background_of(ax)
    top = np.log1p(table.to_numpy().max())
    sums = table.assign(total=table.sum(axis=1))
    sums.loc["total"] = sums.sum()
    for row, values in enumerate(sums.to_numpy()):
        for column, value in enumerate(values):
            is_total = row == len(table) or column == table.shape[1]
            share = 0.0 if is_total or not value else 0.1 + 0.75 * float(np.log1p(value) / top)
            fill = mixed(OKABE_ITO[0], share, background)
            if share:
                corner = (column - 0.5, row - 0.5)
                ax.add_patch(Rectangle(corner, 1, 1, facecolor=fill, edgecolor=background, linewidth=0.6))
            if value:
                style: Any = {"color": text_on(fill), "fontsize": FONT_SIZE, "ha": "center", "va": "center_baseline"}
                ax.text(column, row, number_text(value), **style)
