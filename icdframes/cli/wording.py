"""Messages for people who type commands: Python's words become options; it knows no error by its kind."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser
from ast import literal_eval
from collections.abc import Set as AbstractSet

PHRASES = {
    "icdframes.login() in a notebook; `icdframes login` in a terminal; ": "`icdframes login`; ",
    "; connect(client_id=..., client_secret=...)": "",
    "connect('sandbox')": "--server sandbox",
    "connect('local')": "--server local",
    "give client_id and client_secret": "store your client id and secret with `icdframes login`",
    "give token_url to connect()": "give --token-url",
    "leave token_url out": "leave --token-url out",
    "as verify=... or in": "in",
    ", or with fewer max_workers": "",
    "give None for all of it, and": "give --all and",
    "or None for all": "or --all",
    "leave classification at": "leave --classification at",
    ", or take it apart with codeinfo()": "",
    "Find codes with search()": "Find codes at https://icd.who.int/browse",
    "add names": "--add names",
    ", or give on_error='warn'": ", or give --on-error warn",
    " The tables so far are in the error's attribute 'tables'.": "",
    " The failures are in tables.failures.": "",
}
"""What a message says to Python users, and what the program says instead."""

_ASIDE = re.compile(r" \(pandas\..*?\)\)")
_OPTION = re.compile(r"--[a-z-]+")
_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_GIVEN = re.compile(rf"(?<![^\s(])(\w+)=(True|\.\.\.|-?\d+|{_TEXT}|\[(?:(?:{_TEXT})(?:, )?)*\]|)(?=[,.:;)]*(?:\s|$))")


def options_of(command: ArgumentParser) -> set[str]:
    """Give the options that a command has, as its help tells them."""
    return set(_OPTION.findall(command.format_help().split("examples:")[0]))


def for_terminal(text: str, options: AbstractSet[str]) -> str:
    """Say a message in one line and in words that can be typed.

    Parameters
    ----------
    text : str
        The message; an option of Python stands in it as ``name=value``.
    options : set of str
        The options of the command, such as ``--offline``; a phrase that needs another one is left out.

    Returns
    -------
    str

    """
    for phrase, said in PHRASES.items():
        text = text.replace(phrase, said if options >= set(_OPTION.findall(said)) else "")

    text = _ASIDE.sub("", text)

    def typed(given: re.Match[str]) -> str:
        option, value = f"--{given[1].replace('_', '-')}", given[2]
        if option not in options:
            return given[0]
        if value in {"", "True", "..."}:
            return option
        meant = literal_eval(value)
        return f"{option} {shlex.quote(','.join(meant) if isinstance(meant, list) else str(meant))}"

    return _GIVEN.sub(typed, " ".join(text.split()))
