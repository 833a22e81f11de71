"""``icdframes load``: load an entity and everything below it."""

from __future__ import annotations

from argparse import Namespace

from icdframes.cli.options import (
    CLASSIFICATION_HELP,
    Commands,
    add_command,
    add_output_options,
    add_server_options,
    whole_number,
)
from icdframes.cli.tables import connect, print_csv, show, target_of, write
from icdframes.errors import ConfigurationError, Remedy, TraversalError

_SHOWN_COLUMNS = ("entity_id", "code", "title", "class_kind", "depth", "chapter")
_EXAMPLES = """
icdframes load 07 --server sandbox --out chapter07.parquet
icdframes load 1A00 --release 2024-01 --language en,es
icdframes load --all --classification icf --out icf.csv
icdframes load A00-A09 --classification icd10 --out - > a00.csv
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    load = add_command(commands, "load", run, "load an entity and everything below it", _EXAMPLES)
    load.add_argument("entity", nargs="?", help="code, id, residual or URI")
    load.add_argument("--all", action="store_true", help="the whole classification")
    load.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    load.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    load.add_argument("--language", default="en", metavar="CODES", help="such as es, or en,es side by side (en)")
    load.add_argument("--depth", type=whole_number, metavar="N", help="levels below the entity; 0 is the entity alone")
    load.add_argument(
        "--include", action="append", default=[], metavar="NAME", help="one more column: diagnosticCriteria"
    )
    load.add_argument(
        "--on-error",
        default="raise",
        metavar="WHAT",
        help="where an entity is missing: raise, or warn and go on (raise)",
    )
    load.add_argument("--refresh", action="store_true", help="ask the server again")
    load.add_argument("--quiet", action="store_true", help="no progress bar")
    add_output_options(load)
    add_server_options(load)


def run(options: Namespace) -> None:
    """Load, write, and show the first rows."""
    if options.entity is None and not options.all:
        raise ConfigurationError("Which entity? Give a code, id or URI, or --all for the whole classification.")
    if options.entity is not None and options.all:
        raise ConfigurationError(f"Give either {options.entity!r} or --all, not both.")
    target = target_of(options)
    with connect(options) as client:
        try:
            frame = client.load_entity(
                options.entity,
                classification=options.classification,
                release=options.release,
                language=options.language.split(","),
                depth=options.depth,
                include=options.include,
                on_error=options.on_error,
                progress=False if options.quiet else None,
                refresh=options.refresh,
            )
        except TraversalError as error:
            again = "run it again to ask only for the rest, or give --on-error warn"
            raise error.with_remedy(Remedy(again, again)) from None
    if options.out == "-":
        print_csv(frame, options)
        return
    show(frame, _SHOWN_COLUMNS)
    if target:
        write(frame, target, options)
    print(frame.attrs["provenance"]["licence"])
