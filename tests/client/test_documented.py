"""What the docstrings promise: options, shapes, columns, cost and source."""

import inspect
import re

import pytest

import icdframes
from icdframes import functions

CHOLERA = "257068234"
VERBS = [
    function
    for name, function in inspect.getmembers(functions, inspect.isfunction)
    if function.__module__ == functions.__name__ and hasattr(icdframes.IcdClient, name)
]


@pytest.mark.parametrize("function", VERBS, ids=lambda function: function.__name__)
def test_a_function_has_the_signature_and_help_of_its_method(function):
    method = getattr(icdframes.IcdClient, function.__name__)
    _self, *parameters = inspect.signature(method).parameters.values()
    assert list(inspect.signature(function).parameters.values()) == parameters
    assert inspect.signature(function).return_annotation == inspect.signature(method).return_annotation
    assert function.__doc__ == method.__doc__


def test_every_verb_of_the_client_is_a_function_too():
    only_of_a_client = {"entity", "newest_release", "get", "post", "download", "cache_info", "prune_cache"}
    only_of_a_client |= {"clear_cache", "close"}
    methods = {name for name, _ in inspect.getmembers(icdframes.IcdClient, inspect.isfunction) if name[0] != "_"}
    assert methods - only_of_a_client == {function.__name__ for function in VERBS}


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
