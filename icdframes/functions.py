"""Every verb as a function on the default client, made from the method of the same name."""

from __future__ import annotations

import atexit
import functools
import inspect
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from icdframes.client.icd_client import IcdClient
from icdframes.settings import Server, resolve_server, server_named
from icdframes.transport.profiles import find_credentials
from icdframes.transport.secrets import Credentials, mask_secret

if TYPE_CHECKING:
    from icdframes.widgets.login_form import LoginForm

P = ParamSpec("P")
R = TypeVar("R")

_default: IcdClient | None = None
_default_lock = Lock()
_override: ContextVar[IcdClient | None] = ContextVar("icdframes_client", default=None)


def connect(
    server: str | None = None,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    profile: str = "default",
    token_url: str | None = None,
    cache_dir: str | Path | None = None,
    timeout: tuple[float, float] = (5, 30),
    retries: int = 5,
    max_workers: int | None = None,
    offline: bool = False,
    verify: str | None = None,
) -> IcdClient:
    """Connect to a server and make it the default of all functions.

    Parameters
    ----------
    server : str, optional
        ``"who"`` (default; or what ``ICD_SERVER`` names), ``"local"``
        (http://localhost), ``"files"`` (WHO's published release files: titles and
        hierarchy from one download, no account; ``ICD_FILES_URL`` names a mirror),
        ``"sandbox"`` (a small sample on this machine, started by itself), or a base
        URL. A base URL without `token_url` means no authentication.
    client_id, client_secret : str, optional
        Of https://icd.who.int/icdapi. Where they are not given:
        ``ICD_CLIENT_ID`` and ``ICD_CLIENT_SECRET``, then the stored profile.
        They are looked for only when a token is needed.
    profile : str, default "default"
        Name of the stored profile.
    token_url : str, optional
        Token endpoint of a server of your own.
    cache_dir : path, optional
        Folder of answers and snapshots (``ICDFRAMES_CACHE_DIR``). What the sandbox
        answers is kept until the process ends, unless a folder is given here.
    timeout : tuple of float, default (5, 30)
        Seconds to connect, seconds between two bytes; a whole answer may take ten
        times as long.
    retries : int, default 5
        How often a failed request is sent again.
    max_workers : int, optional
        Requests under way at the same time. None begins with 8 and takes more while the answers do
        not become slower, up to 16 at WHO's public service and 32 at any other server.
    offline : bool, default False
        Answer from the cache only, however old; never send a request.
    verify : str, optional
        File with a company's certificate authority; TLS is never switched off.

    Returns
    -------
    IcdClient
        The new default; it stays open until its `close`.

    Raises
    ------
    ConfigurationError
        If the server or an option cannot be used, or an id is given without its secret.

    Warns
    -----
    CacheWarning
        If the cache folder cannot be used; answers stay in memory then.

    Notes
    -----
    Network: none.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> client.server.name
    'sandbox'

    """
    client_secret = mask_secret(client_secret)
    client = make_client(
        server,
        client_id=client_id,
        client_secret=client_secret,
        profile=profile,
        token_url=token_url,
        cache_dir=cache_dir,
        timeout=timeout,
        retries=retries,
        max_workers=max_workers,
        offline=offline,
        verify=verify,
    )
    set_default(client)
    return client


def make_client(
    server: str | None = None,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    profile: str = "default",
    token_url: str | None = None,
    cache_dir: str | Path | None = None,
    timeout: tuple[float, float] = (5, 30),
    retries: int = 5,
    max_workers: int | None = None,
    offline: bool = False,
    verify: str | None = None,
) -> IcdClient:
    """Connect as `connect` does, and leave the default client as it is."""
    client_secret = mask_secret(client_secret)
    given = (client_id, client_secret)
    if server_named(server) == "sandbox":
        where, client_id, client_secret = _sandbox(client_id, client_secret)
        cache_dir = _folder_of_this_process() if cache_dir is None else cache_dir
    else:
        where = resolve_server(server, token_url)

    def credentials() -> Credentials:
        return find_credentials(client_id, client_secret, profile, token_url=where.token_url)

    if any(given):
        credentials()
    return IcdClient(
        where,
        credentials,
        cache_dir=cache_dir,
        timeout=timeout,
        retries=retries,
        max_workers=max_workers,
        offline=offline,
        verify=verify,
    )


