"""Find and check causes of death: the verbs `doris` and `codedit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from icdframes.client.base import ClientBase
from icdframes.client.certificate_tables import Certificates, read_certificates
from icdframes.client.endpoints import MortalityEndpoint
from icdframes.client.query_scope import check_one_language
from icdframes.errors import ConfigurationError
from icdframes.frames.results import CODEDIT, DORIS, codedit_fields, doris_fields, verdict_table
from icdframes.frames.schema import Column as Field
from icdframes.model.certificate import Certificate
from icdframes.model.certificate_reader import read_certificate

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Engine(Generic[Answer]):
    """One of the two operations on certificates, and how its answers are shown."""

    verb: str
    ask: Callable[..., Answer]
    columns: Sequence[Field]
    fields: Callable[[Answer], Mapping[str, Any]]


class MortalityMethods(ClientBase):
    """The verbs that take death certificates."""

    def doris(
        self,
        certificates: Certificates,
        *,
        release: str | None = None,
        language: str = "en",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Find the underlying cause of death with WHO's DORIS rules, for one certificate or a table.

        Parameters
        ----------
        certificates : pandas.DataFrame, Mapping, list of Mapping, or path
            A table with one row each and the columns below; one certificate as a dict; WHO's JSON form, one
            certificate or a list of them; or a file of any of these (.csv, .tsv, .xlsx, .parquet, .json).
        release : str, optional
            Release of the MMS; None is the newest, resolved once.
        language : str, default "en"
            Of the report.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask the server again; answers are kept for seven days.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_certificates, 11)``, in the input's order and with its index: code, stem_code,
            uri, stem_uri, reject, error, warning, report, tabular_report, status, message. A
            certificate that DORIS rejects has status ``ok`` and reject True; one that is not
            well written is not sent and has status ``invalid``. Where the certificates have keys, the first
            column holds them, under the name they have there. Where they hold a cause that was assigned by
            hand, underlying_cause and comparison (same, same stem, different; unreadable of what is no code of
            ICD-11) follow.

        Raises
        ------
        ConfigurationError
            If there is no cause of death among the columns, if one is nearly named like a field, if all
            codes are of ICD-10, or if a date has the month first; for a single certificate also if a value
            cannot be sent.
        FileFormatError
            If a file cannot be read.

        Warns
        -----
        PartialResultWarning
            Names the columns that are no fields of a certificate, and so are not sent.
        ComparabilityWarning
            If ICDMinorVersion names another release.

        Notes
        -----
        Columns, all optional but one cause in part 1. The names of WHO's tabular form are taken as well
        (``CauseOfDeathCodeA``, ``IntervalA``); case, blanks, underscores and the order of words do not count
        (``Death date``). The words beside the numbers are taken too (``"male"``, ``"accident"``); the numbers are
        those of API version 2.6.

        ===========================================  ==========================================================
        column                                       holds
        ===========================================  ==========================================================
        cause_a … cause_e                            lines of part 1, the immediate cause first: MMS codes or
                                                     clusters, several on a line separated by commas
        part2                                        codes of part 2
        uri_a … uri_e, uri_part2                     the same as URIs, of the MMS or of the foundation, instead of or
                                                     beside the codes
        text_a … text_e, text_part2                  the causes in words; these are sent, and not coded
        interval_a … interval_e, interval_part2      time from onset to death, an ISO 8601 duration (P3D, PT5H) or
                                                     ``3 days``: one for the line, or one for each condition
        sex                                          1 or M male, 2 or F female, 9 unknown
        estimated_age                                an ISO 8601 duration (P45Y, P8M) or ``45 years``
        age, age_unit                                the same in two columns: a number, and Y, M, W, D, H or min
        date_birth, date_death                       2019-05-25, 2019-05, 2019 or 25/05/2019 (never the month first)
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
        certificate_key                              comes back; so do no others of the columns
        icd_version, icd_minor_version, issuer       ICD11; the release of the codes; neither is sent
        underlying_cause, underlying_cause_uri       assigned by hand, to compare with
        ===========================================  ==========================================================

        Network: one request per distinct certificate. A GET, or a POST where the URL would pass 2 KB or cannot
        say all of it (texts, several intervals on a line, intervals in part 2); answers to a POST are not kept.
        The sandbox is not WHO's engine: it takes the lowest filled line.
        Source: ``GET`` or ``POST /icd/release/11/{release}/doris`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.doris({"sex": "male", "cause_a": "BA41.Z", "cause_b": "5A11"}).code.item()
        '5A11'

        """
        engine = _Engine("doris", MortalityEndpoint(self._session).doris, DORIS, doris_fields)
        return self._judge(certificates, engine, release, language, progress=progress, refresh=refresh)

    def codedit(
        self,
        certificates: Certificates,
        *,
        release: str | None = None,
        language: str = "en",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Check death certificates with WHO's CoDEdit, one certificate or a table.

        Parameters
        ----------
        certificates, release, language, progress, refresh
            As `doris`.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_certificates, 6)``, in the input's order and with its index: n_issues,
            issue_ids (separated by commas), report, tabular_report, status, message; keys of the certificates
            come first, as in `doris`.

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
        engine = _Engine("codedit", MortalityEndpoint(self._session).codedit, CODEDIT, codedit_fields)
        return self._judge(certificates, engine, release, language, progress=progress, refresh=refresh)

    def _judge(
        self,
        certificates: object,
        engine: _Engine[Answer],
        release: str | None,
        language: str,
        *,
        progress: bool | None,
        refresh: bool,
    ) -> pd.DataFrame:
        given = read_certificates(certificates)
        scope = self._scope(engine.verb, ("mms",), "mms", release, language, refresh=refresh)
        check_one_language(scope, f"{engine.verb} answers in one language")
        given.warn_of_unread(scope.release_id)
        answers = self._ask_column(
            scope,
            given.column,
            lambda row: _checked(row, single=given.column.single),
            lambda certificate, tag: engine.ask(certificate, scope.release_id, language=tag, refresh=refresh),
            label=engine.verb,
            progress=progress,
        )
        table = verdict_table(engine.columns, None, answers.first, engine.fields, index=given.column.index)
        return scope.with_provenance(given.with_keys(table))


def _checked(labelled: tuple[Any, Mapping[str, Any]], *, single: bool) -> Certificate:
    label, row = labelled
    try:
        return read_certificate(row)
    except ConfigurationError as error:
        where = "The certificate" if single else f"Row {label!r}"
        raise ConfigurationError(f"{where}: {error}") from None
