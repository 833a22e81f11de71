"""Answer requests for WHO's published files, built from the corpus in the forms that WHO gave them."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from xml.sax.saxutils import escape, quoteattr

from icdframes.model.entity import Entity
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import Answer, HttpRequest, not_found

_NAMES = {"ICD-11-MMS": "mms", "ICF": "icf"}
_TABULATION = re.compile(
    r"/static/releasefiles/(?P<release>[\d-]+)/SimpleTabulation-(?P<name>ICD-11-MMS|ICF)-(?P<language>[a-z]+)\.zip"
)
_MAPPING = re.compile(r"/static/releasefiles/(?P<release>[\d-]+)/mapping\.zip")
_LISTS = re.compile(r"/static/releasefiles/(?P<release>[\d-]+)/(?P<kind>Mortality|Morbidity)TabulationList_en\.zip")
_META = re.compile(r"/icd10/meta/icd10(?P<release>\d{4})enMeta\.zip")
_CLAML = re.compile(r"/icd10/claml/icd10(?P<release>\d{4})en\.xml\.zip")
_MADE = (2024, 1, 21, 22, 30, 0)
_LAST_MODIFIED = "Sun, 21 Jan 2024 22:30:00 GMT"
_FORM_OF_2026 = "2026"
_RANGE = re.compile(r"bytes=(\d+)-")
_RECORD = "\r\n"
_FOUNDATION = "http://id.who.int/icd/entity"


def is_release_file(path: str) -> bool:
    """Return whether a path belongs to WHO's server of published files."""
    return path.startswith(("/static/releasefiles/", "/icd10/"))


def release_file(corpus: Corpus, asked: HttpRequest) -> Answer:
    """Answer a GET or HEAD for a file; the rest of one where ``Range`` asks for it."""
    for pattern, make in _MAKERS:
        if named := pattern.fullmatch(asked.path):
            data = corpus.once(asked.path, partial(make, corpus, **named.groupdict()))
            return _sent(data, asked)
    raise not_found()


def _sent(data: bytes, asked: HttpRequest) -> Answer:
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Last-Modified": _LAST_MODIFIED, "Accept-Ranges": "bytes"}
    if asked.header("If-None-Match") == tag:
        return Answer(HTTPStatus.NOT_MODIFIED, headers=headers)
    wanted = _RANGE.fullmatch(asked.header("Range"))
    if wanted and asked.header("If-Range") in {"", tag, _LAST_MODIFIED} and int(wanted[1]) < len(data):
        first = int(wanted[1])
        headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        return Answer(HTTPStatus.PARTIAL_CONTENT, data[first:], "application/zip", headers)
    return Answer(HTTPStatus.OK, data, "application/zip", headers)


def _zipped(members: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE), text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _listing(corpus: Corpus, classification: str, release: str) -> Listing:
    found = corpus.listing(classification, release)
    if found is None:
        raise not_found()
    return found


def _tabulation(corpus: Corpus, release: str, name: str, language: str) -> bytes:
    listing = _listing(corpus, _NAMES[name], release)
    if language not in listing.languages:
        raise not_found()
    text = tabulation_text(listing, language)
    return _zipped({f"SimpleTabulation-{name}-{language}.txt": text.encode(), "readme.txt": "A sample.\n"})


def tabulation_text(listing: Listing, language: str = "en") -> str:
    """Write a release as WHO's Simple Tabulation: from 2026 on with coding notes and parents, CRLF after records."""
    late = listing.release >= _FORM_OF_2026
    translated = language != "en"
    heading = [
        "Foundation URI", "Linearization URI", "Code", "BlockId", *(["TitleEN"] if translated else []), "Title",
        "ClassKind", "DepthInKind", "IsResidual", "ChapterNo", "BrowserLink", "isLeaf", "Primary tabulation",
        *(f"Grouping{number}" for number in range(1, 6)), *(["CodingNote", "Parent"] if late else []),
        f"Version:{listing.release[:4]} Jan 21 - 22:30 UTC",
    ]  # fmt: skip
    rows = (_tabulation_row(listing, language, *placed, late=late) for placed in _in_order(listing))
    return "\ufeff" + "".join(f"{line}{_RECORD}" for line in ("\t".join(heading), *rows))


