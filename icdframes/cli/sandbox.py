"""``icdframes sandbox``: serve the sample, or a corpus of your own, on this machine."""

from __future__ import annotations

from argparse import Namespace

from icdframes.cli.options import Commands, add_command, whole_number

_EXAMPLES = """
icdframes sandbox --port 8011
icdframes sandbox --no-auth
icdframes sandbox --corpus SimpleTabulation-ICD-11-MMS-en.zip
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    sandbox = add_command(commands, "sandbox", run, "serve the sample, or your own corpus", _EXAMPLES)
    sandbox.add_argument("--port", type=whole_number, default=0, metavar="N", help="0 is any free port (0)")
    sandbox.add_argument("--no-auth", action="store_true", help="behave like WHO's local container")
    sandbox.add_argument("--corpus", metavar="PATH", help="folder written by icdframes, WHO's tabulation, or raw JSON")
    sandbox.add_argument("--text", metavar="PATH", help="JSON Lines with definitions, beside a tabulation")


def run(options: Namespace) -> None:
    """Serve until interrupted."""
    from icdframes.sandbox import serve  # noqa: PLC0415  the server is loaded only where it is wanted

    serve(options.corpus, text=options.text, port=options.port, authenticate=not options.no_auth)
