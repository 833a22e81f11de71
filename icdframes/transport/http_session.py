"""Send a request of requests through the cache, and by a shorter way where nothing is kept of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests_cache import CachedSession
from requests_cache.backends.base import BaseCache

from icdframes.transport import expiry
from icdframes.transport.adapter import IcdAdapter
from icdframes.transport.auth import USER_AGENT
from icdframes.transport.cached_reader import CacheScope


class HttpSession(CachedSession):
    """requests-cache's session for one server.

    Its own way takes more of the processor than all the rest of a request. A walk asks for what
    is not in the cache, where there is nothing to decide: so `fetch` sends and keeps it by itself.

    Parameters
    ----------
    cache : BaseCache
        Where answers are kept.
    scope : CacheScope
        The names of its answers.
    adapter : IcdAdapter
        Which sends.
    base_url : str
        Of the server; proxies and CA file for it are read from the environment now, once.
    timeout : float or tuple of float
        Seconds to connect and to read.
    verify : str, optional
        CA file of a company.

    """

    def __init__(
        self,
        cache: BaseCache,
        scope: CacheScope,
        adapter: IcdAdapter,
        *,
        base_url: str,
        timeout: float | tuple[float, float],
        verify: str | None,
    ) -> None:
        super().__init__(
            backend=cache,
            allowable_methods=("GET",),
            allowable_codes=(200,),
            key_fn=scope.key_of,
            urls_expire_after=dict(expiry.EXPIRY),
            cache_control=False,
        )
        self.headers["User-Agent"] = USER_AGENT
        self.auth = _unsigned
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)
        settings = self.merge_environment_settings(base_url, {}, None, None, None)
        self.proxies, self.verify = settings["proxies"], verify or settings["verify"]
        self.trust_env = False
        self._scope = scope
        self._base_url = base_url
        self._options: dict[str, Any] = {"timeout": timeout, "allow_redirects": False}
        self._prepared: dict[tuple[str, ...], requests.PreparedRequest] = {}

    def fetch(self, url: str, headers: Mapping[str, str], *, kept: bool, refresh: bool = False) -> requests.Response:
        """Return the answer to a GET.

        Parameters
        ----------
        url : str
            As it goes on the wire.
        headers : mapping
            On which the answer depends.
        kept : bool
            Whether an old answer may be in the cache; it may be good still, the server says so.
        refresh : bool
            Have the server asked, and what stands between, whatever is kept.

        """
        if kept or refresh:
            return self.request("GET", url, headers=dict(headers), force_refresh=refresh, **self._options)
        prepared = self._prepare(url, headers)
        options: dict[str, Any] = {"verify": self.verify, "proxies": self.proxies, "cert": None, "stream": False}
        response = requests.Session.send(self, prepared, **options, **self._options)
        if response.status_code == requests.codes.ok:
            self.cache.save_response(response, self._scope.key("GET", url, headers), _end(url))
        return response

    def post(self, url: str, *, headers: Mapping[str, str], json: Any = None, files: Any = None) -> requests.Response:  # type: ignore[override]
        """Return the answer to a POST; it is never kept."""
        return self.request("POST", url, headers=dict(headers), json=json, files=files, **self._options)

    def _prepare(self, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
        """Return the request as requests prepares it, which takes long and differs in the URL alone."""
        values = tuple(headers.values())
        if values not in self._prepared:
            request = requests.Request("GET", self._base_url, headers=dict(headers))
            self._prepared[values] = self.prepare_request(request)
        prepared = self._prepared[values].copy()
        prepared.url = url
        return prepared


def _end(url: str) -> datetime | None:
    """Return when an answer expires."""
    seconds = expiry.seconds_kept(url)
    return None if seconds == expiry.NEVER else datetime.now(UTC) + timedelta(seconds=seconds)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request unsigned; any ``auth`` at all keeps requests from reading ~/.netrc."""
    return request
