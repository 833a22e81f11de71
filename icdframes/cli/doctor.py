"""``icdframes doctor``: check the installation, the cache, the credentials and the server."""

from __future__ import annotations

import platform
import re
import tempfile
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import icdframes
from icdframes.cli.options import Commands, add_command, add_server_options, sentence_of
from icdframes.cli.tables import connect, size_text
from icdframes.errors import ConfigurationError, CredentialsRejectedError, EntityNotFoundError, IcdError
from icdframes.settings import cache_folder, server_named

_WORST_CLOCK = 60.0
_EXAMPLES = """
icdframes doctor
icdframes doctor --server http://localhost:6382
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    add_server_options(add_command(commands, "doctor", run, "look for what is wrong", _EXAMPLES))


def run(options: Namespace) -> None:
    """Check versions, cache, credentials, server, clock and sign-in, a line each; exit 1 where something is wrong."""
    wrong = set[str]()
    for name, check in _CHECKS.items():
        if wrong & _NEEDS.get(name, set()) or (options.offline and name in _ONLINE):
            print(f"-      {name:<12} not tried")
            continue
        try:
            print(f"ok     {name:<12} {check(options)}")
        except IcdError as error:
            wrong.add(name)
            print(f"WRONG  {name:<12} {sentence_of(error)}")
    if wrong:
        raise IcdError(f"{len(wrong)} of {len(_CHECKS)} checks failed; the lines above say what to do.")


def _versions(_options: Namespace) -> str:
    found = ", ".join(f"{name} {version(name)}" for name in _required(lambda line: "extra ==" not in line))
    return f"icdframes {icdframes.__version__}, Python {platform.python_version()}, {found}"


def _optional(_options: Namespace) -> str:
    found = []
    for name in _required(lambda line: re.search("extra == .all.", line) is not None):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} no")
    return ", ".join(found)


def _required(belongs: Callable[[str], bool]) -> list[str]:
    """Return the names of the packages that the installed icdframes asks for."""
    return re.findall(r"^[\w.-]+", "\n".join(filter(belongs, requires("icdframes") or ())), re.MULTILINE)


def _cache(options: Namespace) -> str:
    with connect(options) as client:
        info = client.cache_info()
    if info.path is None:
        raise ConfigurationError(f"No cache can be kept in {options.cache_dir or cache_folder()}: give another folder.")
    return size_text(info)


def _credentials(options: Namespace) -> str:
    from icdframes.transport.profiles import find_credentials  # noqa: PLC0415

    with connect(options) as client:
        if client.server.name == "sandbox" or not client.server.needs_token:
            return "not needed here"
        token_url = client.server.token_url
    return f"client id {find_credentials(profile=options.profile, token_url=token_url).masked_id}"


def _server(options: Namespace) -> str:
    url, options.clock_lead = _answer(options)
    sample = (
        "; it serves a small sample, not WHO's whole classifications"
        if server_named(options.server) == "sandbox"
        else ""
    )
    return f"{url} answers{sample}"


def _clock(options: Namespace) -> str:
    lead = options.clock_lead  # which `_server` has found out
    if abs(lead) > _WORST_CLOCK:
        raise ConfigurationError(
            f"This machine's clock is {lead:+.0f} s off the server's: set it, or tokens seem dead."
        )
    return f"agrees with the server's within {abs(lead):.0f} s"


def _answer(options: Namespace) -> tuple[str, float]:
    """Ask without credentials: any answer shows that the server is there, and what its clock says."""
    from icdframes.transport.profiles import find_credentials  # noqa: PLC0415
    from icdframes.transport.session import ApiSession  # noqa: PLC0415

    with connect(options) as client:
        unsigned = replace(client.server, token_url=None)
    with (
        tempfile.TemporaryDirectory() as folder,
        ApiSession(unsigned, find_credentials, cache_dir=Path(folder), retries=0) as session,
    ):
        with suppress(CredentialsRejectedError, EntityNotFoundError):
            session.get_json("/icd/release/11/mms")
        return unsigned.base_url, session.clock_lead or 0.0


def _sign_in(options: Namespace) -> str:
    with connect(options) as client:
        return f"ICD-11 {client.newest_release(refresh=True)} is the newest release"


_CHECKS: dict[str, Callable[[Namespace], str]] = {
    "versions": _versions,
    "optional": _optional,
    "cache": _cache,
    "credentials": _credentials,
    "server": _server,
    "clock": _clock,
    "sign-in": _sign_in,
}
_ONLINE = ("server", "clock", "sign-in")
_NEEDS = {"clock": {"server"}, "sign-in": {"credentials", "server"}}
