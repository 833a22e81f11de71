"""Real wordings with their right codes, and the indexes on which they are measured; every wording counts once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import icdframes
from icdframes.coding.normalize import normalizer, stem_of
from icdframes.coding.phrases import Coder
from icdframes.coding.text_index import TextIndex
from icdframes.files.tabulation import read_tabulation
from icdframes.frames.code_mapping import CodeMapping
from icdframes.frames.entity_tables import EntityTables
from icdframes.sandbox import Sandbox
from icdframes.sandbox.corpus_files import load_corpus

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ICDFRAMES_TEST_DATA", PROJECT.parent / "shared" / "data"))
FOLDS = 5
_EXTENSION = re.compile(r"X[A-Z][A-Z0-9]{3}")


@dataclass(frozen=True)
class Gold:
    """Wordings and what is right.

    Attributes
    ----------
    texts, right, codes, fold, number
        Of each wording its text, the stems of which any is right, the first of them as a user's dictionary would
        hold it, its fold, its place among all.

    """

    texts: list[str]
    right: list[set[str]]
    codes: list[str | None]
    fold: list[int]
    number: list[int]

    def take(self, places: Sequence[int]) -> Gold:
        """Return some of them."""
        return Gold(*([values[place] for place in places] for values in vars(self).values()))

    def where(self, kept: Callable[[int], bool]) -> Gold:
        """Return those whose place is kept."""
        return self.take([place for place in range(len(self.texts)) if kept(place)])


def stem(code: Any) -> str:
    """Return the stem of a code, or an empty text; extension codes that stand without ``&`` are cut off."""
    return stem_of(_EXTENSION.split(code)[0]) if isinstance(code, str) and code else ""


def folds_of(texts: Sequence[str]) -> list[int]:
    """Return a fold for each text; texts of the same words have the same."""
    bags = [" ".join(sorted(normalizer().words(text))) for text in texts]
    place = {bag: number % FOLDS for number, bag in enumerate(sorted(set(bags)))}
    return [place[bag] for bag in bags]


@cache
def mms() -> EntityTables:
    """Return the MMS of 2022-02 with inclusions and exclusions."""
    return read_tabulation(
        DATA / "mms" / "2022-02_simpletabulation_en.tsv.gz", DATA / "mms_text" / "2022-02_mms_text_en.jsonl.gz"
    )


@cache
def mappings() -> tuple[CodeMapping, ...]:
    """Return WHO's mapping of ICD-10, and of the foundation to ICD-10."""
    names = ("2024-01_10To11MapToOneCategory.txt.gz", "2024-01_foundation_11To10MapToOneCategory.tsv.gz")
    return tuple(icdframes.read_mapping(DATA / "mapping" / name) for name in names)


@cache
def wordings() -> Gold:
    """Return the wordings of causes of death whose stem is in the MMS of 2024-01."""
    frame = pd.read_csv(DATA / "coding" / "ons_dictionary_dev_half.csv", dtype=str, keep_default_na=False)
    newest = read_tabulation(DATA / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")
    known = {stem_of(code) for code in newest.entities["code"].dropna()}
    pairs = zip(frame["DiagnosisText"], frame["Icd1"], frame["Icd2"], strict=True)
    rows = [(text, {stem(first), stem(second)} & known, stem(first)) for text, first, second in pairs]
    rows = [row for row in rows if row[1]]
    texts = [text for text, *_ in rows]
    codes = [code if code in known else None for *_, code in rows]
    return Gold(texts, [right for _, right, _ in rows], codes, folds_of(texts), list(range(len(rows))))


def dictionary(fold: int) -> pd.DataFrame:
    """Return the wordings of the other folds with their codes, as a user's dictionary."""
    known = {stem_of(code) for code in mms().entities["code"].dropna()}
    rows = wordings()
    pairs = [
        (text, code)
        for text, code, place in zip(rows.texts, rows.codes, rows.fold, strict=True)
        if place != fold and code in known
    ]
    return pd.DataFrame(pairs, columns=["text", "code"])


@cache
def chapter_06() -> EntityTables:
    """Return the foundation's branch of chapter 06, 2026-01, with its real synonyms."""
    corpus = load_corpus(DATA / "foundation" / "2026-01_foundation_chapter06_raw_api.json.gz")
    with (
        TemporaryDirectory() as folder,
        Sandbox(corpus, authenticate=False) as sandbox,
        icdframes.connect(sandbox.url, cache_dir=folder) as client,
    ):
        return client.load_tables("334423054", classification="foundation", progress=False)


@cache
def synonyms() -> Gold:
    """Return the synonyms of chapter 06; right is each entity of the MMS that holds the synonym's entity.

    Where the entity is not in the MMS, its nearest ancestors are, on every way up. Of one with residuals its own code
    and that of its "unspecified" residual are right.
    """
    coder, tables = Coder(mms()), chapter_06()
    parents = tables.edges.groupby("child_id")["parent_id"].agg(list).to_dict()
    code = dict(zip(coder.ids, coder.frame["code"], strict=True))

    def holders(entity_id: str, seen: tuple[str, ...] = ()) -> set[str]:
        if entity_id in coder.place:
            return {entity_id}
        above = [parent for parent in parents.get(entity_id, []) if parent not in seen]
        return set().union(*(holders(parent, (*seen, entity_id)) for parent in above))

    def stems(entity_id: str) -> set[str]:
        held = holders(entity_id)
        rows = {coder.target(one) for one in held} - {-1}
        own = {stem(code[one]) for one in held & coder.coded}
        return own | {stem(coder.frame["code"].iloc[row]) for row in rows}

    terms = tables.terms[tables.terms["kind"].eq("synonym")]
    found = [(label, stems(one)) for one, label in zip(terms["entity_id"], terms["label"], strict=True)]
    found = [(label, right) for label, right in found if right]
    texts = [label for label, _ in found]
    right = [right for _, right in found]
    return Gold(texts, right, [None] * len(texts), folds_of(texts), list(range(len(texts))))


def without_synonyms(fold: int) -> EntityTables:
    """Return chapter 06 of the foundation without the synonyms of a fold."""
    rows, tables = synonyms(), chapter_06()
    gone = {text for text, place in zip(rows.texts, rows.fold, strict=True) if place == fold}
    return replace(tables, terms=tables.terms[~tables.terms["label"].isin(gone)])


def settings() -> Iterator[tuple[str, TextIndex, Gold]]:
    """Yield name, index and wordings of each measurement; one with folds comes once a fold."""
    rows = wordings()
    yield "tables", TextIndex(mms()), rows
    yield "with mapping files", TextIndex(mms(), sources=mappings()), rows
    for fold in range(FOLDS):
        index = TextIndex(mms(), sources=mappings(), dictionary=dictionary(fold))
        yield "with a dictionary", index, rows.where(lambda place, fold=fold: rows.fold[place] == fold)
    index = TextIndex(mms(), sources=[*mappings(), chapter_06()])
    yield "chapter 06", index, rows.where(lambda place: any(code.startswith("6") for code in rows.right[place]))
    known = synonyms()
    for fold in range(FOLDS):
        index = TextIndex(mms(), sources=[*mappings(), without_synonyms(fold)])
        yield "synonyms left out", index, known.where(lambda place, fold=fold: known.fold[place] == fold)
