"""Draw a hierarchy with counts: a figure for a paper (extra ``plots``), or one to click through (``interactive``).

The figure is drawn in the style that is set, one or two columns of a page wide, with text of at least 7 points; nothing
is shown, saved or closed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from icdframes.analysis.matching import Tables
from icdframes.errors import MissingExtraError, check_option, check_whole
from icdframes.frames.provenance import classification_name
from icdframes.plotting.layout import Box, Counts, Node, aggregate, count_rows, icicle, own_values, prune, treemap
from icdframes.plotting.style import (
    FONT_SIZE,
    GREY,
    LINE,
    MM_PER_POINT,
    OKABE_ITO,
    ON_SCREEN,
    RGB,
    Measure,
    Width,
    attribute,
    axes_for,
    background_of,
    footer,
    measure_text,
    mixed,
    number_text,
    origin_of,
    set_title,
    size_in_points,
    source_line,
    text_on,
    wrap_text,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.axes import Axes

_PAD = 2.5
_HEADER = LINE + _PAD
_LEAST_MM, _MOST_MM, _SURROUNDINGS_MM = {"icicle": 40.0, "treemap": 90.0}, 150.0, 16.0
_TINTS = (0.55, 0.38, 0.24, 0.14)
_PALER = 0.7
_SMALLEST_TILE = (5 * FONT_SIZE) ** 2
_ASCENT, _SHORT_WORD = 0.85 * FONT_SIZE, 3.6 * FONT_SIZE


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
    width: Width = "double",
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
        ``other (n)``, or not at all where there is no larger one. By default what could
        not be labelled; there are never more than about 1,000 pieces. What is put together on the first level,
        such as small chapters, is named below the figure.
    title : str, optional
        By default the entity and what is counted.
    attribution : bool
        Whether WHO's attribution stands below; leave it out of one panel of several only.
    width : {"single", "double"} or float, default "double"
        Of a new figure: 84 mm, 174 mm, or millimetres; its height follows from what is drawn, 150 mm at most.
    ax : matplotlib Axes, optional
        By default those of a new figure. A figure that lays nothing out gets
        matplotlib's constrained layout. Labels are fitted to the room that is there: among
        several panels draw this one last.

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
    Ito's, safe for colour-blind readers) only tell neighbouring branches apart. No network.

    See Also
    --------
    save_figure : Write it as PDF, SVG, EPS or PNG.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> ax = icdframes.plot_hierarchy(tables, levels=2)
    >>> ax.get_title(loc="left").split(": ")[1]
    '73 leaf entities'

    """
    check_option("kind", kind, ("icicle", "treemap"))
    check_whole("levels", levels, least=1)
    branch = aggregate(tables, own_values(tables, counts), entity)
    least_mm = _LEAST_MM[kind]
    height_mm = min(max(count_rows(branch, levels) * (LINE + 1) * MM_PER_POINT + _SURROUNDINGS_MM, least_mm), _MOST_MM)
    ax = axes_for(ax, height_mm, width)
    ax.set_axis_off()
    what = f"{number_text(branch.total)} {'leaf entities' if counts is None else 'counted'}"
    set_title(
        ax, f"{branch.label or classification_name(origin_of(tables)) or 'All'}: {what}" if title is None else title
    )
    below = attribute(ax, tables, source=attribution)
    nodes, note = list[Node](), ""
    for _ in range(2):  # a note takes some of the height, and what is named in it depends on the height
        points = size_in_points(ax)
        least = (LINE + 1) / points[1] if kind == "icicle" else _SMALLEST_TILE / (points[0] * points[1])
        nodes = prune(branch, levels=levels, min_share=least if min_share is None else min_share)
        note = "; ".join(_note(node) for node in nodes if node.level == 1 and node.members)
        below.set_text(footer(ax, tables, note=note, source=attribution))
    points = size_in_points(ax)
    ax.set(xlim=(0, points[0]), ylim=(0, points[1]))
    if kind == "icicle":
        boxes: Sequence[Box | None] = icicle(nodes, branch.total, *points)
    else:
        boxes = treemap(nodes, branch.total, *points, header=_HEADER, narrowest=_SHORT_WORD + 2 * _PAD)
    _draw_pieces(ax, nodes, boxes, within=kind == "treemap")
    return ax


def _note(node: Node) -> str:
    """Name what is put together on the first level."""
    return f"{node.label}: {', '.join(node.members)}"


def _draw_pieces(ax: Axes, nodes: Sequence[Node], boxes: Sequence[Box | None], *, within: bool) -> None:
    background, measure = background_of(ax), measure_text()
    opened = {node.parent for node, box in zip(nodes, boxes, strict=True) if box}
    right = ax.get_xlim()[1]
    for place, (node, box) in enumerate(zip(nodes, boxes, strict=True)):
        if box is None:
            continue
        turn, hue = divmod(node.group, len(OKABE_ITO))  # beyond the palette the hues come again, every other time paler
        colour = GREY if node.entity_id is None else OKABE_ITO[hue]
        fill = mixed(colour, _TINTS[min(node.level, len(_TINTS)) - 1] * _PALER ** (turn % 2), background)
        if within:
            room = Box(box.x, box.y + box.height - _HEADER, box.width, _HEADER) if place in opened else box
            _draw_box(ax, box, fill, background)
        else:  # to the edge of the page; what is drawn of the levels below lies upon it
            whole = Box(box.x, box.y, right - box.x, box.height)
            room = box if place in opened else whole
            _draw_box(ax, whole, fill, background)
        _write_label(ax, room, node, fill, measure)


