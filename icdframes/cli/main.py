"""The program ``icdframes``: reads the command line, reports errors in one line; `commands` does the work."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from icdframes import __version__
from icdframes.cli.wording import for_terminal, options_of
from icdframes.errors import IcdError, IcdWarning, did_you_mean
from icdframes.settings import CLASSIFICATIONS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["_Parser"]  # noqa: SLF001  argparse has no public name for it

_CLASSIFICATION_HELP = f"{', '.join(CLASSIFICATIONS)} (mms)"
_CACHE_HELP = "where answers are kept (your system's cache folder)"
_EXAMPLES = {
    "load": """examples:
  icdframes load 07 --server sandbox --out chapter07.parquet
  icdframes load 1A00 --release 2024-01 --language en,es
  icdframes load --all --classification icf --out icf.csv
  icdframes load A00-A09 --classification icd10 --out - > a00.csv""",
    "releases": """examples:
  icdframes releases
  icdframes releases --classification icd10 --server sandbox""",
    "sandbox": """examples:
  icdframes sandbox --port 8011
  icdframes sandbox --no-auth
  icdframes sandbox --corpus SimpleTabulation-ICD-11-MMS-en.zip""",
    "login": """examples:
  icdframes login
  icdframes login --profile work
  icdframes login --forget --profile work""",
    "status": """examples:
  icdframes status
  icdframes status --check --server sandbox""",
    "annotate": """examples:
  icdframes annotate deaths.csv --code dx --out annotated.csv
  icdframes annotate deaths.parquet --code dx --add title,chapter_title --tables mms-2024-01""",
    "map": """examples:
  icdframes map deaths.csv --code dx --mapping 10To11MapToOneCategory.zip --out mapped.csv""",
    "compare": """examples:
  icdframes compare 2022-02 2024-01 --out changes.csv
  icdframes compare old-tabulation.zip new-tabulation.zip""",
    "doctor": """examples:
  icdframes doctor
  icdframes doctor --server http://localhost:6382""",
    "completion": """examples:
  icdframes completion bash > ~/.local/share/bash-completion/completions/icdframes""",
    "cache": """examples:
  icdframes cache info
  icdframes cache clear""",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; None takes those of the process.

    Returns
    -------
    int
        0 when it went well, 1 on an error, 2 where the command line is wrong.

    Examples
    --------
    >>> main(["load", "1A00", "--server", "sandbox", "--depth", "0", "--out", "-"])  # doctest: +ELLIPSIS
    entity_id,code,title,...
    0

    """
    options = _options(argv)
    module, _, name = options.run.partition(":")
    run: Callable[[argparse.Namespace], None] = getattr(import_module(f"icdframes.cli.{module}"), name)

    def tell(text: str) -> None:
        print(f"icdframes: {for_terminal(text, options_of(options.command))}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", IcdWarning)
        warnings.showwarning = lambda message, *_rest: tell(f"warning: {message.args[0]}")
        try:
            run(options)
        except IcdError as error:
            tell(str(error))
        except KeyboardInterrupt:
            tell("interrupted. What was fetched is in the cache: the same command goes on from there.")
        except BrokenPipeError:
            sys.stderr.close()
        else:
            return 0
    return 1


class _Parser(argparse.ArgumentParser):
    """Names the likely word where a command or a choice is unknown."""

    def error(self, message: str) -> NoReturn:
        """End with 2."""
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        super().error(message + (did_you_mean(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""))


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; an option that a command does not have is answered with the likely one."""
    program = _parser()
    _check_first(program, sys.argv[1:] if argv is None else argv)
    options, unknown = program.parse_known_args(argv)
    if unknown:
        command: _Parser = options.command
        word = unknown[0].partition("=")[0]
        what = f"no option {word}." if word.startswith("-") else f"nothing to do with {word!r}."
        command.error(f"there is {what}{did_you_mean(word, sorted(options_of(command)))}")
    return options


def _check_first(program: _Parser, words: Sequence[str]) -> None:
    """Refuse an option before the command, which argparse would pass over in search of a command."""
    word = words[0].partition("=")[0] if words else ""
    if not word.startswith("-"):
        return
    own = {"-h", *options_of(program)}
    if word in own:
        return
    later = set[str]().union(*map(options_of, program.get_default("commands")))
    if word in later:
        program.error(f"{word} stands after the command: icdframes COMMAND {word}")
    program.error(f"there is no option {word}.{did_you_mean(word, sorted(own | later))}")


