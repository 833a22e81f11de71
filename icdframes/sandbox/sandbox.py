"""The sandbox: start, stop, inject faults, and read the log of requests."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Self

from icdframes.errors import ConfigurationError
from icdframes.sandbox.app import App
from icdframes.sandbox.corpus import Corpus
from icdframes.sandbox.corpus_files import load_corpus
from icdframes.sandbox.faults import Fault, FaultQueue
from icdframes.sandbox.request_context import HttpRequest
from icdframes.sandbox.sample import sample_corpus
from icdframes.sandbox.server import HOST, LoopbackServer, Reply
from icdframes.sandbox.tokens import TOKEN_PATH, TokenEndpoint

_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log.

    Attributes
    ----------
    method, path : str
        The path as it was sent, with its query.
    status : int or None
        None where the connection was closed without an answer.
    language, api_version : str or None
        Headers ``Accept-Language`` and ``API-Version``.
    has_token : bool
        Whether an Authorization header of any content came along.

    """

    method: str
    path: str
    status: int | None
    language: str | None
    api_version: str | None
    has_token: bool


class Sandbox:
    """A server on loopback that behaves like the ICD API.

    Parameters
    ----------
    corpus : Corpus, optional
        What it serves; the shipped sample by default.
    port : int
        0 takes any free port; a restart keeps it.
    authenticate : bool
        False behaves like WHO's local container: no tokens, no ICD-10.
    token_lifetime : float
        Seconds.
    client_id, client_secret : str
        The credentials that the token endpoint accepts.
    delay : float
        Seconds before each answer; may be changed while it runs.
    vary : bool
        Whether answers carry ``Vary``.
    one_token : bool
        Whether each new token ends the ones before, so that two programs with one key disturb each other.

    Raises
    ------
    ConfigurationError
        If there is no such port; at its start, if it is taken.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from icdframes.sandbox import Sandbox
    >>> with Sandbox(authenticate=False) as sandbox:  # or start() and stop()
    ...     client = icdframes.connect(sandbox.url, cache_dir=tempfile.mkdtemp())
    ...     client.entity("1A00").title, sandbox.count("/icd/release/11/2024-01/mms/codeinfo/1A00")
    ('Cholera', 1)

    """

    def __init__(
        self,
        corpus: Corpus | None = None,
        *,
        port: int = 0,
        authenticate: bool = True,
        token_lifetime: float = 3600,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107  public by intent
        delay: float = 0.0,
        vary: bool = True,
        one_token: bool = False,
    ) -> None:
        if type(port) is not int or not 0 <= port <= _LAST_PORT:
            raise ConfigurationError(
                f"cannot be: give 0 for any free one, or 1 to {_LAST_PORT}.", option="port", value=port
            )
        self.client_id = client_id
        self.client_secret = client_secret
        self.delay = delay
        served = sample_corpus() if corpus is None else corpus
        self.corpus = served if authenticate else served.without("icd10")
        self._tokens = (
            TokenEndpoint(client_id, client_secret, token_lifetime, one_at_a_time=one_token) if authenticate else None
        )
        self._desk = App(self.corpus, self._tokens, vary=vary)
        self._faults = FaultQueue()
        self._lock = threading.Lock()
        self._log: list[Request] = []
        self._port = port
        self._server: LoopbackServer | None = None

    def __repr__(self) -> str:
        return f"Sandbox({f'at {self.url}' if self._server else 'stopped'})"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Begin to serve; nothing happens if it serves already."""
        if self._server is None:
            try:
                server = LoopbackServer(self._port, self._respond)
            except OSError as error:
                raise ConfigurationError(
                    f"The sandbox cannot listen on {HOST}:{self._port} ({error.strerror}): "
                    "give another port, or 0 for any free one."
                ) from error
            server.open()
            self._server, self._port = server, server.server_port
        return self

    def stop(self) -> None:
        """End all connections; nothing happens if it does not serve.

        Examples
        --------
        >>> from icdframes.sandbox import Sandbox
        >>> sandbox = Sandbox().start()
        >>> sandbox.stop()
        >>> sandbox
        Sandbox(stopped)

        """
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @property
    def url(self) -> str:
        """Base URL, without a final slash; known from the first start on."""
        if not self._port:
            raise ConfigurationError("The sandbox has no URL yet: start it first, or use it in a with statement.")
        return f"http://{HOST}:{self._port}"

    @property
    def token_url(self) -> str | None:
        """Token endpoint, None where no token is asked for."""
        return self.url + TOKEN_PATH if self._tokens else None

    @property
    def tokens_issued(self) -> int:
        """How many tokens were given out."""
        return self._tokens.issued if self._tokens else 0

    @property
    def log(self) -> list[Request]:
        """All requests so far, in the order they came; a copy."""
        with self._lock:
            return list(self._log)

    def count(self, path_prefix: str = "") -> int:
        """Count the requests whose path begins so."""
        return sum(request.path.startswith(path_prefix) for request in self.log)

    def clear_log(self) -> None:
        """Forget the requests so far.

        Examples
        --------
        >>> from icdframes.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     sandbox.clear_log()
        ...     sandbox.log
        []

        """
        with self._lock:
            self._log.clear()

    def revoke_tokens(self) -> None:
        """Let every token issued so far die.

        Examples
        --------
        >>> from icdframes.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     sandbox.revoke_tokens()  # the next request is answered 401, and a client takes a new token

        """
        if self._tokens:
            self._tokens.revoke()

    def fail(
        self,
        pattern: str,
        *,
        status: int | None = None,
        times: int | None = 1,
        delay: float = 0.0,
        cut_body: int | None = None,
        body: bytes | str | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
        share: float = 1.0,
    ) -> None:
        """Let requests go wrong on purpose.

        Parameters
        ----------
        pattern : str
            Shell pattern of the path as it is sent, without the query; ``"/connect/token"`` too.
        status : int, optional
            Answer with this status; by default the real answer is altered.
        times : int or None
            How many requests; None for all until `clear_faults`.
        delay : float
            Seconds before the answer.
        cut_body : int, optional
            Send so many bytes of the body, then close the connection.
        body, content_type, headers : optional
            What replaces the answer's own.
        close : bool
            Close the connection without an answer.
        share : float
            Which part of the requests goes wrong, evenly spread: 0.05 is every twentieth. For a server
            that is not there at all, use `stop` and `start`: it keeps its port.

        Raises
        ------
        ConfigurationError
            If `share` is not above 0 and at most 1.

        Examples
        --------
        >>> from icdframes.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     sandbox.fail("*", status=429, headers={"Retry-After": "1"}, times=None, share=0.05)
        ...     sandbox.fail("/connect/token", status=503, headers={"Retry-After": "1"}, times=2)
        ...     sandbox.fail("/icd/release/11/*/mms/257068234", cut_body=10)

        """
        if not 0 < share <= 1:
            raise ConfigurationError("cannot be: give a part above 0, at most 1.", option="share", value=share)
        self._faults.add(
            Fault(
                pattern,
                status=status,
                times=times,
                delay=delay,
                cut_body=cut_body,
                body=body.encode() if isinstance(body, str) else body,
                content_type=content_type,
                headers=dict(headers or {}),
                close=close,
                share=share,
            )
        )

    def clear_faults(self) -> None:
        """Forget the faults that have not happened.

        Examples
        --------
        >>> from icdframes.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     sandbox.fail("*", status=503, times=None)
        ...     sandbox.clear_faults()

        """
        self._faults.clear()

    def _respond(self, asked: HttpRequest) -> Reply:
        fault = self._faults.take(asked.path)
        if fault is None:
            reply = Reply(self._desk.answer(asked), self.delay)
        elif fault.close:
            reply = Reply(None, self.delay + fault.delay)
        else:
            real = self._desk.answer(asked) if fault.status is None else None
            reply = Reply(fault.alter(real), self.delay + fault.delay, fault.cut_body)
        request = Request(
            asked.method,
            asked.target,
            reply.answer.status if reply.answer else None,
            asked.header("Accept-Language") or None,
            asked.header("API-Version") or None,
            has_token=bool(asked.header("Authorization")),
        )
        with self._lock:
            self._log.append(request)
        return reply


@cache
def _shared() -> Sandbox:
    sandbox = Sandbox().start()
    atexit.register(sandbox.stop)
    return sandbox


_SHARING = threading.Lock()


def shared_sandbox() -> Sandbox:
    """Return the one sandbox of this process; it starts at first use and ends with the process."""
    with _SHARING:
        return _shared()


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
    """Return the line that tells how to connect."""
    if sandbox.token_url is None:
        return f'ICD API sandbox at {sandbox.url}  connect("{sandbox.url}")'
    return (
        f'ICD API sandbox at {sandbox.url}  connect("{sandbox.url}", token_url="{sandbox.token_url}", '
        f'client_id="{sandbox.client_id}", client_secret="{sandbox.client_secret}")'
    )
