"""``login``, ``status``, ``cache``: what is yours on this machine."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

import icdframes
from icdframes.cli.output import connect, size_text
from icdframes.errors import REGISTER_URL, CredentialsUnavailableError

if TYPE_CHECKING:
    from icdframes.client.icd_client import IcdClient


def login(options: Namespace) -> None:
    """Ask for a client id and secret, try them, store them."""
    from icdframes.transport.profiles import delete_profile, save_profile  # noqa: PLC0415
    from icdframes.transport.secrets import Credentials, Secret  # noqa: PLC0415

    if options.forget:
        delete_profile(options.profile)
        print(f"Profile {options.profile!r} is forgotten.")
        return
    print(f"A client id and secret are free of charge: {REGISTER_URL}", file=sys.stderr)
    client_id = input("Client id: ")
    credentials = Credentials(client_id, Secret(getpass.getpass("Client secret (not shown): ")))
    with connect(options, credentials) as client:
        newest = client.newest_release(refresh=True)
    where = save_profile(options.profile, credentials)
    print(f"Connected to {client.base_url}; ICD-11 {newest} is the newest release. Stored in {where}.")


def status(options: Namespace) -> None:
    """Show what would be used."""
    from icdframes.transport.profiles import find_credentials, list_profiles  # noqa: PLC0415

    with connect(options) as client:
        print(f"server       {client.server.name}  {client.base_url}")
        if client.server.name == "sandbox":
            print("credentials  the sandbox's own")
        elif not client.server.needs_token:
            print("credentials  not needed")
        else:
            try:
                print(f"credentials  client id {find_credentials(profile=options.profile).masked_id}")
            except CredentialsUnavailableError:
                print(f"credentials  none found; register at {REGISTER_URL}, then run: icdframes login")
        print(f"profiles     {', '.join(list_profiles()) or 'none'}")
        _show_cache(client)
        if options.check:
            print(f"newest       ICD-11 MMS {client.newest_release(refresh=True)}")


def cache(options: Namespace) -> None:
    """Show or empty the cache."""
    with icdframes.connect("local", cache_dir=options.cache_dir) as client:
        if options.action == "clear":
            print(f"{client.clear_cache()} answers and all snapshots forgotten")
        _show_cache(client)


def _show_cache(client: IcdClient) -> None:
    print(f"cache        {size_text(client.cache_info())}")
