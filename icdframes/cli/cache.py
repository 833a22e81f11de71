"""``icdframes cache``: look at the cache folder, or empty it."""

from __future__ import annotations

from argparse import Namespace

import icdframes
from icdframes.cli.options import CACHE_HELP, Commands, add_command
from icdframes.cli.output import size_text

_EXAMPLES = """
icdframes cache info
icdframes cache prune --unused-days 30
icdframes cache clear
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    cache = add_command(commands, "cache", run, "look at the cache, or empty it", _EXAMPLES)
    cache.add_argument("action", choices=("info", "prune", "clear"))
    cache.add_argument(
        "--unused-days", type=float, default=90, metavar="N", help="prune: files not used for so many days (90)"
    )
    cache.add_argument("--cache-dir", metavar="FOLDER", help=CACHE_HELP)


def run(options: Namespace) -> None:
    """Show the cache, empty it, or remove downloads that are not used."""
    with icdframes.connect("local", cache_dir=options.cache_dir) as client:
        if options.action == "clear":
            print(f"{client.clear_cache()} answers and all snapshots forgotten")
        if options.action == "prune":
            removed = client.prune_downloads(unused_days=options.unused_days)
            print(f"{len(removed)} downloaded files removed")
        print(f"cache        {size_text(client.cache_info())}")
