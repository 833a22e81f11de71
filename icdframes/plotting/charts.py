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
from icdframes.errors import ConfigurationError, check_whole
from icdframes.frames.provenance import classification_name
from icdframes.plotting.style import (
    FONT_SIZE,
    LINE,
    MM_PER_POINT,
    OKABE_ITO,
    Width,
    attribute,
    available_width,
    axes_for,
    background_of,
    measure_text,
    mixed,
    number_text,
    origin_of,
    set_height,
    set_title,
    size_in_points,
    text_on,
    wrap_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_MM, _BAR_MM, _SURROUNDINGS_MM, _HIGHEST_MM = 6.4, 3.4, 24.0, 235.0
_LABEL_POINTS, _LABEL_SHARE = 187.0, 0.36
_NARROW, _NARROW_SHARE = 300.0, 0.44  # one column of a page: titles need more of it
_GAP = 3.0
_SERIES = tuple(OKABE_ITO[place] for place in (0, 1, 2, 4, 5, 3))  # neighbours differ in a grey print, too
_MOST_BESIDE = len(_SERIES)
_MOST_SERIES = 2 * _MOST_BESIDE
_MOST_TICKS = 9
_LEGEND_SHARE = 0.8
_OTHER = "other"


def plot_chapter_counts(
    counts: Any,
    tables: Tables,
    *,
    code: str = "code",
    by: str | None = None,
    top: int | None = None,
    title: str | None = None,
    attribution: bool = True,
    width: Width = "double",
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
        For people's data, a column by which the bars are split, such as sex; up to 6 values stand side by side,
        up to 12 in one bar.
    top : int, optional
        Draw so many of the largest groups, and the others together as ``other (n)``. By default as many as one page
        of 235 mm has room for.
    title, attribution, width, ax
        As for `plot_hierarchy`; the height of a new figure follows the number of bars.

    Returns
    -------
    matplotlib Axes
        Rows in the order of the classification. No network.

    Raises
    ------
    ConfigurationError
        If there is nothing to draw, or more than 12 values to a row.
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
    if top is not None:
        check_whole("top", top, least=1)
    table, labels, series = _bar_table(counts, entities_of(tables))
    is_stacked = len(series) > _MOST_BESIDE
    bar_mm = max(_ROW_MM, 1 if is_stacked else _BAR_MM * len(series) + 1)
    table, labels = _largest(table, labels, int((_HIGHEST_MM - _SURROUNDINGS_MM) / bar_mm) if top is None else top)
    is_new, height_mm = ax is None, bar_mm * len(table) + _SURROUNDINGS_MM
    ax = axes_for(ax, height_mm, width)
    (_draw_stacked if is_stacked else _draw_side_by_side)(ax, table, series)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.margins(x=0.08)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_xlabel("Count", fontsize=FONT_SIZE)
    _label_rows(ax, labels)
    n_lines = _write_legend(ax) if len(series) > 1 else 0
    set_title(ax, title, pad=(n_lines + 1) * LINE if n_lines else None)
    if attribution:
        attribute(ax, tables, ax.xaxis.label)
    if is_new:
        _make_room(ax, labels, height_mm)
    _mark_counts(ax)
    return ax


def plot_release_changes(
    changes: pd.DataFrame,
    old: Tables,
    new: Tables,
    *,
    title: str | None = None,
    attribution: bool = True,
    width: Width = "double",
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
    attribution, width, ax
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
    is_new, height_mm = ax is None, _ROW_MM * (len(table) + 1) + _SURROUNDINGS_MM
    ax = axes_for(ax, height_mm, width)
    ax.set(xlim=(-0.5, len(kinds) + 0.5), ylim=(len(rows) + 0.5, -0.5))
    labels = [*(f"{code}\u2002{names[code]}" for code in rows), "total"]
    _label_rows(ax, labels)
    _label_columns(ax, [*(kind.replace("_", " ") for kind in kinds), "total"])
    ax.spines[:].set_visible(False)
    _draw_cells(ax, table)
    set_title(ax, _title_of_changes(old, new, len(changes)) if title is None else title)
    if attribution:
        attribute(ax, new)
    if is_new:
        _make_room(ax, labels, height_mm)
    return ax


def _title_of_changes(old: Tables, new: Tables, n: int) -> str | None:
    """Name both releases; nothing where they are not known."""
    before, after = origin_of(old).get("release"), classification_name(origin_of(new))
    return f"{after} compared with {before}: {number_text(n)} changes" if before and after else None


def _label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Write labels of two lines at most, and leave most of the width to what is drawn."""
    whole = available_width(ax)
    measure, width = measure_text(), min(_LABEL_POINTS, (_LABEL_SHARE if whole > _NARROW else _NARROW_SHARE) * whole)
    n_lines = 2 if size_in_points(ax)[1] >= 2 * LINE * len(labels) else 1
    ax.set_yticks(range(len(labels)), ["\n".join(wrap_text(text, width, n_lines, measure)) for text in labels])
    ax.tick_params(labelsize=FONT_SIZE, length=0, axis="y")


def _make_room(ax: Axes, labels: Sequence[str], height_mm: float) -> None:
    """Make a new figure higher where what stands around the axes has left too little for labels of two lines."""
    missing = 2 * LINE * len(labels) - size_in_points(ax)[1]
    if missing > 0:
        set_height(ax, min(height_mm + missing * MM_PER_POINT + 1, _HIGHEST_MM))
        _label_rows(ax, labels)


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
            f"{keys[0]} has {len(names)} values, more than {_MOST_SERIES} parts of a bar cannot be told apart: "
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
    return table, _labels_of(groups[order], entities), names


def _labels_of(titles: pd.Series, entities: pd.DataFrame) -> list[str]:
    """Return code and title of each group; of a block its range of codes, and of what has no code the title alone."""
    names: dict[str, str] = {}
    if {"entity_id", "code"} <= set(entities.columns):
        names = dict.fromkeys(entities.loc[entities["code"].isna(), "entity_id"], "")
    if {"block_id", "code_range"} <= set(entities.columns):
        blocks = entities[entities["block_id"].notna()]
        names |= dict(zip(blocks["block_id"], blocks["code_range"].astype(object).fillna(""), strict=True))
    labels = []
    for group, title in zip(titles.index.astype(str), titles, strict=True):
        has_title = not pd.isna(title) and title != group
        parts = [names.get(group, group), str(title)] if has_title else [group]
        labels.append("\u2002".join(filter(None, parts)))
    return labels


def _largest(table: pd.DataFrame, labels: list[str], most: int) -> tuple[pd.DataFrame, list[str]]:
    """Keep so many of the largest groups in their order, and put the others together in a last row."""
    if len(table) <= most:
        return table, labels
    order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    rest = [group for group in order if group not in REST]
    kept = set(rest[: max(most - 1, 1)]) | set(REST)
    is_kept = table.index.isin(list(kept))
    others = table[~is_kept]
    is_hidden = " and hidden counts" if others.isna().to_numpy().any() else ""
    row = others.sum(axis=0).to_frame(_OTHER).T
    shown = [label for label, keep in zip(labels, is_kept, strict=True) if keep]
    return pd.concat([table[is_kept], row]), [*shown, f"other ({number_text(len(others))}){is_hidden}"]


def _draw_side_by_side(ax: Axes, table: pd.DataFrame, series: Sequence[Any]) -> None:
    fills = [mixed(colour, 0.85, background_of(ax)) for colour in _SERIES]
    thick = 0.8 / len(series)
    for place, name in enumerate(series):
        middles = np.arange(len(table)) + (place - (len(series) - 1) / 2) * thick
        label = None if name is None else str(name)
        values = table[name]
        ax.barh(middles, values.fillna(0), height=thick * 0.94, color=fills[place], label=label)
        for value, middle in zip(values, middles, strict=True):
            _write_count(ax, 0.0 if np.isnan(value) else value, middle, is_hidden=bool(np.isnan(value)))


def _draw_stacked(ax: Axes, table: pd.DataFrame, series: Sequence[Any]) -> None:
    """Draw one bar a row; beyond the palette the same hues come again, paler and hatched."""
    background, left = background_of(ax), np.zeros(len(table))
    for place, name in enumerate(series):
        turn, hue = divmod(place, _MOST_BESIDE)
        values = table[name].fillna(0).to_numpy()
        ax.barh(
            np.arange(len(table)), values, left=left, height=0.7, label=str(name), edgecolor=background, linewidth=0.4,
            color=mixed(_SERIES[hue], 0.45 if turn else 0.85, background), hatch="////" if turn else None,
        )  # fmt: skip
        left += values
    for row, (value, is_hidden) in enumerate(zip(left, table.isna().any(axis=1), strict=True)):
        _write_count(ax, value, row, is_hidden=bool(is_hidden))


def _write_count(ax: Axes, value: float, middle: float, *, is_hidden: bool) -> None:
    """Write a count beside its bar; nothing where nothing is counted."""
    from matplotlib import rcParams  # noqa: PLC0415  optional

    if value or is_hidden:
        ax.annotate(
            " + ".join([*([number_text(value)] if value else []), *(["hidden"] if is_hidden else [])]),
            (value, middle),
            (2, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=FONT_SIZE,
            color=rcParams["text.color"],
            style="italic" if is_hidden else "normal",
        )


def _write_legend(ax: Axes) -> int:
    """Write the legend above, in as many lines as it needs; return how many."""
    measure, names = measure_text(), ax.get_legend_handles_labels()[1]
    wide = max(measure(name) for name in names) + 4 * FONT_SIZE
    columns = int(max(1, min(len(names), _LEGEND_SHARE * available_width(ax) // wide)))
    above: Any = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": columns, "borderaxespad": 0}
    ax.legend(fontsize=FONT_SIZE, frameon=False, **above)
    return -(-len(names) // columns)


def _mark_counts(ax: Axes) -> None:
    """Write numbers in full below the axes, so few that they do not touch."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter  # noqa: PLC0415  optional

    room = size_in_points(ax)[0] / (measure_text()(number_text(ax.get_xlim()[1])) + 4 * _GAP)
    ax.xaxis.set_major_locator(
        MaxNLocator(max(1, min(_MOST_TICKS, int(room))), integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
    )
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.tick_params(labelsize=FONT_SIZE, axis="x")


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
