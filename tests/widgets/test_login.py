import asyncio
import socket
import stat

import ipywidgets as widgets
import pytest
from ipywidgets import Widget

from icdframes.client.icd_client import IcdClient
from icdframes.errors import (
    ConfigurationError,
    ConnectionFailedError,
    CredentialsRejectedError,
    CredentialStorageWarning,
)
from icdframes.settings import Server
from icdframes.transport.profiles import load_profile, save_profile
from icdframes.transport.secrets import Credentials
from icdframes.widgets.login_form import LoginForm, show_login
from icdframes.widgets.login_options import options_of

CLIENT_ID = "0123456789_abcd"
SECRET = "s3cret-9f27c1"


class FakeClient:
    def __init__(self, base_url="https://id.who.int"):
        self.base_url = base_url

    def newest_release(self, *, refresh):
        assert refresh
        return "2026-01"


class Door:
    """Stands for `connect`; opens for one secret."""

    def __init__(self):
        self.asked = []
        self.before = lambda: None

    def __call__(self, server, **options):
        self.before()
        self.asked.append((server, options))
        if options.get("client_secret") not in {None, SECRET}:
            raise CredentialsRejectedError("The server refuses <this> client.")
        return FakeClient(server if "://" in server else "https://id.who.int")


Screen = None  # the class of conftest.py, which fixtures can reach


@pytest.fixture(autouse=True)
def _look(see, monkeypatch):
    """Let every function of this file look at a form."""
    monkeypatch.setitem(globals(), "Screen", see)


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def form(door):
    return LoginForm(door)


def fill(form, client_id=CLIENT_ID, secret=SECRET):
    """Type into the fields, as a front end tells of it."""
    Screen(form).field("Client id").value = client_id
    Screen(form).field("Secret").set_state({"value": secret})


def press_enter(form, name):
    Screen(form).press_enter(Screen(form).field(name))


def connect_of(form):
    return Screen(form).button("Connect")


def status(form):
    return Screen(form).text


def choose(form, label, value):
    """Choose in the row of servers, or among the profiles."""
    kind = widgets.ToggleButtons if label == "Server" else widgets.Dropdown
    (part,) = Screen(form).parts(kind)
    part.value = value


def id_and_hint(form):
    """Return the client id that is shown, and the hint in the field of the secret."""
    return Screen(form).field("Client id").value, Screen(form).field("Secret").placeholder


def test_connecting_says_where_as_whom_and_the_newest_release(form, door):
    fill(form)
    connect_of(form).click()
    assert door.asked == [("who", {"client_id": CLIENT_ID, "client_secret": SECRET})]
    assert "✓ Connected to id.who.int as …abcd, ICD-11 2026-01 is the newest release." in status(form)
    assert form.client.base_url == "https://id.who.int"
    assert repr(form) == "<LoginForm connected to id.who.int>"


def test_success_is_told_to_the_caller_and_failure_is_not(door):
    told = []
    form = LoginForm(door, on_success=told.append)
    fill(form, secret="wrong")
    connect_of(form).click()
    assert told == []
    fill(form)
    connect_of(form).click()
    assert told == [form.client]


def test_an_error_is_shown_in_the_form_escaped_and_the_form_works_again(form):
    fill(form, secret="wrong")
    connect_of(form).click()
    assert "✗ The server refuses <this> client." in status(form)
    assert form.client is None
    assert not connect_of(form).disabled
    fill(form)
    connect_of(form).click()
    assert "✓" in status(form)


def test_the_form_is_disabled_while_it_works(form, door):
    seen = []
    door.before = lambda: seen.append(
        (connect_of(form).disabled, Screen(form).field("Secret").disabled, "Connecting" in status(form))
    )
    fill(form)
    connect_of(form).click()
    assert seen == [(True, True, True)]
    assert not Screen(form).field("Secret").disabled


def test_a_second_click_while_it_works_does_nothing(form, door):
    door.before = form.submit
    fill(form)
    connect_of(form).click()
    assert len(door.asked) == 1


def test_an_unexpected_error_is_not_hidden_and_leaves_the_form_usable(form, door):
    def broken():
        raise RuntimeError("bug")

    door.before = broken
    fill(form)
    with pytest.raises(RuntimeError):
        form.submit()
    assert "unexpected" in status(form)
    assert not connect_of(form).disabled


