"""A whole session, program and notebook, with every log at DEBUG; then a search for the secret and all tokens."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import traceback
from pathlib import Path
from urllib.parse import quote

import nbformat
import pandas as pd
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient

import icdframes
from icdframes.cli.main import main
from icdframes.sandbox import Sandbox
from icdframes.widgets.login_form import LoginForm

SECRET = "s3cret/+=of-the-client"
CLIENT_ID = "client-0123-abcd"
LOGGERS = ("icdframes", "urllib3", "requests", "requests_cache", "authlib", "asyncio")

CELLS = [
    """
import logging
logging.basicConfig(filename=r"{logs}/notebook.log", level=logging.DEBUG)
import icdframes
client = icdframes.connect(cache_dir=r"{cache}")
client
""",
    'tables = client.load_tables("1A00", progress=True)\ntables',
    "tables.entities",
    """
import os
from icdframes.widgets.login_form import LoginForm
form = LoginForm(icdframes.connect)
form._secret.value = os.environ["ICD_CLIENT_SECRET"]
form
""",
    "vars(client), repr(client._session), str(client.server), {{**vars(client._session)}}",
    "client._session._tokens, vars(client._session._tokens)",
    'client.load_entity("no such code!")',
    'client.get("/icd/no/such/path")',
    'icdframes.connect("{url}", token_url="{token_url}", client_id="x", client_secret="y").entity("1A00")',
    'icdframes.write_tables(tables, r"{exports}/notebook-tables")',
    'icdframes.to_csv(tables.entities, r"{exports}/notebook.csv")',
]


@pytest.fixture
def sandbox():
    with Sandbox(client_id=CLIENT_ID, client_secret=SECRET) as sandbox:
        issue, sandbox.all_tokens = sandbox._tokens._issue, []

        def issue_and_note():
            sandbox.all_tokens.append(issue())
            return sandbox.all_tokens[-1]

        sandbox._tokens._issue = issue_and_note
        yield sandbox


@pytest.fixture
def at_the_sandbox(sandbox, monkeypatch):
    monkeypatch.setenv("ICD_SERVER", sandbox.url)
    monkeypatch.setenv("ICD_TOKEN_URL", sandbox.token_url)
    monkeypatch.setenv("ICD_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("ICD_CLIENT_SECRET", SECRET)


def forms(secret):
    """A secret as it is, quoted, and as base64 at each of the three offsets."""
    encoded = [base64.b64encode(b"x" * shift + secret.encode())[4 * bool(shift) : -4] for shift in range(3)]
    return {secret.encode(), quote(secret, safe="").encode(), *encoded}


def readable(path):
    """The bytes of a file, what is compressed taken apart."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    table = pq.read_table(path)
    return str(table.schema.metadata).encode() + table.to_pandas().to_csv().encode()


def leaks(folder, secrets):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [
        (path.name, secret)
        for path in files
        for secret in secrets
        if any(form in readable(path) for form in forms(secret))
    ]


@pytest.fixture
def folders(tmp_path):
    made = {name: tmp_path / "session" / name for name in ("logs", "cache", "exports", "notebooks")}
    for folder in made.values():
        folder.mkdir(parents=True)
    return made


@pytest.fixture
def debug_log(folders):
    handler = logging.FileHandler(folders["logs"] / "program.log")
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    logging.getLogger().removeHandler(handler)
    handler.close()
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def run_the_program(exports, capsys):
    load = ["load", "1A00", "--quiet", "--out"]
    done = [
        main([*load, str(exports / "program.csv")]),
        main([*load, str(exports / "program.parquet"), "--refresh"]),
        main(["status", "--check"]),
        main(["cache", "info"]),
        main(["releases"]),
        main(["load", "no such code!"]),
        main(["load", "1A00", "--release", "1066-01"]),
    ]
    assert done == [0, 0, 0, 0, 0, 1, 1]
    said = capsys.readouterr()
    (exports / "said.txt").write_text(said.out + said.err)


