"""Client id and secret, and the token they buy, as values; they refuse to be shown or pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from icdframes.errors import ConfigurationError

_SHOWN = 4


class Secret(str):
    """A secret as text; its representation, which is what tracebacks show of a variable, hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"

    def strip(self, chars: str | None = None, /) -> Secret:
        """Cut off blanks; the rest is as secret as the whole."""
        return Secret(super().strip(chars))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not pickled or copied.")


def mask_secret(value: object) -> Any:
    """Wrap a secret so that no traceback shows it; where it is no text, only its type, for the error to name."""
    if value is None or isinstance(value, type):
        return value
    return Secret(value) if isinstance(value, str) else type(value)


@dataclass(frozen=True, slots=True, init=False)
class Credentials:
    """Client id and secret of one key of the ICD API.

    Parameters
    ----------
    client_id, client_secret : str
        As WHO shows them; blanks around a pasted value are cut off.

    Raises
    ------
    ConfigurationError
        If one of them is empty.

    """

    client_id: str
    client_secret: Secret = field(repr=False)

    def __init__(self, client_id: str, client_secret: str) -> None:
        client_secret = mask_secret(client_secret)
        object.__setattr__(self, "client_id", client_id.strip())
        object.__setattr__(self, "client_secret", client_secret.strip())
        for name in ("client_id", "client_secret"):
            if not getattr(self, name):
                raise ConfigurationError(f"The {name.replace('_', ' ')} is empty: copy it from your ICD API account.")

    @property
    def masked_id(self) -> str:
        """The last characters of the client id, enough to tell two keys apart."""
        return "…" + (self.client_id[-_SHOWN:] if len(self.client_id) > 2 * _SHOWN else "")

    def __repr__(self) -> str:
        return f"Credentials({self.masked_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials are not pickled or copied: give them to each process by its environment.")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the time, by the clock of its source, from which it is not used any more."""

    value: str = field(repr=False)
    use_until: float

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token is not pickled or copied.")


class Tokens(Protocol):
    """Whatever gives bearer tokens."""

    def bearer(self, rejected: Token | None = None) -> Token:
        """Return a usable token, other than the rejected one."""

    def known_secrets(self) -> tuple[str, ...]:
        """Return what no error may show: the tokens of late and the client secret."""