def test_the_secret_leaves_its_field_at_once_and_is_in_no_widget(form):
    fill(form)
    assert Screen(form).field("Secret").value == ""
    assert Screen(form).field("Secret").placeholder == "received, not shown"
    assert SECRET not in str(Widget.get_manager_state())
    connect_of(form).click()
    assert SECRET not in str(Widget.get_manager_state())
    assert SECRET not in repr(form)


def test_a_secret_is_used_once_only(form, door):
    fill(form, secret="wrong")
    connect_of(form).click()
    connect_of(form).click()
    assert len(door.asked) == 1
    assert "Fill in the secret that belongs to this client id." in status(form)


def in_a_kernel(act, monkeypatch, patience):
    """Run something in a loop, as a kernel does, and then let what it left to the loop happen."""
    monkeypatch.setattr("icdframes.widgets.login_form._ENTER_SECONDS", patience)

    async def run():
        act()
        await asyncio.sleep(0)  # what is due at once comes first
        await asyncio.sleep(0)

    asyncio.run(run())


@pytest.mark.parametrize("is_stored", [False, True])
def test_enter_connects_with_the_secret_that_arrives_just_after_it(door, monkeypatch, is_stored):
    if is_stored:
        with pytest.warns(CredentialStorageWarning):
            save_profile("default", Credentials("9876543210_wxyz", "another secret"))
    form = LoginForm(door)

    def type_and_enter():
        Screen(form).field("Client id").value = CLIENT_ID
        press_enter(form, "Secret")
        assert door.asked == []
        Screen(form).field("Secret").set_state({"value": SECRET})
        assert door.asked == []  # not among the variables of what brings the secret

    in_a_kernel(type_and_enter, monkeypatch, 60.0)
    assert door.asked == [("who", {"client_id": CLIENT_ID, "client_secret": SECRET})]


def test_enter_in_an_empty_secret_field_connects_when_nothing_comes(form, door, monkeypatch):
    choose(form, "Server", "sandbox")
    in_a_kernel(lambda: press_enter(form, "Secret"), monkeypatch, 0.0)
    assert door.asked == [("sandbox", {})]
    assert "✓ Connected" in status(form)


def test_enter_twice_or_enter_and_a_click_connect_once(form, door, monkeypatch):
    choose(form, "Server", "sandbox")

    def enter_twice_and_click():
        press_enter(form, "Secret")
        press_enter(form, "Secret")
        connect_of(form).click()

    in_a_kernel(enter_twice_and_click, monkeypatch, 0.0)
    assert len(door.asked) == 1


def test_leaving_the_secret_field_does_not_connect(form, door):
    fill(form)
    assert door.asked == []


def test_enter_in_the_client_id_connects_and_other_messages_do_not(form, door):
    fill(form)
    field = Screen(form).field("Client id")
    field._msg_callbacks(field, {"event": "other"}, [])
    assert door.asked == []
    press_enter(form, "Client id")
    assert len(door.asked) == 1


def test_a_stored_key_shows_its_id_and_never_its_secret(door):
    with pytest.warns(CredentialStorageWarning):
        save_profile("default", Credentials(CLIENT_ID, SECRET))
    form = LoginForm(door)
    assert Screen(form).field("Client id").value == CLIENT_ID
    assert Screen(form).field("Secret").placeholder == "stored; leave empty to use it"
    assert "The key …abcd is stored: press Connect." in status(form)
    assert SECRET not in str(Widget.get_manager_state())
    press_enter(form, "Secret")
    assert door.asked == [("who", {"profile": "default"})]
    assert "as …abcd" in status(form)


def test_choosing_a_profile_shows_that_profile(door):
    with pytest.warns(CredentialStorageWarning):
        save_profile("work", Credentials("9876543210_wxyz", SECRET))
    form = LoginForm(door)
    assert Screen(form).field("Client id").value == ""
    choose(form, "Profile", "work")
    assert Screen(form).field("Client id").value == "9876543210_wxyz"


def test_a_new_profile_takes_what_was_typed_but_not_the_stored_key(door):
    with pytest.warns(CredentialStorageWarning):
        save_profile("work", Credentials("9876543210_wxyz", SECRET))
    form = LoginForm(door, profile="work")
    choose(form, "Profile", "")
    assert Screen(form).field("Client id").value == ""
    fill(form)
    choose(form, "Profile", "work")
    assert id_and_hint(form) == ("9876543210_wxyz", "stored; leave empty to use it")
    fill(form)
    choose(form, "Profile", "")
    assert id_and_hint(form) == (CLIENT_ID, "received, not shown")


