"""What a server has: its releases and languages, and one entity as a value; it loads no branch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from icdframes.client.endpoints import ReleasedClassification
from icdframes.client.load_request import read_include, read_load_request
from icdframes.client.query_scope import Context
from icdframes.client.references import read_name
from icdframes.errors import ConfigurationError
from icdframes.frames.results import entity_releases_table, releases_table
from icdframes.model.entity import Entity
from icdframes.model.uris import EntityUri, check_classification

if TYPE_CHECKING:
    import pandas as pd

_INCLUDES = ("ancestor", "descendant", "diagnosticCriteria")


def releases(context: Context, classification: str = "mms") -> pd.DataFrame:
    """List the releases of a classification; see `icdframes.releases`."""
    source = context.source(check_classification(classification))
    known = context.loader(classification).releases
    return releases_table([known.top_level(release) for release in source.releases().releases], server=context.base_url)


def newest_release(context: Context, classification: str = "mms", *, refresh: bool = False) -> str | None:
    """Give the id of the newest release; None where the server does not say."""
    return context.loader(check_classification(classification)).releases.top_level(None, refresh=refresh).release


def languages(context: Context, classification: str = "mms", *, release: str | None = None) -> list[str]:
    """List the languages of a release; see `icdframes.languages`."""
    return list(context.loader(check_classification(classification)).releases.top_level(release).languages)


def entity(
    context: Context,
    name: str | int,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str = "en",
    include: Iterable[str] = (),
) -> Entity:
    """Give one entity as a value; see `icdframes.IcdClient.entity`."""
    wanted = read_include(include, _INCLUDES)
    request = read_load_request(name, classification=classification, release=release, language=language)
    scope = context.loader(classification).scope(request)
    source = context.source(classification)
    return source.entity(scope.root_id or "", scope.release, language=request.languages[0], include=wanted)


def entity_releases(
    context: Context, entity: str | int, *, classification: str = "mms", refresh: bool = False
) -> pd.DataFrame:
    """List the releases that have an entity; see `icdframes.entity_releases`."""
    source = context.source(check_classification(classification))
    if not isinstance(source, ReleasedClassification):
        raise ConfigurationError(
            "The ICD API does not list the releases of a foundation entity: ask each of releases('foundation')."
        )
    reference = read_name(entity, classification)
    entity_id = reference.text
    if reference.kind != "id":
        request = read_load_request(entity, classification=classification, refresh=refresh)
        entity_id = context.loader(classification).scope(request).root_id or ""
    known = source.entity_releases(entity_id, refresh=refresh)
    uris = [str(EntityUri(classification, release, entity_id)) for release in known.releases]
    return entity_releases_table(classification, entity_id, known, uris)
