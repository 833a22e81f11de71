"""Add to people's own data what the classification says of their codes, on any back end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.grouping import Group, as_grouping, assignment, nearest
from icdframes.analysis.hierarchy import Hierarchy
from icdframes.analysis.join import MATCH, Combine, JoinSpec, join
from icdframes.analysis.matching import ENTITY, KIND, KINDS, MEMBERS, Lookup, Members, Tables, entities_of, locate
from icdframes.errors import ConfigurationError, EntityNotFoundError, check_option, did_you_mean
from icdframes.frames.pandas_compat import as_text, text_array, text_series

_TITLE = "_title"
_DERIVED = re.compile(rf"(chapter|block|level:\d+)({_TITLE})?|ancestor:.+")
_EXAMPLES = ("chapter_title", "block", "block_title", "level:1", "level:1_title", "ancestor:ENTITY")


def columns_for(tables: Tables, add: Sequence[Group]) -> pd.DataFrame:
    """Make the table that `annotate` joins: the entity's id and the columns asked for, one row per entity."""
    entities = entities_of(tables).reset_index(drop=True)
    for term in add:
        _check_known(entities, term)
    columns: dict[str, pd.Series] = {ENTITY: as_text(entities["entity_id"])}
    tree = Hierarchy.of(tables) if any(_needs_tree(entities, term) for term in add) else None
    for term in add:
        name = term if isinstance(term, str) else as_grouping(term).name
        if name in columns:
            advice = "leave one out" if isinstance(term, str) else "give each Grouping its own name"
            raise ConfigurationError(f"is given twice: {advice}.", option="add", value=name)
        columns[name] = _values(tables, tree, term) if tree and _needs_tree(entities, term) else entities[name]
    return pd.DataFrame({name: _nullable(values) for name, values in columns.items()})


def _check_known(entities: pd.DataFrame, term: Group) -> None:
    names = [str(name) for name in entities.columns]
    if isinstance(term, str) and term not in names and not _DERIVED.fullmatch(term):
        raise ConfigurationError(
            "is unknown: give 'chapter', 'block', 'level:N' (N links below the top), one of these with "
            f"'_title', 'ancestor:ENTITY', or a column of the tables: {', '.join(names)}."
            f"{did_you_mean(term, (*names, *_EXAMPLES))}",
            option="add",
            value=term,
        )


def _needs_tree(entities: pd.DataFrame, term: Group) -> bool:
    return not isinstance(term, str) or term not in entities.columns


def _values(tables: Tables, tree: Hierarchy, term: Group) -> pd.Series:
    if isinstance(term, str) and term.startswith("ancestor:"):
        top = locate(entities_of(tables), term.removeprefix("ancestor:"))
        return pd.Series(tree.branch(top), dtype="boolean")
    wants_title = isinstance(term, str) and term.endswith(_TITLE)
    level = term.removesuffix(_TITLE) if isinstance(term, str) else term
    found = assignment(tables, tree, level)
    groups = nearest(tree, found.own)
    return text_series([group and found.titles[group] for group in groups] if wants_title else groups)


def _nullable(values: pd.Series) -> pd.Series:
    """Convert whole numbers and truth values a dtype that can hold the missing rows of unknown codes."""
    if values.dtype.kind == "b":
        return values.astype("boolean")
    return values.astype("Int64") if values.dtype.kind == "i" else values


Native = TypeVar("Native")


