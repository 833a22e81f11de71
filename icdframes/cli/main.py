"""The program ``icdframes``: read the command line, run the command, report an error in one line."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence

from icdframes import __version__
from icdframes.cli import (
    annotate,
    cache,
    check,
    code_texts,
    codelist,
    compare,
    completion,
    doctor,
    download,
    find,
    load,
    login,
    map_codes,
    releases,
    sandbox,
)
from icdframes.cli.options import CommandParser, sentence_of
from icdframes.errors import IcdError, IcdWarning, did_you_mean

COMMANDS = (
    load,
    find,
    download,
    releases,
    annotate,
    code_texts,
    map_codes,
    compare,
    codelist,
    check,
    login,
    cache,
    doctor,
    sandbox,
    completion,
)
"""The modules of the commands, in the order of the help; each adds its own with ``add_parser``."""


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
    if not (sys.argv[1:] if argv is None else argv):
        build_parser().print_help()
        return 2
    options = _read_options(argv)
    run: Callable[[argparse.Namespace], None] = options.run

    def tell(text: str) -> None:
        print(f"icdframes: {text}", file=sys.stderr)

    def tell_warning(message: Warning | str, *_rest: object, **_more: object) -> None:
        tell(f"warning: {sentence_of(message) if isinstance(message, IcdWarning) else message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", IcdWarning)
        warnings.showwarning = tell_warning
        try:
            run(options)
        except IcdError as error:
            tell(sentence_of(error))
        except KeyboardInterrupt:
            tell("interrupted. What was fetched is in the cache: the same command goes on from there.")
        except EOFError:
            print()  # what was asked stands in the line
            tell("the input ended before everything was asked: run it in a terminal.")
        except BrokenPipeError:
            sys.stderr.close()
        else:
            return 0
    return 1


def build_parser() -> CommandParser:
    """Return the parser of the whole program."""
    program = CommandParser(
        prog="icdframes", description="WHO classifications (ICD-11, ICF, ICD-10) as tables.", allow_abbrev=False
    )
    program.add_argument("--version", action="version", version=f"icdframes {__version__}")
    commands = program.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_parser(commands)
    program.set_defaults(program=program, commands=tuple(commands.choices.values()))
    return program


def _read_options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; an option that a command does not have is answered with the likely one."""
    program = build_parser()
    _check_first(program, sys.argv[1:] if argv is None else argv)
    options, unknown = program.parse_known_args(argv)
    if unknown:
        command: CommandParser = options.command
        word = unknown[0].partition("=")[0]
        what = f"no option {word}." if word.startswith("-") else f"nothing to do with {word!r}."
        command.error(f"there is {what}{did_you_mean(word, sorted(command.known_options()))}")
    return options


def _check_first(program: CommandParser, words: Sequence[str]) -> None:
    """Refuse an option before the command, which argparse would pass over in search of a command."""
    word = words[0].partition("=")[0] if words else ""
    if not word.startswith("-"):
        return
    own = {"-h", *program.known_options()}
    if word in own:
        return
    later = set[str]().union(*(command.known_options() for command in program.get_default("commands")))
    if word in later:
        program.error(f"{word} stands after the command: icdframes COMMAND {word}")
    program.error(f"there is no option {word}.{did_you_mean(word, sorted(own | later))}")
