"""What the next release does to a code list, and the list for that release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from icdframes.analysis.codelist_expand import find_rule
from icdframes.analysis.codelist_rules import CodeRule
from icdframes.analysis.tabular_order import CodeIndex, CodeSet
from icdframes.frames.schema import Column, table_of_rows
from icdframes.model.codes import parse_code
from icdframes.model.uris import is_entity_id

CHANGES = (
    Column("change", "str", "removed, left, added, entered, recoded, retitled or rule_lost"),
    Column("old_code", "str", "Code in the old release"),
    Column("new_code", "str", "Code in the new release"),
    Column("old_title", "str", "Title in the old release"),
    Column("new_title", "str", "Title in the new release"),
    Column("rule", "str", "The rule that has it, as it was written for the old release"),
    Column("entity_id", "str", "Id of the entity; missing for clusters"),
)

FIELDS = ("include", "exclude", "name", "description", "authors", "classification", "release", "parts")

if TYPE_CHECKING:
    from icdframes.analysis.codelist import CodeList


@dataclass(frozen=True, slots=True, eq=False)
class CodeListMove:
    """A code list for another release, and what changed.

    Attributes
    ----------
    codelist : CodeList
        The list for the new release.
    changes : pandas.DataFrame
        One row per change: change, old_code, new_code, old_title, new_title, rule, entity_id. ``removed`` codes
        are no more, ``left`` ones no longer lie below a rule; ``added`` are new below a rule, ``entered`` were there
        and now lie below one; ``recoded``, ``retitled``; ``rule_lost`` is a rule whose entity is no more: of a branch
        the codes that remain are then in the list one by one.

    """

    codelist: Any
    changes: pd.DataFrame


@dataclass(slots=True)
class RuleMover:
    """Writes rules for another release, and remembers those that are lost."""

    old: CodeIndex
    new: CodeIndex
    lost: list[CodeRule] = field(default_factory=list)

    def move(self, rules: Sequence[CodeRule]) -> list[CodeRule]:
        """Return the rules as they are written in the new release."""
        return [moved for rule in rules for moved in self._moved(rule)]

    def _moved(self, rule: CodeRule) -> Iterator[CodeRule]:
        if rule.scope == "beginning":
            yield rule
        elif rule.scope == "range":
            first, last = (self._new_code(end) or end for end in rule.code.split("-"))
            yield CodeRule(f"{first}-{last}", "range", rule.note, rule.title)
        elif rule.scope == "cluster":
            yield from self._moved_cluster(rule)
        elif (found := find_rule(self.old, rule)) is not None and found.top is not None:
            yield from self._moved_entity(rule, found, found.top)
        else:
            self.lost.append(rule)

    def _moved_entity(self, rule: CodeRule, found: CodeSet, top: int) -> Iterator[CodeRule]:
        entity_id = str(self.old.entities["entity_id"].iloc[top])
        row = self.new.rows_of_codes.get(entity_id)
        if row is not None:
            by_id = "://" in rule.code or is_entity_id(rule.code)
            code = rule.code if by_id else self._name(row) or rule.code
            yield CodeRule(code, rule.scope, rule.note, rule.title)
            return
        self.lost.append(rule)
        if rule.scope == "branch":
            left = self.old.entities["entity_id"][found.rows & self.old.is_category]
            rows = [self.new.rows_of_codes[key] for key in left.tolist() if key in self.new.rows_of_codes]
            for name in (self._name(row) for row in rows):
                if name:
                    yield CodeRule(name, "alone", f"was below {rule.code}" + (f": {rule.note}" if rule.note else ""))

    def _moved_cluster(self, rule: CodeRule) -> Iterator[CodeRule]:
        codes = {member.code: self._new_code(member.code) for member in parse_code(rule.code).members}
        if None in codes.values():
            self.lost.append(rule)
            return
        text = ""
        for member in parse_code(rule.code).members:
            joint = "" if not text else "/" if member.role == "stem" else "&"
            text += f"{joint}{codes[member.code]}"
        yield CodeRule(text, "cluster", rule.note, rule.title)

    def _new_code(self, code: str) -> str | None:
        found = find_rule(self.old, CodeRule(code))
        if found is None or found.top is None:
            return None
        row = self.new.rows_of_codes.get(str(self.old.entities["entity_id"].iloc[found.top]))
        return None if row is None else self._name(row)

    def _name(self, row: int) -> str | None:
        entities = self.new.entities
        for column in ("code", "block_id", "entity_id"):
            if column in entities.columns and pd.notna(name := entities[column].iloc[row]):
                return str(name)
        return None


def changes_between(old: pd.DataFrame, new: pd.DataFrame, mover: RuleMover) -> pd.DataFrame:
    """Return what changed between the codes of a list in two releases; see `CodeListMove`."""
    before, after = _by_id(old), _by_id(new)
    rows: list[dict[str, Any]] = []
    for entity_id, was in before.items():
        now = after.get(entity_id) or _entity(mover.new, entity_id)
        change = "removed" if now is None else "left" if entity_id not in after else ""
        if change:
            rows.append(_row(change, entity_id, was, now, was["rule"]))
        elif now is not None:
            differs = [("recoded", "code"), ("retitled", "title")]
            rows += [_row(name, entity_id, was, now, was["rule"]) for name, key in differs if was[key] != now[key]]
    for entity_id, now in after.items():
        if entity_id not in before:
            was_there = _entity(mover.old, entity_id)
            rows.append(_row("entered" if was_there else "added", entity_id, was_there, now, now["rule"]))
    rows += [
        {"change": "rule_lost", "old_code": rule.code, "old_title": rule.title, "rule": rule.code}
        for rule in mover.lost
    ]
    return table_of_rows(CHANGES, rows)


def _by_id(codes: pd.DataFrame) -> dict[str, dict[str, Any]]:
    records = codes[codes["entity_id"].notna()].to_dict("records")
    return {
        str(record["entity_id"]): {str(k): None if pd.isna(v) else v for k, v in record.items()} for record in records
    }


def _entity(index: CodeIndex, entity_id: str) -> dict[str, Any] | None:
    row = index.rows_of_codes.get(entity_id)
    if row is None:
        return None
    entities = index.entities
    told = {name: entities[name].iloc[row] for name in ("code", "title") if name in entities.columns}
    return {name: None if pd.isna(value) else value for name, value in told.items()}


def _row(
    change: str, entity_id: str, was: dict[str, Any] | None, now: dict[str, Any] | None, rule: str
) -> dict[str, Any]:
    row: dict[str, Any] = {"change": change, "entity_id": entity_id, "rule": rule}
    for side, told in (("old", was), ("new", now)):
        if told is not None:
            row |= {f"{side}_code": told.get("code"), f"{side}_title": told.get("title")}
    return row


def moved_list(codelist: CodeList, mover: RuleMover, release: str | None) -> CodeList:
    """Return a list, and the lists it is made of, with every rule moved."""
    parts = tuple((operator, moved_list(part, mover, release)) for operator, part in codelist.parts)
    include, exclude = mover.move(codelist.include), mover.move(codelist.exclude)
    taken = {rule.key for rule in include}
    exclude = [rule for rule in exclude if rule.key not in taken]
    return replace_list(codelist, include=include, exclude=exclude, parts=parts, release=release)


def replace_list(codelist: CodeList, **changes: Any) -> CodeList:
    """Return a list with some fields changed."""
    return type(codelist)(**({field: getattr(codelist, field) for field in FIELDS} | changes))
