"""``icdframes releases``: list the releases of a classification."""

from __future__ import annotations

from argparse import Namespace

from icdframes.cli.options import CLASSIFICATION_HELP, Commands, add_command, add_server_options
from icdframes.cli.tables import connect

_COLUMNS = ["classification", "release", "date", "languages", "title"]
_EXAMPLES = """
icdframes releases
icdframes releases --classification icd10 --server sandbox
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    releases = add_command(commands, "releases", run, "list the releases", _EXAMPLES)
    releases.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    add_server_options(releases)


def run(options: Namespace) -> None:
    """List releases."""
    with connect(options) as client:
        frame = client.releases(options.classification)
    print(frame[_COLUMNS].to_string(index=False))
