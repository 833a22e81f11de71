"""``icdframes codelist``: expand a code list in a release, check its rules, or move it to the next release."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.cli.options import Commands, add_command, add_output_options, add_server_options
from icdframes.cli.tables import show_or_write, tables_of, target_of
from icdframes.errors import ConfigurationError
from icdframes.frames.atomic import check_target

if TYPE_CHECKING:
    from icdframes.analysis.codelist import CodeList

_SHOWN = ("code", "title", "class_kind", "rule", "note")
_EXAMPLES = """
icdframes codelist expand dementia.json --release 2024-01 --out codes.csv
icdframes codelist check dementia.csv --tables mms-2024-01
icdframes codelist move dementia.json --from 2022-02 --release 2024-01 --list dementia-2024.json
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    command = add_command(commands, "codelist", run, "expand, check or move a code list", _EXAMPLES)
    command.add_argument("action", choices=("expand", "check", "move"))
    command.add_argument("file", metavar="FILE", help="the list: CSV, TSV, Excel, JSON or a FHIR ValueSet")
    command.add_argument(
        "--branches", action="store_true", help="a code of a plain table stands for all codes below it too"
    )
    command.add_argument(
        "--release", metavar="ID", help="such as 2024-01; that of the list, or the newest, if left out"
    )
    command.add_argument("--tables", metavar="PATH", help="folder written by icdframes, or WHO's tabulation, instead")
    command.add_argument(
        "--from", dest="old", metavar="OLD", help="to move: release or tables that the list was made for"
    )
    command.add_argument("--list", metavar="FILE", help="to move: where the new list is written, .json, .csv or .xlsx")
    add_output_options(command)
    add_server_options(command)


def run(options: Namespace) -> None:
    """Read the list, do what is asked, write or show."""
    from icdframes.analysis.codelist_reader import read_codelist  # noqa: PLC0415  pandas only where needed

    target = target_of(options)
    codelist = read_codelist(options.file, scope="branch" if options.branches else "alone")
    options.classification = codelist.classification
    if options.action == "move":
        _move(codelist, options, target)
        return
    tables = tables_of(options, options.release or codelist.release, folder=options.tables)
    if options.action == "expand":
        show_or_write(codelist.codes(tables), options, target, _SHOWN)
        print(codelist.cite(), file=sys.stderr)
    else:
        show_or_write(codelist.check(tables), options, target)


def _move(codelist: CodeList, options: Namespace, target: Path | None) -> None:
    old = options.old or codelist.release
    if not old:
        raise ConfigurationError("Which release was the list made for? Give it with --from.")
    written = options.list and check_target(
        options.list, overwrite=options.overwrite, suffixes=(".json", ".csv", ".xlsx")
    )
    moved = codelist.moved(tables_of(options, old), tables_of(options, options.release, folder=options.tables))
    print(moved.changes["change"].value_counts().rename_axis("change").to_string(), file=sys.stderr)
    show_or_write(moved.changes, options, target)
    if written:
        new: CodeList = moved.codelist
        write = {".json": new.to_json, ".csv": new.to_csv, ".xlsx": new.to_excel}[written.suffix]
        write(written, overwrite=options.overwrite)
        print(f"The list for {new.release or 'the new tables'} is in {written}.")
