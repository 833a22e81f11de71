"""What the docstrings promise: options, shapes, columns, cost and source."""

import inspect
import re
from typing import get_args, get_type_hints

import pandas as pd
import pytest

import icdframes
from icdframes.api import coding, load, mortality, search
from icdframes.client import methods

CHOLERA = "257068234"


def _public(*homes):
    return [
        function
        for home in homes
        for _, function in inspect.getmembers(home, inspect.isfunction)
        if function.__module__ == home.__name__
    ]


VERBS = _public(load, search, coding, mortality)


@pytest.mark.parametrize("function", VERBS, ids=lambda function: function.__name__)
def test_a_verb_and_its_method_take_the_same_options(function):
    method = getattr(icdframes.IcdClient, function.__name__)
    offered = set(inspect.signature(function).parameters) - {"client"}
    parameters = inspect.signature(method).parameters
    taken = {name for name, one in parameters.items() if one.kind is not one.VAR_KEYWORD} - {"self"}
    unread = {"pd": pd, "SearchTables": object, "EntityTables": object}
    for extra in get_args(get_type_hints(method, vars(methods) | unread).get("options")):
        taken |= set(get_type_hints(extra))
    assert offered == taken


@pytest.mark.parametrize(
    ("verb", "noun"),
    [
        ("load_entity", "1A00"),
        ("releases", "mms"),
        ("search", "cholera"),
        ("autocode", "cholera"),
        ("codeinfo", "1A00"),
        ("describe", "1A00"),
        ("decode_codes", "1A00"),
        ("lookup", CHOLERA),
        ("entity_releases", "1A00"),
        ("doris", {"cause_a": "1A00"}),
        ("codedit", {"cause_a": "1A00"}),
    ],
)
def test_the_documented_shape_and_columns_are_those_of_the_table(icd_client, verb, noun):
    doc = inspect.getdoc(getattr(icdframes, verb))
    table = getattr(icdframes, verb)(noun)
    assert int(re.search(r"Shape ``\(\w+, (\d+)\)``", doc)[1]) == table.shape[1]
    assert [column for column in table.columns if not re.search(rf"\b{column}\b", doc)] == []


@pytest.mark.parametrize("function", VERBS, ids=lambda function: function.__name__)
def test_every_verb_tells_its_cost_and_source(function):
    sections = inspect.getdoc(function)
    for part in ("Parameters\n---", "Returns\n---", "Raises\n---", "\nNetwork: ", "\nSource: ", ">>> "):
        assert part in sections, part


@pytest.mark.parametrize("name", ["entity", "newest_release", "get", "post", "cache_info", "clear_cache"])
def test_what_only_a_client_has_tells_its_cost_too(name):
    doc = inspect.getdoc(getattr(icdframes.IcdClient, name))
    for part in ("Returns\n---", "\nNetwork: ", ">>> "):
        assert part in doc, part
