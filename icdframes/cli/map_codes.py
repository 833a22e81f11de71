"""``icdframes map``: translate a column of codes with one of WHO's mapping tables."""

from __future__ import annotations

from argparse import Namespace

from icdframes.cli.options import Commands, add_command, add_input_options, add_output_options
from icdframes.cli.tables import read_user_table, show_or_write, target_of

_EXAMPLES = """
icdframes map deaths.csv --code dx --mapping 10To11MapToOneCategory.zip --out mapped.csv
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    mapping = add_command(commands, "map", run, "translate your codes with a mapping table of WHO's", _EXAMPLES)
    add_input_options(mapping)
    mapping.add_argument("--mapping", required=True, metavar="PATH", help="WHO's file: txt, tsv, xlsx or zip")
    mapping.add_argument("--table", metavar="NAME", help="which of the tables in a zip file")
    add_output_options(mapping)


def run(options: Namespace) -> None:
    """Translate, and write or show."""
    from icdframes.analysis.mapping import map_codes  # noqa: PLC0415  pandas only where needed
    from icdframes.files.mapping import read_mapping  # noqa: PLC0415

    target = target_of(options)
    mapping = read_mapping(options.mapping, table=options.table)
    show_or_write(map_codes(read_user_table(options), mapping, code=options.code), options, target)
