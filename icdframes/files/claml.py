"""Read a classification in ClaML, as WHO and national bodies publish ICD-10, as the five tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipInfo

from icdframes.errors import FileFormatError
from icdframes.files.claml_modifiers import ModifiedBy, ModifierClass, Rules, expand, modifiers_of
from icdframes.files.delimited import unpack
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.model.entity import Entity, EntityGraph, Reference, Term
from icdframes.model.uris import EntityUri, is_icd10_key
from icdframes.settings import licence_of

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FIELD_OF = {
    "definition": "definition",
    "introduction": "long_definition",
    "text": "long_definition",
    "note": "coding_note",
    "coding-hint": "coding_note",
    "footnote": "coding_note",
}
_MARKS = {"dagger": "Dagger code (†)", "aster": "Asterisk code (*)"}
_SIGNS = "†‡*+!"


@dataclass(slots=True)
class _Texts:
    """The rubrics of a class in one language."""

    short: str | None = None
    long: str | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    partners: list[str] = field(default_factory=list)

    @property
    def title(self) -> str | None:
        return self.long or self.short

    def joined(self, name: str) -> str | None:
        return "\n".join(self.fields.get(name, ())) or None


@dataclass(frozen=True, slots=True)
class _Class:
    """A class as the file has it."""

    code: str
    kind: str
    usage: str | None
    texts: Mapping[str, _Texts]
    meta: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClamlOrigin:
    """What a ClaML file says of itself: its classification, its release, its languages and its licence line."""

    path: Path
    classification: str
    release: str | None
    languages: tuple[str, ...]
    licence: str


def read_claml(
    path: str | os.PathLike[str], *, language: str | None = None, classification: str | None = None
) -> EntityTables:
    """Read a classification in ClaML 2 or 3, such as WHO's ICD-10.

    Parameters
    ----------
    path : path
        ``.xml``, also inside a ``.zip`` (WHO's icd102019en.xml.zip as it is) or as ``.gz``.
    language : str, optional
        For the text columns, where a file has several; each other one adds ``title_fr``, … By default the one that
        the file names first.
    classification : str, optional
        Name of the classification; by default ``"icd10"`` where the file calls itself so, else the file's own name.

    Returns
    -------
    EntityTables
        Chapters, blocks and categories with the codes that modifiers make; titles, definitions, notes; inclusions as
        terms; exclusions as references, linked to the class they name. Whether a code is a dagger or an asterisk code,
        and with which codes it is used, stands in ``coding_note``. No network.

    Raises
    ------
    FileFormatError
        If it is no ClaML, damaged, or would unpack to more than 500 MB.

    Examples
    --------
    >>> import icdframes
    >>> import tempfile
    >>> from pathlib import Path
    >>> text = '''<ClaML version="2.0.0"><Title name="ICD-10" version="2019"/><Modifier code="M"/>
    ... <ModifierClass code=".0" modifier="M"><Rubric kind="preferred"><Label>With coma</Label></Rubric></ModifierClass>
    ... <Class code="E10" kind="category"><ModifiedBy code="M"/>
    ... <Rubric kind="preferred"><Label xml:lang="en">Type 1 diabetes mellitus</Label></Rubric></Class></ClaML>'''
    >>> file = Path(tempfile.mkdtemp()) / "icd10.xml"
    >>> _ = file.write_text(text)
    >>> icdframes.read_claml(file).entities[["code", "title"]]
        code                                title
    0    E10             Type 1 diabetes mellitus
    1  E10.0  Type 1 diabetes mellitus: With coma

    """
    graph, origin, others = read_claml_graph(path, language=language, classification=classification)
    provenance = Provenance(
        server=origin.path.name,
        classification=origin.classification,
        release=origin.release,
        languages=origin.languages,
        retrieved_at=utc_text(datetime.fromtimestamp(origin.path.stat().st_mtime, UTC)),
        licence=origin.licence,
    )
    chapters = {root: graph.entities[root].code for root in graph.roots}
    return build_tables(graph, provenance, chapters=chapters, translations=others)


def read_claml_graph(
    path: str | os.PathLike[str], *, language: str | None = None, classification: str | None = None
) -> tuple[EntityGraph, ClamlOrigin, dict[str, dict[str, Entity]]]:
    """Read a ClaML file as entities, with those of each further language; parameters as of `read_claml`.

    ``extra`` of an entity holds the file's ``Meta`` values, such as WHO's numbers of mortality lists.
    """
    file = Path(path)
    root = _parsed(file)
    classes = {one.code: one for one in map(_class, root.iterfind("Class"))}
    if not classes:
        raise FileFormatError(f"{file} has no Class elements: it is no classification in ClaML. Download it again.")
    origin = _origin(file, root, classes.values(), language, classification)
    parents, children = _links(root, classes)
    roots = [code for code in _top_order(root, classes) if not parents[code]]
    _add_made_codes(root, classes, parents, children)
    by_language = {
        one: {code: _entity(item, one, origin, parents, children) for code, item in classes.items()}
        for one in origin.languages
    }
    first, *others = origin.languages
    return EntityGraph(tuple(roots), by_language[first]), origin, {one: by_language[one] for one in others}


def _parsed(file: Path) -> ET.Element:
    place, data = unpack(file, _largest_xml, (".xml",))
    if b"<!ENTITY" in data[:10_000]:
        raise FileFormatError(f"{place} defines entities of its own, which ClaML does not need; it is refused.")
    try:
        root = ET.fromstring(data)  # noqa: S314  expat limits expansion, and entities of a file's own are refused
    except ET.ParseError as error:
        raise FileFormatError(f"{place} is no XML ({error}): download it again.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "ClaML":
        raise FileFormatError(f"{place} is no ClaML, its root is <{root.tag}>: give WHO's icd102019en.xml.zip.")
    return root


def _largest_xml(path: Path, members: Sequence[ZipInfo]) -> str:
    if not members:
        raise FileFormatError(f"{path} holds no .xml file: give the archive as it was published.")
    return max(members, key=lambda item: item.file_size).filename


def _origin(
    file: Path, root: ET.Element, classes: Iterable[_Class], language: str | None, classification: str | None
) -> ClamlOrigin:
    title = root.find("Title")
    name = (title.get("name") if title is not None else None) or file.stem
    is_icd10 = "icd10" in "".join(sign for sign in name.lower() if sign.isalnum())
    found = list(dict.fromkeys(one for item in classes for one in item.texts))
    stated = language or next((meta.get("value") for meta in root.iterfind("Meta") if meta.get("name") == "lang"), None)
    if stated in found:
        found.remove(stated)
        found.insert(0, stated)
    authority = next((item.get("authority") or "" for item in root.iterfind("Identifier")), "WHO")
    owner = next((meta.get("value") for meta in root.iterfind("Meta") if meta.get("name") == "copyright"), None)
    named = classification or ("icd10" if is_icd10 else name.lower())
    licence = licence_of(named) if authority.upper() == "WHO" or not owner else owner
    version = title.get("version") if title is not None else None
    return ClamlOrigin(file, named, version, tuple(found) or ("en",), licence)


def _class(element: ET.Element) -> _Class:
    texts: dict[str, _Texts] = {}
    for rubric in element.iterfind("Rubric"):
        for label in rubric.iterfind("Label"):
            _read_label(texts.setdefault(label.get(_LANG) or "en", _Texts()), rubric.get("kind") or "", label)
    meta = {item.get("name") or "": item.get("value") or "" for item in element.iterfind("Meta")}
    return _Class(element.get("code") or "", element.get("kind") or "category", element.get("usage"), texts, meta)


def _read_label(texts: _Texts, kind: str, label: ET.Element) -> None:
    links = [_code_in(item) for item in label.iter("Reference")]
    if kind == "preferred":
        texts.short = texts.short or _text(label, with_references=False)
        texts.partners += [link for link in links if link]
    elif kind == "preferredLong":
        texts.long = texts.long or _text(label, with_references=False)
    elif kind == "inclusion":
        texts.terms.append(Term("inclusion", _text(label)))
    elif kind == "exclusion":
        text = _text(label, with_references=False)
        texts.references += [Reference("exclusion", text, None, link or None) for link in links or [""]]
    elif kind in _FIELD_OF:
        texts.fields.setdefault(_FIELD_OF[kind], []).append(_text(label))


def _code_in(reference: ET.Element) -> str:
    code = reference.get("code") or "".join(reference.itertext())
    return code.strip().strip(_SIGNS).removesuffix("-").removesuffix(".")


def _text(label: ET.Element, *, with_references: bool = True) -> str:
    """Return the words of a label: fragments and paragraphs apart, references in brackets or left out."""
    parts: list[str] = []

    def walk(element: ET.Element) -> None:
        apart = element.tag in {"Fragment", "Para", "ListItem", "Cell"}
        parts.append(" " if apart else "")
        if element.tag == "Reference":
            parts.append(f" ({''.join(element.itertext()).strip()})" if with_references else "")
        else:
            parts.append(element.text or "")
            for child in element:
                walk(child)
                parts.append(child.tail or "")
        parts.append(" " if apart else "")

    walk(label)
    return " ".join("".join(parts).split())


def _links(root: ET.Element, classes: Mapping[str, _Class]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return parents and children of each class: SubClass gives the order, SuperClass what SubClass leaves out."""
    children: dict[str, list[str]] = {code: [] for code in classes}
    parents: dict[str, list[str]] = {code: [] for code in classes}
    for tag in ("SubClass", "SuperClass"):
        for element in root.iterfind("Class"):
            own = element.get("code") or ""
            for link in element.iterfind(tag):
                other = link.get("code") or ""
                parent, child = (own, other) if tag == "SubClass" else (other, own)
                if parent in classes and child in classes and child not in children[parent]:
                    children[parent].append(child)
                    parents[child].append(parent)
    return parents, children


def _top_order(root: ET.Element, classes: Mapping[str, _Class]) -> list[str]:
    stated = next((meta.get("value") for meta in root.iterfind("Meta") if meta.get("name") == "TopLevelSort"), None)
    first = [code for code in (stated or "").split() if code in classes]
    return list(dict.fromkeys([*first, *classes]))


def _rules(root: ET.Element) -> tuple[Rules, dict[tuple[str, str], _Class]]:
    values: dict[str, list[ModifierClass]] = {item.get("code") or "": [] for item in root.iterfind("Modifier")}
    described: dict[tuple[str, str], _Class] = {}
    for element in root.iterfind("ModifierClass"):
        code, modifier = element.get("code") or "", element.get("modifier") or ""
        above = next((item.get("code") for item in element.iterfind("SuperClass")), None)
        words = [
            (item.get("value") or "").split()
            for item in element.iterfind("Meta")
            if item.get("name") == "excludeOnPrecedingModifier"
        ]
        forbidden = frozenset(pair for one in words for pair in zip(one[::2], one[1::2], strict=False))
        parent = above if above not in {None, modifier} else None
        values.setdefault(modifier, []).append(ModifierClass(code, modifier, parent, forbidden))
        described[modifier, code] = _class(element)
    modified: dict[str, list[ModifiedBy]] = {}
    excluded: dict[str, frozenset[str]] = {}
    for element in root.iterfind("Class"):
        own = element.get("code") or ""
        for item in element.iterfind("ModifiedBy"):
            valid = frozenset(one.get("code") or "" for one in item.iterfind("ValidModifierClass"))
            restricted = item.get("all") == "false" or bool(valid)
            modified.setdefault(own, []).append(ModifiedBy(item.get("code") or "", valid if restricted else None))
        excluded[own] = frozenset(item.get("code") or "" for item in element.iterfind("ExcludeModifier"))
    return Rules(values, modified, excluded), described


def _add_made_codes(
    root: ET.Element,
    classes: dict[str, _Class],
    parents: dict[str, list[str]],
    children: dict[str, list[str]],
) -> None:
    """Add the codes that modifiers make below the classes that have none of their own."""
    rules, described = _rules(root)
    for code in [one for one in classes if not children[one]]:
        for made in expand(code, modifiers_of(code, parents, rules), rules):
            if made.code in classes:
                continue
            above = classes[made.parent]
            classes[made.code] = _combined(made.code, above, described[made.value.modifier, made.value.code])
            parents[made.code], children[made.code] = [made.parent], []
            children[made.parent].append(made.code)


def _combined(code: str, above: _Class, value: _Class) -> _Class:
    """Join the title of a class with that of a modifier's value, which alone says too little."""
    texts: dict[str, _Texts] = {}
    for language, own in value.texts.items():
        before = above.texts.get(language)
        title = ": ".join(filter(None, (before.title if before else None, own.title)))
        texts[language] = replace(own, long=title)
    return _Class(code, "category", above.usage, texts, {**above.meta, **value.meta})


def _entity(
    item: _Class,
    language: str,
    origin: ClamlOrigin,
    parents: Mapping[str, list[str]],
    children: Mapping[str, list[str]],
) -> Entity:
    texts = item.texts.get(language)
    shown = texts or next(iter(item.texts.values()), _Texts())
    notes = [_mark(item.usage, shown.partners), shown.joined("coding_note")]
    is_icd10 = origin.classification == "icd10" and is_icd10_key(item.code)
    links: dict[str, Any] = {
        "references": tuple(
            replace(one, linearization_id=one.linearization_id if one.linearization_id in parents else None)
            for one in shown.references
        )
    }
    return Entity(
        uri=str(EntityUri("icd10", origin.release, item.code)) if is_icd10 else "",
        entity_id=item.code,
        title=shown.title,
        language=language,
        translated=texts is not None,
        code=item.code,
        class_kind=item.kind,
        parent_ids=tuple(parents[item.code]),
        child_ids=tuple(children[item.code]),
        definition=shown.joined("definition"),
        long_definition=shown.joined("long_definition"),
        coding_note="\n".join(filter(None, notes)) or None,
        terms=tuple(shown.terms),
        extra={**item.meta, **({"usage": item.usage} if item.usage else {})},
        **links,
    )


def _mark(usage: str | None, partners: Sequence[str]) -> str | None:
    if usage not in _MARKS:
        return None
    together = f", used with {', '.join(dict.fromkeys(partners))}" if partners else ""
    return f"{_MARKS[usage]}{together}."
