"""Take codes apart and put them into words: the verbs `codeinfo`, `describe` and `lookup`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from icdframes.client.base import ClientBase
from icdframes.client.bulk import as_text, read_column
from icdframes.client.decoding import describe_offline
from icdframes.client.endpoints import CodeEndpoint, Linearization
from icdframes.client.query_scope import QueryScope, check_one_language, reraise_not_found
from icdframes.errors import CodeSyntaxError, ConfigurationError
from icdframes.frames.results import (
    CODEINFO,
    DESCRIBE,
    LOOKUP,
    Located,
    codeinfo_fields,
    describe_fields,
    lookup_fields,
    verdict_table,
)
from icdframes.model.codes import normalize_code
from icdframes.model.responses import CodeInfo, PostcoordinationSet
from icdframes.model.uris import EntityUri, first_entity_id, parse_uri

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables

_CODED = ("mms", "icf")
_FOUNDATION_ID = re.compile(r"\d+")
_EXAMPLE = "http://id.who.int/icd/entity/257068234"


class CodeMethods(ClientBase):
    """The verbs that take codes and foundation entities."""

    def codeinfo(
        self,
        code: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        flexible: bool = False,
        terminal_codes: bool = False,
        progress: bool | None = None,
        refresh: bool = False,
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
        column = read_column(code)
        scope = self._scope("codeinfo", _CODED, classification, release, language, refresh=refresh)
        check_one_language(scope, "codeinfo gives codes and no texts, one language is enough; describe takes several")
        operation = partial(
            CodeEndpoint(self._session, classification).codeinfo,
            release=scope.release_id,
            flexible=flexible,
            terminal_codes=terminal_codes,
            refresh=refresh,
        )

        def no_code(text: str) -> str:
            return f"{_no_code(text, scope, flexible=flexible)}{self._sample_note(scope)}"

        def ask(text: str, tag: str) -> CodeInfo:
            return reraise_not_found(lambda: operation(text, language=tag), no_code(text))

        answers = self._ask_column(
            scope, column, lambda value: _canonical(value, classification), ask, label="codeinfo", progress=progress
        )
        frame = verdict_table(CODEINFO, column.given, answers.first, codeinfo_fields, index=column.index)
        return scope.with_provenance(frame)

    def describe(
        self,
        code: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        simplify: bool = False,
        flexible: bool = False,
        terminal_codes: bool = False,
        tables: EntityTables | None = None,
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Put a code, a cluster or a URI into words; one, or a column.

        Parameters
        ----------
        code : str, or list, Series or Index of str
            Codes and clusters, URIs, or expressions of URIs joined by ``&`` and ``/``.
        classification, release, flexible, terminal_codes, progress, refresh
            As `codeinfo`.
        language : str or list of str, default "en"
            Each language after the first adds label_es, stem_label_es, postcoordination_es.
        simplify : bool, default False
            Give a shorter expression with the same meaning where there is one.
        tables : EntityTables, optional
            Describe codes and clusters from these tables, in their languages and without a request; classification,
            release and language are theirs then, and what fits no axis is described all the same.

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
        Network: one request per distinct value and language, none with `tables`. Needs an API of version 2.5.
        Source: ``GET …/describe`` of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> icdframes.describe("1A00").label.item()
        'Cholera'

        """
        column = read_column(code)
        if tables is not None:
            return describe_offline(column, tables)
        scope = self._scope("describe", _CODED, classification, release, language, refresh=refresh)
        operation = partial(
            CodeEndpoint(self._session, classification).describe,
            release=scope.release_id,
            simplify=simplify,
            flexible=flexible,
            terminal_codes=terminal_codes,
            refresh=refresh,
        )

        def no_code(text: str) -> str:
            return f"{_no_code(text, scope, flexible=flexible)}{self._sample_note(scope)}"

        def ask(text: str, tag: str) -> PostcoordinationSet:
            return reraise_not_found(lambda: operation(text, language=tag), no_code(text))

        answers = self._ask_column(
            scope, column, lambda value: _expression(value, classification), ask, label="describe", progress=progress
        )
        frame = verdict_table(
            DESCRIBE,
            column.given,
            answers.first,
            describe_fields,
            index=column.index,
            translations=answers.translations,
        )
        return scope.with_provenance(frame)

    def lookup(
        self,
        foundation_uri: object,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> pd.DataFrame:
        """Find where foundation entities are coded; one, or a column.

        Parameters
        ----------
        foundation_uri : str or int, or list, Series or Index of them
            URIs such as ``"http://id.who.int/icd/entity/257068234"``, or ids.
        classification, release, progress, refresh
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
        column = read_column(foundation_uri)
        scope = self._scope("lookup", _CODED, classification, release, language, refresh=refresh)
        endpoint = Linearization(self._session, classification)

        def ask(foundation_id: str, tag: str) -> Located:
            uri = str(EntityUri("foundation", None, foundation_id))
            entity = reraise_not_found(
                lambda: endpoint.lookup(uri, scope.release_id, language=tag, refresh=refresh),
                f"{uri} is not coded in {classification} {scope.release_id}: load it from the classification "
                "'foundation'.",
            )
            return Located(foundation_id, entity)

        answers = self._ask_column(scope, column, _foundation_id, ask, label="lookup", progress=progress)
        frame = verdict_table(
            LOOKUP, column.given, answers.first, lookup_fields, index=column.index, translations=answers.translations
        )
        return scope.with_provenance(frame)


def _canonical(value: object, classification: str) -> str:
    """Return a code or cluster in canonical writing."""
    return normalize_code(as_text(value), classification="icf" if classification == "icf" else "mms")


def _expression(value: object, classification: str) -> str:
    """Return a code in canonical writing, or a URI or expression of URIs as it is."""
    text = as_text(value)
    if "://" not in text:
        return _canonical(text, classification)
    if first_entity_id(text) is None:
        raise CodeSyntaxError(
            f"{text[:80]!r} is no URI of an entity, and no expression of such URIs: write it as {_EXAMPLE}.", text=text
        )
    return text.replace("https://", "http://")


def _no_code(text: str, scope: QueryScope, *, flexible: bool) -> str:
    where = f"{scope.classification} {scope.release_id}"
    is_uri = "://" in text
    if not (text.count("://") > 1 if is_uri else "&" in text or "/" in text):
        return f"No {'entity' if is_uri else 'code'} {text!r} in {where}. Search for its title to find the code."
    hint = (
        ""
        if flexible
        else ", or they do not go together: with flexible=True combinations beside the value sets are valid"
    )
    return f"{text!r} is not known in {where}: one of its parts does not exist{hint}."


def _foundation_id(value: object) -> str:
    text = as_text(value)
    if _FOUNDATION_ID.fullmatch(text):
        return text
    wanted = f"{text!r} is no foundation entity: give a URI such as {_EXAMPLE}, or an id; codeinfo takes codes."
    if "://" not in text:
        raise CodeSyntaxError(wanted, text=text)
    uri = parse_uri(text)
    if uri.classification != "foundation" or uri.entity_id is None:
        raise ConfigurationError(wanted)
    return uri.entity_id
