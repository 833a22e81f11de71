"""A form in which proposed codes are looked at, one wording after the other, and chosen, skipped or noted."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from icdframes.errors import ConfigurationError
from icdframes.frames.pandas_compat import as_text
from icdframes.model.codes import normalize_code
from icdframes.widgets.markup import STYLE, source_html

_WRAPPED = """<style>
.icdframes-review .widget-radio-box label {display: flex; flex-direction: row-reverse; justify-content: flex-end;
  align-items: flex-start; height: auto; line-height: 1.3; padding: 2px 0; white-space: normal}
.icdframes-review .widget-radio-box input {flex: none; height: auto; margin: 2px 8px 0 1px}
</style>"""
"""Long titles go on in a second line; ipywidgets gives each choice the height of one."""

_NEEDED = ("text", "rank", "code", "title", "matched_term", "score", "needs_review")
_NONE = "none of these"
_COLUMNS = ("text", "code", "title", "status", "note")


class CodeReview(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A form for the review of proposed codes.

    Each distinct wording is shown once with its candidates; pick one, write a code of your own,
    or skip it, with a note.

    Parameters
    ----------
    coded : pandas.DataFrame
        What `icdframes.code_texts` returned.
    everything : bool, default False
        Whether texts that need no review are shown too.
    on_change : callable, optional
        Called without arguments after each decision, to save what was done.

    Attributes
    ----------
    remaining : int
        Wordings without a decision.

    Notes
    -----
    Network: none.

    Examples
    --------
    >>> import icdframes
    >>> tables = icdframes.connect("sandbox").load_tables("1A00")
    >>> review = icdframes.CodeReview(icdframes.code_texts(["cholera", "colera"], tables), everything=True)
    >>> review.accept()  # what the button does
    >>> review.result()[["text", "code", "status"]].to_numpy().tolist()
    [['cholera', '1A00', 'accepted'], ['colera', nan, 'open']]
    >>> review.dictionary().to_numpy().tolist()
    [['cholera', '1A00']]
    >>> review.back()
    >>> review.choose(1)
    >>> review.skip()

    """

    def __init__(
        self, coded: pd.DataFrame, *, everything: bool = False, on_change: Callable[[], object] | None = None
    ) -> None:
        missing = [name for name in _NEEDED if name not in coded]
        if missing:
            raise ConfigurationError(
                f"CodeReview needs the table of code_texts; this one has no column {missing[0]!r}."
            )
        kept = coded[coded["text"].notna()]
        self._groups = {str(text): rows for text, rows in kept.groupby("text", sort=False)}
        self._order = [text for text, rows in self._groups.items() if everything or rows["needs_review"].any()]
        self._decisions: dict[str, dict[str, str | None]] = {}
        self._on_change = on_change
        self._place = 0
        self._head = widgets.HTML()
        self._choice = widgets.RadioButtons(layout=widgets.Layout(width="auto"))
        self._own = widgets.Text(placeholder="another code", layout=widgets.Layout(width="16em"))
        self._note = widgets.Text(placeholder="note", layout=widgets.Layout(width="28em", max_width="100%"))
        self._status = widgets.HTML()
        actions = (("Accept", self.accept), ("Skip", self.skip), ("Back", self.back))
        self._buttons = [widgets.Button(description=name) for name, _ in actions]
        for button, (_, action) in zip(self._buttons, actions, strict=True):
            button.on_click(lambda _button, act=action: act())
        self._buttons[0].button_style = "primary"
        classification = str((coded.attrs.get("provenance") or {}).get("classification") or "mms")
        fields = widgets.HBox([self._own, self._note], layout=widgets.Layout(flex_flow="row wrap"))
        rows = [fields, widgets.HBox(self._buttons), self._status]
        source = widgets.HTML(source_html(classification))
        super().__init__([widgets.HTML(STYLE + _WRAPPED), self._head, self._choice, *rows, source])
        self.add_class("icdframes")
        self.add_class("icdframes-review")
        self._show()

    @property
    def remaining(self) -> int:
        """Wordings without a decision."""
        return sum(text not in self._decisions for text in self._order)

    def accept(self) -> None:
        """Decide for the chosen candidate, or for the code that was written, and go on."""
        text = self._current
        if text is None:
            return
        own = self._own.value.strip()
        rows = self._candidates(text)
        number = self._choice.index
        if own:
            try:
                code = normalize_code(own)
            except ValueError as error:
                self._status.value = f"<span class='icdframes-bad'>{escape(str(error))}</span>"
                return
            self._decide(text, code, None, "written")
        elif number is None or number >= len(rows):
            self._decide(text, None, None, "none")
        else:
            row = rows.iloc[number]
            self._decide(text, row["code"], row["title"], "accepted" if number == 0 else "chosen")

    def skip(self) -> None:
        """Leave the wording for later, with its note, and go on."""
        if self._current is not None:
            self._decide(self._current, None, None, "skipped")

    def back(self) -> None:
        """Show the wording before; its decision can be changed."""
        self._place = max(0, self._place - 1)
        self._show()

    def choose(self, rank: int) -> None:
        """Mark the candidate of a rank, 1 the first; 0 marks "none of these"."""
        self._choice.index = rank - 1 if rank else len(self._choice.options) - 1

    def result(self) -> pd.DataFrame:
        """Return a row a wording: text, code, title, status, note.

        Returns
        -------
        pandas.DataFrame
            status: accepted (the first candidate), chosen (a later one), written (a code of your own), none, skipped,
            proposed (needed no review: the first candidate), open (not looked at yet: no code).

        """
        rows = [self._row(text) for text in self._groups]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS)).apply(as_text)
        provenance = next((group.attrs.get("provenance") for group in self._groups.values()), None)
        frame.attrs["provenance"] = provenance
        return frame

    def dictionary(self) -> pd.DataFrame:
        """Return the wordings that were decided and their codes, as `code_texts` takes them next time: text, code."""
        decided = [(text, made["code"]) for text, made in self._decisions.items() if made["code"]]
        return pd.DataFrame(decided, columns=["text", "code"]).apply(as_text)

    @property
    def _current(self) -> str | None:
        return self._order[self._place] if self._place < len(self._order) else None

    def _candidates(self, text: str) -> pd.DataFrame:
        rows = self._groups[text]
        return rows[rows["code"].notna()].drop_duplicates("code")

    def _row(self, text: str) -> tuple[Any, ...]:
        made = self._decisions.get(text)
        if made is not None:
            return text, made["code"], made["title"], made["status"], made["note"]
        rows = self._candidates(text)
        if rows.empty or self._groups[text]["needs_review"].any():
            return text, None, None, "open", None
        return text, rows["code"].iloc[0], rows["title"].iloc[0], "proposed", None

    def _decide(self, text: str, code: str | None, title: str | None, status: str) -> None:
        known = title if isinstance(title, str) else None
        self._decisions[text] = {
            "code": code,
            "title": known,
            "status": status,
            "note": self._note.value.strip() or None,
        }
        self._place += 1
        self._show()
        if self._on_change is not None:
            self._on_change()

    def _show(self) -> None:
        text = self._current
        done = text is None
        self._choice.layout.display = "none" if done else None
        for item in (self._own, self._note, *self._buttons[:2]):
            item.disabled = done
        self._buttons[2].disabled = self._place == 0
        self._own.value = self._note.value = ""
        self._status.value = (
            f"<span class='icdframes-quiet'>{self.remaining} of {len(self._order)} to be decided</span>"
        )
        if text is None:
            self._head.value = "<p class='icdframes-heading'>Everything was looked at.</p>"
            return
        self._head.value = f"<p class='icdframes-heading'>{self._place + 1}. {escape(text)}</p>"
        rows = self._candidates(text)
        options = [_label(row) for row in rows.to_dict("records")]
        self._choice.options = [*options, _NONE]
        made = self._decisions.get(text)
        codes = list(rows["code"])
        self._choice.index = codes.index(made["code"]) if made and made["code"] in codes else 0
        if made and made["status"] in {"none", "skipped"}:
            self._choice.index = len(options)
        if made and made["status"] == "written":
            self._own.value = made["code"] or ""
        self._note.value = (made and made["note"]) or ""


def _label(row: dict[Any, Any]) -> str:
    matched = row["matched_term"] if row["matched_term"] != row["title"] else ""
    return f"{row['code']}  {row['title']}  ({row['score']:.0%}{f', {matched}' if matched else ''})"
