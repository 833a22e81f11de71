"""Send each operation on entities, codes and certificates, and read its answer: a method per operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from icdframes.errors import ResponseShapeError, ServerError
from icdframes.model.certificate import Certificate, CertificateCheck, UnderlyingCause
from icdframes.model.decode_entity import parse_entity, parse_release_list, parse_top_level
from icdframes.model.decode_responses import (
    parse_certificate_check,
    parse_code_info,
    parse_postcoordination_set,
    parse_underlying_cause,
)
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.responses import CodeInfo, PostcoordinationSet
from icdframes.model.uris import HOST, PREFIX, EntityUri

_LONGEST_URL = 2000

Parsed = TypeVar("Parsed")


class JsonSession(Protocol):
    """What an endpoint needs of a session."""

    def get_json(
        self, path: str, params: Mapping[str, str] | None = None, *, language: str = "en", refresh: bool = False
    ) -> Any:
        """Return the decoded answer of a GET."""

    def post_json(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Any:
        """Return the decoded answer of a POST with a JSON body or form fields."""


class Classification(Protocol):
    """What every classification can be asked: MMS, ICF, the foundation, ICD-10."""

    name: str

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Return the root of a release."""

    def entity(
        self,
        entity_id: str,
        release: str | None,
        *,
        language: str = "en",
        include: Iterable[str] = (),
        refresh: bool = False,
    ) -> Entity:
        """Return one entity."""


def fits_in_url(path: str, params: Mapping[str, str]) -> bool:
    """Return whether a GET stays below WHO's limit of some 2 KB; what cannot be sent at all is refused later."""
    return len(f"https://{HOST}{path}?{urlencode(params, errors='replace')}") <= _LONGEST_URL


class Endpoint:
    """One family of operations over a session."""

    def __init__(self, session: JsonSession) -> None:
        self._session = session

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
        doc = self._session.get_json(path, params, language=language, refresh=refresh)
        try:
            return parse(doc, asked=asked)
        except (ResponseShapeError, ServerError):
            if refresh:
                raise
        return parse(self._session.get_json(path, params, language=language, refresh=True), asked=asked)


class ReleasedClassification(Endpoint):
    """Operations that ICD-10 and the linearizations of ICD-11 have alike: the release stands in the path."""

    def __init__(self, session: JsonSession, name: str) -> None:
        super().__init__(session)
        self.name = name

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""
        return self._parsed(parse_release_list, EntityUri(self.name, None, None).path, refresh=refresh)

    def entity_releases(self, entity_id: str, *, refresh: bool = False) -> ReleaseList:
        """List the releases that have an entity."""
        return self._parsed(parse_release_list, EntityUri(self.name, None, entity_id).path, refresh=refresh)

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Return the root of a release: its languages and chapters."""
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
        """Return one entity, residual, chapter or block."""
        uri = EntityUri(self.name, release, entity_id)
        return self._entity(uri, {}, include, language=language, refresh=refresh)


class Foundation(Endpoint):
    """Operations below ``/icd/entity``."""

    name = "foundation"

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the foundation's releases, newest first (``GET /icd/entity``)."""
        top = self.top_level(None, refresh=refresh)
        known = top.all_releases or ((top.release,) if top.release else ())
        return ReleaseList(top.uri, top.title, top.release or (known[0] if known else None), tuple(known))

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Return the root of a release (``GET /icd/entity``)."""
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
        """Return one entity (``GET /icd/entity/{id}``); the release goes as a parameter each time."""
        uri = EntityUri("foundation", None, entity_id)
        return self._entity(uri, _marked(release), include, language=language, refresh=refresh)


def _marked(release: str | None) -> dict[str, str]:
    return {"releaseId": release} if release else {}


class Icd10(ReleasedClassification):
    """Operations below ``/icd/release/10``; a local deployment does not have them."""

    def __init__(self, session: JsonSession) -> None:
        super().__init__(session, "icd10")


class Linearization(ReleasedClassification):
    """Operations below ``/icd/release/11/{release}/{linearization}``."""

    def lookup(self, foundation_uri: str, release: str, *, language: str = "en", refresh: bool = False) -> Entity:
        """Return the entity of this linearization in which a foundation entity is coded.

        It is another entity than the one asked for where that is below the
        shoreline, and the unspecified residual where it is a block.
        """
        path = f"{EntityUri(self.name, release, None).path}/lookup"
        params = {"foundationUri": foundation_uri}
        about = f"?foundationUri={foundation_uri}"
        return self._parsed(parse_entity, path, params, about=about, language=language, refresh=refresh)


class CodeEndpoint(Endpoint):
    """Operations on codes below ``/icd/release/11/{release}/{linearization}``."""

    def __init__(self, session: JsonSession, linearization: str) -> None:
        super().__init__(session)
        self._linearization = linearization

    def codeinfo(
        self,
        code: str,
        release: str,
        *,
        flexible: bool = False,
        terminal_codes: bool = False,
        language: str = "en",
        refresh: bool = False,
    ) -> CodeInfo:
        """Take a code or cluster apart (``GET …/codeinfo/{code}``)."""
        path = f"{EntityUri(self._linearization, release, None).path}/codeinfo/{quote(code, safe='')}"
        params = _modes(flexible=flexible, terminal_codes=terminal_codes)
        return self._parsed(parse_code_info, path, params, language=language, refresh=refresh)

    def describe(
        self,
        expression: str,
        release: str,
        *,
        simplify: bool = False,
        flexible: bool = False,
        terminal_codes: bool = False,
        language: str = "en",
        refresh: bool = False,
    ) -> PostcoordinationSet:
        """Put a code, a cluster, a URI or an expression of URIs into words (``GET …/describe``)."""
        path = f"{EntityUri(self._linearization, release, None).path}/describe"
        params = {"uri" if "://" in expression else "code": expression}
        params |= _modes(flexible=flexible, terminal_codes=terminal_codes)
        if simplify:
            params["simplify"] = "true"
        about = f"?code={expression}"
        return self._parsed(parse_postcoordination_set, path, params, about=about, language=language, refresh=refresh)


def _modes(*, flexible: bool, terminal_codes: bool) -> dict[str, str]:
    params = {"flexiblemode": "true"} if flexible else {}
    if terminal_codes:
        params["convertToTerminalCodes"] = "true"
    return params


class MortalityEndpoint(Endpoint):
    """Operations below ``/icd/release/11/{release}`` that take a death certificate."""

    def doris(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> UnderlyingCause:
        """Find the underlying cause of death (``GET …/doris``; ``POST`` where that cannot say all of it)."""
        path = f"/icd/release/11/{release}/doris"
        return self._judged(parse_underlying_cause, path, certificate, language, refresh=refresh)

    def codedit(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> CertificateCheck:
        """Check a certificate (``GET …/codedit``; ``POST`` where that cannot say all of it)."""
        path = f"/icd/release/11/{release}/codedit"
        return self._judged(parse_certificate_check, path, certificate, language, refresh=refresh)

    def _judged(
        self, parse: Callable[..., Parsed], path: str, certificate: Certificate, language: str, *, refresh: bool
    ) -> Parsed:
        params = certificate.params()
        if certificate.fits_parameters and fits_in_url(path, params):
            return self._parsed(parse, path, params, language=language, refresh=refresh)
        return parse(self._session.post_json(path, body=certificate.document(), language=language), asked=path)
