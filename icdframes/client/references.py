"""What a user calls an entity → its entity id; it asks the API only where the name alone does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from icdframes.client.endpoints import Classification, Coding, Linearization
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError
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


def read_name(entity: object, classification: str) -> EntityReference:
    """Sort what a user gave into id, code or URI.

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
            "one URI, or None for all.",
            text=str(entity),
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
            "Give an id or URI, or leave classification at 'mms' to load a code.",
            text=text,
        )
    if SEPARATOR.search(text):
        raise CodeSyntaxError(
            f"{text!r} is a cluster of several codes: load one of them, or take it apart with codeinfo().", text=text
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
            f"{text} names a whole classification: give None for all of it, and classification={uri.classification!r}."
        )
    if uri.classification == "foundation" and classification not in {"foundation", "icd10"}:
        return EntityReference(uri.entity_id, "foundation")
    if uri.classification != classification:
        raise ConfigurationError(
            f"{text} is of classification {uri.classification!r}, not {classification!r}: "
            f"give classification={uri.classification!r}."
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


class Resolver:
    """Finds the entity id behind a name, in one classification and release."""

    def __init__(self, classification: Classification, coding: Coding | None, release: str | None) -> None:
        self._classification = classification
        self._coding = coding
        self._release = release

    def entity_id(self, reference: EntityReference) -> str:
        """Give the entity id; one request for a code, none for an id."""
        if reference.kind == "foundation":
            return self._from_foundation(reference.text)
        if reference.kind == "code":
            return self._from_code(reference.text)
        return reference.text

    def _from_foundation(self, foundation_id: str) -> str:
        try:
            return self._classification.entity(foundation_id, self._release).entity_id
        except EntityNotFoundError:
            if not isinstance(self._classification, Linearization) or self._release is None:
                raise
        uri = str(EntityUri("foundation", None, foundation_id))
        try:
            return self._classification.lookup(uri, self._release).entity_id
        except EntityNotFoundError:
            raise EntityNotFoundError(
                f"{uri} is not coded in {self._classification.name} {self._release}: load it with "
                "classification='foundation'."
            ) from None

    def _from_code(self, code: str) -> str:
        try:
            return self._stem_of(code)
        except EntityNotFoundError:
            hint = _elsewhere(code, self._classification.name) or self._near(code) or "Find codes with search()."
            raise EntityNotFoundError(
                f"No code {code!r} in {self._classification.name} {self._release}. {hint}"
            ) from None

    def _near(self, code: str) -> str | None:
        return next((f"Did you mean {other!r}?" for other in _spellings(code) if self._exists(other)), None)

    def _exists(self, code: str) -> bool:
        try:
            self._stem_of(code)
        except EntityNotFoundError:
            return False
        return True

    def _stem_of(self, code: str) -> str:
        if self._coding is None or self._release is None:
            raise EntityNotFoundError(f"{self._classification.name} has no codes: give an id or a URI.")
        return self._coding.codeinfo(code, self._release).stem_id


def _elsewhere(code: str, classification: str) -> str | None:
    """Name the other classification whose codes are written so; no two have a writing in common."""
    for other, written in _WRITTEN.items():
        if other != classification and written.fullmatch(code) and not _WRITTEN[classification].fullmatch(code):
            return f"It is written like a code of classification={other!r}."
    return None


def _spellings(code: str) -> Iterator[str]:
    """Give what was perhaps meant: capitals, 0 and 1 for O and I, the dot set, the end cut off."""
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
