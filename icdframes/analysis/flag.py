"""One column of truth values per code list, beside any number of columns of codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from icdframes.analysis import backends
from icdframes.analysis.code_cells import keys_of_members, read_cells
from icdframes.analysis.codelist import CodeList
from icdframes.analysis.codelist_rules import Term
from icdframes.analysis.join import numbered_codes
from icdframes.analysis.matching import MEMBERS, Members, Tables
from icdframes.analysis.tabular_order import CodeIndex, Mask
from icdframes.errors import ConfigurationError, check_option
from icdframes.frames.pandas_compat import text_array

_TEXT = "_icd_flag_text"

Native = TypeVar("Native")


def flag(
    frame: Native,
    codelists: CodeList | Iterable[CodeList],
    *,
    code: str | Sequence[str] = "code",
    tables: Tables | None = None,
    members: Members = "any",
    suffix: str = "",
    id: str | Sequence[str] | None = None,  # noqa: A002  the word users look for
) -> Native:
    """Add one column of truth values per code list, over one or many columns of codes.

    Parameters
    ----------
    frame : data frame
        Of pandas, Polars (eager or lazy), PyArrow, DuckDB, Dask or PySpark.
    codelists : CodeList or iterable of CodeList
        What is looked for; the column of each has the name of the list. A `CodeListSet` too.
    code : str or sequence of str
        One or many columns of codes and clusters, in any writing that `annotate` reads. A cell with several codes
        counts for each of them.
    tables : EntityTables or pandas.DataFrame, optional
        The release in which the lists are read. Without them the texts of the codes decide, which serves lists of
        categories of ICD-10, ICF and the MMS, with ranges and beginnings, and codes that WHO's tables lack (those of
        national editions); blocks, chapters and extension codes need tables.
    members : {"any", "stems", "first"}
        Which codes of a cluster count: all, stem codes, or the first. Rules that are clusters see the whole cluster.
    suffix : str
        Put behind the name of every new column.
    id : str or sequence of str, optional
        Return one row for each value of these columns (each patient), true where any of its rows is.

    Returns
    -------
    data frame
        Of the input's type: its columns and index unchanged, then one column per list, true or false; false where
        the code is missing or unknown. With `id` those columns and one per list alone. Of lazy back ends the
        distinct codes are read once; Dask reads each partition. No network.

    Raises
    ------
    ConfigurationError
        If a column is not there or is there already, two lists have one name, or a list needs tables.

    Warns
    -----
    PartialResultWarning
        If rules of a list name nothing in the tables.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> lists = [
    ...     icdframes.CodeList(["E10-E14"], name="diabetes", classification="icd10"),
    ...     icdframes.CodeList(["F00-F03", "G30"], name="dementia", classification="icd10"),
    ... ]
    >>> stays = pd.DataFrame({"person": [1, 1, 2], "dx1": ["E11.9", "I10", "i64"], "dx2": ["I10", "G30.1", None]})
    >>> icdframes.flag(stays, lists, code=["dx1", "dx2"])[["diabetes", "dementia"]].values.tolist()
    [[True, False], [False, True], [False, False]]
    >>> print(icdframes.flag(stays, lists, code=["dx1", "dx2"], id="person").to_string(index=False))
     person  diabetes  dementia
          1      True      True
          2     False     False

    """
    check_option("members", members, MEMBERS)
    lists = (codelists,) if isinstance(codelists, CodeList) else tuple(codelists)
    columns = backends.code_columns(code)
    if not columns:
        raise ConfigurationError("code names no column: give one or several.")
    keys = [] if id is None else [id] if isinstance(id, str) else list(id)
    names = _names_of(lists, suffix)
    job = Job(columns, names, _judge(lists, tables, members), keys)
    if backends.is_dask(frame):
        flagged: Any = _flag_dask(frame, job)
    elif isinstance(frame, pd.DataFrame):
        flagged = _per_person(_flag_pandas(frame, job), job)
    else:
        flagged = _flag_narwhals(frame, job)
    result: Native = flagged
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Decides about texts.

    Attributes
    ----------
    lists : tuple of tuple of Term
        Of each list its terms.
    index : CodeIndex or None
        The tables; None where texts decide.
    members : {"any", "stems", "first"}
        Which codes of a cluster count.
    is_icf : bool
        Whether texts are those of ICF.

    """

    lists: tuple[tuple[Term, ...], ...]
    index: CodeIndex | None
    members: Members
    is_icf: bool = False

    def __call__(self, texts: Sequence[Any]) -> Mask:
        """Return of each text and list whether it is true, and a last row that is false for what is missing."""
        cells = read_cells(texts)
        keys, partial = keys_of_members(cells.distinct, self.index, is_icf=self.is_icf)
        counts = cells.counted(self.members)
        flags = np.zeros((len(texts) + 1, len(self.lists)), dtype=bool, order="F")
        for column, terms in enumerate(self.lists):
            for term in terms:
                flags[:-1, column] |= cells.judged(term, keys, partial, counts)
        return flags


