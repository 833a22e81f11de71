"""Lay a table out for reading in a notebook: a pandas Styler with its source, tooltips and a limit of rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from icdframes.errors import ConfigurationError, MissingExtraError, check_whole, did_you_mean
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import SAMPLE, classification_name, rows_text

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_FIRST = ("code", "title")
_ONE_LINE = ("code", "code_range")
_MARKS_AN_ENTITY = frozenset({"entity_id", *_FIRST})
_LEFT_OUT = frozenset({
    "entity_id", "parent_id", "block_id", "foundation_id", "linearization_id", "foundation_uri", "uri", "browser_url",
    "fully_specified_name", "n_children", "is_leaf", "is_residual", "translated",
})  # fmt: skip
_DEEPEST = 30
_INDENT = 1.2  # em a level
_ROW_LIMITS = ("styler.render.max_rows", "styler.render.max_elements")
_CELL = "vertical-align: top; padding: 4px 10px; "
_TEXT = f"{_CELL}text-align: left; white-space: normal; max-width: 40em; overflow-wrap: break-word"
_LONG_TEXT = f"{_TEXT}; min-width: 14em"
_CODE = f"{_CELL}text-align: left; white-space: nowrap"
_NUMBER = f"{_CELL}text-align: right; font-variant-numeric: tabular-nums"
_LONG = 30  # letters
_AROUND: Any = [
    {"selector": "caption", "props": "caption-side: top; text-align: left; color: inherit; padding: 4px 0"},
    {"selector": "th.row_heading", "props": f"{_CELL}text-align: left"},
]


def style(
    frame: pd.DataFrame,
    *,
    columns: Hashable | Iterable[Hashable] | None = None,
    max_rows: int | None = 100,
    max_text: int | None = 100,
    tables: EntityTables | pd.DataFrame | None = None,
) -> Styler:
    """Lay a table out for reading: code and title first, long texts cut, its source above.

    Where the table has columns `depth` and `title`, the title is indented by its depth. The whole of a text that was
    cut shows under the mouse. What is missing is blank; every text is shown as it is, never read as HTML.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table of icdframes, or one of your own. It is not changed.
    columns : str or sequence of str, optional
        The columns to show, in this order. By default all of them, code and title first; of tables of entities (with
        `entity_id`, `code` and `title`) ids, addresses, flags and columns that would be empty are left out, and
        named above the table.
    max_rows : int, optional
        Rows to show, 100 by default; the text above the table names the limit. None for all, up to pandas' own
        limits ``styler.render.max_rows`` and ``styler.render.max_elements``.
    max_text : int, optional
        Letters of a text to show, 100 by default; None for whole texts.
    tables : EntityTables or DataFrame, optional
        Where the titles come from, for a frame of your own: names the source and WHO's licence.

    Returns
    -------
    pandas.io.formats.style.Styler
        For a notebook; ``.to_html()`` writes it, and every method of a Styler, such as ``.bar(subset="n")``, goes on
        from it. No network.

    Raises
    ------
    ConfigurationError
        If there is no such column, or a limit is no number.
    MissingExtraError
        If jinja2 is not installed, with which pandas makes HTML.

    Notes
    -----
    The same as ``frame.icd.style(...)``. The frame itself keeps every row and column: export that, not the Styler.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> frame = icdframes.load_entity("07", release="2024-01")
    >>> print(icdframes.style(frame[["code", "title"]], max_rows=3).to_string(delimiter=" | "))
    code | title
    07 | Sleep-wake disorders
    ...
    >>> print(icdframes.style(frame, max_rows=3).caption)
    ICD-11 MMS 2024-01, en, the sandbox's sample: first 3 of ... rows (max_rows=None for all)...CC BY-ND 3.0 IGO...

    """
    _check_frame(frame)
    for option, limit in (("max_rows", max_rows), ("max_text", max_text)):
        if limit is not None:
            check_whole(option, limit, least=1, more=", or None for all")
    places, left_out = _choose(frame if max_rows is None else frame.head(max_rows), columns)
    n_rows = _row_limit(len(frame), len(places), max_rows)
    shown = frame.iloc[:n_rows, places]
    styler = _styler_of(shown)
    kinds = [_kind(*column) for column in shown.items()]
    labels = list(styler.columns)  # those of the frame where no two are equal
    texts: dict[Any, Any] = {
        label: partial(_cell_text, max_text) for label, kind in zip(labels, kinds, strict=True) if kind != _NUMBER
    }
    cells: dict[Any, Any] = {
        label: [{"selector": "", "props": kind}] for label, kind in zip(labels, kinds, strict=True)
    }
    styler = styler.format(texts, na_rep="").set_table_styles(cells, axis=0)
    titles = [label for label, name in zip(labels, shown.columns, strict=True) if name == "title"]
    styler = _indent(styler, titles, _depths(frame.iloc[:n_rows]))
    styler = styler.set_table_styles(_AROUND, overwrite=False)
    return styler.set_caption(_caption(frame, tables, n_rows, max_rows, left_out))


def _check_frame(frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        hint = ": give one of its tables, such as tables.entities" if isinstance(frame, EntityTables) else ""
        raise TypeError(f"A pandas DataFrame is wanted here, but this is a {type(frame).__name__}{hint}.")


def _choose(frame: pd.DataFrame, columns: Hashable | Iterable[Hashable] | None) -> tuple[list[int], list[str]]:
    """Return the places of the columns to show, and the names of those that are left out unasked."""
    names: list[Any] = list(frame.columns)
    n_rows = len(frame)
    if columns is None:
        first = [place for name in _FIRST for place, other in enumerate(names) if other == name and "code" in names]
        order = [*first, *(place for place in range(len(names)) if place not in set(first))]
        if not _MARKS_AN_ENTITY.issubset(names):
            return order, []
        indented = {"depth"} if _depths(frame) is not None else set()
        dull = {
            place
            for place, name in enumerate(names)
            if name not in _FIRST and (name in _LEFT_OUT | indented or (n_rows and frame.iloc[:, place].isna().all()))
        }
        return [place for place in order if place not in dull], [str(names[place]) for place in sorted(dull)]
    if isinstance(columns, str) or not isinstance(columns, Iterable) or (type(columns) is tuple and columns in names):
        wanted: list[Any] = [columns]
    else:
        wanted = list(columns)
    places = []
    for name in wanted:
        found = [place for place, other in enumerate(names) if other == name]
        if not found:
            known = [str(other) for other in names]
            hint = did_you_mean(str(name), known) or f" There are {', '.join(known)}."
            raise ConfigurationError(f"names no column of this table.{hint}", option="columns", value=name)
        places += found
    return places, []


def _row_limit(n_rows: int, n_columns: int, max_rows: int | None) -> int:
    """Return how many rows are shown: where pandas would leave out more, its limit counts."""
    most_rows, most_cells = (pd.get_option(name) for name in _ROW_LIMITS)
    limits: list[int | None] = [n_rows, max_rows, most_rows, most_cells // max(n_columns, 1)]
    return min(limit for limit in limits if limit is not None)


def _styler_of(shown: pd.DataFrame) -> Styler:
    """Return a Styler with unique labels, which a Styler needs, that shows the labels of the frame."""
    flat = shown.set_axis(_unique(shown.index)).set_axis(_unique(shown.columns), axis=1)
    try:
        from pandas.io.formats.style import Styler  # noqa: PLC0415  needs an extra
    except ImportError as error:  # jinja2 is missing, or older than pandas needs
        raise MissingExtraError("A styled table", "plots") from error
    styler = Styler(flat)
    axes: tuple[tuple[Literal[0, 1], pd.Index[Any]], ...] = ((0, shown.index), (1, shown.columns))
    for axis, labels in axes:
        if labels.is_unique:
            styler = styler.format_index(_label_text, axis=axis)
        elif len(labels):
            styler = styler.relabel_index([_label_text(label) for label in labels], axis=axis)
    return styler.hide(axis="index") if _is_plain(shown.index) else styler


def _unique(labels: pd.Index[Any]) -> pd.Index[Any]:
    """Return labels that a Styler can take, their names safe to show: a name is written into HTML as it is."""
    names = [None if name is None else escape(str(name)) for name in labels.names]
    if labels.is_unique:
        return labels.set_names(names)
    return pd.RangeIndex(len(labels), name=" | ".join(filter(None, names)) or None)


def _is_plain(index: pd.Index[Any]) -> bool:
    """Return whether an index is only the number of the row."""
    return isinstance(index, pd.RangeIndex) and index.name is None and (index.start, index.step) == (0, 1)


def _label_text(label: Any) -> str:
    return " | ".join(map(_label_text, label)) if isinstance(label, tuple) else _cell_text(None, label)


def _cell_text(longest: int | None, value: Any) -> str:
    """Write a value as HTML text, cut with the whole of it as its title; what is missing is empty."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    text = str(value)
    if longest is None or len(text) <= longest:
        return escape(text)
    return f'<span title="{escape(text)}">{escape(text[:longest].rstrip(" .,;:"))}…</span>'


