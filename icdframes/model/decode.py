"""Decode JSON of entities and releases: tolerant of unknown fields, strict on the shape of known ones.

`JsonReader` looks up typed values in one object, with the path of whatever has the wrong shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any, TypeVar

from icdframes.errors import CodeSyntaxError, ResponseShapeError
from icdframes.model.entity import Axis, Entity, Reference, ReferenceKind, ReleaseList, Term, TermKind, TopLevel
from icdframes.model.uris import SCHEMA_PREFIX, EntityUri, entity_id_in, parse_uri

_URI = "a URI of the ICD API"
_SHOWN = 60
_DEEPEST = 50
_LARGEST = 2**53  # from here on a float is not exact
Kind = TypeVar("Kind")

UNTRANSLATED = " [No translation available]"
TERM_FIELDS: Mapping[str, TermKind] = {
    "synonym": "synonym",
    "narrowerTerm": "narrower_term",
    "inclusion": "inclusion",
    "indexTerm": "index_term",
}
LABELLED_REFERENCE_FIELDS: Mapping[str, ReferenceKind] = {
    "exclusion": "exclusion",
    "foundationChildElsewhere": "child_elsewhere",
}
BARE_REFERENCE_FIELDS: Mapping[str, ReferenceKind] = {
    "relatedEntitiesInMaternalChapter": "related_maternal",
    "relatedEntitiesInPerinatalChapter": "related_perinatal",
}
TEXT_FIELDS = {
    "fullySpecifiedName": "fully_specified_name",
    "definition": "definition",
    "longDefinition": "long_definition",
    "codingNote": "coding_note",
    "diagnosticCriteria": "diagnostic_criteria",
}
_OTHER_ENTITY_FIELDS = {
    "@context", "@id", "parent", "child", "browserUrl", "ancestor", "descendant", "code", "source",
    "classKind", "blockId", "codeRange", "postcoordinationScale", "title",
}  # fmt: skip
_ENTITY_FIELDS = (
    _OTHER_ENTITY_FIELDS
    | set(TEXT_FIELDS)
    | set(TERM_FIELDS)
    | set(LABELLED_REFERENCE_FIELDS)
    | set(BARE_REFERENCE_FIELDS)
)
_TOP_LEVEL_FIELDS = {
    "@context", "@id", "title", "releaseId", "releaseDate", "availableLanguages", "prereleaseLanguages",
    "allReleases", "child", "browserUrl",
}  # fmt: skip


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


def parse_entity(doc: Any, *, asked: str = "") -> Entity:
    """Read a foundation, linearization or ICD-10 entity.

    Parameters
    ----------
    doc : object
        The decoded JSON.
    asked : str
        What was asked for, for error messages.

    Returns
    -------
    Entity

    Raises
    ------
    ResponseShapeError
        If a known field has another shape than the API documents.

    """
    at = JsonReader(doc, asked)
    uri = at.entity_uri("@id")
    title = at.required_text("title")
    others = {
        name: _translated(at.label(text, field)) or None
        for field, name in TEXT_FIELDS.items()
        if (text := at.doc.get(field)) is not None
    }
    return Entity(
        uri=str(uri),
        entity_id=uri.entity_id or "",
        title=_translated(title.value),
        language=title.language,
        translated=not title.value.endswith(UNTRANSLATED),
        code=at.filled("code"),
        class_kind=at.string("classKind"),
        parent_ids=at.ids("parent") or (),
        child_ids=at.ids("child") or (),
        block_id=at.filled("blockId"),
        code_range=at.filled("codeRange"),
        **others,
        foundation_id=_foundation_id(at, uri),
        browser_url=_known(at.string("browserUrl")),
        terms=tuple(_terms(at)),
        references=tuple(_references(at)),
        axes=tuple(_axes(at)),
        ancestor_ids=at.ids("ancestor"),
        descendant_ids=at.ids("descendant"),
        extra={key: value for key, value in at.doc.items() if key not in _ENTITY_FIELDS},
    )


def parse_top_level(doc: Any, *, asked: str = "") -> TopLevel:
    """Read the root of one release of a classification."""
    at = JsonReader(doc, asked)
    uri = at.uri("@id")
    title = at.text("title")
    return TopLevel(
        uri=str(uri),
        classification=uri.classification,
        release=at.string("releaseId") or uri.release,
        title=title.value if title else None,
        date=at.string("releaseDate"),
        languages=at.strings("availableLanguages"),
        prerelease_languages=at.strings("prereleaseLanguages"),
        child_ids=at.ids("child") or (),
        all_releases=tuple(release_of(item) for item in at.strings("allReleases")),
        browser_url=_known(at.string("browserUrl")),
        extra={key: value for key, value in at.doc.items() if key not in _TOP_LEVEL_FIELDS},
    )


def parse_release_list(doc: Any, *, asked: str = "") -> ReleaseList:
    """Read the releases in which a classification or an entity exists."""
    at = JsonReader(doc, asked)
    title = at.text("title")
    latest = at.string("latestRelease")
    known = {"@context", "@id", "title", "latestRelease", "release"}
    return ReleaseList(
        uri=str(at.uri("@id")),
        title=title.value if title else None,
        latest=release_of(latest) if latest else None,
        releases=tuple(release_of(item) for item in at.strings("release")),
        extra={key: value for key, value in at.doc.items() if key not in known},
    )


def release_of(text: str) -> str:
    """Return the release id in a URI, in its ``?version=`` or ``?releaseId=`` marker, or the text itself."""
    head, _, query = text.partition("?")
    if query:
        return query.rpartition("=")[2]
    if "://" not in head:
        return head
    try:
        return parse_uri(head).release or head
    except CodeSyntaxError:
        return head


def _terms(at: JsonReader) -> list[Term]:
    return [
        Term(kind, *_label_and_links(at, item, field, place), item.get("deprecated") is True)
        for field, kind in TERM_FIELDS.items()
        if field in at.doc
        for place, item in enumerate(at.objects(field))
    ]


def _references(at: JsonReader) -> list[Reference]:
    found = [
        Reference(kind, *_label_and_links(at, item, field, place))
        for field, kind in LABELLED_REFERENCE_FIELDS.items()
        if field in at.doc
        for place, item in enumerate(at.objects(field))
    ]
    for field, kind in BARE_REFERENCE_FIELDS.items():
        listed = [at.doc[field]] if isinstance(at.doc.get(field), str) else at.objects(field)
        found += [Reference(kind, None, at.entity_id(item, field, place)) for place, item in enumerate(listed)]
    return found


def _label_and_links(at: JsonReader, item: Any, field: str, place: int) -> tuple[str, str | None, str | None]:
    """Return a label, the id of its foundation entity, the id of its linearization entity."""
    if not isinstance(item, dict):
        raise at.wrong("an object with a label", item, field, place)
    label = _translated(at.label(item.get("label"), field, place, "label"))
    foundation, linearization = item.get("foundationReference"), item.get("linearizationReference")
    return (
        label,
        at.entity_id(foundation, field, place, "foundationReference") if foundation else None,
        at.entity_id(linearization, field, place, "linearizationReference") if linearization else None,
    )


def _axes(at: JsonReader) -> list[Axis]:
    axes = []
    for axis in at.items("postcoordinationScale"):
        name, required = axis.string("axisName"), axis.doc.get("requiredPostcoordination")
        if name is None:
            raise axis.wrong("an axis with its name", axis.doc)
        if required is not None and not isinstance(required, str | bool):
            raise axis.wrong("true or false", required, "requiredPostcoordination")
        axes.append(
            Axis(
                axis=name.removeprefix(SCHEMA_PREFIX),
                required=required in {"true", True},
                allow_multiple=axis.string("allowMultipleValues"),
                scale_entity_ids=axis.ids("scaleEntity") or (),
            )
        )
    return axes


def _foundation_id(at: JsonReader, uri: EntityUri) -> str | None:
    if uri.classification == "foundation":
        return uri.entity_id
    source = at.doc.get("source")
    return at.entity_id(source, "source") if isinstance(source, str) else None


def _translated(text: str) -> str:
    return text.removesuffix(UNTRANSLATED)


def _known(text: str | None) -> str | None:
    return None if text in {None, "", "NA"} else text
