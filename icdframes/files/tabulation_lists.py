"""Read WHO's tabulation lists: which codes of ICD-10 or ICD-11 belong to which cause of death or of morbidity."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from zipfile import ZipInfo

from icdframes.errors import ComparabilityWarning, FileFormatError, warn
from icdframes.files.delimited import RawTable, read_raw_table
from icdframes.files.icd10_meta import LIST_FIELDS, UNDEFINED, Icd10Meta

ICD11_LISTS = {
    "icd11-mortality": "MortalityTabulationList_en.zip",
    "icd11-morbidity": "MorbidityTabulationList_en.zip",
}
LIST_NAMES = (*LIST_FIELDS, *ICD11_LISTS)

_NAMED = "icd10-mortality-1"
_CATEGORY = len("A00")
_SEPARATORS = re.compile(r"[|,;\s]+")
_SHOWN = 5


def icd10_list(meta: Icd10Meta, name: str) -> dict[str, str]:
    """Return the group of each code of ICD-10: WHO's number, with the name where WHO gives one.

    Parameters
    ----------
    meta : Icd10Meta
        WHO's text files.
    name : str
        One of `LIST_FIELDS`.

    Returns
    -------
    dict of str to str
        A category where all its codes are in one group, else each code. Codes that WHO puts into no group have
        the group ``"UNDEF"``, so that none is lost.

    """
    names = list_1_names() if name == _NAMED else {}
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for code in meta.codes:
        if code.is_terminal:
            number = code.groups[name]
            label = f"{number} {names[number]}" if number in names else number
            groups[code.code[:_CATEGORY]][code.code] = label
    found: dict[str, str] = {}
    for category, codes in groups.items():
        labels = set(codes.values())
        found |= {category: labels.pop()} if len(labels) == 1 else codes
    return found


def count_undefined(meta: Icd10Meta, name: str) -> int:
    """Return how many terminal codes WHO puts into no group of a list."""
    return sum(code.is_terminal and code.groups[name] == UNDEFINED for code in meta.codes)


@cache
def list_1_names() -> dict[str, str]:
    """Return the names of the groups of mortality list 1 by number; WHO, ICD-10 volume 1, special tabulation lists."""
    text = (resources.files("icdframes.files") / "icd10_mortality_list_1.csv").read_text(encoding="utf-8")
    return {row["number"]: row["name"] for row in csv.DictReader(text.splitlines())}


def read_icd11_list(path: Path) -> dict[str, str | None]:
    """Read a tabulation list of ICD-11, as WHO's .zip or .xlsx: the group of each code, the narrowest that has it.

    Raises
    ------
    FileFormatError
        If it is no such list.
    MissingExtraError
        If python-calamine is not installed.

    Warns
    -----
    ComparabilityWarning
        If two groups of the same size have a code in common; the first has it.

    """
    raw = read_raw_table(path, _spreadsheet)
    places = {re.sub(r"[^a-z]", "", heading.casefold()): place for place, heading in enumerate(raw.header)}
    if "valuesetname" not in places or not {"expandedcodes", "includedentitiesuri"} & set(places):
        raise FileFormatError(
            f"{raw.place} is no tabulation list of WHO: it has no columns Value Set Name and Expanded codes. "
            "Get MortalityTabulationList_en.zip from https://icd.who.int/browse, Info."
        )
    sets = _sets(raw, places)
    shared: list[str] = []
    owner: dict[str, str] = {}
    for name, codes in sets.items():
        for code in codes:
            other = owner.setdefault(code, name)
            if other != name and len(codes) == len(sets[other]):
                shared.append(code)
            elif other != name and len(codes) < len(sets[other]):
                owner[code] = name
    if shared:
        warn(
            f"{len(shared)} codes are in two groups of the same size in {raw.place} ({', '.join(shared[:_SHOWN])}, …): "
            "each is counted in the first.",
            ComparabilityWarning,
        )
    return {**owner, **_exclusions(raw, places, owner)}


def _sets(raw: RawTable, places: Mapping[str, int]) -> dict[str, list[str]]:
    sets: dict[str, list[str]] = {}
    for line, cells in raw.rows:
        name = _cell(cells, places, "valuesetname")
        if not name:
            raise FileFormatError(f"{raw.place}, line {line}: a set without a name: download it again.")
        listed = _cell(cells, places, "expandedcodes") or _cell(cells, places, "includedentitiesuri")
        sets.setdefault(name, []).extend(filter(None, _SEPARATORS.split(listed)))
    return sets


def _exclusions(raw: RawTable, places: Mapping[str, int], owner: Mapping[str, str]) -> dict[str, None]:
    """Return what is taken out of sets that are given by their entities alone."""
    found: dict[str, None] = {}
    for _, cells in raw.rows:
        if not _cell(cells, places, "expandedcodes"):
            listed = _SEPARATORS.split(_cell(cells, places, "excludedentitiesuri"))
            found |= {uri: None for uri in listed if uri and uri not in owner}
    return found


def _cell(cells: Sequence[str], places: Mapping[str, int], column: str) -> str:
    place = places.get(column, len(cells))
    return cells[place] if place < len(cells) else ""


def _spreadsheet(path: Path, members: Sequence[ZipInfo]) -> str:
    names = [item.filename for item in members if "list" in item.filename.lower()]
    if not names:
        raise FileFormatError(f"{path} holds no tabulation list: give WHO's archive as it is.")
    return names[0]
