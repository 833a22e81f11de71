"""Read what stands in a login form: what to connect with."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from icdframes.errors import ConfigurationError, IcdError
from icdframes.settings import ENV_CLIENT_ID, LOCAL
from icdframes.transport.profiles import list_profiles
from icdframes.transport.secrets import Credentials


class Client(Protocol):
    """What the form needs of a client."""

    @property
    def base_url(self) -> str:
        """Where it is connected."""

    def newest_release(self, classification: str = "mms", *, refresh: bool = False) -> str | None:
        """Ask for the newest release; with `refresh` it fails where the credentials are refused."""


Connect: TypeAlias = Callable[..., Client]  # takes a server and options; `icdframes.connect` is one


def options_of(
    server: str, *, url: str, profile: str, client_id: str, secret: str, stored: Credentials | None
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
    if client_id and secret:
        return server, {"client_id": client_id, "client_secret": secret}
    if secret:
        raise ConfigurationError("Fill in the client id, too; the secret has to be typed again.")
    if stored and client_id in {"", stored.client_id}:
        return server, {"profile": profile}
    if client_id:
        raise ConfigurationError("Fill in the secret that belongs to this client id.")
    if server == "sandbox":
        return server, {}
    raise ConfigurationError("Fill in the client id and the secret of your ICD API account.")


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
