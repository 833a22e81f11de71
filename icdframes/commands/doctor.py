"""``doctor`` and ``completion``: help with the installation itself."""

from __future__ import annotations

import importlib.util
import platform
import re
from argparse import Namespace
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version

import icdframes
from icdframes.commands import connect
from icdframes.errors import IcdError, MissingExtraError, ServerError
from icdframes.settings import cache_folder

_WORST_CLOCK = 60.0


def doctor(options: Namespace) -> None:
    """Check versions, cache, credentials, server and clock, a line each; exit 1 where something is wrong."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("versions", _versions),
        ("optional", _optional),
        ("cache", lambda: _cache(options)),
        ("credentials", lambda: _credentials(options)),
        ("server", lambda: _server(options)),
    ]
    wrong = 0
    for name, check in checks:
        try:
            print(f"ok     {name:<12} {check()}")
        except IcdError as error:
            wrong += 1
            print(f"WRONG  {name:<12} {' '.join(str(error).split())}")
    if wrong:
        raise ServerError(f"{wrong} of {len(checks)} checks failed; the lines above say what to do.")


def completion(options: Namespace) -> None:
    """Print a completion script."""
    if importlib.util.find_spec("shtab") is None:
        raise MissingExtraError("A completion script", "completion")
    import shtab  # noqa: PLC0415  optional

    print(shtab.complete(options.program, shell=options.shell))


def _versions() -> str:
    found = ", ".join(f"{name} {version(name)}" for name in _required(lambda line: "extra ==" not in line))
    return f"icdframes {icdframes.__version__}, Python {platform.python_version()}, {found}"


def _optional() -> str:
    found = []
    for name in _required(lambda line: re.search("extra == .all.", line) is not None):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} no")
    return ", ".join(found)


def _required(belongs: Callable[[str], bool]) -> list[str]:
    """Give the names of the packages that the installed icdframes asks for."""
    return re.findall(r"^[\w.-]+", "\n".join(filter(belongs, requires("icdframes") or ())), re.MULTILINE)


def _cache(options: Namespace) -> str:
    with connect(options) as client:
        info = client.cache_info()
    if info.path is None:
        raise ServerError(f"No cache can be kept in {options.cache_dir or cache_folder()}: give another folder.")
    return f"{info.path}: {info.answers} answers, {info.bytes / 1e6:.1f} MB"


def _credentials(options: Namespace) -> str:
    from icdframes.transport.credentials import find_credentials  # noqa: PLC0415

    with connect(options) as client:
        if client.server.name == "sandbox" or not client.server.needs_token:
            return "not needed here"
    return f"client id {find_credentials(profile=options.profile).masked_id}"


def _server(options: Namespace) -> str:
    with connect(options) as client:
        newest = client.newest_release(refresh=not options.offline)
        lead = client.clock_lead or 0.0
    if abs(lead) > _WORST_CLOCK:
        raise ServerError(f"This machine's clock is {lead:+.0f} s off the server's: set it, or tokens seem dead.")
    return f"{client.base_url}, ICD-11 {newest} is the newest release, clocks agree within {abs(lead):.0f} s"
