"""Download a published file: resumed where it breaks off, limited in size, whole or not there at all.

A downloader of our own, since pooch neither resumes nor limits a download, keeps a log-in page as if it were the
file, and has no say about redirects.
"""

from __future__ import annotations

import logging
import os
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from icdframes.errors import ExportError, IcdError, ServerError
from icdframes.settings import is_loopback
from icdframes.transport import retry
from icdframes.transport.auth import USER_AGENT
from icdframes.transport.error_mapping import error_of_fault, error_of_status, fault_of
from icdframes.transport.retry import Do, Fault, Outcome

LARGEST_FILE = 100_000_000

_log = logging.getLogger("icdframes.transport")
_PIECE = 131_072
_MOST_REDIRECTS = 5
_OK, _PARTIAL, _NOT_MODIFIED, _BAD_RANGE = 200, 206, 304, 416
_GONE = frozenset({403, 404, 410})
_PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")

Report = Callable[[int, int], None]
"""Is told how many bytes have come, and how many there are (0 where the server does not say)."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a server said of a file that it sent."""

    url: str
    n_bytes: int
    etag: str | None = None
    last_modified: str | None = None


@dataclass(slots=True)
class _Progress:
    """What has come of a file so far."""

    file: BinaryIO
    report: Report
    etag: str | None = None
    last_modified: str | None = None
    total: int = 0

    @property
    def validator(self) -> str | None:
        """What tells whether the rest belongs to the same file: a strong ETag, or the date."""
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        return strong or self.last_modified


