"""Find client id and secret: arguments, then environment, then stored profile; it never asks and never sends."""

from __future__ import annotations

import os
from typing import Any

from icdframes.errors import REGISTER_URL, ConfigurationError, CredentialsUnavailableError, did_you_mean
from icdframes.settings import ENV_CLIENT_ID, ENV_CLIENT_SECRET
from icdframes.transport.keys import Credentials, hide
from icdframes.transport.profiles import DEFAULT_PROFILE, list_profiles, load_profile

__all__ = ["Credentials", "find_credentials"]


def find_credentials(
    client_id: str | None = None, client_secret: str | None = None, profile: str = DEFAULT_PROFILE
) -> Credentials:
    """Give the credentials to sign in with.

    Parameters
    ----------
    client_id, client_secret : str, optional
        Both or neither. Without them the variables ``ICD_CLIENT_ID`` and
        ``ICD_CLIENT_SECRET`` count, then the stored profile.
    profile : str
        Name of a stored profile.

    Returns
    -------
    Credentials

    Raises
    ------
    ConfigurationError
        If only one half of a pair is there.
    CredentialsUnavailableError
        If there are none; the message says where to register and how to give them.

    """
    client_secret = hide(client_secret)
    environment = (os.environ.get(ENV_CLIENT_ID), hide(os.environ.get(ENV_CLIENT_SECRET)))
    return (
        _pair((client_id, client_secret), ("client_id", "client_secret"))
        or _pair(environment, (ENV_CLIENT_ID, ENV_CLIENT_SECRET))
        or load_profile(profile)
        or _unavailable(profile)
    )


def _pair(values: tuple[Any, Any], names: tuple[str, str]) -> Credentials | None:
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str | None):
            kind = value if isinstance(value, type) else type(value)
            raise ConfigurationError(f"{name} must be text, not {kind.__name__}: copy it from your account.")
    client_id, client_secret = ((value or "").strip() for value in values)
    if client_id and client_secret:
        return Credentials(client_id, client_secret)
    if client_id or client_secret:
        given, missing = names if client_id else reversed(names)
        raise ConfigurationError(f"{given} is given, but {missing} is missing: give both or neither.")
    return None


def _unavailable(profile: str) -> Credentials:
    known = list_profiles()
    if profile != DEFAULT_PROFILE and known:
        raise CredentialsUnavailableError(
            f"There is no stored profile {profile!r}, only {', '.join(known)}.{did_you_mean(profile, known)} "
            f"`icdframes login --profile {profile}` stores it; keys are given out at {REGISTER_URL}."
        )
    raise CredentialsUnavailableError(
        "No client id and secret for the ICD API were found. Register (free of charge) at "
        f"{REGISTER_URL}, then give them in one of these ways: icdframes.login() in a notebook; `icdframes login` "
        f"in a terminal; the variables {ENV_CLIENT_ID} and {ENV_CLIENT_SECRET}; "
        "connect(client_id=..., client_secret=...). Without registering: connect('sandbox') for the built-in "
        "sample, or connect('local') for WHO's own container on this machine."
    )
