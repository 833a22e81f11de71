"""Send search and autocode, as a POST where a GET would be too long for WHO's server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from icdframes.client.endpoints import Endpoint, JsonSession, check_origin, fits_in_url
from icdframes.errors import ConfigurationError, did_you_mean
from icdframes.model.decode_responses import parse_autocode, parse_search
from icdframes.model.responses import AutocodeMatch, SearchResult
from icdframes.model.uris import EntityUri

_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "foundation": ("Title", "Synonym", "NarrowerTerm", "FullySpecifiedName", "Definition", "Exclusion"),
    "linearization": ("Title", "FullySpecifiedName", "Definition", "Exclusion", "IndexTerm"),
}


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search; the names are the API's in snake_case.

    Attributes
    ----------
    subtrees_filter : tuple of str
        URIs under which to search.
    chapter_filter : tuple of str
        Codes of chapters.
    properties_to_be_searched : tuple of str
        Such as ``"Title"``; empty for the server's choice.
    subtree_filter_uses_foundation_descendants, include_keyword_result, medical_coding_mode : bool
        Known to linearizations only.
    use_flexisearch, flat_results, highlight : bool
        Whether a hit may lack words, hits are a flat list, matches are marked.

    """

    subtrees_filter: tuple[str, ...] = ()
    subtree_filter_uses_foundation_descendants: bool = False
    include_keyword_result: bool = False
    chapter_filter: tuple[str, ...] = ()
    use_flexisearch: bool = False
    flat_results: bool = True
    highlight: bool = False
    medical_coding_mode: bool = True
    properties_to_be_searched: tuple[str, ...] = ()

    def params(self, classification: str) -> dict[str, str]:
        """Write the options for a classification.

        Raises
        ------
        ConfigurationError
            If an option means nothing there.

        """
        foundation = classification == "foundation"
        self._check(classification, foundation=foundation)
        params = {
            "useFlexisearch": _written(self.use_flexisearch),
            "flatResults": _written(self.flat_results),
            "highlightingEnabled": _written(self.highlight),
        }
        if not foundation:
            params["medicalCodingMode"] = _written(self.medical_coding_mode)
            params["includeKeywordResult"] = _written(self.include_keyword_result)
        if self.subtrees_filter:
            params["subtreesFilter"] = ",".join(self.subtrees_filter)
            if not foundation:
                params["subtreeFilterUsesFoundationDescendants"] = _written(
                    self.subtree_filter_uses_foundation_descendants
                )
        if self.chapter_filter:
            params["chapterFilter"] = ";".join(self.chapter_filter)
        if self.properties_to_be_searched:
            params["propertiesToBeSearched"] = ",".join(self.properties_to_be_searched)
        return params

    def _check(self, classification: str, *, foundation: bool) -> None:
        known = _PROPERTIES["foundation" if foundation else "linearization"]
        for name in self.properties_to_be_searched:
            if name not in known:
                raise ConfigurationError(
                    f"is unknown in {classification}: give {', '.join(known)}.{did_you_mean(name, known)}",
                    option="properties_to_be_searched",
                    value=name,
                )
        if self.properties_to_be_searched and self.medical_coding_mode and not foundation:
            raise ConfigurationError(
                "properties_to_be_searched has no effect in medical coding mode: give medical_coding_mode=False too."
            )
        only_linear = {
            "subtree_filter_uses_foundation_descendants": self.subtree_filter_uses_foundation_descendants,
            "include_keyword_result": self.include_keyword_result,
            "medical_coding_mode": not self.medical_coding_mode,
        }
        wrong = [name for name, given in only_linear.items() if given]
        if foundation and wrong:
            raise ConfigurationError(f"A search in the foundation has no {wrong[0]}: leave it out.")


class SearchEndpoint(Endpoint):
    """Search and autocode below ``/icd/entity`` or ``/icd/release/11/{release}/{linearization}``."""

    def __init__(self, session: JsonSession, classification: str) -> None:
        super().__init__(session)
        self._name = classification

    def search(
        self,
        query: str,
        release: str | None,
        *,
        options: SearchOptions | None = None,
        language: str = "en",
        refresh: bool = False,
    ) -> SearchResult:
        """Search (``GET …/search``; ``POST`` with form fields where the URL would be too long)."""
        options = options or SearchOptions()
        path, params = self._start("search", release)
        params |= {"q": query, **options.params(self._name)}
        about = f"?q={query}"

        def parse(doc: Any, *, asked: str) -> SearchResult:
            result = parse_search(doc, asked=asked, highlight=options.highlight)
            uris = [hit.uri for hit in result.hits]
            check_origin(EntityUri(self._name, release, None), uris, asked, "$.destinationEntities[*].id")
            return result

        if fits_in_url(path, params):
            return self._parsed(parse, path, params, about=about, language=language, refresh=refresh)
        return parse(self._session.post_json(path, form=params, language=language), asked=f"{path}{about}")

    def autocode(
        self,
        text: str,
        release: str | None,
        *,
        subtrees_filter: tuple[str, ...] = (),
        match_threshold: float | None = None,
        language: str = "en",
        refresh: bool = False,
    ) -> AutocodeMatch:
        """Find the best match for a text (``GET …/autocode``)."""
        path, params = self._start("autocode", release)
        params["searchText"] = text
        if subtrees_filter:
            params["subtreesFilter"] = ",".join(subtrees_filter)
        if match_threshold is not None:
            params["matchThreshold"] = f"{match_threshold:g}"
        if not fits_in_url(path, params):
            raise ConfigurationError(
                f"The text {text[:40]!r}… has {len(text)} characters, too many for autocode: shorten it."
            )

        def parse(doc: Any, *, asked: str) -> AutocodeMatch:
            match = parse_autocode(doc, asked=asked)
            check_origin(EntityUri(self._name, release, None), [match.uri], asked, "$.linearizationURI")
            return match

        about = f"?searchText={text}"
        return self._parsed(parse, path, params, about=about, language=language, refresh=refresh)

    def _start(self, operation: str, release: str | None) -> tuple[str, dict[str, str]]:
        if self._name == "foundation":
            return f"/icd/entity/{operation}", {"releaseId": release} if release else {}
        return f"{EntityUri(self._name, release, None).path}/{operation}", {}


def _written(value: bool) -> str:  # noqa: FBT001  a query value, not a switch
    return "true" if value else "false"
