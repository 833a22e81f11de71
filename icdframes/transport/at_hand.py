"""Answers that are in the cache and fresh, given without a request; it refuses to send one."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from requests_cache.backends.base import BaseCache

from icdframes.errors import OfflineMissError
from icdframes.transport import policy
from icdframes.transport.cache import DiskCache
from icdframes.transport.request import Params, headers_for, url_of


class AtHand:
    """What a session can answer from its cache; everything else is a miss.

    Parameters
    ----------
    base_url : str
        Of the server.
    cache : BaseCache
        Where its answers are kept; one in memory has nothing at hand.

    """

    def __init__(self, base_url: str, cache: BaseCache) -> None:
        self._base_url = base_url
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
        """Give the decoded answer to an earlier GET, or raise `OfflineMissError`."""
        if (body := self.body(url_of(self._base_url, path, params), language)) is not None:
            with suppress(ValueError, RecursionError):
                return json.loads(body)
        raise OfflineMissError(path)

    def post_json(self, path: str, *_: Any, **__: Any) -> Any:
        """Raise `OfflineMissError`: answers to POST are never kept."""
        raise OfflineMissError(path)

    def body(self, url: str, language: str) -> bytes | str | None:
        """Give the body of a fresh answer; preparing a whole response costs ten times as much."""
        if self._answers is None:
            return None
        body = self._answers.body(policy.answer_key("GET", url, headers_for(language)))
        if body is not None:
            self.count()
        return body

    def count(self) -> None:
        """Count one request that did not have to be sent."""
        with self._lock:
            self.hits += 1
