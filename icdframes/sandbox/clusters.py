"""Place codes and clusters on the axes of their stem, by the rules that WHO's service was seen to follow.

``&`` adds an extension code to the stem before it, ``/`` adds another stem. A value fits an axis if it is a scale
entity of that axis or stands below one; it does not matter whether the axis allows several values, or requires one. A
value that is repeated counts once. Two stems fit together if either is a value of the other, whichever stands first.
Chapters are no members of a cluster, and a separator without a code behind it is an error. A placed code is written
as codes, URIs or titles; titles are joined as WHO does: ``Stem [value] [value] / other stem``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icdframes.errors import CodeSyntaxError
from icdframes.model.entity import Axis
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.search.term_index import SAYS_NOTHING, words

_INVERSE = {"hasManifestation": "hasCausingCondition", "hasCausingCondition": "hasManifestation"}


_JOINT = re.compile(r"\s*([&/])\s*(?=https?://)")


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
    foundation_id : str or None
        Of the entity that was asked for; it stays when the code is changed to a terminal one.

    """

    entity_id: str
    code: str
    values: Mapping[str, tuple[Placed, ...]] = field(default_factory=dict)
    other: tuple[Placed, ...] = ()
    foundation_id: str | None = None

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
    return arrange(
        listing,
        [[listing.by_code.get(code.strip()) for code in member.split("&")] for member in expression.split("/")],
    )


def arrange(listing: Listing, members: Sequence[Sequence[str | None]]) -> Placed | None:
    """Do what `place` does with entity ids: one list for each stem, which stands first in it; None is unknown."""
    ids = [key for member in members for key in member]
    if len(ids) > 1 and not all(_may_be_joined(listing, key) for key in ids):
        return None
    groups = [[_plain(listing, key) for key in member if key is not None] for member in members]
    if None in ids or not all(_has_roles(group, alone=len(ids) == 1) for group in groups):
        return None
    stem, *later = [_with_values(listing, group[0], group[1:]) for group in groups]
    return _beside_causes(listing, _with_values(listing, stem, [*stem.other, *later]))


def _beside_causes(listing: Listing, placed: Placed) -> Placed:
    """Move the stems that the first stem is a value of to the axis that says the same the other way round."""
    values = dict(placed.values)
    other = []
    for value in placed.other:
        axes = () if _is_extension(value.code) else listing.entity(value.entity_id).axes
        axis = next((axis for axis in axes if _fits(listing, axis, placed)), None)
        if axis is None:
            other.append(value)
        else:
            name = _INVERSE.get(axis.axis, axis.axis)
            values[name] = (*values.get(name, ()), value)
    return replace(placed, values=values, other=tuple(other))


def terminal(listing: Listing, placed: Placed) -> Placed:
    """Return the same with codes that have children changed to their unspecified residual."""
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


def simplified(listing: Listing, placed: Placed) -> Placed:
    """Return the precoordinated entity that says the same, where there is one.

    The corpus has no logical definitions, so titles decide: a value is dropped where exactly one coded descendant of
    the stem has all words of the value's title in its own, and takes the other values.
    """
    for value in placed.parts:
        found = [] if value.parts else _descendants_named(listing, placed.entity_id, value.entity_id)
        if len(found) == 1:
            rest = [part for part in placed.parts if part is not value]
            shorter = _with_values(listing, _plain(listing, found[0]), rest)
            if shorter.fits:
                return simplified(listing, shorter)
    return placed


def _descendants_named(listing: Listing, stem: str, value: str) -> list[str]:
    wanted = set(words(listing.entity(value).title or "")) - SAYS_NOTHING
    below = (listing.entity(key) for key in (listing.descendants(stem) if wanted else ()))
    return [e.entity_id for e in below if e.code and not e.is_residual and wanted <= set(words(e.title or ""))]


def _plain(listing: Listing, key: str) -> Placed:
    entity = listing.entity(key)
    return Placed(key, entity.code or "", foundation_id=entity.foundation_id)


def _may_be_joined(listing: Listing, key: str | None) -> bool:
    return key is not None and listing.entity(key).class_kind == "category" and bool(listing.entity(key).code)


