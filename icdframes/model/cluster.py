"""A code, or several that say one thing together, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Literal

CodeSystem = Literal["mms", "icf", "icd10"]
CodeKind = Literal["category", "chapter", "block", "range"]
CodeRole = Literal["stem", "extension"]
ResidualKind = Literal["other", "unspecified"]
Icd10Mark = Literal["dagger", "asterisk"]


@dataclass(frozen=True, slots=True)
class Member:
    """One code of an expression.

    Attributes
    ----------
    code : str
        Canonical, without qualifiers and marks.
    role : {"stem", "extension"}
        Extension codes begin with X and follow a ``&``.
    group : int
        Which stem the code belongs to, counted from 0.
    kind : {"category", "chapter", "block", "range"}
        A block of ICD-10 is written as a range and is one here; a component of ICF (b, s, d, e) is a chapter.
    residual : {"other", "unspecified"} or None
        Of MMS stem codes that end in Y or Z.
    qualifiers : tuple of str
        Of ICF codes: ``("1", "2")`` in ``d450.12``, ``("+3",)`` in ``e310+3``, ``("3", "8")`` in
        ``b110.3/.8``, and ``("qp3",)`` in ``d5409.qp3``, as codes are written since 2026.
    mark : {"dagger", "asterisk"} or None
        Of ICD-10 codes; it is no part of the code and not compared.
    position : int
        Zero-based place in the text that was read; not compared.

    """

    code: str
    role: CodeRole = "stem"
    group: int = 0
    kind: CodeKind = "category"
    residual: ResidualKind | None = None
    qualifiers: tuple[str, ...] = ()
    mark: Icd10Mark | None = field(default=None, compare=False)
    position: int = field(default=0, compare=False)

    @property
    def is_residual(self) -> bool:
        """Whether this is an "other specified" or "unspecified" category of the MMS."""
        return self.residual is not None

    @property
    def text(self) -> str:
        """The code with its qualifiers."""
        written = self.qualifier_text
        return f"{self.code}{'' if written[:1] in {'', '+'} else '.'}{written}"

    @property
    def qualifier_text(self) -> str:
        """The qualifiers as they are written behind the dot: ``12``, ``+3``, ``3/.8``, ``qp3``."""
        if self.qualifiers[:1] and self.qualifiers[0].startswith("q"):
            return ".".join(self.qualifiers)
        if self.code[:1] in {"d", "s"}:
            return "".join(self.qualifiers)
        return "/".join(
            degree if place == 0 or degree.startswith("+") else f".{degree}"
            for place, degree in enumerate(self.qualifiers)
        )

    def __str__(self) -> str:
        """Return `text`."""
        return self.text


@dataclass(frozen=True, slots=True, repr=False)
class Cluster:
    """A code, or several codes that say one thing together.

    Attributes
    ----------
    members : tuple of Member
        The codes in the order in which they were written.
    classification : {"mms", "icf", "icd10"}
        The one named, or the one the writing shows.

    Examples
    --------
    >>> import icdframes
    >>> cluster = icdframes.parse_code("2c25.2 & xh74s1")
    >>> cluster.text, [member.role for member in cluster.members]
    ('2C25.2&XH74S1', ['stem', 'extension'])

    """

    members: tuple[Member, ...]
    classification: CodeSystem = "mms"

    @property
    def text(self) -> str:
        """Canonical form, such as ``2C25.2&XH74S1/5A11``."""
        written = ""
        for member in self.members:
            separator = "" if not written else "/" if member.role == "stem" else "&"
            written += separator + member.text
        return written

    @property
    def stems(self) -> tuple[Member, ...]:
        """The stem codes."""
        return tuple(member for member in self.members if member.role == "stem")

    @property
    def extensions(self) -> tuple[Member, ...]:
        """The extension codes; ``group`` tells whose they are."""
        return tuple(member for member in self.members if member.role == "extension")

    @property
    def stem(self) -> Member | None:
        """The first stem code; None for an extension code alone."""
        return next(iter(self.stems), None)

    @property
    def is_cluster(self) -> bool:
        """Whether there is more than one code."""
        return len(self.members) > 1

    def __str__(self) -> str:
        """Return `text`."""
        return self.text

    def __repr__(self) -> str:
        """Show the canonical text."""
        return f"Cluster({self.text!r})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{escape(member.text)}</code></td><td>{escape(member.role)}</td>"
            f"<td>{escape(member.kind)}</td><td>{member.group + 1}</td></tr>"
            for member in self.members
        )
        head = "<tr><th>code</th><th>role</th><th>kind</th><th>group</th></tr>"
        return f"<table><caption>{escape(self.text)}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"
