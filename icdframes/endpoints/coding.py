"""Operations on codes of a linearization."""

from __future__ import annotations

from urllib.parse import quote

from icdframes.endpoints.base import Endpoint, Wire
from icdframes.model.entity import CodeInfo
from icdframes.model.parse import parse_code_info
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
        params = {"flexiblemode": "true"} if flexible else {}
        if terminal_codes:
            params["convertToTerminalCodes"] = "true"
        return parse_code_info(self._wire.get_json(path, params, language=language, refresh=refresh), asked=path)
