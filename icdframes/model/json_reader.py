"""Typed look-ups in one JSON object, with the path of whatever has the wrong shape."""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any, TypeVar

from icdframes.errors import CodeSyntaxError, ResponseShapeError
from icdframes.model.uris import EntityUri, entity_id_in, parse_uri

_URI = "a URI of the ICD API"
_SHOWN = 60
_DEEPEST = 50
_LARGEST = 2**53  # from here on a float is not exact
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class LanguageText:
    """A text and the language that it says to be in."""

    value: str
    language: str | None


class JsonReader:
    """Typed look-ups in one JSON object; every complaint names the place.

    A place below the object is given as steps, a field or a number each, and is
    written out only where there is a complaint.

    Parameters
    ----------
    doc : object
        Decoded JSON; an error where it is no object.
    asked : str
        What was asked for.
    path : str
        Where the object stands in the answer.
    depth : int
        In how many lists it lies.

    """

    def __init__(self, doc: Any, asked: str, path: str = "$", depth: int = 0) -> None:
        self.asked = asked
        self.path = path
        self._depth = depth
        if not isinstance(doc, dict):
            raise self.wrong("an object", doc)
        self.doc: dict[str, Any] = doc
        if not asked and isinstance(own := doc.get("@id"), str):
            self.asked = own

    def wrong(self, expected: str, found: object, *steps: str | int) -> ResponseShapeError:
        """Make the error for a place of another shape."""
        path = self.path + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)
        text = found if isinstance(found, str) else shortened(found)
        seen = "nothing" if found is None else f"{type(found).__name__} {text[:_SHOWN]!r}"
        return ResponseShapeError(
            f"The answer for {self.asked or 'this request'} is not as the ICD API documents it: "
            f"{path} should be {expected}, but is {seen}. Try again later; if it stays so, report it with this line.",
            uri=self.asked,
            json_path=path,
        )

    def string(self, key: str) -> str | None:
        """Return a text, None where it is absent."""
        return self._of_kind(key, str, "a text")

    def filled(self, key: str) -> str | None:
        """Return a text, None where it is absent or blank."""
        text = self.string(key)
        return text if text and not text.isspace() else None

    def strings(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty where it is absent."""
        items = self.objects(key)
        for place, item in enumerate(items):
            if not isinstance(item, str):
                raise self.wrong("a text", item, key, place)
        return tuple(items)

    def objects(self, key: str) -> list[Any]:
        """Return a list of anything, empty where it is absent."""
        return self._of_kind(key, list, "a list") or []

    def text(self, key: str) -> LanguageText | None:
        """Return a text with its language, None where it is absent."""
        return None if self.doc.get(key) is None else self.required_text(key)

    def required_text(self, key: str) -> LanguageText:
        """Return a text with its language, an error where it is absent."""
        value = self.doc.get(key)
        text = self.label(value, key)
        language = value.get("@language") if isinstance(value, dict) else None
        return LanguageText(text, language if isinstance(language, str) else None)

    def label(self, value: object, *steps: str | int) -> str:
        """Read a text with its language, without the language."""
        if isinstance(value, dict) and isinstance(text := value.get("@value"), str):
            return text
        raise self.wrong("a text with its language", value, *steps)

    def uri(self, key: str) -> EntityUri:
        """Return a URI of the ICD API."""
        value = self.doc.get(key)
        if not isinstance(value, str):
            raise self.wrong("a URI", value, key)
        try:
            return parse_uri(value)
        except CodeSyntaxError as error:
            raise self.wrong(_URI, value, key) from error

    def entity_uri(self, key: str) -> EntityUri:
        """Return the URI of an entity."""
        uri = self.uri(key)
        if uri.entity_id is None:
            raise self.wrong("the URI of an entity", self.doc[key], key)
        return uri

    def entity_id(self, value: object, *steps: str | int) -> str | None:
        """Return the entity id in a URI, None where it is of a classification itself."""
        if not isinstance(value, str):
            raise self.wrong("a URI", value, *steps)
        try:
            return entity_id_in(value)
        except CodeSyntaxError as error:
            raise self.wrong(_URI, value, *steps) from error

    def ids(self, key: str) -> tuple[str, ...] | None:
        """Return the entity ids in a list of URIs, each once; None where the field is absent."""
        if self.doc.get(key) is None:
            return None
        ids = [self.entity_id(item, key, place) for place, item in enumerate(self.objects(key))]
        return tuple(dict.fromkeys(filter(None, ids)))

    def flag(self, key: str) -> bool:
        """Return a boolean, false where it is absent."""
        return self._of_kind(key, bool, "true or false") is True

    def number(self, key: str) -> float | None:
        """Return a number, None where it is absent; what is not finite or too large for a column is refused."""
        value = self.doc.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
            raise self.wrong("a number", value, key)
        return float(value)

    def items(self, key: str) -> list[JsonReader]:
        """Return a list of objects, each with its place for complaints; nested without end they are refused."""
        items = self.objects(key)
        if items and self._depth >= _DEEPEST:
            raise self.wrong("nested less deeply", items, key)
        return [
            JsonReader(item, self.asked, f"{self.path}.{key}[{place}]", self._depth + 1)
            for place, item in enumerate(items)
        ]

    def _of_kind(self, key: str, kind: type[Kind], expected: str) -> Kind | None:
        value = self.doc.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(expected, value, key)
        return value
