"""A wire that answers without a network."""

import pytest


class AnsweringWire:
    """Gives one answer to everything and notes what was sent: method, path, and parameters, form fields or body."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = []

    def get_json(self, path, params=None, *, language="en", refresh=False):
        self.sent.append(("GET", path, params))
        return self.answer

    def forget(self, path, params=None, *, language="en"):
        """Nothing is kept."""

    def post_json(self, path, params=None, *, body=None, form=None, language="en"):
        self.sent.append(("POST", path, form or body))
        return self.answer


@pytest.fixture
def answering():
    """Return a function that makes such a wire."""
    return AnsweringWire
