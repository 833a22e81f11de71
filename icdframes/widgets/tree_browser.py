"""A browser for a classification that opens one level at a time."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from icdframes.errors import ConfigurationError, IcdError
from icdframes.frames.schema import as_lists
from icdframes.model.entity import Entity
from icdframes.walk import Progress
from icdframes.widgets.markup import STYLE, claim_shortcuts, copyable, explained, message, name_of, source_html
from icdframes.widgets.search_box import Hit, SearchBox, tables_search
from icdframes.widgets.tree_panes import Breadcrumb, Detail
from icdframes.widgets.tree_sources import ClientLevels, Levels, TableLevels, trail
from icdframes.widgets.tree_view import Act, TreeRow, TreeView

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

_REPORT_EVERY = 10
_FIRST_ROWS = 5
_SHOWN_COLUMNS = ("code", "title", "class_kind", "depth")
_JOINT = " > "

Way = tuple[str, ...]  # entity ids from the top down


class TreeBrowser(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Browse a classification: the hierarchy, search, breadcrumb, details.

    In the tree ↑ and ↓ move, → opens, ← closes, letters jump to a code or title; without anywidget it is a list to
    click in. A filter narrows one level down. Exclusions, related entities and values of axes are links.

    Parameters
    ----------
    client : IcdClient, optional
        Where entities come from: its cache or its server.
    classification : {"mms", "icf", "foundation", "icd10"}, default "mms"
        Which classification.
    release : str, optional
        None is the newest.
    language : str, default "en"
        One language.
    tables : EntityTables, optional
        Loaded tables to show instead of asking a client; no request is sent.

    Attributes
    ----------
    selected : str or None
        Entity id of the selected entity; set it to jump there.
    code : str or None
        Its code; set it to jump there.
    frame : pandas.DataFrame or None
        What "Load this branch" loaded last; `tables` has all five tables.

    Raises
    ------
    IcdError
        If the first level cannot be loaded.

    Notes
    -----
    Network: with a client one request per entity that is shown, each once; a
    level is asked for by several workers at a time.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tree = icdframes.TreeBrowser(client, release="2024-01")
    >>> tree.go_to("1A00")
    >>> tree.selected, tree.code
    ('257068234', '1A00')
    >>> tree.load_branch()  # doctest: +SKIP
    >>> tree.frame.title.tolist()  # doctest: +SKIP
    ['Cholera']

    """

    selected = traitlets.Unicode(None, allow_none=True)
    code = traitlets.Unicode(None, allow_none=True)
    frame = traitlets.Any(None, allow_none=True)
    tables = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        client: IcdClient | None = None,
        classification: str = "mms",
        *,
        release: str | None = None,
        language: str = "en",
        tables: EntityTables | None = None,
    ) -> None:
        if tables is not None:
            self._source: Levels = TableLevels(tables)
            search = tables_search(tables)
        elif client is not None:
            self._source = ClientLevels(client, classification, release, language)
            search = None
        else:
            raise ConfigurationError(
                "TreeBrowser needs a client or loaded tables: TreeBrowser(icdframes.get_client())."
            )
        top = self._source.top()
        self._language = language
        self._top = top.entities
        self._way: tuple[Entity, ...] = ()
        self._below: dict[str, tuple[Entity, ...]] = {}
        self._partial: set[str] = set()
        self._open: set[Way] = set()
        self._filtered: Way = ()
        self._busy = False
        options = {"classification": self._source.classification, "release": self._source.release}
        self._search = SearchBox(
            client, search=search, on_select=self._found, attribution=False, **options, language=language
        )
        super().__init__(self._make_parts(), layout=widgets.Layout(grid_gap="4px"))
        self.add_class("icdframes").add_class("icdframes-tree")
        self.observe(self._jump_to_selected, ["selected", "code"])
        problem = self._open_level(self._top[0], (self._top[0].entity_id,)) if len(self._top) == 1 else ""
        self._draw(top.problem or problem)

    def _make_parts(self) -> list[Any]:
        self._crumbs = Breadcrumb(self._keep)
        self._filter = widgets.Text(layout=widgets.Layout(width="auto"), **explained("Filter one level"))
        self._filter.observe(self._filter_typed, "value")
        self._view = TreeView(self._acted)
        self._detail = Detail(self._source, self._jump)
        self._load = widgets.Button(description="Load this branch", icon="table", disabled=True)
        self._load.layout.width = "auto"
        self._load.on_click(lambda _button: self.load_branch())
        self._status = widgets.HTML()
        self._loaded = widgets.HTML()
        self._loaded.add_class("icdframes-load")
        self._output = widgets.Output()
        half = {"flex": "1 1 24em", "min_width": "0", "width": "auto"}
        left = widgets.VBox([self._filter, self._view], layout=widgets.Layout(**half))
        right = widgets.VBox([self._detail], layout=widgets.Layout(**half, max_height="470px", overflow="auto"))
        both = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap", grid_gap="12px", width="100%"))
        bar = widgets.HBox([self._load, self._status], layout=widgets.Layout(align_items="center", grid_gap="12px"))
        note = [widgets.HTML(message(self._source.note))] if self._source.note else []
        source = widgets.HTML(source_html(self._source.classification))
        head = [widgets.HTML(STYLE), *note, self._search, self._crumbs]
        return [*head, both, bar, self._loaded, self._output, source, *claim_shortcuts()]

    def __repr__(self) -> str:
        return f"<TreeBrowser {self._name()} selected={self.selected!r}>"

    def go_to(self, entity: str) -> None:
        """Show an entity in the tree and select it.

        Parameters
        ----------
        entity : str
            Code, id or URI. What cannot be found is said below the tree.

        """
        roots = [one.entity_id for one in self._top]
        self._try(lambda: self._open_way(trail(self._source, self._source.entity(entity), roots)))

    def load_branch(self) -> None:
        """Load the selected entity and everything below it into `frame`: what the button does."""
        if not self._way or self._load.disabled:
            return
        chosen = self._way[-1]
        self._load.disabled = True
        self._loaded.value = ""
        self._say(f"Loading {name_of(chosen)} …")
        try:
            self._try(lambda: self._load_into(chosen))
        finally:
            self._load.disabled = False

    def _load_into(self, entity: Entity) -> None:
        tables: EntityTables | None = None
        fault: BaseException | None = None
        with self._output:  # shows bars and warnings; where it runs in a notebook, nothing raised in it comes out
            try:
                tables = self._source.load(entity.entity_id)
            except (IcdError, KeyboardInterrupt) as error:
                fault = error
        if fault:
            self._output.clear_output()
            if isinstance(fault, IcdError):
                raise fault
            self._say("Stopped. What has come is kept: press again, and it goes on from there.", "bad")
        elif tables is None:
            self._say("Something unexpected went wrong: it stands below.", "bad")
        else:
            self._keep_branch(entity, tables)

    def _keep_branch(self, entity: Entity, tables: EntityTables) -> None:
        self.tables, self.frame = tables, tables.entities
        rows = f"{len(tables):,} row{'' if len(tables) == 1 else 's'}"
        loaded = f"{name_of(entity)}: {rows} in .frame of this tree, all five tables in .tables."
        if tables.failures:
            self._say(f"{loaded} {len(tables.failures):,} entities are missing: press again for those.", "bad")
        else:
            self._output.clear_output()
            self._say(loaded, "good")
        self._loaded.value = _first_rows(tables.entities) + f"<p>In a cell: {copyable(self._line(entity))}</p>"

    def _line(self, entity: Entity) -> str:
        """Return the line of code that loads the branch again."""
        given = {"classification": self._source.classification, "release": self._source.release}
        usual = {"classification": "mms", "language": "en"}
        options = [
            f"{name}={value!r}"
            for name, value in (given | {"language": self._language}).items()
            if value and usual.get(name) != value
        ]
        return f"icdframes.load_entity({', '.join([repr(entity.code or entity.entity_id), *options])})"

    def _acted(self, act: Act, key: str) -> None:
        way = tuple(key.split(_JOINT))
        if act == "close":
            self._open -= {opened for opened in self._open if opened[: len(way)] == way}
            self._select(way)
        elif act == "select":
            self._select(way)
        else:
            self._try(lambda: self._open_way(self._entities(way), alone=act == "only"))

    def _entities(self, way: Way) -> tuple[Entity, ...]:
        found: list[Entity] = []
        level = self._top
        for key in way:
            found.append(next(entity for entity in level if entity.entity_id == key))
            level = self._below.get(key, ())
        return tuple(found)

    def _select(self, way: Way) -> None:
        self._way = self._entities(way)
        self._draw("")

    def _found(self, hit: Hit) -> None:
        self.go_to(hit.entity_id or hit.code or "")
        self._search.clear()

    def _jump(self, entity_id: str) -> None:
        self.go_to(entity_id)
        self._view.focus_on(_JOINT.join(_ids(self._way)))

    def _keep(self, steps: int) -> None:
        self._try(lambda: self._open_way(self._way[:steps]))

    def _jump_to_selected(self, change: dict[str, Any]) -> None:
        if not self._busy:
            self.go_to(change["new"]) if change["new"] else self._keep(0)
            self._show_selected()  # where the jump failed, what was selected before still is

    def _open_way(self, way: tuple[Entity, ...], *, alone: bool = False) -> None:
        """Open everything along a way and select its end; `alone` closes what is open beside it."""
        if alone or not way:
            self._open = set()
        problems = [self._open_level(entity, _ids(way[: step + 1])) for step, entity in enumerate(way)]
        self._way = way
        if not any(row.key == _JOINT.join(_ids(way)) for row in self._rows(self._top, ())):
            self._clear_filter()  # it would hide what is to be seen
        self._draw(next(filter(None, problems), ""))

    def _open_level(self, entity: Entity, way: Way) -> str:
        """Open one level, which is asked for once; return why some of it is missing."""
        if entity.is_leaf:
            return ""
        problem = ""
        if entity.entity_id not in self._below or entity.entity_id in self._partial:
            total = len(entity.child_ids)
            self._say(f"Opening {name_of(entity)} …")

            def report(progress: Progress) -> None:
                if progress.done % _REPORT_EVERY == 0:
                    self._say(f"Opening {name_of(entity)}: {progress.done} of {total} …")

            level = self._source.below(entity, report)
            self._below[entity.entity_id], problem = level.entities, level.problem
            (self._partial.add if problem else self._partial.discard)(entity.entity_id)
        if self._below[entity.entity_id]:
            self._open.add(way)
        return problem

    def _filter_typed(self, change: dict[str, Any]) -> None:
        if self._busy:
            return
        if not change["old"].strip():
            self._filtered = self._level()
        self._draw("")

    def _level(self) -> Way:
        """Return the way to the level that is worked in: what is open below the selected entity, else its own."""
        way = _ids(self._way)
        return way if way in self._open else way[:-1]

    def _rows(self, entities: tuple[Entity, ...], above: Way) -> Iterator[TreeRow]:
        words = self._filter.value.lower().split() if above == self._filtered else []
        shown = [one for one in entities if all(word in name_of(one).lower() for word in words)]
        for place, one in enumerate(shown, 1):
            way = (*above, one.entity_id)
            opened = way in self._open
            title = one.title or f"(untitled {one.entity_id})"
            yield TreeRow(_JOINT.join(way), one.code, title, len(way), place, len(shown), leaf=one.is_leaf, open=opened)
            if opened:
                yield from self._rows(self._below[one.entity_id], way)

    def _draw(self, problem: str) -> None:
        way = _ids(self._way)
        if way[: len(self._filtered)] != self._filtered:
            self._clear_filter()
        rows = list(self._rows(self._top, ()))
        level = self._level()
        number = len(self._below.get(level[-1], ()) if level else self._top)
        where = f" below {self._entities(level)[-1].code or self._entities(level)[-1].title}" if level else ""
        self._filter.placeholder = f"Filter the {number:,}{where}"
        self._view.show(rows, _JOINT.join(way))
        self._crumbs.show(
            [self._name(), *(entity.code or entity.title or "…" for entity in self._way)],
            [self._name(), *(name_of(entity) for entity in self._way)],
        )
        self._detail.show(self._way[-1] if self._way else None)
        self._load.disabled = not self._way
        self._show_selected()
        self._say(problem, "bad")

    def _clear_filter(self) -> None:
        self._busy, before = True, self._busy
        try:
            self._filter.value = ""
        finally:
            self._busy = before

    def _show_selected(self) -> None:
        self._busy = True
        try:
            chosen = self._way[-1] if self._way else None
            self.selected, self.code = (chosen.entity_id, chosen.code) if chosen else (None, None)
        finally:
            self._busy = False

    def _try(self, action: Any) -> None:
        try:
            action()
        except IcdError as error:
            self._say(str(error), "bad")

    def _say(self, text: str, kind: str = "quiet") -> None:
        self._status.value = message(text, kind) if text else ""

    def _name(self) -> str:
        return " ".join(part for part in (self._source.classification.upper(), self._source.release) if part)


def _ids(way: tuple[Entity, ...]) -> Way:
    return tuple(entity.entity_id for entity in way)


def _first_rows(entities: pd.DataFrame) -> str:
    """Return the first rows as a table of the columns that a reader looks for first."""
    columns = [name for name in _SHOWN_COLUMNS if name in entities]
    head = "".join(f"<th>{name}</th>" for name in columns)
    lists = as_lists(entities[columns].head(_FIRST_ROWS))
    rows = [
        "".join(f"<td>{'' if value is None else escape(str(value))}</td>" for value in row)
        for row in zip(*lists.values(), strict=True)
    ]
    more = f"<p>… and {len(entities) - len(rows):,} more rows</p>" if len(entities) > len(rows) else ""
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>{more}"
