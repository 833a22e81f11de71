"""What went wrong on the wire, as one of icdframes' errors; no error made here holds a request or a header."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from http.client import IncompleteRead
from math import ceil
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from icdframes.errors import (
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    EntityNotFoundError,
    IcdError,
    RateLimitedError,
    Remedy,
    ResponseShapeError,
    ServerError,
)
from icdframes.settings import is_loopback
from icdframes.transport.retry import Fault

_FOREIGN_HOST = {62, 64}  # OpenSSL's codes for another host name and for another address
_FOREIGN = "its TLS certificate is for another host name"
_MEGABYTE = 1_000_000
_LONGEST_URL = 300
_LONGEST_TOLD = 1e9
_KINDS: tuple[tuple[type[Exception], Fault, str], ...] = (
    (ssl.SSLCertVerificationError, Fault.CERTIFICATE, "its TLS certificate is not trusted"),
    (IncompleteRead, Fault.CUT_SHORT, "the answer was cut short"),
    (urllib3.exceptions.DecodeError, Fault.CUT_SHORT, "the answer was cut short"),
    (requests.exceptions.ProxyError, Fault.CONNECTION, "the proxy did not let the request through"),
    (urllib3.exceptions.NameResolutionError, Fault.CONNECTION, "its name could not be resolved"),
    (urllib3.exceptions.ReadTimeoutError, Fault.CONNECTION, "it did not answer in time"),
    (requests.exceptions.Timeout, Fault.CONNECTION, "it did not answer in time"),
)


def fault_of(error: Exception) -> tuple[Fault, str]:
    """Return the kind of a fault of requests or urllib3, and name it in a few words."""
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _FOREIGN_HOST for cause in causes):
        return Fault.CERTIFICATE, _FOREIGN
    for kind, fault, words in _KINDS:
        if any(isinstance(cause, kind) for cause in causes):
            return fault, words
    if isinstance(error, requests.ConnectionError | urllib3.exceptions.HTTPError):
        system = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
        return Fault.CONNECTION, (system or "the connection broke off").lower()
    return Fault.SETTING, f"{type(error).__name__}: check proxy variables and REQUESTS_CA_BUNDLE"


def error_of_fault(fault: Fault, detail: str, url: str, *, largest: int) -> IcdError:
    """Return the error for an attempt that brought no answer to look at."""
    host, url = urlsplit(url).netloc, _shown(url)
    if fault is Fault.NOT_JSON:
        return ResponseShapeError(
            f"{url} answered with something that is not JSON ({detail}). A proxy or a log-in page may stand "
            "between; otherwise try again later.",
            uri=url,
        )
    advice = (
        "Check the host in the server URL; a CA file does not help."
        if detail == _FOREIGN
        else "Behind a company proxy, name the company's CA file in REQUESTS_CA_BUNDLE."
    )
    errors: dict[Fault, tuple[type[IcdError], str]] = {
        Fault.CERTIFICATE: (ConnectionFailedError, f"{host} was not used: {detail}. {advice}"),
        Fault.REDIRECT: (ServerError, f"{host} redirects to {detail}. Check the server URL."),
        Fault.TOO_LARGE: (
            ServerError,
            (
                f"{url} answered with more than {largest // _MEGABYTE} MB; this was not read. No answer of the ICD API "
                "is that large: check the server URL."
            ),
        ),
        Fault.ECHO: (
            ServerError,
            (
                f"{url} answered with this client's own token or secret in the text; the answer is neither used nor "
                "kept. Check the server URL."
            ),
        ),
        Fault.SETTING: (ConfigurationError, f"The request to {host} could not be made ({detail})."),
    }
    lost = (
        ConnectionFailedError,
        (
            f"No complete answer from {host}: {detail}. "
            + ("Is the service running there? Start it" if is_loopback(url) else "Check the network and the proxy")
            + " and try again; answers that are in the cache can be used offline."
        ),
    )
    kind, sentence = errors.get(fault, lost)
    return kind(sentence)


def error_of_outage(url: str, seconds: float) -> IcdError:
    """Return the error for a request whose server did not come back in time."""
    return ConnectionFailedError(
        f"{urlsplit(url).netloc} gave no good answer for {seconds:.0f} s, so it was given up. Check the network and "
        "the server and run it again: what has come is in the cache."
    )


def error_of_refusal(url: str, seconds: float) -> IcdError:
    """Return the error for a request that is not sent, since the server has asked for a long pause."""
    return RateLimitedError(
        f"{urlsplit(url).netloc} has asked to be left alone, so nothing is sent to it: try again in {ceil(seconds)} s. "
        "What is in the cache is there all the same."
    )


def error_of_status(status: int, reason: str, url: str, *, signed: bool, retry_after: float | None = None) -> IcdError:
    """Return the error for a status other than success.

    Parameters
    ----------
    status : int
        Of the last answer.
    reason : str
        What the server says about it, short and free of secrets.
    url : str
        What was asked for.
    signed : bool
        Whether the request carried a token.
    retry_after : float, optional
        Seconds that the server asks to wait.

    """
    host, url = urlsplit(url).netloc, _shown(url)
    said = f" The server says: {reason.rstrip('.')}." if reason else ""
    if status == HTTPStatus.NOT_FOUND:
        return EntityNotFoundError(f"{url} does not exist on this server (404).{said}", reason=reason)
    if status == HTTPStatus.UNAUTHORIZED and not signed:
        return CredentialsRejectedError(
            f"{host} wants a token (401), but this connection has none{said and ';' + said.rstrip('.')}",
            remedy=Remedy("give token_url to connect()", "give --token-url"),
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return CredentialsRejectedError(
            f"{host} does not accept the token ({status}). Check that the key is active in your ICD API account.{said}"
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        when = f"in {retry_after:.0f} s" if retry_after and retry_after < _LONGEST_TOLD else "later"
        return RateLimitedError(
            f"{host} keeps saying that there are too many requests (429): try again {when}, or with "
            "fewer requests at the same time."
        )
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    hint = " Try again later." if passing else ""
    return ServerError(f"{url} answered with status {status}.{said}{hint}", status=status)


def _shown(url: str) -> str:
    return url if len(url) <= _LONGEST_URL else f"{url[:_LONGEST_URL]}…"


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and everything behind it."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return found
