"""Expand the modifiers of ClaML: the codes that a class has by rule and that the file does not write out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ModifiedBy:
    """A modifier of a class; ``valid`` names the classes of it that may be used, None for all."""

    modifier: str
    valid: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ModifierClass:
    """One value of a modifier.

    Attributes
    ----------
    code : str
        What is added to a code; it begins with a dot where it makes the first level below a category.
    modifier : str
        The modifier.
    parent : str or None
        The value above it, where values stand in levels.
    forbidden_after : frozenset of (str, str)
        Modifier and value before which it must not follow.

    """

    code: str
    modifier: str
    parent: str | None = None
    forbidden_after: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """What a file says of modifiers, by the code of the class."""

    values: Mapping[str, Sequence[ModifierClass]]
    modified_by: Mapping[str, Sequence[ModifiedBy]] = field(default_factory=dict)
    excluded: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A code that a modifier makes: its parent, and the value that was added."""

    code: str
    parent: str
    value: ModifierClass


def modifiers_of(code: str, parents: Mapping[str, Sequence[str]], rules: Rules) -> list[ModifiedBy]:
    """Return the modifiers of a class: its own, then those of the classes above, less what is excluded on the way.

    The nearest statement about a modifier counts. Values with a dot come first, since they make the first level.
    """
    found: dict[str, ModifiedBy] = {}
    refused: set[str] = set()
    met: set[str] = set()
    level = [code]
    while level:
        refused.update(*(rules.excluded.get(one, ()) for one in level))
        met.update(level)
        for modified in (each for one in level for each in rules.modified_by.get(one, ())):
            if modified.modifier not in refused:
                found.setdefault(modified.modifier, modified)
        level = [above for one in level for above in parents.get(one, ()) if above not in met]
    return sorted(found.values(), key=lambda modified: not _has_dot(modified.modifier, rules))


def expand(code: str, modifiers: Sequence[ModifiedBy], rules: Rules) -> Iterator[MadeCode]:
    """Yield the codes below a class, parents before children: each modifier adds to what the one before it made."""
    yield from _expand(code, modifiers, rules, ())


def _expand(code: str, modifiers: Sequence[ModifiedBy], rules: Rules, before: tuple[Pair, ...]) -> Iterator[MadeCode]:
    if not modifiers:
        return
    first, *rest = modifiers
    values = [value for value in rules.values.get(first.modifier, ()) if _may_follow(value, first, before)]
    if "." in code and any(value.code.startswith(".") for value in values):
        yield from _expand(code, rest, rules, before)
        return
    made: dict[str, str] = {}
    inner = {value.parent for value in values if value.parent}
    for value in values:
        parent = made.get(value.parent or "", code)
        whole = code + value.code if _is_whole(value) else parent + value.code
        made[value.code] = whole
        yield MadeCode(whole, parent, value)
        if value.code not in inner:
            yield from _expand(whole, rest, rules, (*before, (first.modifier, value.code)))


def _is_whole(value: ModifierClass) -> bool:
    """Return whether a value holds the value above it: ``.01`` below ``.0``."""
    return value.parent is None or value.code.startswith(value.parent)


def _may_follow(value: ModifierClass, modified: ModifiedBy, before: Sequence[Pair]) -> bool:
    is_valid = modified.valid is None or value.code in modified.valid
    return is_valid and not value.forbidden_after.intersection(before)


def _has_dot(modifier: str, rules: Rules) -> bool:
    return any(value.code.startswith(".") for value in rules.values.get(modifier, ()))
