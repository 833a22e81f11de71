"""Serve until interrupted, for the command line; it says where it listens and how to connect, and nothing more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from icdframes.sandbox.load import load_corpus
from icdframes.sandbox.sandbox import Sandbox

_say = partial(print, flush=True)


def serve(
    corpus_path: str | Path | None = None,
    text: str | Path | None = None,
    *,
    port: int = 0,
    authenticate: bool = True,
    out: Callable[[str], object] = _say,
    until: threading.Event | None = None,
) -> None:
    """Serve a corpus until Ctrl-C.

    Parameters
    ----------
    corpus_path, text : path, optional
        As for `load_corpus`; the shipped sample by default.
    port : int
        0 for any free one.
    authenticate : bool
        False behaves like WHO's local container.
    out : callable
        Gets one line that tells the URL and how to connect.
    until : threading.Event, optional
        Ends it from within the program.

    Raises
    ------
    FileFormatError
        If there is no such corpus.
    ConfigurationError
        If the port is taken.

    Examples
    --------
    >>> import threading
    >>> from icdframes.sandbox import serve
    >>> enough = threading.Event()
    >>> enough.set()
    >>> serve(until=enough)
    ICD API sandbox at http://127.0.0.1:...

    """
    sandbox = Sandbox(load_corpus(corpus_path, text=text), port=port, authenticate=authenticate)
    with contextlib.suppress(KeyboardInterrupt), sandbox:
        out(_announcement(sandbox))
        (until or threading.Event()).wait()


def _announcement(sandbox: Sandbox) -> str:
    """Give the line that tells how to connect."""
    if sandbox.token_url is None:
        return f'ICD API sandbox at {sandbox.url}  connect("{sandbox.url}")'
    return (
        f'ICD API sandbox at {sandbox.url}  connect("{sandbox.url}", token_url="{sandbox.token_url}", '
        f'client_id="{sandbox.client_id}", client_secret="{sandbox.client_secret}")'
    )
