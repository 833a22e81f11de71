"""Keep keys typed in a widget from being taken as JupyterLab's shortcuts.

JupyterLab moves between cells, or deletes one, on keys that are typed in a list
box of an output (ipywidgets issue 3912), unless the list box is marked by an
attribute, which ipywidgets cannot set: this is the one place where anywidget is
of use. Without anywidget everything but the arrow keys works.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

_ESM = """
export default {
  render({ el }) {
    el.style.display = "none";
    const mark = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    const watch = (tries) => {
      const box = el.closest(".icdframes");
      if (box) box.addEventListener("focusin", mark);
      else if (tries) requestAnimationFrame(() => watch(tries - 1));
    };
    watch(600);
  },
};
"""


def claim_shortcuts() -> tuple[Any, ...]:
    """Return what to put among the children of a widget whose keys are its own; empty without anywidget."""
    return (_mark_class()(),) if find_spec("anywidget") else ()


@cache
def _mark_class() -> Any:
    import anywidget  # noqa: PLC0415  only where it is installed

    class Mark(anywidget.AnyWidget):
        _esm = _ESM

    return Mark
