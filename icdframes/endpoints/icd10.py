"""ICD-10: chapters are Roman numerals, blocks code ranges; one language, no residual URIs."""

from __future__ import annotations

from icdframes.endpoints.base import ReleasedClassification, Wire


class Icd10(ReleasedClassification):
    """Operations below ``/icd/release/10``; a local deployment does not have them."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, "icd10")
