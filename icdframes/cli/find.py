"""``icdframes search``, ``describe`` and ``lookup``: codes for words, words for codes, codes of the foundation."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from icdframes.cli.options import (
    CLASSIFICATION_HELP,
    CommandParser,
    Commands,
    add_command,
    add_output_options,
    add_server_options,
)
from icdframes.cli.tables import connect, show_or_write, target_of
from icdframes.errors import ConfigurationError, EntityNotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.icd_client import IcdClient

_SEARCH_EXAMPLES = """
icdframes search "myocardial infarction"
icdframes search diabetes --classification mms --language es --server sandbox
"""
_DESCRIBE_EXAMPLES = """
icdframes describe 1A00
icdframes describe "2C25.2&XH74S1" --server sandbox
"""
_LOOKUP_EXAMPLES = """
icdframes lookup 257068234
icdframes lookup http://id.who.int/icd/entity/257068234 --server sandbox
"""
_SHOWN = {
    "search": ("code", "title", "chapter", "score"),
    "describe": ("value", "label", "postcoordination", "message"),
    "lookup": ("value", "code", "title", "entity_id", "message"),
}

_WORDS = {"describe": "label", "lookup": "title"}
"""The column that is missing where there is no answer; a search without hits is an answer."""


def add_parser(commands: Commands) -> None:
    """Add the three commands to the program."""
    search = add_command(commands, "search", _run_search, "find entities by words", _SEARCH_EXAMPLES)
    search.add_argument("words", metavar="WORDS", help="what to search")
    describe = add_command(commands, "describe", _run_describe, "put codes and clusters into words", _DESCRIBE_EXAMPLES)
    describe.add_argument("codes", nargs="+", metavar="CODE", help="codes or clusters")
    lookup = add_command(commands, "lookup", _run_lookup, "find where foundation entities are coded", _LOOKUP_EXAMPLES)
    lookup.add_argument("entities", nargs="+", metavar="ENTITY", help="ids or URIs of the foundation")
    for command in (search, describe, lookup):
        _add_question_options(command)


def _add_question_options(command: CommandParser) -> None:
    command.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    command.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    command.add_argument("--language", default="en", metavar="CODE", help="of the words (en)")
    command.add_argument("--wide", action="store_true", help="show every column")
    add_output_options(command)
    add_server_options(command)


def _run_search(options: Namespace) -> None:
    if not options.words.strip():
        raise ConfigurationError('Which words? Give them after the command: icdframes search "heart attack".')
    _answer(
        options,
        "search",
        lambda client: client.search(
            options.words, classification=options.classification, release=options.release, language=options.language
        ),
    )


def _run_describe(options: Namespace) -> None:
    _answer(
        options,
        "describe",
        lambda client: client.describe(
            options.codes, classification=options.classification, release=options.release, language=options.language
        ),
    )


def _run_lookup(options: Namespace) -> None:
    _answer(
        options,
        "lookup",
        lambda client: client.lookup(
            options.entities, classification=options.classification, release=options.release, language=options.language
        ),
    )


def _answer(options: Namespace, verb: str, ask: Callable[[IcdClient], pd.DataFrame]) -> None:
    """Ask, then write the whole table or show the columns that fit a terminal; no answer at all is an error."""
    target = target_of(options)
    with connect(options) as client:
        frame = ask(client)
    show_or_write(frame, options, target, () if options.wide else _SHOWN[verb])
    if verb in _WORDS and frame[_WORDS[verb]].isna().all():
        raise EntityNotFoundError(
            f"Nothing is known of {', '.join(frame['value'].astype(str))}: see the message of each."
        )
