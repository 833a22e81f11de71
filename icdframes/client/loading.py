"""Load an entity and everything below it as tables: the verbs `load_entity`, `load_tables` and `entity`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from icdframes.client.base import ClientBase
from icdframes.client.file_tables import FileTables
from icdframes.client.query_scope import (
    EntityName,
    LoadRequest,
    OnError,
    QueryScope,
    read_include,
    read_load_request,
    resolve_scope,
)
from icdframes.client.references import EntityReference, find_entity_id
from icdframes.client.traversal import (
    EntityReader,
    chapters_of,
    first_of_each,
    report_failures,
    walk_language,
    warn_of_cycles,
    warn_of_missing_chapters,
)
from icdframes.errors import EntityNotFoundError, LoadInterruptedError
from icdframes.frames.build import EntityColumns, build_tables, without_details
from icdframes.frames.snapshots import SnapshotKey
from icdframes.frames.subset import subset_tables
from icdframes.model.entity import Entity, EntityGraph

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables

_INCLUDES = ("ancestor", "descendant", "diagnosticCriteria")


@dataclass(frozen=True, slots=True)
class _LoadPlan:
    """A load whose release and roots are known; ``key`` names its snapshot, None where none can be kept."""

    request: LoadRequest
    scope: QueryScope
    root_ids: tuple[str, ...]
    key: SnapshotKey | None


class LoadingMethods(ClientBase):
    """The verbs that load entities."""

    def load_entity(
        self,
        entity: EntityName | Sequence[EntityName] | None = None,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        depth: int | None = None,
        include: Iterable[str] = (),
        on_error: OnError = "raise",
        progress: bool | None = None,
        refresh: bool = False,
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
            What to do where some entities cannot be loaded after all was tried.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask the server again for everything.

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
        request = read_load_request(
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
        source = self._classification(request.classification)
        scope = resolve_scope(source, self.server, request.release, request.languages, refresh=refresh)
        plan = self._plan(request, scope)
        self._tell_what_is_missing()
        kept = self._snapshots.covering_entities(plan.key) if plan.key and not refresh else None
        return self._load(plan).entities if kept is None else kept

    def load_tables(
        self,
        entity: EntityName | Sequence[EntityName] | None = None,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str | Sequence[str] = "en",
        depth: int | None = None,
        include: Iterable[str] = (),
        on_error: OnError = "raise",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> EntityTables:
        """Load an entity and everything below it as five tables.

        Parameters
        ----------
        entity, classification, release, language, depth, include, on_error, progress, refresh
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
        request = read_load_request(
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
        source = self._classification(request.classification)
        scope = resolve_scope(source, self.server, request.release, request.languages, refresh=refresh)
        plan = self._plan(request, scope)
        self._tell_what_is_missing()
        kept = self._snapshots.covering(plan.key) if plan.key and not refresh else None
        return self._load(plan) if kept is None else kept

    def entity(
        self,
        entity: EntityName,
        *,
        classification: str = "mms",
        release: str | None = None,
        language: str = "en",
        include: Iterable[str] = (),
    ) -> Entity:
        """Return one entity as a value.

        Parameters
        ----------
        entity : str or int
            Code, id or URI.
        classification, release, language
            As `icdframes.load_entity`; one language.
        include : iterable of str
            ``"ancestor"``, ``"descendant"``, ``"diagnosticCriteria"``.

        Returns
        -------
        Entity
            A frozen value: title, code, parent_ids, child_ids, terms, references, axes and the other
            fields of the API's answer in snake_case; None or an empty tuple where it has none.

        Raises
        ------
        EntityNotFoundError, UnknownReleaseError, UnknownLanguageError
            If the server has no such thing.
        ConfigurationError
            If `include` holds something else.

        Notes
        -----
        Network: one request, another for a code, and up to two for release and languages; none for
        what is in the cache.
        Source: ``GET /icd/release/11/{release}/{linearization}/{id}`` and its like of the ICD API.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.connect("sandbox").entity("1A00").title
        'Cholera'

        """
        wanted = read_include(include, _INCLUDES)
        request = read_load_request(entity, classification=classification, release=release, language=language)
        source = self._classification(classification)
        scope = resolve_scope(source, self.server, request.release, request.languages)
        (root_id,) = self._plan(request, scope).root_ids
        return source.entity(root_id, scope.release, language=request.languages[0], include=wanted)

    def _tell_what_is_missing(self) -> None:
        """Warn once where this client reads files, which have less than the API."""
        if self._file_tables is not None:
            self._file_tables.tell_what_is_missing()

    def _plan(self, request: LoadRequest, scope: QueryScope) -> _LoadPlan:
        """Find the roots: in a snapshot of everything where there is one, else by a request for each code."""
        root_ids = tuple(dict.fromkeys(self._root_id(one, request, scope) for one in request.references))
        return _LoadPlan(request, scope, root_ids, self._snapshot_key(request, scope, ",".join(root_ids) or None))

    def _root_id(self, reference: EntityReference, request: LoadRequest, scope: QueryScope) -> str:
        key = self._snapshot_key(request, scope)
        if reference.kind == "code" and key and not request.refresh:
            found = self._snapshots.entity_of_code(key, reference.text)
            if found:
                return found
        try:
            return find_entity_id(reference, scope.source, self._codes.get(scope.classification), scope.release)
        except EntityNotFoundError as error:
            raise EntityNotFoundError(f"{error}{self._sample_note(scope)}", reason=error.reason) from None

    def _snapshot_key(self, request: LoadRequest, scope: QueryScope, root: str | None = None) -> SnapshotKey | None:
        if scope.release is None:
            return None
        return SnapshotKey(
            server=self._session.served_by,
            classification=scope.classification,
            release=scope.release,
            languages=request.languages,
            root=root,
            depth=request.depth,
            include=request.include,
        )

    def _load(self, plan: _LoadPlan) -> EntityTables:
        """Walk every language, build the tables, report what failed, and keep what is complete."""
        request, scope = plan.request, plan.scope
        if self._file_tables is not None:
            return _load_from_file(plan, self._file_tables)
        roots, columns = plan.root_ids or scope.top.child_ids, EntityColumns(request.include)
        with self._session.riding_out_outages():
            try:
                graphs = self._walk(plan, roots, columns)
            except KeyboardInterrupt:
                raise LoadInterruptedError from None
            first = graphs[request.languages[0]]
            chapters, lost = self._chapters(first, scope)
        failures = first_of_each(*(graph.failures for graph in graphs.values()))
        provenance = replace(
            scope.provenance(), root=",".join(plan.root_ids) or None, depth=request.depth, include=request.include
        )
        tables = build_tables(
            replace(first, failures=first_of_each(failures, lost)),
            provenance,
            chapters=chapters,
            translations={language: graphs[language].entities for language in request.languages[1:]},
            include=request.include,
            columns=columns,
        )
        warn_of_cycles(first)
        del graphs, first  # a snapshot takes memory too
        if lost:
            warn_of_missing_chapters(lost)
        if failures:
            report_failures(failures, tables, request)
        elif plan.key and not lost:
            self._snapshots.save(plan.key, tables)
        return tables

    def _walk(self, plan: _LoadPlan, roots: tuple[str, ...], columns: EntityColumns) -> dict[str, EntityGraph]:
        """Walk every language; nothing that came is lost where one is interrupted, since the cache has it.

        The columns are those of the first language.
        """
        scope = plan.scope
        return {
            language: walk_language(
                EntityReader(scope, self._cached_classification(scope.classification), language),
                roots,
                plan.request,
                max_workers=self.max_workers,
                keep=columns.take if language == plan.request.languages[0] else without_details,
                count_cached=self._count_cached,
                note=self._note,
            )
            for language in plan.request.languages
        }

    def _chapters(self, graph: EntityGraph, scope: QueryScope) -> tuple[dict[str, str | None], dict[str, Exception]]:
        """Return the chapters of the roots, and what failed on the way there; a foundation entity lies in none."""
        if scope.classification == "foundation":
            return dict.fromkeys(graph.roots), {}
        return chapters_of(graph, lambda entity_id: scope.source.entity(entity_id, scope.release))


def _load_from_file(plan: _LoadPlan, files: FileTables) -> EntityTables:
    """Read a whole classification and cut the branches out that were asked for."""
    request, scope = plan.request, plan.scope
    key = files.key(scope.classification, scope.release_id, request.languages, request.include)
    whole = files.whole(key, refresh=request.refresh, progress=request.progress)
    if not plan.root_ids and request.depth is None:
        return whole
    try:
        return subset_tables(whole, ",".join(plan.root_ids) or None, request.depth)
    except EntityNotFoundError:
        known = set(whole.entities["entity_id"])
        missing = next((root for root in plan.root_ids if root not in known), "")
        raise EntityNotFoundError(
            f"There is no entity {missing!r} in {scope.classification} {scope.release}: check the code, id or URI."
        ) from None
