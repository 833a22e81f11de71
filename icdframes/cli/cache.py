"""``icdframes cache``: look at the cache folder, or empty it."""

from __future__ import annotations

from argparse import Namespace

import icdframes
from icdframes.cli.options import CACHE_HELP, Commands, add_command
from icdframes.cli.output import size_text

_EXAMPLES = """
icdframes cache info
icdframes cache clear
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    cache = add_command(commands, "cache", run, "look at the cache, or empty it", _EXAMPLES)
    cache.add_argument("action", choices=("info", "clear"))
    cache.add_argument("--cache-dir", metavar="FOLDER", help=CACHE_HELP)


def run(options: Namespace) -> None:
    """Show or empty the cache."""
    with icdframes.connect("local", cache_dir=options.cache_dir) as client:
        if options.action == "clear":
            print(f"{client.clear_cache()} answers and all snapshots forgotten")
        print(f"cache        {size_text(client.cache_info())}")
