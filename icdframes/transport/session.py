"""Ask an ICD API for JSON, through cache, signature and retries, and no other server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any, NoReturn, Self

import requests

from icdframes.errors import (
    CacheWarning,
    ConfigurationError,
    CredentialsRejectedError,
    CredentialsUnavailableError,
    IcdError,
    check_whole,
    may_pass,
    warn,
)
from icdframes.settings import WHO, Server
from icdframes.transport import expiry, retry
from icdframes.transport.adapter import IcdAdapter
from icdframes.transport.auth import TokenSource
from icdframes.transport.cache import CacheInfo, DiskCache, open_cache
from icdframes.transport.cached_reader import (
    CachedReader,
    CacheScope,
    Params,
    decoded,
    headers_for,
    offline_miss,
    read_json,
    url_of,
    written,
)
from icdframes.transport.concurrency import SingleFlight
from icdframes.transport.error_mapping import error_of_status
from icdframes.transport.http_session import HttpSession
from icdframes.transport.secrets import Credentials
from icdframes.transport.throttle import FIRST_WIDTH

_MOST_WORKERS = 64
_NO_KEY = (CredentialsRejectedError, CredentialsUnavailableError)
_WIDEST_AT_WHO = 16
_WIDEST = 32


class ApiSession:
    """A connection to one server of the ICD API, for any number of threads.

    Parameters
    ----------
    server : Server
        Where to ask.
    get_credentials : callable
        Gives the credentials; called only when a token must be bought.
    cache_dir : Path
        Folder of the cache.
    timeout : tuple of float
        Seconds to connect and to read.
    retries : int
        Retries of a failed request.
    max_workers : int, optional
        Requests under way at the same time. None begins with 8 and takes more while the answers do not
        become slower, up to 16 at WHO's public service and 32 at any other.
    offline : bool
        Answer from the cache only, expired answers included, and never send.
    verify : str, optional
        CA file of a company; None is requests' default, REQUESTS_CA_BUNDLE included.
    clock, sleep : callable
        Seconds that only grow, how to wait.

    Raises
    ------
    ConfigurationError
        If a setting cannot be used; TLS verification cannot be switched off.

    """

    def __init__(
        self,
        server: Server,
        get_credentials: Callable[[], Credentials],
        *,
        cache_dir: Path,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 5,
        max_workers: int | None = None,
        offline: bool = False,
        verify: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.server = server
        self.offline = offline
        _check_settings(timeout, retries, max_workers, verify)
        verify = str(verify) if verify else None
        self._closed = False
        self._tokens = (
            TokenSource(
                server, get_credentials, verify=verify, timeout=timeout, retries=retries, clock=clock, sleep=sleep
            )
            if server.needs_token
            else None
        )
        self.max_workers = max_workers or (_WIDEST_AT_WHO if server.name == WHO.name else _WIDEST)
        self._adapter = IcdAdapter(
            server.base_url,
            self._tokens,
            retries=retries,
            max_workers=self.max_workers,
            first_width=None if max_workers else FIRST_WIDTH,
            clock=clock,
            sleep=sleep,
        )
        self._under_way: SingleFlight[requests.Response] = SingleFlight()
        cache = open_cache(Path(cache_dir))
        self._scope = CacheScope(server, cache)
        self._http = HttpSession(
            cache, self._scope, self._adapter, base_url=server.base_url, timeout=timeout, verify=verify
        )
        self.lookup_cached = CachedReader(server.base_url, cache, self._scope)

    @property
    def served_by(self) -> str:
        """What stands for the server in the names of what is kept of it."""
        return self._scope.name

    @property
    def requests_sent(self) -> int:
        """Requests sent to the API so far, retries included."""
        return self._adapter.sent

    @property
    def answered_from_cache(self) -> int:
        """Requests that did not have to be sent so far."""
        return self.lookup_cached.hits

    @property
    def out_for(self) -> float | None:
        """Seconds since the server is out, while a walk or a column waits for it; None where it is not."""
        return self._adapter.out_for

    @property
    def width(self) -> int:
        """Requests that may be under way at the same time now."""
        return self._adapter.width

    @contextmanager
    def riding_out_outages(self) -> Iterator[None]:
        """Wait some two minutes for a server that is out, in this block; all that came is on disk at its end."""
        try:
            with self._adapter.riding_out_outages():
                yield
        finally:
            if isinstance(self._http.cache, DiskCache):
                self._http.cache.responses.flush()

    def forget(self, path: str, params: Params | None = None, *, language: str = "en") -> None:
        """Remove an answer that proved wrong from the cache; offline it stays, since no other can come."""
        if self.offline:
            return
        key = self._scope.key("GET", self._url(path, params), headers_for(language))
        with suppress(KeyError):
            del self._http.cache.responses[key]

    @property
    def clock_lead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the server's; None before an answer."""
        return self._adapter.clock_lead

    def get_json(self, path: str, params: Params | None = None, *, language: str = "en", refresh: bool = False) -> Any:
        """Return the decoded answer to a GET.

        Parameters
        ----------
        path : str
            Such as ``"/icd/release/11/2024-01/mms"``, quoted as it goes on the wire.
        params : mapping, optional
            The query; None values are left out.
        language : str
            One language tag.
        refresh : bool
            Ask the server even if the answer is in the cache, and keep the new one.

        Returns
        -------
        Any
            Decoded JSON.

        Raises
        ------
        EntityNotFoundError, CredentialsRejectedError, RateLimitedError, ServerError, ResponseShapeError
            By the answer of the server.
        ConnectionFailedError
            If there is no answer.
        OfflineMissError
            If ``offline`` is set and the answer is not in the cache.

        """
        url = self._url(path, params)
        if self.offline:
            return self._offline(url, language, refresh=refresh)
        headers = headers_for(language)
        with self._under_way.join((url, language, refresh)) as flight:
            if flight.result is None:
                kept, body = (True, None) if refresh else self.lookup_cached.find(url, language)
                if body is not None:
                    try:
                        doc = read_json(body)
                    except (ValueError, RecursionError):
                        refresh = True  # it is damaged
                    else:
                        return doc if self._scope.trusts(url) else self._asked_anew(path, params, language, doc)
                before = self._kept_before(url, headers)
                flight.result = self._checked(self._http.fetch(url, headers, kept=kept, refresh=refresh))
                self._scope.note(url, before, flight.result)
                return decoded(flight.result)
        self.lookup_cached.count()
        return read_json(flight.result.content)

    def _offline(self, url: str, language: str, *, refresh: bool) -> Any:
        """Return what the cache holds, however old."""
        _, body = (True, None) if refresh else self.lookup_cached.find(url, language)
        if body is None:
            return decoded(self._cached(requests.Request("GET", url, headers=headers_for(language))))
        try:
            return read_json(body)
        except (ValueError, RecursionError):
            raise offline_miss(url, language, "what the cache holds of it is damaged") from None

    def _kept_before(self, url: str, headers: dict[str, str]) -> requests.Response | None:
        """Return what is kept of an answer, however old, where it tells whether the server serves the same."""
        if self._scope.trusts(url):
            return None
        return self._http.cache.responses.get(self._scope.key("GET", url, headers))

    def _asked_anew(self, path: str, params: Params | None, language: str, kept: Any) -> Any:
        """Ask the server for what is in the cache, since it may serve something else now.

        Where it does not answer, what is kept is used, with a warning.
        """
        url = self._url(path, params)
        try:
            doc = self.get_json(path, params, language=language, refresh=True)
        except IcdError as error:
            if not may_pass(error) and not isinstance(error, _NO_KEY):
                self._scope.renew()
                raise
            warn(
                f"{self.server.base_url} could not be asked whether it still serves what is in the cache. The cache is "
                f"used as it is ({error}).",
                CacheWarning,
            )
            doc = kept
            self._scope.trust(url)
        else:
            self.lookup_cached.count(-1)
        return doc

    def post_json(
        self,
        path: str,
        params: Params | None = None,
        *,
        body: Any = None,
        form: Params | None = None,
        language: str = "en",
    ) -> Any:
        """Return the decoded answer to a POST with a JSON body or form fields; it is never kept in the cache."""
        url = self._url(path, params)
        if self.offline:
            raise offline_miss(url, language, "answers to POST are never kept")
        files = {name: (None, written(value)) for name, value in (form or {}).items() if value is not None}
        return decoded(self._checked(self._http.post(url, headers=headers_for(language), json=body, files=files)))

    def cache_info(self) -> CacheInfo:
        """Return what the cache holds and what it has saved."""
        cache = self._http.cache
        on_disk = cache if isinstance(cache, DiskCache) else None
        return CacheInfo(
            path=on_disk.path if on_disk else None,
            answers=len(cache.responses),
            bytes=on_disk.size() if on_disk else sum(answer.size for answer in cache.responses.values()),
            requests_sent=self.requests_sent,
            answered_from_cache=self.answered_from_cache,
            tokens_fetched=self._tokens.fetched if self._tokens else 0,
        )

    def clear_cache(self) -> int:
        """Forget all answers and return how many there were."""
        answers = len(self._http.cache.responses)
        self._http.cache.responses.clear()
        return answers

    def prune_cache(self, before: datetime, keep: int | None = None) -> None:
        """Forget the answers that were kept before a moment, then the oldest until the rest has so many bytes."""
        if isinstance(self._http.cache, DiskCache):
            self._http.cache.responses.prune(before, keep)

    def close(self) -> None:
        """Close connections and cache; the session cannot be used any more."""
        self._closed = True
        self._http.close()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ApiSession({self.server.base_url!r}{', offline=True' if self.offline else ''})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An ApiSession is not pickled or copied: connect in each process.")

    def _url(self, path: str, params: Params | None) -> str:
        if self._closed:
            raise ConfigurationError("This client is closed: connect again.")
        return url_of(self.server.base_url, path, params)

    def _cached(self, request: requests.Request) -> requests.Response:
        cache = self._http.cache
        response = cache.get_response(cache.create_key(self._http.prepare_request(request)))
        if response is None:
            reason = f"it is not in the cache {self.cache_info().path or 'in memory'}"
            raise offline_miss(request.url, request.headers["Accept-Language"], reason)
        self.lookup_cached.count()
        return response

    def _checked(self, response: requests.Response) -> requests.Response:
        """Return an answer of status 200, and raise the error that any other means."""
        if getattr(response, "from_cache", False):
            self.lookup_cached.count()
        if response.status_code == requests.codes.ok:
            return response
        headers = response.headers
        raise error_of_status(
            response.status_code,
            retry.reason_text(
                headers.get("Content-Type", ""), response.text, self._tokens.known_secrets() if self._tokens else ()
            ),
            response.url,
            signed=self.server.needs_token,
            retry_after=retry.parse_retry_after(headers.get("Retry-After"), headers.get("Date")),
        )


def _is_wait(part: object) -> bool:
    """Return whether it is a number of seconds to wait; sockets wait no longer than some weeks."""
    return not isinstance(part, bool) and isinstance(part, Real) and 0 < float(part) <= expiry.DAY


def _check_settings(timeout: Any, retries: object, max_workers: object, verify: object) -> None:
    if verify is not None and (not isinstance(verify, str | Path) or not Path(verify).exists()):
        raise ConfigurationError(
            "is no CA file or folder: TLS verification cannot be switched off; give the path of your company's CA "
            "file, or set REQUESTS_CA_BUNDLE.",
            option="verify",
            value=verify,
        )
    check_whole("retries", retries, least=0)
    if max_workers is not None:
        check_whole("max_workers", max_workers, least=1, most=_MOST_WORKERS, more=", or None to find the number")
    is_pair = isinstance(timeout, tuple) and len(timeout) == 2  # noqa: PLR2004  to connect, to read
    if not all(map(_is_wait, timeout if is_pair else (timeout,))):
        raise ConfigurationError(
            "cannot be: give seconds above 0, a day at most, or a pair of them (to connect, to read).",
            option="timeout",
            value=timeout,
        )
