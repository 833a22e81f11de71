"""Verbs on codes and foundation entities, on the default client; every one is a method of `IcdClient` too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from icdframes.client.base import IcdClient
from icdframes.client.codes import Source, read_codes
from icdframes.connection import get_client

if TYPE_CHECKING:
    import pandas as pd


def codeinfo(
    code: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str = "en",
    flexible: bool = False,
    terminal_codes: bool = False,
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Take a code or cluster apart, and find out whether it is valid; one, or a column.

    Parameters
    ----------
    code : str, or list, Series or Index of str
        Codes and clusters in any writing that `parse_code` reads.
    classification : {"mms", "icf"}, default "mms"
        The foundation has no codes, ICD-10 no such operation.
    release : str, optional
        None is the newest, resolved once.
    language : str, default "en"
        Must be one of the release; the answer holds no text.
    flexible : bool, default False
        Take combinations beside the suggested value sets; what fits no axis is in
        column other.
    terminal_codes : bool, default False
        Change codes that have children to their unspecified residual.
    progress : bool, optional
        Show a bar for a column; None shows it in terminals and notebooks.
    refresh : bool, default False
        Ask the server again.
    client : IcdClient, optional
        Instead of the default client.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_values, 10)``: one row each, in the input's order and with its index: value, code
        (canonical), entity_id (of the stem), stem_code, postcoordination
        (``"infectiousAgent=XN0KC"``), other, simplified_code, simplified_stem_code,
        status, message.

    Raises
    ------
    EntityNotFoundError, CodeSyntaxError
        For a single value; in a column its row has status ``not_found``, ``invalid``.
    ConfigurationError
        If the classification has no such operation.

    Notes
    -----
    Network: one request per distinct code; none for what is not written like a code.
    Source: ``GET …/codeinfo/{code}`` of the ICD API.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> icdframes.codeinfo(["1A00", "1A0O"])[["code", "entity_id", "status"]]
       code  entity_id   status
    0  1A00  257068234       ok
    1   NaN        NaN  invalid

    """
    return (client or get_client()).codeinfo(
        code,
        classification=classification,
        release=release,
        language=language,
        flexible=flexible,
        terminal_codes=terminal_codes,
        progress=progress,
        refresh=refresh,
    )


def describe(
    code: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    simplify: bool = False,
    flexible: bool = False,
    terminal_codes: bool = False,
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Put a code, a cluster or a URI into words; one, or a column.

    Parameters
    ----------
    code : str, or list, Series or Index of str
        Codes and clusters, URIs, or expressions of URIs joined by ``&`` and ``/``.
    classification, release, flexible, terminal_codes, progress, refresh, client
        As `codeinfo`.
    language : str or list of str, default "en"
        Each language after the first adds label_es, stem_label_es, postcoordination_es.
    simplify : bool, default False
        Give a shorter expression with the same meaning where there is one.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_values, 11)``: one row each, in the input's order and with its index: value, code, label,
        entity_id (of the stem), stem_code, stem_label, postcoordination
        (``"laterality=Left"``), uri, foundation_uri, status, message.

    Raises
    ------
    IcdError
        As `codeinfo`.

    Notes
    -----
    Network: one request per distinct value and language. Needs an API of version 2.5.
    Source: ``GET …/describe`` of the ICD API.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> icdframes.describe("1A00").label.item()
    'Cholera'

    """
    return (client or get_client()).describe(
        code,
        classification=classification,
        release=release,
        language=language,
        simplify=simplify,
        flexible=flexible,
        terminal_codes=terminal_codes,
        progress=progress,
        refresh=refresh,
    )


def decode_codes(
    codes: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    source: Source | None = "describe",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Give one row per member of each code or cluster: its role, axis and title.

    Parameters
    ----------
    codes : str, or list, Series or Index of str
        Codes and clusters in any writing that `parse_code` reads.
    classification : {"mms", "icf", "icd10"}, default "mms"
        ICD-10 codes are asked for one by one; they have no axes.
    release, progress, refresh, client
        As `codeinfo`.
    language : str or list of str, default "en"
        Each language after the first adds title_es.
    source : {"describe", "codeinfo", None}, default "describe"
        ``describe`` tells axes and titles, ``codeinfo`` axes only. None asks nothing:
        the reading alone, without network and client.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_members, 14)``: value, cluster, position, code, role (stem or extension), group, stem_code, kind,
        qualifiers, axis, title, entity_id, status, message. Rows carry the index label of
        their value. A cluster that the server does not know keeps its members.

    Raises
    ------
    IcdError
        As `codeinfo`.

    Notes
    -----
    Network: one request per distinct value and language, in flexible mode.
    Source: ``GET …/describe`` or ``…/codeinfo/{code}`` of the ICD API; for ICD-10 the
    entities themselves.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.decode_codes("2C25.2&XH74S1/5A11", source=None)[["code", "role", "group"]]
         code       role  group
    0  2C25.2       stem      0
    0  XH74S1  extension      0
    0    5A11       stem      1

    """
    if source is None:
        return read_codes(codes, classification=classification)
    return (client or get_client()).decode_codes(
        codes,
        classification=classification,
        release=release,
        language=language,
        source=source,
        progress=progress,
        refresh=refresh,
    )


def lookup(
    foundation_uri: object,
    *,
    classification: str = "mms",
    release: str | None = None,
    language: str | Sequence[str] = "en",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Find where foundation entities are coded; one, or a column.

    Parameters
    ----------
    foundation_uri : str or int, or list, Series or Index of them
        URIs such as ``"http://id.who.int/icd/entity/257068234"``, or ids.
    classification, release, progress, refresh, client
        As `codeinfo`.
    language : str or list of str, default "en"
        Each language after the first adds title_es.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_values, 11)``: one row each, in the input's order and with its index: value, entity_id,
        code, title, class_kind, is_residual, same_entity, foundation_id, uri, status,
        message. ``same_entity`` is False where it is coded within another entity,
        and for a block, of which the unspecified residual is given.

    Raises
    ------
    EntityNotFoundError
        For a single entity that is not coded there.
    ConfigurationError
        If the classification is no linearization.

    Notes
    -----
    Network: one request per distinct entity and language.
    Source: ``GET …/lookup`` of the ICD API.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> icdframes.lookup(257068234).code.item()
    '1A00'

    """
    return (client or get_client()).lookup(
        foundation_uri,
        classification=classification,
        release=release,
        language=language,
        progress=progress,
        refresh=refresh,
    )


def entity_releases(
    entity: str | int, *, classification: str = "mms", refresh: bool = False, client: IcdClient | None = None
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
    client : IcdClient, optional
        Instead of the default client.

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
    return (client or get_client()).entity_releases(entity, classification=classification, refresh=refresh)
