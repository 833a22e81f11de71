"""Verbs that load entities and list what there is, on the default client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from icdframes.client.base import IcdClient
from icdframes.client.load_request import OnError
from icdframes.connection import get_client

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables


def load_entity(
    entity: str | int | None = None,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    depth: int | None = None,
    include: Iterable[str] = (),
    on_error: OnError = "raise",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Load an entity and everything below it as a tidy table.

    Parameters
    ----------
    entity : str or int, optional
        A code (``"1A00"``), an id (``"257068234"``), a residual
        (``"257068234/other"``), a URI, for ICD-10 a code, range or chapter
        (``"A00-A09"``, ``"IX"``). None is the whole classification.
    classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
        Which classification.
    release : str, optional
        Such as ``"2024-01"``; None is the newest, resolved once.
    language : str or list of str, default "en"
        With several, the first fills the text columns, each other adds
        ``title_es``, ``definition_es``, …
    depth : int, optional
        Levels below `entity`: 0 is the entity alone, None everything.
    include : iterable of str
        ``"diagnosticCriteria"`` adds the column ``diagnostic_criteria``.
    on_error : {"raise", "warn"}, default "raise"
        What to do where some entities cannot be had after all was tried.
    progress : bool, optional
        Show a bar; None shows it in terminals and notebooks.
    refresh : bool, default False
        Ask the server again for everything.
    client : IcdClient, optional
        Instead of the default client.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_entities, 20)``: one row per distinct entity in tabular-list
        order (depth-first, children as the API lists them), columns entity_id, code,
        title, class_kind, depth, parent_id, n_children, is_leaf, is_residual, chapter,
        block_id, code_range, fully_specified_name, definition, long_definition,
        coding_note, foundation_id, translated, browser_url, uri. ``depth`` counts
        levels, ``n_children`` entities; what is missing is NA.
        ``attrs["provenance"]`` tells where it came from.

    Raises
    ------
    EntityNotFoundError, UnknownReleaseError, UnknownLanguageError
        If the server has no such thing.
    CredentialsUnavailableError, CredentialsRejectedError
        If there are no credentials, or the server refuses them.
    ConnectionFailedError, OfflineMissError
        If the server cannot be reached, or may not be.
    TraversalError
        If some entities failed; ``error.tables`` holds the rest.

    Notes
    -----
    Network: one request per entity that is not in the cache, some three more for
    release and chapter. The second load of the same thing reads a file.
    Source: ``GET /icd/release/11/{release}/{linearization}/{id}`` of the ICD API and
    its like; ICD-11, World Health Organization, CC BY-ND 3.0 IGO.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> frame = icdframes.load_entity("1A00", release="2024-01")
    >>> frame[["code", "title", "chapter"]]
       code    title chapter
    0  1A00  Cholera      01

    """
    return (client or get_client()).load_entity(
        entity,
        classification=classification,
        release=release,
        language=language,
        depth=depth,
        include=include,
        on_error=on_error,
        progress=progress,
        refresh=refresh,
    )


def load_tables(
    entity: str | int | None = None,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    depth: int | None = None,
    include: Iterable[str] = (),
    on_error: OnError = "raise",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> EntityTables:
    """Load an entity and everything below it as five tables.

    Parameters
    ----------
    entity, classification, release, language, depth, include, on_error, progress, refresh, client
        As `load_entity`.

    Returns
    -------
    EntityTables
        ``entities`` as `load_entity`; ``edges`` (parent_id, child_id, position: every
        parent of every entity), ``terms`` (entity_id, kind, label, foundation_id,
        linearization_id, deprecated), ``references`` (entity_id, kind, label,
        foundation_id, linearization_id), ``axes`` (entity_id, axis, required,
        allow_multiple, scale_entity_id) and ``provenance``.

    Raises
    ------
    IcdError
        As `load_entity`.

    Notes
    -----
    Network: as `load_entity`; the five tables come from the same answers.
    Source: as `load_entity`.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("1A00", release="2024-01")
    >>> len(tables.entities)
    1

    """
    return (client or get_client()).load_tables(
        entity,
        classification=classification,
        release=release,
        language=language,
        depth=depth,
        include=include,
        on_error=on_error,
        progress=progress,
        refresh=refresh,
    )


def releases(classification: str = "mms", *, client: IcdClient | None = None) -> pd.DataFrame:
    """List the releases of a classification, newest first.

    Parameters
    ----------
    classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
        Which classification.
    client : IcdClient, optional
        Instead of the default client.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_releases, 8)``: classification, release, date, title, languages,
        prerelease_languages, n_top_entities, uri.

    Raises
    ------
    UnknownReleaseError
        If the server does not have the classification.

    Notes
    -----
    Network: one request, and one per release; kept for a day, a release for good.
    Source: ``GET /icd/release/11/{linearization}`` of the ICD API, and each release.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.releases(client=icdframes.connect("sandbox")).release.tolist()
    ['2024-01', '2022-02']

    """
    return (client or get_client()).releases(classification)


def languages(classification: str = "mms", *, release: str | None = None, client: IcdClient | None = None) -> list[str]:
    """List the languages of a release.

    Parameters
    ----------
    classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
        Which classification.
    release : str, optional
        None is the newest.
    client : IcdClient, optional
        Instead of the default client.

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
    >>> icdframes.languages(client=icdframes.connect("sandbox"))
    ['en', 'es', 'fr']

    """
    return (client or get_client()).languages(classification, release=release)
