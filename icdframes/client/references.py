"""Find the entity id of what a user calls an entity; a request is sent only where the text alone does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from icdframes.client.endpoints import Classification, CodeEndpoint, Linearization
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, Remedy
from icdframes.model.cluster import CodeSystem
from icdframes.model.code_shapes import SEPARATOR, icf_chapter
from icdframes.model.codes import parse_code, split_codes
from icdframes.model.entity import Entity
from icdframes.model.uris import EntityUri, is_entity_id, is_icd10_key, parse_uri

_CHAPTER_NUMBER = re.compile(r"\d{2}")
_FIRST_SIGNS = "123456789ABCDEFGHJKLMNPQRS"
"""What the codes of the chapters 01 to 26 begin with; those of V and X begin with these letters."""
_BEFORE_DOT = 4
_LONGEST_NAME = 500
_SHOWN = 60
_WRITTEN = {
    "icf": re.compile(r"[bsde]\d+"),
    "icd10": re.compile(r"[A-Z]\d{2}(\.?\d+)?"),
    "mms": re.compile(r"[1-9A-Z][A-Z]\d[0-9A-Z](\.[0-9A-Z]+)?"),
}


@dataclass(frozen=True, slots=True)
class EntityReference:
    """An entity as a user named it, before any request.

    Attributes
    ----------
    text : str
        An entity id, a code or the id of a block.
    kind : str
        ``"id"``, ``"code"``, ``"block"`` or ``"foundation"`` (a foundation URI asked of a linearization).
    release : str or None
        The release in a URI.

    """

    text: str
    kind: str
    release: str | None = None


def read_reference(entity: object, classification: str) -> EntityReference:
    """Read what a user calls an entity: an id, a code or a URI.

    Raises
    ------
    ConfigurationError
        If it belongs to another classification.
    CodeSyntaxError
        If it is nothing of the kind.

    """
    text = str(entity).strip() if isinstance(entity, str | int) and not isinstance(entity, bool) else ""
    if not text:
        raise CodeSyntaxError(
            f"{str(entity)[:_SHOWN]!r} names no entity: give one code such as '1A00', one id such as '257068234', "
            "or one URI",
            text=str(entity),
            remedy=Remedy("None loads the whole classification", "--all loads the whole classification"),
        )
    if len(text) > _LONGEST_NAME:
        raise CodeSyntaxError(
            f"A text of {len(text):,} characters names no entity: {text[:_SHOWN]!r}… Give one code, id or URI.",
            text=text,
        )
    if "://" in text:
        return _from_uri(text, classification)
    if classification == "icd10":
        return _from_icd10(text)
    if is_entity_id(text) and not _CHAPTER_NUMBER.fullmatch(text):
        return EntityReference(text, "id")
    if classification == "foundation":
        raise CodeSyntaxError(
            f"{text!r} is no foundation entity: the foundation has ids and no codes. "
            "Give an id or URI, or load the code from the classification 'mms'.",
            text=text,
        )
    return _from_code(text, "icf" if classification == "icf" else "mms")


def _from_code(text: str, classification: CodeSystem) -> EntityReference:
    """Read a code as every other verb does; a text of letters and digits may be one of a later release."""
    codes = split_codes(text)
    if len(codes) > 1:
        raise CodeSyntaxError(
            f"{text!r} holds {len(codes)} codes, {', '.join(codes)}",
            text=text,
            remedy=Remedy("give them as a list to load all of them", "give one of them"),
        )
    if SEPARATOR.search(text) and not text.rstrip().endswith("/"):
        raise CodeSyntaxError(
            f"{text!r} is a cluster of several codes",
            text=text,
            remedy=Remedy("load one of them, or take it apart with decode_codes()", "load one of them"),
        )
    try:
        member = parse_code(text, classification=classification).members[0]
    except CodeSyntaxError:
        if re.fullmatch(r"[0-9A-Za-z.]+", text):
            return EntityReference(text, "code")
        raise CodeSyntaxError(
            f"{text!r} is no code, id or URI: codes look like '1A00' or 'BA41.Z', ids like '257068234', blocks like "
            f"'BlockL1-1A0'.{_of_icd10(text)}",
            text=text,
        ) from None
    if member.kind == "range":
        raise CodeSyntaxError(
            f"{text!r} is a range of codes: give the block's id, such as 'BlockL1-1A0', or the codes as a list.",
            text=text,
        )
    is_block = member.kind == "block" or (classification == "icf" and member.kind == "chapter")
    return EntityReference(member.code, "block" if is_block else "code")


def _of_icd10(text: str) -> str:
    """Return what to add where a text is a range of ICD-10, such as ``A00-A09``."""
    with suppress(CodeSyntaxError):
        if parse_code(text, classification="icd10").members[0].kind == "range":
            return " It is written like a block of ICD-10: give the classification 'icd10'."
    return ""


def _from_uri(text: str, classification: str) -> EntityReference:
    uri = parse_uri(text)
    if uri.entity_id is None:
        raise ConfigurationError(
            f"{text} names a whole classification",
            remedy=Remedy(
                f"give None for all of it, and classification={uri.classification!r}",
                f"give --all and --classification {uri.classification}",
            ),
        )
    if uri.classification == "foundation" and classification not in {"foundation", "icd10"}:
        return EntityReference(uri.entity_id, "foundation")
    if uri.classification != classification:
        raise ConfigurationError(
            f"{text} is of classification {uri.classification!r}, not {classification!r}: "
            f"give the classification {uri.classification!r}."
        )
    return EntityReference(uri.entity_id, "id", uri.release)


def _from_icd10(text: str) -> EntityReference:
    try:
        key = parse_code(text, classification="icd10").members[0].code
    except CodeSyntaxError:
        key = ""
    if not is_icd10_key(key):
        raise CodeSyntaxError(
            f"{text!r} is no chapter, block or category of ICD-10: they look like 'I', 'A00-A09', 'A00' or 'A00.0'.",
            text=text,
        )
    return EntityReference(key, "id")


def find_entity_id(
    reference: EntityReference, source: Classification, codes: CodeEndpoint | None, release: str | None
) -> str:
    """Return the entity id behind a reference; one request for a code, none for an id, for a block all that lead to it.

    Raises
    ------
    EntityNotFoundError
        If the release has no such entity; the message names what may have been meant.

    """
    if reference.kind == "foundation":
        return _from_foundation(reference.text, source, release)
    if reference.kind == "id":
        return reference.text
    if codes is None or release is None:
        raise EntityNotFoundError(f"{source.name} has no codes: give an id or a URI.")
    if reference.kind == "block":
        return _find_block(reference.text, source, codes, release)
    try:
        return codes.codeinfo(reference.text, release).stem_id
    except EntityNotFoundError:
        hint = _elsewhere(reference.text, source.name) or _near(reference.text, codes, release)
        raise EntityNotFoundError(
            f"No code {reference.text!r} in {source.name} {release}. {hint or 'Search for its title to find the code.'}"
        ) from None


def _find_block(block_id: str, source: Classification, codes: CodeEndpoint, release: str) -> str:
    """Return the entity id of a block, or of a chapter of ICF, which the API does not look up: from the top down."""
    key = block_id.upper().rpartition("-")[2]
    above = _block_roots(key, source, codes, release)
    while above:
        below: list[str] = []
        for entity in (source.entity(child, release) for parent in above for child in parent.child_ids):
            if _is_named(entity, block_id):
                return entity.entity_id
            if entity.block_id and _may_hold(entity, key):
                below.append(entity.entity_id)
        above = [source.entity(entity_id, release) for entity_id in below]
    raise EntityNotFoundError(f"No block {block_id!r} in {source.name} {release}. Load its chapter to see the blocks.")


def _block_roots(key: str, source: Classification, codes: CodeEndpoint, release: str) -> list[Entity]:
    """Return the entities below whose chapters a block lies: its chapter, of ICF the whole classification."""
    if source.name == "icf":
        return [source.entity(child, release) for child in source.top_level(release).child_ids]
    place = _FIRST_SIGNS.find(key[0])
    chapter = key[0] if place < 0 else f"{place + 1:02}"
    try:
        return [source.entity(codes.codeinfo(chapter, release).stem_id, release)]
    except EntityNotFoundError:
        return []


def _is_named(entity: Entity, name: str) -> bool:
    """Return whether a block has this id, or is the chapter of ICF that is written so: b1 is BlockL2-b11."""
    block_id = entity.block_id or ""
    return block_id.upper() == name.upper() or ("-" not in name and icf_chapter(None, block_id) == name)


def _may_hold(entity: Entity, key: str) -> bool:
    """Return whether a block may hold one whose codes begin like this; not every block has a range of codes."""
    if entity.block_id and entity.block_id[8:9] in {"b", "d", "e", "s"}:
        return entity.block_id[8:9].upper() == key[0]
    first, _, last = (entity.code_range or "").replace(".", "").upper().partition("-")
    return not last or first[: len(key)] <= key <= last[: len(key)]


def _from_foundation(foundation_id: str, source: Classification, release: str | None) -> str:
    try:
        return source.entity(foundation_id, release).entity_id
    except EntityNotFoundError:
        if not isinstance(source, Linearization) or release is None:
            raise
    uri = str(EntityUri("foundation", None, foundation_id))
    try:
        return source.lookup(uri, release).entity_id
    except EntityNotFoundError:
        raise EntityNotFoundError(
            f"{uri} is not coded in {source.name} {release}: load it from the classification 'foundation'."
        ) from None


def _near(code: str, codes: CodeEndpoint, release: str) -> str | None:
    for other in _spellings(code):
        with suppress(EntityNotFoundError):
            codes.codeinfo(other, release)
            return f"Did you mean {other!r}?"
    return None


def _elsewhere(code: str, classification: str) -> str | None:
    """Name the other classification whose codes are written like this one."""
    for other, written in _WRITTEN.items():
        if other != classification and written.fullmatch(code) and not _WRITTEN[classification].fullmatch(code):
            return f"It is written like a code of the classification {other!r}: give that one."
    return None


def _spellings(code: str) -> Iterator[str]:
    """Yield what may have been meant: capitals, 0 and 1 for O and I, a dot set, the end cut off."""
    upper = code.upper()
    seen = {code}
    fixed = upper.replace("O", "0").replace("I", "1")
    needs_dot = len(fixed) > _BEFORE_DOT and "." not in fixed
    dotted = f"{fixed[:_BEFORE_DOT]}.{fixed[_BEFORE_DOT:]}" if needs_dot else fixed
    shorter = (fixed[:-1].rstrip("."), fixed.partition(".")[0])
    for spelling in (upper, fixed, dotted, code.lower(), *shorter):
        if spelling and spelling not in seen:
            seen.add(spelling)
            yield spelling
