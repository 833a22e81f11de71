"""Values as small HTML tables for notebooks; everything is escaped, and colours are those of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_rows(rows: Sequence[tuple[str, str]]) -> str:
    """Write pairs as a small HTML table that takes its colours from the page."""
    cell = "text-align:left;padding:0 1em 0 0;background:transparent;color:inherit"
    body = "".join(
        f'<tr style="background:transparent"><th style="{cell}">{escape(name)}</th>'
        f'<td style="{cell}">{escape(text)}</td></tr>'
        for name, text in rows
    )
    return f'<table style="border-collapse:collapse;border:1px solid currentColor;color:inherit">{body}</table>'
