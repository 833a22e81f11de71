"""JSON of DORIS and CoDEdit → values; a rejected certificate is an answer like others."""

from __future__ import annotations

import re
from typing import Any

from icdframes.model.certificate import CertificateCheck, UnderlyingCause
from icdframes.model.reader import Reader


def parse_underlying_cause(doc: Any, *, asked: str = "") -> UnderlyingCause:
    """Read what DORIS found; a rejected certificate is an answer too."""
    at = Reader(doc, asked)
    return UnderlyingCause(
        code=at.filled("code"),
        stem_code=at.filled("stemCode"),
        uri=at.filled("uri"),
        stem_uri=at.filled("stemURI"),
        reject=at.flag("reject"),
        error=at.filled("error"),
        warning=at.filled("warning"),
        report=at.filled("report"),
        tabular_report=at.filled("tabularReport"),
    )


def parse_certificate_check(doc: Any, *, asked: str = "") -> CertificateCheck:
    """Read what CoDEdit found."""
    at = Reader(doc, asked)
    ids = re.split(r"[,;|]", at.string("issueIds") or "")
    return CertificateCheck(
        issue_ids=tuple(name.strip() for name in ids if name.strip()),
        report=at.filled("report"),
        tabular_report=at.filled("tabularReport"),
    )