def _depths(frame: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the levels of the rows from 0, where the column `depth` holds levels of a hierarchy."""
    if "title" not in frame.columns or list(frame.columns).count("depth") != 1:
        return None
    depths = frame["depth"]
    if not pd.api.types.is_integer_dtype(depths.dtype):
        return None
    depths = depths.fillna(0).astype(int)
    if frame.empty or depths.min() < 0 or depths.max() > _DEEPEST:
        return None
    return depths - depths.min()


def _kind(name: object, column: pd.Series[Any]) -> str:
    """Return how the cells of a column look."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _NUMBER
    if name in _ONE_LINE:
        return _CODE
    is_long = any(isinstance(value, str) and len(value) > _LONG for value in column)
    return _LONG_TEXT if is_long else _TEXT


def _indent(styler: Styler, titles: Sequence[Any], depths: pd.Series[Any] | None) -> Styler:
    if depths is None or not titles:
        return styler
    classes = [f"icd-depth-{depth}" if depth else "" for depth in depths]
    levels: list[Any] = [
        {"selector": f"td.icd-depth-{depth}", "props": f"padding-left: calc(10px + {_INDENT * depth:g}em)"}
        for depth in sorted(set(depths) - {0})
    ]
    styler = styler.set_td_classes(pd.DataFrame(dict.fromkeys(titles, classes), index=styler.index))
    return styler.set_table_styles(levels, overwrite=False)


def _caption(
    frame: pd.DataFrame,
    tables: EntityTables | pd.DataFrame | None,
    n_rows: int,
    max_rows: int | None,
    left_out: Sequence[str],
) -> str:
    """Return what stands above the table: its source, how much of it is shown, and the licence."""
    source = frame if tables is None else tables.entities if isinstance(tables, EntityTables) else tables
    origin = source.attrs.get("provenance")
    origin = origin if isinstance(origin, dict) else {}
    sample = SAMPLE if origin.get("is_sample") else None
    what = ", ".join(filter(None, (classification_name(origin), origin.get("language"), sample)))
    count = rows_text(len(frame))
    if n_rows < len(frame):
        limit = "max_rows=None for all" if n_rows == max_rows else "pandas' options styler.render allow no more"
        count = f"first {n_rows:,} of {count} ({limit})"
    lines = [f"{what}: {count}" if what else count]
    if left_out:
        lines.append(f"Not shown: {', '.join(left_out)} (columns=frame.columns for all)")
    if origin.get("licence"):
        lines.append(f"Source: {origin['licence']}")
    first, *rest = (escape(line, quote=False) for line in lines)
    small = "".join(f'<br><span style="font-size: 0.85em; opacity: 0.8">{line}</span>' for line in rest)
    return f"{first}{small}"
