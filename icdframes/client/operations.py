"""Every operation of the ICD API 2.6.0 with its parameters and the method that sends it."""

from __future__ import annotations

from dataclasses import dataclass

from icdframes.model.certificate import FIELDS


@dataclass(frozen=True, slots=True)
class Operation:
    """One (method, path) of WHO's OpenAPI document.

    Attributes
    ----------
    parameters : tuple of str
        Names in the query. The headers ``API-Version`` and ``Accept-Language`` are sent with every request.
    endpoint : str
        Class and method below `icdframes.client` that sends it.
    verb : str
        Method of `IcdClient` through which a user gets there.

    """

    method: str
    path: str
    parameters: tuple[str, ...]
    endpoint: str
    verb: str


_LIN = "/icd/release/11/{releaseId}/{linearizationname}"
_SEARCH = (
    "q", "subtreesFilter", "chapterFilter", "useFlexisearch", "flatResults", "propertiesToBeSearched",
    "highlightingEnabled",
)  # fmt: skip
_FOUNDATION_SEARCH = (*_SEARCH, "releaseId")
_LINEAR_SEARCH = (
    *_SEARCH, "subtreeFilterUsesFoundationDescendants", "includeKeywordResult", "medicalCodingMode",
)  # fmt: skip
_AUTOCODE = ("searchText", "subtreesFilter", "matchThreshold")
_MODES = ("flexiblemode", "convertToTerminalCodes")
_CERTIFICATE = tuple(field.api_name for field in FIELDS)

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/icd/entity", ("releaseId",), "endpoints.Foundation.top_level", "releases"),
    Operation("GET", "/icd/entity/{id}", ("releaseId", "include"), "endpoints.Foundation.entity", "entity"),
    Operation(
        "GET", "/icd/entity/autocode", (*_AUTOCODE, "releaseId"), "search_endpoint.SearchEndpoint.autocode", "autocode"
    ),
    Operation("GET", "/icd/entity/search", _FOUNDATION_SEARCH, "search_endpoint.SearchEndpoint.search", "search"),
    Operation("POST", "/icd/entity/search", _FOUNDATION_SEARCH, "search_endpoint.SearchEndpoint.search", "search"),
    Operation(
        "GET", "/icd/release/11/{linearizationname}", (), "endpoints.ReleasedClassification.releases", "releases"
    ),
    Operation(
        "GET",
        "/icd/release/11/{linearizationname}/{id}",
        (),
        "endpoints.ReleasedClassification.entity_releases",
        "entity_releases",
    ),
    Operation(
        "GET",
        "/icd/release/11/{linearizationname}/{id}/{residual}",
        (),
        "endpoints.ReleasedClassification.entity_releases",
        "entity_releases",
    ),
    Operation("GET", _LIN, (), "endpoints.ReleasedClassification.top_level", "releases"),
    Operation("GET", f"{_LIN}/{{id}}", ("include",), "endpoints.ReleasedClassification.entity", "entity"),
    Operation("GET", f"{_LIN}/{{id}}/{{residual}}", ("include",), "endpoints.ReleasedClassification.entity", "entity"),
    Operation("GET", f"{_LIN}/autocode", _AUTOCODE, "search_endpoint.SearchEndpoint.autocode", "autocode"),
    Operation("GET", f"{_LIN}/codeinfo/{{code}}", _MODES, "endpoints.CodeEndpoint.codeinfo", "codeinfo"),
    Operation(
        "GET", f"{_LIN}/describe", ("code", "uri", "simplify", *_MODES), "endpoints.CodeEndpoint.describe", "describe"
    ),
    Operation("GET", f"{_LIN}/lookup", ("foundationUri",), "endpoints.Linearization.lookup", "lookup"),
    Operation("GET", f"{_LIN}/search", _LINEAR_SEARCH, "search_endpoint.SearchEndpoint.search", "search"),
    Operation("POST", f"{_LIN}/search", _LINEAR_SEARCH, "search_endpoint.SearchEndpoint.search", "search"),
    Operation(
        "GET", "/icd/release/11/{releaseId}/codedit", _CERTIFICATE, "endpoints.MortalityEndpoint.codedit", "codedit"
    ),
    Operation("POST", "/icd/release/11/{releaseId}/codedit", (), "endpoints.MortalityEndpoint.codedit", "codedit"),
    Operation("GET", "/icd/release/11/{releaseId}/doris", _CERTIFICATE, "endpoints.MortalityEndpoint.doris", "doris"),
    Operation("POST", "/icd/release/11/{releaseId}/doris", (), "endpoints.MortalityEndpoint.doris", "doris"),
    Operation("GET", "/icd/release/10", (), "endpoints.ReleasedClassification.releases", "releases"),
    Operation(
        "GET", "/icd/release/10/{code}", (), "endpoints.ReleasedClassification.entity_releases", "entity_releases"
    ),
    Operation("GET", "/icd/release/10/{releaseId}", (), "endpoints.ReleasedClassification.top_level", "releases"),
    Operation("GET", "/icd/release/10/{releaseId}/{code}", (), "endpoints.ReleasedClassification.entity", "entity"),
)
