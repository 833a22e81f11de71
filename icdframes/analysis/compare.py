"""Compare two releases by stable entity id."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from icdframes.analysis.backends import check_series
from icdframes.analysis.code_cells import expressions_of
from icdframes.analysis.join import numbered_codes
from icdframes.analysis.matching import holds_icf, keys_of, written_keys
from icdframes.errors import ComparabilityWarning, ConfigurationError, warn
from icdframes.frames.entity_tables import EntityTables, check_tables
from icdframes.frames.pandas_compat import as_text, fill_text, text_array, text_series

CHANGES = (
    "added", "removed", "recoded", "retitled", "moved", "kind_changed", "text_changed", "leaf_changed",
)  # fmt: skip
TEXTS = ("fully_specified_name", "definition", "long_definition", "coding_note")

_COMPARED = {
    "recoded": "code", "retitled": "title", "moved": "parent_id", "kind_changed": "class_kind",
    "leaf_changed": "is_leaf",
}  # fmt: skip
_SHOWN = ("title", "code", "class_kind", "parent_id", "is_leaf", *TEXTS)


def compare_releases(old: EntityTables, new: EntityTables) -> pd.DataFrame:
    """Return what changed from one release of a classification to another.

    Entities are matched by their id, which WHO keeps from release to release.

    Parameters
    ----------
    old, new : EntityTables
        Tables of the same classification, branch and language.

    Returns
    -------
    pandas.DataFrame
        One row per (entity_id, change), in the order of the new release's tabular
        list, removed entities last. Columns: ``entity_id``; ``change``, one of
        ``added``, ``removed``, ``recoded``, ``retitled``, ``moved`` (another
        parent), ``kind_changed``, ``text_changed``, ``leaf_changed`` (it gained
        its first or lost its last child); ``fields``, the texts that changed;
        ``old_*`` and ``new_*`` of title, code, class_kind, parent_id, is_leaf,
        fully_specified_name, definition, long_definition and coding_note. Several
        parents stand in ``parent_id`` with a blank between them. A text that one
        of the two tables does not have at all (WHO's tabulation files hold no
        definitions) is not compared. No network.

    Raises
    ------
    ConfigurationError
        If the tables are of different classifications.

    Warns
    -----
    ComparabilityWarning
        If the languages differ (titles and texts are then not compared), or the
        branches do.

    See Also
    --------
    affected_codes : What the changes do to a column of codes.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> old, new = (icdframes.load_tables("01", release=release) for release in ("2022-02", "2024-01"))
    >>> changes = icdframes.compare_releases(old, new)
    >>> changes.loc[changes["entity_id"] == "36782335", ["change", "old_code", "new_code"]]
        change old_code new_code
    2    moved     1C89   1C8G.0
    3  recoded     1C89   1C8G.0

    """
    check_tables(old, new)
    translated = _check_comparable(old, new)
    sides = _side(old).add_suffix("_old").join(_side(new).add_suffix("_new"), how="outer")
    here_old, here_new = sides["here_old"].notna(), sides["here_new"].notna()
    both = here_old & here_new
    found = {"added": here_new & ~here_old, "removed": here_old & ~here_new}
    for change, column in _COMPARED.items():
        if column != "title" or not translated:
            found[change] = both & _differs(sides, column)
    texts = {} if translated else {text: both & _differs(sides, text) for text in _common_texts(sides)}
    fields = text_series("", index=sides.index)
    for text, differs in texts.items():
        fields = fields.where(~differs, fields + ", " + text)
    found["text_changed"] = fields != ""
    parts = [_rows(sides[found[change]], change, fields) for change in CHANGES if change in found]
    changes = pd.concat(parts).sort_values(["order", "change"], kind="stable").drop(columns="order")
    changes.attrs["provenance"] = {
        "classification": new.provenance.classification,
        "old_release": old.provenance.release,
        "new_release": new.provenance.release,
        "language": new.provenance.language,
        "licence": new.provenance.licence,
    }
    return changes.reset_index(drop=True)


def affected_codes(changes: pd.DataFrame, codes: Iterable[str | None]) -> pd.DataFrame:
    """Return what changed for the codes of a column.

    Parameters
    ----------
    changes : pandas.DataFrame
        From `compare_releases`.
    codes : iterable of str
        Codes as they are in your data, in any spelling that `icdframes.annotate`
        knows but ids and URIs; missing ones are left out. A cluster, and a cell with
        several codes, is affected by what changed for any code in it.

    Returns
    -------
    pandas.DataFrame
        One row per code and change: ``code`` as given, ``n`` (how often it
        stands in your column), ``role``, then the columns of ``changes``.
        ``role`` is ``old`` where the changed entity had the code, ``new`` where
        an added or recoded entity has it now: a code under both roles has
        changed its meaning. Codes without any change have no row. No network.

    Raises
    ------
    TypeError
        If `changes` or `codes` is something else.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> changes = pd.DataFrame({"entity_id": ["1"], "change": ["recoded"], "old_code": ["1A00"], "new_code": ["1A01"]})
    >>> icdframes.affected_codes(changes, ["1a00", "1A00", "XY9Z"])[["code", "n", "role", "new_code"]]
       code  n role new_code
    0  1A00  1  old     1A01
    1  1a00  1  old     1A01

    """
    columns = getattr(changes, "columns", ())
    if not {"change", "old_code", "new_code"}.issubset(columns):
        raise TypeError(f"changes is a {type(changes).__name__}, but not what compare_releases() returns: give that.")
    given_codes: object = codes
    if isinstance(given_codes, str) or not isinstance(given_codes, Iterable):
        raise TypeError(f"codes is {codes!r}: give a column or a list of codes.")
    given = _counted(codes if isinstance(codes, pd.Series) else pd.Series(list(codes), dtype=object))
    column = pd.DataFrame({"code": text_array(given.index), "n": given.to_numpy()})
    members = [[code for parts in expressions_of(text) for code in parts[1::2]] for text in column["code"].tolist()]
    keys = pd.Series(members, index=column.index, dtype=object)
    column = column.assign(key=keys).explode("key", ignore_index=True)
    is_icf = holds_icf(changes["old_code"])
    known = pd.concat([changes["old_code"], changes["new_code"]])  # blocks and chapters too, not written like codes
    read = written_keys(column["key"], is_icf=is_icf)
    column["key"] = fill_text(keys_of(column["key"]).where(column["key"].isin(known.dropna())), read)
    column = column[column["key"].ne("")].drop_duplicates(["code", "key"])
    now = changes["change"].isin(["added", "recoded"])
    parts = [
        column.assign(role=role).merge(
            rows.assign(key=keys_of(rows[name])).dropna(subset="key"),
            on="key",
        )
        for role, name, rows in (("old", "old_code", changes), ("new", "new_code", changes[now]))
    ]
    result = pd.concat(parts).drop(columns="key").sort_values(["code", "role"], ascending=[True, False], kind="stable")
    result.attrs["provenance"] = changes.attrs.get("provenance")
    return result.reset_index(drop=True)


def _counted(codes: pd.Series) -> pd.Series[int]:
    """Count each text of a column, in order: the rows of its distinct values."""
    check_series(codes)
    places, distinct = numbered_codes(codes)
    numbers = pd.Series(np.bincount(places, minlength=len(distinct) + 1)[: len(distinct)])
    return numbers.groupby(text_series(distinct)).sum().sort_index()


def _check_comparable(old: EntityTables, new: EntityTables) -> bool:
    """Return whether the languages differ; refuse tables that have no entities in common by nature."""
    before, after = old.provenance, new.provenance
    if before.classification != after.classification:
        raise ConfigurationError(
            f"Cannot compare {before.classification} with {after.classification}: their entities are different things. "
            "Load two releases of the same classification."
        )
    if before.root != after.root:
        warn(
            f"The old tables begin at {before.root or 'the top'}, the new ones at {after.root or 'the top'}: "
            "what only one of them covers counts as added or removed.",
            ComparabilityWarning,
        )
    translated = before.language != after.language
    if translated:
        warn(
            f"The old tables are in {before.language}, the new ones in {after.language}: titles and texts are not "
            "compared. Load both in the same language.",
            ComparabilityWarning,
        )
    return translated


def _side(tables: EntityTables) -> pd.DataFrame:
    """One row per entity under its id; every parent counts, not only the one of the tabular list."""
    side = tables.entities.set_index("entity_id")
    side = side.reindex(columns=[*_SHOWN]).assign(order=range(len(side)), here=True)
    if len(tables.edges):
        parents = tables.edges.sort_values("parent_id").groupby("child_id")["parent_id"].agg(" ".join)
        side["parent_id"] = fill_text(as_text(parents.reindex(side.index)), side["parent_id"])
    return side


def _differs(sides: pd.DataFrame, column: str) -> pd.Series[bool]:
    before, after = sides[f"{column}_old"], sides[f"{column}_new"]
    return before.ne(after).fillna(value=True) & ~(before.isna() & after.isna())


def _common_texts(sides: pd.DataFrame) -> list[str]:
    return [text for text in TEXTS if sides[f"{text}_old"].notna().any() and sides[f"{text}_new"].notna().any()]


def _rows(sides: pd.DataFrame, change: str, fields: pd.Series[str]) -> pd.DataFrame:
    rows = pd.DataFrame({"entity_id": text_array(sides.index), "change": text_array([change] * len(sides))})
    told = fields.reindex(sides.index).str.removeprefix(", ")
    rows["fields"] = told.array if change == "text_changed" else text_array([None] * len(rows))
    for column in _SHOWN:
        for age in ("old", "new"):
            cells = sides[f"{column}_{age}"]
            rows[f"{age}_{column}"] = (cells.astype("boolean") if column == "is_leaf" else as_text(cells)).array
    last = float("inf")
    return rows.assign(order=sides["order_new"].fillna(last).to_numpy())