def run_a_notebook(folders, sandbox):
    words = {name: str(folder) for name, folder in folders.items()}
    words |= {"url": sandbox.url, "token_url": sandbox.token_url}
    cells = [nbformat.v4.new_code_cell(cell.format(**words).strip()) for cell in CELLS]
    for cell in cells:
        cell.metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=True).execute()
    nbformat.write(notebook, folders["notebooks"] / "session.ipynb")
    return notebook


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("at_the_sandbox", "debug_log")
def test_a_whole_session_writes_neither_the_secret_nor_a_token(sandbox, folders, capsys, monkeypatch):
    monkeypatch.setenv("ICDFRAMES_CACHE_DIR", str(folders["cache"]))
    run_the_program(folders["exports"], capsys)
    sandbox.fail("/icd/release/11/*/mms/*", status=503, times=2)
    sandbox.revoke_tokens()
    notebook = run_a_notebook(folders, sandbox)
    errors = [output.ename for cell in notebook.cells for output in cell.outputs if output.output_type == "error"]
    assert errors == ["CodeSyntaxError", "EntityNotFoundError", "CredentialsRejectedError"]
    logs = "".join(path.read_text() for path in folders["logs"].iterdir())
    assert logs.count("GET /icd/release/11") >= 10
    assert len(sandbox.all_tokens) >= 4
    assert len(list((folders["exports"] / "notebook-tables").iterdir())) > 4
    session = folders["logs"].parent
    assert leaks(session, [SECRET, *sandbox.all_tokens]) == []
    (folders["logs"] / "proof.txt").write_text(f"Authorization: Bearer {sandbox.all_tokens[-1]}")
    assert leaks(session, sandbox.all_tokens) == [("proof.txt", sandbox.all_tokens[-1])]
    (folders["logs"] / "proof.txt").unlink()


@pytest.fixture
def client(at_the_sandbox, tmp_path):
    with icdframes.connect(cache_dir=tmp_path / "answers") as client:
        client.entity("1A00")
        yield client


def reachable(value, depth=6, met=None):
    """Everything a debugger shows: the representations of an object and of what hangs on it."""
    met = {} if met is None else met
    if depth and id(value) not in met:
        met[id(value)] = value
        yield repr(value)
        inner = vars(value) if hasattr(value, "__dict__") else value if isinstance(value, dict) else {}
        for item in [*inner.values(), *(value if isinstance(value, list | tuple) else ())]:
            if type(item).__module__.startswith(("icdframes", "builtins", "requests")):
                yield from reachable(item, depth - 1, met)


def test_no_secret_in_what_vars_shows(client, sandbox):
    shown = "".join(reachable(client))
    assert "Throttle" in shown
    assert "TokenSource" in shown
    assert not [secret for secret in (SECRET, *sandbox.all_tokens) if secret in shown]


def test_what_holds_a_secret_is_neither_pickled_nor_copied(client):
    source = client._session._tokens
    for value in (client, client._session, source._get_credentials(), source._token):
        for action in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                action(value)


def below(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from below(child)


def test_a_login_form_keeps_no_secret_in_its_state(sandbox):
    def refuse(*_args, **_options):
        raise icdframes.errors.CredentialsRejectedError("no")

    form = LoginForm(refuse, server="sandbox")
    form._secret.value = SECRET
    state = repr([widget.get_state() for widget in below(form)])
    assert "Sign in" in state
    assert SECRET not in state + repr(form) + repr(form.trait_values())


@pytest.mark.slow
def test_no_secret_in_a_traceback_with_all_its_variables(client, sandbox):
    sandbox.fail("/icd/release/11/*/mms/*", status=401, times=None)
    with pytest.raises(icdframes.errors.CredentialsRejectedError) as caught:
        client.entity("257068234/other")
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if Path(frame.filename).name != Path(__file__).name]
    shown = "".join([*traceback.format_exception(caught.value), *(str(frame.locals) for frame in ours)])
    assert len(ours) > 3
    assert not [secret for secret in (SECRET, *sandbox.all_tokens) if secret in shown]


def test_no_secret_in_the_attributes_of_a_table(client, sandbox):
    tables = client.load_tables("1A00")
    shown = "".join(repr(frame.attrs) + frame.to_csv() for frame in tables.frames.values())
    assert isinstance(tables.entities, pd.DataFrame)
    assert not [secret for secret in (SECRET, CLIENT_ID, *sandbox.all_tokens) if secret in shown]
