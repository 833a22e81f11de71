"""Join the classification to people's own data, on any back end; the data themselves are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.grouping import Group, columns_for
from icdframes.analysis.matching import ENTITY, KIND, KINDS, Lookup, Tables, resolve
from icdframes.errors import ConfigurationError, EntityNotFoundError, did_you_mean

MATCH = "match"
_TEXT = "_icd_spelling"
_PIECE = 1_000_000

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
        On lazy back ends nothing is computed: the result is a plan of joins to small tables.

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
    >>> print(annotate(deaths, tables).to_string())
       age         code    title chapter        block    match
    0   71         1A00  Cholera      01  BlockL1-1A0    exact
    1    8  1a00 &XN8P1  Cholera      01  BlockL1-1A0     stem
    2   40          ABC      NaN     NaN          NaN  unknown

    """
    if unknown not in {"flag", "raise", "drop"}:
        raise ConfigurationError(f"unknown={unknown!r} is not known: give 'flag', 'raise' or 'drop'.")
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
        are written), examples (up to five, the most frequent first).

    Examples
    --------
    >>> import pandas as pd
    >>> tables = pd.DataFrame({"entity_id": ["3"], "code": ["1A00"], "parent_id": [None]})
    >>> report = match_report(pd.DataFrame({"code": ["1A00", "1a00", "1A00", None]}), tables)
    >>> print(report[report["n_rows"] > 0].to_string())
         match  n_rows  n_codes examples
    0    exact       2        1     1A00
    1  dotless       1        1     1a00
    5  unknown       1        0

    """
    return _report(frame, code, Lookup.of(tables))


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is to be added to a frame.

    Attributes
    ----------
    code : str
        Column of codes.
    lookup : Lookup
        The spellings of the entities.
    columns : pandas.DataFrame
        `ENTITY`, and the columns to add under their own names.
    match : str
        Name of the column for the kind of match.
    drop : bool
        Whether rows of unknown codes are left out.

    """

    code: str
    lookup: Lookup
    columns: pd.DataFrame
    match: str = MATCH
    drop: bool = False

    @property
    def names(self) -> list[str]:
        """The columns to add, the kind of match last."""
        return [*self.columns.columns[1:], self.match]


def attach(frame: Any, what: Attachment) -> Any:
    """Add columns of a table of entities, and the kind of match, to a frame of any library."""
    if backends.is_dask(frame):
        _check_names([str(name) for name in frame.columns], what)
        _check_dtype(what.code, is_float=pd.api.types.is_float_dtype(frame[what.code].dtype))
        return backends.by_partition(frame, _attach_pandas, what=what)
    if isinstance(frame, pd.DataFrame):
        return _attach_pandas(frame, what)
    data = backends.opened(frame)
    schema = data.collect_schema()
    _check_names(schema.names(), what)
    _check_dtype(what.code, is_float=schema[what.code].is_float())
    return (_attach_eager(data, what) if isinstance(data, nw.DataFrame) else _attach_lazy(data, what)).to_native()


def _attach_pandas(frame: pd.DataFrame, what: Attachment) -> pd.DataFrame:
    """Match the few distinct codes, then take rows: no join of all rows."""
    _check_names([str(name) for name in frame.columns], what)
    codes = frame[what.code]
    _check_dtype(what.code, is_float=pd.api.types.is_float_dtype(codes) and bool(codes.notna().any()))
    places, distinct = pd.factorize(codes)  # a missing code has place -1: the last row of what follows
    found = what.lookup.match(distinct)
    rows = np.append(pd.Index(what.columns[ENTITY]).get_indexer(pd.Index(found[ENTITY])), -1)
    kinds = pd.Categorical([*found[KIND], "unknown"], categories=KINDS)
    places[places < 0] = len(rows) - 1
    result = frame.copy(deep=False)
    for name in what.names[:-1]:
        result[name] = _spread(what.columns[name].array.take(rows, allow_fill=True), places)
    result[what.match] = kinds.take(places)
    return result[(kinds != "unknown")[places]] if what.drop else result


def _spread(values: Any, places: npt.NDArray[np.intp]) -> Any:
    """Take rows; long text in pieces, since one growing piece of memory is moved again and again, and on all cores."""
    if not isinstance(values.dtype, pd.StringDtype) or len(places) <= _PIECE:
        return values.take(places)
    pieces = (places[begin : begin + _PIECE] for begin in range(0, len(places), _PIECE))
    with ThreadPoolExecutor() as threads:  # Arrow lets go of the interpreter while it takes
        return pd.concat([pd.Series(taken) for taken in threads.map(values.take, pieces)]).array


def _attach_eager(data: nw.DataFrame[Any], what: Attachment) -> nw.DataFrame[Any]:
    """Match the distinct codes by joins; the columns of the frame itself take part in none."""
    ship = backends.shipper(data)
    texts = data.select(nw.col(what.code).cast(nw.String).alias(_TEXT)).with_row_index(backends.ROW)
    distinct: Any = resolve(texts.select(_TEXT).unique(), _TEXT, what.lookup, ship)
    matched = distinct.join(ship(what.columns), on=ENTITY, how="left").rename({KIND: what.match})
    joined = texts.join(matched, on=_TEXT, how="left").sort(backends.ROW)
    joined = joined.with_columns(nw.col(what.match).fill_null("unknown"))
    result = data.with_columns(*(joined[name] for name in what.names))
    return result.filter(nw.col(what.match) != "unknown") if what.drop else result


def _attach_lazy(data: nw.LazyFrame[Any], what: Attachment) -> nw.LazyFrame[Any]:
    """Match every row by joins to small tables, in one plan that reads the data once."""
    ship = backends.shipper(data)
    matched: Any = resolve(backends.numbered(data), what.code, what.lookup, ship)
    joined = matched.join(ship(what.columns), on=ENTITY, how="left").rename({KIND: what.match})
    if what.drop:
        joined = joined.filter(nw.col(what.match) != "unknown")
    if backends.ROW in joined.collect_schema():
        joined = joined.sort(backends.ROW)
    named: nw.LazyFrame[Any] = joined.select([*data.collect_schema().names(), *what.names])
    return named


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
            f"that is not in these tables, {such}: correct them, or give unknown='flag' or 'drop'."
        )


def _check_names(present: Sequence[str], what: Attachment) -> None:
    if what.code not in present:
        raise ConfigurationError(
            f"The frame has no column {what.code!r}: name the column of codes with code=."
            f"{did_you_mean(what.code, present)}"
        )
    if taken := [name for name in what.names if name in present]:
        raise ConfigurationError(f"The frame has a column {taken[0]!r} already: rename it first.")


def _check_dtype(code: str, *, is_float: bool) -> None:
    if is_float:
        raise ConfigurationError(
            f"The column {code!r} holds decimal numbers, in which codes such as 1E10 are lost: read it as text "
            f"(pandas.read_csv(..., dtype={{{code!r}: str}}))."
        )
