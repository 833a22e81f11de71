"""``icdframes cache``: look at the cache folder, prune or empty it."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace

import icdframes
from icdframes.cli.options import CACHE_HELP, Commands, add_command
from icdframes.cli.tables import size_text

_EXAMPLES = """
icdframes cache info
icdframes cache prune --older-than 30 --keep 500MB
icdframes cache clear
"""
_UNITS = {"": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?B)?", re.IGNORECASE)


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    cache = add_command(commands, "cache", run, "look at the cache, prune or empty it", _EXAMPLES)
    cache.add_argument("action", choices=("info", "prune", "clear"))
    cache.add_argument(
        "--older-than", type=float, default=90, metavar="DAYS", help="prune: what was kept so long ago goes (90)"
    )
    cache.add_argument("--keep", type=_bytes, metavar="SIZE", help="prune: what is oldest goes until so much is left")
    cache.add_argument("--cache-dir", metavar="FOLDER", help=CACHE_HELP)


def run(options: Namespace) -> None:
    """Show the cache, remove what is old, or empty it."""
    with icdframes.connect("local", cache_dir=options.cache_dir) as client:
        if options.action == "clear":
            print(f"{client.clear_cache()} answers and all snapshots forgotten")
        if options.action == "prune":
            client.prune_cache(older_than=options.older_than, keep=options.keep)
        print(f"cache        {size_text(client.cache_info())}")


def _bytes(text: str) -> int:
    """Read a size such as ``500MB``."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ArgumentTypeError(f"{text!r} is no size: write it like 500MB or 2GB")
    return int(float(found[1]) * _UNITS[(found[2] or "").upper().removeprefix("B")])
