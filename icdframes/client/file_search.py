"""Answer search and autocode from WHO's files, by an offline index of their texts, in the API's own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from icdframes.coding.text_index import may_have_more
from icdframes.errors import ConfigurationError
from icdframes.model.uris import EntityUri, parse_uri

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.file_tables import FileTables
    from icdframes.frames.snapshots import SnapshotKey

_MOST_HITS = 40
_LEAST_OF_AUTOCODE = 0.5
_EXACT, _SIMILAR, _NONE = 0, 2, 3
_SERVER_ONLY = {
    "useFlexisearch": ("use_flexisearch", "false"),
    "flatResults": ("flat_results", "true"),
    "highlightingEnabled": ("highlight", "false"),
    "medicalCodingMode": ("medical_coding_mode", "true"),
    "includeKeywordResult": ("include_keyword_result", "false"),
    "subtreeFilterUsesFoundationDescendants": ("subtree_filter_uses_foundation_descendants", "false"),
    "propertiesToBeSearched": ("properties_to_be_searched", ""),
}


def search_files(tables: FileTables, key: SnapshotKey, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API answers to ``…/search``: entities whose texts are alike, the most probable first.

    Weak hits are among them, as their score says; where there may be more, the answer says that it is chopped.

    Raises
    ------
    ConfigurationError
        If an option is given that only a server knows.
    MissingExtraError
        If the extra ``coding`` is not installed.

    """
    for name, (option, default) in _SERVER_ONLY.items():
        given = str(params.get(name, default))
        if given != default:
            raise ConfigurationError(
                "is known to a server only: leave it out.",
                option=option,
                value={"true": True, "false": False}.get(given, given),
            )
    text = str(params["q"])
    found = _candidates(tables, key, text, params)
    if chapters := str(params.get("chapterFilter") or ""):
        found = found[found["chapter"].isin(chapters.split(";"))]
    hits = [
        {
            "id": _uri(key, row["entity_id"]),
            "title": row["title"],
            "theCode": row["code"],
            "chapter": row["chapter"],
            "score": row["score"],
            "matchingPVs": [{"propertyId": row["term_kind"], "label": row["matched_term"], "score": row["score"]}],
        }
        for row in found.to_dict("records")
    ]
    chopped = may_have_more(tables.texts(key), text)
    return {"error": False, "errorMessage": None, "resultChopped": chopped, "destinationEntities": hits}


def autocode_files(tables: FileTables, key: SnapshotKey, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API answers to ``…/autocode``: the most probable entity, or none."""
    text = str(params["searchText"])
    least = float(params.get("matchThreshold", _LEAST_OF_AUTOCODE))
    found = _candidates(tables, key, text, params)
    best = next(iter(found[found["score"] >= least].to_dict("records")), None)
    if best is None:
        return {"searchText": text, "matchLevel": _NONE, "matchScore": 0, "isTitle": False}
    return {
        "searchText": text,
        "matchingText": best["matched_term"],
        "theCode": best["code"],
        "linearizationURI": _uri(key, best["entity_id"]),
        "matchLevel": _EXACT if best["method"] == "equal" else _SIMILAR,
        "matchScore": best["score"],
        "isTitle": best["term_kind"] == "title",
    }


def _candidates(tables: FileTables, key: SnapshotKey, text: str, params: Mapping[str, Any]) -> pd.DataFrame:
    """Return the candidates of a text in the subtrees asked for."""
    found = tables.texts(key).search(text, n=_MOST_HITS).dropna(subset=["entity_id"])
    subtrees = str(params.get("subtreesFilter") or "")
    if not subtrees:
        return found
    index, below = tables.index(key), set()
    for uri in subtrees.split(","):
        root = parse_uri(uri).entity_id or ""
        below |= {root, *(index.entity(root, {"descendant"}).descendant_ids or ())}
    return found[found["entity_id"].isin(below)]


def _uri(key: SnapshotKey, entity_id: str) -> str:
    return str(EntityUri(key.classification, key.release, entity_id))
