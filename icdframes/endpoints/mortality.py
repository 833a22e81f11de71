"""DORIS and CoDEdit: the rules of mortality coding; it sends checked certificates and follows no rule itself."""

from __future__ import annotations

from typing import Any

from icdframes.endpoints.base import Endpoint, fits_in_url
from icdframes.model.certificate import Certificate, CertificateCheck, UnderlyingCause
from icdframes.model.parse_coding import parse_certificate_check, parse_underlying_cause


class Mortality(Endpoint):
    """Operations below ``/icd/release/11/{release}`` that take a death certificate."""

    def doris(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> UnderlyingCause:
        """Find the underlying cause of death (``GET …/doris``; ``POST`` where the URL would be too long)."""
        path = f"/icd/release/11/{release}/doris"
        return parse_underlying_cause(self._ask(path, certificate, language, refresh=refresh), asked=path)

    def codedit(
        self, certificate: Certificate, release: str, *, language: str = "en", refresh: bool = False
    ) -> CertificateCheck:
        """Check a certificate (``GET …/codedit``; ``POST`` where the URL would be too long)."""
        path = f"/icd/release/11/{release}/codedit"
        return parse_certificate_check(self._ask(path, certificate, language, refresh=refresh), asked=path)

    def _ask(self, path: str, certificate: Certificate, language: str, *, refresh: bool) -> Any:
        params = certificate.params()
        if fits_in_url(path, params):
            return self._wire.get_json(path, params, language=language, refresh=refresh)
        return self._wire.post_json(path, body=certificate.document(), language=language)