@dataclass(frozen=True, slots=True)
class Job:
    """What `flag` was asked: columns of codes, names of the new columns, who decides, columns that tell persons."""

    columns: Sequence[str]
    names: Sequence[str]
    judge: Judge
    keys: Sequence[str]

    def check(self, native: Any, present: Iterable[str], *, ignore_case: bool = False) -> None:
        """Refuse columns that are not there, or are there already."""
        names = list(present)
        for column in self.columns:
            backends.check_names(names, column, self.names, ignore_case=ignore_case)
        backends.check_columns(native, self.keys)


def _judge(lists: Sequence[CodeList], tables: Tables | None, members: Members) -> Judge:
    if tables is None:
        is_icf = any(one.classification == "icf" for one in lists)
        return Judge(tuple(one.intervals() for one in lists), None, members, is_icf)
    index = CodeIndex(tables)
    return Judge(tuple(one.expansion(index).terms for one in lists), index, members)


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """How many rows a list takes, and a text for each of its rules."""

    n_rows: int
    texts: Sequence[str]


def count_rules(
    codelist: CodeList, tables: Tables, index: CodeIndex, frame: pd.DataFrame | None, code: str | Sequence[str]
) -> RuleCounts:
    """Return how many codes each rule of a list decides about, and how many rows of a frame the list takes."""
    checked = codelist.check(tables)["n_decided"].tolist() if not codelist.parts else []
    if frame is None:
        return RuleCounts(0, [_counted(n, "code") for n in checked])
    columns = [code] if isinstance(code, str) else list(code)
    singles = [[CodeList([rule], classification=codelist.classification)] for rule in codelist.include]
    lists = [codelist, *(one for single in singles for one in single)]
    judge = Judge(tuple(one.expansion(index).terms for one in lists), index, "any")
    names = [f"_icd_rule_{number}" for number in range(len(lists))]
    flagged = _flag_pandas(frame[columns], Job(columns, names, judge, ()))[names].sum().tolist()
    rows = [f", {_counted(n, 'row')}" for n in flagged[1:]] + [""] * len(codelist.exclude)
    texts = [_counted(n, "code") + text for n, text in zip(checked, rows, strict=True)]
    return RuleCounts(int(flagged[0]), texts)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _names_of(codelists: Sequence[CodeList], suffix: str) -> list[str]:
    """Return the names of the columns of some lists; two of one name are refused."""
    names = [f"{codelist.name}{suffix}" for codelist in codelists]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"Two code lists are called {twice!r}: give each its own name with CodeList(name=…).")
    return names


def _flag_pandas(frame: pd.DataFrame, job: Job) -> pd.DataFrame:
    job.check(frame, backends.names_of(frame))
    flags = _Flags(job)
    for column in job.columns:
        codes = frame[column]
        backends.check_series(codes)
        flags.read(*numbered_codes(codes))
    result = frame.copy(deep=False)
    for name, values in flags.columns(len(frame)):
        result[name] = values
    return result


