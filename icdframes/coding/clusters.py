"""Clusters of ICD-11 placed on the axes of their stem, put into words and built, from tables and without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from icdframes.errors import EntityNotFoundError
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import as_lists
from icdframes.model.cluster import Cluster, Member
from icdframes.model.codes import parse_code
from icdframes.model.entity import Axis
from icdframes.model.uris import EntityUri

INVERSE = {"hasManifestation": "hasCausingCondition", "hasCausingCondition": "hasManifestation"}


class HasFrames(Protocol):
    """What is read of an `EntityTables`."""

    @property
    def entities(self) -> Any:
        """One row per entity."""

    @property
    def edges(self) -> Any:
        """One row per link from parent to child."""

    @property
    def axes(self) -> Any:
        """One row per axis and scale."""

    @property
    def provenance(self) -> Provenance:
        """Where the tables come from."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One member of a cluster, and what was found about it.

    Attributes
    ----------
    member : Member
        The code as it was written.
    row : int
        Its row of the entities table, -1 where the tables do not have it.
    axis : str or None
        The axis on which it is; None of the first stem, and of what fits none.
    below : tuple of Placed
        What hangs on it.

    """

    member: Member
    row: int
    axis: str | None = None
    below: tuple[Placed, ...] = ()

    def walk(self) -> Iterator[Placed]:
        """Return this and all that hangs on it, depth first."""
        yield self
        for value in self.below:
            yield from value.walk()


@dataclass(frozen=True, slots=True)
class Placement:
    """A whole cluster, placed.

    Attributes
    ----------
    stem : Placed
        The first stem, with everything that hangs on it.
    unplaced : tuple of (Placed, Placed)
        What fits no axis, and the stem on which it should.
    repeated : tuple of str
        Codes that were written twice at one place and count once.

    """

    stem: Placed
    unplaced: tuple[tuple[Placed, Placed], ...] = ()
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ClusterTables:
    """Tables of a release, read for clusters.

    Attributes
    ----------
    tables : EntityTables
        With the axes, as `load_tables` gives them; WHO's tabulation has none.

    """

    tables: HasFrames
    _above: dict[int, frozenset[int]] = field(default_factory=dict, repr=False)

    @cached_property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """The columns of the entities table as lists."""
        return as_lists(self.tables.entities)

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row of each entity id."""
        return {key: row for row, key in enumerate(self.columns["entity_id"])}

    @cached_property
    def rows_of_codes(self) -> Mapping[str, int]:
        """The row of each code and block id; of two with the same code that of the category."""
        named: dict[str, int] = {}
        for wanted in (False, True):
            for row, (code, block, kind) in enumerate(
                zip(self.columns["code"], self.columns["block_id"], self.columns["class_kind"], strict=True)
            ):
                if (kind == "category") == wanted and (code or block):
                    named[code or block] = row
        return named

    @cached_property
    def axes(self) -> Mapping[int, Sequence[Axis]]:
        """The axes of each row that has some, in the order of the release."""
        found: dict[int, dict[str, Axis]] = {}
        columns = as_lists(self.tables.axes)
        for key, name, required, multiple, scale in zip(*columns.values(), strict=True):
            axes = found.setdefault(self.rows.get(key, -1), {})
            before = axes.get(name)
            scales = (*(before.scale_entity_ids if before else ()), *([scale] if scale else ()))
            axes[name] = Axis(name, bool(required), multiple, scales)
        return {row: tuple(axes.values()) for row, axes in found.items()}

    @property
    def has_axes(self) -> bool:
        """Whether the tables tell axes at all."""
        return len(self.tables.axes) > 0

    @property
    def is_whole(self) -> bool:
        """Whether the tables hold the whole classification."""
        provenance = self.tables.provenance
        return provenance.root is None and provenance.depth is None and provenance.complete

    @cached_property
    def _parents(self) -> Mapping[int, set[int]]:
        parents: dict[int, set[int]] = {}
        edges = as_lists(self.tables.edges[["parent_id", "child_id"]])
        pairs = [*zip(edges["parent_id"], edges["child_id"], strict=True)]
        pairs += zip(self.columns["parent_id"], self.columns["entity_id"], strict=True)
        for parent, child in pairs:
            if parent in self.rows and child in self.rows:
                parents.setdefault(self.rows[child], set()).add(self.rows[parent])
        return parents

    def above(self, row: int) -> frozenset[int]:
        """Return the rows of an entity and everything above it."""
        if row not in self._above:
            met, waiting = {row}, [row]
            while waiting:
                for parent in self._parents.get(waiting.pop(), ()):
                    if parent not in met:
                        met.add(parent)
                        waiting.append(parent)
            self._above[row] = frozenset(met)
        return self._above[row]

    def fits(self, axis: Axis, row: int) -> bool:
        """Return whether an entity is a value of an axis: one of its scale, or below one."""
        return any(self.rows.get(scale) in self.above(row) for scale in axis.scale_entity_ids)

    def axis_for(self, stem: int, value: int) -> str | None:
        """Return the first axis of a stem on which a value fits."""
        return next((axis.axis for axis in self.axes.get(stem, ()) if self.fits(axis, value)), None)

    @cached_property
    def _scales(self) -> Mapping[int, set[str]]:
        found: dict[int, set[str]] = {}
        for axes in self.axes.values():
            for axis in axes:
                for scale in axis.scale_entity_ids:
                    if scale in self.rows:
                        found.setdefault(self.rows[scale], set()).add(axis.axis)
        return found

    def axes_of_value(self, row: int) -> set[str]:
        """Return the axes on which an entity is a value for any stem."""
        return {axis for above in self.above(row) for axis in self._scales.get(above, ())}

    def title(self, row: int, language: str | None = None) -> str:
        """Return the title of a row, in one of the further languages where it is named."""
        titles = self.columns.get(f"title_{language}") if language else None
        found = titles[row] if titles else self.columns["title"][row]
        return found or self.columns["title"][row] or ""

    def place(self, cluster: Cluster) -> Placement:
        """Place every member of a cluster, by the rules that WHO's service was seen to follow.

        An extension code hangs on its stem; a later stem on the first one, or the first one on it. It does not matter
        whether an axis allows several values, or requires one; what is repeated counts once.
        """
        groups: dict[int, list[Member]] = {}
        for member in cluster.members:
            groups.setdefault(member.group, []).append(member)
        repeated: list[str] = []
        unplaced: list[tuple[Placed, Placed]] = []
        stems = [self._with_values(members, repeated, unplaced) for members in groups.values()]
        first = stems[0]
        values = list(first.below)
        for later in stems[1:]:
            if any(later.member.code == one.member.code and later.below == one.below for one in values):
                repeated.append(later.member.code)
                continue
            axis = self._axis_between(first.row, later.row)
            found = Placed(later.member, later.row, axis, later.below)
            values.append(found)
            if axis is None:
                unplaced.append((found, first))
        return Placement(Placed(first.member, first.row, None, tuple(values)), tuple(unplaced), tuple(repeated))

    def _axis_between(self, first: int, later: int) -> str | None:
        if min(first, later) < 0:
            return None
        if axis := self.axis_for(first, later):
            return axis
        other = self.axis_for(later, first)
        return INVERSE.get(other, other) if other else None

    def _with_values(
        self, members: Sequence[Member], repeated: list[str], unplaced: list[tuple[Placed, Placed]]
    ) -> Placed:
        first, *others = members
        stem = Placed(first, self._row(first))
        values: list[Placed] = []
        for member in others:
            if any(member.code == value.member.code for value in values):
                repeated.append(member.code)
                continue
            row = self._row(member)
            axis = self.axis_for(stem.row, row) if min(stem.row, row) >= 0 else None
            values.append(Placed(member, row, axis))
            if axis is None:
                unplaced.append((values[-1], stem))
        return Placed(stem.member, stem.row, None, tuple(values))

    def _row(self, member: Member) -> int:
        return self.rows_of_codes.get(member.code, -1)

    def label(self, placed: Placed, language: str | None = None) -> str | None:
        """Return a cluster in WHO's words, ``Cholera [Vibrio cholerae O139]``; None where a part is unknown."""
        if any(one.row < 0 for one in placed.walk()):
            return None
        stems = [value for value in placed.below if value.member.role == "stem"]
        extensions = [value for value in placed.below if value.member.role == "extension"]
        head = "".join(f" [{self.label(value, language)}]" for value in extensions)
        return " / ".join([self.title(placed.row, language) + head, *(str(self.label(one, language)) for one in stems)])

    def uri(self, placed: Placed) -> str:
        """Return a cluster as URIs of the release, joined as WHO does."""
        provenance = self.tables.provenance
        text = ""
        for one in placed.walk():
            joint = "" if not text else " / " if one.member.role == "stem" else " & "
            key = self.columns["entity_id"][one.row]
            text += f"{joint}{EntityUri(provenance.classification, provenance.release, key)}"
        return text

    def foundation_uri(self, placed: Placed) -> str | None:
        """Return a cluster as URIs of the foundation; None where a part, such as a residual, is not in it."""
        text = ""
        for one in placed.walk():
            key = self.columns["foundation_id"][one.row]
            if key is None:
                return None
            joint = "" if not text else " / " if one.member.role == "stem" else " & "
            text += f"{joint}{EntityUri('foundation', None, key)}"
        return text

    def text(self, placed: Placed) -> str:
        """Return the code or cluster of a member with what hangs on it."""
        text = ""
        for one in placed.walk():
            text += f"{'' if not text else '/' if one.member.role == 'stem' else '&'}{one.member.text}"
        return text

    def values_of(self, stem: int, axis: Axis) -> list[int]:
        """Return the rows of the codes that fit an axis, in tabular order."""
        return [
            row
            for row, code in enumerate(self.columns["code"])
            if code and self.columns["class_kind"][row] == "category" and row != stem and self.fits(axis, row)
        ]


def build_cluster(stem: str, values: Iterable[str]) -> str:
    """Return the text of a cluster: extension codes behind the stem, further stems after them.

    Parameters
    ----------
    stem : str
        Code of the stem.
    values : iterable of str
        Codes, or clusters of a further stem with its own extension codes.

    Returns
    -------
    str
        In the usual writing.

    Raises
    ------
    CodeSyntaxError
        If a part is no code.

    Examples
    --------
    >>> build_cluster("2C25.2", ["5A11", "XH74S1"])
    '2C25.2&XH74S1/5A11'

    """
    parts = [parse_code(value, classification="mms") for value in values]
    extensions = [part.text for part in parts if part.members[0].role == "extension"]
    stems = [part.text for part in parts if part.members[0].role == "stem"]
    return parse_code("/".join(["&".join([stem, *extensions]), *stems]), classification="mms").text


def find_row(reader: ClusterTables, code: str) -> int:
    """Return the row of one code, block id or entity id.

    Raises
    ------
    EntityNotFoundError
        If the tables do not hold it.

    """
    row = reader.rows_of_codes.get(code, reader.rows.get(code))
    if row is None:
        raise EntityNotFoundError(f"These tables hold no code {code!r}: give one of theirs, or load more.")
    return row
