"""A search field with its hits; a click on a hit, or ↓ and Enter, chooses its code."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from icdframes.errors import ConfigurationError, IcdError
from icdframes.frames.schema import as_lists
from icdframes.model.decode_responses import plain_text
from icdframes.widgets.markup import STYLE, claim_shortcuts, copyable, explained, highlighted, message, source_html

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

_SHOWN = 20
_SHORTEST = 3
_PAUSE_SECONDS = 0.35
_HITS_HEIGHT = "290px"


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit of a search.

    Attributes
    ----------
    entity_id, code : str or None
        What was found.
    title : str
        May hold the marks of the API.
    matched : str or None
        The term that matches, where it is not the title; it may hold the same marks.

    """

    entity_id: str | None
    code: str | None
    title: str
    matched: str | None = None


Search = Callable[[str], Sequence[Hit]]


class SearchBox(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A field to search in, with the hits below it.

    It searches when typing pauses, or at once with Enter. Each hit is one wide button: a click on it, or ↓ to it
    and Enter, chooses it; where another term than the title matches, it stands below the title.

    Parameters
    ----------
    client : IcdClient, optional
        Asked by `IcdClient.search`.
    search : callable, optional
        Instead of a client: takes the query, gives hits.
    on_select : callable, optional
        Called with the chosen `Hit`.
    attribution : bool, default True
        Whether source and licence stand below the hits; False where they stand nearby.
    **options
        Of `IcdClient.search`, such as ``classification`` and ``release``.

    Attributes
    ----------
    code : str or None
        Code of the hit that was chosen last; None for a hit without a code.
    hit : Hit or None
        The hit that was chosen last.

    Notes
    -----
    Network: one request per search, as `IcdClient.search`; with `search` what that sends.

    Examples
    --------
    >>> import icdframes
    >>> box = icdframes.SearchBox(icdframes.connect("sandbox"))  # the last line of a cell shows it
    >>> box.run("cholera")  # what typing does
    >>> box.clear()

    """

    code = traitlets.Unicode(None, allow_none=True)
    hit = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        client: IcdClient | None = None,
        *,
        search: Search | None = None,
        on_select: Callable[[Hit], object] | None = None,
        attribution: bool = True,
        **options: Any,
    ) -> None:
        if search is None:
            if client is None:
                raise ConfigurationError("SearchBox needs a client: SearchBox(icdframes.get_client()).")
            search = client_search(client, **options)
        self._search = search
        self._on_select = on_select
        self._due: asyncio.TimerHandle | None = None
        self._asked = ""
        self._field = widgets.Text(
            placeholder="Search titles and terms", layout=widgets.Layout(width="auto"), **explained("Search")
        )
        self._hits = widgets.VBox(layout=widgets.Layout(max_height=_HITS_HEIGHT, overflow="hidden auto"))
        self._status = widgets.HTML()
        self._chosen = widgets.HTML()
        self._source = widgets.HTML()
        self._attribution = source_html(options.get("classification", "mms")) if attribution else ""
        parts = [widgets.HTML(STYLE), self._field, self._hits, self._status, self._chosen, self._source]
        super().__init__([*parts, *claim_shortcuts()] if attribution else parts)
        self.add_class("icdframes").add_class("icdframes-search")
        self._field.observe(self._typed, "value")
        self._field.on_msg(self._enter)

    def __repr__(self) -> str:
        return f"<SearchBox code={self.code!r}>"

    def run(self, query: str) -> None:
        """Search and show the hits.

        Parameters
        ----------
        query : str
            Words; an empty text clears the hits.

        """
        self._asked = query = query.strip()
        if not query:
            self._show((), "")
            return
        self._status.value = message("Searching …")
        try:
            hits = self._search(query)
        except IcdError as error:
            self._show((), query)
            self._status.value = message(str(error), "bad")
            return
        self._show(hits, query)

    def pick(self, hit: Hit) -> None:
        """Choose a hit: what a click on it, or Enter, does.

        Examples
        --------
        >>> import icdframes
        >>> from icdframes.widgets.search_box import Hit
        >>> box = icdframes.SearchBox(icdframes.connect("sandbox"))
        >>> box.pick(Hit("257068234", "1A00", "Cholera"))
        >>> box.code
        '1A00'

        """
        self.hit, self.code = hit, hit.code
        code = f"{copyable(hit.code)} " if hit.code else ""
        self._chosen.value = f'<div role="status">chosen: {code}{escape(plain_text(hit.title))}</div>'
        if self._on_select:
            self._on_select(hit)

    def clear(self) -> None:
        """Empty the field and take the hits away."""
        self._field.value = ""
        self.run("")

    def _show(self, hits: Sequence[Hit], query: str) -> None:
        old = self._hits.children
        self._hits.children = [self._row(hit, query) for hit in hits[:_SHOWN]]
        self._source.value = self._attribution if hits else ""
        for row in old:
            row.close_all()
        if not query:
            self._status.value = ""
        elif not hits:
            self._status.value = message(f"Nothing found for {query!r}.")
        elif len(hits) > _SHOWN:
            self._status.value = message(f"The first {_SHOWN} of {len(hits)} hits; more words narrow them down.")
        else:
            self._status.value = message(f"{len(hits)} hit{'s' if len(hits) > 1 else ''}")

    def _row(self, hit: Hit, query: str) -> _Row:
        code = f'<span class="icdframes-code">{escape(hit.code)}</span> ' if hit.code else ""
        matched = hit.matched and f'<div class="icdframes-quiet">matches: {highlighted(hit.matched, query)}</div>'
        row = _Row(plain_text(hit.title), hit.code, f"{code}{highlighted(hit.title, query)}{matched or ''}")
        row.button.on_click(lambda _button: self.pick(hit))
        return row

    def _typed(self, change: Mapping[str, Any]) -> None:
        if self._due:
            self._due.cancel()
            self._due = None
        query = change["new"].strip()
        if 0 < len(query) < _SHORTEST or query == self._asked:
            return
        try:
            self._due = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self.run, query)
        except RuntimeError:  # no front end, nobody who types on
            self.run(query)

    def _enter(self, _field: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":
            if self._due:
                self._due.cancel()
                self._due = None
            self.run(self._field.value)


class _Row(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """One hit: its code and title with what was found marked, below a button as large as the row."""

    def __init__(self, title: str, code: str | None, html: str) -> None:
        name = " ".join(filter(None, (code, title)))
        self.button = widgets.Button(description=name, tooltip=name)
        self.label = widgets.HTML(html, layout=widgets.Layout(flex="1 1 auto", width="auto"))
        super().__init__([self.button, self.label], layout=widgets.Layout(flex="0 0 auto"))
        self.add_class("icdframes-hit")

    def close_all(self) -> None:
        """Take the row and its parts out of the front end."""
        for part in (self, self.button, self.label, self.layout, self.button.layout, self.button.style):
            part.close()
        for part in (self.label.layout, self.label.style):
            part.close()


def client_search(client: IcdClient, **options: Any) -> Search:
    """Return a search by a client; the last word may be the beginning of one."""

    def search(query: str) -> list[Hit]:
        prefix = query if query.endswith("%") else f"{query}%"
        tables = client.search_tables(prefix, highlight=True, **options)
        terms: dict[int, str] = {}
        for place, label in zip(*as_lists(tables.terms[["hit", "label"]]).values(), strict=True):
            if label:
                terms.setdefault(place, label)
        columns = as_lists(tables.hits[["entity_id", "code", "title", "title_is_best"]])
        return [
            Hit(key, code, title or code or key, None if is_best else _other_term(terms.get(place), title))
            for place, (key, code, title, is_best) in enumerate(zip(*columns.values(), strict=True))
            if key or code
        ]

    return search


def tables_search(tables: EntityTables) -> Search:
    """Return a search over loaded tables: every word begins a word of the title or of one term, or it is the code."""

    def search(query: str) -> list[Hit]:
        entities = tables.entities
        exact = entities.loc[entities["code"].str.lower() == query.lower(), "entity_id"]
        by_title = entities.loc[_with_words(entities["title"], query), "entity_id"]
        by_term = tables.terms.loc[_with_words(tables.terms["label"], query), ["entity_id", "label"]]
        terms = by_term.drop_duplicates("entity_id").set_index("entity_id")["label"]
        ids = dict.fromkeys([*exact, *by_title, *terms.index])
        shown = {*exact, *by_title}
        rows = entities.set_index("entity_id")[["code", "title"]].loc[list(ids)].reset_index()
        return [
            Hit(key, code, title or code or key, None if key in shown else terms[key])
            for key, code, title in zip(*as_lists(rows).values(), strict=True)
        ]

    return search


def _with_words(texts: pd.Series, query: str) -> pd.Series:
    found = texts.notna()
    for word in query.split():
        found &= texts.str.lower().str.contains(_beginning(word), regex=True, na=False)
    return found


def _other_term(term: str | None, title: str | None) -> str | None:
    return term if term and plain_text(term).lower() != plain_text(title or "").lower() else None


def _beginning(word: str) -> str:
    return rf"\b{re.escape(word.lower())}"
