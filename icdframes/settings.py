"""Read from the environment which server and which folders to use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from icdframes.errors import ConfigurationError, Remedy, did_you_mean

ENV_SERVER = "ICD_SERVER"
ENV_CLIENT_ID = "ICD_CLIENT_ID"
ENV_CLIENT_SECRET = "ICD_CLIENT_SECRET"  # noqa: S105  the variable's name, not a secret
ENV_TOKEN_URL = "ICD_TOKEN_URL"  # noqa: S105  the variable's name, not a secret
ENV_FILES_URL = "ICD_FILES_URL"
ENV_CACHE_DIR = "ICDFRAMES_CACHE_DIR"
ENV_CONFIG_DIR = "ICDFRAMES_CONFIG_DIR"

SCOPE = "icdapi_access"
API_VERSION = "v2"
LICENCE = (
    "International Classification of Diseases Eleventh Revision (ICD-11), "
    "Geneva: World Health Organization, licence CC BY-ND 3.0 IGO"
)
_WHO_TERMS = "used under WHO's terms for its classifications"
_ICD10 = (
    "International Statistical Classification of Diseases and Related Health Problems, Tenth Revision (ICD-10), "
    f"Geneva: World Health Organization, {_WHO_TERMS}"
)
_ICF = (
    "International Classification of Functioning, Disability and Health (ICF), "
    f"Geneva: World Health Organization, {_WHO_TERMS}"
)
_ICHI = f"International Classification of Health Interventions (ICHI), Geneva: World Health Organization, {_WHO_TERMS}"
CLASSIFICATIONS = ("mms", "icf", "foundation", "icd10")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_URL = re.compile(r"[A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]+")  # what RFC 3986 allows, without "?" and "#"


@dataclass(frozen=True, slots=True)
class Server:
    """Where an ICD API answers and where its tokens come from.

    Attributes
    ----------
    name : str
        ``"who"``, ``"local"``, ``"files"``, ``"sandbox"`` or ``"custom"``.
    base_url : str
        Scheme and host (and a path prefix, if any), without a final slash.
    token_url : str or None
        Token endpoint; None means that the server asks for no authentication.
    identity : str or None
        What stands for the server in the cache, where its content is known and its address is not;
        None is the base URL.

    """

    name: str
    base_url: str
    token_url: str | None = None
    identity: str | None = None

    @property
    def needs_token(self) -> bool:
        """Whether requests must carry a bearer token."""
        return self.token_url is not None


WHO = Server("who", "https://id.who.int", "https://icdaccessmanagement.who.int/connect/token")
LOCAL = Server("local", "http://localhost")
WHO_FILES_URL = "https://icdcdn.who.int"
_NAMED = {"who": WHO, "local": LOCAL}


def server_named(server: str | None) -> str:
    """Return the name or URL that is meant: what is given, else what ``ICD_SERVER`` says, else WHO's."""
    return str(server or os.environ.get(ENV_SERVER) or WHO.name).strip()


def resolve_server(server: str | None, token_url: str | None = None) -> Server:
    """Turn a name or a base URL into a `Server`; ``"sandbox"`` is not started here."""
    text = server_named(server)
    token_url = token_url or (os.environ.get(ENV_TOKEN_URL) if server is None else None)
    if text in _NAMED:
        named = _NAMED[text]
        return Server(
            named.name, named.base_url, _checked_url(token_url, "token URL") if token_url else named.token_url
        )
    if text == "files":
        return Server("files", files_url())
    if "://" not in text:
        names = (*_NAMED, "files", "sandbox")
        raise ConfigurationError(
            f"Unknown server {text!r}: give one of {', '.join(names)}, or a base URL such as "
            f"http://localhost:8080.{did_you_mean(text, names)}"
        )
    base = _checked_url(text, "server URL")
    checked = _checked_url(token_url, "token URL") if token_url else None
    if checked and urlsplit(base).scheme == "http" and not is_loopback(base):
        raise ConfigurationError(
            f"Refusing to send a token to {base} over plain http: use https, or name no token URL "
            "for a local deployment without authentication."
        )
    return Server("custom", base, checked)


def files_url() -> str:
    """Return where WHO's published files are: what ``ICD_FILES_URL`` names, such as a hospital's mirror, else WHO's."""
    return _checked_url(os.environ.get(ENV_FILES_URL) or WHO_FILES_URL, f"address in {ENV_FILES_URL}")


def is_loopback(url: str) -> bool:
    """Return whether a URL points to this machine."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def licence_of(classification: str) -> str:
    """Return the line that names source and licence of a classification."""
    return {"icd10": _ICD10, "icf": _ICF, "ichi": _ICHI}.get(classification, LICENCE)


def cache_folder() -> Path:
    """Return the default cache folder; nothing is created."""
    return Path(os.environ.get(ENV_CACHE_DIR) or platformdirs.user_cache_dir("icdframes", appauthor=False))


def config_folder() -> Path:
    """Return the folder of stored profiles; nothing is created."""
    return Path(os.environ.get(ENV_CONFIG_DIR) or platformdirs.user_config_dir("icdframes", appauthor=False))


def _checked_url(text: str, what: str) -> str:
    """Return a URL with scheme and host in lower case; what could be read in two ways is refused."""
    text = str(text).strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no {what}: its host or port cannot be read, write https://host:port."
        ) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"{text!r} is no {what}: it must begin with https:// (or http:// on this machine).")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"The {what} must not hold a user name or password",
            remedy=Remedy("give client_id and client_secret", "store your client id and secret with `icdframes login`"),
        )
    if not _URL.fullmatch(text):
        raise ConfigurationError(
            f"{text!r} is no {what}: it is a host and perhaps a path in plain ASCII (a host with other letters in its "
            "form xn--…), without a query and without blanks."
        )
    if what == "token URL" and parts.scheme == "http" and not is_loopback(text):
        raise ConfigurationError(f"Refusing to send a secret to {host} over plain http: use https.")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}".rstrip("/")
