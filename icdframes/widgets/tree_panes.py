"""The panes of the tree browser beside the hierarchy: breadcrumb, and details with what an entity refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from icdframes.errors import IcdError
from icdframes.model.entity import Axis, Entity, Reference
from icdframes.widgets.markup import axis_name, entity_html, labels_html, message, name_of
from icdframes.widgets.tree_sources import Levels

_MOST_LINKS = 40
_MOST_VALUES = 12
_FEW_SCALES = 3
_FOUNDATION_ONLY = ("related_maternal", "related_perinatal")  # the API names no other place for them
_REFERENCES = (
    ("Exclusions", "exclusion"),
    ("Coded elsewhere", "child_elsewhere"),
    ("Related in the maternal chapter", "related_maternal"),
    ("Related in the perinatal chapter", "related_perinatal"),
)


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

    def show(self, names: Sequence[str], titles: Sequence[str]) -> None:
        """Show the names from the top down; each explains itself by its title."""
        while len(self.children) < len(names):
            self.children = (*self.children, self._step(len(self.children)))
        for number, step in enumerate(self.children):
            if number < len(names):
                step.description = names[number] if number == 0 else f"/ {names[number]}"
                step.tooltip = titles[number]
            step.layout.display = None if number < len(names) else "none"

    def _step(self, number: int) -> widgets.Button:
        step = widgets.Button(layout=widgets.Layout(width="auto"))
        step.add_class("icdframes-link")
        step.on_click(lambda _button: self._on_click(number))
        return step


class Detail(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What an entity says, with its references and axes in parts that are read when they are opened.

    Parameters
    ----------
    source : Levels
        Where entities come from.
    on_jump : callable
        Called with the id of an entity to show.

    """

    children: tuple[Any, ...]

    def __init__(self, source: Levels, on_jump: Callable[[str], object]) -> None:
        super().__init__(layout=widgets.Layout(width="100%"))
        self._source, self._on_jump = source, on_jump

    def show(self, entity: Entity | None) -> None:
        """Show an entity, or say how to begin."""
        old = self.children
        if entity is None:
            self.children = (widgets.HTML(message("Choose an entity to see its details here.")),)
        else:
            self.children = (widgets.HTML(entity_html(entity, axes=False)), *self._parts(entity))
        for part in old:
            part.close_all() if isinstance(part, _Part) else part.close()

    def _parts(self, entity: Entity) -> list[_Part]:
        parts = []
        for heading, kind in _REFERENCES:
            references = [reference for reference in entity.references if reference.kind == kind]
            if references:
                labels = [reference.label for reference in references if reference.label]
                links = _References(self._source, references)
                parts.append(_Part(f"{heading} ({len(references)})", labels, links.links, self._on_jump))
        for axis in entity.axes:
            values = _Values(self._source, axis)
            parts.append(_Part(f"Axis: {axis_name(axis)}", [], values.links, self._on_jump))
        for part in parts:
            if self._source.is_local:
                part.toggle()
        return parts


Link = tuple[str, str | None]  # what it says, and the id of the entity to which it leads


class _References:
    """The references of one kind as links with code and title."""

    def __init__(self, source: Levels, references: Sequence[Reference]) -> None:
        self._source, self._references = source, references

    def links(self) -> list[Link]:
        """Return a link a reference, and how many more there are."""
        shown = self._references[:_MOST_LINKS]
        targets = [self._target(reference) for reference in shown]
        found = {entity.entity_id: entity for entity in self._source.some([key for key in targets if key]).entities}
        links = [self._link(reference, key, found) for reference, key in zip(shown, targets, strict=True)]
        if more := len(self._references) - len(shown):
            links.append((f"… and {more} more, in the table of references", None))
        return links

    def _target(self, reference: Reference) -> str | None:
        if self._source.classification == "foundation" or reference.kind in _FOUNDATION_ONLY:
            return reference.foundation_id
        return reference.linearization_id

    def _link(self, reference: Reference, target: str | None, found: Mapping[str, Entity]) -> Link:
        if target is not None and target in found:
            return name_of(found[target]), target
        name = reference.label or f"entity {target or reference.foundation_id}"
        return f"{name} (not {self._source.here})", None


class _Values:
    """The values of an axis as links with code and title."""

    def __init__(self, source: Levels, axis: Axis) -> None:
        self._source, self._axis = source, axis

    def links(self) -> list[Link]:
        """Return a link a scale; where there are few, also their first values."""
        scales = self._source.some(self._axis.scale_entity_ids[:_MOST_LINKS]).entities
        links: list[Link] = []
        for scale in scales:
            links.append((name_of(scale), scale.entity_id))
            if len(scales) <= _FEW_SCALES and not scale.is_leaf:
                below = self._source.some(scale.child_ids[:_MOST_VALUES]).entities
                links += [(f"\u2003{name_of(value)}", value.entity_id) for value in below]
                if more := len(scale.child_ids) - len(below):
                    links.append((f"\u2003… and {more} more", None))
        if missing := len(self._axis.scale_entity_ids) - len(scales):
            links.append((f"{missing} more values or groups are not {self._source.here}", None))
        return links


class _Part(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A heading that opens and closes what is below it; its links are made when it is opened for the first time."""

    def __init__(
        self, heading: str, labels: Sequence[str], make: Callable[[], list[Link]], on_jump: Callable[[str], object]
    ) -> None:
        self._heading_text, self._make, self._on_jump = heading, make, on_jump
        self._heading = widgets.Button(layout=widgets.Layout(width="auto"))
        self._heading.add_class("icdframes-link").add_class("icdframes-part")
        self._heading.on_click(lambda _button: self.toggle())
        self._labels = widgets.HTML(labels_html(labels))
        self._body = widgets.VBox()
        self._is_open = self._made = False
        super().__init__([self._heading, self._labels, self._body])
        self._draw()

    def toggle(self) -> None:
        """Open or close it."""
        self._is_open = not self._is_open
        if self._is_open and not self._made:
            old = self._body.children
            try:
                links = self._make()
                self._body.children = [self._button(text, target) for text, target in links]
                self._made = True
            except IcdError as error:
                self._body.children = [widgets.HTML(message(str(error), "bad"))]
            for part in old:
                part.close()
        self._draw()

    def close_all(self) -> None:
        """Take it and everything in it out of the front end."""
        for part in (self._heading, self._labels, *self._body.children, self._body, self):
            part.close()

    def _draw(self) -> None:
        self._heading.description = f"{'▾' if self._is_open else '▸'} {self._heading_text}"
        self._labels.layout.display = "none" if self._is_open or not self._labels.value else None
        self._body.layout.display = None if self._is_open else "none"

    def _button(self, text: str, target: str | None) -> Any:
        if target is None:
            return widgets.HTML(message(text))
        link = widgets.Button(description=text, tooltip="Show it in the tree", layout=widgets.Layout(width="auto"))
        link.add_class("icdframes-link")
        link.on_click(lambda _button: self._on_jump(target))
        return link
