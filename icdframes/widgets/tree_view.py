"""Show the open part of a hierarchy: a tree by anywidget where the front end has it, else a list with indents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import ipywidgets as widgets
import traitlets

from icdframes.widgets.markup import TREE_CSS, TYPE_AHEAD, explained, has_anywidget

_CSS = (
    TREE_CSS
    + """
.icdframes-rows { max-height: 420px; min-height: 5em; resize: vertical; }
.icdframes-rows [aria-selected=true] { background: var(--jp-layout-color3, rgba(128, 128, 128, 0.3)); }
.icdframes-hierarchy:has(.icdframes-rows) > .icdframes-list { display: none; }
"""
)
_ESM = (
    TYPE_AHEAD
    + """
export default {
  render({ model, el }) {
    const tree = document.createElement("div");
    tree.className = "icdframes-rows";
    tree.setAttribute("role", "tree");
    tree.setAttribute("aria-label", "Classification");
    el.append(tree);
    let rows = [], current = 0, waiting = 0;
    const item = (place) => tree.children[place];
    const part = (name, text, hidden) => {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = text;
      if (hidden) span.setAttribute("aria-hidden", "true");
      return span;
    };
    const make = (key) => {
      const line = document.createElement("div");
      line.setAttribute("role", "treeitem");
      line.dataset.key = key;
      line.tabIndex = -1;
      return line;
    };
    const fill = (line, row) => {
      for (const [name, value] of [["level", row.level], ["posinset", row.place], ["setsize", row.size]]) {
        line.setAttribute(`aria-${name}`, value);
      }
      if (!row.leaf) line.setAttribute("aria-expanded", row.open ? "true" : "false");
      line.style.paddingLeft = `${4 + 14 * (row.level - 1)}px`;
      line.replaceChildren(part("turn", row.leaf ? "" : row.open ? "\\u25BE" : "\\u25B8", true));
      if (row.code) line.append(part("code", row.code));
      line.append(part("name", row.title));
    };
    const mark = () => {
      const selected = model.get("selected");
      rows.forEach((row, place) => item(place).setAttribute("aria-selected", String(row.key === selected)));
    };
    const move = (place, focus) => {
      if (!rows[place]) return;
      if (item(current)) item(current).tabIndex = -1;
      current = place;
      item(place).tabIndex = 0;
      if (focus) item(place).focus({ preventScroll: true });
      const top = item(place).offsetTop - tree.offsetTop, bottom = top + item(place).offsetHeight;
      if (top < tree.scrollTop) tree.scrollTop = top;
      else if (bottom > tree.scrollTop + tree.clientHeight) tree.scrollTop = bottom - tree.clientHeight;
    };
    const draw = () => {  // rows that stay are not taken out, or the keyboard would fall to the notebook
      const focused = tree.contains(document.activeElement), before = rows[current] && rows[current].key;
      rows = model.get("rows");
      const keys = new Set(rows.map((row) => row.key));
      for (const line of [...tree.children]) if (!keys.has(line.dataset.key)) line.remove();
      rows.forEach((row, place) => {
        let line = item(place);
        if (!line || line.dataset.key !== row.key) {
          line = make(row.key);
          tree.insertBefore(line, item(place) || null);
        }
        fill(line, row);
      });
      mark();
      const place = rows.findIndex((row) => row.key === (focused ? before : model.get("selected")));
      move(place < 0 ? 0 : place, focused);
    };
    const choose = (place, wait) => {
      move(place, true);
      const key = rows[place].key;
      clearTimeout(waiting);
      waiting = setTimeout(() => { model.set("selected", key); model.save_changes(); mark(); }, wait);
    };
    const send = (type, place) => { clearTimeout(waiting); model.send({ type, key: rows[place].key }); };
    const ahead = typeAhead(() => rows.length, (place) => [rows[place].code || "", rows[place].title]);
    const find = (letter) => {
      const place = ahead(letter, current);
      if (place >= 0) choose(place, 150);
    };
    const above = () => {
      for (let place = current - 1; place >= 0; place--) if (rows[place].level < rows[current].level) return place;
      return current;
    };
    tree.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !rows[current]) return;
      const row = rows[current];
      const keys = {
        ArrowDown: () => choose(Math.min(current + 1, rows.length - 1), 80),
        ArrowUp: () => choose(Math.max(current - 1, 0), 80),
        Home: () => choose(0, 80),
        End: () => choose(rows.length - 1, 80),
        ArrowRight: () => !row.leaf && (row.open ? choose(current + 1, 80) : send("open", current)),
        ArrowLeft: () => row.open ? send("close", current) : choose(above(), 80),
        Enter: () => send(row.open ? "close" : "open", current),
      };
      const act = keys[event.key] || (event.key.length === 1 ? () => find(event.key.toLowerCase()) : null);
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    tree.addEventListener("click", (event) => {
      const line = event.target.closest("[role=treeitem]");
      if (!line) return;
      const place = [...tree.children].indexOf(line), row = rows[place];
      move(place, true);
      const again = event.target.className === "turn" || row.key === model.get("selected");
      send(row.open && again ? "close" : "open", place);
    });
    const hear = (content) => {
      const place = rows.findIndex((row) => row.key === content.focus);
      if (place >= 0) move(place, true);
    };
    const follow = () => {
      mark();
      const place = rows.findIndex((row) => row.key === model.get("selected"));
      if (place >= 0 && !tree.contains(document.activeElement)) move(place, false);
    };
    model.on("change:rows", draw);
    model.on("change:selected", follow);
    model.on("msg:custom", hear);
    draw();
    return () => { model.off("change:rows", draw); model.off("change:selected", follow); };
  },
};
"""
)
_INDENT = "\u2003"


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One row of an open hierarchy.

    Attributes
    ----------
    key : str
        Its way from the top, since an entity may stand in several places.
    code, title : str
        What is shown.
    level : int
        1 is the top.
    place, size : int
        Which of how many siblings that are shown it is, from 1.
    leaf, open : bool
        Whether nothing is below it, and whether what is below it is shown.

    """

    key: str
    code: str | None
    title: str
    level: int
    place: int
    size: int
    leaf: bool
    open: bool


