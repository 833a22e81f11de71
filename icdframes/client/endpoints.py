"""Send each operation on entities, codes and certificates, and read its answer: a method per operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from icdframes.errors import ResponseShapeError, ServerError
from icdframes.model.certificate import Certificate, CertificateCheck, UnderlyingCause
from icdframes.model.decode import parse_entity, parse_release_list, parse_top_level
from icdframes.model.decode_responses import (
    parse_certificate_check,
    parse_code_info,
    parse_postcoordination_set,
    parse_underlying_cause,
)
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.responses import CodeInfo, PostcoordinationSet
from icdframes.model.uris import HOST, PREFIX, EntityUri, first_uri

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

    def forget(self, path: str, params: Mapping[str, str] | None = None, *, language: str = "en") -> None:
        """Remove an answer that proved wrong from the cache."""


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


def wrong_answer(wanted: EntityUri, found: str, asked: str, json_path: str = "$.@id") -> ResponseShapeError:
    """Return the error for an answer to another question."""
    return ResponseShapeError(
        f"Asked for {wanted}, but the answer is {found}. It is not kept. Try again later; if it stays so, a proxy "
        "mixes answers up, or the server is no ICD API: report it.",
        uri=asked,
        json_path=json_path,
    )


def check_origin(wanted: EntityUri, found: Iterable[str | None], asked: str, json_path: str = "$.@id") -> None:
    """Raise `ResponseShapeError` where URIs or expressions of URIs name another release or linearization.

    A URI of the foundation, or without a release, says nothing of it.
    """
    for text in found:
        uri = first_uri(text)
        if uri is None or "foundation" in {uri.classification, wanted.classification}:
            continue
        if uri.classification != wanted.classification or uri.release not in {None, wanted.release}:
            raise wrong_answer(wanted, str(uri), asked, json_path)


def check_language(found: str | None, wanted: str, asked: str) -> None:
    """Raise `ResponseShapeError` where a text says that it is in another language than the one asked for."""
    if found and found.partition("-")[0].lower() != wanted.partition("-")[0].lower():
        raise ResponseShapeError(
            f"Asked for {asked} in {wanted!r}, but the answer is in {found!r}. It is not kept. Try again later; if it "
            "stays so, a proxy mixes answers up, or the server does not have the language.",
            uri=asked,
            json_path="$.title.@language",
        )


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
            if entity.uri != str(uri):
                raise wrong_answer(uri, entity.uri, asked)
            check_language(entity.language, language, asked)
            return entity

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
        """Ask and read; an answer that is wrong is not kept, and asked for once more.

        A complaint names the path, and `about`: what was asked there.
        """
        asked = f"{PREFIX}{path}{about}"
        while True:
            doc = self._session.get_json(path, params, language=language, refresh=refresh)
            try:
                return parse(doc, asked=asked)
            except (ResponseShapeError, ServerError):
                self._session.forget(path, params, language=language)
                if refresh:
                    raise
            refresh = True


def _list_reader(wanted: EntityUri) -> Callable[..., ReleaseList]:
    """Return how to read the releases of a classification or an entity."""

    def read(doc: Any, *, asked: str) -> ReleaseList:
        listed = parse_release_list(doc, asked=asked)
        if listed.uri != str(wanted):
            raise wrong_answer(wanted, listed.uri, asked)
        if not listed.releases:
            raise wrong_answer(wanted, "a list without releases", asked, "$.release")
        return listed

    return read


def _root_reader(wanted: EntityUri, release: str | None) -> Callable[..., TopLevel]:
    """Return how to read the root of a release; one without entities would make empty tables."""

    def read(doc: Any, *, asked: str) -> TopLevel:
        top = parse_top_level(doc, asked=asked)
        if top.uri != str(wanted):
            raise wrong_answer(wanted, top.uri, asked)
        if None not in {release, top.release} and top.release != release:
            raise wrong_answer(wanted, f"of the release {top.release!r}", asked, "$.releaseId")
        if not top.child_ids:
            raise wrong_answer(wanted, "a classification without entities", asked, "$.child")
        return top

    return read


class ReleasedClassification(Endpoint):
    """Operations that ICD-10 and the linearizations of ICD-11 have alike: the release stands in the path."""

    def __init__(self, session: JsonSession, name: str) -> None:
        super().__init__(session)
        self.name = name

    def releases(self, *, refresh: bool = False) -> ReleaseList:
        """List the releases, newest first."""
        uri = EntityUri(self.name, None, None)
        return self._parsed(_list_reader(uri), uri.path, refresh=refresh)

    def entity_releases(self, entity_id: str, *, refresh: bool = False) -> ReleaseList:
        """List the releases that have an entity."""
        uri = EntityUri(self.name, None, entity_id)
        return self._parsed(_list_reader(uri), uri.path, refresh=refresh)

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:
        """Return the root of a release: its languages and chapters."""
        uri = EntityUri(self.name, release, None)
        return self._parsed(_root_reader(uri, release), uri.path, refresh=refresh)

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
        uri = EntityUri("foundation", None, None)
        return self._parsed(_root_reader(uri, release), uri.path, _marked(release), refresh=refresh)

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
        scope = EntityUri(self.name, release, None)
        path = f"{scope.path}/lookup"
        params = {"foundationUri": foundation_uri}

        def read(doc: Any, *, asked: str) -> Entity:
            entity = parse_entity(doc, asked=asked)
            check_origin(scope, [entity.uri], asked)
            check_language(entity.language, language, asked)
            return entity

        about = f"?foundationUri={foundation_uri}"
        return self._parsed(read, path, params, about=about, language=language, refresh=refresh)


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
        scope = EntityUri(self._linearization, release, None)
        path = f"{scope.path}/codeinfo/{quote(code, safe='')}"
        params = _modes(flexible=flexible, terminal_codes=terminal_codes)

        def read(doc: Any, *, asked: str) -> CodeInfo:
            info = parse_code_info(doc, asked=asked)
            check_origin(scope, [doc["stemId"]], asked, "$.stemId")
            return info

        return self._parsed(read, path, params, language=language, refresh=refresh)

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
        scope = EntityUri(self._linearization, release, None)
        path = f"{scope.path}/describe"
        params = {"uri" if "://" in expression else "code": expression}
        params |= _modes(flexible=flexible, terminal_codes=terminal_codes)
        if simplify:
            params["simplify"] = "true"

        def read(doc: Any, *, asked: str) -> PostcoordinationSet:
            described = parse_postcoordination_set(doc, asked=asked)
            check_origin(scope, [described.uri], asked, "$.linearizationUri")
            return described

        return self._parsed(read, path, params, about=f"?code={expression}", language=language, refresh=refresh)


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
