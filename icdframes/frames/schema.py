"""The five tables as data: every column, its dtype and its meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from icdframes.frames.pandas_compat import is_text, text_array

DIAGNOSTIC_CRITERIA = "diagnosticCriteria"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    dtype : str
        ``str``, ``Int64``, ``Float64``, ``boolean`` (missing allowed), ``int64`` or ``bool``.
    optional : bool
        Present only when it is asked for.
    translatable : bool
        Further languages add ``NAME_LANGUAGE``.

    """

    name: str
    dtype: str
    meaning: str
    optional: bool = False
    translatable: bool = False


TABLES: Mapping[str, tuple[Column, ...]] = {
    "entities": (
        Column("entity_id", "str", "Id within the classification; residuals end in /other or /unspecified"),
        Column("code", "str", "ICD code; for a chapter its number; missing for blocks"),
        Column("title", "str", "Title, without the mark of an absent translation", translatable=True),
        Column("class_kind", "str", "chapter, block, category or window"),
        Column("depth", "int64", "Levels below the loaded root, by the shortest way"),
        Column("parent_id", "str", "The parent under which the tabular list shows the entity"),
        Column("n_children", "int64", "Children in the classification, loaded or not"),
        Column("is_leaf", "bool", "Whether there are no children"),
        Column("is_residual", "bool", "Whether it is an other specified or unspecified category"),
        Column("chapter", "str", "Code of the chapter in which it lies"),
        Column("block_id", "str", "Id of a block, such as BlockL1-1A0"),
        Column("code_range", "str", "First and last code of a block"),
        Column("fully_specified_name", "str", "Name that is clear out of context", translatable=True),
        Column("definition", "str", "Short definition", translatable=True),
        Column("long_definition", "str", "Additional description", translatable=True),
        Column("coding_note", "str", "Advice for coders", translatable=True),
        Column("diagnostic_criteria", "str", "Clinical criteria in Markdown", optional=True, translatable=True),
        Column("foundation_id", "str", "Id of the foundation entity from which it comes; residuals have none"),
        Column("translated", "bool", "Whether the title is in the language asked for", translatable=True),
        Column("browser_url", "str", "Page of WHO's browser"),
        Column("uri", "str", "URI as the API gives it"),
    ),
    "edges": (
        Column("parent_id", "str", "Parent, loaded or not"),
        Column("child_id", "str", "A loaded entity"),
        Column("position", "Int64", "Place among the parent's children from 0; missing where it is not loaded"),
    ),
    "terms": (
        Column("entity_id", "str", "The entity that has the term"),
        Column("kind", "str", "synonym, narrower_term, inclusion or index_term"),
        Column("label", "str", "The term"),
        Column("foundation_id", "str", "Foundation entity that the term stands for"),
        Column("linearization_id", "str", "Entity of this classification that the term stands for"),
        Column("deprecated", "bool", "Whether WHO has withdrawn the term"),
    ),
    "references": (
        Column("entity_id", "str", "The entity that refers"),
        Column("kind", "str", "exclusion, child_elsewhere, related_maternal or related_perinatal"),
        Column("label", "str", "How the other entity is called"),
        Column("foundation_id", "str", "Foundation entity referred to"),
        Column("linearization_id", "str", "Entity of this classification referred to"),
    ),
    "axes": (
        Column("entity_id", "str", "The entity that can be postcoordinated"),
        Column("axis", "str", "Name of the axis, such as infectiousAgent"),
        Column("required", "bool", "Whether a value is needed for a complete code"),
        Column("allow_multiple", "str", "AllowAlways, NotAllowed or AllowedExceptFromSameBlock"),
        Column("scale_entity_id", "str", "A root whose descendants are the allowed values"),
    ),
}


def columns_of(name: str, *, languages: Sequence[str] = (), include: Iterable[str] = ()) -> dict[str, str]:
    """Return the columns of a table and their dtypes, in order.

    Parameters
    ----------
    name : str
        ``"entities"``, ``"edges"``, ``"terms"``, ``"references"`` or ``"axes"``.
    languages : sequence of str
        Languages beside the first, each of which adds columns.
    include : iterable of str
        ``"diagnosticCriteria"`` adds that column.

    """
    return _dtypes(chosen_columns(name, include), languages)


def translatable_columns(include: Iterable[str] = ()) -> list[str]:
    """Return the columns of entities of which each further language has its own."""
    return [column.name for column in chosen_columns("entities", include) if column.translatable]


def apply_schema(
    name: str, columns: Mapping[str, Sequence[Any]], *, languages: Sequence[str] = (), include: Iterable[str] = ()
) -> pd.DataFrame:
    """Make one of the five tables of plain columns; empty text becomes missing."""
    return typed_table(chosen_columns(name, include), columns, languages=languages)


def typed_columns(
    name: str, columns: Mapping[str, Sequence[Any]], *, languages: Sequence[str] = (), include: Iterable[str] = ()
) -> dict[str, Any]:
    """Return some columns of one of the five tables as arrays of their dtypes."""
    dtypes = columns_of(name, languages=languages, include=include)
    return {key: _typed(values, dtypes[key]) for key, values in columns.items()}


def typed_table(
    columns: Sequence[Column],
    values: Mapping[str, Sequence[Any]],
    *,
    languages: Sequence[str] = (),
    index: pd.Index[Any] | None = None,
) -> pd.DataFrame:
    """Make a table of any kind of plain columns; each further language adds its translatable ones."""
    dtypes = _dtypes(columns, languages)
    frame = pd.DataFrame({name: _typed(values[name], dtype) for name, dtype in dtypes.items()}, columns=list(dtypes))
    return frame if index is None else frame.set_axis(index)


def table_of_rows(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    languages: Sequence[str] = (),
    index: pd.Index[Any] | None = None,
) -> pd.DataFrame:
    """Make a table of any kind of rows; what a row lacks is missing."""
    names = _dtypes(columns, languages)
    return typed_table(
        columns, {name: [row.get(name) for row in rows] for name in names}, languages=languages, index=index
    )


def as_lists(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns as plain lists with None where something is missing: the inverse of `apply_schema`."""
    return {str(key): _plain(column) for key, column in frame.items()}


def chosen_columns(name: str, include: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of one of the five tables, with the optional ones that are asked for."""
    criteria = DIAGNOSTIC_CRITERIA in set(include)
    return tuple(column for column in TABLES[name] if criteria or not column.optional)


def _dtypes(columns: Sequence[Column], languages: Sequence[str]) -> dict[str, str]:
    translatable = [column for column in columns if column.translatable]
    more = {f"{column.name}_{language}": column.dtype for language in languages for column in translatable}
    return {column.name: column.dtype for column in columns} | more


def _plain(column: pd.Series[Any]) -> list[Any]:
    if is_text(column.dtype) or column.dtype == "Int64":
        return list(column.array.to_numpy(dtype=object, na_value=None))
    return list(column.tolist())


def _typed(values: Sequence[Any], dtype: Any) -> Any:
    if dtype != "str":
        return pd.array(list(values), dtype=dtype)
    texts = [value or None for value in values]
    try:
        return text_array(texts)
    except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
        whole = [text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
        return text_array(whole)
