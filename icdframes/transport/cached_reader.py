"""Write and read requests and answers: the URL, the headers, the JSON, and what the cache holds of them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import requests
from requests_cache.backends.base import BaseCache

from icdframes.errors import ConfigurationError, OfflineMissError, Remedy
from icdframes.settings import API_VERSION, Server
from icdframes.transport import expiry
from icdframes.transport.cache import AnswerTable, DiskCache

Params = Mapping[str, str | int | float | bool | None]

_FIXED = frozenset({"who", "sandbox"})
_NEW_EACH_TIME = "uniqueSearchId"
_ABOUT_THE_SERVER = ("API-Version", "Sandbox-Corpus")
_ACCEPT = "application/json"
_DEEPEST = 200
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_AS_IT_IS = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")


DECODED = "decoded"
"""Under this name an answer holds what the adapter has read of it."""


def decoded(response: requests.Response) -> Any:
    """Return the JSON of an answer with status 200; what the adapter has just read is not decoded again."""
    answer = vars(response)
    return answer[DECODED] if DECODED in answer else read_json(response.content)


def read_json(body: bytes | str) -> Any:
    """Decode JSON; what nests deeper than any answer of the API is a ValueError before it is decoded.

    How deep the decoder itself goes depends on the limit of recursion, which other libraries change.
    """
    text = body if isinstance(body, str) else body.decode(json.detect_encoding(body), "surrogatepass")
    if text.count("[") + text.count("{") > _DEEPEST:
        depth = 0
        for sign in _BRACKETS.findall(text):
            depth += 1 if sign in "[{" else -1 if sign in "]}" else 0
            if depth > _DEEPEST:
                raise ValueError(f"nested more than {_DEEPEST} deep")
    return json.loads(text)


def url_of(base_url: str, path: str, params: Params | None = None) -> str:
    """Return the URL of a path on a server, as requests will write it; None values are left out of the query."""
    query = {name: written(value) for name, value in (params or {}).items() if value is not None}
    if not query and _AS_IT_IS.fullmatch(path):  # in a tenth of the time; so are nearly all
        return base_url + path
    if not path.startswith("/") or path.startswith("//") or not path.isprintable() or set(path) & set("?#\\ "):
        raise ConfigurationError(
            f"{path!r} is no path on {base_url}: it begins with one '/', is quoted, and has its query in params."
        )
    prepared = requests.PreparedRequest()
    prepared.prepare_url(base_url + path, query)
    return str(prepared.url)


def headers_for(language: str) -> dict[str, str]:
    """Return the headers on which an answer depends."""
    if not expiry.is_language(language):
        raise ConfigurationError(f"{language!r} is no language: give one tag such as 'en', 'es' or 'pt-BR'.")
    return {"Accept": _ACCEPT, "Accept-Language": language, "API-Version": API_VERSION}


def written(value: str | float | bool) -> str:  # noqa: FBT001  a query value, not a switch
    """Write a value as the API reads it in a query or a form."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{text[:40]!r} cannot be sent: it holds half a character, as text does that was read in a wrong encoding."
        ) from None
    return text


