"""The bar that people see: how much of how much, how fast, how much of it from the cache."""

import io
import sys
from types import SimpleNamespace

import pytest
from tqdm.notebook import tqdm as notebook_bar
from tqdm.std import tqdm as terminal_bar

from icdframes.progress import in_kernel, is_interactive, progress_bar


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that makes tqdm.auto draw as in a notebook or a terminal, and what was drawn."""

    def choose(kind):
        bars = []

        def bar(**options):
            own = {"file": io.StringIO()} if kind is terminal_bar else {"display": False}
            bars.append(kind(**options | own, mininterval=0, ncols=100))
            return bars[-1]

        monkeypatch.setattr("tqdm.auto.tqdm", bar)
        return bars

    return choose


def test_in_a_notebook_the_bar_is_as_full_as_the_work_is_done(drawn):
    bars = drawn(notebook_bar)
    with progress_bar("mms 2024-01 en", show=True) as report:
        _label, whole, text = bars[0].container.children
        report(100, 400, 30)
        assert (whole.value, whole.max) == (100, 400)
        report(300, 1200, 130)  # more was found on the way
        assert (whole.value, whole.max, whole.bar_style) == (300, 1200, "")
        shown = text.value.replace("\u2007", " ")
        assert "300/1200" in shown
        assert "entities/s" in shown
        assert "130 from cache" in shown


def test_in_a_terminal_the_same_is_written(drawn):
    bars = drawn(terminal_bar)
    with progress_bar("doris", show=True, unit="values") as report:
        report(1, 4, 0)
        report(3, 4, 2)
    written = bars[0].fp.getvalue()
    assert "doris:  75%" in written
    assert "3/4" in written
    assert "values/s" in written
    assert "2 from cache" in written


def test_where_nobody_looks_nothing_is_drawn(drawn):
    bars = drawn(terminal_bar)
    with progress_bar("mms") as report:
        report(1, 2, 0)
    assert bars == []


@pytest.mark.parametrize(
    "ipython,looks",
    [
        (None, False),
        (SimpleNamespace(get_ipython=lambda: None), False),
        (SimpleNamespace(get_ipython=SimpleNamespace), False),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel="a kernel")), True),
    ],
    ids=["no IPython", "no shell", "a shell in a terminal", "a kernel"],
)
def test_a_kernel_is_where_somebody_looks(ipython, looks, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert in_kernel() is looks
    assert is_interactive() is looks
