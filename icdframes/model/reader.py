"""Typed look-ups in one JSON object of the ICD API; it knows no field by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from icdframes.errors import CodeSyntaxError, ResponseShapeError
from icdframes.model.uris import EntityUri, parse_uri


@dataclass(frozen=True, slots=True)
class LanguageText:
    """A text and the language that it says to be in."""

    value: str
    language: str | None


class Reader:
    """Typed look-ups in one JSON object; every complaint names the place.

    Parameters
    ----------
    doc : object
        Decoded JSON; an error where it is no object.
    asked : str
        What was asked for.
    path : str
        Where the object stands in the answer.

    """

    def __init__(self, doc: Any, asked: str, path: str = "$") -> None:
        self.asked = asked
        self.path = path
        if not isinstance(doc, dict):
            raise self.wrong(path, "an object", doc)
        self.doc: dict[str, Any] = doc
        self.asked = asked or str(doc.get("@id", ""))

    def wrong(self, path: str, expected: str, found: object) -> ResponseShapeError:
        """Make the error for a place of another shape."""
        seen = "nothing" if found is None else f"{type(found).__name__} {str(found)[:60]!r}"
        return ResponseShapeError(
            f"The answer for {self.asked or 'this request'} is not as the ICD API documents it: "
            f"{path} should be {expected}, but is {seen}. Try again later; if it stays so, report it with this line.",
            uri=self.asked,
            json_path=path,
        )

    def string(self, key: str) -> str | None:
        """Give a text, None where it is absent."""
        return self._of_kind(key, str, "a text")  # type: ignore[no-any-return]

    def strings(self, key: str) -> tuple[str, ...]:
        """Give a list of texts, empty where it is absent."""
        items = self._of_kind(key, list, "a list of texts") or []
        for place, item in enumerate(items):
            if not isinstance(item, str):
                raise self.wrong(f"{self.path}.{key}[{place}]", "a text", item)
        return tuple(items)

    def objects(self, key: str) -> list[Any]:
        """Give a list of anything, empty where it is absent."""
        return self._of_kind(key, list, "a list") or []

    def text(self, key: str, *, required: bool = False) -> Any:
        """Give a text with its language."""
        value = self.doc.get(key)
        if value is None and not required:
            return None
        return self.language_string(value, f"{self.path}.{key}")

    def language_string(self, value: object, path: str) -> LanguageText:
        """Read a text with its language."""
        if not isinstance(value, dict) or not isinstance(value.get("@value"), str):
            raise self.wrong(path, "a text with its language", value)
        language = value.get("@language")
        return LanguageText(value["@value"], language if isinstance(language, str) else None)

    def uri(self, key: str, value: object = None, path: str = "") -> EntityUri:
        """Give a URI of the ICD API."""
        value = self.doc.get(key) if value is None else value
        path = path or f"{self.path}.{key}"
        if not isinstance(value, str):
            raise self.wrong(path, "a URI", value)
        try:
            return parse_uri(value)
        except CodeSyntaxError as error:
            raise self.wrong(path, "a URI of the ICD API", value) from error

    def entity_uri(self, key: str) -> EntityUri:
        """Give the URI of an entity."""
        uri = self.uri(key)
        if uri.entity_id is None:
            raise self.wrong(f"{self.path}.{key}", "the URI of an entity", self.doc[key])
        return uri

    def ids(self, key: str) -> tuple[str, ...] | None:
        """Give the entity ids in a list of URIs, each once; None where the field is absent."""
        if self.doc.get(key) is None:
            return None
        uris = (self.uri(key, item, f"{self.path}.{key}[{place}]") for place, item in enumerate(self.objects(key)))
        return tuple(dict.fromkeys(uri.entity_id for uri in uris if uri.entity_id is not None))

    def flag(self, key: str) -> bool:
        """Give a boolean, false where it is absent."""
        return self._of_kind(key, bool, "true or false") is True

    def number(self, key: str) -> float | None:
        """Give a number, None where it is absent."""
        value = self._of_kind(key, int | float, "a number")
        if isinstance(value, bool):
            raise self.wrong(f"{self.path}.{key}", "a number", value)
        return None if value is None else float(value)

    def items(self, key: str) -> list[Reader]:
        """Give a list of objects, each with its place for complaints."""
        return [Reader(item, self.asked, f"{self.path}.{key}[{place}]") for place, item in enumerate(self.objects(key))]

    def _of_kind(self, key: str, kind: Any, expected: str) -> Any:
        value = self.doc.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(f"{self.path}.{key}", expected, value)
        return value
