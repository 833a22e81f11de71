"""A real JupyterLab and a real browser."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = os.environ.get("ICDFRAMES_REQUIRE_BROWSER") == "1"
BROWSER_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


@pytest.fixture(scope="session")
def _tools():
    missing = [name for name in ("jupyterlab", "playwright") if find_spec(name) is None]
    missing += [] if CHROMIUM.exists() else [str(CHROMIUM)]
    if missing:
        reason = f"{', '.join(missing)} not there: pip install 'icdframes[browser]'; apt-get install chromium"
        (pytest.fail if REQUIRED else pytest.skip)(reason)


@pytest.fixture
def artifacts(project):
    """Give the folder where screenshots are kept."""
    folder = Path(os.environ.get("ICDFRAMES_ARTIFACTS", project / "test-artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(params=["Light", "Dark"])
def theme(request):
    """Give the name of a theme."""
    return request.param


@pytest.fixture
def lab(_tools, tmp_path, theme):
    """Give the URL and the folder of a running JupyterLab that knows nothing of the person's settings."""
    home, work = tmp_path / "jupyter", tmp_path / "work"
    work.mkdir()
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    folders = {f"JUPYTER_{name}": home / name for name in names}
    folders |= {f"JUPYTERLAB_{name}_DIR": home / name for name in ("SETTINGS", "WORKSPACES")}
    folders["IPYTHONDIR"] = home / "ipython"
    look = {"@jupyterlab/apputils-extension/themes": {"theme": f"JupyterLab {theme}"}}
    for name, settings in (SETTINGS | look).items():
        file = folders["JUPYTERLAB_SETTINGS_DIR"] / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--ServerApp.open_browser=False", "--ServerApp.allow_root=True", f"--ServerApp.root_dir={work}"]
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    with (tmp_path / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=work)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, tmp_path / "lab.log")
        yield f"http://127.0.0.1:{port}", work
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture
def page(_tools, artifacts, theme):
    """Give a page of a browser; what it shows at the end is kept as a picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(BROWSER_ARGS))
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        page.screenshot(path=artifacts / f"last-{theme.lower()}.png")
        browser.close()


def _wait_for(url, server, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
