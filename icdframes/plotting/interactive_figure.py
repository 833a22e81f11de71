"""Draw a hierarchy with counts to click through with plotly (extra ``interactive``)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

from icdframes.analysis.matching import Tables
from icdframes.errors import MissingExtraError, check_option, check_whole
from icdframes.frames.provenance import classification_name
from icdframes.plotting.layout import Counts, aggregate, own_values, prune
from icdframes.plotting.style import OKABE_ITO, number_text, origin_of, source_line

if TYPE_CHECKING:
    import plotly.graph_objects as go


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
