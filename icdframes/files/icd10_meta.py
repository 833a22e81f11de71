"""Read ICD-10 from WHO's text files ("Meta"): chapters, groups, and codes with their numbers in WHO's lists."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icdframes.errors import FileFormatError
from icdframes.files.delimited import check_archive, damaged, decode_text
from icdframes.frames.atomic import no_file
from icdframes.model.entity import Entity, EntityGraph
from icdframes.model.uris import EntityUri

UNDEFINED = "UNDEF"
"""What WHO writes for a code that is in no group of a list."""

LIST_FIELDS = {
    "icd10-mortality-1": 16,
    "icd10-mortality-2": 15,
    "icd10-mortality-3": 14,
    "icd10-mortality-4": 13,
    "icd10-morbidity": 12,
}
_PARTS = ("chapters", "groups", "codes")
_N_FIELDS = 17
_CATEGORY = len("A00")
_ROMAN = (
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI", "XVII",
    "XVIII", "XIX", "XX", "XXI", "XXII",
)  # fmt: skip
# The groups of groups, which the text files leave out; from WHO's ICD-10, 2019, https://icd.who.int/browse10/2019/en.
_OUTER_GROUPS = {
    "C00-C97": "Malignant neoplasms",
    "C00-C75": "Malignant neoplasms, stated or presumed to be primary, of specified sites, except of lymphoid, "
    "haematopoietic and related tissue",
    "M00-M25": "Arthropathies",
    "M40-M54": "Dorsopathies",
    "M60-M79": "Soft tissue disorders",
    "M80-M94": "Osteopathies and chondropathies",
    "T20-T32": "Burns and corrosions",
    "V01-X59": "Accidents",
    "V01-V99": "Transport accidents",
    "W00-X59": "Other external causes of accidental injury",
    "Y40-Y84": "Complications of medical and surgical care",
}


@dataclass(frozen=True, slots=True)
class MetaCode:
    """One line of the file of codes.

    Attributes
    ----------
    code : str
        With its dot, such as ``"A00.0"``.
    is_terminal : bool
        Whether it has no codes below it.
    title : str
        The one that is clear alone: ``"Malignant neoplasm: Hard palate"``, not ``"Hard palate"``.
    chapter : str
        Roman number.
    is_asterisk : bool
        Whether it is written with an asterisk: a manifestation, never a cause alone.
    groups : Mapping of str to str
        Number of the group in each list, or `UNDEFINED`.

    """

    code: str
    is_terminal: bool
    title: str
    chapter: str
    is_asterisk: bool
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Icd10Meta:
    """What the text files hold: chapters by roman number, groups as first code, last code and title, and codes."""

    chapters: Mapping[str, str]
    groups: Sequence[tuple[str, str, str, str]]
    codes: Sequence[MetaCode]


def read_icd10_meta(path: Path) -> Icd10Meta:
    """Read WHO's archive of text files, or a folder of them.

    Raises
    ------
    FileFormatError
        If it is not there, damaged, or a line is not as WHO writes it; names file and line.

    """
    lines = _lines_of(path)
    chapters = {_roman(path, number): title for number, title in _split(path, "chapters", lines["chapters"], 2)}
    groups = [
        (first, last, _roman(path, chapter), title)
        for first, last, chapter, title in _split(path, "groups", lines["groups"], 4)
    ]
    codes = [_code(path, cells) for cells in _split(path, "codes", lines["codes"], _N_FIELDS)]
    return Icd10Meta(chapters, groups, codes)


def icd10_graph(meta: Icd10Meta, release: str) -> EntityGraph:
    """Build the hierarchy of chapters, blocks within blocks, categories and subcategories."""
    links = _Links(meta)
    prefix = f"{EntityUri('icd10', release, None)}/"
    entities = {}
    for key, (kind, title) in links.nodes.items():
        parent = links.parents.get(key)
        entities[key] = Entity(
            uri=f"{prefix}{key}",
            entity_id=key,
            title=title,
            language="en",
            code=key,
            class_kind=kind,
            parent_ids=(parent,) if parent else (),
            child_ids=tuple(links.children[key]),
        )
    return EntityGraph(tuple(meta.chapters), entities)


class _Links:
    """Who is below whom."""

    def __init__(self, meta: Icd10Meta) -> None:
        self.nodes: dict[str, tuple[str, str]] = {number: ("chapter", title) for number, title in meta.chapters.items()}
        self.parents: dict[str, str] = {}
        self.children: dict[str, list[str]] = {number: [] for number in meta.chapters}
        self._blocks: list[tuple[str, str, str]] = []
        for first, last, chapter, title in _with_outer(meta.groups):
            above = self._block_around(first, last)
            self._add(f"{first}-{last}", above or chapter, "block", title)
            self._blocks.append((first, last, f"{first}-{last}"))
        for code in meta.codes:
            self._add(code.code, self._parent_of(code), "category", code.title)

    def _add(self, key: str, parent: str, kind: str, title: str) -> None:
        self.nodes[key] = (kind, title)
        self.parents[key] = parent
        self.children[key] = []
        self.children[parent].append(key)

    def _block_around(self, first: str, last: str) -> str | None:
        around = [block for block in self._blocks if block[0] <= first and last <= block[1]]
        return around[-1][2] if around else None

    def _parent_of(self, code: MetaCode) -> str:
        shorter = code.code[:-1].rstrip(".")
        while len(shorter) >= _CATEGORY:
            if shorter in self.nodes:
                return shorter
            shorter = shorter[:-1].rstrip(".")
        return self._block_around(code.code[:_CATEGORY], code.code[:_CATEGORY]) or code.chapter


def _with_outer(groups: Iterable[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Add the groups of groups, where at least two of their groups are there; outer before inner, by first code."""
    found = list(groups)
    named = {f"{first}-{last}" for first, last, _, _ in found}
    for key, title in _OUTER_GROUPS.items():
        first, last = key.split("-")
        within = [group for group in found if first <= group[0] and group[1] <= last]
        if key not in named and len(within) > 1:
            found.append((first, last, within[0][2], title))
    return sorted(found, key=lambda group: (group[0], [-ord(sign) for sign in group[1]]))


