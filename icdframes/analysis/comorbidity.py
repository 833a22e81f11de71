"""Published sets of code lists with weights, such as the Charlson index, and the score that they make."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import narwhals as nw

from icdframes.analysis import backends
from icdframes.analysis.codelist import CodeList
from icdframes.errors import ConfigurationError, check_option

_FOLDER = "codelists"
Native = TypeVar("Native")


@dataclass(frozen=True, slots=True, repr=False)
class CodeListSet:
    """Code lists that belong together, with the weights of a score.

    Attributes
    ----------
    name, title, source : str
        What it is and where it was published.
    lists : tuple of CodeList
        In the order of the publication; the set can be looped over and asked by name.
    weights : Mapping of str to Mapping of str to int
        Of each scheme, the weight of each list.
    supersedes : tuple of (str, str)
        Pairs of lists of which the first, more severe one alone counts where both are true.

    """

    name: str
    title: str
    source: str
    lists: tuple[CodeList, ...]
    weights: Mapping[str, Mapping[str, int]]
    supersedes: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[CodeList]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)

    def __getitem__(self, name: str) -> CodeList:
        check_option("name", name, self.names)
        return next(one for one in self.lists if one.name == name)

    def __repr__(self) -> str:
        return f"<CodeListSet {self.name!r}: {len(self)} lists, weights {', '.join(self.weights)}>"

    @property
    def names(self) -> list[str]:
        """The names of the lists, which are those of the columns that `flag` adds."""
        return [one.name for one in self.lists]

    def score(self, flagged: Native, *, weights: str | None = None, suffix: str = "", column: str = "score") -> Native:
        """Add the weighted score to a frame that `flag` has worked on.

        Parameters
        ----------
        flagged : data frame
            Of any library, with the columns of all lists; one row for each person (``flag(…, id=…)``), where the
            score shall be that of persons.
        weights : str, optional
            The scheme; by default the first.
        suffix : str
            As it was given to `flag`.
        column : str
            Name of the new column, of whole numbers.

        Returns
        -------
        data frame
            Of the input's type, with one column more. A milder condition does not count beside the severe form that
            supersedes it. Age is not part of it. No network.

        Raises
        ------
        ConfigurationError
            If a column is missing, the new one is there already, or the scheme is unknown.

        Examples
        --------
        >>> import icdframes
        >>> import pandas as pd
        >>> charlson = icdframes.load_codelists("charlson-quan-2005")
        >>> stays = pd.DataFrame({"code": ["E11.9", "C78.0", "I10"]})
        >>> charlson.score(icdframes.flag(stays, charlson))["score"].tolist()
        [1, 6, 0]

        """
        scheme = next(iter(self.weights)) if weights is None else weights
        check_option("weights", scheme, tuple(self.weights))
        backends.check_columns(flagged, [f"{name}{suffix}" for name in self.names])
        if column in backends.names_of(flagged):
            raise ConfigurationError(f"The frame has a column {column!r} already: give another name with column=.")
        if backends.is_dask(flagged):
            return backends.by_partition(flagged, self.score, weights=weights, suffix=suffix, column=column)  # type: ignore[no-any-return]
        flags = {name: nw.col(f"{name}{suffix}") for name in self.names}
        for severe, mild in self.supersedes:
            flags[mild] &= ~flags[severe]
        total: Any = nw.lit(0)
        for name, weight in self.weights[scheme].items():
            total += nw.when(flags[name]).then(nw.lit(weight)).otherwise(nw.lit(0))
        scored: Native = backends.to_narwhals(flagged).with_columns(total.cast(nw.Int64).alias(column)).to_native()
        return scored


@cache
def load_codelists(name: str) -> CodeListSet:
    """Return a published set of code lists that ships with icdframes.

    Parameters
    ----------
    name : {"charlson-quan-2005"}
        The Charlson index in the ICD-10 codes of Quan and others (2005), 17 lists, with the weights of Charlson
        (1987), Quan (2011) and Schneeweiss (2003).

    Returns
    -------
    CodeListSet
        Its `source` says where codes and weights come from. No network.

    Raises
    ------
    ConfigurationError
        If there is no such set.

    Examples
    --------
    >>> import icdframes
    >>> charlson = icdframes.load_codelists("charlson-quan-2005")
    >>> charlson
    <CodeListSet 'charlson-quan-2005': 17 lists, weights charlson, quan-2011, schneeweiss-2003>
    >>> [rule.code for rule in charlson["dementia"].include]
    ['F00', 'F01', 'F02', 'F03', 'G30', 'F05.1', 'G31.1']

    """
    folder = resources.files("icdframes.analysis") / _FOLDER
    check_option("name", name, sorted(file.name.removesuffix(".json") for file in folder.iterdir()))
    told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    lists = (CodeList(**one, classification=told["classification"]) for one in told["lists"])
    pairs = tuple((severe, mild) for severe, mild in told["supersedes"])
    return CodeListSet(told["name"], told["title"], told["source"], tuple(lists), told["weights"], pairs)
