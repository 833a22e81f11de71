"""Buy bearer tokens with client credentials, through authlib; tokens stay in memory and are never shown."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from icdframes import __version__
from icdframes.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    IcdError,
    RateLimitedError,
    Remedy,
    ResponseShapeError,
    ServerError,
)
from icdframes.settings import SCOPE, Server
from icdframes.transport import expiry, retry
from icdframes.transport.adapter import IcdAdapter
from icdframes.transport.secrets import Credentials, Secret, Token

USER_AGENT = f"icdframes/{__version__} (+python-requests)"

_REFUSED_CREDENTIALS = frozenset({"invalid_client", "unauthorized_client"})
_FOREIGN_ENDPOINT = frozenset({"invalid_scope", "unsupported_grant_type"})
_FAILURE_HOLDS = 5.0
_MOST_REMEMBERED = 12


class TokenSource:
    """Source of bearer tokens for any number of threads with as few token requests as possible.

    Parameters
    ----------
    server : Server
        With a token URL.
    get_credentials : callable
        Asked only when a token must be bought.
    verify : str, optional
        CA file; None is the default trust.
    timeout : tuple of float
        Seconds to connect and to read.
    retries : int
        As for other requests.
    clock, sleep : callable
        Seconds that only grow, how to wait.

    """

    def __init__(
        self,
        server: Server,
        get_credentials: Callable[[], Credentials],
        *,
        verify: str | None = None,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if server.token_url is None:
            raise ConfigurationError(
                f"{server.base_url} has no token URL, so no tokens", remedy=Remedy("give token_url", "give --token-url")
            )
        self._url: str = server.token_url
        self._get_credentials = get_credentials
        self._options = {"verify": verify, "timeout": timeout, "allow_redirects": False}
        self._adapter = IcdAdapter(self._url, retries=retries, max_workers=1, clock=clock, sleep=sleep)
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: tuple[Credentials, IcdError, float] | None = None
        self._known: tuple[str, ...] = ()
        self.fetched = 0

    def known_secrets(self) -> tuple[str, ...]:
        """Return what no error may show: the client secret, as it goes on the wire too, and the last tokens."""
        return self._known

    def bearer(self, rejected: Token | None = None) -> Token:
        """Return a usable token.

        Parameters
        ----------
        rejected : Token, optional
            One that the server did not accept; it is not given again.

        Returns
        -------
        Token

        Raises
        ------
        CredentialsUnavailableError, CredentialsRejectedError
            If there are no credentials, or the server refuses them.
        ConnectionFailedError, RateLimitedError, ServerError, ConfigurationError
            If the token endpoint gives none.

        """
        with self._lock:
            if self._token is None or self._token is rejected or self._clock() >= self._token.use_until:
                self._token = None
                self._token = self._bought(self._get_credentials())
            return self._token

    def _bought(self, credentials: Credentials) -> Token:
        """Buy a token; threads that waited for a purchase that failed share its failure."""
        if self._failure is not None:
            refused, error, until = self._failure
            if refused == credentials and self._clock() < until:
                raise type(error)(*error.args)
        if not (credentials.client_id + credentials.client_secret).isascii():
            raise CredentialsRejectedError(
                "The client id or secret holds a character that no key of the ICD API has, such as a typographic "
                "quote or dash: copy both again from your account."
            )
        began = self._clock()
        self._remember(*_forms(credentials))
        answer = self._fetch(credentials)
        if isinstance(answer, IcdError):
            self._failure = (credentials, answer, self._clock() + _FAILURE_HOLDS)
            raise type(answer)(*answer.args)
        value = answer.get("access_token")
        if not retry.is_token(value):
            raise self._misunderstood()
        self._remember(Secret(value))
        self.fetched += 1
        return Token(value, began + expiry.token_life(answer.get("expires_in")))

    def _remember(self, *secrets: str) -> None:
        self._known = tuple(dict.fromkeys((*secrets, *self._known)))[:_MOST_REMEMBERED]

    def _fetch(self, credentials: Credentials) -> dict[str, Any] | IcdError:
        """Ask the token endpoint; errors are values, so that none keeps the request with the secret."""
        with OAuth2Session(
            credentials.client_id,
            credentials.client_secret,
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106  the name of a method
            scope=SCOPE,
        ) as oauth:
            oauth.headers["User-Agent"] = USER_AGENT
            oauth.mount("https://", self._adapter)
            oauth.mount("http://", self._adapter)
            try:
                return dict(oauth.fetch_token(self._url, grant_type="client_credentials", **self._options))
            except OAuthError as error:
                return self._refusal(str(error.error), credentials)
            except requests.HTTPError as error:
                return self._bad_status(error.response.status_code, credentials)
            except IcdError as error:
                return self._misunderstood() if isinstance(error, ResponseShapeError) else type(error)(*error.args)
            except (requests.RequestException, TypeError, ValueError, OverflowError):
                return self._misunderstood()
            except BaseException as stop:  # noqa: BLE001  it goes on, without the frames below: they hold the secret
                raise stop.with_traceback(None) from None

    def _refusal(self, code: str, credentials: Credentials) -> IcdError:
        if code in _REFUSED_CREDENTIALS:
            return CredentialsRejectedError(
                f"{self._url} refuses the client {credentials.masked_id} ({code}). Check that id and secret belong "
                "together, that no blank or quote was copied with them, and that the key is active in your account."
            )
        if code in _FOREIGN_ENDPOINT:
            return ConfigurationError(
                f"{self._url} does not give out tokens for the ICD API ({code}): check the token URL."
            )
        code = retry.without_secrets(code, self._known)
        known = code if code.replace("_", "").isalpha() and len(code) < 40 else "unknown error"  # noqa: PLR2004
        return ServerError(f"{self._url} gives no token ({known}): try again later.")

    def _misunderstood(self) -> IcdError:
        return ServerError(
            f"{self._url} did not answer as a token endpoint does: check the token URL, the network and the proxy, "
            "and try again."
        )

    def _bad_status(self, status: int, credentials: Credentials) -> IcdError:
        if status == requests.codes.unauthorized:
            return self._refusal("invalid_client", credentials)
        if status == requests.codes.too_many_requests:
            return RateLimitedError(f"{self._url} keeps saying that there are too many requests (429): wait a while.")
        return ServerError(f"{self._url} answered the request for a token with status {status}: try again later.")


def _forms(credentials: Credentials) -> tuple[str, ...]:
    """Return the client secret, and the form in which HTTP Basic sends it."""
    pair = f"{credentials.client_id}:{credentials.client_secret}".encode()
    return Secret(credentials.client_secret), Secret(base64.b64encode(pair).decode())
