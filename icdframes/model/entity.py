"""The values of the ICD API as frozen dataclasses, and the graph that a walk makes of them."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from itertools import repeat
from typing import Any, Literal, NamedTuple

from icdframes.errors import TraversalError
from icdframes.model.html import html_rows
from icdframes.model.uris import is_residual, parse_uri
from icdframes.settings import licence_of

TermKind = Literal["synonym", "narrower_term", "inclusion", "index_term"]
ReferenceKind = Literal["exclusion", "child_elsewhere", "related_maternal", "related_perinatal"]


@dataclass(frozen=True, slots=True)
class Term:
    """A name of an entity: synonym, narrower term, inclusion or index term."""

    kind: TermKind
    label: str
    foundation_id: str | None = None
    linearization_id: str | None = None
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A link from an entity to another: exclusion, child elsewhere, maternal or perinatal relation."""

    kind: ReferenceKind
    label: str | None = None
    foundation_id: str | None = None
    linearization_id: str | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A postcoordination axis of an entity.

    Attributes
    ----------
    axis : str
        Name such as ``"infectiousAgent"``.
    required : bool
        Whether a value must be given for a complete code.
    allow_multiple : str or None
        ``AllowAlways``, ``NotAllowed`` or ``AllowedExceptFromSameBlock``.
    scale_entity_ids : tuple of str
        Roots whose descendants are the allowed values.

    """

    axis: str
    required: bool = False
    allow_multiple: str | None = None
    scale_entity_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Entity:
    """One entity of a classification, in one language, as the API gave it.

    Ids are entity ids, not URIs; texts that the API leaves out are None.
    ``parent_ids`` leaves the classification itself out, so a chapter has none.
    ``ancestor_ids`` (nearest first) and ``descendant_ids`` are None unless they
    were asked for. ``extra`` keeps the fields that this version does not know.
    """

    uri: str
    entity_id: str
    title: str | None
    language: str | None = None
    translated: bool = True
    code: str | None = None
    class_kind: str | None = None
    parent_ids: tuple[str, ...] = ()
    child_ids: tuple[str, ...] = ()
    block_id: str | None = None
    code_range: str | None = None
    fully_specified_name: str | None = None
    definition: str | None = None
    long_definition: str | None = None
    coding_note: str | None = None
    diagnostic_criteria: str | None = None
    foundation_id: str | None = None
    browser_url: str | None = None
    terms: tuple[Term, ...] = ()
    references: tuple[Reference, ...] = ()
    axes: tuple[Axis, ...] = ()
    ancestor_ids: tuple[str, ...] | None = None
    descendant_ids: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_leaf(self) -> bool:
        """Whether the entity has no children in its classification."""
        return not self.child_ids

    @property
    def is_residual(self) -> bool:
        """Whether this is an "other specified" or "unspecified" category."""
        return is_residual(self.entity_id)

    @classmethod
    def from_columns(cls, columns: Mapping[str, Sequence[Any]]) -> list[Entity]:
        """Make many entities of the values of each field: one by one, a frozen class takes four times as long."""
        count = len(columns["entity_id"])
        made = [cls.__new__(cls) for _ in range(count)]
        for known in fields(cls):
            if known.name in columns:
                values: Iterator[Any] = iter(columns[known.name])
            elif known.default_factory is not MISSING:
                values = (known.default_factory() for _ in range(count))
            else:
                values = repeat(known.default, count)
            deque(map(getattr(cls, known.name).__set__, made, values), maxlen=0)
        return made

    def __repr__(self) -> str:
        return f"<Entity {' '.join(filter(None, (self.code, self.title)))} ({self.uri})>"

    def _repr_html_(self) -> str:
        rows = [
            ("entity", " ".join(filter(None, (self.code, self.title)))),
            ("kind", self.class_kind or ""),
            ("definition", self.definition or ""),
            ("coding note", self.coding_note or ""),
            ("inclusions", "; ".join(term.label for term in self.terms if term.kind == "inclusion")),
            ("exclusions", "; ".join(item.label or "" for item in self.references if item.kind == "exclusion")),
            ("axes", ", ".join(axis.axis for axis in self.axes)),
            ("children", str(len(self.child_ids) or "")),
            ("uri", self.uri),
            ("licence", licence_of(parse_uri(self.uri).classification)),
        ]
        return html_rows([(name, text) for name, text in rows if text])


@dataclass(frozen=True, slots=True)
class TopLevel:
    """One release of a classification: what its root says.

    Attributes
    ----------
    release : str or None
        Release id, such as ``"2024-01"``.
    date : str or None
        ``YYYY-MM-DD``.
    languages, prerelease_languages : tuple of str
        Empty where the server does not say.
    child_ids : tuple of str
        Chapters (top entities), in order.

    """

    uri: str
    classification: str
    release: str | None
    title: str | None
    date: str | None = None
    languages: tuple[str, ...] = ()
    prerelease_languages: tuple[str, ...] = ()
    child_ids: tuple[str, ...] = ()
    all_releases: tuple[str, ...] = ()
    browser_url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseList:
    """The releases in which a classification or an entity exists, newest first."""

    uri: str
    title: str | None
    latest: str | None
    releases: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Let no search for circles of objects begin: with many thousand new ones it takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Place(NamedTuple):
    """Where an entity stands in the tabular list."""

    entity_id: str
    parent_id: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class EntityGraph:
    """Entities below some roots, with every link between them.

    Attributes
    ----------
    roots : tuple of str
        Entity ids at depth 0, in order.
    entities : Mapping of str to Entity
        Each distinct entity once.
    failures : Mapping of str to Exception
        Entities that could not be loaded, and why.

    """

    roots: tuple[str, ...]
    entities: Mapping[str, Entity]
    failures: Mapping[str, Exception] = field(default_factory=dict)

    def first_cause(self) -> Exception | None:
        """Return the first failure that is not merely "not asked for", since another failure ended the walk."""
        causes = [error for error in self.failures.values() if not isinstance(error, TraversalError)]
        return next(iter([*causes, *self.failures.values()]), None)

    def depths(self) -> dict[str, int]:
        """Return the shortest distance of each entity from the roots."""
        found = {root: 0 for root in self.roots if root in self.entities}
        queue = deque(found)
        while queue:
            entity_id = queue.popleft()
            for child in self.entities[entity_id].child_ids:
                if child not in found and child in self.entities:
                    found[child] = found[entity_id] + 1
                    queue.append(child)
        return found

    def tabular_list(self) -> Iterator[Place]:
        """Return each entity once, depth first, children in API order.

        An entity with several parents stands where it is first met; its depth is
        the shortest way from a root. The parent of a root is the first that the
        API names.
        """
        depths = self.depths()
        met: set[str] = set()
        stack: list[tuple[str, str | None]] = [(root, None) for root in reversed(self.roots)]
        while stack:
            entity_id, parent_id = stack.pop()
            if entity_id in met or entity_id not in self.entities:
                continue
            met.add(entity_id)
            entity = self.entities[entity_id]
            if parent_id is None and entity.parent_ids:
                parent_id = entity.parent_ids[0]
            yield Place(entity_id, parent_id, depths[entity_id])
            stack.extend(zip(reversed(entity.child_ids), repeat(entity_id)))

    def cycles(self) -> list[tuple[str, str]]:
        """Return the (parent, child) links that close a circle, in tabular order."""
        open_now: set[str] = set()
        done: set[str] = set()
        closing: list[tuple[str, str]] = []
        for root in self.roots:
            if root in done or root not in self.entities:
                continue
            open_now.add(root)
            stack = [(root, iter(self.entities[root].child_ids))]
            while stack:
                parent, children = stack[-1]
                child = next(children, None)
                if child is None:
                    stack.pop()
                    open_now.discard(parent)
                    done.add(parent)
                elif child in open_now:
                    closing.append((parent, child))
                elif child in self.entities and child not in done:
                    open_now.add(child)
                    stack.append((child, iter(self.entities[child].child_ids)))
        return closing