def annotate(
    frame: Native,
    tables: Tables,
    *,
    code: str | Sequence[str] = "code",
    add: Sequence[Group] = ("title", "chapter", "block"),
    unknown: Literal["flag", "raise", "drop"] = "flag",
    members: Members = "first",
    suffix: str | Sequence[str] | None = None,
) -> Native:
    """Add what the classification says of a column of codes.

    Parameters
    ----------
    frame : data frame
        Of pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark.
    tables : EntityTables or pandas.DataFrame
        From `load_tables` or `read_tabulation`, or the frame of `load_entity`.
    code : str or sequence of str
        The column of codes: as WHO writes them, without dots, in small letters, with
        blanks, as clusters; also entity ids, ids of blocks, and URIs of the ICD API. Of
        several columns each gets its own set of new columns.
    add : sequence
        The columns to add, each one of

        - any column of the entities table, such as ``"title"``, ``"entity_id"``, ``"chapter"``;
        - ``"chapter_title"``;
        - ``"block"``, ``"block_title"``: the nearest block (its id; in ICD-10 its code);
        - ``"level:2"``, ``"level:2_title"``: the entity two links below the top;
        - ``"ancestor:ENTITY"``: whether the code lies in the branch of that entity (it does
          in its own); true, false, or missing for an unknown code;
        - a `Grouping`, or a mapping of codes and ranges to groups (column ``"group"``); missing
          where no group has the code.

        An entity with several parents is taken to be under its primary one (``parent_id``),
        except for ``ancestor:``, which asks all of them.
    unknown : {"flag", "raise", "drop"}
        What to do with rows whose code is ``unknown``; rows without a code (``missing``) stay. ``"raise"``
        refuses cells with several codes too, and has to read the data once, also on a lazy back end.
    members : {"first", "stems", "any"}
        Which codes of a cluster count for groupings and ``ancestor:``: its first stem, all its stems, or
        extension codes too. ``ancestor:`` is then true if any of them is in the branch, and a grouping gives
        the group of the first that has one. The other columns are always those of the first stem. Except
        with ``"first"`` a lazy back end has to read its distinct clusters once.
    suffix : str or sequence of str, optional
        Put behind the name of every new column (``title_underlying``), so that a frame can be annotated
        twice. With several columns of codes one for each; by default ``_`` and the column's own name.

    Returns
    -------
    data frame
        Of the input's type: its columns (and index) unchanged and in their order, then
        the columns asked for, then ``match`` (in pandas of dtype category), which says how
        each code was read:

        ``exact``
            It is a code of the tables (or an entity's id or URI).
        ``dotless``
            It is one but for dots, blanks, small letters, or what only marks or pads it: a hyphen behind it
            (``A01.-``), the marks ``† ‡ * + !``, the X that fills up a code of ICD-10 (``I10X``). A dot in a place
            where no code has one (``A0.09``, ``E110.2``) is not taken for such a spelling.
        ``stem``
            It is a cluster (with ``&`` or ``/``), read as its first stem, which is in the tables; or an
            ICF category with qualifiers (``b110.2``), read as that category.
        ``residual``
            It is the residual Y or Z of a category of ICD-11 that the tables hold without
            its residuals, read as that category.
        ``truncated``
            It is longer than any code of the tables and was cut from the right up to the first
            category of them: at least 3 signs in ICD-10, 4 in ICD-11. Extension codes, texts with words and what
            has more than 7 signs are not cut.
        ``several``
            It holds two codes or more that form no cluster (``"A00.9 I10"``): none is taken, the added columns
            are missing. `decode_codes` and `flag` read all of them.
        ``unknown``
            None of these; the added columns are missing.
        ``missing``
            There is no code: missing, or blank.

        A cluster whose first stem is only found as residual or truncated is called that.
        The rows keep their order where the library has one (pandas, Polars, PyArrow, Dask).
        On lazy back ends nothing is computed: the result is a plan of joins to small tables. No network.

    Raises
    ------
    ConfigurationError
        If a column is not there, is there already or twice, or holds numbers with decimals.
    EntityNotFoundError
        If codes are unknown, or cells hold several, and ``unknown="raise"``.

    See Also
    --------
    match_report : Counts of each kind of match.
    rollup : Counts by chapter, block, level or grouping.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame(
    ...     {
    ...         "entity_id": ["1", "2", "3"],
    ...         "code": ["01", None, "1A00"],
    ...         "title": ["Infections", "Gastroenteritis", "Cholera"],
    ...         "class_kind": ["chapter", "block", "category"],
    ...         "parent_id": [None, "1", "2"],
    ...         "chapter": ["01", "01", "01"],
    ...         "block_id": [None, "BlockL1-1A0", None],
    ...     }
    ... )
    >>> deaths = pd.DataFrame({"age": [71, 8, 40], "code": ["1A00", "1a00 &XN8P1", "ABC"]})
    >>> print(icdframes.annotate(deaths, tables).to_string())
       age         code    title chapter        block    match
    0   71         1A00  Cholera      01  BlockL1-1A0    exact
    1    8  1a00 &XN8P1  Cholera      01  BlockL1-1A0     stem
    2   40          ABC      NaN     NaN          NaN  unknown

    """
    check_option("unknown", unknown, ("flag", "raise", "drop"))
    check_option("members", members, MEMBERS)
    codes = backends.code_columns(code)
    if unknown == "drop" and len(codes) > 1:
        raise ConfigurationError("unknown='drop' goes by one column of codes: annotate the others before it.")
    columns, lookup = columns_for(tables, add), Lookup.of(tables)
    combine: dict[str, Combine] = {}
    for term in add:
        if not isinstance(term, str):
            combine[as_grouping(term).name] = "first"
        elif term.startswith("ancestor:"):
            combine[term] = "any"
    annotated = frame
    for name, end in zip(codes, _suffixes(codes, suffix, single=isinstance(code, str)), strict=True):
        named = columns.rename(columns={column: f"{column}{end}" for column in columns.columns[1:]})
        rules = {f"{column}{end}": rule for column, rule in combine.items()}
        what = JoinSpec(name, lookup, named, f"{MATCH}{end}", unknown == "drop", members, rules)
        if unknown == "raise":
            _refuse_unknown(frame, what)
        annotated = join(annotated, what)
    return annotated