def _in_order(listing: Listing) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield each entity with its depth and the blocks above it, in tabular order."""
    stack: list[tuple[str, int, tuple[str, ...]]] = [(key, 0, ()) for key in reversed(listing.tops)]
    while stack:
        key, depth, blocks = stack.pop()
        yield key, depth, blocks
        entity = listing.entity(key)
        below = (*blocks, entity.block_id) if entity.block_id else blocks
        stack.extend((child, depth + 1, below) for child in reversed(entity.child_ids) if child in listing)


def _tabulation_row(
    listing: Listing, language: str, key: str, depth: int, blocks: tuple[str, ...], *, late: bool
) -> str:
    entity, english = listing.entity(key, language), listing.entity(key)
    dashes = "- " * depth
    title = entity.title if entity.translated else ""
    link = f'=hyperlink("https://icd.who.int/browse/latestrelease/{listing.classification}/{language}#{key}","browser")'
    titles = [_quoted(f"{dashes}{english.title}")] if language != "en" else []
    parent = listing.entity(entity.parent_ids[0]).foundation_id if depth else None
    cells = [
        f"{_FOUNDATION}/{entity.foundation_id}" if entity.foundation_id else "",
        f"http://id.who.int/icd/release/11/{listing.classification}/{key}",
        "" if entity.class_kind == "chapter" else entity.code or "",
        entity.block_id or "",
        *titles,
        _quoted(f"{dashes}{title}" if title else ""),
        entity.class_kind or "",
        "1",
        str(entity.is_residual),
        listing.chapters[key] or "",
        _quoted(link),
        str(not entity.child_ids),
        "True" if entity.class_kind == "category" else "",
        *(blocks[number] if number < len(blocks) else "" for number in range(5)),
        *([entity.coding_note or "", f"{_FOUNDATION}/{parent}" if parent else ""] if late else []),
    ]
    return "\t".join(cells)


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if text else ""


def _mapping(corpus: Corpus, release: str) -> bytes:
    """Pair the entities of ICD-10 and MMS whose titles are equal; the others have no mapping."""
    old, new = corpus.listing("icd10"), _listing(corpus, "mms", release)
    if old is None:
        raise not_found()
    stamp = f"{release[:4]}-Jan-21"
    by_title = {(entity.title or "").lower(): entity for entity in _coded(new)}
    forward = [(entity, by_title.get((entity.title or "").lower())) for entity in _coded(old)]
    backward_of = {(entity.title or "").lower(): entity for entity in _coded(old)}
    backward = [(entity, backward_of.get((entity.title or "").lower())) for entity in _coded(new)]
    old_heads = ["10ClassKind", "10DepthInKind", "icd10Code", "icd10Chapter", "icd10Title"]
    new_heads = ["11ClassKind", "11DepthInKind", "ICD-11 FoundationURI", "Linearization (releaseURI)", "icd11Code",
                 "icd11Chapter", "icd11Title"]  # fmt: skip
    one = [[*_old_cells(old, a), *_new_cells(new, b)] for a, b in forward]
    linked = [
        [*_old_cells(old, a), *_foundation_cells(b), "Equivalent", "0"] for a, b in forward if b and b.foundation_id
    ]
    back = [[*_new_cells(new, a), *_old_cells(old, b)] for a, b in backward]
    back_linked = [
        [*_foundation_cells(a), *_old_cells(old, b), "Equivalent", "0"] for a, b in backward if b and a.foundation_id
    ]
    foundation_heads = ["ICD-11 FoundationURI", "icd11Title"]
    return _zipped(
        {
            "10To11MapToOneCategory.txt": _table([*old_heads, *new_heads, stamp], one),
            "10To11MapToMultipleCategories.txt": _table([*old_heads, *new_heads, stamp], one),
            "11To10MapToOneCategory.txt": _table([*new_heads, *old_heads, stamp], back),
            "foundation_10To11MapToOneCategory.txt": _table([*old_heads, *foundation_heads, stamp], linked),
            "foundation_11To10MapToOneCategory.txt": _table([*foundation_heads, *old_heads, stamp], back_linked),
            "readme.txt": "A sample: entities of equal title.\n",
        }
    )


def _coded(listing: Listing) -> Iterator[Entity]:
    return (listing.entity(key) for key in listing if listing.entity(key).code)


def _old_cells(listing: Listing, entity: Entity | None) -> list[str]:
    if entity is None:
        return ["", "", "No Mapping", "", ""]
    return [
        entity.class_kind or "",
        "1",
        entity.entity_id,
        listing.chapters[entity.entity_id] or "",
        entity.title or "",
    ]


def _new_cells(listing: Listing, entity: Entity | None) -> list[str]:
    if entity is None:
        return ["", "", "", "", "No Mapping", "", ""]
    uri = f"http://id.who.int/icd/release/11/{listing.release}/mms/{entity.entity_id}"
    chapter = listing.chapters[entity.entity_id] or ""
    return [entity.class_kind or "", "1", _foundation_uri(entity), uri, entity.code or "", chapter, entity.title or ""]


def _foundation_cells(entity: Entity) -> list[str]:
    return [_foundation_uri(entity), entity.title or ""]


def _foundation_uri(entity: Entity) -> str:
    return f"{_FOUNDATION}/{entity.foundation_id}" if entity.foundation_id else ""


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator=_RECORD).writerows([heading, *rows])
    return text.getvalue()


def _meta(corpus: Corpus, release: str) -> bytes:
    """Write ICD-10 as text files: chapters, groups and codes, the latter with the numbers of WHO's lists."""
    listing = _listing(corpus, "icd10", release)
    chapters = [key for key in listing.tops if listing.entity(key).class_kind == "chapter"]
    numbers = {key: f"{place:02}" for place, key in enumerate(chapters, start=1)}
    groups, codes = [], []
    for key, _, _ in _in_order(listing):
        entity = listing.entity(key)
        chapter = numbers.get(listing.chapters[key] or "", "")
        if entity.class_kind == "block":
            first, _, last = key.partition("-")
            groups.append(f"{first};{last or first};{chapter};{entity.title}")
        elif entity.class_kind == "category":
            codes.append(_code_line(listing, entity, chapter))
    lines = {
        "chapters": [f"{number};{listing.entity(key).title}" for key, number in numbers.items()],
        "groups": groups,
        "codes": codes,
    }
    return _zipped({f"icd10{release}syst_{name}.txt": _RECORD.join(rows) + _RECORD for name, rows in lines.items()})


