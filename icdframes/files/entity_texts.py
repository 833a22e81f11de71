"""Definitions, notes and lists of entities, as JSON Lines beside a tabulation; it guesses no link."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icdframes.errors import FileFormatError
from icdframes.frames.atomic import no_file
from icdframes.model.entity import Reference, Term

_CODE_AT_END = re.compile(r"(?P<label>.*\S)\s*\((?P<code>[^()]*)\)")
_CHAPTER = re.compile(r"\w+ (?P<number>\w+)")
_LINE = "Each line must be"
_LISTS = '{"Inclusions": ["…", "…"]}'
_NAMES = '"Inclusions", "Exclusions" or "Coded Elsewhere"'


@dataclass(frozen=True, slots=True)
class TextIndex:
    """How a text file names the entities: each mapping leads to an entity id."""

    codes: Mapping[str, str]
    chapters: Mapping[str, str]
    blocks: Mapping[str, str]
    nameless_blocks: Mapping[str, str]

    def find(self, record: Mapping[str, Any]) -> str | None:
        """Return the id of the entity that a line tells of."""
        if record.get("kind") == "chapter":
            return self.chapters.get(record.get("code") or "")
        if record.get("kind") == "block" and not record.get("blockId"):
            return self.nameless_blocks.get(_apart(record.get("title") or "")[0])
        return self.blocks.get(record.get("blockId") or "") or self.codes.get(record.get("code") or "")

    def link(self, text: str) -> tuple[str, str | None]:
        """Part a label from the code in brackets at its end, where that leads to an entity."""
        label, code = _apart(text)
        if not code:
            return label, None
        chapter = _CHAPTER.fullmatch(code)
        found = (
            self.codes.get(code) or self.blocks.get(code) or (self.chapters.get(chapter["number"]) if chapter else None)
        )
        return (label, found) if found else (text, None)


@dataclass(frozen=True, slots=True)
class Texts:
    """What a text file adds to one entity."""

    definition: str | None
    coding_note: str | None
    terms: tuple[Term, ...]
    references: tuple[Reference, ...]


def read_texts(path: Path, index: TextIndex) -> dict[str, Texts]:
    """Read a ``.jsonl`` or ``.jsonl.gz`` file; lines of unknown entities are passed over.

    Raises
    ------
    FileFormatError
        If a line is no record (it names the line), or no line fits the tabulation.

    """
    found: dict[str, Texts] = {}
    for number, record in _records(path):
        entity_id = index.find(record)
        if entity_id is not None:
            found[entity_id] = _texts(f"{path}, line {number}", record, index)
    if not found:
        raise FileFormatError(
            f"{path} tells of no entity of this tabulation, but of another classification or release. "
            "Give the text that belongs to it."
        )
    return found


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError as error:
        raise no_file(path) from error
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(
            f"{path} cannot be read, it is damaged or of another kind ({error}): download it again."
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise FileFormatError(f"{path}, line {number}: not JSON ({error}). {_LINE} one JSON object.") from error
        if not isinstance(record, dict):
            raise FileFormatError(f"{path}, line {number}: not a JSON object. {_LINE} one.")
        yield number, record


def _texts(where: str, record: Mapping[str, Any], index: TextIndex) -> Texts:
    lists = record.get("lists") or {}
    if not isinstance(lists, dict):
        raise FileFormatError(f'{where}: "lists" is no JSON object: write {_LISTS}.')
    terms: list[Term] = []
    references: list[Reference] = []
    for name, labels in lists.items():
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise FileFormatError(f'{where}: the list "{name}" is no list of texts: write {_LISTS}.')
        if name.startswith("Inclu"):
            terms += [Term("inclusion", label) for label in labels]
        elif name.startswith("Exclu"):
            references += [Reference("exclusion", label, None, link) for label, link in map(index.link, labels)]
        elif name.startswith("Cod"):
            references += [Reference("child_elsewhere", label, None, link) for label, link in map(index.link, labels)]
        else:
            raise FileFormatError(f'{where}: unknown list "{name}": name it {_NAMES}.')
    return Texts(
        definition=_text(where, record, "definition"),
        coding_note=_text(where, record, "codingNote"),
        terms=tuple(terms),
        references=tuple(sorted(references, key=lambda reference: reference.kind != "exclusion")),
    )


def _text(where: str, record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise FileFormatError(f'{where}: "{key}" is no text: write it in quotes, or leave it out.')
    return value or None


def _apart(text: str) -> tuple[str, str]:
    match = _CODE_AT_END.fullmatch(text)
    return (match["label"], match["code"]) if match else (text, "")
