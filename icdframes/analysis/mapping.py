"""Translate a column of codes into another classification, candidate by candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.join import match_by_joins, numbered_codes
from icdframes.analysis.matching import ENTITY, KIND, Lookup
from icdframes.frames.code_mapping import CodeMapping
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.pandas_compat import fill_text, text_array

ADDED = ("mapped_code", "mapped_title", "mapped_id", "relation", "n_candidates", "mapped_match")

_POSITION = "_icd_position"
_WIDER = ["stem", "truncated"]
FrameT = TypeVar("FrameT")


def map_codes(
    frame: FrameT,
    mapping: CodeMapping,
    *,
    code: str = "code",
    tables: EntityTables | None = None,
    weight: bool | str = False,
) -> FrameT:
    r"""Translate a column of codes with one of WHO's mapping tables.

    Parameters
    ----------
    frame : pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark frame
        Your data; what is lazy stays lazy.
    mapping : CodeMapping
        From `icdframes.read_mapping`.
    code : str
        The column of codes, ids or URIs, in any spelling that `icdframes.annotate` knows.
    tables : EntityTables, optional
        Tables of the source or target; a warning tells if their release is
        another than the mapping's.
    weight : bool or str
        Whether to add a column ``weight`` (or one of that name): 1 / n_candidates, and 1 for a row without
        a candidate. The weights of the rows that come of one row add up to 1, so that totals stay whole.

    Returns
    -------
    same kind as `frame`
        The input's columns, one row per candidate, and unmapped rows too; in pandas each with the index label of
        the row it comes of.

        ``mapped_code``, ``mapped_title``, ``mapped_id``
            The candidate; a block has no code, and a target in the foundation
            has none either.
        ``relation``
            ``equivalent``, ``broader``, ``narrower``, ``mapped`` (of a kind that
            the file does not state) or ``unmapped``; see `CodeMapping`.
        ``n_candidates``
            How many candidates the code has: more than 1 means that somebody
            must choose, 0 that it is unmapped.
        ``mapped_match``
            How the code was found in the table, in the words of
            `icdframes.annotate`; where it is ``stem`` or ``truncated``, the
            candidate is that of a wider code, so ``equivalent`` becomes
            ``broader``. An unmapped code is ``unknown`` if the table does not hold it, ``several`` or
            ``missing`` if there is not one code; otherwise WHO's table itself says "No Mapping".

        Rows are in the input's order, candidates in the file's, where the library
        keeps an order (pandas, Polars, PyArrow, Dask). No network.

    Raises
    ------
    ConfigurationError
        If the frame lacks the column, holds decimal numbers in it, or has one of
        the new columns already.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> text = (
    ...     "10ClassKind\ticd10Code\ticd10Title\tLinearization (releaseURI)\ticd11Code\ticd11Title\t2024-Jan-21\n"
    ...     "category\tA00\tCholera\thttp://id.who.int/icd/release/11/2024-01/mms/257068234\t1A00\tCholera\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "10To11MapToOneCategory.txt")
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     mapping = icdframes.read_mapping(file)
    >>> deaths = pd.DataFrame({"code": ["a00", "K25.5"]})
    >>> icdframes.map_codes(deaths, mapping)[["code", "mapped_code", "relation", "mapped_match"]]
        code mapped_code  relation mapped_match
    0    a00        1A00    mapped      dotless
    1  K25.5         NaN  unmapped      unknown

    """
    if tables is not None:
        mapping.check_release(tables)
    name = weight if isinstance(weight, str) else "weight" if weight else None
    if backends.is_dask(frame):
        dask_frame: FrameT = backends.by_partition(frame, map_codes, mapping=mapping, code=code, weight=weight)
        return dask_frame
    native: Any = frame
    data = None if isinstance(native, pd.DataFrame) else backends.to_narwhals(native)
    added = [*ADDED, *([name] if name else [])]
    ignore_case = data is not None and backends.ignores_case(data)
    backends.check_names(backends.names_of(native), code, added, ignore_case=ignore_case)
    what = _Translation(code, Lookup.of(_sources(mapping)), _candidates(mapping), name)
    result: Any
    if data is None:
        result = _map_pandas(native, what)
        result.attrs["mapping"] = dict(mapping.provenance)
    else:
        backends.check_column(data, code)
        result = _map_eager(data, what) if isinstance(data, nw.DataFrame) else _map_lazily(data, what)
    mapped: FrameT = result
    return mapped


@dataclass(frozen=True, slots=True)
class _Translation:
    """The column of codes, the spellings of the sources, the candidates by source, the name of the weights."""

    code: str
    lookup: Lookup
    candidates: pd.DataFrame
    weight: str | None

    def answer(self, places: npt.NDArray[Any], distinct: Any) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
        """Return which row each new row comes of, and the new columns."""
        found = self.lookup.match(distinct)
        candidates = self.candidates.dropna(subset=ENTITY)
        numbers, sources = pd.factorize(candidates[ENTITY])
        table = candidates.iloc[np.argsort(numbers, kind="stable")].reset_index(drop=True)
        n_of_source = np.append(np.bincount(numbers, minlength=len(sources)), 1)  # last: one row without a candidate
        begin_of_source = np.append(np.cumsum(n_of_source[:-1]) - n_of_source[:-1], -1)
        source = np.append(pd.Index(sources).get_indexer(pd.Index(found[ENTITY])), -1)[places]
        n_rows = n_of_source[source]
        rows = np.repeat(np.arange(len(places)), n_rows)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        chosen = begin_of_source[source[rows]] + within
        kinds = text_array([*found[KIND], "missing"]).take(places[rows])
        added = {name: table[name].array.take(chosen, allow_fill=True) for name in ADDED[:-2]}
        added["n_candidates"] = np.where(chosen < 0, 0, table["n_candidates"].to_numpy()[chosen]) if len(table) else 0
        columns = pd.DataFrame({**added, ADDED[-1]: kinds}, index=range(len(rows)))
        relation = fill_text(columns["relation"], "unmapped")
        wider = columns[ADDED[-1]].isin(_WIDER) & relation.eq("equivalent")
        columns["relation"] = relation.mask(wider, "broader")
        if self.weight:
            columns[self.weight] = 1 / columns["n_candidates"].clip(lower=1)
        return rows, columns


def _map_pandas(frame: pd.DataFrame, what: _Translation) -> pd.DataFrame:
    codes = frame[what.code]
    backends.check_series(codes)
    rows, columns = what.answer(*numbered_codes(codes))
    mapped = frame.take(rows)
    for name in columns.columns:
        mapped[name] = columns[name].array
    return mapped


def _map_eager(data: nw.DataFrame[Any], what: _Translation) -> Any:
    rows, columns = what.answer(*backends.numbered_codes(data, what.code))
    mapped = backends.take_rows(data, rows)
    return mapped.with_columns(*backends.taken(mapped, columns, np.arange(len(rows)))).to_native()


def _map_lazily(data: nw.LazyFrame[Any], what: _Translation) -> Any:
    found = backends.in_order(match_by_joins(data, what.code, what.lookup, what.candidates), _POSITION)
    wider = nw.col(KIND).is_in(_WIDER) & (nw.col("relation") == "equivalent")
    count = nw.col("n_candidates").fill_null(0).cast(nw.Int64)
    added = [
        nw.when(wider).then(nw.lit("broader")).otherwise(nw.col("relation").fill_null("unmapped")).alias("relation"),
        count,
        nw.col(KIND).alias("mapped_match"),
    ]
    if what.weight:
        added.append((1.0 / nw.when(count > 1).then(count).otherwise(nw.lit(1))).alias(what.weight))
    names = [*data.collect_schema().names(), *ADDED, *([what.weight] if what.weight else [])]
    return found.with_columns(*added).select(*names).to_native()


def _sources(mapping: CodeMapping) -> pd.DataFrame:
    """Return the sources as `Lookup.of` wants entities: one row each."""
    names = {"source_id": "entity_id", "source_code": "code", "source_kind": "class_kind"}
    sources = mapping.frame.drop_duplicates("source_id")[[*names]].rename(columns=names)
    kinds = sources["class_kind"].replace("modifiedcategory", "category").fillna("category")
    return sources.assign(class_kind=kinds)


def _candidates(mapping: CodeMapping) -> pd.DataFrame:
    """Return the new columns but for ``mapped_match``, under the source's id."""
    frame = mapping.frame
    columns = {"source_id": ENTITY, "target_code": "mapped_code", "target_title": "mapped_title",
               "target_id": "mapped_id", "relation": "relation", "position": _POSITION}  # fmt: skip
    count = frame["target_id"].notna().groupby(frame["source_id"]).transform("sum")
    return frame[[*columns]].rename(columns=columns).assign(n_candidates=count.astype("int64"))
