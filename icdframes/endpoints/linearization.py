"""Linearizations of ICD-11 (MMS, ICF): what they have beyond releases and entities."""

from __future__ import annotations

from icdframes.endpoints.base import ReleasedClassification
from icdframes.model.entity import Entity
from icdframes.model.parse import parse_entity
from icdframes.model.uris import EntityUri


class Linearization(ReleasedClassification):
    """Operations below ``/icd/release/11/{release}/{linearization}``."""

    def lookup(self, foundation_uri: str, release: str, *, language: str = "en", refresh: bool = False) -> Entity:
        """Give the entity of this linearization in which a foundation entity is coded.

        It is another entity than the one asked for where that is below the
        shoreline, and the unspecified residual where it is a block.
        """
        path = f"{EntityUri(self.name, release, None).path}/lookup"
        params = {"foundationUri": foundation_uri}
        about = f"?foundationUri={foundation_uri}"
        return self._parsed(parse_entity, path, params, about=about, language=language, refresh=refresh)
