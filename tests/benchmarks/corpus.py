"""A classification of any size in the shape of the real MMS, with made-up text; it reads the real one too."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from icdframes.model.entity import Axis, Entity, Reference, Term
from icdframes.model.uris import EntityUri
from icdframes.sandbox import Corpus
from icdframes.sandbox.corpus import Listing
from icdframes.sandbox.corpus_files import load_corpus

RELEASE = "2024-01"
LEVELS = (28, 307, 2_174, 7_009, 10_306, 8_120, 4_498, 2_381, 788, 312, 121)  # MMS 2024-01, counted
MOST_CHILDREN = 299
CHILDREN = 6.3
WITH_RESIDUALS = 0.6  # of those with three children or more: 14 % of all entities are residuals
DEFINED = 0.22
SECOND_PARENTS = 0.11  # of the foundation
WORDS = [
    "acute",
    "chronic",
    "other",
    "disorder",
    "of",
    "the",
    "with",
    "due",
    "to",
    "syndrome",
    "infection",
    "benign",
    "upper",
    "lower",
    "primary",
    "lesion",
]

_PROSE = " ".join(random.Random(0).choices(WORDS, k=20_000))


def made_up(size: int, classification: str = "mms", *, seed: int = 6) -> Corpus:
    """Make a corpus with so many entities on the levels of the MMS.

    The foundation has no codes and no residuals, and some 11 % of it have a second parent.
    """
    rng = random.Random(seed)
    rows = _rows(size, rng, WITH_RESIDUALS if classification != "foundation" else 0)
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {key: [] for key, _, _ in rows}
    by_level: dict[int, list[str]] = {}
    for key, parent, level in rows:
        parents[key] = [parent] if parent else []
        by_level.setdefault(level, []).append(key)
        if classification == "foundation" and level > 1 and rng.random() < SECOND_PARENTS:
            parents[key] = list(dict.fromkeys([*parents[key], rng.choice(by_level[level - 1])]))
        for above in parents[key]:
            children[above].append(key)
    entities = {
        key: _entity(key, number, level, parents[key], children[key], classification, rng)
        for number, (key, _, level) in enumerate(rows)
    }
    listing = Listing(classification, RELEASE, {"en": entities}, titles={"en": "Made up in the shape of the MMS"})
    return Corpus([listing])


def real(tabulation: Path, text: Path | None = None) -> Corpus:
    """Read WHO's own table, such as the full MMS 2022-02."""
    return load_corpus(tabulation, text=text)


def _rows(size: int, rng: random.Random, with_residuals: float) -> list[tuple[str, str | None, int]]:
    """Return (id, parent, level), level after level; few have many children, as it really is."""
    rows: list[tuple[str, str | None, int]] = []
    above: list[str] = []
    for level, count in enumerate(LEVELS):
        last = level + 1 == len(LEVELS)
        left = size - len(rows)
        wanted = left if last else min(left, max(1, round(count * size / sum(LEVELS))))
        current: list[tuple[str, str | None, int]] = []
        for parent, group in groupby(_parents(above, wanted, rng)):
            keys = [f"{100_000_000 + len(rows) + len(current) + number}" for number, _ in enumerate(group)]
            if level > 1 and len(keys) > 2 and rng.random() < with_residuals:
                keys[-2:] = [f"{parent}/other", f"{parent}/unspecified"]
            current += [(key, parent, level) for key in keys]
        rows += current
        above = [key for key, _, _ in current if "/" not in key]
    return rows


def _parents(above: list[str], wanted: int, rng: random.Random) -> Sequence[str | None]:
    if not above:
        return [None] * wanted
    inner = rng.sample(above, max(1, min(len(above), round(wanted / CHILDREN))))
    weights = [min(rng.paretovariate(1.4), MOST_CHILDREN / CHILDREN) for _ in inner]
    return sorted(rng.choices(inner, weights, k=wanted))


def _entity(
    key: str, number: int, level: int, parents: list[str], children: list[str], classification: str, rng: random.Random
) -> Entity:
    kind = "chapter" if level == 0 else "block" if level == 1 and children else "category"
    named = None if classification == "foundation" else RELEASE
    entity = Entity(
        uri=str(EntityUri(classification, named, key)),
        entity_id=key,
        title=_text(rng, 33),
        language="en",
        parent_ids=tuple(parents),
        child_ids=tuple(children),
        definition=_text(rng, 284) if rng.random() < DEFINED else None,
        browser_url=f"https://icd.who.int/browse/{RELEASE}/{classification}/en#{key}",
        terms=tuple(Term("index_term", _text(rng, 40), f"{200_000_000 + number * 9 + i}") for i in range(6)),
        references=(Reference("exclusion", _text(rng, 30), "334423054", "334423054"),),
    )
    if classification == "foundation":
        return entity
    return replace(
        entity,
        code=f"{number + 1:02d}" if level == 0 else None if kind == "block" else _code(number),
        class_kind=kind,
        block_id=f"BlockL{level}-{_code(number)}" if kind == "block" else None,
        foundation_id=key,
        axes=() if children else (Axis("laterality", False, "NotAllowed", ("271422156",)),),
    )


def _code(number: int) -> str:
    first, rest = divmod(number, 34 * 10 * 34)
    letter, rest = divmod(rest, 340)
    digit, last = divmod(rest, 34)
    letters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return f"{letters[first % 34]}{'ABCDEFGHJKLMNPQRSTUVWXYZ'[letter % 24]}{letter // 24}{digit}.{letters[last]}"


def _text(rng: random.Random, length: int) -> str:
    begin = rng.randrange(len(_PROSE) - length)
    return _PROSE[begin : begin + length].strip().capitalize()