class FileDownloader:
    """Downloads files of one server that asks for no token.

    Parameters
    ----------
    base_url : str
        Scheme, host and perhaps a path.
    timeout : float or tuple of float
        Seconds to connect, seconds between two bytes.
    retries : int
        How often a download that breaks off is taken up again.
    verify : str, optional
        CA file of a company; TLS is always verified.
    sleep : callable
        How to wait.

    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 5,
        verify: str | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.base_url = base_url
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._http = requests.Session()
        self._http.headers.update({"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
        self._http.auth = _unsigned
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._http.max_redirects = _MOST_REDIRECTS
        self._http.trust_env = not is_loopback(base_url)
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, HTTPAdapter())
        self._verify = verify

    def exists(self, path: str) -> bool:
        """Return whether the server has a file; one HEAD request.

        A page of HTML with status 200 is no file: some servers answer so for whatever they do not have.

        Raises
        ------
        IcdError
            If there is no answer, or one that tells nothing, such as 500.

        """
        url = self.base_url + path
        response = self._with_retries(lambda: self._ask("HEAD", url, {}), url)
        with response:
            if response.status_code in _GONE:
                return False
            if response.status_code != _OK:
                raise error_of_status(response.status_code, "", url, signed=False)
            return "html" not in response.headers.get("Content-Type", "").lower()

    def fetch(
        self,
        path: str,
        target: Path,
        check: Callable[[Path], object],
        *,
        known: Received | None = None,
        report: Report = lambda _done, _total: None,
    ) -> Received | None:
        """Download a file; None where the server says that it has not changed since `known`.

        Parameters
        ----------
        path : str
            On the server.
        target : pathlib.Path
            Where to put it; what is there stays until the new file is whole and checked.
        check : callable
            Raises where the file is not what it should be; gets the file under its name for the time being.
        known : Received, optional
            What was said of the file that is there.
        report : callable
            Is told how much has come.

        Raises
        ------
        EntityNotFoundError
            If the server does not have it.
        ConnectionFailedError, RateLimitedError, ServerError
            If it did not come whole; nothing is left behind.
        ExportError
            If it cannot be written, as on a full disk; nothing is left behind.

        """
        url = self.base_url + path
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.tmp")
        try:
            with partial.open("xb") as file:
                progress = _Progress(file, report)
                response = self._with_retries(lambda: self._receive(url, progress, known), url)
                if response.status_code == _NOT_MODIFIED:
                    return None
                if response.status_code != _OK:
                    raise error_of_status(response.status_code, "", url, signed=False)
                file.flush()
                os.fsync(file.fileno())
            check(partial)
            n_bytes = partial.stat().st_size
            partial.replace(target)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"The download of {url} was interrupted; nothing was left behind, and the same call begins it again."
            ) from None
        except OSError as error:
            if isinstance(error, IcdError):
                raise
            raise ExportError(
                f"{target} could not be written: {error.strerror or error}. Free some room or give another folder "
                "with cache_dir; nothing was left behind."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return Received(url, n_bytes, progress.etag, progress.last_modified)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _with_retries(self, attempt: Callable[[], requests.Response], url: str) -> requests.Response:
        number = 0
        while True:
            fault: tuple[Fault, str] | None = None
            response: requests.Response | None = None
            try:
                response = attempt()
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                fault = fault_of(error)
            except OSError as error:
                if isinstance(error, IcdError) or error.filename is not None or not _is_of_network(error):
                    raise
                fault = fault_of(error)
            retry_after = (
                retry.parse_retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
                if response
                else None
            )
            outcome = Outcome(response.status_code if response is not None else None, fault and fault[0], retry_after)
            action = retry.decide(
                outcome,
                attempt=number,
                retries=self._retries,
                may_renew=False,
                jitter=random.random(),  # noqa: S311
            )
            if action.do is not Do.RETRY:
                break
            number += 1
            _log.debug("retry %d of %s in %.1f s: %s", number, url, action.wait, outcome)
            self._sleep(action.wait)
        if response is None:
            kind, detail = fault or (Fault.CONNECTION, "")
            raise error_of_fault(kind, detail, url, largest=LARGEST_FILE)
        return response

    def _ask(self, method: str, url: str, headers: Mapping[str, str]) -> requests.Response:
        response = self._http.request(
            method, url, headers=dict(headers), timeout=self._timeout, stream=True, verify=self._verify,
            allow_redirects=True,
        )  # fmt: skip
        if urlsplit(url).scheme == "https" and urlsplit(response.url).scheme != "https":
            response.close()
            raise ServerError(f"{urlsplit(url).netloc} redirects to a place without TLS; this was not read.")
        return response

    def _receive(self, url: str, progress: _Progress, known: Received | None) -> requests.Response:
        """Receive a file, or the rest of it."""
        begun = progress.file.tell()
        if begun and not progress.validator:
            begun = 0
        headers = {"Range": f"bytes={begun}-", "If-Range": progress.validator or ""} if begun else _condition(known)
        with self._ask("GET", url, headers) as response:
            status = response.status_code
            if status == _PARTIAL and begun and response.headers.get("Content-Range", "").startswith(f"bytes {begun}-"):
                response.status_code = _OK
            elif status in {_OK, _PARTIAL, _BAD_RANGE}:
                progress.file.seek(0)
                progress.file.truncate()
                begun = 0
                if status != _OK:
                    raise requests.ConnectionError("the server sent another part of the file than was asked for")
                progress.etag = response.headers.get("ETag")
                progress.last_modified = response.headers.get("Last-Modified")
            else:
                return response
            length = response.headers.get("Content-Length", "")
            total = begun + int(length) if length.isdecimal() else 0
            if begun and total != progress.total:
                progress.etag = progress.last_modified = None  # so that the next attempt begins anew
                raise requests.ConnectionError("the rest of the file does not fit what had come")
            progress.total = total
            _refuse_page(response, url)
            self._read(response, progress, url)
            return response

    @staticmethod
    def _read(response: requests.Response, progress: _Progress, url: str) -> None:
        if progress.total > LARGEST_FILE:
            raise error_of_fault(Fault.TOO_LARGE, "", url, largest=LARGEST_FILE)
        while piece := response.raw.read1(_PIECE):
            if not progress.file.tell() and piece.lstrip()[:9].lower().startswith(_PAGE):
                raise _page(url)
            progress.file.write(piece)
            done = progress.file.tell()
            if done > LARGEST_FILE:
                raise error_of_fault(Fault.TOO_LARGE, "", url, largest=LARGEST_FILE)
            progress.report(done, progress.total)


def _condition(known: Received | None) -> dict[str, str]:
    if known is None:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def _refuse_page(response: requests.Response, url: str) -> None:
    if "html" in response.headers.get("Content-Type", "").lower():
        raise _page(url)


def _page(url: str) -> ServerError:
    return ServerError(
        f"{url} answered with a web page instead of the file. A proxy or a log-in page may stand between: open the "
        "address in a browser, or name a mirror in ICD_FILES_URL."
    )


def _is_of_network(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request unsigned; any ``auth`` at all keeps requests from reading ~/.netrc."""
    return request
