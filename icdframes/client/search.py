"""Find entities for texts: the verbs `search`, `search_tables` and `autocode`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING

from icdframes.client.base import ClientBase
from icdframes.client.bulk import as_text, read_column
from icdframes.client.query_scope import EntityName, QueryScope, check_one_language, listed
from icdframes.client.references import find_entity_id, read_reference
from icdframes.client.search_endpoint import SearchEndpoint, SearchOptions
from icdframes.errors import ConfigurationError, Remedy, TruncatedResultWarning, warn
from icdframes.frames.results import AUTOCODE, autocode_fields, verdict_table
from icdframes.frames.search_tables import SearchTables, build_search_tables
from icdframes.model.uris import EntityUri

if TYPE_CHECKING:
    import pandas as pd

_SEARCHED = ("mms", "icf", "foundation")
_SEPARATOR = re.compile(r"[,;]")
_SHOWN = 3
_ONE_LANGUAGE = "a text is searched in one language; search in each"


class SearchMethods(ClientBase):
    """The verbs that find entities for texts."""

    def search(
        self,
        query: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        subtrees_filter: EntityName | Iterable[EntityName] = (),
        subtree_filter_uses_foundation_descendants: bool = False,
        include_keyword_result: bool = False,
        chapter_filter: str | Iterable[str] = (),
        use_flexisearch: bool = False,
        flat_results: bool = True,
        highlight: bool = False,
        medical_coding_mode: bool = True,
        properties_to_be_searched: str | Iterable[str] = (),
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Search a classification for one text, or for each text of a column.

        Parameters
        ----------
        query : str, or list, Series or Index of str
            What to search; a word may end in ``%``, then it is a beginning.
        classification : {"mms", "icf", "foundation"}, default "mms"
            ICD-10 has no search.
        release : str, optional
            None is the newest, resolved once.
        language : str, default "en"
            Of query and titles.
        subtrees_filter : str, int or iterable
            Codes, ids or URIs: search these entities and what is below them.
        subtree_filter_uses_foundation_descendants : bool, default False
            Below means below in the foundation (not for the foundation itself).
        include_keyword_result : bool, default False
            Fill ``words`` of `search_tables` (not for the foundation).
        chapter_filter : str or iterable of str
            Codes of chapters, such as ``["01", "22"]``.
        use_flexisearch : bool, default False
            A hit may lack some of the words.
        flat_results : bool, default True
            False nests hits: see columns depth and parent_id.
        highlight : bool, default False
            Keep ``<em class='found'>`` around what matches; titles are HTML then.
        medical_coding_mode : bool, default True
            Only what has a code; chapters 26, V and X are left out (not for the foundation).
        properties_to_be_searched : str or iterable of str
            Such as ``["Title", "Definition"]``; in the MMS and ICF only with
            ``medical_coding_mode=False``.
        progress : bool, optional
            Show a bar for a column; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask the server again; answers are kept for seven days.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_hits, 23)``: one row per hit, best first: query, code, title, entity_id, score, chapter,
            is_leaf, is_residual, postcoordination, entity_type, important, title_matches,
            title_is_best, has_coding_note, has_maternal_link, has_perinatal_link,
            terms_truncated, uri, depth, parent_id, chopped, status, message. For a column,
            hits carry the index label of their query, and a query without hits has one row
            whose status tells why. ``score`` is the server's own, 1 at best.
            ``attrs["chopped"]`` tells whether the server has more.

        Raises
        ------
        ConfigurationError
            If an option means nothing here, or the classification has no search.
        UnknownReleaseError, UnknownLanguageError
            If the server has no such thing.
        ServerError
            If the server says that a single search failed.

        Warns
        -----
        ChoppedResultWarning
            If the server has more hits than it gives (50).
        PartialResultWarning
            If server or network failed for some values of a column.

        Notes
        -----
        Network: one request per distinct text. A GET, or a POST where the URL would pass 2 KB;
        answers to a POST are not kept.
        Source: ``GET`` or ``POST …/search`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.search("cholera").loc[0, ["code", "title"]].tolist()
        ['1A00', 'Cholera']

        """
        return self.search_tables(
            query,
            classification=classification,
            release=release,
            language=language,
            subtrees_filter=subtrees_filter,
            subtree_filter_uses_foundation_descendants=subtree_filter_uses_foundation_descendants,
            include_keyword_result=include_keyword_result,
            chapter_filter=chapter_filter,
            use_flexisearch=use_flexisearch,
            flat_results=flat_results,
            highlight=highlight,
            medical_coding_mode=medical_coding_mode,
            properties_to_be_searched=properties_to_be_searched,
            progress=progress,
            refresh=refresh,
        ).hits

    def search_tables(
        self,
        query: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        subtrees_filter: EntityName | Iterable[EntityName] = (),
        subtree_filter_uses_foundation_descendants: bool = False,
        include_keyword_result: bool = False,
        chapter_filter: str | Iterable[str] = (),
        use_flexisearch: bool = False,
        flat_results: bool = True,
        highlight: bool = False,
        medical_coding_mode: bool = True,
        properties_to_be_searched: str | Iterable[str] = (),
        progress: bool | None = None,
        refresh: bool = False,
    ) -> SearchTables:
        """Search, and give the matching terms and word suggestions too.

        Parameters
        ----------
        query, classification, release, language, progress, refresh
            As `search`.
        subtrees_filter, subtree_filter_uses_foundation_descendants, include_keyword_result, chapter_filter
            As `search`.
        use_flexisearch, flat_results, highlight, medical_coding_mode, properties_to_be_searched
            As `search`.

        Returns
        -------
        SearchTables
            ``hits`` as `search`; ``terms`` (query, hit: row number in hits, entity_id,
            code, property, label, score, important, foundation_id, value_type); ``words``
            (query, label, keeps_result); ``chopped``; ``provenance``.

        Raises
        ------
        IcdError
            As `search`.

        Notes
        -----
        Network: as `search`; the three tables come from the same answers.
        Source: as `search`.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> tables = icdframes.search_tables("cholera")
        >>> "cholera syndrome" in set(tables.terms.label)
        True

        """
        column = read_column(query)
        scope = self._scope("search", _SEARCHED, classification, release, language, refresh=refresh)
        check_one_language(scope, _ONE_LANGUAGE)
        options = SearchOptions(
            subtrees_filter=self._subtrees(scope, subtrees_filter),
            subtree_filter_uses_foundation_descendants=subtree_filter_uses_foundation_descendants,
            include_keyword_result=include_keyword_result,
            chapter_filter=_split(listed("chapter_filter", chapter_filter, "01")),
            use_flexisearch=use_flexisearch,
            flat_results=flat_results,
            highlight=highlight,
            medical_coding_mode=medical_coding_mode,
            properties_to_be_searched=_split(listed("properties_to_be_searched", properties_to_be_searched, "Title")),
        )
        options.params(classification)
        endpoint = SearchEndpoint(self._session, classification)
        answers = self._ask_column(
            scope,
            column,
            as_text,
            lambda text, tag: endpoint.search(text, scope.release, options=options, language=tag, refresh=refresh),
            label="search",
            progress=progress,
        )
        queries = [None if value is None else str(value) for value in column.given]
        tables = build_search_tables(
            list(zip(queries, answers.first, strict=True)),
            scope.provenance(),
            index=None if column.single else column.index,
        )
        if tables.chopped:
            _warn_of_truncation(tables.hits.attrs["chopped_queries"])
        return tables

    def autocode(
        self,
        text: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        subtrees_filter: EntityName | Iterable[EntityName] = (),
        match_threshold: float | None = None,
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Find the code that fits a diagnosis in words best, for one text or a column.

        Parameters
        ----------
        text : str, or list, Series or Index of str
            Diagnoses in words.
        classification : {"mms", "icf", "foundation"}, default "mms"
            The foundation gives ids and no codes; ICD-10 has no autocode.
        release, language
            As `search`.
        subtrees_filter : str, int or iterable
            Codes, ids or URIs: match only these entities and what is below them.
        match_threshold : float, optional
            0 to 1: how well a text must match; None leaves it to the server.
        progress, refresh
            As `search`.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_texts, 12)``: one row each, in the input's order and with its index: value, code,
            matching_text, entity_id, foundation_id, level (0 exact … 3 none), score (0 to 1),
            match_type, is_title, uri, status, message. A text without a match has
            status ``no_match``.

        Raises
        ------
        ConfigurationError
            If an option cannot be used, or the classification has no autocode.
        UnknownReleaseError, UnknownLanguageError
            If the server has no such thing.

        Notes
        -----
        Network: one request per distinct text; none for texts in the cache. Results are
        proposals: WHO's own service finds no match for many common words.
        Source: ``GET …/autocode`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.autocode(["Cholera", "no such illness", "Cholera"]).status.tolist()
        ['ok', 'no_match', 'ok']

        """
        column = read_column(text)
        _check_threshold(match_threshold)
        scope = self._scope("autocode", _SEARCHED, classification, release, language, refresh=refresh)
        check_one_language(scope, _ONE_LANGUAGE)
        ask = partial(
            SearchEndpoint(self._session, classification).autocode,
            release=scope.release,
            subtrees_filter=self._subtrees(scope, subtrees_filter),
            match_threshold=match_threshold,
            refresh=refresh,
        )
        answers = self._ask_column(
            scope, column, as_text, lambda one, tag: ask(one, language=tag), label="autocode", progress=progress
        )
        frame = verdict_table(AUTOCODE, column.given, answers.first, autocode_fields, index=column.index)
        return scope.with_provenance(frame)

    def _subtrees(self, scope: QueryScope, entities: EntityName | Iterable[EntityName]) -> tuple[str, ...]:
        """Return the URIs of codes, ids and URIs."""
        codes = self._codes.get(scope.classification)
        release = None if scope.classification == "foundation" else scope.release
        named = [read_reference(entity, scope.classification) for entity in listed("subtrees_filter", entities, "1A00")]
        ids = [find_entity_id(reference, scope.source, codes, scope.release) for reference in named]
        return tuple(str(EntityUri(scope.classification, release, entity_id)) for entity_id in ids)


def _check_threshold(given: object) -> None:
    if given is not None and not (isinstance(given, Real) and 0 <= float(given) <= 1):
        raise ConfigurationError("cannot be: give a number from 0 to 1.", option="match_threshold", value=given)


def _split(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in _SEPARATOR.split(text) if part.strip())


def _warn_of_truncation(queries: Sequence[str]) -> None:
    shown = ", ".join(repr(query) for query in queries[:_SHOWN])
    more = f" and {len(queries) - _SHOWN} more" if len(queries) > _SHOWN else ""
    warn(
        f"The server has more hits than it gives for {shown}{more}",
        TruncatedResultWarning,
        remedy=Remedy(
            "use more words, chapter_filter or subtrees_filter; the column 'chopped' tells which", "use more words"
        ),
    )