def test_a_key_of_the_environment_is_told_as_such(door, monkeypatch):
    with pytest.warns(CredentialStorageWarning):
        save_profile("work", Credentials("9876543210_wxyz", SECRET))
    monkeypatch.setenv("ICD_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("ICD_CLIENT_SECRET", SECRET)
    form = LoginForm(door, profile="work")
    assert "ICD_CLIENT_ID is set, so its key …abcd is used whatever the profile: press Connect." in status(form)
    assert Screen(form).field("Client id").value == CLIENT_ID


def test_a_remembered_key_is_kept_and_it_is_said_where(form, tmp_path):
    fill(form)
    choose(form, "Profile", "")
    assert Screen(form).field("name of the new profile")
    Screen(form).field("name of the new profile").value = "work"
    Screen(form).parts(widgets.Checkbox)[0].value = True
    connect_of(form).click()
    file = tmp_path / "config" / "profiles.json"
    assert f"kept as profile 'work' in {file}, a file that only you can read" in status(form)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_profile("work") == Credentials(CLIENT_ID, SECRET)


def test_a_keyring_is_named_as_such(form, monkeypatch):
    monkeypatch.setattr("icdframes.widgets.login_form.save_profile", lambda _name, _key: "keyring keyring.backends.X")
    Screen(form).parts(widgets.Checkbox)[0].value = True
    fill(form)
    connect_of(form).click()
    assert "in the system keyring." in status(form)


def test_a_key_that_cannot_be_kept_still_connects(form):
    choose(form, "Profile", "")
    Screen(form).field("name of the new profile").value = "no/name"
    Screen(form).parts(widgets.Checkbox)[0].value = True
    fill(form)
    connect_of(form).click()
    assert "✓ Connected" in status(form)
    assert "The key was not kept: " in status(form)


def test_nothing_is_kept_unless_it_is_asked_for(form, tmp_path):
    fill(form)
    connect_of(form).click()
    assert not (tmp_path / "config" / "profiles.json").exists()


def test_broken_profiles_are_told_in_the_form(door, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "profiles.json").write_text("{")
    (tmp_path / "config" / "profiles.json").chmod(0o600)
    form = LoginForm(door)
    assert "does not hold profiles" in status(form)


@pytest.mark.parametrize(
    "server, fields",
    [
        ("who", ["Profile", "Client id", "Secret", "Remember this key"]),
        ("local", ["URL"]),
        ("own", ["URL", "Token URL", "Client id", "Secret"]),
        ("sandbox", ["Client id", "Secret"]),
    ],
)
def test_only_the_fields_that_a_server_needs_are_seen(form, server, fields):
    choose(form, "Server", server)
    kinds = (widgets.Text, widgets.Dropdown, widgets.Checkbox)
    assert [part.description for part in Screen(form).parts(kinds)] == fields


def test_what_was_typed_stays_until_a_server_refuses_it(form, door):
    def dead():
        raise ConnectionFailedError("The line is dead.")

    door.before = dead
    fill(form)
    connect_of(form).click()
    assert "✗ The line is dead." in status(form)
    assert id_and_hint(form) == (CLIENT_ID, "received, not shown")
    assert SECRET not in str(Widget.get_manager_state())
    door.before = lambda: None
    connect_of(form).click()
    assert "✓ Connected" in status(form)
    assert id_and_hint(form)[1] != "received, not shown"


def test_what_was_typed_for_one_server_is_there_again_and_goes_to_no_other(form, door):
    fill(form)
    choose(form, "Server", "sandbox")
    assert id_and_hint(form)[0] == ""
    connect_of(form).click()
    assert door.asked == [("sandbox", {})]
    choose(form, "Server", "who")
    assert id_and_hint(form) == (CLIENT_ID, "received, not shown")
    connect_of(form).click()
    assert door.asked[1:] == [("who", {"client_id": CLIENT_ID, "client_secret": SECRET})]


def test_a_server_of_ones_own_is_asked_with_its_token_url(form, door):
    choose(form, "Server", "own")
    Screen(form).field("URL").value = "https://icd.example.org"
    Screen(form).field("Token URL").value = "https://icd.example.org/connect/token"
    fill(form)
    connect_of(form).click()
    key = {"client_id": CLIENT_ID, "client_secret": SECRET}
    assert door.asked == [("https://icd.example.org", {"token_url": "https://icd.example.org/connect/token"} | key)]


def test_a_local_service_that_is_not_running_is_told_at_once(form, door):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so that nobody else takes it; nobody listens
        port = taken.getsockname()[1]
        choose(form, "Server", "local")
        Screen(form).field("URL").value = f"http://127.0.0.1:{port}"
        connect_of(form).click()
    assert f"✗ Nothing answers at 127.0.0.1:{port}: is the service running" in status(form)
    assert door.asked == []


def test_a_local_service_that_listens_is_asked(form, door):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        choose(form, "Server", "local")
        Screen(form).field("URL").value = url
        connect_of(form).click()
    assert door.asked == [(url, {})]


def test_the_server_of_the_environment_is_chosen_at_first(door, monkeypatch):
    monkeypatch.setenv("ICD_SERVER", "http://icd.example.org:6382")
    form = LoginForm(door)
    connect_of(form).click()
    assert door.asked == [("http://icd.example.org:6382", {})]
    assert "Connected to icd.example.org:6382, ICD-11" in status(form)


def test_an_unknown_server_of_the_environment_is_told_in_the_form(door, monkeypatch):
    monkeypatch.setenv("ICD_SERVER", "staging")
    form = LoginForm(door)
    assert "✗ There is no server 'staging'" in status(form)
    choose(form, "Server", "sandbox")
    connect_of(form).click()
    assert "✓" in status(form)


STORED = Credentials(CLIENT_ID, SECRET)
BOTH = {"client_id": "a", "client_secret": "b"}


@pytest.mark.parametrize(
    "server, url, client_id, secret, stored, expected",
    [
        ("who", "", " a ", "b", None, ("who", BOTH)),
        ("who", "", "a", "b", STORED, ("who", BOTH)),
        ("who", "", "", "", STORED, ("who", {"profile": "p"})),
        ("who", "", CLIENT_ID, "", STORED, ("who", {"profile": "p"})),
        ("who", "", "a", "", STORED, "Fill in the secret"),
        ("who", "", "a", "", None, "Fill in the secret"),
        ("who", "", "", "b", None, "Fill in the client id, too"),
        ("who", "", "", "", None, "Fill in the client id and the secret"),
        ("sandbox", "", "", "", None, ("sandbox", {})),
        ("sandbox", "", "a", "b", None, ("sandbox", BOTH)),
        ("local", " http://h:1 ", "a", "b", None, ("http://h:1", {})),
        ("local", "", "", "", None, ("http://localhost", {})),
        ("own", "", "a", "b", None, "Fill in the URL"),
        ("own", "https://h", "a", "b", None, "Fill in the token URL"),
    ],
)
def test_what_stands_in_the_form_tells_how_to_connect(server, url, client_id, secret, stored, expected):
    given = {"url": url, "profile": "p", "client_id": client_id, "secret": secret, "stored": stored}
    if isinstance(expected, str):
        with pytest.raises(ConfigurationError, match=expected):
            options_of(server, **given)
    else:
        assert options_of(server, **given) == expected


def test_a_real_server_refuses_a_wrong_secret_and_takes_the_right_one(icd_sandbox, tmp_path):
    opened = []

    def connect(_server, **options):
        where = Server("sandbox", icd_sandbox.url, icd_sandbox.token_url)
        key = Credentials(options["client_id"], options["client_secret"])
        opened.append(IcdClient(where, lambda: key, cache_dir=tmp_path / "c"))
        return opened[-1]

    form = LoginForm(connect, server="sandbox")
    fill(form, icd_sandbox.client_id, "wrong")
    connect_of(form).click()
    assert "✗" in status(form)
    fill(form, icd_sandbox.client_id, icd_sandbox.client_secret)
    connect_of(form).click()
    assert "✓ Connected to 127.0.0.1" in status(form)
    fill(form, icd_sandbox.client_id, "wrong again, with the answer in the cache")
    connect_of(form).click()
    assert "✗" in status(form)
    for client in opened:
        client.close()


def test_without_a_front_end_login_says_what_to_do_instead(door):
    with pytest.raises(ConfigurationError, match=r"icdframes login.*connect\("):
        show_login(door)


def test_in_a_kernel_login_gives_the_form(door, monkeypatch):
    monkeypatch.setattr("icdframes.widgets.login_form.in_kernel", lambda: True)
    assert isinstance(show_login(door), LoginForm)
