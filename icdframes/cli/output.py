"""Connect, show a table and write it: what the commands share."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.frames.atomic import check_target

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.icd_client import IcdClient
    from icdframes.transport.cache import CacheInfo
    from icdframes.transport.secrets import Credentials

_SHOWN_ROWS = 10
_LONGEST_CELL, _SHORTEST_CELL = 60, 16
_WIDEST_TABLE = 160  # where it is not shown in a terminal
SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet")


def connect(options: Namespace, credentials: Credentials | None = None) -> IcdClient:
    """Connect as the options of the command line say."""
    from icdframes.functions import connect  # noqa: PLC0415  loads the transport, which --help does without

    return connect(
        options.server,
        token_url=options.token_url,
        profile=options.profile,
        cache_dir=options.cache_dir,
        offline=options.offline,
        client_id=credentials.client_id if credentials else None,
        client_secret=credentials.client_secret if credentials else None,
    )


def show(frame: pd.DataFrame, columns: tuple[str, ...] = ()) -> None:
    """Print the first rows, texts cut so that a terminal holds them, and below them the messages of the server."""
    from icdframes.frames.pandas_compat import is_text  # noqa: PLC0415  pandas only where needed

    shown = frame[[name for name in columns if name in frame]] if columns else frame
    shown = shown.head(_SHOWN_ROWS)
    answers = zip(shown[shown.columns[0]], shown["message"], strict=True) if "message" in shown else ()
    messages = [
        f"{value}: {message.removeprefix(f'{value!r}: ')}" for value, message in answers if isinstance(message, str)
    ]
    shown = shown.drop(columns="message", errors="ignore")
    texts = [str(name) for name, cells in shown.items() if is_text(cells.dtype)]
    room = shutil.get_terminal_size((_WIDEST_TABLE, 24)).columns
    longest, lines = _LONGEST_CELL, _lines(shown, texts, _LONGEST_CELL)
    while len(lines[0]) > room and longest > _SHORTEST_CELL:
        longest -= 4
        lines = _lines(shown, texts, longest)
    print("\n".join(lines))
    if len(frame) > len(shown):
        print(f"… {len(frame)} rows in all")
    for message in messages:
        print(message)


def _lines(frame: pd.DataFrame, texts: list[str], longest: int) -> list[str]:
    """Return a table as lines, with its columns of texts cut."""
    table = frame.assign(**{name: frame[name].map(partial(_cut, longest=longest)) for name in texts})
    return str(table.to_string(index=False, na_rep="")).splitlines()


def _cut(text: object, longest: int) -> object:
    """Return a text that is no longer than that; a code or an address, which has no blank, stays whole."""
    if isinstance(text, str) and len(text) > longest and " " in text:
        return f"{text[: longest - 1].rstrip()}…"
    return text


def size_text(info: CacheInfo) -> str:
    """Return where the cache is and how large."""
    return (
        f"{info.path}: {info.answers} answers, {info.bytes / 1e6:.1f} MB; "
        f"{info.snapshots} snapshots, {info.snapshot_bytes / 1e6:.1f} MB; "
        f"{info.downloads} downloads, {info.download_bytes / 1e6:.1f} MB"
    )


def target_of(options: Namespace) -> Path | None:
    """Return the file to write, checked before any work is done; None for the screen or standard output."""
    if options.out in {None, "-"}:
        return None
    target = Path(options.out)
    check_target(target, overwrite=options.overwrite, suffixes=SUFFIXES)
    return target


def print_csv(frame: pd.DataFrame, options: Namespace) -> None:
    """Print a table as CSV."""
    from icdframes.frames.files import defused  # noqa: PLC0415  pandas only where needed

    shown = defused(frame) if options.safe_for_spreadsheets else frame
    shown.to_csv(sys.stdout, sep=getattr(options, "sep", None) or ",", index=False, lineterminator="\n")


def write(frame: pd.DataFrame, target: Path, options: Namespace) -> None:
    """Write a table and say so."""
    from icdframes.frames.files import to_csv, to_excel, to_parquet  # noqa: PLC0415  pandas only where needed

    if target.suffix == ".parquet":
        to_parquet(frame, target, overwrite=options.overwrite)
    elif target.suffix == ".xlsx":
        to_excel(frame, target, overwrite=options.overwrite)
    else:
        to_csv(
            frame,
            target,
            overwrite=options.overwrite,
            safe_for_spreadsheets=options.safe_for_spreadsheets,
            sep="\t" if target.suffix == ".tsv" else getattr(options, "sep", None) or ",",
            encoding=getattr(options, "encoding", None) or "utf-8",
        )
    print(f"{len(frame)} rows written to {target}")


def show_or_write(frame: pd.DataFrame, options: Namespace, target: Path | None, columns: tuple[str, ...] = ()) -> None:
    """Write a table to the target or to standard output, or show its first rows and the named columns."""
    if options.out == "-":
        print_csv(frame, options)
    elif target:
        write(frame, target, options)
    else:
        show(frame, columns)
