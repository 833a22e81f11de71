"""Codes and clusters placed on the axes of their stem; it refuses codes that the release does not have.

``&`` adds an extension code to the stem before it, ``/`` adds another stem. A value
fits an axis if it is a scale entity of that axis or stands below one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from icdframes.model.entity import Axis
from icdframes.sandbox.corpus import Listing


@dataclass(frozen=True, slots=True)
class Placed:
    """A code with the values that were added to it.

    Attributes
    ----------
    entity_id, code : str
        The entity and its code.
    values : Mapping of str to tuple of Placed
        Axis name and what was placed on it, in the order of the expression.
    other : tuple of Placed
        What fits no axis.

    """

    entity_id: str
    code: str
    values: Mapping[str, tuple[Placed, ...]] = field(default_factory=dict)
    other: tuple[Placed, ...] = ()

    @property
    def parts(self) -> tuple[Placed, ...]:
        """Everything that was added, axis by axis."""
        return (*(value for values in self.values.values() for value in values), *self.other)

    @property
    def fits(self) -> bool:
        """Whether everything found an axis, also within the values."""
        return not self.other and all(part.fits for part in self.parts)


def place(listing: Listing, expression: str) -> Placed | None:
    """Read a code or cluster.

    Parameters
    ----------
    listing : Listing
        Release in which the codes are looked up.
    expression : str
        Such as ``"2C25.2&XH74S1/8B20"``; blanks around ``&`` and ``/`` are ignored.

    Returns
    -------
    Placed or None
        The first stem with all that was added; None where a code is unknown or
        stands where its kind cannot stand.

    """
    members = [_member(listing, text) for text in expression.split("/")]
    if None in members:
        return None
    stem, *later = [member for member in members if member is not None]
    return _with_values(listing, stem, [*stem.other, *later])


def terminal(listing: Listing, placed: Placed) -> Placed:
    """Give the same with codes that have children changed to their unspecified residual."""
    found = placed.entity_id
    if listing.entity(found).child_ids:
        found = listing.residual(found) or found
    return replace(
        placed,
        entity_id=found,
        code=listing.entity(found).code or placed.code,
        values={axis: tuple(terminal(listing, value) for value in values) for axis, values in placed.values.items()},
        other=tuple(terminal(listing, value) for value in placed.other),
    )


def _member(listing: Listing, text: str) -> Placed | None:
    """One stem with its extension codes; those of a later stem are placed on its own axes."""
    codes = [code.strip() for code in text.split("&")]
    ids = [listing.by_code.get(code) for code in codes]
    if None in ids or not all(_is_extension(code) for code in codes[1:]):
        return None
    stem, *values = [Placed(key, code) for key, code in zip(ids, codes, strict=True) if key is not None]
    return _with_values(listing, stem, values)


def _with_values(listing: Listing, stem: Placed, values: list[Placed]) -> Placed:
    axes = listing.entity(stem.entity_id).axes
    on_axes: dict[str, tuple[Placed, ...]] = dict(stem.values)
    other: list[Placed] = []
    for value in values:
        axis = next((axis for axis in axes if _fits(listing, axis, value, on_axes.get(axis.axis, ()))), None)
        if axis is None:
            other.append(value)
        else:
            on_axes[axis.axis] = (*on_axes.get(axis.axis, ()), value)
    return replace(stem, values=on_axes, other=tuple(other))


def _fits(listing: Listing, axis: Axis, value: Placed, already: tuple[Placed, ...]) -> bool:
    line = {value.entity_id, *listing.ancestors(value.entity_id)}
    if line.isdisjoint(axis.scale_entity_ids):
        return False
    if not already or axis.allow_multiple == "AllowAlways":
        return True
    if axis.allow_multiple == "AllowedExceptFromSameBlock":
        return all(_block(listing, value) != _block(listing, other) for other in already)
    return False


def _block(listing: Listing, placed: Placed) -> str | None:
    above = listing.ancestors(placed.entity_id)
    return next((key for key in above if listing.entity(key).class_kind == "block"), None)


def _is_extension(code: str) -> bool:
    return code.startswith("X") and code != "X"
