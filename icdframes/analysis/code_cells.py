"""The codes in the cells of a column, and whether the rules of a code list take them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from icdframes.analysis.codelist_rules import Pattern, Term
from icdframes.analysis.matching import ENTITY, KIND, Members, written_keys
from icdframes.analysis.tabular_order import CodeIndex, Mask, Rows
from icdframes.frames.pandas_compat import text_series
from icdframes.model.code_shapes import GLUED, SLASHED, STEM_CODE
from icdframes.model.codes import split_codes

_PLAIN = re.compile(r"[0-9A-Za-z.]+|(?:[1-9A-Z][A-Z][0-9][0-9A-Z.]+)(?:[&/][1-9A-Z][A-Z][0-9][0-9A-Z.]+)+")
_PLAIN_JOINT = re.compile("([&/])")
_JOINT = re.compile(r"([&/])(?![.+])")
_RESIDUAL = re.compile(r"/(?=OTHER|UNSPECIFIED)")
_GLUED, _SLASHED = re.compile(GLUED, re.IGNORECASE), re.compile(SLASHED)
_STEM_CODE = re.compile(STEM_CODE, re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The codes in some texts; each text holds expressions, these groups, and a group a stem and its extensions.

    Attributes
    ----------
    distinct : list of str
        The different codes.
    member : array of int
        Of each code in each text its number among these.
    text, expression, group : array of int
        Where it stands; groups and expressions are numbered through all texts.
    is_stem : array of bool
        Whether it begins its group.
    n_texts : int
        How many texts there are.

    """

    distinct: list[str]
    member: Rows
    text: Rows
    expression: Rows
    group: Rows
    is_stem: Mask
    n_texts: int

    def counted(self, members: Members) -> Mask:
        """Return which codes count."""
        if members == "any":
            return np.ones(len(self.member), dtype=bool)
        if members == "stems":
            return self.is_stem
        first = np.zeros(len(self.member), dtype=bool)
        first[np.unique(self.expression, return_index=True)[1]] = True
        return first

    def judged(self, term: Term, keys: Any, partial: Mask | None, counts: Mask) -> Mask:
        """Return of each text whether the rules of one list take it."""
        hit = self._any_text(term.taken(keys, partial=partial)[self.member] & counts)
        for pattern in term.patterns:
            hit |= self._fits(pattern, keys)
        for pattern in term.barred:
            hit &= ~self._fits(pattern, keys)
        return hit

    def _any_text(self, members: Mask) -> Mask:
        found = np.zeros(self.n_texts, dtype=bool)
        found[self.text[members]] = True
        return found

    def _fits(self, pattern: Pattern, keys: Any) -> Mask:
        n_expressions = int(self.expression.max(initial=-1)) + 1
        fits = np.ones(n_expressions, dtype=bool)
        for stem, extensions in pattern.groups:
            in_group = np.ones(int(self.group.max(initial=-1)) + 1, dtype=bool)
            for taker, stands in ((stem, self.is_stem), *((one, ~self.is_stem) for one in extensions)):
                if taker is not None:
                    here = np.zeros(len(in_group), dtype=bool)
                    here[self.group[taker(keys)[self.member] & stands]] = True
                    in_group &= here
            there = np.zeros(n_expressions, dtype=bool)
            there[self.expression[in_group[self.group]]] = True
            fits &= there
        found = np.zeros(self.n_texts, dtype=bool)
        found[self.text[fits[self.expression]]] = True
        return found


def read_cells(texts: Sequence[Any]) -> Cells:
    """Take texts apart into codes; a missing text holds none."""
    numbers: dict[str, int] = {}
    member: list[int] = []
    where: list[int] = []
    expression: list[int] = []
    is_stem: list[bool] = []
    n_expressions = 0
    for place, text in enumerate(texts):
        for parts in expressions_of(text):
            for joint, code in zip(parts[::2], parts[1::2], strict=True):
                member.append(numbers.setdefault(code, len(numbers)))
                where.append(place)
                expression.append(n_expressions)
                is_stem.append(joint != "&" or _STEM_CODE.match(code) is not None)
            n_expressions += 1
    stems = np.array(is_stem, dtype=bool)
    members, places, expressions = (np.array(one, dtype=np.intp) for one in (member, where, expression))
    groups = np.cumsum(stems, dtype=np.intp) - 1
    return Cells(list(numbers), members, places, expressions, groups, stems, len(texts))


def expressions_of(text: Any) -> list[list[str]]:
    """Return the expressions of a text: each a list of codes, before each what joins it."""
    if not isinstance(text, str):
        if pd.isna(text):
            return []
        text = str(text)
    if _PLAIN.fullmatch(text) and not _GLUED.fullmatch(text.rstrip(".")):
        return [["/", *_PLAIN_JOINT.split(text)]]
    return [_parts(code) if "://" not in code else ["/", code] for code in split_codes(text)]


def _parts(text: str) -> list[str]:
    if ("&" not in text and "/" not in text) or _SLASHED.fullmatch("".join(text.split()).upper()):
        return ["/", text]
    pieces = ["/", *_JOINT.split(_RESIDUAL.sub("~", text.upper()))]
    found: list[str] = []
    for joint, piece in zip(pieces[::2], pieces[1::2], strict=True):
        code = piece.strip()
        if code or not found:  # a cluster that begins with a joint has no first code
            found += [joint, code.replace("~", "/").lower() if "~" in code else code]
    return found


def keys_of_members(
    distinct: Sequence[str], index: CodeIndex | None, *, is_icf: bool = False
) -> tuple[Any, Mask | None]:
    """Return what rules are asked about: rows of the tables, or keys of the texts; and which are read as wider."""
    if index is None:
        return written_keys(text_series(distinct), is_icf=is_icf).to_numpy(dtype=str), None
    names = index.rows_of_codes
    rows = np.array([names.get(code, -1) for code in distinct], dtype=np.intp)
    partial = np.zeros(len(rows), dtype=bool)
    if (rest := np.flatnonzero(rows < 0)).size:
        found = index.lookup.match([distinct[place] for place in rest.tolist()])
        rows[rest] = [names.get(entity, -1) for entity in found[ENTITY].tolist()]
        partial[rest] = found[KIND].isin(["truncated", "residual"]).to_numpy()
    return rows, partial
