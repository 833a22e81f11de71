"""Read what stands in a login form: what to connect with."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from icdframes.errors import ConfigurationError, ConnectionFailedError, IcdError
from icdframes.settings import ENV_CLIENT_ID, LOCAL
from icdframes.transport.profiles import list_profiles
from icdframes.transport.secrets import Credentials

OWN = "own"  # a server of one's own that wants a sign-in
_LONGEST_CHECK = 3.0


class Client(Protocol):
    """What the form needs of a client."""

    @property
    def base_url(self) -> str:
        """Where it is connected."""

    def newest_release(self, classification: str = "mms", *, refresh: bool = False) -> str | None:
        """Ask for the newest release; with `refresh` it fails where the credentials are refused."""


Connect: TypeAlias = Callable[..., Client]  # takes a server and options; `icdframes.connect` is one


def options_of(
    server: str,
    *,
    url: str,
    token_url: str = "",
    profile: str,
    client_id: str,
    secret: str,
    stored: Credentials | None,
) -> tuple[str, dict[str, str]]:
    """Return what to connect with: server and options of `icdframes.connect`.

    Raises
    ------
    ConfigurationError
        If something is missing; the sentence says what to fill in.

    """
    client_id = client_id.strip()
    if server == "local":
        return url.strip() or LOCAL.base_url, {}
    if server == OWN:
        return _own_server(url.strip(), token_url.strip(), client_id, secret)
    if client_id and secret:
        return server, {"client_id": client_id, "client_secret": secret}
    if secret:
        raise ConfigurationError("Fill in the client id, too.")
    if stored and client_id in {"", stored.client_id}:
        return server, {"profile": profile}
    if client_id:
        raise ConfigurationError("Fill in the secret that belongs to this client id.")
    if server == "sandbox":
        return server, {}
    raise ConfigurationError("Fill in the client id and the secret of your ICD API account.")


def _own_server(url: str, token_url: str, client_id: str, secret: str) -> tuple[str, dict[str, str]]:
    if not url:
        raise ConfigurationError("Fill in the URL of your server, such as https://icd.example.org.")
    if not token_url:
        raise ConfigurationError(
            "Fill in the token URL of your server; for a server that wants no sign-in choose Local service."
        )
    if not (client_id and secret):
        raise ConfigurationError("Fill in the client id and the secret that this server gave you.")
    return url, {"token_url": token_url, "client_id": client_id, "client_secret": secret}


def check_listening(url: str) -> None:
    """Ask once, without any retry, whether something listens at a URL.

    Raises
    ------
    ConnectionFailedError
        If the connection is refused; other faults are left to the request itself.

    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "localhost", port), timeout=_LONGEST_CHECK).close()
    except ConnectionRefusedError:
        raise ConnectionFailedError(
            f"Nothing answers at {parts.hostname}:{port}: is the service running, and is this its port? WHO's "
            "container is started with `docker run -p 80:80 -e acceptLicense=true whoicd/icd-api`."
        ) from None
    except OSError:
        return


def origin_of(stored: Credentials) -> str:
    """Say where a key comes from; the environment goes before every profile."""
    if os.environ.get(ENV_CLIENT_ID):
        return f"{ENV_CLIENT_ID} is set, so its key {stored.masked_id} is used whatever the profile"
    return f"The key {stored.masked_id} is stored"


def known_profiles() -> list[str]:
    """Return the names of stored profiles, none where they cannot be read."""
    try:
        return list_profiles()
    except IcdError:  # the form says it as soon as it looks for a key
        return []


def host_of(client: Client) -> str:
    """Name the host of a client's server."""
    return urlsplit(client.base_url).netloc or client.base_url
