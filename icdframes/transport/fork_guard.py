"""The process to which a connection belongs; it refuses to let a forked child use the sockets and files of another.

Two processes that read one socket get each other's answers, and SQLite forbids
to carry a connection over a fork.
"""

from __future__ import annotations

import os

from icdframes.errors import ConfigurationError


class ForkGuard:
    """The process in which it was made."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is still that process."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise `ConfigurationError` in any other process."""
        if not self.is_here:
            raise ConfigurationError(
                "This client was made before this process was forked from another, whose connections it must not use: "
                "call icdframes.connect() in each process."
            )
