"""What the rules of a code list take of the tables of a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from icdframes.analysis.codelist_rules import CodeRule, Pattern, Term, codes_of, grouped
from icdframes.analysis.grouping import nearest
from icdframes.analysis.matching import Tables, entities_of
from icdframes.analysis.tabular_order import CodeIndex, CodeSet, Mask, OverlapError, Rows, narrowest
from icdframes.errors import ConfigurationError, PartialResultWarning, warn
from icdframes.frames.pandas_compat import as_schema, text_array, text_series
from icdframes.model.codes import parse_code, read_interval

_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class TableTaker:
    """Decides by rows of tables.

    Attributes
    ----------
    rule_of : array of int
        Of each row, the number of the rule that takes it, -1 where none does.
    below : array of bool
        Of each row, whether what is below it is taken too.

    """

    rule_of: Rows
    below: Mask

    def __call__(self, members: Any, *, partial: Mask | None = None) -> Mask:
        """Return of rows (-1 is unknown) whether they are taken."""
        rows = np.asarray(members)
        whole = self.rule_of[rows] >= 0
        found = whole if partial is None else np.where(partial, self.below[rows], whole)
        return np.asarray(found & (rows >= 0), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class TableTerm(Term):
    """The rules of one list in the tables of a release, with the rules, what each names, and which decides each row."""

    rules: tuple[CodeRule, ...] = ()
    left_out: tuple[CodeRule, ...] = ()
    sets: tuple[CodeSet | None, ...] = ()
    decided: Rows = field(default_factory=lambda: np.array([], dtype=np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """What a list takes of some tables: whatever one of its terms does."""

    terms: tuple[TableTerm, ...]

    @property
    def mask(self) -> Mask:
        """Of each row, whether it is taken."""
        found: Mask = np.any([_rule_of(term) >= 0 for term in self.terms], axis=0)
        return found


def find_rule(index: CodeIndex, rule: CodeRule) -> CodeSet | None:
    """Return the rows that a rule names; None where the tables hold none of them, or it is a cluster."""
    if rule.scope == "cluster":
        return None
    row = index.rows_of_codes.get(rule.code)
    if row is None and (ends := read_interval(rule.code)):
        inside = index.between(*ends)
        return CodeSet(inside) if inside.any() else None
    if row is None:
        found = index.find([rule.code])[rule.code]
        if found is None or found.top is None:
            return found
        row = found.top
    if rule.scope == "alone":
        return CodeSet(np.arange(len(index.entities)) == row, row)
    return CodeSet(index.branch(row), row)


def expand_rules(
    name: str,
    include: Sequence[CodeRule],
    exclude: Sequence[CodeRule],
    tables: Tables | CodeIndex,
    *,
    warns: bool = True,
) -> TableTerm:
    """Return what the rules of one list take of tables.

    Raises
    ------
    ConfigurationError
        If a rule that takes in and one that leaves out cross.

    Warns
    -----
    PartialResultWarning
        If rules name nothing in these tables.

    """
    index = tables if isinstance(tables, CodeIndex) else CodeIndex(tables)
    rules = (*include, *exclude)
    sets = tuple(find_rule(index, rule) for rule in rules)
    lost = [rule.code for rule, found in zip(rules, sets, strict=True) if found is None and rule.scope != "cluster"]
    patterns = [None if rule.scope != "cluster" else _pattern(index, rule, lost) for rule in rules]
    if lost and warns:
        warn(
            f"{len(lost)} of {len(rules)} rules of the code list {name!r} are not in these tables and have no effect: "
            f"{', '.join(lost[:_SHOWN])}{', …' if lost[_SHOWN:] else ''}.",
            PartialResultWarning,
        )
    rule_of = _decide(name, index, rules, sets, len(include))
    is_wide = np.array([rule.scope != "alone" for rule in rules] + [False])
    wide = rule_of
    if not is_wide[:-1].all():
        narrowed = [found if is_wide[number] else None for number, found in enumerate(sets)]
        wide = _decide(name, index, rules, narrowed, len(include))
    barred = [found for found in patterns[len(include) :] if found]
    barred += [_carried(rule, found) for rule, found in _carriers(index, rules, sets, len(include))]
    return TableTerm(
        TableTaker(np.where(rule_of < len(include), rule_of, -1), (wide >= 0) & (wide < len(include))),
        tuple(found for found in patterns[: len(include)] if found),
        tuple(barred),
        tuple(include),
        tuple(exclude),
        sets,
        rule_of,
    )


def _decide(
    name: str, index: CodeIndex, rules: Sequence[CodeRule], sets: Sequence[CodeSet | None], n_included: int
) -> Rows:
    """Return the number of the narrowest rule of each row, -1 where there is none."""
    numbers = [number for number, found in enumerate(sets) if found is not None]
    found = [one for one in sets if one is not None]
    if not found:
        return np.full(len(index.entities), -1, dtype=np.intp)
    groups = [number < n_included for number in numbers]
    tops = {one.top: number for number, one in zip(numbers, found, strict=True)}
    if not index.is_tree and None not in tops and all(rules[number].scope == "branch" for number in numbers):
        labels = nearest(index.tree, {top: str(n) for top, n in tops.items() if top is not None})
        return np.array([-1 if label is None else int(label) for label in labels], dtype=np.intp)
    masks = [one.rows for one in found]
    try:
        painted = _narrowest(masks, groups, index.is_category)
    except OverlapError as error:
        first, second = (rules[numbers[number]].code for number in error.pair)
        codes = [str(code) for code in index.entities["code"].iloc[error.rows].dropna()]
        raise ConfigurationError(
            f"The code list {name!r} takes {len(codes):,} codes in and leaves them out, by {first} and {second}: "
            f"{', '.join(codes[:_SHOWN])}{', …' if codes[_SHOWN:] else ''}. Correct an end of a range."
        ) from None
    return np.append(np.array(numbers, dtype=np.intp), -1)[painted]


def _narrowest(masks: Sequence[Mask], groups: Sequence[bool], is_category: Mask) -> Rows:
    """Return the narrowest set of each row; of two with the same codes a block is narrower than its chapter."""
    try:
        return narrowest(masks, groups, is_category)
    except OverlapError:
        return narrowest(masks, groups, np.ones_like(is_category))


def _carriers(
    index: CodeIndex, rules: Sequence[CodeRule], sets: Sequence[CodeSet | None], n_included: int
) -> list[tuple[CodeRule, CodeSet]]:
    """Return the excluded extension codes of which no branch is taken in: clusters that carry them are left out."""
    taken = np.zeros(len(index.entities), dtype=bool)
    for found in sets[:n_included]:
        if found is not None:
            taken |= found.rows
    left_out = zip(rules[n_included:], sets[n_included:], strict=True)
    return [
        (rule, found)
        for rule, found in left_out
        if found is not None
        and (found.rows & index.is_extension).any()
        and not (found.rows & ~index.is_extension & index.is_category).any()
        and not (found.rows & taken & index.is_extension).any()
    ]


def _carried(rule: CodeRule, found: CodeSet) -> Pattern:
    return Pattern(f"&{rule.code}", ((None, (_whole(found.rows),)),))


def _whole(rows: Mask) -> TableTaker:
    return TableTaker(np.where(rows, 0, -1), rows)


def _pattern(index: CodeIndex, rule: CodeRule, lost: list[str]) -> Pattern | None:
    """Return the clusters that a rule names; None where the tables lack one of its codes."""
    found = {code: find_rule(index, CodeRule(code)) for code in codes_of(parse_code(rule.code))}
    if None in found.values():
        lost.append(rule.code)
        return None
    takers = {code: _whole(one.rows) for code, one in found.items() if one is not None}
    return grouped(rule, takers)


def combine(operator: str, first: Expansion, second: Expansion) -> Expansion:
    """Return either (``|``), the first without the second (``-``), or both (``&``)."""
    if operator == "|":
        return Expansion((*first.terms, *second.terms))
    patterns = {pattern.code for term in second.terms for pattern in term.patterns}
    if operator == "-":
        return Expansion(tuple(_kept(term, ~second.mask, patterns, keep=False) for term in first.terms))
    barred = tuple(pattern for term in second.terms for pattern in term.barred)
    kept = (_kept(term, second.mask, patterns, keep=True) for term in first.terms)
    return Expansion(tuple(replace(term, barred=(*term.barred, *barred)) for term in kept))


def _kept(term: TableTerm, rows: Mask, patterns: set[str], *, keep: bool) -> TableTerm:
    taker = TableTaker(np.where(rows, _rule_of(term), -1), _below(term) & rows)
    return replace(term, taken=taker, patterns=tuple(p for p in term.patterns if (p.code in patterns) == keep))


def _rule_of(term: TableTerm) -> Rows:
    taker = term.taken
    return taker.rule_of if isinstance(taker, TableTaker) else np.array([], dtype=np.intp)


def _below(term: TableTerm) -> Mask:
    taker = term.taken
    return taker.below if isinstance(taker, TableTaker) else np.array([], dtype=bool)


def table_of(expansion: Expansion, tables: Tables) -> pd.DataFrame:
    """Return the codes of an expansion as a table; see `CodeList.codes`."""
    entities = entities_of(tables).reset_index(drop=True)
    is_code = CodeIndex(tables).is_category & entities["code"].notna().to_numpy(bool)
    rule = text_series([None] * len(entities))
    note = rule.copy()
    for term in reversed(expansion.terms):
        numbers = _rule_of(term)
        rows = np.flatnonzero(numbers >= 0)
        for column, name in ((rule, "code"), (note, "note")):
            named = text_array(getattr(one, name) for one in term.rules)
            column.iloc[rows] = named.take(numbers[rows])
    kept = np.flatnonzero(expansion.mask & is_code)
    columns = {
        name: entities[name].iloc[kept].array if name in entities.columns else [None] * len(kept)
        for name in ("code", "title", "class_kind", "is_leaf", "entity_id")
    }
    frame = pd.DataFrame(columns | {"rule": rule.iloc[kept].array, "note": note.iloc[kept].array})
    records: list[dict[Any, Any]] = frame.to_dict("records")
    records += [
        {"code": one.code, "title": one.title, "class_kind": "cluster", "rule": one.code, "note": one.note}
        for term in expansion.terms
        for one in term.rules
        if one.scope == "cluster" and one.code in {pattern.code for pattern in term.patterns}
    ]
    wanted = ["code", "title", "class_kind", "is_leaf", "rule", "note", "entity_id"]
    dtypes = dict.fromkeys(wanted, "str") | {"is_leaf": "boolean"}
    table = pd.DataFrame(records, columns=wanted).astype(object)
    table = as_schema(table.where(table.notna(), None).drop_duplicates("code", ignore_index=True), dtypes)
    provenance = getattr(tables, "provenance", None)
    table.attrs["provenance"] = provenance.to_dict() if provenance else dict(entities.attrs.get("provenance", {}))
    return table


def check_table(term: TableTerm, index: CodeIndex) -> pd.DataFrame:
    """Return one row per rule, with what becomes of it; see `CodeList.check`."""
    whole = {pattern.code.removeprefix("&") for pattern in (*term.patterns, *term.barred)}
    n_included = len(term.rules)
    taken = np.any([one.rows for one in term.sets[:n_included] if one is not None] or [~index.is_category], axis=0)
    rows = []
    for number, rule in enumerate((*term.rules, *term.left_out)):
        found = term.sets[number]
        named = np.zeros(len(index.entities), dtype=bool) if found is None else found.rows & index.is_category
        decides = (term.decided == number) & index.is_category
        matters = decides if number < n_included else decides & taken
        status = "ok" if matters.any() else "not_found" if found is None else "no_effect"
        status = "whole_clusters" if rule.code in whole and not matters.any() else status
        word = "include" if number < n_included else "exclude"
        rows.append((word, rule.code, rule.scope, int(named.sum()), int(decides.sum()), status))
    return pd.DataFrame(rows, columns=["rule", "code", "scope", "n_codes", "n_decided", "status"])
