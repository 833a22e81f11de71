"""One connection to one server with its cache, and what every verb needs of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from icdframes.client.bulk import Answers, Column, Key, ask_column
from icdframes.client.endpoints import Classification, CodeEndpoint, Foundation, Icd10, JsonSession, Linearization
from icdframes.client.file_tables import FilesSession, FileTables, file_classifications
from icdframes.client.query_scope import QueryScope, check_offered, read_languages, read_release, resolve_scope
from icdframes.errors import ConfigurationError
from icdframes.files.download import ReleaseFiles
from icdframes.files.source import FilesSource
from icdframes.frames.snapshots import SnapshotStore
from icdframes.model.html import html_rows
from icdframes.model.uris import check_classification
from icdframes.settings import Server, cache_folder, files_url
from icdframes.transport.cache import CacheInfo
from icdframes.transport.secrets import Credentials
from icdframes.transport.session import ApiSession

Answer = TypeVar("Answer")


class ClientBase:
    """A connection to an ICD API server with its cache, without the verbs; see `icdframes.IcdClient`."""

    def __init__(
        self,
        server: Server,
        get_credentials: Callable[[], Credentials],
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        timeout: tuple[float, float] = (5, 30),
        retries: int = 5,
        max_workers: int | None = None,
        offline: bool = False,
        verify: str | None = None,
    ) -> None:
        self.server = server
        self.offline = offline
        if not isinstance(cache_dir, str | os.PathLike | None):
            raise ConfigurationError(
                "cannot be: give the path of a folder, or leave it out.", option="cache_dir", value=cache_dir
            )
        folder = Path(cache_dir) if cache_dir else cache_folder()
        self._snapshots = SnapshotStore(folder / "snapshots")
        self._release_files = ReleaseFiles(
            folder / "files",
            server.base_url if server.name in {"files", "sandbox"} else files_url(),
            timeout=timeout,
            retries=retries,
            verify=verify,
            offline=offline,
        )
        self._file_tables: FileTables | None = None
        self._session: ApiSession | FilesSession
        if server.name == "files":
            self._file_tables = FileTables(FilesSource(self._release_files), self._snapshots)
            self._session = FilesSession(self._file_tables)
            self._classifications = self._cached = file_classifications(self._session)
        else:
            self._session = ApiSession(
                server,
                get_credentials,
                cache_dir=folder,
                timeout=timeout,
                retries=retries,
                max_workers=max_workers,
                offline=offline,
                verify=verify,
            )
            self._classifications = _classifications(self._session)
            self._cached = _classifications(self._session.lookup_cached)
        self.max_workers = self._session.max_workers
        self._codes = {name: CodeEndpoint(self._session, name) for name in ("mms", "icf")}

    @property
    def base_url(self) -> str:
        """Where this client is connected."""
        return self.server.base_url

    @property
    def clock_lead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the server's; None before a request."""
        return self._session.clock_lead

    def get(self, path: str, *, language: str = "en", **params: str) -> Any:
        """Ask any operation of the API and return its JSON.

        Parameters
        ----------
        path : str
            Such as ``"/icd/release/11/2024-01/mms/257068234"``.
        language : str, default "en"
            Sent as ``Accept-Language``.
        **params : str
            The operation's own parameters.

        Returns
        -------
        object
            Decoded JSON.

        Raises
        ------
        EntityNotFoundError
            If the server has no such thing.

        Notes
        -----
        Network: one request; none for what is in the cache.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> client.get("/icd/release/11/2024-01/mms/codeinfo/1A00")["code"]
        '1A00'

        """
        return self._session.get_json(_checked_path(path), params, language=language)

    def post(self, path: str, *, body: Any = None, language: str = "en", **params: str) -> Any:
        """Send a POST to any operation of the API and return its JSON; the answer is never kept in the cache.

        Parameters
        ----------
        path : str
            Such as ``"/icd/release/11/2024-01/doris"``.
        body : object, optional
            Sent as JSON.
        language : str, default "en"
            Sent as ``Accept-Language``.
        **params : str
            The operation's own parameters, sent in the query.

        Returns
        -------
        object
            Decoded JSON.

        Raises
        ------
        EntityNotFoundError
            If the server has no such operation.
        ServerError
            If it cannot read the body.

        Notes
        -----
        Network: one request.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> certificate = {"Part1": [{"Conditions": [{"Code": "1A00"}]}]}
        >>> client.post("/icd/release/11/2024-01/doris", body=certificate)["code"]
        '1A00'

        """
        return self._session.post_json(_checked_path(path), params, body=body, language=language)

    def cache_info(self) -> CacheInfo:
        """Return where the cache is, how large, and what it saved.

        Returns
        -------
        CacheInfo
            ``path`` (None in memory), ``answers`` and ``bytes`` there, ``snapshots`` (finished
            tables), ``snapshot_bytes``, ``downloads`` (WHO's files) and ``download_bytes`` beside it;
            ``requests_sent``, ``answered_from_cache`` and ``tokens_fetched`` by this client.

        Notes
        -----
        Network: none.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> title = client.entity("1A00").title
        >>> client.cache_info().answers > 0
        True

        """
        kept, files = self._snapshots.info(), self._release_files.downloads()
        return replace(
            self._session.cache_info(),
            snapshots=kept.n_snapshots,
            snapshot_bytes=kept.n_bytes,
            downloads=len(files),
            download_bytes=sum(file.record.n_bytes for file in files),
        )

    def clear_cache(self) -> int:
        """Forget every answer, snapshot and downloaded file in the cache folder.

        Returns
        -------
        int
            How many answers there were.

        Notes
        -----
        Network: none. Other processes that share the folder ask again too.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> client.entity("1A00").title
        'Cholera'
        >>> client.clear_cache() > 0
        True

        """
        self._snapshots.clear()
        self._release_files.clear()
        return self._session.clear_cache()

    def prune_cache(self, *, older_than: float = 90, keep: int | None = None) -> CacheInfo:
        """Remove what is old from the cache folder; it is asked for or downloaded again when needed.

        Parameters
        ----------
        older_than : float, default 90
            Days: answers and tables that were kept before, downloads that were not used since.
        keep : int, optional
            Bytes that may be left; the oldest go first, answers and downloads before finished tables.

        Returns
        -------
        CacheInfo
            What is left, as `cache_info`.

        Notes
        -----
        Network: none. Nothing is removed by itself: one language of the whole MMS has some 150 MB.

        Examples
        --------
        >>> import icdframes
        >>> icdframes.connect("sandbox").prune_cache(keep=500_000_000).bytes <= 500_000_000
        True

        """
        before = datetime.now(UTC) - timedelta(days=older_than)
        self._snapshots.prune(before, keep)
        left = keep and max(0, keep - self._snapshots.info().n_bytes)
        self._session.prune_cache(before, left)
        left = left and max(0, left - self._session.cache_info().bytes)
        self._release_files.prune(before, left)
        return self.cache_info()

    def close(self) -> None:
        """Close connections and the cache; the client cannot be used afterwards.

        Notes
        -----
        Network: none.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> client.close()

        """
        self._release_files.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        mode = "offline" if self.offline else ("with credentials" if self.server.needs_token else "no authentication")
        return f"<IcdClient {self.server.name} {self.base_url} ({mode})>"

    def _repr_html_(self) -> str:
        mode = "offline" if self.offline else ("client id and secret" if self.server.needs_token else "not needed")
        info = self.cache_info()
        rows = [
            ("ICD API", f"{self.server.name} {self.base_url}"),
            ("credentials", mode),
            ("cache", f"{info.answers:,} answers, {info.snapshots:,} snapshots, {info.path or 'in memory'}"),
            ("requests sent", f"{info.requests_sent:,}"),
            ("answered from cache", f"{info.answered_from_cache:,}"),
        ]
        return html_rows(rows)

    def _classification(self, name: str) -> Classification:
        """Return the endpoints of a classification."""
        return self._classifications[check_classification(name)]

    def _cached_classification(self, name: str) -> Classification:
        """Return the same endpoints, answered from the cache only."""
        return self._cached[name]

    def _sample_note(self, scope: QueryScope) -> str:
        """Return what to add where the sandbox lacks something; nothing for any other server."""
        if self.server.name != "sandbox":
            return ""
        from icdframes.sandbox.sample import sample_corpus  # noqa: PLC0415  only where the sandbox is in use

        listing = sample_corpus().listing(scope.classification, scope.release)
        size = f"{len(listing):,} entities of the sandbox's" if listing else "sandbox's"
        return f" It is not among the {size} sample; WHO may have it."

    def _count_cached(self) -> int:
        """Return the number of answers from the cache so far."""
        return self._session.answered_from_cache

    def _note(self) -> str:
        """Return what a progress bar says while the server is out."""
        seconds = self._session.out_for
        return "" if seconds is None else f"waiting for the server, {seconds:.0f} s"

    def _scope(
        self,
        verb: str,
        offered_by: Iterable[str],
        classification: str,
        release: str | None,
        language: str | Sequence[str],
        *,
        refresh: bool,
    ) -> QueryScope:
        """Resolve the release once, check the languages, and refuse a classification that lacks the operation."""
        source = self._classification(classification)
        check_offered(verb, classification, offered_by)
        return resolve_scope(
            source, self.server, read_release(release), read_languages(language), refresh=bool(refresh)
        )

    def _ask_column(
        self,
        scope: QueryScope,
        column: Column,
        read: Callable[[Any], Key],
        ask: Callable[[Key, str], Answer],
        *,
        label: str,
        progress: bool | None,
    ) -> Answers[Answer]:
        """Ask for every distinct value of a column once in every language, with this client's threads."""
        with self._session.riding_out_outages():
            return ask_column(
                scope,
                column,
                read,
                ask,
                label=label,
                max_workers=self.max_workers,
                count_cached=self._count_cached,
                note=self._note,
                progress=progress,
            )


def _checked_path(path: object) -> str:
    if not isinstance(path, str):
        raise ConfigurationError(
            "is no path of the API: give a text such as '/icd/release/11/2024-01/mms'.", option="path", value=path
        )
    return "/" + path.lstrip("/")


def _classifications(session: JsonSession) -> dict[str, Classification]:
    return {
        "mms": Linearization(session, "mms"),
        "icf": Linearization(session, "icf"),
        "foundation": Foundation(session),
        "icd10": Icd10(session),
    }
