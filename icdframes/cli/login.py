"""``icdframes login`` and ``icdframes status``: store a client id and secret, and show what is used."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace

from icdframes.cli.options import Commands, add_command, add_server_options
from icdframes.cli.tables import connect, size_text
from icdframes.errors import REGISTER_URL, CredentialsUnavailableError

_LOGIN_EXAMPLES = """
icdframes login
icdframes login --profile work
icdframes login --server https://icd.example.org --token-url https://icd.example.org/connect/token --profile ours
icdframes login --forget --profile work
"""
_STATUS_EXAMPLES = """
icdframes status
icdframes status --check --server sandbox
"""


def add_parser(commands: Commands) -> None:
    """Add both commands to the program."""
    login = add_command(commands, "login", run_login, "store a client id and secret", _LOGIN_EXAMPLES)
    login.add_argument("--forget", action="store_true", help="forget the profile instead")
    add_server_options(login)
    status = add_command(commands, "status", run_status, "show server, credentials and cache", _STATUS_EXAMPLES)
    status.add_argument("--check", action="store_true", help="ask the server for its newest release")
    add_server_options(status)


def run_login(options: Namespace) -> None:
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
    where = save_profile(options.profile, credentials, client.server.token_url)
    print(f"Connected to {client.base_url}; ICD-11 {newest} is the newest release. Stored in {where}.")


def run_status(options: Namespace) -> None:
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
                found = find_credentials(profile=options.profile, token_url=client.server.token_url)
                print(f"credentials  client id {found.masked_id}")
            except CredentialsUnavailableError:
                print(f"credentials  none found for it; register at {REGISTER_URL}, then run: icdframes login")
        print(f"profiles     {', '.join(list_profiles()) or 'none'}")
        print(f"cache        {size_text(client.cache_info())}")
        if options.check:
            print(f"newest       ICD-11 MMS {client.newest_release(refresh=True)}")
