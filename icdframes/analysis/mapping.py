"""Translate a column of codes into another classification, candidate by candidate."""

from __future__ import annotations

from typing import Any, TypeVar

import narwhals as nw
import pandas as pd

from icdframes.analysis.backends import (
    ROW,
    by_partition,
    check_codes,
    check_names,
    is_dask,
    make_converter,
    numbered,
    to_narwhals,
)
from icdframes.analysis.matching import ENTITY, KIND, Lookup, resolve
from icdframes.frames.code_mapping import CodeMapping
from icdframes.frames.entity_tables import EntityTables

ADDED = ("mapped_code", "mapped_title", "mapped_id", "relation", "n_candidates", "mapped_match")

_POSITION = "_icd_position"
_WIDER = ["stem", "truncated"]
FrameT = TypeVar("FrameT")


def map_codes(frame: FrameT, mapping: CodeMapping, *, code: str = "code", tables: EntityTables | None = None) -> FrameT:
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

    Returns
    -------
    same kind as `frame`
        The input's columns, one row per candidate, and unmapped rows too.

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
            ``broader``. An unmapped code is ``unknown`` if the table does not
            hold it; otherwise WHO's table itself says "No Mapping".

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
    if is_dask(frame):
        dask_frame: FrameT = by_partition(frame, map_codes, mapping=mapping, code=code)
        return dask_frame
    data = to_narwhals(frame)
    schema = data.collect_schema()
    check_names(schema.names(), code, ADDED)
    check_codes(code, is_float=schema[code].is_float())
    ship = make_converter(data)
    placed = data.with_row_index(ROW) if isinstance(data, nw.DataFrame) else numbered(data)
    found: Any = resolve(placed, code, Lookup.of(_sources(mapping)), ship)
    found = found.join(ship(_candidates(mapping)), on=ENTITY, how="left")
    if ROW in found.collect_schema():
        found = found.sort(ROW, _POSITION)
    wider = nw.col(KIND).is_in(_WIDER) & (nw.col("relation") == "equivalent")
    added = (
        nw.when(wider).then(nw.lit("broader")).otherwise(nw.col("relation").fill_null("unmapped")).alias("relation"),
        nw.col("n_candidates").fill_null(0).cast(nw.Int64),
        nw.col(KIND).fill_null("unknown").alias("mapped_match"),
    )
    result: FrameT = found.with_columns(*added).select(*schema.names(), *ADDED).to_native()
    if isinstance(result, pd.DataFrame):
        result = result.reset_index(drop=True)
        result.attrs["mapping"] = dict(mapping.provenance)
    return result


def _sources(mapping: CodeMapping) -> pd.DataFrame:
    """Give the sources as `Lookup.of` wants entities: one row each."""
    names = {"source_id": "entity_id", "source_code": "code", "source_kind": "class_kind"}
    sources = mapping.frame.drop_duplicates("source_id")[[*names]].rename(columns=names)
    kinds = sources["class_kind"].replace("modifiedcategory", "category").fillna("category")
    return sources.assign(class_kind=kinds)


def _candidates(mapping: CodeMapping) -> pd.DataFrame:
    """Give the new columns but for ``match``, under the source's id."""
    frame = mapping.frame
    columns = {"source_id": ENTITY, "target_code": "mapped_code", "target_title": "mapped_title",
               "target_id": "mapped_id", "relation": "relation", "position": _POSITION}  # fmt: skip
    count = frame["target_id"].notna().groupby(frame["source_id"]).transform("sum")
    return frame[[*columns]].rename(columns=columns).assign(n_candidates=count.astype("int64"))
