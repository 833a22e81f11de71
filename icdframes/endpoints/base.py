"""What all operations share: the wire and the classification as protocols, asking and reading, the limit of a GET."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from icdframes.errors import ResponseShapeError, ServerError
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.parse import parse_entity, parse_release_list, parse_top_level
from icdframes.model.uris import HOST, PREFIX, EntityUri

_LONGEST_URL = 2000

Parsed = TypeVar("Parsed")


class Wire(Protocol):
    """What an endpoint needs of a session."""

    def get_json(
        self, path: str, params: Mapping[str, str] | None = None, *, language: str = "en", refresh: bool = False
    ) -> Any:
        """Give the decoded answer of a GET."""

    def post_json(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Any:
        """Give the decoded answer of a POST with a JSON body or form fields."""


class Classification(Protocol):
    """What every classification can be asked: MMS, ICF, the foundation, ICD-10."""

    name: str

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
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


def fits_in_url(path: str, params: Mapping[str, str]) -> bool:
    """Tell whether a GET stays below WHO's limit of some 2 KB; what cannot be sent at all is refused later."""
    return len(f"https://{HOST}{path}?{urlencode(params, errors='replace')}") <= _LONGEST_URL


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

        def read(doc: Any, *, asked: str) -> Entity:
            entity = parse_entity(doc, asked=asked)
            if entity.entity_id == uri.entity_id:
                return entity
            raise ResponseShapeError(
                f"Asked for {uri}, but the answer is {entity.uri}. Try again later; if it stays so, report it.",
                uri=asked,
                json_path="$.@id",
            )

        return self._parsed(read, uri.path, params, language=language, refresh=refresh)

    def _parsed(
        self,
        parse: Callable[..., Parsed],
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        about: str = "",
        language: str = "en",
        refresh: bool = False,
    ) -> Parsed:
        """Ask and read; an answer that cannot be read, which the cache may hold for good, is asked for once more.

        A complaint names the path, and `about`: what was asked there.
        """
        asked = f"{PREFIX}{path}{about}"
        doc = self._wire.get_json(path, params, language=language, refresh=refresh)
        try:
            return parse(doc, asked=asked)
        except (ResponseShapeError, ServerError):
            if refresh:
                raise
        return parse(self._wire.get_json(path, params, language=language, refresh=True), asked=asked)


class ReleasedClassification(Endpoint):
    """Operations that ICD-10 and the linearizations of ICD-11 have alike: the release stands in the path."""

    def __init__(self, wire: Wire, name: str) -> None:
        super().__init__(wire)
        self.name = name

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""
        return self._parsed(parse_release_list, EntityUri(self.name, None, None).path, refresh=refresh)

    def entity_releases(self, entity_id: str, *, refresh: bool = False) -> ReleaseList:
        """List the releases that have an entity."""
        return self._parsed(parse_release_list, EntityUri(self.name, None, entity_id).path, refresh=refresh)

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Give the root of a release: its languages and chapters."""
        return self._parsed(parse_top_level, EntityUri(self.name, release, None).path, refresh=refresh)

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