def _draw_box(ax: Axes, box: Box, fill: RGB, background: RGB) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415  optional

    size = (box.x, box.y), box.width, box.height
    ax.add_patch(Rectangle(*size, facecolor=fill, edgecolor=background, linewidth=0.6))


def _write_label(ax: Axes, box: Box, node: Node, fill: RGB, measure: Measure) -> None:
    """Write label and number into a box, as far as they fit; a code is never cut."""
    n_lines = int((box.height - 1) // LINE)
    number = number_text(node.value)
    width = box.width - 2 * _PAD
    beside = (width - measure(number) - 3 * _PAD) * ON_SCREEN
    code = node.label.partition("\u2002")[0] if "\u2002" in node.label else ""
    has_number, lines = False, list[str]()
    for text, room in ((node.label, beside), (node.label, width), (code, width)):
        lines = wrap_text(text, room, n_lines, measure) if room >= min(measure(text), _SHORT_WORD) else []
        has_number = room < width
        if lines and lines[0].startswith(code):
            break
    pad = min(_PAD, (box.height - LINE * len(lines)) / 2)
    baseline = box.y + box.height - pad - _ASCENT
    style: Any = {
        "fontsize": FONT_SIZE, "color": text_on(fill), "va": "baseline", "parse_math": False, "in_layout": False,
    }  # fmt: skip
    for place, line in enumerate(lines):
        ax.text(box.x + _PAD, baseline - place * LINE, line, **style)
    if lines and has_number:
        ax.text(box.x + box.width - _PAD, baseline, number, ha="right", **style)


def interactive_hierarchy(
    tables: Tables,
    *,
    entity: str | int | None = None,
    counts: Counts | None = None,
    levels: int = 3,
    kind: Literal["icicle", "treemap", "sunburst"] = "icicle",
    min_share: float = 0.001,
    title: str | None = None,
) -> go.Figure:
    """Draw a branch of a classification as a figure that zooms where it is clicked.

    Parameters
    ----------
    tables, entity, counts, levels, title
        As for `plot_hierarchy`.
    kind : {"icicle", "treemap", "sunburst"}
        Which of plotly's figures.
    min_share : float, default 0.001
        Siblings with less than this share of the whole are drawn together as
        ``other (n)``; there are never more than about 1,000 pieces, since a page with
        tens of thousands hangs.

    Returns
    -------
    plotly.graph_objects.Figure
        WHO's attribution stands below it. No network.

    Raises
    ------
    ConfigurationError
        If there is nothing to draw, or an option is not known.
    EntityNotFoundError
        If the tables do not hold the entity.
    MissingExtraError
        If plotly is not installed.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> figure = icdframes.interactive_hierarchy(tables, levels=2)  # doctest: +SKIP

    """
    check_option("kind", kind, ("icicle", "treemap", "sunburst"))
    check_whole("levels", levels, least=1)
    try:
        import plotly.graph_objects as go  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("An interactive figure", "interactive") from error
    branch = aggregate(tables, own_values(tables, counts), entity)
    nodes = prune(branch, levels=levels, min_share=min_share)
    whole = branch.label or classification_name(origin_of(tables)) or "All"
    trace = {"icicle": go.Icicle, "treemap": go.Treemap, "sunburst": go.Sunburst}[kind](
        ids=["all", *map(str, range(len(nodes)))],
        labels=[escape(whole), *(escape(node.label) for node in nodes)],
        parents=["", *("all" if node.parent is None else str(node.parent) for node in nodes)],
        values=[branch.total, *(node.value for node in nodes)],
        branchvalues="total",
        **({} if kind == "treemap" else {"leaf": {"opacity": 1}}),  # paler ones cannot be read on a dark page
        marker={"colors": ["rgba(0,0,0,0)", *(OKABE_ITO[node.group % len(OKABE_ITO)] for node in nodes)]},
    )
    what = f"{number_text(branch.total)} {'leaf entities' if counts is None else 'counted'}"
    return go.Figure(
        trace,
        layout={
            "title": {"text": escape(f"{whole}: {what}" if title is None else title)},
            "uniformtext": {"minsize": 9, "mode": "hide"},
            "margin": {"l": 8, "r": 8, "t": 48, "b": 32},
            "annotations": [
                {
                    "text": escape(source_line(origin_of(tables))),
                    "showarrow": False,
                    "xref": "paper",
                    "yref": "paper",
                    "x": 1,
                    "y": 0,
                    "yshift": -24,
                    "font": {"size": 10},
                }
            ],
        },
    )
