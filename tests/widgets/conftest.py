"""A form or tree as a person sees it: by its visible parts."""

import html
import re

import ipywidgets as widgets
import pytest

TOOLTIP = "tooltip" if hasattr(widgets.Text, "tooltip") else "description_tooltip"  # of version 7


class Screen:
    """What a widget shows."""

    def __init__(self, root):
        self.root = root

    def parts(self, kind=widgets.Widget):
        """Return all visible parts of a kind, from the top down."""

        def walk(part):
            if getattr(getattr(part, "layout", None), "display", None) == "none":
                return
            yield part
            for child in getattr(part, "children", ()):
                yield from walk(child)

        return [part for part in walk(self.root) if isinstance(part, kind)]

    @property
    def html(self):
        return "\n".join(part.value for part in self.parts((widgets.HTML, widgets.Label)))

    @property
    def text(self):
        shown = re.sub(r"<style>.*?</style>", "", self.html, flags=re.DOTALL)
        return html.unescape(re.sub(r"<[^>]*>", "", shown))

    @property
    def buttons(self):
        """Return the buttons by what they say, without the sign before it."""
        return {part.description.lstrip("▸▾/ \u2003"): part for part in self.parts(widgets.Button)}

    def button(self, words):
        """Return the first button that begins with some words."""
        return next(part for name, part in self.buttons.items() if name.startswith(words))

    def field(self, words):
        """Return the field of text whose label, hint or explanation begins with some words."""
        return next(
            part
            for part in self.parts(widgets.Text)
            if any((getattr(part, name) or "").startswith(words) for name in ("description", "placeholder", TOOLTIP))
        )

    @property
    def rows(self):
        """Return the rows of the list that shows a hierarchy, without indents."""
        (box,) = self.parts(widgets.Select)
        return [text.strip() for text, _ in box.options]

    def choose(self, words):
        """Choose the first row of the list that has some words."""
        (box,) = self.parts(widgets.Select)
        box.value = next(key for text, key in box.options if words in text)

    def press_enter(self, field):
        """Press Enter in a field, as a front end tells of it."""
        field._msg_callbacks(field, {"event": "submit"}, [])


@pytest.fixture
def see():
    """Return a function that looks at a widget."""
    return Screen
