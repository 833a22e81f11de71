"""Read, canonicalize and build the identifiers of the ICD API.

WHO's URIs are names and addresses at once. Inside this package an entity goes by
its *entity id*: ``"257068234"``, ``"135352227/other"`` for a residual, ``"A00-A09"``
for a block of ICD-10.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.settings import CLASSIFICATIONS

HOST = "id.who.int"
PREFIX = f"http://{HOST}"
SCHEMA_PREFIX = f"{PREFIX}/icd/schema/"
RESIDUALS = ("other", "unspecified")

_SUCH = f"write it like {PREFIX}/icd/entity/257068234"
_NEXT_URI = re.compile(r"\s*&\s*|\s+/\s*|\s*/\s+")
_ID = re.compile(r"[0-9]+(?:/(?:other|unspecified))?")
_RELEASE = re.compile(r"\d{4}(?:-\d{2})?|beta")
_ICD10_KEY = re.compile(r"[IVX]+|[A-Z]\d{2}(?:\.\d+)?(?:-[A-Z]\d{2}(?:\.\d+)?)?")
_LINEARIZATION = re.compile(r"[a-z][a-z0-9_]*")
_AS_USUAL = re.compile(
    r"https?://id\.who\.int/icd/(?:entity|release/11/(?:([0-9]{4}-[0-9]{2})/)?(?!beta/)([a-z][a-z0-9_]*))"
    r"/([0-9]+(?:/(?:other|unspecified))?)"
)


@dataclass(frozen=True, slots=True)
class EntityUri:
    """A URI of the ICD API, taken apart.

    Attributes
    ----------
    classification : str
        ``"mms"``, ``"icf"``, ``"foundation"``, ``"icd10"`` (or another linearization).
    release : str or None
        None where the URI names no release.
    entity_id : str or None
        None for the classification itself.

    """

    classification: str
    release: str | None
    entity_id: str | None

    @property
    def path(self) -> str:
        """Path on any server, such as ``/icd/release/11/2024-01/mms/257068234``."""
        release = f"/{self.release}" if self.release else ""
        match self.classification:
            case "foundation":
                root = "/icd/entity"
            case "icd10":
                root = f"/icd/release/10{release}"
            case linearization:
                root = f"/icd/release/11{release}/{linearization}"
        if not self.entity_id:
            return root
        return f"{root}/{self.entity_id if _ID.fullmatch(self.entity_id) else quote(self.entity_id, safe='')}"

    def __str__(self) -> str:
        """Canonical form: ``http://id.who.int/…``, as WHO writes it."""
        return PREFIX + self.path


def parse_uri(text: str) -> EntityUri:
    """Read a foundation, linearization or ICD-10 URI, http or https.

    Parameters
    ----------
    text : str
        Such as ``"https://id.who.int/icd/release/11/2024-01/mms/257068234/other"``.

    Returns
    -------
    EntityUri

    Raises
    ------
    CodeSyntaxError
        If it is no URI of the ICD API.

    Examples
    --------
    >>> parse_uri("https://id.who.int/icd/entity/257068234").entity_id
    '257068234'

    """
    if usual := _AS_USUAL.fullmatch(text):  # in a tenth of the time; an answer holds a dozen of them
        release, linearization, entity_id = usual.groups()
        return EntityUri(linearization or "foundation", release, entity_id)
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        parts = urlsplit("")
    if not _is_of_who(parts):
        raise CodeSyntaxError(f"{text!r} is no URI of the ICD API: it must begin with {PREFIX}/icd/.", text=text)
    segments = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    match segments:
        case ["icd", "entity", *rest]:
            uri = EntityUri("foundation", None, _joined_id(rest, text))
        case ["icd", "release", "11", release, lin, *rest] if _RELEASE.fullmatch(release):
            uri = EntityUri(_checked_linearization(lin, text), release, _joined_id(rest, text))
        case ["icd", "release", "11", lin, *rest]:
            uri = EntityUri(_checked_linearization(lin, text), None, _joined_id(rest, text))
        case ["icd", "release", "10", *rest]:
            uri = _icd10_uri(rest, text)
        case _:
            raise CodeSyntaxError(
                f"{text!r} is no entity URI of the ICD API: {_SUCH}.", text=text, position=len(PREFIX)
            )
    return uri


