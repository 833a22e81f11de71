"""The verbs as methods of a client; each is one call of what stands beside this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from icdframes.client import catalogue, mortality
from icdframes.client import codes as coding
from icdframes.client import codes as decoding
from icdframes.client import search as searching
from icdframes.client.codes import Source
from icdframes.client.load_request import OnError, read_load_request
from icdframes.client.query_scope import Context
from icdframes.client.search import SearchKeywords
from icdframes.model.entity import Entity

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables
    from icdframes.frames.search_tables import SearchTables

__all__ = ["Verbs"]  # what the reference shows: pdoc stumbles over a TypedDict that inherits


class Asking(TypedDict, total=False):
    """How to ask: ``progress`` shows a bar, ``refresh`` asks the server again."""

    progress: bool | None
    refresh: bool


class Modes(Asking, total=False):
    """How codes are read: ``flexible`` beside the suggested value sets, ``terminal_codes`` for leaf codes."""

    flexible: bool
    terminal_codes: bool


class Described(Modes, total=False):
    """As `Modes`; ``simplify`` asks for a shorter expression."""

    simplify: bool


class SearchAsking(SearchKeywords, Asking, total=False):
    """All options of a search."""


class Verbs(ABC):
    """What a client can be asked: the verbs of `icdframes.IcdClient`."""

    @abstractmethod
    def _context(self) -> Context:
        """Give what the verbs need."""

    def load_entity(
        self,
        entity: str | int | None = None,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        depth: int | None = None,
        include: Iterable[str] = (),
        on_error: OnError = "raise",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Load an entity and everything below it as a table; see `icdframes.load_entity`."""
        request = read_load_request(
            entity,
            classification=classification,
            release=release,
            language=language,
            depth=depth,
            include=include,
            on_error=on_error,
            progress=progress,
            refresh=refresh,
        )
        return self._context().loader(classification).load_entities(request)

    def load_tables(
        self,
        entity: str | int | None = None,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        depth: int | None = None,
        include: Iterable[str] = (),
        on_error: OnError = "raise",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> EntityTables:
        """Load an entity and everything below it as five tables; see `icdframes.load_tables`."""
        request = read_load_request(
            entity,
            classification=classification,
            release=release,
            language=language,
            depth=depth,
            include=include,
            on_error=on_error,
            progress=progress,
            refresh=refresh,
        )
        return self._context().loader(classification).load(request)

    def entity(
        self,
        entity: str | int,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        include: Iterable[str] = (),
    ) -> Entity:
        """Give one entity as a value.

        Parameters
        ----------
        entity : str or int
            Code, id or URI.
        classification, release, language
            As `icdframes.load_entity`; one language.
        include : iterable of str
            ``"ancestor"``, ``"descendant"``, ``"diagnosticCriteria"``.

        Returns
        -------
        Entity
            A frozen value: title, code, parent_ids, child_ids, terms, references, axes and the other
            fields of the API's answer in snake_case; None or an empty tuple where it has none.

        Raises
        ------
        EntityNotFoundError, UnknownReleaseError, UnknownLanguageError
            If the server has no such thing.
        ConfigurationError
            If `include` holds something else.

        Notes
        -----
        Network: one request, another for a code, and up to two for release and languages; none for
        what is in the cache.
        Source: ``GET /icd/release/11/{release}/{linearization}/{id}`` and its like of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.connect("sandbox").entity("1A00").title
        'Cholera'

        """
        return catalogue.entity(
            self._context(), entity, classification=classification, release=release, language=language, include=include
        )

    def entity_releases(self, entity: str | int, *, classification: str = "mms", refresh: bool = False) -> pd.DataFrame:
        """List the releases that have an entity; see `icdframes.entity_releases`."""
        return catalogue.entity_releases(self._context(), entity, classification=classification, refresh=refresh)

    def releases(self, classification: str = "mms") -> pd.DataFrame:
        """List the releases of a classification, newest first; see `icdframes.releases`."""
        return catalogue.releases(self._context(), classification)

    def newest_release(self, classification: str = "mms", *, refresh: bool = False) -> str | None:
        """Give the id of the newest release.

        Parameters
        ----------
        classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
            Which classification.
        refresh : bool, default False
            Ask the server again, which tries the credentials too.

        Returns
        -------
        str or None
            Such as ``"2024-01"``; None where the server does not say.

        Raises
        ------
        UnknownReleaseError
            If the server does not have the classification.

        Notes
        -----
        Network: two requests, none within a day of the last ones.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.connect("sandbox").newest_release()
        '2024-01'

        """
        return catalogue.newest_release(self._context(), classification, refresh=refresh)

    def languages(self, classification: str = "mms", *, release: str | None = None) -> list[str]:
        """List the languages of a release; see `icdframes.languages`."""
        return catalogue.languages(self._context(), classification, release=release)

    def search(
        self,
        query: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        **options: Unpack[SearchAsking],
    ) -> pd.DataFrame:
        """Search for one text or each text of a column; see `icdframes.search`."""
        return self.search_tables(
            query, classification=classification, release=release, language=language, **options
        ).hits

    def search_tables(
        self,
        query: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        **options: Unpack[SearchAsking],
    ) -> SearchTables:
        """Search, with matching terms and word suggestions; see `icdframes.search_tables`."""
        progress = options.pop("progress", None)
        refresh = options.pop("refresh", False)
        return searching.search_tables(
            self._context(),
            query,
            classification=classification,
            release=release,
            language=language,
            progress=progress,
            refresh=refresh,
            keywords=options,
        )

    def autocode(
        self,
        text: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        subtrees_filter: str | int | Iterable[str | int] = (),
        match_threshold: float | None = None,
        **options: Unpack[Asking],
    ) -> pd.DataFrame:
        """Find the best match for one text or each text of a column; see `icdframes.autocode`."""
        return searching.autocode(
            self._context(),
            text,
            classification=classification,
            release=release,
            language=language,
            subtrees_filter=subtrees_filter,
            match_threshold=match_threshold,
            **options,
        )

    def codeinfo(
        self,
        code: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        **options: Unpack[Modes],
    ) -> pd.DataFrame:
        """Take one code or cluster, or a column of them, apart; see `icdframes.codeinfo`."""
        return coding.codeinfo(
            self._context(), code, classification=classification, release=release, language=language, **options
        )

    def describe(
        self,
        code: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        **options: Unpack[Described],
    ) -> pd.DataFrame:
        """Put one code, cluster or URI, or a column of them, into words; see `icdframes.describe`."""
        return coding.describe(
            self._context(), code, classification=classification, release=release, language=language, **options
        )

    def lookup(
        self,
        foundation_uri: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        **options: Unpack[Asking],
    ) -> pd.DataFrame:
        """Find where foundation entities are coded; see `icdframes.lookup`."""
        return coding.lookup(
            self._context(),
            foundation_uri,
            classification=classification,
            release=release,
            language=language,
            **options,
        )

    def decode_codes(
        self,
        codes: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        source: Source | None = "describe",
        **options: Unpack[Asking],
    ) -> pd.DataFrame:
        """Give one row per member of each code or cluster; see `icdframes.decode_codes`."""
        return decoding.decode_codes(
            self._context(),
            codes,
            classification=classification,
            release=release,
            language=language,
            source=source,
            **options,
        )

    def doris(
        self,
        certificates: object,
        *,
        release: str | None = None,
        language: str = "en",
        **options: Unpack[Asking],
    ) -> pd.DataFrame:
        """Find underlying causes of death; see `icdframes.doris`."""
        return mortality.doris(self._context(), certificates, release=release, language=language, **options)

    def codedit(
        self,
        certificates: object,
        *,
        release: str | None = None,
        language: str = "en",
        **options: Unpack[Asking],
    ) -> pd.DataFrame:
        """Check death certificates; see `icdframes.codedit`."""
        return mortality.codedit(self._context(), certificates, release=release, language=language, **options)
