"""``icdframes check``: check the codes and clusters in a file against a release."""

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

_SHOWN = ("value", "reading", "known", "valid", "reason", "advice")
_EXAMPLES = """
icdframes check codes.csv --release 2024-01
icdframes check deaths.csv --code dx --tables mms-2024-01 --others mms-2022-02 --out checked.csv
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    check = add_command(commands, "check", run, "check the codes and clusters in a file", _EXAMPLES)
    add_input_options(check)
    check.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    check.add_argument("--tables", metavar="PATH", help="folder written by icdframes, or WHO's tabulation, instead")
    check.add_argument("--others", metavar="PLACES", help="releases or tables in which unknown codes are looked for")
    check.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    add_output_options(check)
    add_server_options(check)


def run(options: Namespace) -> None:
    """Check each distinct code once, write or show, and count."""
    from icdframes.coding.checks import check_codes  # noqa: PLC0415  pandas only where needed

    target = target_of(options)
    codes = read_user_table(options)[options.code].drop_duplicates()
    tables = tables_of(options, options.release, folder=options.tables)
    others = [tables_of(options, place) for place in (options.others or "").split(",") if place]
    checked = check_codes(codes, tables, others=others)
    show_or_write(checked, options, target, _SHOWN)
    counts = {
        "valid": int(checked["valid"].fillna(value=False).sum()),
        "not valid": int((~checked["valid"].fillna(value=True)).sum()),
        "not checked": int((checked["valid"].isna() & checked["reading"].ne("missing")).sum()),
    }
    print("; ".join(f"{n} {name}" for name, n in counts.items()), file=sys.stderr)