class _Flags:
    """The truth values of the distinct codes of several columns, and where each row finds its own."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._numbers: dict[Any, int] = {}
        self._places: list[tuple[npt.NDArray[Any], npt.NDArray[np.intp]]] = []

    def read(self, places: npt.NDArray[Any], distinct: Iterable[Any]) -> None:
        numbers = self._numbers
        codes = distinct.tolist() if isinstance(distinct, pd.Index) else distinct
        own = [-1 if _is_missing(code) else numbers.setdefault(code, len(numbers)) for code in codes]
        self._places.append((places, np.array([*own, -1], dtype=np.intp)))

    def columns(self, n_rows: int) -> Iterable[tuple[str, Mask]]:
        told = self._job.judge(list(self._numbers))
        for number, name in enumerate(self._job.names):
            found = np.zeros(n_rows, dtype=bool)
            for places, own in self._places:
                found |= told[own, number][places]
            yield name, found


def _is_missing(code: Any) -> bool:
    return not isinstance(code, str) and bool(pd.isna(code))


def _flag_dask(frame: Any, job: Job) -> Any:
    job.check(frame, backends.names_of(frame))
    flagged = backends.by_partition(frame, _flag_pandas, job=job)
    if not job.keys:
        return flagged
    return flagged.groupby(list(job.keys), dropna=False)[list(job.names)].max().reset_index()


def _flag_narwhals(frame: Any, job: Job) -> Any:
    data = backends.to_narwhals(frame)
    job.check(frame, backends.names_of(frame), ignore_case=backends.ignores_case(data))
    for column in job.columns:
        backends.check_column(data, column)
    flagged = _flag_eager(data, job) if isinstance(data, nw.DataFrame) else _flag_lazy(data, job)
    return _per_person_narwhals(flagged, job).to_native()


def _flag_eager(data: nw.DataFrame[Any], job: Job) -> nw.DataFrame[Any]:
    flags = _Flags(job)
    for column in job.columns:
        flags.read(*backends.numbered_codes(data, column))
    made = pd.DataFrame(dict(flags.columns(len(data))))
    return data.with_columns(*backends.taken(data, made, np.arange(len(made))))


def _flag_lazy(data: nw.LazyFrame[Any], job: Job) -> nw.LazyFrame[Any]:
    """Read the distinct codes, then join what is true of them to every column of codes."""
    ship = backends.make_converter(data)
    texts = {column: nw.col(column).cast(nw.String) for column in job.columns}
    distinct = [backends.distinct(data.select(text.alias(_TEXT)), _TEXT) for text in texts.values()]
    every: Any = backends.distinct(nw.concat(distinct), _TEXT) if len(distinct) > 1 else distinct[0]
    codes = [code for code in backends.collect(every)[_TEXT].tolist() if not _is_missing(code)]
    told = job.judge(codes)[:-1]
    kept: Mask = np.asarray(told.any(axis=1))
    small = pd.DataFrame(told[kept], columns=[f"{_TEXT}_{number}" for number in range(len(job.names))])
    small.insert(0, _TEXT, text_array(code for code, is_kept in zip(codes, kept.tolist(), strict=True) if is_kept))
    joined: Any = backends.numbered(data)
    for number, text in enumerate(texts.values()):
        names = {name: f"{name}_{number}" for name in small.columns[1:]}
        right = ship(small.rename(columns=names))
        joined = backends.left_join(joined.with_columns(text.alias(_TEXT)), right, _TEXT)
    result = joined.with_columns(
        nw.any_horizontal(
            *(nw.col(f"{_TEXT}_{flagged}_{number}").fill_null(value=False) for number in range(len(texts))),
            ignore_nulls=False,
        ).alias(name)
        for flagged, name in enumerate(job.names)
    )
    lazy: nw.LazyFrame[Any] = backends.in_order(result).select([*data.collect_schema().names(), *job.names])
    return lazy


def _per_person(flagged: pd.DataFrame, job: Job) -> pd.DataFrame:
    if not job.keys:
        return flagged
    grouped = flagged.groupby(list(job.keys), sort=False, dropna=False, observed=True)
    return grouped[list(job.names)].any().reset_index()


def _per_person_narwhals(flagged: Any, job: Job) -> Any:
    return flagged.group_by(*job.keys).agg(nw.col(name).any() for name in job.names) if job.keys else flagged
