"""``icdframes annotate``: add titles, chapters and the like to a file with a column of codes."""

from __future__ import annotations

import sys
from argparse import Namespace

from icdframes.cli.options import (
    CLASSIFICATION_HELP,
    Commands,
    add_command,
    add_input_options,
    add_output_options,
    add_server_options,
)
from icdframes.cli.tables import read_user_table, show_or_write, tables_of, target_of

_EXAMPLES = """
icdframes annotate deaths.csv --code dx --out annotated.csv
icdframes annotate deaths.parquet --code dx --add title,chapter_title --tables mms-2024-01
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    annotate = add_command(commands, "annotate", run, "add titles to a file with codes", _EXAMPLES)
    add_input_options(annotate)
    annotate.add_argument(
        "--add", default="title,chapter,block", metavar="COLUMNS", help="what to add (title,chapter,block)"
    )
    annotate.add_argument(
        "--unknown", default="flag", metavar="WHAT", help="codes not found: flag, raise or drop (flag)"
    )
    annotate.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    annotate.add_argument("--tables", metavar="PATH", help="folder written by icdframes, or WHO's tabulation, instead")
    annotate.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    add_output_options(annotate)
    add_server_options(annotate)


def run(options: Namespace) -> None:
    """Annotate, write or show, and report what matched."""
    from icdframes.analysis.annotate import annotate, match_report  # noqa: PLC0415  pandas only where needed

    target = target_of(options)
    frame = read_user_table(options)
    tables = tables_of(options, options.release, folder=options.tables)
    result = annotate(frame, tables, code=options.code, add=options.add.split(","), unknown=options.unknown)
    show_or_write(result, options, target)
    report = match_report(frame, tables, code=options.code)
    print(report[report["n_rows"] > 0].to_string(index=False, na_rep=""), file=sys.stderr)
