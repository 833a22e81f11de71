"""By whatever way a secret comes in, no traceback that shows all variables shows it, and neither does `vars`."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import traceback
import warnings
from argparse import Namespace
from itertools import dropwhile
from pathlib import Path

import pytest

import icdframes
from icdframes.cli import login
from icdframes.errors import ConfigurationError, CredentialStorageWarning, CredentialsUnavailableError, IcdError
from icdframes.functions import make_client
from icdframes.transport.profiles import delete_profile, find_credentials, load_profile, save_profile
from icdframes.transport.secrets import Credentials
from icdframes.widgets.login_form import LoginForm

SECRET = "s3cret/+=of-the-client"
CLIENT_ID = "client-0123-abcd"
OTHERS = "s3cret-of-somebody-else"
OURS = str(Path(icdframes.__file__).parent)


def linked(error):
    """An error and all that hangs on it, also what Python would not show."""
    if error is not None:
        yield error
        yield from linked(error.__cause__)
        yield from linked(error.__context__)


def variables(error):
    """All variables of the frames from the first one of icdframes on; those before are the caller's own."""
    for each in linked(error):
        yield repr((each.args, vars(each)))
        frames = [frame for frame, _ in traceback.walk_tb(each.__traceback__)]
        for frame in dropwhile(lambda frame: not frame.f_code.co_filename.startswith(OURS), frames):
            for name, value in frame.f_locals.items():
                with contextlib.suppress(AttributeError):  # an object whose __init__ was left may have no repr
                    yield f"{frame.f_code.co_name}: {name} = {value!r}"


def assert_kept(error):
    shown = list(variables(error))
    assert len(shown) > 1
    assert not [variable for variable in shown if "s3cret" in variable]


@pytest.fixture
def write_profiles(tmp_path):
    """Write the file of profiles, with one of somebody else's beside those that are given."""

    def write(text=None, **profiles):
        folder = tmp_path / "config"
        folder.mkdir(exist_ok=True)
        others = {"others": {"client_id": "b", "client_secret": OTHERS}}
        (folder / "profiles.json").write_text(text or json.dumps({"profiles": others | profiles}))
        (folder / "profiles.json").chmod(0o600)

    return write


MINE = {"client_id": CLIENT_ID, "client_secret": SECRET}


@pytest.fixture(params=["connect", "make_client"])
def connect(request):
    return {"connect": icdframes.connect, "make_client": make_client}[request.param]


@pytest.mark.parametrize(
    ("server", "options"),
    [
        ("whoo", {}),
        ("local", {"client_id": None}),
        ("local", {"client_id": 5}),
        ("local", {"client_secret": SECRET.encode()}),
        ("local", {"client_secret": [SECRET]}),
        ("local", {"retries": -1}),
        ("local", {"timeout": "soon"}),
        ("local", {"max_workers": 0}),
        ("who", {"verify": "/no/such/file"}),
        ("sandbox", {"retries": -1}),
    ],
)
def test_arguments(connect, server, options):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, **{"client_id": CLIENT_ID, "client_secret": SECRET, **options})
    assert_kept(caught.value)


def test_the_type_of_a_secret_that_is_no_text_is_named(connect):
    with pytest.raises(ConfigurationError, match="client_secret must be text, not bytes"):
        connect("local", client_id=CLIENT_ID, client_secret=SECRET.encode())


@pytest.mark.parametrize(
    "use", [lambda: Credentials(" ", SECRET), lambda: find_credentials(None, SECRET)], ids=["Credentials", "find"]
)
def test_arguments_further_in(use):
    with pytest.raises(ConfigurationError) as caught:
        use()
    assert_kept(caught.value)


def test_what_the_server_refuses(icd_sandbox, tmp_path):
    where = {"token_url": icd_sandbox.token_url, "cache_dir": tmp_path / "c"}
    client = icdframes.connect(icd_sandbox.url, client_id=CLIENT_ID, client_secret=SECRET, **where)
    with client, pytest.raises(icdframes.errors.CredentialsRejectedError) as caught:
        client.entity("1A00")
    assert_kept(caught.value)


def test_what_a_client_holds():
    with make_client("local", client_id=CLIENT_ID, client_secret=SECRET) as client:
        assert "s3cret" not in repr(vars(client)) + repr(vars(client._session))
    with make_client("who", client_id=CLIENT_ID, client_secret=SECRET) as client:
        get_credentials = client._session._tokens._get_credentials
        held = inspect.getclosurevars(get_credentials).nonlocals
        assert held["client_secret"] == get_credentials().client_secret == SECRET
        assert "s3cret" not in repr(held) + repr(get_credentials())


def ask_who():
    with icdframes.connect("who") as client:
        client.entity("1A00", release="2024-01")


@pytest.mark.parametrize("use", [find_credentials, ask_who])
def test_environment(use, monkeypatch):
    monkeypatch.setenv("ICD_CLIENT_SECRET", SECRET)
    with pytest.raises(ConfigurationError, match="ICD_CLIENT_ID is missing") as caught:
        use()
    assert_kept(caught.value)


