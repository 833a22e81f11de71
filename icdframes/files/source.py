"""Whole classifications from WHO's published files: which releases and languages there are, and their tables."""

from __future__ import annotations

from collections.abc import Sequence

from icdframes.errors import EntityNotFoundError, UnknownLanguageError, UnknownReleaseError, did_you_mean
from icdframes.files.download import LANGUAGES, DownloadedFile, ReleaseFiles, candidate_releases, tabulation_path
from icdframes.files.icd10_meta import icd10_graph, read_icd10_meta
from icdframes.files.tabulation import read_tabulation_graph
from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import EntityGraph, garbage_collection_paused

_PROBED = {"mms": ("en",), "icf": ("en", "es", "fr"), "icd10": ("en",)}


class FilesSource:
    """WHO's classifications as files.

    Parameters
    ----------
    files : ReleaseFiles
        Where they are downloaded from and kept.

    """

    def __init__(self, files: ReleaseFiles) -> None:
        self.files = files

    def releases(self, classification: str, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the releases that have a file, newest first; one small request for each that may exist, once a day.

        Raises
        ------
        ConfigurationError
            If WHO publishes no file of that classification.
        IcdError
            If the server gives no clear answer.

        """
        tabulation_path(classification, "", "")
        return tuple(
            release
            for release in candidate_releases(classification)
            if any(
                self.files.exists(tabulation_path(classification, release, language), refresh=refresh)
                for language in _PROBED[classification]
            )
        )

    def languages(self, classification: str, release: str, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the languages of a release; one small request for each, once a day."""
        wanted = ("en",) if classification == "icd10" else LANGUAGES
        found = tuple(
            language
            for language in wanted
            if self.files.exists(tabulation_path(classification, release, language), refresh=refresh)
        )
        if not found:
            self._check_release(classification, release)
        return found

    @garbage_collection_paused()
    def tables(
        self,
        classification: str,
        release: str,
        languages: Sequence[str] = ("en",),
        *,
        include: Sequence[str] = (),
        refresh: bool = False,
        progress: bool | None = None,
    ) -> EntityTables:
        """Download and read a whole classification, the first language for the text columns, the others beside it.

        Raises
        ------
        UnknownReleaseError, UnknownLanguageError
            If there is no such file; lists what there is.
        OfflineMissError, ConnectionFailedError, RateLimitedError, ServerError, FileFormatError, ExportError
            If a file cannot be had.

        """
        graphs: dict[str, EntityGraph] = {}
        chapters: dict[str, str | None] = {}
        first: DownloadedFile | None = None
        for language in languages:
            file = self.file(classification, release, language, refresh=refresh, progress=progress)
            first = first or file
            if classification == "icd10":
                graphs[language] = icd10_graph(read_icd10_meta(file.path), release)
                found: dict[str, str | None] = {root: root for root in graphs[language].roots}
            else:
                graphs[language], origin = read_tabulation_graph(
                    file.path, language=language, release=release, classification=classification
                )
                found = dict(origin.chapters)
            chapters = chapters or found
        provenance = Provenance(
            server=first.record.url if first else self.files.base_url,
            classification=classification,
            release=release,
            languages=tuple(languages),
            retrieved_at=first.record.retrieved_at if first else None,
        )
        return build_tables(
            graphs[languages[0]],
            provenance,
            chapters=chapters,
            translations={language: graphs[language].entities for language in languages[1:]},
            include=include,
        )

    def file(
        self,
        classification: str,
        release: str,
        language: str,
        *,
        refresh: bool = False,
        progress: bool | None = None,
    ) -> DownloadedFile:
        """Return the file of a classification in one language; errors as `tables`."""
        path = tabulation_path(classification, release, language)
        try:
            return self.files.get(path, refresh=refresh, progress=progress)
        except EntityNotFoundError:
            self._explain(classification, release, language)
            raise

    def _explain(self, classification: str, release: str, language: str) -> None:
        """Raise the error that says whether the release or the language is the one that does not exist."""
        self._check_release(classification, release)
        languages = self.languages(classification, release)
        if language not in languages:
            raise UnknownLanguageError(
                f"{classification} {release} has no file in {language!r}: there are {', '.join(languages) or 'none'}."
                f"{did_you_mean(language, languages)}"
            )

    def _check_release(self, classification: str, release: str) -> None:
        known = self.releases(classification)
        if release not in known:
            there = ", ".join(known) or "none"
            raise UnknownReleaseError(
                f"{self.files.base_url} has no file of {classification} {release!r}: there are {there}."
                f"{did_you_mean(release, known)} Other releases are at WHO's API: connect() with a free key."
            )
