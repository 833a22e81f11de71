"""``icdframes completion``: print a completion script for a shell."""

from __future__ import annotations

import importlib.util
from argparse import Namespace

from icdframes.cli.options import Commands, add_command
from icdframes.errors import MissingExtraError

_EXAMPLES = """
icdframes completion bash > ~/.local/share/bash-completion/completions/icdframes
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    completion = add_command(commands, "completion", run, "print a completion script for your shell", _EXAMPLES)
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh", "fish"))


def run(options: Namespace) -> None:
    """Print a completion script."""
    if importlib.util.find_spec("shtab") is None:
        raise MissingExtraError("A completion script", "completion")
    import shtab  # noqa: PLC0415  optional

    print(shtab.complete(options.program, shell=options.shell))
