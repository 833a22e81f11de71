"""A builder of code lists: a tree with boxes, a search, the rules as a table with counts, undo and save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets

from icdframes.analysis.codelist import CodeList
from icdframes.analysis.codelist_move import replace_list
from icdframes.analysis.codelist_rules import CodeRule
from icdframes.analysis.flag import count_rules
from icdframes.analysis.tabular_order import CodeIndex
from icdframes.errors import IcdError
from icdframes.widgets.checked_tree import CheckedRow, State, checked_tree, send_focus, send_level, send_states
from icdframes.widgets.markup import STYLE, claim_shortcuts, entity_html, explained, message, source_html
from icdframes.widgets.postcoordination import PostcoordinationBuilder
from icdframes.widgets.search_box import Hit, SearchBox, tables_search
from icdframes.widgets.tree_sources import TableLevels, note_of

if TYPE_CHECKING:
    from icdframes.client.icd_client import IcdClient
    from icdframes.frames.entity_tables import EntityTables

_MOST_RULES = 100
_MOST_UNDONE = 200


class CodeListBuilder(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Build a code list with a tree of boxes: in with its branch, left out, or as what is above it.

    In the tree the arrow keys move, open and close; Space goes from one state of a box to the next; Enter shows the
    details, with a builder of clusters; letters jump to a code or title.

    Parameters
    ----------
    tables : EntityTables
        The release.
    codelist : CodeList, optional
        A list to go on with.
    frame : pandas.DataFrame, optional
        Your own data: how many of its rows each rule and the whole list take is shown.
    code : str or sequence of str, default "code"
        Its column or columns of codes.
    client : IcdClient, optional
        Asked for axes and values that the tables do not hold.

    Attributes
    ----------
    codelist : CodeList
        The list as it is now.

    Raises
    ------
    MissingExtraError
        If anywidget is not installed.

    Notes
    -----
    Network: none, but for what `client` is asked.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> builder = icdframes.CodeListBuilder(icdframes.load_tables("07", release="2024-01"))
    >>> builder.toggle("7A00")  # what Space does
    >>> builder.codelist.include
    (CodeRule(code='7A00', scope='branch', note=None, title='Chronic insomnia'),)
    >>> builder.undo()
    >>> builder.codelist.include
    ()
    >>> builder.show("7A01")
    >>> builder.add_hits()
    >>> import tempfile
    >>> builder.save(f"{tempfile.mkdtemp()}/list.csv")

    """

    codelist = traitlets.Any()

    def __init__(
        self,
        tables: EntityTables,
        codelist: CodeList | None = None,
        *,
        frame: pd.DataFrame | None = None,
        code: str | Sequence[str] = "code",
        client: IcdClient | None = None,
    ) -> None:
        provenance = tables.provenance
        system = provenance.classification if provenance.classification in {"mms", "icf", "icd10"} else "mms"
        self._tables, self._index, self._levels = tables, CodeIndex(tables), TableLevels(tables)
        self._frame, self._code = frame, code
        self._ends = _ends_of_branches(tables.entities["depth"].tolist())
        self._past: list[CodeList] = []
        self._hits: list[Hit] = []
        self._shown: dict[str, None] = {}
        self._tree = checked_tree(self._heard)
        self._search = SearchBox(
            search=self._find, on_select=lambda hit: self.show(hit.entity_id or ""), attribution=False
        )
        self._add_hits = _button("Add all hits", self.add_hits)
        self._undo = _button("Undo", self.undo)
        self._path = widgets.Text(
            placeholder="codelist.json, .csv or .xlsx", continuous_update=False, **explained("File")
        )
        self._save = _button("Save", lambda: self.save(self._path.value))
        self._status = widgets.HTML()
        self._rules = widgets.VBox(layout=widgets.Layout(max_height="260px", overflow="auto"))
        self._total = widgets.HTML()
        self._detail = widgets.HTML()
        self._builder = PostcoordinationBuilder(tables, client=client)
        note = note_of(client, system, provenance.release)
        bar = widgets.HBox([self._undo, self._path, self._save], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__(
            [
                widgets.HTML(STYLE),
                *([widgets.HTML(message(note))] if note else []),
                self._search,
                self._add_hits,
                self._tree,
                self._total,
                self._rules,
                bar,
                self._status,
                self._detail,
                self._builder,
                widgets.HTML(source_html(system)),
                *claim_shortcuts(),
            ],
            layout=widgets.Layout(grid_gap="4px"),
        )
        self.add_class("icdframes").add_class("icdframes-codelist")
        start = codelist or CodeList(classification=system, release=provenance.release)  # type: ignore[arg-type]
        self._take(start)

    def __repr__(self) -> str:
        return f"<CodeListBuilder {self.codelist!r}>"

    def toggle(self, entity: str) -> None:
        """Change the box of an entity: from what it inherits to the opposite, and back.

        Parameters
        ----------
        entity : str
            Entity id, or code.

        """
        row = self._index.rows_of_codes.get(entity)
        if row is None:
            self._status.value = message(f"These tables hold no entity {entity!r}.", "bad")
            return
        key = self._key(row)
        own = self._rules_of(key)
        now: CodeList = self.codelist
        if own:
            kept = [tuple(r for r in side if r not in own) for side in (now.include, now.exclude)]
            self._change(replace_list(now, include=kept[0], exclude=kept[1]))
            return
        rule = CodeRule(key, title=self._title(row))
        if self._is_in(row):
            self._change(replace_list(now, exclude=(*now.exclude, rule)))
        else:
            self._change(replace_list(now, include=(*now.include, rule)))

    def add_hits(self) -> None:
        """Take every hit of the last search in, with its branch: what "Add all hits" does."""
        now: CodeList = self.codelist
        rows = [self._index.rows_of_codes.get(hit.entity_id or "", -1) for hit in self._hits]
        new = [CodeRule(self._key(row), title=self._title(row)) for row in rows if row >= 0 and not self._is_in(row)]
        taken = {rule.key for rule in (*now.include, *now.exclude)}
        self._change(replace_list(now, include=(*now.include, *(rule for rule in new if rule.key not in taken))))
        self._status.value = message(f"{len(new)} of {len(rows)} hits are new in the list.", "good")

    def undo(self) -> None:
        """Take the last change back."""
        if self._past:
            self._take(self._past.pop())
            self._status.value = message("The last change is taken back.")

    def save(self, path: str) -> None:
        """Write the list; what goes wrong is said below the tree.

        Parameters
        ----------
        path : str
            Ends in .json, .csv or .xlsx; a file of that name is replaced.

        """
        now: CodeList = self.codelist
        forms: dict[str, Callable[..., Path]] = {".json": now.to_json, ".csv": now.to_csv, ".xlsx": now.to_excel}
        write = forms.get(Path(path).suffix, now.to_json)
        try:
            written = write(Path(path), overwrite=True)
        except IcdError as error:
            self._status.value = message(str(error), "bad")
        else:
            self._status.value = message(f"Saved in {written}.", "good")

    def show(self, entity: str) -> None:
        """Open the tree down to an entity, and show its details.

        Parameters
        ----------
        entity : str
            Entity id, or code.

        """
        row = self._index.rows_of_codes.get(entity)
        if row is None:
            return
        way = [row]
        parents = self._index.entities["parent_id"]
        while (above := self._index.rows_of_codes.get(str(parents.iloc[way[0]]))) is not None:
            way.insert(0, above)
        ids = self._index.entities["entity_id"]
        for step in way[:-1]:
            self._open(str(ids.iloc[step]))
        send_focus(self._tree, str(ids.iloc[row]))
        self._select(str(ids.iloc[row]))

    def _find(self, query: str) -> Sequence[Hit]:
        self._hits = list(tables_search(self._tables)(query))
        return self._hits

    def _heard(self, what: str, entity_id: str) -> None:
        if what == "ready":
            self._shown = {}
            top = self._levels.top().entities
            send_level(self._tree, None, self._tree_rows([entity.entity_id for entity in top]))
        elif what == "open":
            self._open(entity_id)
        elif what == "toggle":
            self.toggle(entity_id)
        elif what == "select":
            self._select(entity_id)

    def _open(self, entity_id: str) -> None:
        entities = self._index.entities
        below = self._levels.children(entity_id)
        if below:
            send_level(self._tree, entity_id, self._tree_rows(below))
        elif entity_id not in set(entities["entity_id"]):
            self._status.value = message("This entity was not loaded.", "bad")

    def _select(self, entity_id: str) -> None:
        entity = self._levels.entity(entity_id)
        self._detail.value = entity_html(entity)
        self._builder.show(entity.code or "" if entity.class_kind == "category" else "")

    def _tree_rows(self, ids: Sequence[str]) -> list[CheckedRow]:
        self._shown |= dict.fromkeys(ids)
        entities = self._index.entities
        made = []
        for key in ids:
            row = self._index.rows_of_codes[key]
            state, own = self._state(row)
            code = entities["code"].iloc[row] if pd.notna(entities["code"].iloc[row]) else None
            made.append(CheckedRow(key, code, self._title(row) or key, bool(entities["is_leaf"].iloc[row]), state, own))
        return made

    def _state(self, row: int) -> tuple[State, bool]:
        key = self._key(row)
        own = self._rules_of(key)
        inside = self._is_in(row)
        n_codes, n_taken = self._counts
        codes, taken = (int(n[self._ends[row]] - n[row]) for n in (n_codes, n_taken))
        if 0 < taken < codes:
            return "mixed", bool(own)
        if inside or (codes and taken == codes):
            return "in", bool(own)
        return ("out" if own else "none"), bool(own)

    def _is_in(self, row: int) -> bool:
        return bool(self._mask[row])

    def _key(self, row: int) -> str:
        entities = self._index.entities
        code, block = entities["code"].iloc[row], entities["block_id"].iloc[row]
        return str(next((name for name in (code, block) if isinstance(name, str)), entities["entity_id"].iloc[row]))

    def _title(self, row: int) -> str | None:
        title = self._index.entities["title"].iloc[row]
        return title if isinstance(title, str) else None

    def _rules_of(self, key: str) -> list[CodeRule]:
        now: CodeList = self.codelist
        return [rule for rule in (*now.include, *now.exclude) if rule.code == key and rule.scope == "branch"]

    def _change(self, codelist: CodeList) -> None:
        self._past = [*self._past[-_MOST_UNDONE:], self.codelist]
        try:
            self._take(codelist)
        except IcdError as error:
            self._take(self._past.pop())
            self._status.value = message(str(error), "bad")

    def _take(self, codelist: CodeList) -> None:
        expansion = codelist.expansion(self._index)
        self.codelist, self._mask = codelist, expansion.mask
        is_category = self._index.is_category
        n_codes, n_taken = (np.append(0, np.cumsum(rows)) for rows in (is_category, is_category & self._mask))
        self._counts = n_codes, n_taken
        self._undo.disabled = not self._past
        states = {key: self._state(self._index.rows_of_codes[key]) for key in self._shown}
        send_states(self._tree, states)
        self._show_rules()

    def _show_rules(self) -> None:
        now: CodeList = self.codelist
        counts = count_rules(now, self._tables, self._index, self._frame, self._code)
        n_codes = int((self._mask & self._index.is_category).sum())
        rows = "" if self._frame is None else f", {counts.n_rows:,} of {len(self._frame):,} rows of your data"
        self._total.value = message(f"{n_codes:,} codes{rows}")
        old = self._rules.children
        rules = [("in", rule) for rule in now.include] + [("out", rule) for rule in now.exclude]
        self._rules.children = [
            self._rule_row(word, rule, counts.texts[number]) for number, (word, rule) in enumerate(rules[:_MOST_RULES])
        ]
        for row in old:
            row.close()

    def _rule_row(self, word: str, rule: CodeRule, count: str) -> Any:
        row = self._index.rows_of_codes.get(rule.code)
        title = rule.title or (None if row is None else self._title(row))
        what = f"<b>{word}</b> <code>{escape(rule.code)}</code> {escape(title or '')} "
        label = widgets.HTML(f"{what}<span class='icdframes-quiet'>{escape(count)}</span>")
        layout = widgets.Layout(width="auto", flex="0 0 auto")
        drop = widgets.Button(description="Remove", tooltip=f"Remove {rule.code}", layout=layout)
        drop.add_class("icdframes-link")
        drop.on_click(lambda _button: self._drop(rule))
        return widgets.HBox([drop, label], layout=widgets.Layout(flex="0 0 auto", align_items="center"))

    def _drop(self, rule: CodeRule) -> None:
        now: CodeList = self.codelist
        kept = [tuple(one for one in side if one is not rule) for side in (now.include, now.exclude)]
        self._change(replace_list(now, include=kept[0], exclude=kept[1]))


def _button(text: str, act: Callable[[], object]) -> widgets.Button:
    button = widgets.Button(description=text, layout=widgets.Layout(width="auto", align_self="flex-start"))
    button.on_click(lambda _button: act())
    return button


def _ends_of_branches(depths: Sequence[int]) -> list[int]:
    """Return for each row of tables in tabular order the row behind the last one below it."""
    ends = [len(depths)] * len(depths)
    open_rows: list[int] = []
    for row, depth in enumerate(depths):
        while open_rows and depths[open_rows[-1]] >= depth:
            ends[open_rows.pop()] = row
        open_rows.append(row)
    return ends
