"""Find the entity id of what a user calls an entity; a request is sent only where the text alone does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from icdframes.client.endpoints import Classification, CodeEndpoint, Linearization
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError, Remedy
from icdframes.model.code_shapes import SEPARATOR
from icdframes.model.uris import EntityUri, is_entity_id, is_icd10_key, parse_uri

_CHAPTER_NUMBER = re.compile(r"\d{2}")
_DOTLESS = re.compile(r"([A-Z]\d{2})(\d+)")
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
        An entity id or a code.
    kind : str
        ``"id"``, ``"code"`` or ``"foundation"`` (a foundation URI asked of a linearization).
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
    if SEPARATOR.search(text):
        raise CodeSyntaxError(
            f"{text!r} is a cluster of several codes",
            text=text,
            remedy=Remedy("load one of them, or take it apart with decode_codes()", "load one of them"),
        )
    if not re.fullmatch(r"[0-9A-Za-z.]+", text):
        raise CodeSyntaxError(
            f"{text!r} is no code, id or URI: codes look like '1A00' or 'BA41.Z', ids like '257068234'; "
            "a block has no code, give its id.",
            text=text,
        )
    return EntityReference(text, "code")


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
    key = _DOTLESS.sub(r"\1.\2", text.upper())
    if not is_icd10_key(key):
        raise CodeSyntaxError(
            f"{text!r} is no chapter, block or category of ICD-10: they look like 'I', 'A00-A09', 'A00' or 'A00.0'.",
            text=text,
        )
    return EntityReference(key, "id")


def find_entity_id(
    reference: EntityReference, source: Classification, codes: CodeEndpoint | None, release: str | None
) -> str:
    """Return the entity id behind a reference; one request for a code, none for an id.

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
    try:
        return codes.codeinfo(reference.text, release).stem_id
    except EntityNotFoundError:
        hint = _elsewhere(reference.text, source.name) or _near(reference.text, codes, release)
        raise EntityNotFoundError(
            f"No code {reference.text!r} in {source.name} {release}. {hint or 'Search for its title to find the code.'}"
        ) from None


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
            return f"It is written like a code of the classification {other!r}."
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