def _lines_of(path: Path) -> dict[str, list[str]]:
    texts: dict[str, bytes] = {}
    try:
        if path.is_dir():
            texts = {file.name: file.read_bytes() for file in path.iterdir() if _part_of(file.name)}
        else:
            with zipfile.ZipFile(path) as archive:
                check_archive(path, archive)
                texts = {name: archive.read(name) for name in archive.namelist() if _part_of(name)}
    except FileNotFoundError as error:
        raise no_file(path) from error
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise damaged(path, error) from error
    lines = {_part_of(name): decode_text(path, data).splitlines() for name, data in texts.items()}
    if missing := [part for part in _PARTS if part not in lines]:
        raise FileFormatError(
            f"{path} holds no file …syst_{missing[0]}.txt: give WHO's archive of text files of ICD-10 "
            "(icd102019enMeta.zip) as it is."
        )
    return lines


def _part_of(name: str) -> str:
    return next((part for part in _PARTS if name.lower().endswith(f"syst_{part}.txt")), "")


def _split(path: Path, part: str, lines: Iterable[str], n_fields: int) -> Iterator[list[str]]:
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(";")]
        if len(cells) != n_fields and any(cells):
            raise FileFormatError(
                f"{path}, file of {part}, line {number}: {len(cells)} fields instead of {n_fields}: download it again."
            )
        if any(cells):
            yield cells


def _roman(path: Path, number: str) -> str:
    if not number.isdecimal() or not 0 < int(number) <= len(_ROMAN):
        raise FileFormatError(f"{path}: {number!r} is no chapter of ICD-10, which are 01 to 22: download it again.")
    return _ROMAN[int(number) - 1]


def _code(path: Path, cells: Sequence[str]) -> MetaCode:
    return MetaCode(
        code=cells[6],
        is_terminal=cells[1] == "T",
        title=cells[8],
        chapter=_roman(path, cells[3]),
        is_asterisk=cells[5].endswith("*"),
        groups={name: cells[place] or UNDEFINED for name, place in LIST_FIELDS.items()},
    )
