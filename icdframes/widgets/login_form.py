"""A form that signs in to a server and never shows or keeps the secret."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import traitlets

from icdframes.errors import (
    REGISTER_URL,
    ConfigurationError,
    CredentialsRejectedError,
    CredentialStorageWarning,
    CredentialsUnavailableError,
    IcdError,
    did_you_mean,
)
from icdframes.progress import in_kernel
from icdframes.settings import ENV_SERVER, LOCAL, is_loopback, server_named
from icdframes.transport.profiles import DEFAULT_PROFILE, find_credentials, save_profile
from icdframes.transport.secrets import Credentials, Secret
from icdframes.widgets.login_options import (
    OWN,
    Connect,
    check_listening,
    host_of,
    known_profiles,
    options_of,
    origin_of,
)
from icdframes.widgets.markup import STYLE, explained, message

_SERVERS = (("WHO", "who"), ("Local service", "local"), ("Own server", OWN), ("Sandbox", "sandbox"))
_HINTS = (
    "https://id.who.int",
    "WHO's own container, on this machine or another; no sign-in",
    "A server of your own with sign-in",
    "A small sample, built in",
)
_KEPT = "in the system keyring; where there is none, in a file that only you can read"
_NEW_PROFILE = ""
_ENTER_SECONDS = 0.5  # Enter reports itself just before the value that it ends
_LABELS = {"description_width": "6.5em"}


class _Secret(widgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field whose value the kernel does not repeat to the front ends."""

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)


class LoginForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A form for server, client id and secret.

    Show it as the last line of a cell. After a success `client` is the connected
    client. The secret leaves its field as soon as it arrives in the kernel, so
    that no saved notebook holds it; the form keeps it in memory for the server it was typed for
    until a server has answered, so that after a failure of the network Connect is enough.

    Parameters
    ----------
    connect : callable
        ``connect(server, client_id=…, client_secret=…, profile=…)`` gives a client.
    on_success : callable, optional
        Called with the client once the server has accepted it.
    server : str, optional
        ``"who"``, ``"sandbox"``, ``"local"`` or a base URL; by default what ``ICD_SERVER`` names.
    profile : str, default "default"
        Stored profile that is chosen at first.

    Attributes
    ----------
    client : IcdClient or None
        The connected client.

    Notes
    -----
    Network: when Connect is pressed, a token and the list of releases.

    Examples
    --------
    >>> import icdframes
    >>> form = icdframes.LoginForm(icdframes.connect, server="sandbox")  # the last line of a cell shows it
    >>> form.submit()  # what the button and the Enter key do
    >>> form.client.server.name
    'sandbox'

    """

    client = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        connect: Connect,
        *,
        on_success: Callable[[Any], object] | None = None,
        server: str | None = None,
        profile: str = DEFAULT_PROFILE,
    ) -> None:
        self._connect = connect
        self._on_success = on_success
        self._taken = Secret()
        self._typed: dict[str, tuple[str, Secret]] = {}  # what was typed for a server that is not chosen now
        self._stored: Credentials | None = None
        self._awaited: asyncio.TimerHandle | None = None
        chosen = server_named(server)
        known = [name for _, name in _SERVERS]
        is_known = "://" in chosen or chosen in known
        self._make_fields(chosen if is_known else "who", profile)
        fields = [self._server_row, self._url, self._token_url, self._profile_row]
        fields += [self._client_id, self._secret, self._remember_row]
        heading = widgets.HTML(f'{STYLE}<div class="icdframes-heading">Sign in to the ICD API</div>')
        last = widgets.HBox(
            [self._button, self._register], layout=widgets.Layout(align_items="center", grid_gap="16px")
        )
        super().__init__([heading, *fields, last, self._status], layout=widgets.Layout(grid_gap="4px"))
        self.add_class("icdframes").add_class("icdframes-form")
        self._button.on_click(lambda _button: self.submit())
        self._secret.observe(self._take, "value")
        for field in (self._client_id, self._secret, self._url, self._token_url, self._profile_name):
            field.on_msg(self._enter)
        self._server.observe(self._choose_server, "value")
        self._profile.observe(self._choose_profile, "value")
        self._prefill()
        if not is_known:
            self._say(
                f"There is no server {chosen!r}: choose one, or give a URL in server=... or {ENV_SERVER}."
                f"{did_you_mean(chosen.lower(), known)}",
                "bad",
            )

    def __repr__(self) -> str:
        state = f"connected to {host_of(self.client)}" if self.client else "not connected"
        return f"<LoginForm {state}>"

    def submit(self) -> None:
        """Connect with what stands in the form: what the button and the Enter key do."""
        if self._button.disabled:
            return
        self._stop_waiting()
        self._say("Connecting …")
        self._enable(False)
        outcome = ("Something unexpected went wrong; the log tells more. Try again.", "bad")
        try:
            outcome = (self._sign_in(self._taken), "good")
            self._taken = Secret()
        except CredentialsRejectedError as error:
            self._taken = Secret()
            outcome = (str(error), "bad")
        except IcdError as error:
            outcome = (str(error), "bad")
        finally:
            self._enable(True)
            self._show_placeholders()
            self._say(*outcome)  # last: a change of a field takes away what is being typed into it

    def _sign_in(self, secret: str) -> str:
        server, options = options_of(
            self._server.value,
            url=self._url.value,
            token_url=self._token_url.value,
            profile=self._profile_chosen(),
            client_id=self._client_id.value,
            secret=secret,
            stored=self._stored,
        )
        if is_loopback(server):  # elsewhere a proxy may stand between
            check_listening(server)
        client = self._connect(server, **options)
        newest = client.newest_release(refresh=True)  # a cached answer would not try the credentials
        if "client_secret" in options:
            given: Credentials | None = Credentials(options["client_id"], options["client_secret"])
        else:
            given = self._stored if options else None
        kept = ""
        if self._remember.value and given and "client_secret" in options and server == "who":
            kept = " " + self._keep(given)
        self.client = client
        if self._on_success:
            self._on_success(client)
        masked = f" as {given.masked_id}" if given and given.masked_id != "…" else ""
        return f"Connected to {host_of(client)}{masked}, ICD-11 {newest} is the newest release.{kept}"

    def _keep(self, credentials: Credentials) -> str:
        profile = self._profile_chosen()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CredentialStorageWarning)  # the sentence below says it
                where = save_profile(profile, credentials)
        except IcdError as error:
            return f"The key was not kept: {error}"
        self._stored = credentials
        if where.startswith("keyring"):
            return f"The key is kept as profile {profile!r} in the system keyring."
        return f"The key is kept as profile {profile!r} in {where}, a file that only you can read."

    def _make_fields(self, server: str, profile: str) -> None:
        is_url = "://" in server
        known = dict.fromkeys((profile, *known_profiles()))
        self._server = widgets.ToggleButtons(
            options=_SERVERS,
            tooltips=_HINTS,
            value="local" if is_url else server,
            style={"button_width": "8.2em"},
            layout=widgets.Layout(flex="1 1 auto", width="auto"),
        )
        label = widgets.HTML('<div class="icdframes-label">Server</div>')
        self._server_row = widgets.HBox([label, self._server], layout=widgets.Layout(align_items="center"))
        self._url = widgets.Text(
            description="URL", value=server if is_url else LOCAL.base_url, style=_LABELS, layout=_wide()
        )
        self._token_url = widgets.Text(
            description="Token URL", placeholder="https://…/connect/token", style=_LABELS, layout=_wide()
        )
        self._profile = widgets.Dropdown(
            description="Profile",
            options=[*((name, name) for name in known), ("a new one …", _NEW_PROFILE)],
            value=profile,
            style=_LABELS,
            layout=widgets.Layout(flex="1 1 16em", width="auto"),
        )
        self._profile_name = widgets.Text(
            placeholder="name of the new profile", layout=widgets.Layout(flex="1 1 10em", width="auto")
        )
        self._profile_row = widgets.HBox([self._profile, self._profile_name])
        self._client_id = widgets.Text(description="Client id", style=_LABELS, layout=_wide())
        self._secret = _Secret(description="Secret", continuous_update=False, style=_LABELS, layout=_wide())
        self._remember = widgets.Checkbox(
            description="Remember this key",
            **explained(_KEPT),
            style=_LABELS,
            layout=_wide(),
        )
        hint = widgets.HTML(f'<div class="icdframes-quiet icdframes-hint">{_KEPT}</div>')
        self._remember_row = widgets.VBox([self._remember, hint])
        self._button = widgets.Button(description="Connect", button_style="primary", icon="sign-in")
        self._register = widgets.HTML(
            f'<a href="{REGISTER_URL}" target="_blank" rel="noopener noreferrer">Register for a key, free of charge</a>'
        )
        self._status = widgets.HTML()

    def _profile_chosen(self) -> str:
        return str(self._profile.value or self._profile_name.value.strip() or DEFAULT_PROFILE)

    def _choose_server(self, change: dict[str, Any]) -> None:
        """Show what was typed for a server before; it is never taken along to another one."""
        if self._taken or not (self._stored and self._client_id.value == self._stored.client_id):
            self._typed[change["old"]] = (self._client_id.value, self._taken)
        self._prefill()
        if typed := self._typed.pop(change["new"], None):
            self._client_id.value, self._taken = typed[0] or self._client_id.value, typed[1]
            self._show_placeholders()

    def _prefill(self) -> None:
        """Show the fields that the server needs, and the client id of the stored key."""
        server = self._server.value
        _show(self._url, visible=server in {"local", OWN})
        _show(self._token_url, visible=server == OWN)
        for field in (self._client_id, self._secret):
            _show(field, visible=server != "local")
        for field in (self._profile_row, self._remember_row, self._register):
            _show(field, visible=server == "who")
        _show(self._profile_name, visible=self._profile.value == _NEW_PROFILE)
        self._stored = None
        self._taken = Secret()
        text, kind = "", "quiet"
        if server == "who" and self._profile.value != _NEW_PROFILE:
            try:
                self._stored = find_credentials(profile=self._profile.value)
                text = f"{origin_of(self._stored)}: press Connect."
            except CredentialsUnavailableError:
                text = "No key is stored yet: fill in the client id and secret of your ICD API account."
            except IcdError as error:
                text, kind = str(error), "bad"
        self._client_id.value = self._stored.client_id if self._stored else ""
        self._show_placeholders()
        self._say(text, kind)

    def _choose_profile(self, change: dict[str, Any]) -> None:
        """Show the key of a profile; a new profile takes what has been typed so far."""
        typed, taken = self._client_id.value, self._taken
        is_stored = self._stored is not None and typed == self._stored.client_id
        self._prefill()
        if change["new"] == _NEW_PROFILE and not is_stored:
            self._client_id.value, self._taken = typed, taken
            self._show_placeholders()

    def _show_placeholders(self) -> None:
        empty = {"sandbox": "leave empty for the sample's own"}.get(self._server.value, "")
        self._client_id.placeholder = empty
        stored = "stored; leave empty to use it" if self._stored else empty
        self._secret.placeholder = "received, not shown" if self._taken else stored

    def _take(self, change: dict[str, Any]) -> None:
        """Empty the field as soon as the secret has arrived; connect where Enter has sent it.

        It connects a little later: an error here and now would show the change, and with it the secret.
        """
        if not change["new"]:
            return
        self._taken = Secret(change["new"]).strip()
        self._secret.value = ""
        self._show_placeholders()
        if self._awaited:
            self._submit_in(0)

    def _enter(self, field: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") != "submit":
            return
        if field is self._secret:
            self._submit_in(_ENTER_SECONDS)
        else:
            self.submit()

    def _submit_in(self, seconds: float) -> None:
        """Connect when the secret has arrived that Enter ends; where none comes in time, nothing new was typed."""
        self._stop_waiting()
        try:
            self._awaited = asyncio.get_running_loop().call_later(seconds, self.submit)
        except RuntimeError:  # no front end, no value that would still come
            self.submit()

    def _stop_waiting(self) -> None:
        if self._awaited:
            self._awaited.cancel()
            self._awaited = None

    def _enable(self, on: bool) -> None:  # noqa: FBT001  on or off is all it says
        for field in (
            self._server, self._url, self._token_url, self._profile, self._profile_name, self._client_id, self._secret,
            self._remember, self._button,
        ):  # fmt: skip
            field.disabled = not on

    def _say(self, text: str, kind: str = "quiet") -> None:
        self._status.value = message(text, kind) if text else ""


def show_login(connect: Connect, on_success: Callable[[Any], object] | None = None) -> LoginForm:
    """Return the form, or say how to sign in where no front end can show it.

    Raises
    ------
    ConfigurationError
        If this is no notebook.

    """
    if not in_kernel():
        raise ConfigurationError(
            "login() shows a form and needs a notebook (JupyterLab, Notebook 7, VS Code). Here, run `icdframes login` "
            "in a terminal, or use connect(client_id=..., client_secret=...)."
        )
    return LoginForm(connect, on_success=on_success)


def _wide() -> widgets.Layout:
    return widgets.Layout(width="auto")


def _show(field: Any, *, visible: bool) -> None:
    field.layout.display = None if visible else "none"
