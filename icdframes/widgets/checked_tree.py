"""A tree with three-state boxes for the browser, by anywidget: list boxes have neither boxes nor levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from icdframes.errors import MissingExtraError
from icdframes.widgets.markup import TREE_CSS, TYPE_AHEAD

State = Literal["in", "out", "none", "mixed"]

_CSS = (
    TREE_CSS
    + """
.icdframes-boxes { max-height: 360px; font-size: 0.95em; }
.icdframes-boxes .box { flex: 0 0 1.1em; text-align: center; font-weight: 700; }
.icdframes-boxes .inherited .box { opacity: 0.55; font-weight: 400; }
.icdframes-boxes .out .name, .icdframes-boxes .out .code { text-decoration: line-through; }
"""
)
_ESM = (
    TYPE_AHEAD
    + """
const SIGN = { in: "\\u2611", out: "\\u2612", none: "\\u2610", mixed: "\\u25EA" };
const WORD = { in: "in the list", out: "left out", none: "not in the list", mixed: "partly in the list" };
export default {
  render({ model, el }) {
    const tree = document.createElement("div");
    tree.className = "icdframes-boxes";
    tree.setAttribute("role", "tree");
    tree.setAttribute("aria-label", "Classification, with a box for each entity");
    tree.setAttribute("aria-multiselectable", "true");
    el.append(tree);
    const items = new Map();
    let current = null;
    const all = () => [...tree.children];
    const show = (item, state, own) => {
      item.classList.toggle("inherited", !own);
      item.classList.toggle("out", state === "out");
      item.setAttribute("aria-checked", state === "in" ? "true" : state === "mixed" ? "mixed" : "false");
      item.querySelector(".box").textContent = SIGN[state];
      item.setAttribute("aria-description", WORD[state] + (own ? "" : ", inherited"));
    };
    const make = (row, level, place, size) => {
      const item = document.createElement("div");
      item.id = model.model_id ? `i${model.model_id}-${row.id.replace("/", "-")}` : "";
      item.setAttribute("role", "treeitem");
      item.tabIndex = -1;
      item.dataset.id = row.id;
      item.dataset.level = level;
      item.setAttribute("aria-level", level);
      item.setAttribute("aria-posinset", place);
      item.setAttribute("aria-setsize", size);
      if (!row.leaf) item.setAttribute("aria-expanded", "false");
      const texts = { turn: row.leaf ? "" : "\\u25B8", box: "", code: row.code || "", name: row.title };
      for (const [name, text] of Object.entries(texts)) {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = text;
        if (name === "turn" || name === "box") part.setAttribute("aria-hidden", "true");
        item.append(part);
      }
      item.style.paddingLeft = `${4 + 16 * (level - 1)}px`;
      show(item, row.state, row.own);
      items.set(row.id, item);
      return item;
    };
    const focus = (item) => {
      if (!item) return;
      if (current) current.tabIndex = -1;
      current = item;
      item.tabIndex = 0;
      item.focus();
      item.scrollIntoView({ block: "nearest" });
    };
    const below = (item) => {
      const found = [], level = +item.dataset.level;
      let next = item.nextElementSibling;
      for (; next && +next.dataset.level > level; next = next.nextElementSibling) found.push(next);
      return found;
    };
    const turn = (item, open) => {
      item.setAttribute("aria-expanded", open ? "true" : "false");
      item.querySelector(".turn").textContent = open ? "\\u25BE" : "\\u25B8";
    };
    const close = (item) => {
      for (const child of below(item)) { items.delete(child.dataset.id); child.remove(); }
      turn(item, false);
    };
    const open = (item) => model.send({ type: "open", id: item.dataset.id });
    const fill = ({ parent, rows }) => {
      const above = parent === null ? null : items.get(parent);
      if (parent !== null && !above) return;
      if (above) close(above);
      const level = above ? +above.dataset.level + 1 : 1;
      const part = document.createDocumentFragment();
      rows.forEach((row, place) => part.append(make(row, level, place + 1, rows.length)));
      if (above) { above.after(part); turn(above, true); } else { tree.replaceChildren(part); }
      if (!current || !current.isConnected) { current = tree.firstElementChild; if (current) current.tabIndex = 0; }
      tree.dataset.opened = parent === null ? "" : parent;
    };
    const hear = (content) => {
      if (content.type === "level") fill(content);
      for (const [id, [state, own]] of Object.entries(content.states || {})) {
        if (items.has(id)) show(items.get(id), state, own);
      }
      if (content.type === "focus" && items.has(content.id)) focus(items.get(content.id));
    };
    model.on("msg:custom", hear);
    const textsOf = (item) => [".code", ".name"].map((part) => item.querySelector(part).textContent);
    const ahead = typeAhead(() => tree.children.length, (place) => textsOf(tree.children[place]));
    const find = (letter) => focus(tree.children[ahead(letter, all().indexOf(current))]);
    tree.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const item = current, list = all(), at = list.indexOf(item);
      const expanded = item && item.getAttribute("aria-expanded");
      const keys = {
        ArrowDown: () => focus(list[at + 1]),
        ArrowUp: () => focus(list[at - 1]),
        Home: () => focus(list[0]),
        End: () => focus(list[list.length - 1]),
        ArrowRight: () => expanded === "false" ? open(item) : expanded === "true" && focus(list[at + 1]),
        ArrowLeft: () => {
          if (expanded === "true") return close(item);
          focus(list.slice(0, at).reverse().find((other) => +other.dataset.level < +item.dataset.level));
        },
        " ": () => model.send({ type: "toggle", id: item.dataset.id }),
        Enter: () => model.send({ type: "select", id: item.dataset.id }),
      };
      const act = keys[event.key] || (event.key.length === 1 ? () => find(event.key.toLowerCase()) : null);
      if (!act || !item) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    tree.addEventListener("click", (event) => {
      const item = event.target.closest("[role=treeitem]");
      if (!item) return;
      focus(item);
      if (event.target.classList.contains("turn")) {
        const expanded = item.getAttribute("aria-expanded");
        if (expanded === "true") close(item); else if (expanded === "false") open(item);
      } else if (event.target.classList.contains("box")) model.send({ type: "toggle", id: item.dataset.id });
      else model.send({ type: "select", id: item.dataset.id });
    });
    model.send({ type: "ready" });
    return () => model.off("msg:custom", hear);
  },
};
"""
)


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row as the browser shows it: id, code, title, whether it is a leaf, state, and whether a rule is its own."""

    id: str
    code: str | None
    title: str
    leaf: bool
    state: State
    own: bool


