"""One connection to one server, with its cache; it composes the layers and decides nothing itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from icdframes.client.endpoints import Classification, Coding, Foundation, Icd10, JsonSession, Linearization
from icdframes.client.loading import Loader
from icdframes.client.methods import Verbs
from icdframes.client.query_scope import Context
from icdframes.errors import ConfigurationError
from icdframes.frames.snapshots import SnapshotStore
from icdframes.model.html import html_rows
from icdframes.model.uris import check_classification
from icdframes.settings import Server, cache_folder
from icdframes.transport.secrets import Credentials
from icdframes.transport.session import ApiSession, CacheInfo


class IcdClient(Verbs):
    """A connection to an ICD API server, with its cache.

    Made by `icdframes.connect`. It sends nothing before it is asked something,
    and takes a token only when an answer is not in the cache. Safe to use from
    several threads; usable as a context manager.

    Parameters
    ----------
    server : Server
        Where to ask.
    get_credentials : callable
        Gives the `Credentials` when the first token is needed.
    cache_dir : path, optional
        Folder of answers and snapshots; None is the user's cache folder.
    timeout : tuple of float
        Seconds to connect, seconds between two bytes.
    retries : int
        How often a failed request is sent again.
    max_workers : int
        Requests under way at the same time.
    offline : bool
        Answer from the cache only.
    verify : str, optional
        File of a company's certificate authority.

    Attributes
    ----------
    server : Server
        Its ``name``, ``base_url`` and ``token_url``.
    max_workers : int
        Requests under way at the same time, at most.
    offline : bool
        Whether it answers from the cache only.

    Raises
    ------
    ConfigurationError
        If an option is out of range.

    Notes
    -----
    Network: none before the first question; then what each method says, or the function of its name.

    Examples
    --------
    >>> import icdframes
    >>> with icdframes.connect("sandbox") as client:
    ...     client.entity("1A00").title
    'Cholera'

    Each verb is a method, with the options of the function of its name.

    >>> client = icdframes.connect("sandbox")
    >>> client.releases().release.tolist(), client.languages()
    (['2024-01', '2022-02'], ['en', 'es', 'fr'])
    >>> len(client.load_entity("1A00")), len(client.load_tables("1A00").terms)
    (1, 13)
    >>> client.entity_releases("1A00").release.tolist()
    ['2024-01', '2022-02']
    >>> client.search("cholera").code[0], client.search_tables("cholera").terms.label[0]
    ('1A00', 'cholera syndrome')
    >>> client.autocode("Cholera").code.item(), client.lookup(257068234).code.item()
    ('1A00', '1A00')
    >>> client.codeinfo("1A00").entity_id.item(), client.describe("1A00").label.item()
    ('257068234', 'Cholera')
    >>> client.decode_codes("1A00&XN62R").role.tolist()
    ['stem', 'extension']
    >>> certificate = {"sex": "male", "cause_a": "BA41.Z", "cause_b": "5A11"}
    >>> client.doris(certificate).code.item(), client.codedit(certificate).status.item()
    ('5A11', 'ok')

    """

    def __init__(
        self,
        server: Server,
        get_credentials: Callable[[], Credentials],
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        timeout: tuple[float, float] = (5, 30),
        retries: int = 5,
        max_workers: int = 8,
        offline: bool = False,
        verify: str | None = None,
    ) -> None:
        self.server = server
        self.max_workers = max_workers
        self.offline = offline
        if not isinstance(cache_dir, str | os.PathLike | None):
            raise ConfigurationError(f"cache_dir={cache_dir!r} cannot be: give the path of a folder, or leave it out.")
        folder = Path(cache_dir) if cache_dir else cache_folder()
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
        self._snapshots = SnapshotStore(folder / "snapshots")
        self._classifications = _classifications(self._session)
        self._kept = _classifications(self._session.lookup_cached)
        self._coding = {name: Coding(self._session, name) for name in ("mms", "icf")}

    @property
    def base_url(self) -> str:
        """Where this client is connected."""
        return self.server.base_url

    @property
    def clock_lead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the server's; None before a request."""
        return self._session.clock_lead

    def get(self, path: str, *, language: str = "en", **params: str) -> Any:
        """Ask any operation of the API and give its JSON.

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
        return self._session.get_json("/" + path.lstrip("/"), params, language=language)

    def post(self, path: str, *, body: Any = None, language: str = "en", **params: str) -> Any:
        """Send a POST to any operation of the API and give its JSON; it is never kept in the cache.

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
        return self._session.post_json("/" + path.lstrip("/"), params, body=body, language=language)

    def cache_info(self) -> CacheInfo:
        """Tell where the cache is, how large, and what it saved.

        Returns
        -------
        CacheInfo
            ``path`` (None in memory), ``answers`` and ``bytes`` there, ``snapshots`` (finished
            tables) and ``snapshot_bytes`` beside it; ``requests_sent``,
            ``answered_from_cache`` and ``tokens_fetched`` by this client.

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
        kept = self._snapshots.info()
        return replace(self._session.cache_info(), snapshots=kept.n_snapshots, snapshot_bytes=kept.n_bytes)

    def clear_cache(self) -> int:
        """Forget every answer and snapshot in the cache folder.

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
        >>> client.clear_cache()
        0

        """
        self._snapshots.clear()
        return self._session.clear_cache()

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

    def _loader(self, classification: str) -> Loader:
        check_classification(classification)
        return Loader(
            self._classifications[classification],
            self._kept[classification],
            self._coding.get(classification),
            self._snapshots,
            base_url=self.base_url,
            max_workers=self.max_workers,
            cached=lambda: self._session.answered_from_cache,
        )

    def _context(self) -> Context:
        return Context(
            wire=self._session,
            loader=self._loader,
            source=self._classifications.__getitem__,
            cached=lambda: self._session.answered_from_cache,
            base_url=self.base_url,
            max_workers=self.max_workers,
        )


def _classifications(wire: JsonSession) -> dict[str, Classification]:
    return {
        "mms": Linearization(wire, "mms"),
        "icf": Linearization(wire, "icf"),
        "foundation": Foundation(wire),
        "icd10": Icd10(wire),
    }
