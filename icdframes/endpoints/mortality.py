"""DORIS and CoDEdit: the rules of mortality coding; it sends checked certificates and follows no rule itself."""

from __future__ import annotations

from collections.abc import Callable

from icdframes.endpoints.base import Endpoint, Parsed, fits_in_url
from icdframes.model.certificate import Certificate, CertificateCheck, UnderlyingCause
from icdframes.model.parse_mortality import parse_certificate_check, parse_underlying_cause


class Mortality(Endpoint):
    """Operations below ``/icd/release/11/{release}`` that take a death certificate."""

    def doris(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> UnderlyingCause:
        """Find the underlying cause of death (``GET …/doris``; ``POST`` where the URL would be too long)."""
        path = f"/icd/release/11/{release}/doris"
        return self._judged(parse_underlying_cause, path, certificate, language, refresh=refresh)

    def codedit(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> CertificateCheck:
        """Check a certificate (``GET …/codedit``; ``POST`` where the URL would be too long)."""
        path = f"/icd/release/11/{release}/codedit"
        return self._judged(parse_certificate_check, path, certificate, language, refresh=refresh)

    def _judged(
        self, parse: Callable[..., Parsed], path: str, certificate: Certificate, language: str, *, refresh: bool
    ) -> Parsed:
        params = certificate.params()
        if fits_in_url(path, params):
            return self._parsed(parse, path, params, language=language, refresh=refresh)
        return parse(self._wire.post_json(path, body=certificate.document(), language=language), asked=path)
