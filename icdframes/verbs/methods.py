"""The verbs on codes, texts and certificates as methods of a client; each is one call of a function beside this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from icdframes.verbs import coding, decoding, mortality
from icdframes.verbs import search as searching
from icdframes.verbs.context import Context
from icdframes.verbs.decoding import Source
from icdframes.verbs.search import SearchKeywords

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.hits import SearchTables


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


class CodingVerbs(ABC):
    """Verbs that a client has beside loading."""

    @abstractmethod
    def _context(self) -> Context:
        """Give what the verbs need."""

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

    def entity_releases(self, entity: str | int, *, classification: str = "mms", refresh: bool = False) -> pd.DataFrame:
        """List the releases that have an entity; see `icdframes.entity_releases`."""
        return coding.entity_releases(self._context(), entity, classification=classification, refresh=refresh)

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
