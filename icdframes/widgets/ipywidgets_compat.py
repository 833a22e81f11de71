"""Decide per version of ipywidgets how a form part is explained and focused: Google Colab has version 7."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

_TOOLTIP = "tooltip" if hasattr(widgets.Text, "tooltip") else "description_tooltip"


def explained(text: str) -> dict[str, str]:
    """Return the keyword that explains a box or list; buttons have ``tooltip`` in every version."""
    return {_TOOLTIP: text}


def focus(part: Any) -> None:
    """Put the keyboard into a part, where this version can: version 7 leaves it where it is."""
    if hasattr(part, "focus"):
        part.focus()