def _has_roles(group: Sequence[Placed], *, alone: bool) -> bool:
    """Return whether a stem comes first and extension codes follow; a code alone may be of either kind."""
    return alone or (not _is_extension(group[0].code) and all(_is_extension(value.code) for value in group[1:]))


def _with_values(listing: Listing, stem: Placed, values: Sequence[Placed]) -> Placed:
    axes = listing.entity(stem.entity_id).axes
    on_axes: dict[str, tuple[Placed, ...]] = dict(stem.values)
    other: list[Placed] = []
    for value in values:
        axis = next((axis.axis for axis in axes if _fits(listing, axis, value)), None)
        if axis is None:
            other += [] if value in other else [value]
        elif value not in on_axes.get(axis, ()):
            on_axes[axis] = (*on_axes.get(axis, ()), value)
    return replace(stem, values=on_axes, other=tuple(other))


def _fits(listing: Listing, axis: Axis, value: Placed) -> bool:
    line = {value.entity_id, *listing.ancestors(value.entity_id)}
    return not line.isdisjoint(axis.scale_entity_ids)


def _is_extension(code: str) -> bool:
    return code.startswith("X") and code != "X"


def code_expression(placed: Placed) -> str:
    """Write codes, joined as WHO does: ``2C25.2&XH74S1/8B20``."""
    extensions, stems = _by_role(placed)
    return "/".join(["&".join([placed.code, *(part.code for part in extensions)]), *map(code_expression, stems)])


def uri_expression(placed: Placed, classification: str, release: str | None) -> str:
    """Write linearization URIs as WHO does, joined with blanks."""
    return _joined(placed, lambda part: str(EntityUri(classification, release, part.entity_id)))


def title_expression(listing: Listing, placed: Placed, language: str) -> str:
    """Write the titles of a stem and of all that was added."""
    title = listing.entity(placed.entity_id, language).title or ""
    extensions, stems = _by_role(placed)
    if extensions:
        title += "".join(f" [{title_expression(listing, part, language)}]" for part in extensions)
    return " / ".join([title, *(title_expression(listing, part, language) for part in stems)])


def foundation_uri(placed: Placed) -> str | None:
    """Return the foundation URI of the stem; None for a residual."""
    return str(EntityUri("foundation", None, placed.foundation_id)) if placed.foundation_id else None


def foundation_expression(placed: Placed) -> str | None:
    """Write foundation URIs; None where a part, such as a residual, is not in the foundation."""
    if any(part.foundation_id is None for part in _everything(placed)):
        return None
    return _joined(placed, lambda part: foundation_uri(part) or "")


def place_uris(corpus: Corpus, listing: Listing, text: str) -> Placed | None:
    """Read an expression of foundation or linearization URIs; None where one is unknown or stands wrong."""
    pieces = _JOINT.split(text.strip().removesuffix("/").strip())
    members: list[list[str | None]] = [[]]
    for joint, uri in zip(("&", *pieces[1::2]), pieces[::2], strict=True):
        if joint == "/":
            members.append([])
        members[-1].append(_entity_of(corpus, listing, uri))
    return arrange(listing, members)


def _entity_of(corpus: Corpus, listing: Listing, uri: str) -> str | None:
    try:
        named = parse_uri(uri)
    except CodeSyntaxError:
        return None
    if named.entity_id is None:
        return None
    if named.classification == "foundation":
        return corpus.coded_at(listing, named.entity_id)
    held = named.classification == listing.classification and named.release in {None, listing.release}
    return named.entity_id if held and named.entity_id in listing else None


def _joined(placed: Placed, write: Callable[[Placed], str]) -> str:
    extensions, stems = _by_role(placed)
    first = " & ".join([write(placed), *(_joined(part, write) for part in extensions)])
    return " / ".join([first, *(_joined(part, write) for part in stems)])


def _by_role(placed: Placed) -> tuple[list[Placed], list[Placed]]:
    extensions = [part for part in placed.parts if part.code.startswith("X")]
    return extensions, [part for part in placed.parts if part not in extensions]


def _everything(placed: Placed) -> Iterator[Placed]:
    yield placed
    for part in placed.parts:
        yield from _everything(part)
