"""Sizes, colours and texts of a figure.

Colours are those of Okabe and Ito, which people with the usual kinds of colour blindness tell apart, mixed with the
background so that the text of the style in use stays readable. No colour carries a meaning that is not written too.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from icdframes.analysis.matching import Tables, entities_of
from icdframes.errors import ConfigurationError, MissingExtraError
from icdframes.frames.atomic import check_target, written_beside
from icdframes.frames.provenance import classification_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
GREY = "#808080"
FONT_SIZE, TITLE_SIZE = 7.0, 9.0
LINE = 1.2 * FONT_SIZE
WIDTHS_MM = {"single": 84.0, "double": 174.0}  # one and two columns of a journal's page

Width: TypeAlias = Literal["single", "double"] | float
RGB: TypeAlias = tuple[float, float, float]
Measure: TypeAlias = Callable[[str], float]

ON_SCREEN = 0.94  # letters fitted to the pixels of a screen are wider than on paper
_FORMATS = (".pdf", ".svg", ".eps", ".png")
_MM_PER_INCH, _POINTS_PER_INCH = 25.4, 72.0
MM_PER_POINT = _MM_PER_INCH / _POINTS_PER_INCH
_NARROWEST_MM, _WIDEST_MM = 50.0, 1_000.0
_READABLE = 4.5  # the contrast that WCAG 2 asks of text
_EDGE = 4.0  # what stays free beside a figure's contents
_MANY_LINES = 9
_SHORTEST = 3  # signs that are left of a shortened label
_FINE = 10  # sub-points, so that the widths of hinted letters are exact
_IDEOGRAPH = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_WORD = re.compile(rf"[{_IDEOGRAPH}]\s*|[^\s{_IDEOGRAPH}]+\s*")


def save_figure(
    figure: Axes | Figure, path: str | os.PathLike[str], *, dpi: float = 300, overwrite: bool = False
) -> Path:
    """Write a figure for a paper, at exactly the size it has.

    Parameters
    ----------
    figure : matplotlib Axes or Figure
        What a plot function returned, or its figure.
    path : path
        Ends in ``.pdf``, ``.svg``, ``.eps`` (vectors) or ``.png``; the folder must exist.
        Text in PDF and EPS is embedded as TrueType (type 42), as journals ask.
    dpi : float
        Pixels per inch of a PNG.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    pathlib.Path
        The file. No network.

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07")
    >>> axes = icdframes.plot_hierarchy(tables)
    >>> icdframes.save_figure(axes, Path(tempfile.mkdtemp()) / "sleep.pdf").name
    'sleep.pdf'

    """
    import matplotlib as mpl  # noqa: PLC0415  optional

    target = check_target(path, overwrite=overwrite, suffixes=_FORMATS)
    whole = figure if hasattr(figure, "savefig") else getattr(figure, "figure")  # noqa: B009
    options: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "savefig.bbox": None}

    def write(temporary: Path) -> None:
        with mpl.rc_context(options):
            whole.savefig(temporary, dpi=dpi, format=target.suffix[1:])

    with written_beside(target, write) as temporary:
        temporary.replace(target)
    return target


def width_in_mm(width: Width) -> float:
    """Return the width of a new figure.

    Raises
    ------
    ConfigurationError
        If it is neither the name of a width nor a number of millimetres that something can be drawn in.

    """
    found = WIDTHS_MM.get(width) if isinstance(width, str) else float(width)
    if found is None or not _NARROWEST_MM <= found <= _WIDEST_MM:
        raise ConfigurationError(
            f"width={width!r} is no width of a figure: give 'single' (84 mm), 'double' (174 mm) or millimetres "
            f"from {_NARROWEST_MM:.0f} to {_WIDEST_MM:.0f}."
        )
    return found


def axes_for(ax: Axes | None, height_mm: float, width: Width = "double") -> Axes:
    """Return the axes, or new ones of a new figure of a size.

    A figure that lays nothing out gets matplotlib's constrained layout: else long
    labels would lie outside of it. Axes that were put somewhere by hand stay there.
    """
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("Plotting", "plots") from error
    if ax is not None:
        figure = ax.get_figure(root=True)
        if figure is not None and figure.get_layout_engine() is None and ax.get_subplotspec() is not None:
            figure.set_layout_engine("constrained")
        return ax
    size = (width_in_mm(width) / _MM_PER_INCH, height_mm / _MM_PER_INCH)
    return plt.subplots(figsize=size, layout="constrained")[1]


def set_height(ax: Axes, height_mm: float) -> None:
    """Make the figure of new axes higher."""
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.set_figheight(height_mm / _MM_PER_INCH)


def set_title(ax: Axes, title: str | None, *, pad: float | None = None) -> None:
    """Write a title where there is one, in lines as wide as the axes and some points above them."""
    if title:
        width = size_in_points(ax)[0] * FONT_SIZE / TITLE_SIZE
        ax.set_title(_broken(title, width), loc="left", pad=pad, fontsize=TITLE_SIZE, parse_math=False)


def attribute(ax: Axes, tables: Tables, below: Any = None, *, note: str = "", source: bool = True) -> Any:
    """Write a note, and WHO's name and licence, in small letters below the axes or what stands below them."""
    return ax.annotate(
        footer(ax, tables, note=note, source=source),
        xy=(1, 0),
        xycoords=("axes fraction", below or "axes fraction"),
        xytext=(0, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=FONT_SIZE,
        alpha=0.75,
        annotation_clip=False,
        parse_math=False,
    )


def footer(ax: Axes, tables: Tables, *, note: str = "", source: bool = True) -> str:
    """Return what stands below a figure, in lines that fit."""
    texts = [note, source_line(origin_of(tables)) if source else ""]
    return _broken("\n".join(filter(None, texts)), _room_to_the_left(ax))


def _room_to_the_left(ax: Axes) -> float:
    """Return how many points there are from the right edge of axes to the left edge of their share of the figure."""
    size_in_points(ax)  # lays the figure out
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None or spec is None:
        return size_in_points(ax)[0]
    shares: Any = spec.get_gridspec().get_width_ratios()
    left = figure.bbox.x0 + figure.bbox.width * sum(shares[: spec.colspan.start]) / sum(shares)
    points = (ax.get_window_extent().x1 - left) / figure.dpi * _POINTS_PER_INCH
    return float(min(points - _EDGE, available_width(ax)))


def origin_of(tables: Tables) -> dict[str, Any]:
    """Return what is known of where tables come from."""
    return entities_of(tables).attrs.get("provenance") or {}


def source_line(origin: dict[str, Any]) -> str:
    """Return the attribution that fits under a figure."""
    terms = str(origin.get("licence", "")).rpartition(", ")[2]
    return ", ".join(filter(None, (classification_name(origin), "World Health Organization", terms)))


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return width and height of axes as they will be drawn."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ConfigurationError("These axes belong to no figure: give those of one, or leave ax out.")
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    extent = ax.get_window_extent()
    return extent.width / figure.dpi * _POINTS_PER_INCH, extent.height / figure.dpi * _POINTS_PER_INCH


def available_width(ax: Axes) -> float:
    """Return how many points wide axes and their labels may be together: their share of the figure."""
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None or spec is None:
        return size_in_points(ax)[0]
    shares: Any = spec.get_gridspec().get_width_ratios()
    share = sum(shares[column] for column in spec.colspan) / sum(shares)
    return float(share * figure.bbox.width / figure.dpi * _POINTS_PER_INCH - 2 * _EDGE)


def measure_text() -> Measure:
    """Return a function that tells how many points wide a text is in the font of the style."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415  optional
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415  optional

    renderer: Any = RendererAgg(1, 1, _POINTS_PER_INCH * _FINE)  # type: ignore[no-untyped-call]
    font = FontProperties(size=FONT_SIZE)

    @cache
    def width(text: str) -> float:
        found: float = renderer.get_text_width_height_descent(text, font, ismath=False)[0]
        return found / _FINE

    return width


def wrap_text(text: str, width: float, n_lines: int, measure: Measure) -> list[str]:
    """Break a text into lines that fit, the last with an ellipsis where there is more; none if nothing fits."""
    lines = [""]
    for word in _WORD.findall(text):
        if lines[-1] and measure((lines[-1] + word).rstrip()) > width:
            lines.append(word)
        else:
            lines[-1] += word
    wide = next((place for place, line in enumerate(lines) if measure(line.rstrip()) > width), len(lines))
    if wide == len(lines) <= n_lines:
        return [line.rstrip() for line in lines]
    for last in range(min(wide, n_lines - 1), -1, -1):
        rest = _cut("".join(lines[last:]), width, measure)
        if len(rest) >= _SHORTEST:
            return [*(line.rstrip() for line in lines[:last]), f"{rest}…"]
    return []


def _cut(text: str, width: float, measure: Measure) -> str:
    """Return the longest beginning of a text that fits with an ellipsis; halving, as some texts have 20,000 signs."""
    begins = range(len(text) + 1)
    longest = bisect_right(begins, width, key=lambda end: measure(f"{_end_of_word(text[:end])}…")) - 1
    return _end_of_word(text[: max(longest, 0)])


def _end_of_word(text: str) -> str:
    return text.rstrip(" ,;:-(\u2002")


def _broken(text: str, width: float) -> str:
    measure = measure_text()
    return "\n".join(
        line for part in text.splitlines() for line in wrap_text(part, ON_SCREEN * width, _MANY_LINES, measure)
    )


def number_text(value: float) -> str:
    """Write a count: whole ones in full, others with three signs."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"


def background_of(ax: Axes) -> RGB:
    """Return the colour that axes stand on."""
    from matplotlib.colors import to_rgba  # noqa: PLC0415  optional

    parent: Figure | SubFigure | None = ax.get_figure()
    fill = to_rgba(ax.get_facecolor())
    if fill[3] == 0 and parent is not None:
        fill = to_rgba(parent.get_facecolor())
    return (fill[0], fill[1], fill[2])


def mixed(colour: str, share: float, background: RGB) -> RGB:
    """Return a share of a colour on a background."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415  optional

    parts = [share * strong + (1 - share) * weak for strong, weak in zip(to_rgb(colour), background, strict=True)]
    return (parts[0], parts[1], parts[2])


def text_on(fill: RGB) -> str:
    """Return the text colour of the style where it can be read on a fill, else black or white."""
    from matplotlib import rcParams  # noqa: PLC0415  optional
    from matplotlib.colors import to_rgb  # noqa: PLC0415  optional

    own = str(rcParams["text.color"])
    if contrast(to_rgb(own), fill) >= _READABLE:
        return own
    return max(("black", "white"), key=lambda colour: contrast(to_rgb(colour), fill))


def contrast(one: RGB, other: RGB) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: RGB) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]  # noqa: PLR2004
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
