"""Render values as small HTML tables for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_rows(rows: Sequence[tuple[str, str]]) -> str:
    """Write pairs as a small HTML table that takes its colours from the page."""
    cell = "text-align:left;vertical-align:top;padding:2px 12px;background:transparent;color:inherit"
    body = "".join(
        f'<tr style="background:transparent"><th style="{cell};white-space:nowrap">{escape(name)}</th>'
        f'<td style="{cell}">{escape(text)}</td></tr>'
        for name, text in rows
    )
    return (
        f'<table style="border-collapse:collapse;border:1px solid rgba(128,128,128,0.5);color:inherit">{body}</table>'
    )
