"""Read the rows of WHO's Simple Tabulation as an `EntityGraph` and as tables."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from icdframes.errors import CodeSyntaxError, FileFormatError
from icdframes.files.entity_texts import TextIndex, Texts, read_texts
from icdframes.files.tabulation_sheet import Sheet, read_sheet
from icdframes.frames.build import EntityColumns, build_listed, build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.model.entity import Entity, EntityGraph, garbage_collection_paused
from icdframes.model.uris import EntityUri, check_classification, entity_id_of, parse_uri

_DASHES = re.compile(r"(?:- )*")
_HYPERLINK = re.compile(r'=hyperlink\("([^"]+)"', re.IGNORECASE)
_OLD_RESIDUAL = re.compile(r"/[a-z]+/(other|unspecified)$")
_RELEASE = re.compile(r"(?<!\d)\d{4}-\d{2}(?!\d)")
_LANGUAGE = re.compile(r"[-_]([a-z]{2})(?=\.|$)", re.IGNORECASE)
_NO_TEXTS = Texts(None, None, (), ())


@dataclass(frozen=True, slots=True)
class TabulationOrigin:
    """What a tabulation file says of itself.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    classification : str
        From its URIs: ``"mms"``, ``"icf"``, or another linearization's own name, such as ``"ichi"``.
    release : str or None
        From its URIs, its name, or its "Version:…" heading; None for a maintenance export, which is no release.
    language : str or None
        From its name; English where there are no translated titles.
    chapters : Mapping of str to str or None
        Chapter code of each entity at the top.
    remark : str
        What kind of file it is where that must be told, else empty.

    """

    path: Path
    classification: str
    release: str | None
    language: str | None
    chapters: Mapping[str, str | None]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Links:
    """The hierarchy that the dashes before the titles give; ``rows`` says where an entity stands.

    Where each entity has one row, ``depths`` are theirs, in this order.
    """

    rows: dict[str, int]
    roots: list[str]
    parents: dict[str, list[str]]
    children: dict[str, list[str]]
    depths: list[int]


def read_tabulation_graph(
    path: str | os.PathLike[str],
    text: str | os.PathLike[str] | None = None,
    *,
    language: str | None = None,
    release: str | None = None,
    classification: str | None = None,
) -> tuple[EntityGraph, TabulationOrigin]:
    """Read a tabulation file as entities; parameters and errors as in `icdframes.read_tabulation`."""
    links, origin, lists = _read(path, text, language, release, classification)
    return _graph(links, lists), origin


def _graph(links: _Links, lists: Mapping[str, list[Any]]) -> EntityGraph:
    entities = dict(zip(links.rows, Entity.from_columns(lists), strict=True))
    return EntityGraph(tuple(links.roots), entities)


def _read(
    path: str | os.PathLike[str],
    text: str | os.PathLike[str] | None,
    language: str | None,
    release: str | None,
    classification: str | None,
) -> tuple[_Links, TabulationOrigin, dict[str, list[Any]]]:
    """Return the links, what the file says of itself, and the fields of the entities by name."""
    file = Path(path)
    sheet = read_sheet(file)
    ids = _entity_ids(file, sheet)
    links = _links(file, sheet, ids)
    if not links.roots:
        raise FileFormatError(f"{file} has headings but no rows. Download it again.")
    named = parse_uri(_modern(sheet.columns["uri"][0]))
    origin = TabulationOrigin(
        path=file,
        classification=check_classification(classification) if classification else named.classification,
        release=release or _release(file, sheet, named.release),
        language=language or _language(file, sheet),
        chapters={root: _chapter(sheet, links.rows[root]) for root in links.roots},
        remark=_remark(sheet, release),
    )
    texts = read_texts(Path(text), _index(sheet, links)) if text is not None else {}
    return links, origin, _lists(sheet, links, origin, texts)


def _entity_ids(file: Path, sheet: Sheet) -> list[str]:
    ids: list[str] = []
    try:
        ids.extend(map(entity_id_of, map(_modern, sheet.columns["uri"])))
    except CodeSyntaxError as error:
        raise FileFormatError(f"{file}, line {sheet.lines[len(ids)]}: {error}") from error
    return ids


def _modern(uri: str) -> str:
    """Write ``…/mms/1/mms/other``, as early releases have it, like ``…/mms/1/other``."""
    is_old = uri.endswith(("/other", "/unspecified")) and (uri.count("/mms/") > 1 or uri.count("/icf/") > 1)
    return _OLD_RESIDUAL.sub(r"/\1", uri) if is_old else uri


def _links(file: Path, sheet: Sheet, ids: list[str]) -> _Links:
    columns = sheet.columns
    shown = [english or title for english, title in zip(columns["title_en"], columns["title"], strict=True)]
    named_parents, foundation_ids = _last_parts(columns["parent"]), _last_parts(columns["foundation"])
    links = _Links({}, [], {}, {}, [])
    above: list[str] = []
    for row, (entity_id, title, named, primary) in enumerate(
        zip(ids, shown, named_parents, columns["primary"], strict=True)
    ):
        depth = len(_DASHES.match(title)[0]) // 2 if title.startswith("-") else 0  # type: ignore[index]  # it fits all
        if depth > len(above):
            raise FileFormatError(
                f"{file}, line {sheet.lines[row]}: the title has {depth} dashes, the row above it "
                f"allows {len(above)} at most. A row is missing; download the file again."
            )
        del above[depth:]
        links.depths.append(depth)
        if named is not None:
            found = foundation_ids[links.rows[above[-1]]] or above[-1] if above else None
            if named != found:
                raise _wrong_parent(file, sheet.lines[row], named, found)
        if entity_id not in links.rows:
            links.rows[entity_id] = row
            links.parents[entity_id], links.children[entity_id] = [], []
        elif primary.casefold() == "true":
            links.rows[entity_id] = row
        if not above:
            links.roots.append(entity_id)
        elif above[-1] not in links.parents[entity_id]:
            links.parents[entity_id].append(above[-1])
            links.children[above[-1]].append(entity_id)
        above.append(entity_id)
    return links


def _wrong_parent(file: Path, line: int, named: str, found: str | None) -> FileFormatError:
    return FileFormatError(
        f"{file}, line {line}: the file names {named} as the parent, but by the dashes before the title it is "
        f"{found or 'none'}. A row is missing or out of place; download the file again."
    )


def _lists(sheet: Sheet, links: _Links, origin: TabulationOrigin, texts: Mapping[str, Texts]) -> dict[str, list[Any]]:
    of_release = str(EntityUri(origin.classification, origin.release, None))
    cells = sheet.columns
    titles = list(map(_bare, cells["title"]))
    titles_en = list(map(_bare, cells["title_en"])) if sheet.has_english else cells["title_en"]
    codes, blocks, notes = cells["code"], cells["block_id"], cells["coding_note"]
    browsers = [link and link[1] for link in map(_HYPERLINK.match, cells["browser"])]
    kinds = [kind.casefold() or None for kind in cells["class_kind"]]
    foundation_ids = _last_parts(cells["foundation"])
    ids, rows = list(links.rows), list(links.rows.values())
    found = [texts.get(entity_id, _NO_TEXTS) for entity_id in ids]
    return {
        "uri": [f"{of_release}/{entity_id}" for entity_id in ids],
        "entity_id": ids,
        "title": [titles[row] or titles_en[row] or None for row in rows],
        "language": [origin.language] * len(ids),
        "translated": [bool(titles[row]) or not titles_en[row] for row in rows],
        "code": [codes[row] or (_chapter(sheet, row) if kinds[row] == "chapter" else None) for row in rows],
        "class_kind": [kinds[row] for row in rows],
        "parent_ids": list(map(tuple, links.parents.values())),
        "child_ids": list(map(tuple, links.children.values())),
        "block_id": [blocks[row] or None for row in rows],
        "definition": [text.definition for text in found],
        "coding_note": [text.coding_note or notes[row] or None for text, row in zip(found, rows, strict=True)],
        "foundation_id": [foundation_ids[row] for row in rows],
        "browser_url": [browsers[row] for row in rows],
        "terms": [text.terms for text in found],
        "references": [text.references for text in found],
    }  # fmt: skip


def _bare(title: str) -> str:
    """Take the dashes off; a title of dashes alone is none."""
    if not title.startswith("-"):
        return title
    return title[_DASHES.match(title).end() :] if title.strip("- ") else ""  # type: ignore[union-attr]  # it fits all


def _last_parts(uris: Sequence[str]) -> list[str | None]:
    return [uri.rstrip("/").rpartition("/")[2] or None if uri else None for uri in uris]


def _chapter(sheet: Sheet, row: int) -> str | None:
    """Return the chapter number as WHO writes it; a spreadsheet may have made 1 of 01."""
    number = sheet.columns["chapter"][row]
    return number.zfill(2) if number.isdigit() else number or None


def _index(sheet: Sheet, links: _Links) -> TextIndex:
    codes: dict[str, str] = {}
    chapters: dict[str, str] = {}
    blocks: dict[str, str] = {}
    nameless: list[tuple[str, str]] = []
    for entity_id, row in links.rows.items():
        kind, code, block = (sheet.columns[name][row] for name in ("class_kind", "code", "block_id"))
        if kind.casefold() == "chapter":
            chapters[_chapter(sheet, row) or code] = entity_id
        elif block:
            blocks[block] = entity_id
        elif code:
            codes[code] = entity_id
        else:
            nameless.append((_bare(sheet.columns["title"][row]), entity_id))
    times = Counter(title for title, _ in nameless)
    return TextIndex(codes, chapters, blocks, {title: key for title, key in nameless if times[title] == 1})


def _release(file: Path, sheet: Sheet, in_uri: str | None) -> str | None:
    if sheet.is_working_copy:
        return None
    if in_uri and in_uri[0].isdigit():
        return in_uri
    in_name = _RELEASE.search(file.name) or _RELEASE.search(sheet.name)
    if in_name:
        return in_name[0]
    return sheet.date[:7] if sheet.date else in_uri


def _remark(sheet: Sheet, release: str | None) -> str:
    if not sheet.is_working_copy or release:
        return ""
    made = f" of {sheet.date}" if sheet.date else ""
    return f"maintenance export{made} of WHO's development site, no release"


def _language(file: Path, sheet: Sheet) -> str | None:
    in_name = _LANGUAGE.search(file.name) or _LANGUAGE.search(sheet.name)
    if in_name:
        return in_name[1].lower()
    return None if sheet.has_english else "en"


@garbage_collection_paused()
def read_tabulation(
    path: str | os.PathLike[str],
    text: str | os.PathLike[str] | None = None,
    *,
    language: str | None = None,
    release: str | None = None,
    classification: str | None = None,
) -> EntityTables:
    r"""Read a Simple Tabulation file that was downloaded from WHO.

    Parameters
    ----------
    path : path
        ``.txt``, ``.tsv``, ``.csv`` or ``.xlsx`` (needs openpyxl), also inside a
        ``.zip``, and text as ``.gz``; in any form of 2018 to 2026.
    text : path, optional
        ``.jsonl`` or ``.jsonl.gz`` with one object per entity: ``kind``, ``code`` or
        ``blockId``, ``definition``, ``codingNote``, ``lists``. It fills definitions,
        coding notes, inclusions, exclusions and children coded elsewhere.
    language, release, classification : str, optional
        Given where the file tells them wrongly or not at all.

    Returns
    -------
    EntityTables
        The same tables as loading the whole classification, less what the file does
        not tell. A chapter's number is its code. An untranslated title is English. The
        maintenance export of WHO's development site has no release, and its provenance
        says what it is; ICHI and the specialty linearizations keep their own names. No network.

    Raises
    ------
    FileFormatError
        If the file is no tabulation, has a row whose parent is not the one above it, or would
        unpack to more than 500 MB; names the line.
    MissingExtraError
        If a spreadsheet is given and python-calamine is not installed.

    Examples
    --------
    >>> import icdframes
    >>> import tempfile
    >>> from pathlib import Path
    >>> rows = [
    ...     ["Linearization URI", "Code", "Title", "ClassKind", "ChapterNo", "Version:2024 Jan 21"],
    ...     ["http://id.who.int/icd/release/11/mms/1435254666", "", "Infections", "chapter", "01", ""],
    ...     ["http://id.who.int/icd/release/11/mms/257068234", "1A00", "- Cholera", "category", "01", ""],
    ... ]
    >>> file = Path(tempfile.mkdtemp()) / "tabulation-en.txt"
    >>> _ = file.write_text("\n".join("\t".join(row) for row in rows))
    >>> icdframes.read_tabulation(file).entities["code"].tolist()
    ['01', '1A00']

    """
    links, origin, lists = _read(path, text, language, release, classification)
    name = origin.path.name
    provenance = Provenance(
        server=f"{name} ({origin.remark})" if origin.remark else name,
        classification=origin.classification,
        release=origin.release,
        languages=(origin.language,) if origin.language else (),
        retrieved_at=utc_text(datetime.fromtimestamp(origin.path.stat().st_mtime, UTC)),
    )
    if len(links.depths) > len(links.rows):  # an entity stands in several rows
        return build_tables(_graph(links, lists), provenance, chapters=origin.chapters)
    of_place: dict[str, list[Any]] = {
        "parent_id": [parents[0] if parents else None for parents in lists["parent_ids"]],
        "depth": links.depths,
    }
    return build_listed(lists | of_place, EntityColumns.from_lists(lists), provenance, chapters=origin.chapters)