def login() -> LoginForm:
    """Show a form for client id and secret; on success its client is the default of all functions.

    Returns
    -------
    LoginForm
        An ipywidgets form: put it last in a cell.

    Raises
    ------
    ConfigurationError
        If this is no notebook; it says what to do instead.

    Notes
    -----
    Network: when Connect is pressed, a token and the list of releases.

    Examples
    --------
    >>> import icdframes
    >>> form = icdframes.login()  # doctest: +SKIP

    """
    from icdframes.widgets.login_form import show_login  # noqa: PLC0415  ipywidgets only where a form is wanted

    return show_login(make_client, set_default)


def set_default(client: IcdClient) -> None:
    """Make a client the default of all functions."""
    global _default  # noqa: PLW0603  the one piece of state of this package
    with _default_lock:
        _default = client


def get_client() -> IcdClient:
    """Return the client that the functions use; the first call connects as `connect()` does.

    Returns
    -------
    IcdClient
        The one of the nearest `use_client` block, else the default.

    Raises
    ------
    ConfigurationError
        If ``ICD_SERVER`` names no server.

    Notes
    -----
    Network: none.

    Examples
    --------
    >>> import icdframes
    >>> with icdframes.use_client(icdframes.connect("sandbox")):
    ...     icdframes.get_client().server.name
    'sandbox'

    """
    return _override.get() or _default or connect()


@contextmanager
def use_client(client: IcdClient) -> Iterator[IcdClient]:
    """Use another client within a ``with`` block.

    Parameters
    ----------
    client : IcdClient
        Stays open afterwards.

    Yields
    ------
    IcdClient
        The same.

    Notes
    -----
    Network: none. Other threads and notebooks' other tasks keep their client.

    Examples
    --------
    >>> import icdframes
    >>> with icdframes.use_client(icdframes.connect("sandbox")) as client:
    ...     client.load_entity("1A00").title.item()
    'Cholera'

    """
    token = _override.set(client)
    try:
        yield client
    finally:
        _override.reset(token)


@functools.cache
def _folder_of_this_process() -> str:
    """Make the folder that keeps the sandbox's answers until the process ends, unless a client is given another."""
    folder = tempfile.mkdtemp(prefix="icdframes-sandbox-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sandbox(client_id: str | None, client_secret: str | None) -> tuple[Server, str, str]:
    """Start the sandbox."""
    from icdframes.sandbox import shared_sandbox  # noqa: PLC0415  the server is loaded only where it is wanted

    sandbox = shared_sandbox()
    where = Server("sandbox", sandbox.url, sandbox.token_url, f"sandbox/{sandbox.corpus.digest}")
    return where, client_id or sandbox.client_id, client_secret or mask_secret(sandbox.client_secret)


def _on_default_client(method: Callable[Concatenate[IcdClient, P], R]) -> Callable[P, R]:
    """Return a function that calls a method on the default client, with its signature, types and help."""

    @functools.wraps(method)
    def function(*args: P.args, **kwargs: P.kwargs) -> R:
        return method(get_client(), *args, **kwargs)

    signature = inspect.signature(method)
    named = cast("Any", function)
    named.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
    named.__module__ = __name__
    named.__qualname__ = method.__name__
    del named.__wrapped__  # inspect and IPython would otherwise show the method
    return function


load_entity = _on_default_client(IcdClient.load_entity)
load_tables = _on_default_client(IcdClient.load_tables)
load_mapping = _on_default_client(IcdClient.load_mapping)
load_grouping = _on_default_client(IcdClient.load_grouping)
releases = _on_default_client(IcdClient.releases)
languages = _on_default_client(IcdClient.languages)
entity_releases = _on_default_client(IcdClient.entity_releases)
search = _on_default_client(IcdClient.search)
search_tables = _on_default_client(IcdClient.search_tables)
autocode = _on_default_client(IcdClient.autocode)
codeinfo = _on_default_client(IcdClient.codeinfo)
describe = _on_default_client(IcdClient.describe)
decode_codes = _on_default_client(IcdClient.decode_codes)
lookup = _on_default_client(IcdClient.lookup)
doris = _on_default_client(IcdClient.doris)
codedit = _on_default_client(IcdClient.codedit)
