"""Figures for papers: a hierarchy with counts, counts by chapter, changes of a release.

Made with matplotlib (extra ``plots``) in the style that is set, at the width of a journal's page, with text of at
least 7 points. A plot function returns its Axes; it never shows, saves or closes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from icdframes.analysis.compare import CHANGES
from icdframes.analysis.grouping import columns_for
from icdframes.analysis.lettering import (
    FONT_SIZE,
    GREY,
    LINE,
    OKABE_ITO,
    RGB,
    Measure,
    attribute,
    axes_for,
    background_of,
    entitle,
    fitted,
    measure_text,
    mixed,
    number_text,
    size_in_points,
    text_on,
)
from icdframes.analysis.matching import Tables
from icdframes.analysis.pieces import Box, Counts, Piece, cut, icicle, own_values, treemap
from icdframes.analysis.rollup import UNGROUPED, UNKNOWN, rollup
from icdframes.errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PAD = 2.5
_HEADER = LINE + _PAD
_HIERARCHY_MM, _ROW_MM, _BAR_MM, _SURROUNDINGS_MM = 150.0, 5.6, 3.4, 24.0
_TINTS = (0.55, 0.38, 0.24, 0.14)
_SMALLEST_TILE = 4 * FONT_SIZE * LINE
_LABEL_MM = 66.0
_MOST_SERIES = len(OKABE_ITO)


def plot_hierarchy(
    tables: Tables,
    *,
    entity: str | int | None = None,
    counts: Counts | None = None,
    levels: int = 3,
    kind: Literal["icicle", "treemap"] = "icicle",
    min_share: float | None = None,
    title: str | None = None,
    attribution: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw a branch of a classification, each entity as large as what is counted in it.

    Parameters
    ----------
    tables : EntityTables or pandas.DataFrame
        From `load_tables` or `load_entity`.
    entity : str or int, optional
        Draw what is below this code, id or URI; None draws everything in the tables.
    counts : pandas.Series or mapping, optional
        Numbers by code or entity id, such as ``deaths["dx"].value_counts()``, spelled as
        `annotate` understands them; they add up upwards. By default every entity with
        nothing below it counts 1.
    levels : int, default 3
        How many levels are drawn.
    kind : {"icicle", "treemap"}
        Columns from left to right in tabular order, or tiles inside one another by size.
    min_share : float, optional
        Siblings with less than this share of the whole are drawn together as
        ``other (n)``. By default what could not be labelled; there are never more than
        about 1,000 pieces.
    title : str, optional
        By default the entity and what is counted.
    attribution : bool
        Whether WHO's attribution stands below; leave it out of one panel of several only.
    ax : matplotlib Axes, optional
        By default those of a new figure, 174 mm wide.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ConfigurationError
        If there is nothing to draw, or an option is not known.
    EntityNotFoundError
        If the tables do not hold the entity.
    MissingExtraError
        If matplotlib is not installed.

    Warns
    -----
    PartialResultWarning
        If something is counted under codes that the tables do not hold.

    Notes
    -----
    An entity with several parents is drawn once, below its primary one. Colours (Okabe and
    Ito's, safe for colour-blind readers) only tell neighbouring branches apart.

    See Also
    --------
    save_figure : Write it as PDF, SVG, EPS or PNG.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> ax = plot_hierarchy(tables, levels=2)
    >>> ax.get_title(loc="left")
    '07\u2002Sleep-wake disorders: 82'

    """
    if kind not in {"icicle", "treemap"}:
        raise ConfigurationError(f"kind={kind!r} is not known: give 'icicle' or 'treemap'.")
    if levels < 1:
        raise ConfigurationError(f"levels={levels} draws nothing: give at least 1.")
    values = own_values(tables, counts)
    ax = axes_for(ax, _HIERARCHY_MM)
    ax.set_axis_off()
    branch = cut(tables, values, top=entity, levels=levels, min_share=0)
    entitle(ax, f"{branch.label or 'All'}: {number_text(branch.total)}" if title is None else title)
    if attribution:
        attribute(ax, tables)
    width, height = size_in_points(ax)
    if min_share is None:
        min_share = (LINE + 1) / height if kind == "icicle" else _SMALLEST_TILE / (width * height)
    branch = cut(tables, values, top=entity, levels=levels, min_share=min_share)
    ax.set(xlim=(0, width), ylim=(0, height))
    if kind == "icicle":
        boxes: Sequence[Box | None] = icicle(branch, width, height)
    else:
        boxes = treemap(branch, width, height, header=_HEADER)
    _draw_pieces(ax, branch.pieces, boxes, within=kind == "treemap")
    return ax


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
        counts stay hidden), or a frame of people's data, which is then rolled up by chapter.
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
        Rows in the order of the classification.

    Raises
    ------
    ConfigurationError
        If there is nothing to draw, or more than 6 bars to a row.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import icdframes
    >>> from icdframes.sandbox.examples import example_deaths
    >>> client = icdframes.connect("sandbox")
    >>> ax = plot_chapter_counts(example_deaths(), icdframes.load_tables(release="2024-01"), code="dx", by="sex")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['female', 'male', 'missing']

    """
    if not (isinstance(counts, pd.DataFrame) and {"group", "title", "n"} <= set(counts.columns)):
        counts = rollup(counts, tables, code=code, by=[by] if by else [])
    table, labels, series = _bar_table(counts)
    bar_mm = max(_ROW_MM, _BAR_MM * len(series) + 1)
    ax = axes_for(ax, min(bar_mm * len(table) + _SURROUNDINGS_MM, 235))
    fills = [mixed(colour, 0.85, background_of(ax)) for colour in OKABE_ITO]
    thick = 0.8 / len(series)
    for place, name in enumerate(series):
        middles = np.arange(len(table)) + (place - (len(series) - 1) / 2) * thick
        _draw_bars(ax, table[name], middles, thick * 0.94, fills[place], None if name is None else str(name))
    measure = measure_text()
    points = _LABEL_MM / 25.4 * 72
    ax.set_yticks(range(len(table)), ["\n".join(fitted(text, points, 2, measure)) for text in labels])
    ax.tick_params(labelsize=FONT_SIZE, length=0, axis="y")
    ax.tick_params(labelsize=FONT_SIZE, axis="x")
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.margins(x=0.08)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("Count", fontsize=FONT_SIZE)
    if len(series) > 1:
        ax.legend(fontsize=FONT_SIZE, frameon=False, loc="lower right")
    entitle(ax, title)
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
    title, attribution, ax
        As for `plot_hierarchy`.

    Returns
    -------
    matplotlib Axes

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
    >>> old, new = (icdframes.load_tables(release=release) for release in ("2022-02", "2024-01"))
    >>> from icdframes.analysis.compare import compare_releases
    >>> ax = plot_release_changes(compare_releases(old, new), old, new)
    >>> [label.get_text() for label in ax.get_xticklabels()][:3]
    ['added', 'removed', 'recoded']

    """
    if changes.empty:
        raise ConfigurationError("Nothing changed between these releases: there is nothing to draw.")
    columns = [columns_for(tables, ["entity_id", "chapter", "chapter_title"]) for tables in (new, old)]
    chapters = pd.concat(columns).drop_duplicates("entity_id")
    table = (
        changes[["entity_id", "change"]]
        .merge(chapters, on="entity_id", how="left")
        .groupby(["chapter", "change"], dropna=False)
        .size()
        .unstack(fill_value=0)
    )
    order = chapters.drop_duplicates("chapter")
    rows = [chapter for chapter in order["chapter"] if chapter in table.index]
    kinds = [change for change in CHANGES if change in table.columns]
    table = table.loc[rows, kinds]
    names = dict(zip(order["chapter"], order["chapter_title"], strict=True))
    ax = axes_for(ax, _ROW_MM * (len(table) + 1) + _SURROUNDINGS_MM)
    _draw_cells(ax, table)
    measure = measure_text()
    labels = [fitted(f"{code}\u2002{names[code]}", _LABEL_MM / 25.4 * 72, 1, measure)[0] for code in rows]
    ax.set_yticks(range(len(rows) + 1), [*labels, "total"])
    ax.set_xticks(range(len(kinds) + 1), [*(kind.replace("_", " ") for kind in kinds), "total"])
    ax.tick_params(labelsize=FONT_SIZE, length=0, top=False, labeltop=True, labelbottom=False)
    ax.set(xlim=(-0.5, len(kinds) + 0.5), ylim=(len(rows) + 0.5, -0.5))
    ax.spines[:].set_visible(False)
    entitle(ax, title)
    if attribution:
        attribute(ax, new)
    return ax


