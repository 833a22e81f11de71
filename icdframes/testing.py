"""Pytest fixtures that let your own project test offline, without an account.

Name this module in the ``conftest.py`` at the root of your tests, or in one test file, and ask for a fixture:

    import icdframes

    pytest_plugins = ["icdframes.testing"]


    def test_cholera_has_a_title(icd_client):
        assert icdframes.load_entity("1A00").title.tolist() == ["Cholera"]


    def test_what_my_code_does_without_the_server(icd_client, icd_sandbox):
        icd_sandbox.fail("*", status=400, times=None)
        ...

Each test has a sandbox and an empty cache of its own, on loopback. ``tests/example_project`` of the repository is a
whole small project that is tested so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icdframes.client.icd_client import IcdClient
from icdframes.functions import use_client
from icdframes.sandbox import Sandbox
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials


@pytest.fixture
def icd_sandbox() -> Iterator[Sandbox]:
    """Return a running sandbox with the shipped sample; it stops after the test.

    Yields
    ------
    icdframes.sandbox.Sandbox
        ``log``, ``count(path)`` and ``tokens_issued`` tell what was asked; ``fail(pattern, status=503, times=2)`` lets
        requests go wrong, ``revoke_tokens()`` lets the tokens die, ``delay`` is in seconds.

    Examples
    --------
    >>> def test_a_second_load_asks_for_nothing(icd_client, icd_sandbox):
    ...     icd_client.load_entity("1A00")
    ...     icd_sandbox.clear_log()
    ...     icd_client.load_entity("1A00")
    ...     assert icd_sandbox.log == []

    """
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def icd_client(icd_sandbox: Sandbox, tmp_path: Path) -> Iterator[IcdClient]:
    """Return a client of that sandbox with an empty cache; the verbs of `icdframes` use it during the test.

    Your code needs no change: whatever it asks of `icdframes` goes to the sandbox. The cache is below ``tmp_path``.

    Yields
    ------
    icdframes.IcdClient
        Closed after the test.

    Examples
    --------
    >>> def test_cholera_has_a_title(icd_client):
    ...     assert icdframes.load_entity("1A00").title.tolist() == ["Cholera"]

    """
    credentials = Credentials(icd_sandbox.client_id, icd_sandbox.client_secret)
    server = Server("sandbox", icd_sandbox.url, icd_sandbox.token_url)
    with IcdClient(server, lambda: credentials, cache_dir=tmp_path / "icdframes-cache") as client, use_client(client):
        yield client