def _code_line(listing: Listing, entity: Entity, chapter: str) -> str:
    code = entity.entity_id
    level = len(code.replace(".", ""))
    block = next((key for key in listing.ancestors(code) if listing.entity(key).class_kind == "block"), code)
    cells = [
        str(level), "N" if entity.child_ids else "T", "X", chapter, block.partition("-")[0],
        code + (".-" if entity.child_ids and level == len("A00") else ""), code, code.replace(".", ""),
        entity.title or "", "", "", "", "UNDEF", "UNDEF", "UNDEF", "UNDEF",
        "UNDEF" if chapter in {"19", "22"} else f"1-0{chapter}",
    ]  # fmt: skip
    return ";".join(cells)


def _claml(corpus: Corpus, release: str) -> bytes:
    """Write ICD-10 in ClaML 2."""
    listing = _listing(corpus, "icd10", release)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<ClaML version="2.0.0">', '<Meta name="lang" value="en"/>',
             f'<Title date="2020-02-01" name="ICD-10-EN-{release}" version="{release}">ICD-10</Title>']  # fmt: skip
    for key, _, _ in _in_order(listing):
        entity = listing.entity(key)
        lines.append(f'<Class code="{key}" kind="{entity.class_kind}">')
        lines += [f'<SuperClass code="{parent}"/>' for parent in entity.parent_ids]
        lines += [f'<SubClass code="{child}"/>' for child in entity.child_ids]
        lines += [_rubric("preferred", entity.title or "")]
        lines += [_rubric(term.kind, term.label) for term in entity.terms if term.kind == "inclusion"]
        lines.append("</Class>")
    return _zipped({f"icd10{release}en.xml": "\n".join([*lines, "</ClaML>"])})


def _rubric(kind: str, text: str) -> str:
    return f'<Rubric kind={quoteattr(kind)}><Label xml:lang="en">{escape(text)}</Label></Rubric>'


def _tabulation_list(corpus: Corpus, release: str, kind: str) -> bytes:
    """Write a tabulation list of ICD-11 as a spreadsheet: one set for each block at the top of a chapter."""
    listing = _listing(corpus, "mms", release)
    heading = [
        "Value Set Name", "Explanation", "Included Entities", "Included Entities (URI)", "Excluded Entities",
        "Excluded Entities (URI)", "Included Value Sets", "Excluded Value Sets", "Tags", "Expanded codes",
        f"{release[:4]}-Jan-21",
    ]  # fmt: skip
    rows = []
    for top in listing.tops:
        for key in listing.entity(top).child_ids:
            codes = [code for one in (key, *listing.descendants(key)) if (code := listing.entity(one).code)]
            if codes:
                title = listing.entity(key).title or ""
                uri = f"http://id.who.int/icd/release/11/{release}/mms/{key}"
                rows.append([f"{kind}: {title}", "", title, uri, "", "", "", "", "", " | ".join(codes)])
    return _zipped({f"{kind}TabulationList_en.xlsx": _workbook([heading, *rows])})


def _workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """Write the smallest .xlsx that holds a table of texts; the sandbox needs no package for it."""
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
        for row in rows
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return _zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="List" sheetId="1" '
            'r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
        }
    )


_MAKERS = (
    (_TABULATION, _tabulation),
    (_MAPPING, _mapping),
    (_LISTS, _tabulation_list),
    (_META, _meta),
    (_CLAML, _claml),
)