def _draw_pieces(ax: Axes, pieces: Sequence[Piece], boxes: Sequence[Box | None], *, within: bool) -> None:
    background, measure = background_of(ax), measure_text()
    opened = {piece.parent for piece, box in zip(pieces, boxes, strict=True) if box}
    for place, (piece, box) in enumerate(zip(pieces, boxes, strict=True)):
        if box is None:
            continue
        colour = GREY if piece.entity_id is None else OKABE_ITO[piece.group % len(OKABE_ITO)]
        fill = mixed(colour, _TINTS[min(piece.level, len(_TINTS)) - 1], background)
        _draw_box(ax, box, fill, background)
        room = Box(box.x, box.y + box.height - _HEADER, box.width, _HEADER) if within and place in opened else box
        _write_label(ax, room, piece, fill, measure)


def _draw_box(ax: Axes, box: Box, fill: RGB, background: RGB) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415  optional

    size = (box.x, box.y), box.width, box.height
    ax.add_patch(Rectangle(*size, facecolor=fill, edgecolor=background, linewidth=0.6))


def _write_label(ax: Axes, box: Box, piece: Piece, fill: RGB, measure: Measure) -> None:
    """Write label and number into a box, as far as they fit."""
    n_lines = int((box.height - 1) // LINE)
    number = number_text(piece.value)
    beside = measure(number) + 2 * _PAD
    width = box.width - 2 * _PAD
    lines = fitted(piece.label, width - beside, n_lines, measure)
    has_number = bool(lines) and (width - beside > 2 * beside or not lines[-1].endswith("…"))
    if not has_number:
        lines = fitted(piece.label, width, n_lines, measure)
    pad = min(_PAD, (box.height - LINE * len(lines)) / 2)
    style: dict[str, Any] = {
        "fontsize": FONT_SIZE, "color": text_on(fill), "va": "top", "linespacing": 1.0, "parse_math": False,
        "in_layout": False,
    }  # fmt: skip
    for place, line in enumerate(lines):
        ax.text(box.x + _PAD, box.y + box.height - pad - place * LINE, line, **style)
    if has_number:
        ax.text(box.x + box.width - _PAD, box.y + box.height - pad, number, ha="right", **style)


def _bar_table(counts: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[Any]]:
    """Give one row per group, one column per series; labels of the rows, names of the series."""
    keys = list(counts.columns[: list(counts.columns).index("group")])
    if len(keys) > 1:
        raise ConfigurationError(f"These counts are split by {', '.join(keys)}: a figure shows one of them at a time.")
    if "is_total" in counts.columns:
        counts = counts[~counts["is_total"]]
    if counts.empty:
        raise ConfigurationError("There is nothing to draw: no row was counted.")
    series = counts[keys[0]].astype("object").fillna("missing") if keys else pd.Series(None, counts.index, dtype=object)
    names = list(dict.fromkeys(series))
    if len(names) > _MOST_SERIES:
        raise ConfigurationError(
            f"{keys[0]} has {len(names)} values: more than {_MOST_SERIES} bars side by side cannot be read."
        )
    groups = counts.drop_duplicates("group").set_index("group")["title"]
    last = [group for group in (UNGROUPED, UNKNOWN) if group in groups.index]
    order = [*(group for group in groups.index if group not in last), *last]
    hidden = counts["n"].isna()
    table = pd.DataFrame(0.0, index=pd.Index(order), columns=pd.Index(names, dtype=object))
    for name, group, n, is_hidden in zip(series, counts["group"], counts["n"], hidden, strict=True):
        table.loc[group, name] = np.nan if is_hidden else float(n)
    labels = [
        group if pd.isna(groups[group]) or groups[group] == group else f"{group}\u2002{groups[group]}"
        for group in order
    ]
    return table, labels, names


def _draw_bars(ax: Axes, values: pd.Series, middles: Any, thick: float, fill: RGB, name: str | None) -> None:
    from matplotlib import rcParams  # noqa: PLC0415  optional

    ax.barh(middles, values.fillna(0), height=thick, color=fill, label=name)
    for value, middle in zip(values, middles, strict=True):
        text = "hidden" if np.isnan(value) else number_text(value)
        ax.annotate(
            text,
            (0 if np.isnan(value) else value, middle),
            (2, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=FONT_SIZE,
            color=rcParams["text.color"],
            style="italic" if np.isnan(value) else "normal",
        )


def _draw_cells(ax: Axes, table: pd.DataFrame) -> None:
    """Draw numbers on tints by their size, with totals below and to the right."""
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
                _draw_box(ax, Box(column - 0.5, row - 0.5, 1, 1), fill, background)
            if value:
                style = {"color": text_on(fill), "fontsize": FONT_SIZE, "ha": "center", "va": "center_baseline"}
                ax.text(column, row, number_text(value), **style)