Hear = Callable[[str, str], object]


def checked_tree(hear: Hear) -> Any:
    """Return a tree that tells what is done with it: ``ready``, or ``open``, ``toggle``, ``select`` with an id.

    Raises
    ------
    MissingExtraError
        If anywidget is not installed.

    """
    tree = _tree_class()()

    def on_message(_widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        hear(str(content.get("type")), str(content.get("id", "")))

    tree.on_msg(on_message)
    return tree


def send_level(tree: Any, parent: str | None, rows: Sequence[CheckedRow]) -> None:
    """Show the rows below a parent, or the first level."""
    tree.send({"type": "level", "parent": parent, "rows": [asdict(row) for row in rows]})


def send_states(tree: Any, states: Mapping[str, tuple[State, bool]]) -> None:
    """Show other states."""
    tree.send({"type": "states", "states": {key: list(state) for key, state in states.items()}})


def send_focus(tree: Any, entity_id: str) -> None:
    """Put the keyboard on a row that is shown."""
    tree.send({"type": "focus", "id": entity_id})


@cache
def _tree_class() -> Any:
    try:
        import anywidget  # noqa: PLC0415  only where it is installed
    except ImportError as error:
        raise MissingExtraError("A tree with boxes", "keyboard") from error

    class CheckedTree(anywidget.AnyWidget):
        _esm = _ESM
        _css = _CSS

    return CheckedTree
