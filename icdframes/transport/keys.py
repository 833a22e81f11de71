"""Client id and secret, and the token they buy, as values; they refuse to be shown or pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from icdframes.errors import ConfigurationError

_SHOWN = 4


@dataclass(frozen=True, slots=True)
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
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret"):
            value = getattr(self, name).strip()
            if not value:
                raise ConfigurationError(f"The {name.replace('_', ' ')} is empty: copy it from your ICD API account.")
            object.__setattr__(self, name, value)

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