def _parser() -> _Parser:
    program = _Parser(
        prog="icdframes", description="WHO classifications (ICD-11, ICF, ICD-10) as tables.", allow_abbrev=False
    )
    program.add_argument("--version", action="version", version=f"icdframes {__version__}")
    commands = program.add_subparsers(metavar="COMMAND", required=True)

    load = _command(commands, "load", "content:load", "load an entity and everything below it", connects=True)
    load.add_argument("entity", nargs="?", help="code, id, residual or URI")
    load.add_argument("--all", action="store_true", help="the whole classification")
    load.add_argument("--classification", default="mms", metavar="NAME", help=_CLASSIFICATION_HELP)
    load.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    load.add_argument("--language", default="en", metavar="CODES", help="such as es, or en,es side by side (en)")
    load.add_argument("--depth", type=int, metavar="N", help="levels below the entity; 0 is the entity alone")
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
    _writes(load)

    releases = _command(commands, "releases", "content:releases", "list the releases", connects=True)
    releases.add_argument("--classification", default="mms", metavar="NAME", help=_CLASSIFICATION_HELP)

    sandbox = _command(commands, "sandbox", "content:sandbox", "serve the sample, or your own corpus")
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help="0 is any free port (0)")
    sandbox.add_argument("--no-auth", action="store_true", help="behave like WHO's local container")
    sandbox.add_argument("--corpus", metavar="PATH", help="folder written by icdframes, WHO's tabulation, or raw JSON")
    sandbox.add_argument("--text", metavar="PATH", help="JSON Lines with definitions, beside a tabulation")

    login = _command(commands, "login", "account:login", "store a client id and secret", connects=True)
    login.add_argument("--forget", action="store_true", help="forget the profile instead")

    status = _command(commands, "status", "account:status", "show server, credentials and cache", connects=True)
    status.add_argument("--check", action="store_true", help="ask the server for its newest release")

    _analysis(commands)

    _command(commands, "doctor", "doctor:doctor", "look for what is wrong", connects=True)

    completion = _command(commands, "completion", "doctor:completion", "print a completion script for your shell")
    completion.set_defaults(program=program)
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))

    cache = _command(commands, "cache", "account:cache", "look at the cache, or empty it")
    cache.add_argument("action", choices=("info", "clear"))
    cache.add_argument("--cache-dir", metavar="FOLDER", help=_CACHE_HELP)
    program.set_defaults(commands=commands.choices.values())
    return program


def _analysis(commands: Commands) -> None:
    annotate = _command(commands, "annotate", "analysis:annotate", "add titles to a file with codes", connects=True)
    annotate.add_argument("file", metavar="FILE", help="your data: CSV or Parquet")
    annotate.add_argument("--code", default="code", metavar="COLUMN", help="the column with the codes (code)")
    annotate.add_argument(
        "--add", default="title,chapter,block", metavar="COLUMNS", help="what to add (title,chapter,block)"
    )
    annotate.add_argument(
        "--unknown", default="flag", metavar="WHAT", help="codes not found: flag, raise or drop (flag)"
    )
    annotate.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    annotate.add_argument("--tables", metavar="PATH", help="folder written by icdframes, or WHO's tabulation, instead")

    mapping = _command(commands, "map", "analysis:map_codes", "translate your codes with a mapping table of WHO's")
    mapping.add_argument("file", metavar="FILE", help="your data: CSV or Parquet")
    mapping.add_argument("--mapping", required=True, metavar="PATH", help="WHO's file: txt, tsv, xlsx or zip")
    mapping.add_argument("--table", metavar="NAME", help="which of the tables in a zip file")
    mapping.add_argument("--code", default="code", metavar="COLUMN", help="the column with the codes (code)")

    compare = _command(commands, "compare", "analysis:compare", "show what changed between two releases", connects=True)
    compare.add_argument("old", metavar="OLD", help="release id, folder written by icdframes, or WHO's tabulation")
    compare.add_argument("new", metavar="NEW", help="likewise")

    for command in (annotate, compare):
        command.add_argument("--classification", default="mms", metavar="NAME", help=_CLASSIFICATION_HELP)
    for command in (annotate, mapping, compare):
        _writes(command)


def _writes(command: _Parser) -> None:
    command.add_argument("--out", metavar="FILE", help="FILE.csv, FILE.parquet, or - for CSV on standard output")
    command.add_argument("--overwrite", action="store_true", help="replace FILE")
    command.add_argument(
        "--safe-for-spreadsheets", action="store_true", help="in CSV, an apostrophe before what looks like a formula"
    )


def _command(commands: Commands, name: str, run: str, purpose: str, *, connects: bool = False) -> _Parser:
    command = commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=_EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=run, command=command)
    if connects:
        server = command.add_argument_group("server and cache")
        server.add_argument("--server", metavar="NAME", help="who, local, sandbox, or a base URL (ICD_SERVER, or who)")
        server.add_argument("--token-url", metavar="URL", help="token endpoint of a server of your own")
        server.add_argument(
            "--profile", default="default", metavar="NAME", help="stored client id and secret (default)"
        )
        server.add_argument("--cache-dir", metavar="FOLDER", help=_CACHE_HELP)
        server.add_argument("--offline", action="store_true", help="answer from the cache only")
    return command
