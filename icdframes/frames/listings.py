"""Releases as typed tables: those of a classification, and those that have an entity; it never sees HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from icdframes.frames.schema import Column, typed_table
from icdframes.model.entity import ReleaseList, TopLevel

RELEASES = (
    Column("classification", "str", "mms, icf, foundation or icd10"),
    Column("release", "str", "Release id, such as 2024-01"),
    Column("date", "str", "Its date, YYYY-MM-DD"),
    Column("title", "str", "Title of the classification"),
    Column("languages", "str", "Codes of its languages, with blanks between"),
    Column("prerelease_languages", "str", "Codes of languages that are not final yet"),
    Column("n_top_entities", "int64", "Number of chapters (top entities)"),
    Column("uri", "str", "URI of the release"),
)
ENTITY_RELEASES = (
    Column("classification", "str", "mms, icf or icd10"),
    Column("entity_id", "str", "Id of the entity"),
    Column("release", "str", "A release that has it, newest first"),
    Column("latest", "bool", "Whether it is the newest that has it"),
    Column("uri", "str", "URI of the entity in this release"),
)


def releases_table(tops: Sequence[TopLevel], *, server: str) -> pd.DataFrame:
    """Give one row per release, in the order given; the columns are `RELEASES`."""
    frame = typed_table(
        RELEASES,
        {
            "classification": [top.classification for top in tops],
            "release": [top.release for top in tops],
            "date": [top.date for top in tops],
            "title": [top.title for top in tops],
            "languages": [" ".join(top.languages) for top in tops],
            "prerelease_languages": [" ".join(top.prerelease_languages) for top in tops],
            "n_top_entities": [len(top.child_ids) for top in tops],
            "uri": [top.uri for top in tops],
        },
    )
    frame.attrs["server"] = server
    return frame


def entity_releases_table(classification: str, entity_id: str, known: ReleaseList, uris: Sequence[str]) -> pd.DataFrame:
    """Give one row per release that has an entity."""
    n = len(known.releases)
    return typed_table(
        ENTITY_RELEASES,
        {
            "classification": [classification] * n,
            "entity_id": [entity_id] * n,
            "release": known.releases,
            "latest": [release == known.latest for release in known.releases],
            "uri": uris,
        },
    )
