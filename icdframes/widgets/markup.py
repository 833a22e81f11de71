"""Write the HTML, CSS and scripts of the widgets: texts escaped, and what differs between versions and front ends.

JupyterLab takes keys that are typed in an output as its own shortcuts (ipywidgets issue 3912), unless the element has
an attribute, which ipywidgets cannot set: `claim_shortcuts` sets it by anywidget, for keys without Ctrl, Alt or Meta
only, so that Ctrl+S still saves the notebook. Without anywidget the mouse does everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import Any

import ipywidgets as widgets

from icdframes.model.decode_responses import FOUND
from icdframes.model.entity import Axis, Entity, Term
from icdframes.settings import licence_of

_TOOLTIP = "tooltip" if hasattr(widgets.Text, "tooltip") else "description_tooltip"

TREE_CSS = """
.icdframes-rows, .icdframes-boxes { overflow: auto; padding: 2px; border-radius: 4px;
  border: 1px solid var(--jp-border-color1, #bdbdbd); color: var(--jp-ui-font-color1, inherit); }
.icdframes [role=treeitem] { display: flex; gap: 6px; padding: 2px 4px; line-height: 1.4; cursor: pointer;
  min-height: 24px; box-sizing: border-box; border-radius: 3px; }
.icdframes [role=treeitem]:hover { background: var(--jp-layout-color2, rgba(128, 128, 128, 0.15)); }
.icdframes [role=treeitem]:focus { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.icdframes [role=treeitem] .turn { flex: 0 0 1em; text-align: center; }
.icdframes [role=treeitem] .code { flex: 0 0 auto; font-family: var(--jp-code-font-family, monospace); }
.icdframes [role=treeitem] .code:empty { display: none; }
.icdframes [role=treeitem] .name { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
"""
"""How the rows of a tree look, with and without boxes."""

TYPE_AHEAD = """
const typeAhead = (count, textsOf) => {
  let typed = "", typedAt = 0;
  return (letter, current) => {  // the place of the next row that begins with what was typed, or -1
    const now = performance.now();
    typed = now - typedAt < 800 ? typed + letter : letter;
    typedAt = now;
    const first = typed.length === 1 ? 1 : 0;
    for (let step = 0; step < count(); step++) {
      const place = (current + first + step) % count();
      if (textsOf(place).some((text) => text.toLowerCase().startsWith(typed))) return place;
    }
    return -1;
  };
};
"""
"""Find the row of a tree whose code or title begins with the letters that are typed one after the other."""

_ESM = """
const MARK = "data-lm-suppress-shortcuts";
const claimKeys = (box) => {
  const decide = (event) => {
    if (!box.contains(event.target)) return;
    const theirs = event.ctrlKey || event.metaKey || event.altKey;  // the mark counts on the element itself only
    if (theirs) event.target.removeAttribute(MARK);
    else event.target.setAttribute(MARK, "true");
  };
  window.addEventListener("keydown", decide, true);  // before JupyterLab, which listens at the document
  return () => window.removeEventListener("keydown", decide, true);
};
const moveThroughHits = (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const search = event.target.closest(".icdframes-search");
  if (!step || !search) return;
  const field = search.querySelector("input"), hits = [...search.querySelectorAll(".icdframes-hit button")];
  const next = hits.indexOf(event.target) + step;
  if (!hits.length || (event.target === field && step < 0)) return;
  (next < 0 ? field : hits[Math.min(next, hits.length - 1)]).focus();
  event.preventDefault();
};
const copy = (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const say = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "copy"; }, 1500); };
  navigator.clipboard.writeText(button.dataset.copy).then(() => say("copied"), () => say("not allowed here"));
};
export default {
  render({ el }) {
    el.style.display = "none";
    let release = () => {};
    const watch = (tries) => {
      const box = el.closest(".icdframes");
      if (box) {
        release = claimKeys(box);
        box.classList.add("icdframes-live");
        box.addEventListener("keydown", moveThroughHits, true);  // a field lets no key through
        box.addEventListener("click", copy);
      } else if (tries) requestAnimationFrame(() => watch(tries - 1));
    };
    watch(600);
    return () => release();
  },
};
"""

STYLE = """<style>
.icdframes { color: var(--jp-ui-font-color1, inherit); max-width: 70em; }
.icdframes .widget-html-content, .icdframes .jupyter-widget-html-content { line-height: 1.45; }
.icdframes a { color: var(--jp-content-link-color, #1565c0); }
.icdframes-form { max-width: 46em; padding: 12px 16px; border: 1px solid var(--jp-border-color1, #bdbdbd);
  border-radius: 6px; }
.icdframes-heading { font-size: 1.1em; font-weight: 600; }
.icdframes-good { color: var(--jp-success-color0, #1b5e20); }
.icdframes-bad { color: var(--jp-error-color1, #c62828); }
.icdframes-hint { margin: -4px 0 4px calc(6.5em + 35px); font-size: 0.92em; line-height: 1.35; }
.icdframes-label { width: 6.5em; margin-right: 6px; text-align: right; }
.icdframes-quiet { color: var(--jp-ui-font-color2, #616161); }
.icdframes-source { font-size: 0.85em; }
.jp-mod-dark .icdframes-good, [data-jp-theme-light="false"] .icdframes-good { color: #81c784; }
[data-jp-theme-light="false"] .icdframes-bad { color: #ef9a9a; }
[data-jp-theme-light="false"] .icdframes a, [data-jp-theme-light="false"] .icdframes .icdframes-link {
  color: #90caf9; }
.icdframes .jupyter-widgets-error-widget { display: none; } /* anywidget is not in this front end */
.icdframes-tree, .icdframes .icdframes { max-width: none; }
.icdframes-list > select { padding: 2px; min-width: 0; width: 100%; overflow-x: hidden; }
.icdframes-list > select option { padding: 2px 4px; overflow: hidden; text-overflow: ellipsis; }
.icdframes .icdframes-part { font-weight: 600; margin-top: 6px; color: inherit; }
.icdframes-tree .icdframes-load { overflow: auto; max-width: 100%; }
.icdframes-load table { border-collapse: collapse; font-size: 0.92em; }
.icdframes-load th, .icdframes-load td { text-align: left; padding: 2px 8px; vertical-align: top; }
.icdframes-load th { border-bottom: 1px solid var(--jp-border-color1, #bdbdbd); }
.icdframes .icdframes-hit { position: relative; padding: 3px 6px; border-radius: 3px; }
.icdframes .icdframes-hit > button { position: absolute; z-index: 1; inset: 0; width: 100%; height: 100%; margin: 0;
  opacity: 0; cursor: pointer; }
.icdframes .icdframes-hit .icdframes-code { display: inline-block; min-width: 4.2em; }
.icdframes .icdframes-hit:hover { background: var(--jp-layout-color2, rgba(128, 128, 128, 0.15)); }
.icdframes .icdframes-hit:focus-within { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.icdframes .icdframes-hit .widget-html-content, .icdframes .icdframes-hit .jupyter-widgets { line-height: 1.4;
  white-space: normal; }
.icdframes-copy { user-select: all; font-family: var(--jp-code-font-family, monospace); }
.icdframes button[data-copy] { display: none; font: inherit; font-size: 0.9em; margin-left: 6px; padding: 0 8px;
  border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; background: transparent; color: inherit;
  cursor: pointer; min-height: 24px; }
.icdframes-live button[data-copy] { display: inline-block; }
.icdframes .icdframes-link { background: transparent; color: var(--jp-content-link-color, #1565c0); padding: 0 2px;
  width: auto; height: auto; min-height: 24px; line-height: 1.35; white-space: normal; text-align: left; }
.icdframes .icdframes-link:hover { text-decoration: underline; box-shadow: none; }
.icdframes .icdframes-link:focus-visible { outline: 2px solid currentColor; }
.icdframes .icdframes-link:disabled { color: inherit; opacity: 1; cursor: default; text-decoration: none; }
.icdframes-code { font-family: var(--jp-code-font-family, monospace); }
.icdframes-detail { overflow-wrap: anywhere; }
.icdframes-detail h4 { margin: 4px 0; font-size: 1.15em; font-weight: 600; }
.icdframes-detail h5 { margin: 10px 0 2px; font-size: 1em; font-weight: 600; }
.icdframes-detail p, .icdframes-detail ul { margin: 0 0 4px; }
.icdframes-detail ul { padding-left: 1.4em; }
.icdframes-detail .icdframes-text { white-space: pre-line; max-width: 60em; }
.icdframes mark { background: transparent; color: inherit; font-weight: 700; text-decoration: underline; }
</style>"""
_MANY = 12
_TEXTS = (
    ("", "definition"),
    ("Additional description", "long_definition"),
    ("Coding note", "coding_note"),
    ("Diagnostic criteria", "diagnostic_criteria"),
)
_TERMS = (
    ("Inclusions", "inclusion"),
    ("Synonyms", "synonym"),
    ("Narrower terms", "narrower_term"),
    ("Index terms", "index_term"),
)


def explained(text: str) -> dict[str, str]:
    """Return the keyword that explains a box or list; buttons have ``tooltip`` in every version."""
    return {_TOOLTIP: text}


def focus(part: Any) -> None:
    """Put the keyboard into a part, where this version can: version 7 leaves it where it is."""
    if hasattr(part, "focus"):
        part.focus()


def has_anywidget() -> bool:
    """Return whether anywidget is installed beside the kernel."""
    return find_spec("anywidget") is not None


def claim_shortcuts() -> tuple[Any, ...]:
    """Return what to put among the children of a widget whose keys are its own; empty without anywidget."""
    return (_mark_class()(),) if has_anywidget() else ()


@cache
def _mark_class() -> Any:
    import anywidget  # noqa: PLC0415  only where it is installed

    class Mark(anywidget.AnyWidget):
        _esm = _ESM

    return Mark


def highlighted(text: str, query: str = "") -> str:
    """Return a hit's text as HTML with what was found marked.

    Parameters
    ----------
    text : str
        Where it has the ``<em class='found'>`` of the API, those parts are marked.
    query : str
        Otherwise the beginnings of words that stand here are marked.

    Returns
    -------
    str
        Everything but the marks is escaped.

    """
    if FOUND.search(text):
        parts = FOUND.split(text)  # text, quote, found, text, quote, found, …, text
        return "".join(
            escape(part) if number % 3 == 0 else f"<mark>{escape(part)}</mark>"
            for number, part in enumerate(parts)
            if number % 3 != 1
        )
    words = "|".join(re.escape(word) for word in re.findall(r"\w+", query))
    if not words:
        return escape(text)
    parts = re.split(rf"(\b(?:{words}))", text, flags=re.IGNORECASE)
    return "".join(f"<mark>{escape(part)}</mark>" if number % 2 else escape(part) for number, part in enumerate(parts))


def name_of(entity: Entity) -> str:
    """Return code and title as one line of text."""
    return "  ".join(part for part in (entity.code, entity.title or f"(untitled {entity.entity_id})") if part)


def message(text: str, kind: str = "quiet") -> str:
    """Return a line of status: ``quiet``, ``good`` or ``bad``; screen readers are told of it."""
    mark = {"good": "✓ ", "bad": "✗ "}.get(kind, "")
    return f'<div role="status" aria-live="polite" class="icdframes-{kind}">{mark}{escape(text)}</div>'


def source_html(classification: str) -> str:
    """Return the line that names source and licence of what is shown."""
    return f'<div class="icdframes-quiet icdframes-source">{escape(licence_of(classification))}</div>'


def copyable(text: str) -> str:
    """Return text that one click selects whole, with a button that copies it where the front end can."""
    return f'<span class="icdframes-copy">{escape(text)}</span><button data-copy="{escape(text)}">copy</button>'


def entity_html(entity: Entity, *, axes: bool = True) -> str:
    """Return what an entity says of itself, without its references; its axes where they stand nowhere else."""
    code = f'<span class="icdframes-code">{escape(entity.code)}</span> ' if entity.code else ""
    facts = [entity.class_kind, entity.block_id, entity.code_range, f"id {entity.entity_id}"]
    if not entity.translated:
        facts.append("no translation available")
    parts = [
        f"<h4>{code}{escape(entity.title or 'untitled')}</h4>",
        f'<p class="icdframes-quiet">{" · ".join(escape(fact) for fact in facts if fact)}{_link(entity)}</p>',
    ]
    if entity.fully_specified_name and entity.fully_specified_name != entity.title:
        parts.append(f"<p>{escape(entity.fully_specified_name)}</p>")
    for heading, field in _TEXTS:
        if text := getattr(entity, field):
            parts.append(f'{_heading(heading)}<p class="icdframes-text">{escape(text)}</p>')
    for heading, kind in _TERMS:
        parts.append(_list(heading, [_term(term) for term in entity.terms if term.kind == kind]))
    if axes:
        parts.append(_list("Postcoordination axes", [axis_name(axis) for axis in entity.axes]))
    return f'<div class="icdframes-detail">{"".join(parts)}</div>'


def labels_html(labels: Sequence[str]) -> str:
    """Return the labels of references in one quiet line; empty where there are none."""
    more = f" and {len(labels) - _MANY} more" if len(labels) > _MANY else ""
    text = escape("; ".join(labels[:_MANY]) + more)
    return f'<div class="icdframes-detail icdframes-quiet">{text}</div>' if labels else ""


def _heading(text: str) -> str:
    return f"<h5>{escape(text)}</h5>" if text else ""


def _link(entity: Entity) -> str:
    if not (entity.browser_url or "").startswith(("https://", "http://")):
        return ""
    return f' · <a href="{escape(entity.browser_url or "")}" target="_blank" rel="noopener noreferrer">WHO browser</a>'


def _term(term: Term) -> str:
    """Return the label of a term; WHO says of some within the label that they are deprecated."""
    return f"{term.label} (deprecated)" if term.deprecated and "deprecated" not in term.label.lower() else term.label


def axis_name(axis: Axis) -> str:
    """Return the name of an axis with what is asked of its values."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", axis.axis).lower()
    more = {"AllowAlways": "several values", "AllowedExceptFromSameBlock": "several values of different blocks"}
    notes: Sequence[str | None] = ("required" if axis.required else "optional", more.get(axis.allow_multiple or ""))
    return f"{words} ({', '.join(note for note in notes if note)})"


def _list(heading: str, labels: Iterable[str]) -> str:
    items = [f"<li>{escape(label)}</li>" for label in labels]
    if not items:
        return ""
    shown, rest = items[:_MANY], items[_MANY:]
    more = f"<details><summary>{len(rest)} more</summary><ul>{''.join(rest)}</ul></details>" if rest else ""
    return f"{_heading(heading)}<ul>{''.join(shown)}</ul>{more}"
