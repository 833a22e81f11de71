"""``icdframes download``: get WHO's own files, without an account."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

import icdframes
from icdframes.cli.options import CACHE_HELP, CLASSIFICATION_HELP, Commands, add_command
from icdframes.errors import ExportError

_EXAMPLES = """
icdframes download
icdframes download --classification icf --release 2026-01 --language fr
icdframes download --out mms.zip
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    download = add_command(
        commands, "download", run, "get WHO's file of a classification, without an account", _EXAMPLES
    )
    download.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    download.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    download.add_argument("--language", default="en", metavar="CODE", help="such as es (en)")
    download.add_argument("--refresh", action="store_true", help="ask whether the file has changed")
    download.add_argument("--out", metavar="FILE", help="copy it there too")
    download.add_argument("--overwrite", action="store_true", help="replace FILE")
    download.add_argument("--cache-dir", metavar="FOLDER", help=CACHE_HELP)
    download.add_argument("--offline", action="store_true", help="answer from the cache only")


def run(options: Namespace) -> None:
    """Download a file, and say where it is."""
    target = Path(options.out) if options.out else None
    if target and target.exists() and not options.overwrite:
        raise ExportError(f"{target} exists already: give --overwrite to replace it, or another name.")
    with icdframes.connect("files", cache_dir=options.cache_dir, offline=options.offline) as client:
        path = client.download(
            options.classification, release=options.release, language=options.language, refresh=options.refresh
        )
    if target:
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise ExportError(f"Could not write {target}: {error.strerror or error}.") from error
    print(target or path)
