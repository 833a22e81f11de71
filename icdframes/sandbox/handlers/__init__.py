"""Handlers of the sandbox, a file for each kind of operation."""