def _suffixes(codes: Sequence[str], suffix: str | Sequence[str] | None, *, single: bool) -> list[str]:
    if suffix is None:
        return [""] if single else [f"_{name}" for name in codes]
    ends = [suffix] if isinstance(suffix, str) else list(suffix)
    if len(ends) != len(codes) or len(set(ends)) != len(ends):
        raise ConfigurationError(
            f"suffix={suffix!r} does not fit {len(codes)} column{'s' if len(codes) > 1 else ''} of codes: give one "
            "for each, all different."
        )
    return ends


def match_report(frame: Any, tables: Tables, *, code: str = "code") -> pd.DataFrame:
    """Count how the codes of a column were read; see `annotate` for the kinds.

    Only the distinct codes are fetched from a lazy back end.

    Parameters
    ----------
    frame, tables, code
        As for `annotate`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of match, all eight: match, n_rows, n_codes (distinct, as they
        are written), examples (up to five, the most frequent first; missing where there is none). No network.

    Raises
    ------
    ConfigurationError
        If the column is not there.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> tables = pd.DataFrame({"entity_id": ["3"], "code": ["1A00"], "parent_id": [None]})
    >>> report = icdframes.match_report(pd.DataFrame({"code": ["1A00", "1a00", "1A00", None]}), tables)
    >>> print(report[report["n_rows"] > 0].to_string())
         match  n_rows  n_codes examples
    0    exact       2        1     1A00
    1  dotless       1        1     1a00
    7  missing       1        0      NaN

    """
    return _report(frame, code, Lookup.of(tables))


def _report(frame: Any, code: str, lookup: Lookup) -> pd.DataFrame:
    backends.check_names(backends.names_of(frame), code, ())
    counts = backends.count_rows(frame, [code])
    texts = counts[code].astype(object).where(counts[code].notna(), None)
    kinds = lookup.match(texts)[KIND]
    order = counts[backends.N].sort_values(ascending=False, kind="stable").index
    rows = []
    for kind in KINDS:
        chosen = [row for row in order if kinds[row] == kind]
        spelled = [str(texts[row]) for row in chosen if texts[row] is not None]
        rows.append((kind, int(counts[backends.N][chosen].sum()), len(spelled), ", ".join(sorted(spelled[:5])) or None))
    report = pd.DataFrame(rows, columns=[MATCH, "n_rows", "n_codes", "examples"])
    return report.assign(examples=text_array(report["examples"]))


def _refuse_unknown(frame: Any, what: JoinSpec) -> None:
    report = _report(frame, what.code, what.lookup).set_index(MATCH)
    for kind, problem, advice in (
        (
            "unknown",
            "a code in {} that is not in these tables",
            "correct them, or keep ('flag') or drop ('drop') such rows",
        ),
        ("several", "several codes in {}", "put one code in each, or keep such rows ('flag')"),
    ):
        lost = report.loc[kind]
        if lost["n_rows"]:
            raise EntityNotFoundError(
                f"{lost['n_rows']} of {report['n_rows'].sum()} rows have {problem.format(repr(what.code))}, such as "
                f"{lost['examples']}: {advice}."
            )
