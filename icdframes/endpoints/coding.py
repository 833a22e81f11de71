"""Operations on codes of a linearization; it sends codes as they are and judges none."""

from __future__ import annotations

from urllib.parse import quote

from icdframes.endpoints.base import Endpoint, Wire
from icdframes.model.hits import CodeInfo, PostcoordinationSet
from icdframes.model.parse_coding import parse_code_info, parse_postcoordination_set
from icdframes.model.uris import EntityUri


class Coding(Endpoint):
    """Operations on codes below ``/icd/release/11/{release}/{linearization}``."""

    def __init__(self, wire: Wire, linearization: str) -> None:
        super().__init__(wire)
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
