"""The rules of a code list: what each names, how far it reaches, and how texts of codes alone are judged by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np

from icdframes.analysis.tabular_order import LAST, Mask
from icdframes.errors import CodeSyntaxError, ConfigurationError, check_option
from icdframes.model.cluster import Cluster, CodeSystem
from icdframes.model.codes import parse_code, read_interval
from icdframes.model.uris import is_entity_id

Scope: TypeAlias = Literal["branch", "alone", "range", "beginning", "cluster"]
_ALONE = "="
_LONGEST_ID = 10


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
    if not isinstance(rule, CodeRule | Mapping):
        raise CodeSyntaxError(
            f"{rule!r} is {type(rule).__name__}, and no rule: give a text such as 'A00-A09', a CodeRule or a dict.",
            text=str(rule),
        )
    if not isinstance(rule, CodeRule):
        rule = CodeRule(str(rule.get("code", "")), rule.get("scope", "branch"), rule.get("note"), rule.get("title"))
    check_option("scope", rule.scope, get_args(Scope))
    scope: Literal["branch", "alone"] = "alone" if rule.scope == "alone" else "branch"
    return _read(rule.code, scope, classification, rule.note or None, rule.title or None)


def _read(
    text: str, scope: Literal["branch", "alone"], system: CodeSystem, note: str | None, title: str | None
) -> CodeRule:
    if text.isdecimal() and len(text) > _LONGEST_ID:
        raise CodeSyntaxError(
            f"{text!r} has more digits than an id of WHO: a spreadsheet makes such numbers of codes like 1E10. Format "
            "the cells as text and write the code anew.",
            text=text,
        )
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


class Taker(Protocol):
    """What decides about single codes; a member is a row of tables, or a key of a text."""

    def __call__(self, members: Any, *, partial: Mask | None = None) -> Mask:
        """Return of each member whether it is taken; `partial` are those that were read as something wider."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A cluster of which all parts must be there.

    Attributes
    ----------
    code : str
        As it is written.
    groups : tuple of (Taker or None, tuple of Taker)
        Of each stem, what it must be (None: anything), and what must hang on it.

    """

    code: str
    groups: tuple[tuple[Taker | None, tuple[Taker, ...]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """The rules of one list.

    Attributes
    ----------
    taken : Taker
        Decides about single codes.
    patterns, barred : tuple of Pattern
        Clusters that are taken in, and that are left out whatever else they hold.

    """

    taken: Taker
    patterns: tuple[Pattern, ...] = ()
    barred: tuple[Pattern, ...] = ()


def grouped(rule: CodeRule, takers: Mapping[str, Taker]) -> Pattern:
    """Return the pattern of a cluster, of which each code has what decides about it."""
    cluster = parse_code(rule.code)
    groups = tuple(
        (
            takers[stem.code],
            tuple(takers[value.code] for value in cluster.extensions if value.group == stem.group),
        )
        for stem in cluster.stems
    )
    return Pattern(rule.code, groups)


def codes_of(cluster: Cluster) -> list[str]:
    """Return the codes of a cluster."""
    return [member.code for member in cluster.members]


@dataclass(frozen=True, slots=True, eq=False)
class TextTaker:
    """Decides by the texts of codes: stretches of codes in order, an outer one before those inside it."""

    stretches: tuple[tuple[str, str, bool], ...]

    def __call__(self, members: Any, *, partial: Mask | None = None) -> Mask:  # noqa: ARG002  a text is what it is
        """Return of keys (in capitals, without dots) whether they are taken."""
        keys = np.asarray(members, dtype=str)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        taken = np.zeros(len(keys), dtype=bool)
        for first, last, is_in in self.stretches:
            start, end = np.searchsorted(ordered, first), np.searchsorted(ordered, last, side="right")
            taken[start:end] = is_in
        found = np.empty_like(taken)
        found[order] = taken
        return found


def intervals_of(
    name: str, include: Sequence[CodeRule], exclude: Sequence[CodeRule], classification: CodeSystem
) -> Term:
    """Return what the rules take, by the texts of codes alone.

    The codes of ICD-10, ICF and the stem codes of the MMS begin with those of the categories above them, so branches
    of categories, ranges and beginnings need no tables.

    Raises
    ------
    ConfigurationError
        If a rule needs tables: a block, a chapter, an entity id, an extension code; or rules cross.

    """
    rules = [(rule, True) for rule in include] + [(rule, False) for rule in exclude]
    single = [(*_stretch(name, rule, classification), is_in) for rule, is_in in rules if rule.scope != "cluster"]
    clusters = [(_text_pattern(name, rule, classification), is_in) for rule, is_in in rules if rule.scope == "cluster"]
    ordered = sorted(sorted(single, key=lambda one: one[1], reverse=True), key=lambda one: one[0])
    _refuse_crossing(name, ordered)
    return Term(
        TextTaker(tuple(ordered)),
        tuple(pattern for pattern, is_in in clusters if is_in),
        tuple(pattern for pattern, is_in in clusters if not is_in),
    )


def _stretch(name: str, rule: CodeRule, classification: CodeSystem) -> tuple[str, str]:
    if rule.scope in {"range", "beginning"}:
        ends = read_interval(rule.code)
    else:
        ends = None if rule.code.isdecimal() or "/" in rule.code else _own_key(rule.code, classification)
    if ends is None:
        raise ConfigurationError(
            f"The code list {name!r} names {rule.code}, whose codes only tables can tell: give them with tables=."
        )
    first = _whole_category(*ends, classification) if rule.scope == "range" else ends[0]
    return first, ends[1] + ("" if rule.scope == "alone" else LAST)


def _whole_category(first: str, last: str, classification: CodeSystem) -> str:
    """Return where a range begins that has all codes of a category: A00.0-A01 has A00 too, as tables would tell."""
    shortest = 3 if classification == "icd10" else 4
    end = "Z" if classification == "mms" else "9"
    while first.endswith("0") and len(first) > shortest:
        above = first[:-1]
        if last.startswith(above) and last != above + end:
            break
        first = above
    return first


def _own_key(code: str, classification: CodeSystem) -> tuple[str, str] | None:
    member = parse_code(code, classification=classification).members[0]
    is_wide = member.kind != "category" or member.role == "extension"
    key = member.code.upper().replace(".", "")
    return None if is_wide else (key, key)


def _text_pattern(name: str, rule: CodeRule, classification: CodeSystem) -> Pattern:
    takers = {}
    for code in codes_of(parse_code(rule.code)):
        takers[code] = TextTaker(((*_stretch(name, CodeRule(code), classification), True),))
    return grouped(rule, takers)


def _refuse_crossing(name: str, ordered: Sequence[tuple[str, str, bool]]) -> None:
    for place, (first, last, is_in) in enumerate(ordered):
        for start, end, other in ordered[:place]:
            if is_in != other and start <= first <= end and (last > end or (first, last) == (start, end)):
                raise ConfigurationError(
                    f"The code list {name!r} takes codes in and leaves them out, between {first} and "
                    f"{min(last, end).rstrip(LAST)}: correct an end of a range."
                )
