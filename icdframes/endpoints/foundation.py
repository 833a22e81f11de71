"""The ICD-11 foundation: root and entities; it has no codes and no residuals."""

from __future__ import annotations

from collections.abc import Iterable

from icdframes.endpoints.base import Endpoint
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.parse import parse_top_level
from icdframes.model.uris import EntityUri


class Foundation(Endpoint):
    """Operations below ``/icd/entity``."""

    name = "foundation"

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the foundation's releases, newest first (``GET /icd/entity``)."""
        top = self.top_level(None, refresh=refresh)
        known = top.all_releases or ((top.release,) if top.release else ())
        return ReleaseList(top.uri, top.title, top.release or (known[0] if known else None), tuple(known))

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Give the root of a release (``GET /icd/entity``)."""
        path = EntityUri("foundation", None, None).path
        return self._parsed(parse_top_level, path, _marked(release), refresh=refresh)

    def entity(
        self,
        entity_id: str,
        release: str | None,
        *,
        language: str = "en",
        include: Iterable[str] = (),
        refresh: bool = False,
    ) -> Entity:
        """Give one entity (``GET /icd/entity/{id}``); the release goes as a parameter each time."""
        uri = EntityUri("foundation", None, entity_id)
        return self._entity(uri, _marked(release), include, language=language, refresh=refresh)


def _marked(release: str | None) -> dict[str, str]:
    return {"releaseId": release} if release else {}
