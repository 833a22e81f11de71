"""Connect, read the tables that the commands take, and show or write those that they make."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.errors import ConfigurationError, did_you_mean
from icdframes.frames.atomic import check_target

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables
    from icdframes.transport.cache import CacheInfo
    from icdframes.transport.secrets import Credentials


_SHOWN_ROWS = 10
_LONGEST_CELL, _SHORTEST_CELL = 60, 16
_WIDEST_TABLE = 160  # where it is not shown in a terminal
SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet")


def read_user_table(options: Namespace) -> pd.DataFrame:
    """Read ``options.file`` and check that it has the column ``options.code``."""
    from icdframes.frames.files import SIDECAR, read_frame  # noqa: PLC0415  pandas only where needed
    from icdframes.frames.user_table import TEXT_SUFFIXES, text_format  # noqa: PLC0415

    file = Path(options.file)
    frame = read_frame(file, sep=options.sep, encoding=options.encoding)
    if file.suffix.lower() in TEXT_SUFFIXES and not file.with_name(file.name + SIDECAR).is_file():
        form = text_format(file, sep=options.sep, encoding=options.encoding)
        options.sep = form.sep
        options.encoding = options.encoding or ("utf-8-sig" if form.encoding != "utf-8" else "utf-8")
    if options.code not in frame:
        raise ConfigurationError(
            f"{options.file} has no column {options.code!r}: name one with {options.column_option}, it has "
            f"{', '.join(frame.columns)}.{did_you_mean(options.code, frame.columns)}"
        )
    return frame


def tables_of(options: Namespace, release: str | None, *, folder: str | None = None) -> EntityTables:
    """Return the tables of a release, or those in a folder or WHO file that is named instead."""
    from icdframes.files.tabulation import read_tabulation  # noqa: PLC0415
    from icdframes.frames.entity_tables import read_tables  # noqa: PLC0415  pandas only where needed

    place = folder or release
    if place and Path(place).is_dir():
        return read_tables(Path(place))
    if place and Path(place).is_file():
        return read_tabulation(place)
    if folder or (place and (Path(place).suffix or len(Path(place).parts) > 1)):
        advice = "" if folder else ", or give a release id such as 2024-01"
        raise ConfigurationError(f"There is no file or folder {place}: check its name{advice}.")
    with connect(options) as client:
        tables = client.load_tables(classification=options.classification, release=place)
        if client.server.name == "sandbox":
            from icdframes.sandbox.sample import sample_note  # noqa: PLC0415  only where the sandbox is in use

            _say_once(options, sample_note(options.classification, tables.provenance.release))
        return tables


def _say_once(options: Namespace, note: str) -> None:
    """Print a sentence that is true of both releases of a comparison for the first of them."""
    if note not in (said := vars(options).setdefault("said", [])):
        said.append(note)
        print(note, file=sys.stderr)


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
