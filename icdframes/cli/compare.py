"""``icdframes compare``: show what changed between two releases."""

from __future__ import annotations

import sys
from argparse import Namespace

from icdframes.cli.options import CLASSIFICATION_HELP, Commands, add_command, add_output_options, add_server_options
from icdframes.cli.tables import show_or_write, tables_of, target_of
from icdframes.errors import ConfigurationError

_SHOWN = ("change", "old_code", "new_code", "old_title", "new_title")
_EXAMPLES = """
icdframes compare 2022-02 2024-01 --out changes.csv
icdframes compare old-tabulation.zip new-tabulation.zip
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    compare = add_command(commands, "compare", run, "show what changed between two releases", _EXAMPLES)
    compare.add_argument("old", metavar="OLD", help="release id, folder written by icdframes, or WHO's tabulation")
    compare.add_argument("new", metavar="NEW", help="likewise")
    compare.add_argument("--wide", action="store_true", help="show every column")
    compare.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    add_output_options(compare)
    add_server_options(compare)


def run(options: Namespace) -> None:
    """Compare, count the changes, and write or show them."""
    from icdframes.analysis.compare import compare_releases  # noqa: PLC0415  pandas only where needed

    if not (options.old and options.new):
        raise ConfigurationError(
            "Which releases? Give OLD and NEW, each a release id, a folder written by icdframes, or WHO's tabulation."
        )
    target = target_of(options)
    changes = compare_releases(tables_of(options, options.old), tables_of(options, options.new))
    if changes.empty:
        print(f"Nothing changed between {options.old} and {options.new}.", file=sys.stderr)
        if options.out is None:
            return
    else:
        print(changes["change"].value_counts().rename_axis("change").to_string(), file=sys.stderr)
    show_or_write(changes, options, target, () if options.wide else _SHOWN)