Act = Literal["select", "open", "close", "only"]


class TreeView(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Rows of a hierarchy of which one is selected.

    Parameters
    ----------
    on_act : callable
        Called with what is done and the key of the row: ``select``, ``open`` or ``close`` in the tree; ``only``
        where a row was chosen in the list, which has no way to close what is open beside it.

    """

    def __init__(self, on_act: Callable[[Act, str], object]) -> None:
        self._on_act = on_act
        self._quiet = False
        self._list = widgets.Select(
            **explained("Classification"), layout=widgets.Layout(width="auto", min_width="0", height="420px")
        )
        self._list.add_class("icdframes-list")
        self._list.observe(self._chosen_in_list, "value")
        self._tree = _tree_class()() if has_anywidget() else None
        if self._tree is not None:
            self._tree.observe(self._chosen_in_tree, "selected")
            self._tree.on_msg(self._told)
        super().__init__([part for part in (self._list, self._tree) if part is not None])
        self.add_class("icdframes-hierarchy")

    def show(self, rows: Sequence[TreeRow], selected: str | None) -> None:
        """Show rows from the top down, and which is selected."""
        options = tuple((_line(row), row.key) for row in rows)
        known = {row.key for row in rows}
        chosen = selected if selected in known else None
        self._quiet = True
        try:
            with self._list.hold_sync():
                if self._list.options != options:
                    self._list.options = options
                if self._list.value != chosen:
                    self._list.value = chosen
            if self._tree is not None:
                with self._tree.hold_sync():
                    self._tree.rows = [asdict(row) for row in rows]
                    self._tree.selected = chosen or ""
        finally:
            self._quiet = False

    def focus_on(self, key: str) -> None:
        """Put the keyboard on a row."""
        if self._tree is not None:
            self._tree.send({"focus": key})

    def _chosen_in_list(self, change: Mapping[str, Any]) -> None:
        if not self._quiet and change["new"] is not None:
            self._on_act("only", change["new"])

    def _chosen_in_tree(self, change: Mapping[str, Any]) -> None:
        if not self._quiet and change["new"]:
            self._on_act("select", change["new"])

    def _told(self, _tree: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        act, key = content.get("type"), content.get("key")
        if act in {"open", "close"} and isinstance(key, str):
            self._on_act(act, key)


def _line(row: TreeRow) -> str:
    sign = "·" if row.leaf else "▾" if row.open else "▸"
    return f"{_INDENT * (row.level - 1)}{sign} {'  '.join(text for text in (row.code, row.title) if text)}"


@cache
def _tree_class() -> Any:
    import anywidget  # noqa: PLC0415  only where it is installed

    class HierarchyRows(anywidget.AnyWidget):
        _esm = _ESM
        _css = _CSS
        rows: Any = traitlets.List().tag(sync=True)
        selected = traitlets.Unicode("").tag(sync=True)

    return HierarchyRows