class CacheScope:
    """The names under which the answers of one server are kept, as long as it serves the same.

    A numbered release of WHO's does not change. Any other server may be started anew with other
    releases or other content at the same address. So a session asks it for the first answer that
    it would take from the cache, and for each list of releases once; where one has changed, all
    that was kept of this server is passed over.

    Parameters
    ----------
    server : Server
        Whose answers.
    cache : BaseCache
        Where they are kept; one in memory holds what this session has asked itself.

    """

    def __init__(self, server: Server, cache: BaseCache) -> None:
        self._server = server
        self._answers = cache.responses if isinstance(cache, DiskCache) else None
        self._fixed = server.identity is not None or server.name in _FIXED or self._answers is None
        self._trusted = self._fixed
        self._listed: set[str] = set()
        self._epoch: str | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What stands for the server in the names of answers and snapshots."""
        if self._fixed or self._answers is None:
            return self._server.identity or self._server.base_url
        with self._lock:
            if self._epoch is None:
                self._epoch = self._begun(self._answers)
            return f"{self._server.base_url}#{self._epoch}" if self._epoch else self._server.base_url

    def _begun(self, answers: AnswerTable) -> str:
        """Return the epoch; where nothing was kept of this server before, nothing can have changed."""
        epoch = answers.epoch(self._server.base_url)
        if epoch is None:
            self._trusted = True
            answers.set_epoch(self._server.base_url, "")
        return epoch or ""

    def key(self, method: str, url: str, headers: Mapping[str, str]) -> str:
        """Return the name under which an answer is kept."""
        base = self._server.base_url
        return expiry.answer_key(method, self.name + url[len(base) :] if url.startswith(base) else url, headers)

    def key_of(self, request: requests.PreparedRequest, **_: object) -> str:
        """Return the same, in the form in which requests-cache asks for it."""
        return self.key(str(request.method), str(request.url), request.headers)

    def trusts(self, url: str) -> bool:
        """Return whether an answer may be taken from the cache before the server is asked."""
        return self._fixed or (self._trusted and (url in self._listed or not self._is_list(url)))

    def trust(self, url: str) -> None:
        """Take what is kept from now on."""
        self._trusted = True
        if self._is_list(url):
            self._listed.add(url)

    def note(self, url: str, kept: requests.Response | None, fresh: requests.Response) -> None:
        """Pass over all that was kept where the server does not answer as before."""
        if kept is not None and _content(kept) != _content(fresh):
            self.renew()
        if kept is not None or self._is_list(url):
            self._trusted = self._trusted or kept is not None
            self._listed.add(url)

    def renew(self) -> None:
        """Begin a new epoch."""
        if self._answers is not None and not self._fixed:
            with self._lock:
                self._epoch = uuid4().hex[:8]
                self._answers.set_epoch(self._server.base_url, self._epoch)

    def _is_list(self, url: str) -> bool:
        return expiry.is_release_list(url.removeprefix(self._server.base_url))


def _content(response: requests.Response) -> tuple[object, ...]:
    """Return what an answer says, and of which program and corpus it is."""
    doc = decoded(response)
    if isinstance(doc, dict):
        doc = {key: value for key, value in doc.items() if key != _NEW_EACH_TIME}
    return doc, *(response.headers.get(name) for name in _ABOUT_THE_SERVER)


class CachedReader:
    """What a session can answer from its cache; everything else is a miss.

    Parameters
    ----------
    base_url : str
        Of the server.
    cache : BaseCache
        Where its answers are kept; one in memory has nothing at hand.
    scope : CacheScope
        The names of its answers.

    """

    def __init__(self, base_url: str, cache: BaseCache, scope: CacheScope) -> None:
        self._base_url = base_url
        self._scope = scope
        self._answers = cache.responses if isinstance(cache, DiskCache) else None
        self._lock = threading.Lock()
        self.hits = 0

    def get_json(
        self,
        path: str,
        params: Params | None = None,
        *,
        language: str = "en",
        refresh: bool = False,  # noqa: ARG002  what is at hand is not asked for again
    ) -> Any:
        """Return the decoded answer to an earlier GET, or raise `OfflineMissError`."""
        _, body = self.find(url_of(self._base_url, path, params), language)
        if body is not None:
            with suppress(ValueError, RecursionError):
                return read_json(body)
        raise OfflineMissError(path)

    def post_json(self, path: str, *_: Any, **__: Any) -> Any:
        """Raise `OfflineMissError`: answers to POST are never kept."""
        raise OfflineMissError(path)

    def forget(self, path: str, params: Params | None = None, *, language: str = "en") -> None:
        """Do nothing: the session forgets, when it has asked the server."""

    def find(self, url: str, language: str) -> tuple[bool, bytes | str | None]:
        """Return whether an answer may be kept, and its body if it is fresh.

        Preparing a whole response costs ten times as much.
        """
        if self._answers is None:
            return True, None
        kept, body = self._answers.find(self._scope.key("GET", url, headers_for(language)))
        if body is not None:
            self.count()
        return kept, body

    def count(self, requests: int = 1) -> None:
        """Count a request that did not have to be sent."""
        with self._lock:
            self.hits += requests


def offline_miss(url: str, language: str, why: str) -> OfflineMissError:
    """Return the error for an answer that the cache does not have."""
    return OfflineMissError(
        f"Offline, and {url} (language {language}) is not available: {why}",
        remedy=Remedy(
            "ask for it once without offline=True, then it is there",
            "ask for it once without --offline, then it is there",
        ),
    )
