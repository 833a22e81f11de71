"""Show a progress bar in terminals and notebooks, and nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Report(Protocol):
    """What a walk or a column tells: how many are done, how many there are, how many came from the cache, a note."""

    def __call__(self, done: int, total: int, cached: int, note: str = "") -> None:
        """Show them on the bar."""


def in_kernel() -> bool:
    """Return whether this runs in the kernel of a notebook, where widgets can be seen; IPython is not loaded for it."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


def is_interactive() -> bool:
    """Return whether standard error is a terminal or this is a notebook."""
    return in_kernel() or bool(getattr(sys.stderr, "isatty", lambda: False)())


@contextmanager
def progress_bar(label: str, *, show: bool | None = None, unit: str = "entities") -> Iterator[Report]:
    """Return a function ``report(done, total, cached, note)`` for the time of a walk.

    Parameters
    ----------
    label : str
        Stands before the bar.
    show : bool, optional
        None shows the bar in terminals and notebooks.
    unit : str
        What is counted.

    Yields
    ------
    callable
        Takes how many are done, how many there are, how many came from the cache, and what
        to say in their place, if anything.

    """
    if not (is_interactive() if show is None else show):
        yield _say_nothing
        return
    from tqdm.auto import tqdm  # noqa: PLC0415  only where a bar is drawn

    with tqdm(desc=label, unit=f" {unit}", leave=False, file=sys.stderr, dynamic_ncols=True) as bar:

        def report(done: int, total: int, cached: int, note: str = "") -> None:
            bar.total = total
            bar.set_postfix_str(note or f"{cached} from cache", refresh=bool(note))
            if bar.update(done - bar.n):
                _widen(bar)

        yield report
        bar.refresh()


def _say_nothing(done: int, total: int, cached: int, note: str = "") -> None:
    """Show no bar."""


@contextmanager
def byte_bar(label: str, *, show: bool | None = None) -> Iterator[Callable[[int, int], None]]:
    """Show how much of a file has come, for the time of a download.

    Parameters
    ----------
    label : str
        Stands before the bar.
    show : bool, optional
        None shows the bar in a terminal or notebook.

    Yields
    ------
    callable
        Takes how many bytes have come and how many there are; 0 where that is not known.

    """
    if not (is_interactive() if show is None else show):
        yield lambda _done, _total: None
        return
    from tqdm.auto import tqdm  # noqa: PLC0415  only where a bar is drawn

    with tqdm(desc=label, unit="B", unit_scale=True, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield report
        bar.refresh()


def _widen(bar: Any) -> None:
    """Draw the bar of a notebook to its total; tqdm itself only does so where it begins anew."""
    if box := getattr(bar, "container", None):
        drawn = box.children[1]
        drawn.max, drawn.value, drawn.bar_style = bar.total, bar.n, ""
