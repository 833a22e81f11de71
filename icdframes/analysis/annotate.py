"""Join the classification to people's own data, on any back end; the data themselves are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.attach import MATCH, Attachment, attach
from icdframes.analysis.columns import columns_for
from icdframes.analysis.grouping import Group
from icdframes.analysis.matching import KIND, KINDS, Lookup, Tables
from icdframes.errors import EntityNotFoundError, check_option

Native = TypeVar("Native")


def annotate(
    frame: Native,
    tables: Tables,
    *,
    code: str = "code",
    add: Sequence[Group] = ("title", "chapter", "block"),
    unknown: Literal["flag", "raise", "drop"] = "flag",
) -> Native:
    """Add what the classification says of a column of codes.

    Parameters
    ----------
    frame : data frame
        Of pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark.
    tables : EntityTables or pandas.DataFrame
        From `load_tables` or `read_tabulation`, or the frame of `load_entity`.
    code : str
        The column of codes: as WHO writes them, without dots, in small letters, with
        blanks, as clusters; also entity ids and URIs of the ICD API.
    add : sequence
        The columns to add, each one of

        - any column of the entities table, such as ``"title"``, ``"entity_id"``, ``"chapter"``;
        - ``"chapter_title"``;
        - ``"block"``, ``"block_title"``: the nearest block (its id; in ICD-10 its code);
        - ``"level:2"``, ``"level:2_title"``: the entity two links below the top;
        - ``"ancestor:ENTITY"``: whether the code lies in the branch of that entity (it does
          in its own); true, false, or missing for an unknown code;
        - a `Grouping`, or a mapping of entity to group (column ``"group"``): handed down to
          all entities below, the nearest wins.

        An entity with several parents is taken to be under its primary one (``parent_id``),
        except for ``ancestor:``, which asks all of them.
    unknown : {"flag", "raise", "drop"}
        What to do with rows whose code is unknown or missing. ``"raise"`` has to read the
        data once, also on a lazy back end.

    Returns
    -------
    data frame
        Of the input's type: its columns (and index) unchanged and in their order, then
        the columns asked for, then ``match`` (in pandas of dtype category), which says how
        each code was read:

        ``exact``
            It is a code of the tables (or an entity's id or URI).
        ``dotless``
            It is one but for dots, blanks or small letters.
        ``stem``
            It is a cluster (with ``&`` or ``/``), read as its first stem, which is in the tables.
        ``residual``
            It is the residual Y or Z of a category of ICD-11 that the tables hold without
            its residuals, read as that category.
        ``truncated``
            It is longer than any code of the tables and was cut from the right up to the first
            category of them: at least 3 signs in ICD-10, 4 in ICD-11. Extension codes are not cut.
        ``unknown``
            None of these, or missing; the added columns are missing.

        A cluster whose first stem is only found as residual or truncated is called that.
        The rows keep their order where the library has one (pandas, Polars, PyArrow, Dask).
        On lazy back ends nothing is computed: the result is a plan of joins to small tables. No network.

    Raises
    ------
    ConfigurationError
        If a column is not there, is there already, or holds numbers with decimals.
    EntityNotFoundError
        If codes are unknown and ``unknown="raise"``.

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
    what = Attachment(code, Lookup.of(tables), columns_for(tables, add), drop=unknown == "drop")
    if unknown == "raise":
        _refuse_unknown(frame, what)
    annotated: Native = attach(frame, what)
    return annotated


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
        One row per kind of match, all six: match, n_rows, n_codes (distinct, as they
        are written), examples (up to five, the most frequent first). No network.

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
    5  unknown       1        0

    """
    return _report(frame, code, Lookup.of(tables))


def _report(frame: Any, code: str, lookup: Lookup) -> pd.DataFrame:
    counts = backends.count_rows(frame, [code])
    texts = counts[code].astype(object).where(counts[code].notna(), None)
    kinds = pd.Series("unknown", index=counts.index, dtype="str")
    kinds[texts.notna()] = lookup.match(texts.dropna())[KIND].array
    order = counts[backends.N].sort_values(ascending=False, kind="stable").index
    rows = []
    for kind in KINDS:
        chosen = [row for row in order if kinds[row] == kind]
        spelled = [str(texts[row]) for row in chosen if texts[row] is not None]
        rows.append((kind, int(counts[backends.N][chosen].sum()), len(spelled), ", ".join(sorted(spelled[:5]))))
    return pd.DataFrame(rows, columns=[MATCH, "n_rows", "n_codes", "examples"])


def _refuse_unknown(frame: Any, what: Attachment) -> None:
    report = _report(frame, what.code, what.lookup).set_index(MATCH)
    lost = report.loc["unknown"]
    if lost["n_rows"]:
        such = f"such as {lost['examples']}" if lost["n_codes"] else "all missing"
        raise EntityNotFoundError(
            f"{lost['n_rows']} of {report['n_rows'].sum()} rows have a code in {what.code!r} "
            f"that is not in these tables, {such}: correct them, or give unknown='flag' or unknown='drop'."
        )
