"""A browser for a classification that opens one level at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from icdframes.errors import ConfigurationError, IcdError
from icdframes.model.entity import Entity, Reference
from icdframes.walk import Progress
from icdframes.widgets.entity_html import STYLE, message, name_of, source_html
from icdframes.widgets.search_box import Hit, SearchBox, tables_search
from icdframes.widgets.shortcuts import claim_shortcuts
from icdframes.widgets.tree_panes import Breadcrumb, Columns, Detail
from icdframes.widgets.tree_sources import ClientLevels, Level, Levels, TableLevels, trail

if TYPE_CHECKING:
    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

_REPORT_EVERY = 10
_FOUNDATION_ONLY = ("related_maternal", "related_perinatal")  # the API names no other place for them


class TreeBrowser(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Browse a classification: levels side by side, search, breadcrumb, details.

    The arrow keys move within a level, Tab goes to the next one; what is selected
    shows its children and its details. Exclusions and other references are
    buttons that jump.

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
    branch : pandas.DataFrame or None
        What "Load this branch" loaded last; `branch_tables` has all five tables.

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
    >>> tree.selected
    '257068234'
    >>> tree.load_branch()  # doctest: +SKIP
    >>> tree.branch.title.tolist()  # doctest: +SKIP
    ['Cholera']

    """

    selected = traitlets.Unicode(None, allow_none=True)
    branch = traitlets.Any(None, allow_none=True)
    branch_tables = traitlets.Any(None, allow_none=True)

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
        self._way: tuple[Entity, ...] = ()
        self._levels: list[tuple[Entity, ...]] = [top.entities]
        self._busy = False
        options = {"classification": self._source.classification, "release": self._source.release}
        self._search = SearchBox(
            client, search=search, on_pick=self._found, attribution=False, **options, language=language
        )
        self._crumbs = Breadcrumb(self._keep)
        self._columns = Columns(self._picked)
        self._detail = Detail(self._target, self._jump)
        self._load = widgets.Button(description="Load this branch", icon="table", disabled=True)
        self._load.layout.width = "auto"
        self._status = widgets.HTML()
        self._output = widgets.Output()
        bar = widgets.HBox([self._load, self._status], layout=widgets.Layout(align_items="center", grid_gap="12px"))
        super().__init__(
            [
                widgets.HTML(STYLE),
                self._search,
                self._crumbs,
                self._columns,
                bar,
                self._output,
                self._detail,
                widgets.HTML(source_html(self._source.classification)),
                *claim_shortcuts(),
            ],
            layout=widgets.Layout(grid_gap="4px"),
        )
        self.add_class("icdframes").add_class("icdframes-tree")
        self._load.on_click(lambda _button: self.load_branch())
        self.observe(self._jump_to_selected, "selected")
        self._draw(top.problem)

    def __repr__(self) -> str:
        return f"<TreeBrowser {self._name()} selected={self.selected!r}>"

    def go_to(self, entity: str) -> None:
        """Show an entity in the tree and select it.

        Parameters
        ----------
        entity : str
            Code, id or URI. What cannot be found is said below the tree.

        """
        self._try(lambda: self._open_way(trail(self._source, self._source.entity(entity), self._roots())))

    def load_branch(self) -> None:
        """Load the selected entity and everything below it into `branch`: what the button does."""
        if not self._way or self._load.disabled:
            return
        chosen = self._way[-1]
        self._load.disabled = True
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
            self._keep_branch(tables)

    def _keep_branch(self, tables: EntityTables) -> None:
        self.branch_tables, self.branch = tables, tables.entities
        loaded = f"{len(tables):,} rows are in .branch, all five tables in .branch_tables."
        if tables.failures:
            self._say(f"{loaded} {len(tables.failures):,} entities are missing: press again for those.", "bad")
        else:
            self._output.clear_output()
            self._say(loaded, "good")

    def _picked(self, number: int, entity_id: str) -> None:
        entity = next(one for one in self._levels[number] if one.entity_id == entity_id)
        self._try(lambda: self._open_way((*self._way[:number], entity)))

    def _found(self, hit: Hit) -> None:
        self.go_to(hit.entity_id or hit.code or "")
        self._search.clear()

    def _jump(self, entity_id: str) -> None:
        self.go_to(entity_id)
        self._columns.focus_on(max(len(self._way) - 1, 0))

    def _keep(self, steps: int) -> None:
        self._try(lambda: self._open_way(self._way[:steps]))

    def _jump_to_selected(self, change: dict[str, Any]) -> None:
        if not self._busy:
            self.go_to(change["new"]) if change["new"] else self._keep(0)
            self._show_selected()  # where the jump failed, what was selected before still is

    def _target(self, reference: Reference) -> str | None:
        if self._source.classification == "foundation" or reference.kind in _FOUNDATION_ONLY:
            return reference.foundation_id
        return reference.linearization_id

    def _roots(self) -> list[str]:
        return [entity.entity_id for entity in self._levels[0]]

    def _open_way(self, way: tuple[Entity, ...]) -> None:
        """Show the levels along a way; those that are open already are not asked for again."""
        levels, problem = [self._levels[0]], ""
        for step, entity in enumerate(way):
            same = step < len(self._way) and self._way[step].entity_id == entity.entity_id
            if same and step + 1 < len(self._levels):
                levels.append(self._levels[step + 1])
            elif not entity.is_leaf:
                level = self._below(entity)
                problem = level.problem or problem
                if level.entities:
                    levels.append(level.entities)
        self._way, self._levels = way, levels
        self._draw(problem)

    def _below(self, entity: Entity) -> Level:
        total = len(entity.child_ids)
        self._say(f"Opening {name_of(entity)} …")

        def report(progress: Progress) -> None:
            if progress.done % _REPORT_EVERY == 0:
                self._say(f"Opening {name_of(entity)}: {progress.done} of {total} …")

        return self._source.below(entity, report)

    def _draw(self, problem: str) -> None:
        picked = [entity.entity_id for entity in self._way]
        self._columns.show(self._levels, picked)
        self._crumbs.show([self._name(), *(entity.code or entity.title or "…" for entity in self._way)])
        self._detail.show(self._way[-1] if self._way else None)
        self._load.disabled = not self._way
        self._show_selected()
        self._say(problem, "bad")

    def _show_selected(self) -> None:
        self._busy = True
        try:
            self.selected = self._way[-1].entity_id if self._way else None
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
