"""Every public example runs as it is shown, in an empty session; the reference says what a call costs and gives."""

import doctest
import inspect
import io
import re
import tempfile

import pytest

import icdframes
from icdframes import functions, sandbox

PUBLIC = {name: getattr(icdframes, name) for name in icdframes.__all__ if name not in {"__version__", "errors"}}
PUBLIC |= {f"sandbox.{name}": getattr(sandbox, name) for name in sandbox.__all__}
FUNCTIONS = sorted(name for name in icdframes.__all__ if inspect.isfunction(PUBLIC.get(name)))
CLASSES = [*sorted(name for name in icdframes.__all__ if inspect.isclass(PUBLIC.get(name))), "sandbox.Sandbox"]
NEEDS = {"to_networkx": "networkx", "to_skos": "rdflib", "interactive_hierarchy": "plotly"}
NEEDS_A_NOTEBOOK = {"login"}
PARSE = doctest.DocTestParser()
STATES_ITS_COST = re.compile(r"Network: |[Nn]o network|without a network")


def members_of(kind):
    """The public members of a class that are its own, not those of a library's base class."""
    names = {name for base in kind.__mro__ if base.__module__.startswith("icdframes.") for name in vars(base)}
    return {name: inspect.getattr_static(kind, name) for name in sorted(names) if not name.startswith("_")}


def methods_of(kind):
    methods = {name: getattr(value, "__func__", value) for name, value in members_of(kind).items()}
    return {name: method for name, method in methods.items() if inspect.isfunction(method)}


def _texts():
    """Every public docstring that holds an example, by the name that it explains."""
    texts = {"icdframes": icdframes.__doc__}
    for name, value in PUBLIC.items():
        texts[name] = inspect.getdoc(value) or ""
        if inspect.isclass(value):
            texts |= {f"{name}.{part}": inspect.getdoc(method) or "" for part, method in methods_of(value).items()}
    return {name: text for name, text in texts.items() if PARSE.get_examples(text)}


EXAMPLES = _texts()


class Checker(doctest.OutputChecker):
    def check_output(self, want, got, optionflags):
        erased = "\x1b[2K\r"  # what an Output widget prints where no notebook shows it
        return super().check_output(want, got.replace(erased, ""), optionflags)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - NEEDS_A_NOTEBOOK))
def test_an_example_runs_when_it_is_pasted_into_an_empty_session(name, tmp_path, monkeypatch, shared_cache):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(functions, "_default", None)
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(shared_cache))
    pasted = PARSE.get_doctest(EXAMPLES[name], {}, name, None, 0)
    for example in pasted.examples:
        example.options.pop(doctest.SKIP, None)
    told = io.StringIO()
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(pasted, out=told.write).failed == 0, told.getvalue()


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_is_called_in_an_example(name):
    texts = [text for place, text in EXAMPLES.items() if f"{place}.".startswith(f"{name}.")]
    called = "".join(example.source for text in texts for example in PARSE.get_examples(text))
    assert [method for method in methods_of(PUBLIC[name]) if f".{method}(" not in called] == []


@pytest.mark.parametrize("name", [*FUNCTIONS, "IcdClient", "LoginForm", "SearchBox", "TreeBrowser"])
def test_what_can_be_called_says_what_it_costs(name):
    assert STATES_ITS_COST.search(inspect.getdoc(PUBLIC[name]))


@pytest.mark.parametrize("name", methods_of(icdframes.IcdClient))
def test_a_client_s_method_says_what_it_costs(name):
    assert STATES_ITS_COST.search(inspect.getdoc(getattr(icdframes.IcdClient, name)))
