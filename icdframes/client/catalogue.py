"""List what a server has: the verbs `releases`, `newest_release`, `languages` and `entity_releases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icdframes.client.base import ClientBase
from icdframes.client.endpoints import Classification, ReleasedClassification
from icdframes.client.query_scope import EntityName, list_releases, read_load_request, read_release, resolve_scope
from icdframes.client.references import find_entity_id
from icdframes.errors import (
    ConfigurationError,
    PartialResultWarning,
    ResponseShapeError,
    UnknownReleaseError,
    warn,
)
from icdframes.frames.results import entity_releases_table, releases_table
from icdframes.model.entity import TopLevel
from icdframes.model.uris import EntityUri, check_classification

if TYPE_CHECKING:
    import pandas as pd


class CatalogueMethods(ClientBase):
    """The verbs that list releases and languages."""

    def releases(self, classification: str = "mms") -> pd.DataFrame:
        """List the releases of a classification, newest first.

        Parameters
        ----------
        classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
            Which classification.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_releases, 8)``: classification, release, date, title, languages,
            prerelease_languages, n_top_entities, uri.

        Raises
        ------
        UnknownReleaseError
            If the server does not have the classification.

        Warns
        -----
        PartialResultWarning
            If it lists a release that it does not have; the row says what the list says.

        Notes
        -----
        Network: one request, and one per release; kept for a day, a release for good.
        Source: ``GET /icd/release/11/{linearization}`` of the ICD API, and each release.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.releases().release.tolist()
        ['2024-01', '2022-02']

        """
        source = self._classification(check_classification(classification))
        known = list_releases(source, self.base_url).releases
        tops = [self._top_level(source, release) for release in known]
        return releases_table(tops, server=self.base_url)

    def _top_level(self, source: Classification, release: str) -> TopLevel:
        """Return the root of a release; where the server lists it and does not have it, what the list says."""
        try:
            return resolve_scope(source, self.server, release, ()).top
        except (UnknownReleaseError, ResponseShapeError) as error:
            uri = EntityUri(source.name, None if source.name == "foundation" else release, None)
            warn(
                f"{self.base_url} lists the release {release} of {source.name}, but does not have it: its row has no "
                f"title, date or languages ({error})",
                PartialResultWarning,
            )
            return TopLevel(str(uri), source.name, release, None)

    def newest_release(self, classification: str = "mms", *, refresh: bool = False) -> str | None:
        """Return the id of the newest release.

        Parameters
        ----------
        classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
            Which classification.
        refresh : bool, default False
            Ask the server again, which tries the credentials too.

        Returns
        -------
        str or None
            Such as ``"2024-01"``; None where the server does not say.

        Raises
        ------
        UnknownReleaseError
            If the server does not have the classification.

        Notes
        -----
        Network: two requests, none within a day of the last ones.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.connect("sandbox").newest_release()
        '2024-01'

        """
        source = self._classification(check_classification(classification))
        return resolve_scope(source, self.server, None, (), refresh=refresh).release

    def languages(self, classification: str = "mms", *, release: str | None = None) -> list[str]:
        """List the languages of a release.

        Parameters
        ----------
        classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
            Which classification.
        release : str, optional
            None is the newest.

        Returns
        -------
        list of str
            Empty where the server does not say (ICD-10).

        Raises
        ------
        UnknownReleaseError
            If there is no such release.

        Notes
        -----
        Network: one or two requests; kept as those of `releases`.
        Source: ``GET /icd/release/11/{release}/{linearization}`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.languages()
        ['en', 'es', 'fr']

        """
        source = self._classification(check_classification(classification))
        scope = resolve_scope(source, self.server, read_release(release), ())
        if self._file_tables is not None:
            return list(self._file_tables.source.languages(classification, scope.release_id))
        return list(scope.top.languages)

    def entity_releases(
        self, entity: EntityName, *, classification: str = "mms", refresh: bool = False
    ) -> pd.DataFrame:
        """List the releases that have an entity, newest first.

        Parameters
        ----------
        entity : str or int
            Code, id or URI; a code is looked up in the newest release.
        classification : {"mms", "icf", "icd10"}, default "mms"
            The API does not tell it of the foundation.
        refresh : bool, default False
            Ask the server again.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_releases, 5)``, one row each: classification, entity_id, release, latest, uri.

        Raises
        ------
        EntityNotFoundError
            If no release has it.

        Notes
        -----
        Network: one request, some more for a code; kept for a day.
        Source: ``GET /icd/release/11/{linearization}/{id}`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.entity_releases(257068234).release.tolist()
        ['2024-01', '2022-02']

        """
        source = self._classification(check_classification(classification))
        if not isinstance(source, ReleasedClassification):
            raise ConfigurationError(
                "The ICD API does not list the releases of a foundation entity: ask each of releases('foundation')."
            )
        request = read_load_request(entity, classification=classification, refresh=refresh)
        (reference,) = request.references
        entity_id = reference.text
        if reference.kind != "id":
            scope = resolve_scope(source, self.server, request.release, request.languages, refresh=refresh)
            entity_id = find_entity_id(reference, source, self._codes.get(classification), scope.release)
        known = source.entity_releases(entity_id, refresh=refresh)
        uris = [str(EntityUri(classification, release, entity_id)) for release in known.releases]
        return entity_releases_table(classification, entity_id, known, uris)
