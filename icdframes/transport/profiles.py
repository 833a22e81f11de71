"""Find client id and secret: arguments, then environment, then stored profile; it never asks and never sends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from icdframes.errors import (
    REGISTER_URL,
    ConfigurationError,
    CredentialStorageWarning,
    CredentialsUnavailableError,
    Remedy,
    did_you_mean,
    warn,
)
from icdframes.settings import ENV_CLIENT_ID, ENV_CLIENT_SECRET, ENV_TOKEN_URL, WHO, config_folder
from icdframes.transport.secrets import Credentials, Secret, mask_secret

DEFAULT_PROFILE = "default"
SERVICE = "icdframes"

_WHOS = str(WHO.token_url)
_NAME = re.compile(r"\w[\w.-]{0,63}")
_SHOWN = frozenset({"client_id", "token_url"})
_RECOMMENDED = 1  # keyring's own limit: below it are back ends that keep nothing, or keep it in clear


def find_credentials(
    client_id: str | None = None,
    client_secret: str | None = None,
    profile: str = DEFAULT_PROFILE,
    *,
    token_url: str | None = WHO.token_url,
) -> Credentials:
    """Return the credentials to sign in with.

    A key that is not given as an argument is sent to one token URL only: a stored one to that for which it was
    stored, one of the environment to ``ICD_TOKEN_URL``, or else to WHO's.

    Parameters
    ----------
    client_id, client_secret : str, optional
        Both or neither. Without them the variables ``ICD_CLIENT_ID`` and
        ``ICD_CLIENT_SECRET`` count, then the stored profile.
    profile : str
        Name of a stored profile.
    token_url : str, optional
        Where the key will be sent.

    Returns
    -------
    Credentials

    Raises
    ------
    ConfigurationError
        If only one half of a pair is there.
    CredentialsUnavailableError
        If there are none, or only for another token URL; the message says how to give them.

    """
    client_secret = mask_secret(client_secret)
    if given := _pair((client_id, client_secret), ("client_id", "client_secret")):
        return given
    environment = (os.environ.get(ENV_CLIENT_ID), mask_secret(os.environ.get(ENV_CLIENT_SECRET)))
    found = _pair(environment, (ENV_CLIENT_ID, ENV_CLIENT_SECRET))
    if found:
        belongs, whose = os.environ.get(ENV_TOKEN_URL) or _WHOS, f"in {ENV_CLIENT_ID}"
    elif found := load_profile(profile):
        belongs, whose = token_url_of(profile), f"stored as profile {profile!r}"
    else:
        return _unavailable(profile)
    if _plain(belongs) == _plain(token_url or _WHOS):
        return found
    raise CredentialsUnavailableError(
        f"The key {whose} is for {belongs}, so it is not sent to {token_url}",
        remedy=Remedy(
            "give client_id and client_secret for that server to connect(), or store its key as a profile of its own "
            "(icdframes login --server URL --token-url URL --profile NAME) and name that",
            "store its key as a profile of its own (icdframes login --server URL --token-url URL --profile NAME) and "
            "give --profile NAME",
        ),
    )


def token_url_of(name: str) -> str:
    """Return the token URL for which a profile was stored."""
    belongs = _read().get(name, {}).get("token_url")
    return str(belongs) if belongs else _WHOS


def _plain(url: str) -> str:
    return url.strip().rstrip("/").lower()


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
        f"{REGISTER_URL}, then run `icdframes login` in a terminal, or set the variables {ENV_CLIENT_ID} and "
        f"{ENV_CLIENT_SECRET}",
        remedy=Remedy(
            "or call icdframes.login() in a notebook, or connect(client_id=..., client_secret=...). Without "
            "registering: connect('files') for the titles and the hierarchy from WHO's published files, "
            "connect('sandbox') for the built-in sample, or connect('local') for WHO's own container on this machine",
            "without registering, give --server files for the titles and the hierarchy from WHO's published files, "
            "--server sandbox for the built-in sample, or --server local for WHO's own container on this machine",
        ),
    )


def save_profile(name: str, credentials: Credentials, token_url: str | None = None) -> str:
    """Keep credentials under a name, for one token URL.

    Parameters
    ----------
    name : str
        Letters, digits, ``.``, ``_`` and ``-``; an existing profile is replaced.
    credentials : Credentials
        What to keep.
    token_url : str, optional
        The only place to which they will be sent; None is WHO's.

    Returns
    -------
    str
        Where the secret is: ``"keyring …"`` or the path of a file.

    Warns
    -----
    CredentialStorageWarning
        If there is no system keyring, so that the secret stands in a file that only you can read.

    """
    _check_name(name)
    profiles = _read()
    belongs = {} if token_url is None or _plain(token_url) == _plain(_WHOS) else {"token_url": token_url}
    keyring = _system_keyring()
    if keyring is not None and _put(keyring, name, credentials.client_secret):
        _write({**profiles, name: {"client_id": credentials.client_id, **belongs}})
        return f"keyring {type(keyring).__module__}"
    secret = {"client_secret": credentials.client_secret}
    _write({**profiles, name: {"client_id": credentials.client_id, **secret, **belongs}})
    warn(
        f"No system keyring is there: the secret of profile {name!r} stands in {_file()}, which only you can read. "
        "pip install 'icdframes[keyring]' where the system has a keyring.",
        CredentialStorageWarning,
    )
    return str(_file())


def load_profile(name: str) -> Credentials | None:
    """Return the credentials kept under a name, or None.

    Raises
    ------
    ConfigurationError
        If the file is broken, or the keyring does not give the secret.

    """
    _check_name(name)
    entry = _read().get(name)
    if entry is None:
        return None
    if not isinstance(entry.get("client_secret"), str | None):
        entry.clear()  # so that a traceback does not show it
        raise ConfigurationError(
            f"The secret of profile {name!r} in {_file()} is no text: put it in quotes, or store the profile again "
            f"with `icdframes login --profile {name}`."
        )
    secret = entry.get("client_secret") or _get(_system_keyring(), name)
    if not secret:
        raise ConfigurationError(
            f"The secret of profile {name!r} should be in the system keyring, which does not give it: "
            "unlock the keyring, or store the profile again with `icdframes login`."
        )
    return Credentials(entry["client_id"], secret)


def delete_profile(name: str) -> None:
    """Forget a profile, in the file and in the keyring."""
    _check_name(name)
    profiles = _read()
    if name not in profiles:
        there = f"give one of {', '.join(profiles)}" if profiles else "none is stored"
        raise ConfigurationError(f"There is no profile {name!r}: {there}.{did_you_mean(name, profiles)}")
    keyring = _system_keyring()
    if keyring is not None and "client_secret" not in profiles[name]:
        with contextlib.suppress(Exception):  # the user may have removed it there already
            keyring.delete_password(SERVICE, name)
    _write({key: entry for key, entry in profiles.items() if key != name})


def list_profiles() -> list[str]:
    """Return the names of all stored profiles, sorted."""
    return sorted(_read())


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no profile name: use up to 64 letters, digits, '.', '_' and '-', beginning with a letter."
        )


def _file() -> Path:
    return config_folder() / "profiles.json"


def _read() -> dict[str, dict[str, str]]:
    path = _file()
    try:
        _tighten(path)
        return {name: _hidden(entry) for name, entry in json.loads(path.read_text("utf-8"))["profiles"].items()}
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise ConfigurationError(
            f"The stored profiles in {path} cannot be read ({fault.strerror}): make the file readable for yourself."
        ) from fault
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # the error below keeps neither this one nor its frames, which show the file
    raise ConfigurationError(
        f"{path} does not hold profiles as icdframes writes them: repair or delete it, "
        "then store them again with `icdframes login`."
    )


def _hidden(entry: dict[str, str]) -> dict[str, str]:
    """Return an entry of the file; of its texts only the client id is shown."""
    if not isinstance(entry["client_id"], str):
        raise TypeError
    return entry | {key: Secret(value) for key, value in entry.items() if key not in _SHOWN and isinstance(value, str)}


def _tighten(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
        warn(
            f"{path} could be read by others; now it cannot. If this machine is shared, "
            "ask WHO for a new key and delete the old one.",
            CredentialStorageWarning,
        )


def _write(profiles: dict[str, dict[str, str]]) -> None:
    path = _file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".profiles-")  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(json.dumps({"profiles": profiles}, indent=2, sort_keys=True))  # no variable for the text
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as fault:
        reason = fault.strerror
    else:
        return
    raise ConfigurationError(  # here, where it does not keep the frames that write
        f"Profiles cannot be stored in {path.parent}: {reason}. Set ICDFRAMES_CONFIG_DIR to another folder."
    )


def _system_keyring() -> Any | None:
    """Return a keyring worth the name, or None."""
    with contextlib.suppress(Exception):  # back ends raise what they like; then there is no keyring
        backend = import_module("keyring").get_keyring()
        return backend if backend.priority >= _RECOMMENDED else None
    return None


def _put(keyring: Any, name: str, secret: str) -> bool:
    with contextlib.suppress(Exception):  # locked, no session bus, …
        keyring.set_password(SERVICE, name, secret)
        return _get(keyring, name) == secret
    return False


def _get(keyring: Any | None, name: str) -> Secret | None:
    with contextlib.suppress(Exception):  # locked, no session bus, …
        return None if keyring is None else mask_secret(keyring.get_password(SERVICE, name))
    return None
