"""What ``icdframes`` exports: every name is there, documented, typed, and shown by an example."""

import inspect
import re

import pytest

import icdframes

NAMES = sorted(set(icdframes.__all__) - {"__version__", "errors"})
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(icdframes, name))]


def test_all_and_dir_agree():
    assert dir(icdframes) == sorted(icdframes.__all__)
    assert len(set(icdframes.__all__)) == len(icdframes.__all__)


def test_a_name_that_is_not_there_is_said_to_be_missing():
    with pytest.raises(AttributeError, match=r"'load_entitty'\. Did you mean 'load_entity'"):
        _ = icdframes.load_entitty


def test_the_package_says_once_what_each_name_belongs_to():
    guide = icdframes.__doc__.split("- **Connect**")[1].split("What it costs")[0]
    named = re.findall(r"`(\w+)`", guide)
    assert sorted(named) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented(name):
    lines = inspect.getdoc(getattr(icdframes, name)).splitlines()
    assert lines[0].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_shown_by_an_example(name):
    value = getattr(icdframes, name)
    if inspect.isclass(value) and issubclass(value, Exception):
        return
    assert ">>> " in inspect.getdoc(value), f"icdframes.{name} has no example"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_one_noun_by_place_and_the_rest_by_name(name):
    parameters = inspect.signature(getattr(icdframes, name)).parameters.values()
    by_place = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(by_place) <= ALLOWED.get(name, 1), by_place


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_typed_throughout(name):
    function = getattr(icdframes, name)
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.annotation is not parameter.empty, parameter.name
    assert inspect.signature(function).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    doc = inspect.getdoc(getattr(icdframes, name))
    for parameter in inspect.signature(getattr(icdframes, name)).parameters:
        assert parameter in doc, f"icdframes.{name} does not describe {parameter}"


# two nouns where the design says so: a frame and the tables, an old and a new release, tables and a place
ALLOWED = {
    "flag": 2, "check_codes": 2, "code_texts": 2, "evaluate": 3,
    "affected_codes": 2, "ancestors": 2, "annotate": 2, "compare_releases": 2, "depth_of": 2, "descendants": 2,
    "is_below": 3, "map_codes": 2, "match_report": 2, "nearest_common_ancestor": 3, "path_to_root": 2,
    "read_tabulation": 2, "rollup": 2, "siblings": 2, "to_csv": 2, "to_parquet": 2, "to_sql": 2, "write_tables": 2,
    "plot_chapter_counts": 2, "plot_release_changes": 3, "save_figure": 2,
}  # fmt: skip
