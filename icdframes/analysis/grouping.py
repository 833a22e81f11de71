"""A user's own grouping, such as a mortality list, as a value; which entities it reaches is not known here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from icdframes.errors import FileFormatError, did_you_mean
from icdframes.frames.atomic import no_file

_LISTED = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Grouping:
    """A user's own grouping, such as a mortality list; groups are inherited downwards, the nearest wins.

    Attributes
    ----------
    groups : Mapping of str to str
        Codes, ids or URIs of entities, or ranges of codes (``"A00-B99"``), and the
        group of each. A code goes before a range, a narrow range before a wide one.
    name : str
        Name of the column that `annotate` adds.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.Grouping({"A00-B99": "infectious", "B20-B24": "HIV"}, name="cause").name
    'cause'

    """

    groups: Mapping[str, str]
    name: str = "group"


Group: TypeAlias = str | Grouping | Mapping[str, str]


def read_grouping(
    path: str | os.PathLike[str], *, name: str | None = None, entity: str = "code", group: str = "group"
) -> Grouping:
    r"""Read a grouping from a CSV file.

    Parameters
    ----------
    path : path
        A file with a heading. A cell of the entity column holds one code (id, URI),
        a range such as ``A00-B99``, or several of these with commas or semicolons between.
    name : str, optional
        Name of the grouping; by default that of the file, without its ending.
    entity, group : str
        The columns that are read; others are ignored.

    Returns
    -------
    Grouping
        Named by `name`, or as the file is. No network.

    Raises
    ------
    FileFormatError
        If the file cannot be read, has not these columns, or gives an entity two groups.

    Examples
    --------
    >>> import icdframes
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "causes.csv"
    ...     _ = file.write_text("code,group\nA00-B99,infectious\nB20;B24,HIV\n")
    ...     icdframes.read_grouping(file)
    Grouping(groups={'A00-B99': 'infectious', 'B20': 'HIV', 'B24': 'HIV'}, name='causes')

    """
    file = Path(path)
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise no_file(file) from error
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{file} cannot be read as CSV ({error}): give a file with a heading, in UTF-8."
        ) from error
    for column in (entity, group):
        if column not in table.columns:
            hint = did_you_mean(column, map(str, table.columns))
            raise FileFormatError(f"{file} has no column {column!r}: name the columns with entity= and group=.{hint}")
    groups: dict[str, str] = {}
    for cell, label in zip(table[entity], table[group], strict=True):
        for text in filter(None, map(str.strip, _LISTED.split(cell))):
            if groups.setdefault(text, label.strip()) != label.strip():
                raise FileFormatError(
                    f"{file} puts {text!r} in two groups, {groups[text]!r} and {label.strip()!r}: leave one out."
                )
    return Grouping(groups, name or file.stem)


def as_grouping(term: Grouping | Mapping[str, str]) -> Grouping:
    """Give a plain mapping the name ``group``."""
    return term if isinstance(term, Grouping) else Grouping(term)
