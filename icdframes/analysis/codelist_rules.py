"""One rule of a code list: what it names and how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from icdframes.errors import CodeSyntaxError, check_option
from icdframes.model.cluster import CodeSystem
from icdframes.model.codes import parse_code, read_interval
from icdframes.model.uris import is_entity_id

Scope: TypeAlias = Literal["branch", "alone", "range", "beginning", "cluster"]
_ALONE = "="


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One rule of a `CodeList`.

    Attributes
    ----------
    code : str
        A code, block's id, entity id, URI, range, beginning or cluster, in its usual writing.
    scope : {"branch", "alone", "range", "beginning", "cluster"}
        How far it reaches: the entity with all below it, the entity alone, the codes of a range, those with a
        beginning, or clusters that hold all of its codes.
    note : str or None
        Why the rule is there.
    title : str or None
        Title of what it names, for readers; it is not compared.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.CodeRule("6D80", "alone", note="without its subtypes").code
    '6D80'
    >>> icdframes.CodeRule("6D80", "alone").to_dict()["scope"]
    'alone'

    """

    code: str
    scope: Scope = "branch"
    note: str | None = None
    title: str | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """What tells two rules apart."""
        return self.code, self.scope

    def to_dict(self) -> dict[str, str]:
        """Return the values that are there, for JSON."""
        values = {"code": self.code, "scope": self.scope, "title": self.title, "note": self.note}
        return {name: value for name, value in values.items() if value}


def read_rule(rule: str | CodeRule | Mapping[str, Any], classification: CodeSystem) -> CodeRule:
    """Return a rule from a text or from plain values, its code in its usual writing.

    Raises
    ------
    CodeSyntaxError
        If it is no code, range or cluster.
    ConfigurationError
        If the scope is unknown.

    Examples
    --------
    >>> read_rule("f00 - f03", "icd10")
    CodeRule(code='F00-F03', scope='range', note=None, title=None)
    >>> read_rule("=6d80", "mms").scope, read_rule("c0*", "icd10").scope
    ('alone', 'beginning')

    """
    if isinstance(rule, str):
        text = rule.strip()
        alone = text.startswith(_ALONE)
        return _read(text.removeprefix(_ALONE).strip(), "alone" if alone else "branch", classification, None, None)
    if not isinstance(rule, CodeRule):
        rule = CodeRule(str(rule.get("code", "")), rule.get("scope", "branch"), rule.get("note"), rule.get("title"))
    check_option("scope", rule.scope, get_args(Scope))
    scope: Literal["branch", "alone"] = "alone" if rule.scope == "alone" else "branch"
    return _read(rule.code, scope, classification, rule.note or None, rule.title or None)


def _read(
    text: str, scope: Literal["branch", "alone"], system: CodeSystem, note: str | None, title: str | None
) -> CodeRule:
    if "://" in text or is_entity_id(text):
        return CodeRule(text, scope, note, title)
    if ends := read_interval(text, classification=system):
        if ends[0] == ends[1] and text.rstrip().endswith("*"):
            return CodeRule(f"{ends[0]}*", "beginning", note, title)
        return CodeRule(parse_code(text, classification=system).text, "range", note, title)
    cluster = parse_code(text, classification=system)
    if cluster.is_cluster:
        return CodeRule(cluster.text, "cluster", note, title)
    if cluster.members[0].qualifiers:
        raise CodeSyntaxError(
            f"{text!r} has qualifiers, which are no part of a code list: give {cluster.members[0].code}.", text=text
        )
    return CodeRule(cluster.text, scope, note, title)