@pytest.mark.parametrize(
    "profile",
    [
        {"client_id": CLIENT_ID, "secret": SECRET},
        {"client_id": CLIENT_ID, "client_secret": [SECRET]},
        {"client_id": " ", "client_secret": SECRET},
        {"client_id": 5, "client_secret": SECRET},
        {"client_secret": SECRET},
        [CLIENT_ID, SECRET],
        SECRET,
    ],
)
@pytest.mark.parametrize("use", [lambda: load_profile("default"), ask_who], ids=["load", "ask"])
def test_a_profile_that_is_not_as_it_should_be(use, profile, write_profiles):
    write_profiles(default=profile)
    with pytest.raises(ConfigurationError) as caught:
        use()
    assert_kept(caught.value)


@pytest.mark.parametrize("text", ['{"profiles": {"a": {"client_secret": "%s"}', '{"profiles": ["%s"]}', '["%s"]'])
def test_a_file_that_is_not_as_it_should_be(text, write_profiles):
    write_profiles(text % SECRET)
    with pytest.raises(ConfigurationError, match="does not hold profiles") as caught:
        load_profile("default")
    assert_kept(caught.value)


def test_profiles_that_are_not_there(write_profiles):
    write_profiles(default=MINE)
    with pytest.raises(ConfigurationError, match="no profile 'no'") as caught:
        delete_profile("no")
    assert_kept(caught.value)
    with pytest.raises(CredentialsUnavailableError) as caught:
        find_credentials(profile="no")
    assert_kept(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        save_profile("no/name", Credentials(CLIENT_ID, SECRET))
    assert_kept(caught.value)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), RuntimeError(), KeyboardInterrupt()])
@pytest.mark.parametrize("at", ["json.dumps", "pathlib.Path.replace", "tempfile.mkstemp"])
def test_profiles_that_cannot_be_written(at, fault, write_profiles, monkeypatch):
    write_profiles(default=MINE)

    def fail(*_args, **_options):
        raise fault

    mine = Credentials(CLIENT_ID, SECRET)
    with monkeypatch.context() as context:
        context.setattr(at, fail)
        with pytest.raises((ConfigurationError, type(fault))) as caught:
            save_profile("new", mine)
    assert_kept(caught.value)


def test_a_warning_that_is_an_error(write_profiles):
    write_profiles(default=MINE)
    mine = Credentials(CLIENT_ID, SECRET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CredentialStorageWarning) as caught:
            save_profile("new", mine)
    assert_kept(caught.value)


class Keyring:
    """A keyring that gives one secret, and can be broken."""

    priority = 5

    def __init__(self):
        self.fault = None

    def get_password(self, _service, _name):
        return SECRET

    def set_password(self, _service, _name, password):
        assert str(password) == SECRET
        if self.fault:
            raise self.fault


@pytest.fixture
def keyring(monkeypatch):
    keyring = Keyring()
    monkeypatch.setattr("keyring.get_keyring", lambda: keyring)
    return keyring


def test_a_secret_of_the_keyring(keyring, write_profiles):
    write_profiles(default={"client_id": CLIENT_ID}, broken={"client_id": " "})
    assert load_profile("default") == Credentials(CLIENT_ID, SECRET)
    with pytest.raises(ConfigurationError, match="client id is empty") as caught:
        load_profile("broken")
    assert_kept(caught.value)
    keyring.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        save_profile("default", Credentials(CLIENT_ID, SECRET))
    assert_kept(caught.value)


@pytest.fixture
def form():
    def broken(server, **options):
        assert options["client_secret"] == SECRET
        return make_client(server, retries=None, wrong=1, **options)

    form = LoginForm(broken, server="who")
    form._client_id.value = CLIENT_ID
    return form


def test_a_form_that_has_a_secret_and_fails(form):
    form._secret.set_state({"value": f" {SECRET}\n"})
    assert form._taken == SECRET
    assert "s3cret" not in repr(vars(form))
    with pytest.raises(TypeError) as caught:
        form.submit()
    assert_kept(caught.value)
    assert "s3cret" not in repr(vars(form))


def test_a_form_that_fails_with_the_secret_that_enter_sends(form):
    async def type_and_enter():
        loop = asyncio.get_running_loop()
        fault = loop.create_future()
        loop.set_exception_handler(lambda _loop, context: fault.set_result(context["exception"]))
        form._secret._msg_callbacks(form._secret, {"event": "submit"}, [])
        form._secret.set_state({"value": SECRET})
        return await asyncio.wait_for(fault, 60)

    fault = asyncio.run(type_and_enter())
    assert type(fault) is TypeError
    assert_kept(fault)


@pytest.mark.parametrize(("client_id", "server"), [(" ", "local"), (CLIENT_ID, "whoo")])
def test_the_command_line(client_id, server, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _prompt: client_id)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: SECRET)
    with pytest.raises(IcdError) as caught:
        login.run_login(
            Namespace(forget=False, profile="default", server=server, token_url=None, cache_dir=None, offline=False)
        )
    assert_kept(caught.value)
