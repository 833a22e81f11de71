"""The panes of the tree browser: columns of levels, breadcrumb, details."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from icdframes.model.entity import Entity, Reference
from icdframes.widgets.entity_html import entity_html, heading_html, name_of
from icdframes.widgets.ipywidgets_compat import explained, focus

_VISIBLE = 3
_MOST_LINKS = 40
_REFERENCES = (
    ("Exclusions", "exclusion"),
    ("Coded elsewhere", "child_elsewhere"),
    ("Related in the maternal chapter", "related_maternal"),
    ("Related in the perinatal chapter", "related_perinatal"),
)


class Columns(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """One list box for each open level, of which the last three are seen.

    Parameters
    ----------
    on_pick : callable
        Called with the number of the level and the entity id.

    """

    children: tuple[Any, ...]

    def __init__(self, on_pick: Callable[[int, str], object]) -> None:
        super().__init__(layout=widgets.Layout(grid_gap="6px", width="100%"))
        self._on_pick = on_pick
        self._quiet = False

    def show(self, levels: Sequence[Sequence[Entity]], picked: Sequence[str]) -> None:
        """Show levels from the top down, with the entity that is picked in each (the last may have none)."""
        if len(levels) > len(self.children):
            more = [self._column(number) for number in range(len(self.children), len(levels))]
            self.children = (*self.children, *more)
        self._quiet = True
        try:
            for number, column in enumerate(self.children):
                if number < len(levels):
                    _fill(column, levels[number], picked[number] if number < len(picked) else None)
                seen = len(levels) - _VISIBLE <= number < len(levels)
                column.layout.display = None if seen else "none"
        finally:
            self._quiet = False

    def focus_on(self, number: int) -> None:
        """Put the keyboard into a level."""
        focus(self.children[number])

    def _column(self, number: int) -> widgets.Select:
        column = widgets.Select(
            **explained(f"Level {number + 1}"),
            layout=widgets.Layout(flex="1 1 0", width="auto", min_width="0", height="280px"),
        )
        column.add_class("icdframes-column")

        def picked(change: dict[str, Any]) -> None:
            if not self._quiet and change["new"] is not None:
                self._on_pick(number, change["new"])

        column.observe(picked, "value")
        return column


class Breadcrumb(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """The way from the top to the selected entity, as buttons.

    Parameters
    ----------
    on_click : callable
        Called with how many steps of the way to keep.

    """

    children: tuple[Any, ...]

    def __init__(self, on_click: Callable[[int], object]) -> None:
        super().__init__(layout=widgets.Layout(flex_flow="row wrap", align_items="center"))
        self._on_click = on_click

    def show(self, names: Sequence[str]) -> None:
        """Show the names from the top down."""
        while len(self.children) < len(names):
            self.children = (*self.children, self._step(len(self.children)))
        for number, step in enumerate(self.children):
            if number < len(names):
                step.description = names[number] if number == 0 else f"/ {names[number]}"
            step.layout.display = None if number < len(names) else "none"

    def _step(self, number: int) -> widgets.Button:
        step = widgets.Button(layout=widgets.Layout(width="auto"))
        step.add_class("icdframes-link")
        step.on_click(lambda _button: self._on_click(number))
        return step


class Detail(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What an entity says, with its references as buttons.

    Parameters
    ----------
    target : callable
        Returns the entity id to which a reference leads, or None.
    on_jump : callable
        Called with that id.

    """

    def __init__(self, target: Callable[[Reference], str | None], on_jump: Callable[[str], object]) -> None:
        super().__init__(layout=widgets.Layout(width="100%"))
        self._target = target
        self._on_jump = on_jump
        self._text = widgets.HTML()
        self._links = widgets.VBox()
        self._layout_of_links = widgets.Layout(width="auto")
        self._style_of_links = widgets.ButtonStyle()
        self.children = (self._text, self._links)

    def show(self, entity: Entity | None) -> None:
        """Show an entity, or nothing."""
        self._text.value = entity_html(entity) if entity else ""
        old = self._links.children
        self._links.children = self._references(entity) if entity else ()
        for part in old:
            part.close()

    def _references(self, entity: Entity) -> list[Any]:
        parts: list[Any] = []
        for heading, kind in _REFERENCES:
            references = [reference for reference in entity.references if reference.kind == kind]
            if references:
                parts.append(widgets.HTML(heading_html(heading)))
                parts += [self._link(reference) for reference in references[:_MOST_LINKS]]
            if len(references) > _MOST_LINKS:
                parts.append(widgets.Label(f"… and {len(references) - _MOST_LINKS} more, in the table of references"))
        return parts

    def _link(self, reference: Reference) -> widgets.Button:
        target = self._target(reference)
        link = widgets.Button(
            description=reference.label or f"entity {target or reference.foundation_id}",
            tooltip="Show it in the tree" if target else "It has no place in this classification",
            disabled=target is None,
            layout=self._layout_of_links,
            style=self._style_of_links,
        )
        link.add_class("icdframes-link")
        if target:
            link.on_click(lambda _button: self._on_jump(target))
        return link


def _fill(column: widgets.Select, entities: Sequence[Entity], picked: str | None) -> None:
    options = tuple((f"{'·' if entity.is_leaf else '▸'} {name_of(entity)}", entity.entity_id) for entity in entities)
    with column.hold_sync():
        if column.options != options:
            column.options = options
        if column.value != picked:
            column.value = picked
