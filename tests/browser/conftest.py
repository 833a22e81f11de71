"""A real JupyterLab, a real Notebook 7 and a real browser."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

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
PLACES = {"jupyterlab": "lab/tree", "notebook": "notebooks"}
TELL_TOKENS = """from icdframes.sandbox import shared_sandbox
desk = shared_sandbox()._tokens
issue = desk._issue
def tell():
    token = issue()
    with open("tokens.txt", "a") as file:
        file.write(token + "\\n")
    return token
desk._issue = tell"""
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # what is off the screen is there, too
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


@pytest.fixture(scope="session")
def _tools():
    missing = [name for name in ("jupyterlab", "notebook", "playwright") if find_spec(name) is None]
    missing += [] if CHROMIUM.exists() else [str(CHROMIUM)]
    if missing:
        reason = f"{', '.join(missing)} not there: pip install 'icdframes[browser]'; apt-get install chromium"
        (pytest.fail if REQUIRED else pytest.skip)(reason)


@pytest.fixture(params=[("jupyterlab", "Light"), ("jupyterlab", "Dark"), ("notebook", "Light")], ids="-".join)
def look(request):
    """Return the module of a front end and the name of a theme."""
    return request.param


@pytest.fixture
def picture(project, look):
    """Return a function that keeps what a page shows, under a name."""
    folder = Path(os.environ.get("ICDFRAMES_ARTIFACTS", project / "test-artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f"{name}-{'-'.join(look).lower()}.png")


@pytest.fixture
def front_end(_tools, tmp_path, look):
    """Return the address of a front end and its folder; it knows no settings of the person."""
    program, theme = look
    home, work = tmp_path / "jupyter", tmp_path / "work"
    work.mkdir()
    folders = {f"JUPYTER_{name}": home / name for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    folders |= {f"JUPYTERLAB_{name}_DIR": home / name for name in ("SETTINGS", "WORKSPACES")}
    folders |= {"IPYTHONDIR": home / "ipython"}
    themes = {"@jupyterlab/apputils-extension/themes": {"theme": f"JupyterLab {theme}"}}
    for name, settings in (SETTINGS | themes).items():
        file = folders["JUPYTERLAB_SETTINGS_DIR"] / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", program, "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--ServerApp.open_browser=False", "--ServerApp.allow_root=True", f"--ServerApp.root_dir={work}"]
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    log = tmp_path / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=work)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", process, log)
        yield f"http://127.0.0.1:{port}/{PLACES[program]}", work
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser(_tools):
    """Return a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(BROWSER_ARGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser, picture):
    """Return a page; what it shows at the end is kept as a picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60_000)
    yield page
    picture(page, "last")
    page.close()


@pytest.fixture
def open_notebook(front_end, page, watched):  # watched from its first request
    """Return a function that opens a notebook without its results in the page, and returns its file.

    The cell put before them writes each token of the sandbox into a file, so that `watched` can look for it.
    """
    nbformat = pytest.importorskip("nbformat")
    url, folder = front_end

    def show(book):
        book.cells.insert(0, nbformat.v4.new_code_cell(TELL_TOKENS))
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(book, folder / "shown.ipynb")
        page.goto(f"{url}/shown.ipynb?reset")
        _wait_for_kernel(page, f"http://{urlsplit(url).netloc}/api/sessions")
        return folder / "shown.ipynb"

    return show


@pytest.fixture
def watched(page, look):
    """Watch a page; return a function that saves its notebook and checks what was said, asked and saved.

    It fails where the console has an error that the front end does not have in an empty notebook too, where another
    host was asked, and where the saved notebook, with the state of its widgets, has a secret or a token.
    """
    own = {"Cannot read properties of undefined (reading 'schema')"} if look[0] == "notebook" else set()
    console, elsewhere = [], []
    page.on("console", lambda entry: console.append(_told(entry)) if entry.type == "error" else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("request", lambda request: elsewhere.append(request.url) if _is_foreign(request.url) else None)

    def check(file, *secrets):
        text = _save(page, file)
        tokens = (file.parent / "tokens.txt").read_text().split()
        assert tokens
        assert [secret for secret in (*secrets, *tokens) if secret in text] == []
        assert elsewhere == []
        assert set(console) <= own
        return json.loads(text)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]

    return check


def _wait_for_kernel(page, sessions):
    """Wait until the page is connected with an idle kernel; where it asks for one, select what it proposes."""
    select = page.locator("dialog", has_text="Select Kernel").locator(".jp-mod-accept")
    for _ in range(300):
        if select.count():
            select.first.click()
        kernels = [session["kernel"] for session in page.request.get(sessions).json()]
        if any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in kernels):
            return
        page.wait_for_timeout(200)
    raise AssertionError("The page has no kernel.")


def _save(page, file):
    """Save by the menu, and return what was saved."""
    before = file.stat().st_mtime_ns
    for step in ("File", "Save Notebook"):
        page.get_by_role("menuitem", name=re.compile(f"^{step}( Ctrl.*)?$")).click()
    for _ in range(50):
        with suppress(json.JSONDecodeError):  # half written
            text = file.read_text(encoding="utf-8")
            if file.stat().st_mtime_ns != before and "widgets" in json.loads(text)["metadata"]:
                return text
        page.wait_for_timeout(200)
    raise AssertionError("The notebook was not saved with its widget state.")


def _told(entry):
    """Return what the console says, with the address where something was not found."""
    return f"{entry.text} {entry.location.get('url', '')}" if "Failed to load resource" in entry.text else entry.text


def _is_foreign(url):
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1"


def _wait_for(url, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The server did not start:\n{log.read_text()[-3000:]}")
