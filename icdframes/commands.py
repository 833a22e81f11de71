"""What each command of the program does; it prints to the screen and returns an exit code."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.errors import REGISTER_URL, ConfigurationError, CredentialsUnavailableError

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client import IcdClient
    from icdframes.transport.credentials import Credentials

_SHOWN_ROWS = 10
_SHOWN_COLUMNS = ("entity_id", "code", "title", "class_kind", "depth", "chapter")


def load(options: Namespace) -> None:
    """Load, write, and show the first rows."""
    from icdframes.frames.export import check_target, to_csv, to_parquet  # noqa: PLC0415  pandas only where needed

    if options.entity is None and not options.all:
        raise ConfigurationError("Which entity? Give a code, id or URI, or --all for the whole classification.")
    if options.entity is not None and options.all:
        raise ConfigurationError(f"Give either {options.entity!r} or --all, not both.")
    target = None if options.out in {None, "-"} else Path(options.out)
    if target:
        check_target(target, overwrite=options.overwrite, suffixes=(".csv", ".parquet"))
    with _connect(options) as client:
        frame = client.load_entity(
            options.entity,
            classification=options.classification,
            release=options.release,
            language=options.language.split(","),
            depth=options.depth,
            include=options.include,
            on_error=options.on_error,
            progress=False if options.quiet else None,
            refresh=options.refresh,
        )
    if options.out == "-":
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    _show(frame)
    if target:
        write = to_parquet if target.suffix == ".parquet" else to_csv
        write(frame, target, overwrite=options.overwrite)
        print(f"{len(frame)} rows written to {target}")
    print(frame.attrs["provenance"]["licence"])


def releases(options: Namespace) -> None:
    """List releases."""
    with _connect(options) as client:
        frame = client.releases(options.classification)
    print(frame[["classification", "release", "date", "languages", "title"]].to_string(index=False))


def sandbox(options: Namespace) -> None:
    """Serve until interrupted."""
    from icdframes.sandbox import serve  # noqa: PLC0415  the server is loaded only where it is wanted

    serve(options.corpus, text=options.text, port=options.port, authenticate=not options.no_auth)


def login(options: Namespace) -> None:
    """Ask for a client id and secret, try them, store them."""
    from icdframes.transport.credentials import Credentials  # noqa: PLC0415
    from icdframes.transport.profiles import delete_profile, save_profile  # noqa: PLC0415

    if options.forget:
        delete_profile(options.profile)
        print(f"Profile {options.profile!r} is forgotten.")
        return
    print(f"A client id and secret are free of charge: {REGISTER_URL}", file=sys.stderr)
    client_id = input("Client id: ")
    credentials = Credentials(client_id, getpass.getpass("Client secret (not shown): "))
    with _connect(options, credentials) as client:
        newest = client.newest_release(refresh=True)
    where = save_profile(options.profile, credentials)
    print(f"Connected to {client.base_url}; ICD-11 {newest} is the newest release. Stored in {where}.")


def status(options: Namespace) -> None:
    """Show what would be used."""
    from icdframes.transport.credentials import find_credentials  # noqa: PLC0415
    from icdframes.transport.profiles import list_profiles  # noqa: PLC0415

    with _connect(options) as client:
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
    from icdframes.connection import connect  # noqa: PLC0415

    with connect("local", cache_dir=options.cache_dir) as client:
        if options.action == "clear":
            print(f"{client.clear_cache()} answers and all snapshots forgotten")
        _show_cache(client)


def _connect(options: Namespace, credentials: Credentials | None = None) -> IcdClient:
    from icdframes.connection import connect  # noqa: PLC0415  loads the transport, which --help does without

    return connect(
        options.server,
        token_url=options.token_url,
        profile=options.profile,
        cache_dir=options.cache_dir,
        offline=options.offline,
        client_id=credentials.client_id if credentials else None,
        client_secret=credentials.client_secret if credentials else None,
    )


def _show(frame: pd.DataFrame) -> None:
    shown = frame[[name for name in _SHOWN_COLUMNS if name in frame]].head(_SHOWN_ROWS)
    shown = shown.assign(title=shown["title"].str.slice(0, 60))
    print(shown.to_string(index=False, na_rep=""))
    if len(frame) > len(shown):
        print(f"… {len(frame)} rows in all")


def _show_cache(client: IcdClient) -> None:
    info = client.cache_info()
    print(f"cache        {info.path}: {info.answers} answers, {info.bytes / 1e6:.1f} MB")
