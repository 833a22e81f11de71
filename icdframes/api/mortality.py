"""Verbs on death certificates, on the default client; every one is a method of `IcdClient` too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from icdframes.client.base import IcdClient
from icdframes.connection import get_client

if TYPE_CHECKING:
    import pandas as pd


def doris(
    certificates: pd.DataFrame | Mapping[str, Any],
    *,
    release: str | None = None,
    language: str = "en",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Find the underlying cause of death with WHO's DORIS rules, for one certificate or a table.

    Parameters
    ----------
    certificates : pandas.DataFrame or Mapping
        One row each, with the columns below; a single certificate may be a dict.
    release : str, optional
        Release of the MMS; None is the newest, resolved once.
    language : str, default "en"
        Of the report.
    progress : bool, optional
        Show a bar; None shows it in terminals and notebooks.
    refresh : bool, default False
        Ask the server again; answers are kept for seven days.
    client : IcdClient, optional
        Instead of the default client.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_certificates, 11)``, in the input's order and with its index: code, stem_code,
        uri, stem_uri, reject, error, warning, report, tabular_report, status, message. A
        certificate that DORIS rejects has status ``ok`` and reject True; one that is not
        well written is not sent and has status ``invalid``.

    Raises
    ------
    ConfigurationError
        If there is no cause of death among the columns, or one is nearly named like a field;
        for a single certificate also if a value cannot be sent.

    Notes
    -----
    Columns, all optional but one cause in part 1; the words beside the numbers are taken as
    well (``"male"``, ``"accident"``), and so are the API's own names (``causeOfDeathCodeA``).
    Other columns are left alone, unless one is nearly named like one of these.

    ===========================================  ==========================================================
    column                                       holds
    ===========================================  ==========================================================
    cause_a … cause_e                            lines of part 1, the immediate cause first: MMS codes or
                                                 clusters, several on a line separated by commas
    part2                                        codes of part 2
    uri_a … uri_e, uri_part2                     the same as URIs, instead of or beside the codes
    interval_a … interval_e                      time from onset to death, an ISO 8601 duration: P3D, PT5H
    sex                                          1 male, 2 female, 9 unknown
    estimated_age                                an ISO 8601 duration: P45Y, P8M
    date_birth, date_death                       2019-05-25, 2019-05 or 2019
    surgery_was_performed, surgery_date,         0 no, 1 yes, 9 unknown; a date; a text
    surgery_reason
    autopsy_was_requested, autopsy_findings      0 no, 1 yes, 9 unknown
    manner_of_death                              0 disease, 1 accident, 2 intentional self harm, 3 assault,
                                                 4 legal intervention, 5 war, 6 could not be determined,
                                                 7 pending investigation, 9 unknown
    external_cause_date                          of the external cause or poisoning
    external_cause_description                   a text
    external_cause_place                         0 at home, 1 residential institution, 2 school …, 3 sports
                                                 area, 4 street, 5 trade, 6 industrial, 7 farm, 8 other,
                                                 9 unknown
    multiple_pregnancy, stillborn                0 no, 1 yes, 9 unknown
    hours_survived                               of a newborn that died within 24 hours
    birth_weight, pregnancy_weeks, age_mother    grams, completed weeks, years
    perinatal_description                        conditions of the mother
    was_pregnant, pregnancy_contribute           0 no, 1 yes, 9 unknown
    time_from_pregnancy                          0 at time of death, 1 within 42 days before, 2 between 43
                                                 days and 1 year before, 3 earlier, 9 unknown
    ===========================================  ==========================================================

    Network: one request per distinct certificate. A GET, or a POST where the URL would pass 2 KB;
    answers to a POST are not kept. The sandbox is not WHO's engine: it takes the lowest filled line.
    Source: ``GET`` or ``POST /icd/release/11/{release}/doris`` of the ICD API.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> icdframes.doris({"sex": "male", "cause_a": "BA41.Z", "cause_b": "5A11"}).code.item()
    '5A11'

    """
    return (client or get_client()).doris(
        certificates, release=release, language=language, progress=progress, refresh=refresh
    )


def codedit(
    certificates: pd.DataFrame | Mapping[str, Any],
    *,
    release: str | None = None,
    language: str = "en",
    progress: bool | None = None,
    refresh: bool = False,
    client: IcdClient | None = None,
) -> pd.DataFrame:
    """Check death certificates with WHO's CoDEdit, one certificate or a table.

    Parameters
    ----------
    certificates, release, language, progress, refresh, client
        As `doris`.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_certificates, 6)``, in the input's order and with its index: n_issues,
        issue_ids (separated by commas), report, tabular_report, status, message.

    Raises
    ------
    ConfigurationError
        As `doris`.

    Notes
    -----
    Network: as `doris`.
    Source: ``GET`` or ``POST /icd/release/11/{release}/codedit`` of the ICD API.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> icdframes.codedit({"sex": "male", "cause_a": "BA41.Z"}).status.item()
    'ok'

    """
    return (client or get_client()).codedit(
        certificates, release=release, language=language, progress=progress, refresh=refresh
    )
