"""What several commands share of the command line: the parser, groups of options, the spelling of an option."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from icdframes.errors import IcdError, IcdWarning, did_you_mean
from icdframes.settings import CLASSIFICATIONS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["CommandParser"]  # noqa: SLF001  argparse has no public name for it
else:
    Commands = object

CLASSIFICATION_HELP = f"{', '.join(CLASSIFICATIONS)} (mms)"
CACHE_HELP = "where answers are kept (your system's cache folder)"

_OPTION = re.compile(r"--[a-z-]+")


class CommandParser(argparse.ArgumentParser):
    """A parser that names the likely word where a command or a choice is unknown."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with 2."""
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        super().error(message + (did_you_mean(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""))

    def known_options(self) -> set[str]:
        """Return the options of this command, such as ``--out``."""
        return {option for option in self._option_string_actions if _OPTION.fullmatch(option)}


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], purpose: str, examples: str
) -> CommandParser:
    """Add a command to the program and return its parser.

    Parameters
    ----------
    commands : argparse sub-parsers
        Of the program.
    name : str
        What is typed after ``icdframes``.
    run : callable
        Does the work, with what was read of the command line.
    purpose : str
        One sentence without a full stop, for the list of commands and the command's own help.
    examples : str
        Command lines, a line each.

    """
    command = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog="examples:\n" + "".join(f"  {line.strip()}\n" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=run, command=command)
    return command


def add_server_options(command: CommandParser) -> None:
    """Add the options that say where to connect; `icdframes.cli.tables.connect` reads them."""
    server = command.add_argument_group("server and cache")
    server.add_argument("--server", metavar="NAME", help="who, local, files, sandbox, or a URL (ICD_SERVER, or who)")
    server.add_argument("--token-url", metavar="URL", help="token endpoint of a server of your own")
    server.add_argument("--profile", default="default", metavar="NAME", help="stored client id and secret (default)")
    server.add_argument("--cache-dir", metavar="FOLDER", help=CACHE_HELP)
    server.add_argument("--offline", action="store_true", help="answer from the cache only")


def add_input_options(
    command: CommandParser, column: str = "--code", *, usual: str = "code", holds: str = "codes"
) -> None:
    """Add the file of the user's own, and how it is written; `icdframes.cli.tables.read_user_table` reads them."""
    command.add_argument("file", metavar="FILE", help="your data: .csv, .tsv, .xlsx or .parquet")
    command.add_argument(
        column, dest="code", default=usual, metavar="COLUMN", help=f"the column with the {holds} ({usual})"
    )
    command.set_defaults(column_option=column)
    command.add_argument(
        "--sep", metavar="SEP", help="between cells: ; or tab; recognised, kept for CSV that is written"
    )
    command.add_argument("--encoding", metavar="NAME", help="of text, such as cp1252; recognised")


def add_output_options(command: CommandParser) -> None:
    """Add the options that say where to write; `icdframes.cli.tables.write` reads them."""
    command.add_argument(
        "--out", metavar="FILE", help="FILE.csv, .tsv, .xlsx or .parquet, or - for CSV on standard output"
    )
    command.add_argument("--overwrite", action="store_true", help="replace FILE")
    command.add_argument(
        "--safe-for-spreadsheets", action="store_true", help="in CSV, an apostrophe before what looks like a formula"
    )


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, such as 2") from None


def spell_option(name: str, value: object) -> str:
    """Return an option of Python as it is typed: ``--depth -1``."""
    option = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
    if value is True:
        return option
    return f"{option} {shlex.quote(','.join(map(str, value)) if isinstance(value, list | tuple) else str(value))}"


def sentence_of(error: IcdError | IcdWarning) -> str:
    """Return an error or a warning in one line, in words that can be typed."""
    text = error.describe(spell_option) if isinstance(error, IcdError) else error.describe()
    return " ".join(text.split())
