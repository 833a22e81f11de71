"""What all operations share: the wire as a protocol, and reading a list of `include`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from icdframes.errors import ResponseShapeError
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.parse import parse_entity, parse_release_list, parse_top_level
from icdframes.model.uris import EntityUri


class Wire(Protocol):
    """What an endpoint needs of a session."""

    def get_json(
        self, path: str, params: Mapping[str, str] | None = None, *, language: str = "en", refresh: bool = False
    ) -> Any:
        """Give the decoded answer of a GET."""

    def post_json(
        self, path: str, params: Mapping[str, str] | None = None, *, body: Any = None, language: str = "en"
    ) -> Any:
        """Give the decoded answer of a POST."""


class Classification(Protocol):
    """What every classification can be asked: MMS, ICF, the foundation, ICD-10."""

    name: str

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""

    def top_level(self, release: str | None, *, language: str = "en", refresh: bool = False) -> TopLevel:
        """Give the root of a release."""

    def entity(
        self,
        entity_id: str,
        release: str | None,
        *,
        language: str = "en",
        include: Iterable[str] = (),
        refresh: bool = False,
    ) -> Entity:
        """Give one entity."""


class Endpoint:
    """One family of operations over a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def _entity(
        self, uri: EntityUri, params: dict[str, str], include: Iterable[str], *, language: str, refresh: bool
    ) -> Entity:
        wanted = ",".join(include)
        if wanted:
            params = {**params, "include": wanted}
        entity = parse_entity(self._wire.get_json(uri.path, params, language=language, refresh=refresh), asked=str(uri))
        if entity.entity_id != uri.entity_id:
            raise ResponseShapeError(
                f"Asked for {uri}, but the answer is {entity.uri}. Try again later; if it stays so, report it.",
                uri=str(uri),
                json_path="$.@id",
            )
        return entity


class ReleasedClassification(Endpoint):
    """Operations that ICD-10 and the linearizations of ICD-11 have alike: the release stands in the path."""

    def __init__(self, wire: Wire, name: str) -> None:
        super().__init__(wire)
        self.name = name

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""
        return self._release_list(EntityUri(self.name, None, None), "en", refresh=refresh)

    def entity_releases(self, entity_id: str, *, language: str = "en", refresh: bool = False) -> ReleaseList:
        """List the releases that have an entity."""
        return self._release_list(EntityUri(self.name, None, entity_id), language, refresh=refresh)

    def top_level(self, release: str | None, *, language: str = "en", refresh: bool = False) -> TopLevel:
        """Give the root of a release: its languages and chapters."""
        uri = EntityUri(self.name, release, None)
        return parse_top_level(self._wire.get_json(uri.path, language=language, refresh=refresh), asked=str(uri))

    def entity(
        self,
        entity_id: str,
        release: str | None,
        *,
        language: str = "en",
        include: Iterable[str] = (),
        refresh: bool = False,
    ) -> Entity:
        """Give one entity, residual, chapter or block."""
        uri = EntityUri(self.name, release, entity_id)
        return self._entity(uri, {}, include, language=language, refresh=refresh)

    def _release_list(self, uri: EntityUri, language: str, *, refresh: bool) -> ReleaseList:
        return parse_release_list(self._wire.get_json(uri.path, language=language, refresh=refresh), asked=str(uri))
