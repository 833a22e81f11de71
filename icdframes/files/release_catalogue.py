"""Name WHO's published files: their addresses, the releases and languages to look for, and the known checksums."""

from __future__ import annotations

from datetime import UTC, datetime

from icdframes.errors import ConfigurationError

LANGUAGES = (
    "en", "es", "fr", "zh", "ar", "ru", "pt", "de", "tr", "uz", "cs", "kk", "sv", "sk", "la", "it", "ja", "ko", "hi",
    "nl",
)  # fmt: skip
ICD10_RELEASES = ("2019",)
FILES_OF = {"mms": "SimpleTabulation-ICD-11-MMS", "icf": "SimpleTabulation-ICF"}

_FIRST_YEAR = 2024
_OLD_RELEASES = ("2023-01", "2022-02")
_NEW_MONTHS = ("02", "01")

# Second-hand facts: published by people who download these files. Where one differs, the user is told.
KNOWN_SHA256 = {
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-en.zip": (
        "f1356588f40953a83e3af2b662deab47c5e269f944d1ea4ed0cfeb2007c7cd39"
    ),
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-fr.zip": (
        "c5c7c4a07ad007892a642afd1599314f303eac5dcee89c1d1e315fcf64fa2f0f"
    ),
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-zh.zip": (
        "8cb750a5c6feaabe9f1d6cf705aa5727b5867990ca48c1c85b20444ff0e370da"
    ),
    "/static/releasefiles/2026-01/mapping.zip": "2eb158cf2a0d53690d6e9baf0956f7617e1315e4f2a44dfc3db3be8f49193a1d",
    "/icd10/claml/icd102019en.xml.zip": "344c571aa9aed3b9ad1c80261b7828c45cfb5fc0b1a5da64aecef354dff5b3d9",
}


def tabulation_path(classification: str, release: str, language: str) -> str:
    """Return the path of a Simple Tabulation; for ICD-10 of the text files ("Meta") of an edition.

    Raises
    ------
    ConfigurationError
        If WHO publishes no file of that classification.

    """
    if classification == "icd10":
        return f"/icd10/meta/icd10{release}{language}Meta.zip"
    if classification not in FILES_OF:
        raise ConfigurationError(
            f"WHO publishes no file of classification={classification!r}, only of mms, icf and icd10: connect() to the "
            "ICD API with a free key from https://icd.who.int/icdapi."
        )
    return f"/static/releasefiles/{release}/{FILES_OF[classification]}-{language}.zip"


def release_path(release: str, name: str) -> str:
    """Return the path of another file of a release, such as ``mapping.zip``."""
    return f"/static/releasefiles/{release}/{name}"


def claml_path(release: str) -> str:
    """Return the path of ICD-10 in ClaML."""
    return f"/icd10/claml/icd10{release}en.xml.zip"


def candidate_releases(classification: str, today: datetime | None = None) -> tuple[str, ...]:
    """Return the ids of the releases to look for, newest first: WHO publishes no list of its files."""
    if classification == "icd10":
        return ICD10_RELEASES
    this_year = (today or datetime.now(UTC)).year
    years = range(this_year, _FIRST_YEAR - 1, -1)
    return (*(f"{year}-{month}" for year in years for month in _NEW_MONTHS), *_OLD_RELEASES)