def entity_id_in(text: str) -> str | None:
    """Return the entity id in a URI, None where the URI is of a classification itself; errors as `parse_uri`."""
    usual = _AS_USUAL.fullmatch(text)
    return usual[3] if usual else parse_uri(text).entity_id


def entity_id_of(text: str) -> str:
    """Return the entity id in a URI; an error where the URI is of no entity."""
    entity_id = entity_id_in(text)
    if entity_id is None:
        raise CodeSyntaxError(f"{text!r} names a classification, not an entity: {_SUCH}.", text=text)
    return entity_id


def first_uri(expression: str | None) -> EntityUri | None:
    """Return the URI of the stem in a URI or an expression of URIs; None where there is none."""
    if not expression:
        return None
    try:
        return parse_uri(_NEXT_URI.split(expression.strip(), maxsplit=1)[0])
    except CodeSyntaxError:
        return None


def first_entity_id(expression: str | None) -> str | None:
    """Return the entity id of the stem in a URI or an expression of URIs; None where there is none."""
    uri = first_uri(expression)
    return uri.entity_id if uri else None


def is_residual(entity_id: str) -> bool:
    """Return whether an entity id is an "other specified" or "unspecified" category."""
    return entity_id.rpartition("/")[2] in RESIDUALS


def is_entity_id(text: str) -> bool:
    """Return whether a text is a numeric id, with or without a residual suffix."""
    return _ID.fullmatch(text) is not None


def is_release(text: str) -> bool:
    """Return whether a text is written as a release id is."""
    return _RELEASE.fullmatch(text) is not None


def is_icd10_key(text: str) -> bool:
    """Return whether a text is a chapter, block or category of ICD-10."""
    return _ICD10_KEY.fullmatch(text) is not None


def check_classification(name: str) -> str:
    """Return the name, or say which classifications there are."""
    if name in CLASSIFICATIONS:
        return name
    known = ", ".join(CLASSIFICATIONS)
    hint = " ICD-11 for statistics is 'mms'." if "11" in str(name) else did_you_mean(str(name).lower(), CLASSIFICATIONS)
    raise ConfigurationError(f"Unknown classification {name!r}: give one of {known}.{hint}")


def _is_of_who(parts: SplitResult) -> bool:
    """Return whether a URI is on WHO's host, whose name may be in upper case and have the usual port."""
    usual = {"http": {"", ":80"}, "https": {"", ":443"}}
    host, port = parts.netloc[: len(HOST)], parts.netloc[len(HOST) :]
    return host.lower() == HOST and port in usual.get(parts.scheme, set())


def _joined_id(segments: list[str], text: str) -> str | None:
    joined = "/".join(segments)
    if not joined:
        return None
    if not _ID.fullmatch(joined):
        raise CodeSyntaxError(
            f"{text!r} is no entity URI: {joined!r} is no entity id; {_SUCH}.", text=text, position=text.find(joined)
        )
    return joined


def _checked_linearization(name: str, text: str) -> str:
    if not _LINEARIZATION.fullmatch(name):
        raise CodeSyntaxError(
            f"{text!r} is no URI of the ICD API: {name!r} is no linearization, such as mms or icf.", text=text
        )
    return name


def _icd10_uri(segments: list[str], text: str) -> EntityUri:
    match segments:
        case []:
            return EntityUri("icd10", None, None)
        case [release] if _RELEASE.fullmatch(release):
            return EntityUri("icd10", release, None)
        case [key] if _ICD10_KEY.fullmatch(key):
            return EntityUri("icd10", None, key)
        case [release, key] if _RELEASE.fullmatch(release) and _ICD10_KEY.fullmatch(key):
            return EntityUri("icd10", release, key)
    raise CodeSyntaxError(f"{text!r} is no ICD-10 URI: write it like {PREFIX}/icd/release/10/2019/A00.0.", text=text)
