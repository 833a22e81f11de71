"""The program ``icdframes``: reads the command line, reports errors in one line; `commands` does the work."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module

from icdframes import __version__
from icdframes.errors import IcdError, IcdWarning
from icdframes.settings import CLASSIFICATIONS

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
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int | None] = getattr(import_module("icdframes.commands"), options.run)
    with warnings.catch_warnings():
        warnings.simplefilter("always", IcdWarning)
        warnings.showwarning = lambda message, *_rest: print(f"icdframes: warning: {message}", file=sys.stderr)
        try:
            return run(options) or 0
        except IcdError as error:
            print(f"icdframes: {' '.join(str(error).split())}", file=sys.stderr)
        except KeyboardInterrupt:
            print(
                "icdframes: interrupted. What was fetched is in the cache: the same command goes on from there.",
                file=sys.stderr,
            )
        except BrokenPipeError:
            sys.stderr.close()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="icdframes", description="WHO classifications (ICD-11, ICF, ICD-10) as tables.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"icdframes {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    load = _command(commands, "load", "load an entity and everything below it", connects=True)
    load.add_argument("entity", nargs="?", help="code, id, residual or URI")
    load.add_argument("--all", action="store_true", help="the whole classification")
    load.add_argument("--classification", default="mms", metavar="NAME", help=f"{', '.join(CLASSIFICATIONS)} (mms)")
    load.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    load.add_argument("--language", default="en", metavar="CODES", help="such as es, or en,es for both side by side")
    load.add_argument("--depth", type=int, metavar="N", help="levels below the entity; 0 is the entity alone")
    load.add_argument("--include", action="append", default=[], metavar="NAME", help="diagnosticCriteria")
    load.add_argument("--on-error", default="raise", metavar="WHAT", help="raise or warn")
    load.add_argument("--refresh", action="store_true", help="ask the server again")
    load.add_argument("--quiet", action="store_true", help="no progress bar")
    load.add_argument("--out", metavar="FILE", help="FILE.csv, FILE.parquet, or - for CSV on standard output")
    load.add_argument("--overwrite", action="store_true", help="replace FILE")

    releases = _command(commands, "releases", "list the releases of a classification", connects=True)
    releases.add_argument("--classification", default="mms", metavar="NAME")

    sandbox = _command(commands, "sandbox", "serve the sample, or a corpus of yours, on this machine")
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help="0 is any free port")
    sandbox.add_argument("--no-auth", action="store_true", help="behave like WHO's local container")
    sandbox.add_argument("--corpus", metavar="PATH", help="folder written by icdframes, WHO's tabulation, or raw JSON")
    sandbox.add_argument("--text", metavar="PATH", help="JSON Lines with definitions, beside a tabulation")

    login = _command(commands, "login", "store a client id and secret", connects=True)
    login.add_argument("--forget", action="store_true", help="forget the profile instead")

    status = _command(commands, "status", "show server, credentials and cache", connects=True)
    status.add_argument("--check", action="store_true", help="ask the server for its newest release")

    cache = _command(commands, "cache", "look at the cache, or empty it")
    cache.add_argument("action", choices=("info", "clear"))
    cache.add_argument("--cache-dir", metavar="FOLDER")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str, *, connects: bool = False
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=_EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=name)
    if connects:
        command.add_argument("--server", metavar="NAME", help="who, local, sandbox, or a base URL")
        command.add_argument("--token-url", metavar="URL", help="token endpoint of a server of your own")
        command.add_argument("--profile", default="default", metavar="NAME", help="stored client id and secret")
        command.add_argument("--cache-dir", metavar="FOLDER")
        command.add_argument("--offline", action="store_true", help="answer from the cache only")
    return command
