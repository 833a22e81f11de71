"""Pytest fixtures that let your own project test offline: ``pytest_plugins = ["icdframes.testing"]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icdframes.client import IcdClient
from icdframes.connection import use_client
from icdframes.sandbox import Sandbox
from icdframes.settings import Server
from icdframes.transport.credentials import Credentials


@pytest.fixture
def icd_sandbox() -> Iterator[Sandbox]:
    """Give a running sandbox with the shipped sample; its log tells what was asked."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def icd_client(icd_sandbox: Sandbox, tmp_path: Path) -> Iterator[IcdClient]:
    """Give a client of that sandbox with an empty cache; the verbs use it during the test."""
    credentials = Credentials(icd_sandbox.client_id, icd_sandbox.client_secret)
    server = Server("sandbox", icd_sandbox.url, icd_sandbox.token_url)
    with IcdClient(server, lambda: credentials, cache_dir=tmp_path / "icdframes-cache") as client, use_client(client):
        yield client
