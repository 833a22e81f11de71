"""Bridge what differs between versions of ipywidgets and front ends: tooltips, focus, keys, the clipboard.

JupyterLab takes keys that are typed in an output as its own shortcuts (ipywidgets issue 3912), unless the element has
an attribute, which ipywidgets cannot set: `claim_shortcuts` sets it by anywidget, for keys without Ctrl, Alt or Meta
only, so that Ctrl+S still saves the notebook. Without anywidget the mouse does everything.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import ipywidgets as widgets

_TOOLTIP = "tooltip" if hasattr(widgets.Text, "tooltip") else "description_tooltip"

TREE_CSS = """
.icdframes-rows, .icdframes-boxes { overflow: auto; padding: 2px; border-radius: 4px;
  border: 1px solid var(--jp-border-color1, #bdbdbd); color: var(--jp-ui-font-color1, inherit); }
.icdframes [role=treeitem] { display: flex; gap: 6px; padding: 2px 4px; line-height: 1.4; cursor: pointer;
  min-height: 24px; box-sizing: border-box; border-radius: 3px; }
.icdframes [role=treeitem]:hover { background: var(--jp-layout-color2, rgba(128, 128, 128, 0.15)); }
.icdframes [role=treeitem]:focus { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.icdframes [role=treeitem] .turn { flex: 0 0 1em; text-align: center; }
.icdframes [role=treeitem] .code { flex: 0 0 auto; font-family: var(--jp-code-font-family, monospace); }
.icdframes [role=treeitem] .code:empty { display: none; }
.icdframes [role=treeitem] .name { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
"""
"""How the rows of a tree look, with and without boxes."""

TYPE_AHEAD = """
const typeAhead = (count, textsOf) => {
  let typed = "", typedAt = 0;
  return (letter, current) => {  // the place of the next row that begins with what was typed, or -1
    const now = performance.now();
    typed = now - typedAt < 800 ? typed + letter : letter;
    typedAt = now;
    const first = typed.length === 1 ? 1 : 0;
    for (let step = 0; step < count(); step++) {
      const place = (current + first + step) % count();
      if (textsOf(place).some((text) => text.toLowerCase().startsWith(typed))) return place;
    }
    return -1;
  };
};
"""
"""Find the row of a tree whose code or title begins with the letters that are typed one after the other."""

_ESM = """
const MARK = "data-lm-suppress-shortcuts";
const claimKeys = (box) => {
  const decide = (event) => {
    if (!box.contains(event.target)) return;
    const theirs = event.ctrlKey || event.metaKey || event.altKey;  // the mark counts on the element itself only
    if (theirs) event.target.removeAttribute(MARK);
    else event.target.setAttribute(MARK, "true");
  };
  window.addEventListener("keydown", decide, true);  // before JupyterLab, which listens at the document
  return () => window.removeEventListener("keydown", decide, true);
};
const moveThroughHits = (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const search = event.target.closest(".icdframes-search");
  if (!step || !search) return;
  const field = search.querySelector("input"), hits = [...search.querySelectorAll(".icdframes-hit button")];
  const next = hits.indexOf(event.target) + step;
  if (!hits.length || (event.target === field && step < 0)) return;
  (next < 0 ? field : hits[Math.min(next, hits.length - 1)]).focus();
  event.preventDefault();
};
const copy = (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const say = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "copy"; }, 1500); };
  navigator.clipboard.writeText(button.dataset.copy).then(() => say("copied"), () => say("not allowed here"));
};
export default {
  render({ el }) {
    el.style.display = "none";
    let release = () => {};
    const watch = (tries) => {
      const box = el.closest(".icdframes");
      if (box) {
        release = claimKeys(box);
        box.classList.add("icdframes-live");
        box.addEventListener("keydown", moveThroughHits, true);  // a field lets no key through
        box.addEventListener("click", copy);
      } else if (tries) requestAnimationFrame(() => watch(tries - 1));
    };
    watch(600);
    return () => release();
  },
};
"""


def explained(text: str) -> dict[str, str]:
    """Return the keyword that explains a box or list; buttons have ``tooltip`` in every version."""
    return {_TOOLTIP: text}


def focus(part: Any) -> None:
    """Put the keyboard into a part, where this version can: version 7 leaves it where it is."""
    if hasattr(part, "focus"):
        part.focus()


def has_anywidget() -> bool:
    """Return whether anywidget is installed beside the kernel."""
    return find_spec("anywidget") is not None


def claim_shortcuts() -> tuple[Any, ...]:
    """Return what to put among the children of a widget whose keys are its own; empty without anywidget."""
    return (_mark_class()(),) if has_anywidget() else ()


@cache
def _mark_class() -> Any:
    import anywidget  # noqa: PLC0415  only where it is installed

    class Mark(anywidget.AnyWidget):
        _esm = _ESM

    return Mark
