"""Where a table comes from, as a value that travels with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from icdframes import __version__
from icdframes.errors import FileFormatError
from icdframes.model.html import html_rows
from icdframes.settings import licence_of

SAMPLE = "the sandbox's sample"
_NAMES = {"mms": "ICD-11 MMS", "icf": "ICF", "foundation": "ICD-11 foundation", "icd10": "ICD-10"}


def classification_name(origin: Mapping[str, Any]) -> str:
    """Name the classification and its release, or the two that were compared, of a provenance as a dict."""
    releases = [origin.get("old_release"), origin.get("new_release") or origin.get("release")]
    name = _NAMES.get(str(origin.get("classification")), "")
    return " ".join(filter(None, (name, " → ".join(str(release) for release in releases if release))))


def rows_text(n: int) -> str:
    """Write a number of rows."""
    return f"{n:,} row{'' if n == 1 else 's'}"


def utc_text(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What was loaded, from where and when.

    Attributes
    ----------
    server : str
        Base URL, or the name of the file that was read.
    classification : str
        ``"mms"``, ``"icf"``, ``"foundation"`` or ``"icd10"``.
    release : str or None
        Release id, such as ``"2024-01"``.
    languages : tuple of str
        The first fills the text columns; empty where the source does not say.
    root : str or None
        Entity id of the loaded branch; None for the whole classification.
    depth : int or None
        Levels that were asked for; None for all.
    include : tuple of str
        Such as ``"diagnosticCriteria"``.
    retrieved_at : str or None
        ISO 8601, UTC.
    package_version : str
        Version of icdframes.
    licence : str
        Source and licence of the content.
    complete : bool
        Whether everything that was asked for is there.
    n_failures : int
        Entities that could not be loaded.
    is_sample : bool
        Whether the sandbox served it, which has a small part of each classification.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> provenance = client.load_tables("1A00", release="2024-01").provenance
    >>> provenance.classification, provenance.release, provenance.root
    ('mms', '2024-01', '257068234')
    >>> provenance.rows()[0]
    ('classification', 'mms 2024-01')
    >>> icdframes.Provenance.from_dict(provenance.to_dict()) == provenance
    True

    """

    server: str
    classification: str
    release: str | None = None
    languages: tuple[str, ...] = ("en",)
    root: str | None = None
    depth: int | None = None
    include: tuple[str, ...] = ()
    retrieved_at: str | None = None
    package_version: str = __version__
    licence: str = ""
    complete: bool = True
    n_failures: int = 0
    is_sample: bool = False

    def __post_init__(self) -> None:
        if not self.licence:
            object.__setattr__(self, "licence", licence_of(self.classification))

    @property
    def language(self) -> str | None:
        """Language of the text columns."""
        return self.languages[0] if self.languages else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold, for ``df.attrs["provenance"]``."""
        values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        if not self.is_sample:
            del values["is_sample"]
        return values | {"language": self.language}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Read what `to_dict` wrote; keys of later versions are passed over.

        Raises
        ------
        FileFormatError
            If it is no provenance of icdframes.

        """
        known = {field.name for field in fields(cls)}
        given: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in values.items() if key in known
        }
        wrong = [key for key in ("server", "classification") if not isinstance(given.get(key), str)]
        wrong += [key for key in ("languages", "include") if not _are_texts(given.get(key, ()))]
        if wrong:
            raise FileFormatError(f"This is no provenance of icdframes: it has no {wrong[0]!r}. Load the tables anew.")
        return cls(**given)

    def cite(self) -> str:
        """Return one line for a paper: source, licence, release, language and retrieval.

        Examples
        --------
        >>> import icdframes
        >>> tables = icdframes.connect("sandbox").load_tables("1A00", release="2024-01")
        >>> print(tables.provenance.cite())
        International Classification of Diseases Eleventh Revision (ICD-11), Geneva: World Health Organization,
        licence CC BY-ND 3.0 IGO. mms release 2024-01 en, retrieved on ... from the sandbox's sample with icdframes ...

        """
        which = " ".join(part for part in (f"release {self.release}" if self.release else "", self.language) if part)
        when = f" on {self.retrieved_at[:10]}" if self.retrieved_at else ""
        return (
            f"{self.licence}. {self.classification}{f' {which}' if which else ''}, retrieved{when} "
            f"from {SAMPLE if self.is_sample else self.server} with icdframes {self.package_version}."
        )

    def rows(self) -> list[tuple[str, str]]:
        """Return what a reader wants to see, as pairs of name and text."""
        where = f"entity {self.root}" if self.root else "whole classification"
        levels = "" if self.depth is None else f", {self.depth} levels below it"
        return [
            ("classification", f"{self.classification} {self.release or ''}".strip()),
            ("language", ", ".join(self.languages) or "unknown"),
            ("loaded", where + levels),
            ("complete", "yes" if self.complete else f"no, {self.n_failures} entities failed"),
            ("source", f"{SAMPLE}, {self.server}" if self.is_sample else self.server),
            ("retrieved", self.retrieved_at or "unknown"),
            ("icdframes", self.package_version),
            ("licence", self.licence),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{name:<15} {text}" for name, text in self.rows())

    def _repr_html_(self) -> str:
        return html_rows(self.rows())


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
