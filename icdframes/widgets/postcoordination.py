"""A builder of clusters: an axis of a stem, its values, the cluster in code and words, and whether it is valid."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from icdframes.coding.checks import check_codes
from icdframes.coding.clusters import ClusterTables, build_cluster, find_row
from icdframes.errors import EntityNotFoundError, IcdError
from icdframes.model.entity import Axis
from icdframes.widgets.markup import STYLE, message

if TYPE_CHECKING:
    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

_SHOWN = 200
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COPY = """
export default {
  render({ model, el }) {
    const button = document.createElement("button");
    button.className = "jupyter-button lm-Widget";
    button.style.margin = "2px";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the cluster");
    button.onclick = async () => {
      const text = model.get("text");
      try { await navigator.clipboard.writeText(text); }
      catch { const area = document.createElement("textarea"); area.value = text; document.body.append(area);
        area.select(); document.execCommand("copy"); area.remove(); button.focus(); }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    };
    el.append(button);
  },
};
"""


class PostcoordinationBuilder(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Build a cluster: choose an axis of the stem, then one or several of its values.

    Tab goes from the axis to the field that narrows the values, to the list of values (arrow keys, Space), to the
    buttons. The cluster, its label and WHO's verdict follow at once.

    Parameters
    ----------
    tables : EntityTables
        The release, with axes.
    stem : str, optional
        Code of the stem; `show` shows another.
    client : IcdClient, optional
        Asked for the axes of stems, and for the values of an axis, that the tables do not hold.

    Attributes
    ----------
    code : str
        The cluster, or the stem alone.

    Notes
    -----
    Network: none where the tables have axes; with `client` and other tables one load for each stem and each axis.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> builder = icdframes.PostcoordinationBuilder(icdframes.load_tables(release="2024-01"), "1A00")
    >>> builder.add("XN8P1")
    >>> builder.code
    '1A00&XN8P1'
    >>> builder.show("BA41")
    >>> builder.code
    'BA41'

    """

    code = traitlets.Unicode("")

    def __init__(self, tables: EntityTables, stem: str | None = None, *, client: IcdClient | None = None) -> None:
        self._tables = tables
        self._reader = ClusterTables(tables)
        self._client = client
        self._stem = ""
        self._chosen: tuple[str, ...] = ()
        self._axes: tuple[Axis, ...] = ()
        self._axis = widgets.Dropdown(description="Axis", options=(), layout=widgets.Layout(width="auto"))
        self._filter = widgets.Text(
            description="Find", placeholder="narrow the values", layout=widgets.Layout(width="auto")
        )
        self._values = widgets.SelectMultiple(description="Values", rows=7, layout=widgets.Layout(width="auto"))
        self._add = widgets.Button(
            description="Add to the cluster", layout=widgets.Layout(width="auto", flex="0 0 auto")
        )
        self._clear = widgets.Button(description="Start again", layout=widgets.Layout(width="auto", flex="0 0 auto"))
        self._cluster = widgets.Text(description="Cluster", disabled=False, layout=widgets.Layout(width="auto"))
        self._label = widgets.HTML()
        self._copy = _copy_button()
        self._body = widgets.VBox(
            [
                self._axis,
                self._filter,
                self._values,
                widgets.HBox(
                    [self._add, self._clear, *self._copy],
                    layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
                ),
                self._cluster,
            ],
        )
        super().__init__([widgets.HTML(STYLE), self._body, self._label])
        self.add_class("icdframes").add_class("icdframes-postcoordination")
        self._axis.observe(lambda _change: self._fill(), "value")
        self._filter.observe(lambda _change: self._fill(), "value")
        self._add.on_click(lambda _button: self._add_selected())
        self._clear.on_click(lambda _button: self.show(self._stem))
        self._cluster.observe(self._typed, "value")
        self.show(stem or "")

    def __repr__(self) -> str:
        return f"<PostcoordinationBuilder code={self.code!r}>"

    def show(self, stem: str) -> None:
        """Start with another stem, or with none.

        Parameters
        ----------
        stem : str
            Its code; an empty text shows nothing.

        """
        self._stem, self._chosen, self._axes = stem, (), ()
        if stem:
            try:
                self._axes = self._axes_of(stem)
            except IcdError as error:
                self._label.value = message(str(error), "bad")
                self._body.layout.display = "none"
                return
        self._body.layout.display = None if self._axes else "none"
        self._filter.value = ""
        self._axis.options = [(_axis_name(axis), axis.axis) for axis in self._axes]
        self._axis.value = self._axes[0].axis if self._axes else None
        self._fill()
        self._tell()

    def add(self, *values: str) -> None:
        """Add values to the cluster: what the button does.

        Parameters
        ----------
        *values : str
            Codes.

        """
        self._chosen = tuple(dict.fromkeys((*self._chosen, *values)))
        self._tell()

    def _add_selected(self) -> None:
        """Add the selected values; where none is and one alone is listed, that one."""
        listed = [code for _, code in self._values.options]
        self.add(*(self._values.value or (listed if len(listed) == 1 else ())))

    def _axes_of(self, stem: str) -> tuple[Axis, ...]:
        try:
            row = find_row(self._reader, stem)
        except EntityNotFoundError:
            if self._client is None:
                raise
            row = -1
        if self._reader.axes.get(row) or self._client is None or self._reader.has_axes:
            return tuple(self._reader.axes.get(row, ()))
        self._merge([stem], depth=0)
        return tuple(self._reader.axes.get(find_row(self._reader, stem), ()))

    def _merge(self, entities: list[str], depth: int | None = None) -> None:
        """Load more entities, and read them together with the tables."""
        if self._client is None:
            return
        provenance = self._tables.provenance
        more = self._client.load_tables(
            entities, classification=provenance.classification, release=provenance.release, depth=depth
        )
        joined = {
            name: pd.concat([more.frames[name], frame], ignore_index=True)
            for name, frame in self._tables.frames.items()
        }
        joined["entities"] = joined["entities"].drop_duplicates("entity_id", ignore_index=True)
        self._tables = type(self._tables)(
            joined["entities"],
            joined["edges"].drop_duplicates(ignore_index=True),
            joined["terms"],
            joined["references"],
            joined["axes"].drop_duplicates(ignore_index=True),
            provenance,
        )
        self._reader = ClusterTables(self._tables)

    def _fill(self) -> None:
        axis = next((one for one in self._axes if one.axis == self._axis.value), None)
        if axis is None:
            self._offer([])
            return
        lost = [key for key in axis.scale_entity_ids if key not in self._reader.rows]
        if lost and self._client is not None:
            self._merge(lost)
        columns = self._reader.columns
        wanted = self._filter.value.casefold().split()
        options = []
        for row in self._reader.values_of(find_row(self._reader, self._stem), axis):
            text = f"{columns['code'][row]}  {columns['title'][row] or ''}"
            if all(word in text.casefold() for word in wanted):
                options.append((text, columns["code"][row]))
        more = len(options) - _SHOWN
        self._offer(options[:_SHOWN])
        self._values.description = "Values" if more <= 0 else f"Values ({more} more)"

    def _offer(self, options: list[tuple[str, str]]) -> None:
        """Offer values, where they are others: anew, they would take back what was just selected."""
        if list(self._values.options) != options:
            with self._values.hold_sync():  # apart, the browser would look for the old selection in the new list
                self._values.options = options

    def _tell(self) -> None:
        self.code = build_cluster(self._stem, self._chosen) if self._stem else ""
        self._cluster.value = self.code
        for copy in self._copy:
            copy.text = self.code
        self._judge()

    def _typed(self, change: Any) -> None:
        if change["new"] != self.code:
            self.code = change["new"]
            for copy in self._copy:
                copy.text = self.code
            self._judge()

    def _judge(self) -> None:
        if not self._stem:
            self._label.value = ""
            return
        if not self._axes:
            self._label.value = message("This entity has no axes in these tables.")
            return
        told = check_codes(self.code, self._tables).astype(object).iloc[0]
        told = told.where(told.notna(), None)
        if told["valid"] is None:
            verdict = message(str(told["reason"] or ""))
        else:
            verdict = message(
                "WHO takes it." if told["valid"] else str(told["reason"]), "good" if told["valid"] else "bad"
            )
        advice = f'<div class="icdframes-quiet">{escape(told["advice"])}</div>' if told["advice"] else ""
        self._label.value = f"<div>{escape(told['title'] or '')}</div>{verdict}{advice}"


def _axis_name(axis: Axis) -> str:
    return _WORDS.sub(" ", axis.axis).lower() + (" (required)" if axis.required else "")


def _copy_button() -> tuple[Any, ...]:
    """Return a button that copies, or nothing without anywidget: then the cluster is copied from its field."""
    return (_copy_class()(),) if find_spec("anywidget") else ()


@cache
def _copy_class() -> Any:
    import anywidget  # noqa: PLC0415  only where it is installed

    class Copy(anywidget.AnyWidget):
        _esm = _COPY
        text = traitlets.Unicode("").tag(sync=True)

    return Copy
