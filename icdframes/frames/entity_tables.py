"""The five tables of a load as one value, and the folder that they are written to and read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from icdframes.errors import check_option
from icdframes.frames.folder import FileFormat, read_manifest, read_table, write_folder
from icdframes.frames.provenance import Provenance, rows_text
from icdframes.frames.schema import TABLES
from icdframes.model.html import html_rows

_FIRST_TITLES = 3


def check_tables(*given: object) -> None:
    """Raise `TypeError` where something else is given than the five tables of a load."""
    for tables in given:
        if not isinstance(tables, EntityTables):
            hint = ", not only its entities" if isinstance(tables, pd.DataFrame) else ""
            raise TypeError(
                f"EntityTables are wanted here, but this is a {type(tables).__name__}: give what load_tables(), "
                f"read_tables() or read_tabulation() return{hint}."
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EntityTables:
    """What was loaded: five DataFrames and where they come from.

    Attributes
    ----------
    entities : pandas.DataFrame
        One row per distinct entity, in tabular-list order.
    edges : pandas.DataFrame
        Every parent of every entity.
    terms : pandas.DataFrame
        Synonyms, narrower terms, inclusions, index terms.
    references : pandas.DataFrame
        Exclusions, children elsewhere, maternal and perinatal relations.
    axes : pandas.DataFrame
        Postcoordination axes and their scales.
    provenance : Provenance
        Server, release, language, licence and so on.
    failures : Mapping of str to str
        Entities that could not be loaded, and why.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> tables = client.load_tables("1A00", release="2024-01")
    >>> {name: len(frame) for name, frame in tables.frames.items()}
    {'entities': 1, 'edges': 1, 'terms': 13, 'references': 2, 'axes': 12}

    """

    entities: pd.DataFrame
    edges: pd.DataFrame
    terms: pd.DataFrame
    references: pd.DataFrame
    axes: pd.DataFrame
    provenance: Provenance
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    def to_parquet(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a folder of Parquet files; see `icdframes.write_tables`.

        Examples
        --------
        >>> import icdframes, tempfile
        >>> tables = icdframes.connect("sandbox").load_tables("1A00")
        >>> tables.to_parquet(f"{tempfile.mkdtemp()}/cholera").name
        'cholera'

        """
        return write_folder(
            Path(folder), self.frames, self.provenance, self.failures, overwrite=overwrite, file_format="parquet"
        )

    def to_csv(
        self, folder: str | os.PathLike[str], *, overwrite: bool = False, safe_for_spreadsheets: bool = False
    ) -> Path:
        """Write a folder of CSV files; see `icdframes.write_tables`.

        Examples
        --------
        >>> import icdframes, tempfile
        >>> tables = icdframes.connect("sandbox").load_tables("1A00")
        >>> tables.to_csv(f"{tempfile.mkdtemp()}/cholera").name
        'cholera'

        """
        return write_folder(
            Path(folder),
            self.frames,
            self.provenance,
            self.failures,
            overwrite=overwrite,
            file_format="csv",
            safe_for_spreadsheets=safe_for_spreadsheets,
        )

    def __len__(self) -> int:
        return len(self.entities)

    def __repr__(self) -> str:
        rows = [*self._count_rows(), *self._origin_rows()]
        return "EntityTables\n" + "\n".join(f"  {name:<15} {text}" for name, text in rows)

    def _repr_html_(self) -> str:
        return html_rows([*self._count_rows(), *self._origin_rows()])

    def _origin_rows(self) -> list[tuple[str, str]]:
        """Return the rows of the provenance, with code and title of the entity that was loaded."""
        top = self.entities.loc[self.entities["entity_id"] == self.provenance.root, ["code", "title"]]
        name = _named(top.head(1).to_numpy().ravel())
        return [(row, f"{name}, {text}" if row == "loaded" and name else text) for row, text in self.provenance.rows()]

    def _count_rows(self) -> list[tuple[str, str]]:
        counts = [(name, rows_text(len(frame))) for name, frame in self.frames.items()]
        first = self.entities.loc[self.entities["title"].notna(), ["code", "title"]].head(_FIRST_TITLES)
        titles = "; ".join(_named(row) for row in first.to_numpy())
        return [*counts, ("begins with", titles)] if titles else counts


def _named(row: Iterable[object]) -> str:
    """Return code and title of an entity, without what is missing."""
    return " ".join(text for text in row if isinstance(text, str))


def write_tables(
    tables: EntityTables,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    format: FileFormat = "parquet",  # noqa: A002  the word users look for
    safe_for_spreadsheets: bool = False,
) -> Path:
    """Write a folder with one file per table and ``provenance.json``.

    Parameters
    ----------
    tables : EntityTables
        What a load gave.
    path : path
        The folder to create; the one above it must exist.
    overwrite : bool
        Whether a folder that icdframes wrote may be replaced.
    format : {"parquet", "csv"}
        Kind of file.
    safe_for_spreadsheets : bool
        Of CSV files: see `to_csv`.

    Returns
    -------
    pathlib.Path
        The folder. No network.

    Raises
    ------
    ConfigurationError
        If the format is unknown.
    ExportError
        If the folder cannot be written. What was there before is unchanged.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("1A00")
    >>> folder = icdframes.write_tables(tables, Path(tempfile.mkdtemp()) / "cholera")
    >>> sorted(file.name for file in folder.glob("*.parquet"))
    ['axes.parquet', 'edges.parquet', 'entities.parquet', 'references.parquet', 'terms.parquet']

    """
    check_option("format", format, ("parquet", "csv"))
    if format == "parquet":
        return tables.to_parquet(path, overwrite=overwrite)
    return tables.to_csv(path, overwrite=overwrite, safe_for_spreadsheets=safe_for_spreadsheets)


def read_tables(path: str | os.PathLike[str]) -> EntityTables:
    """Read a folder that `write_tables` wrote.

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    EntityTables
        Equal to what was written. No network.

    Raises
    ------
    FileFormatError
        If the folder or one of its files is missing, damaged or of another kind.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("1A00")
    >>> folder = icdframes.write_tables(tables, Path(tempfile.mkdtemp()) / "cholera")
    >>> icdframes.read_tables(folder).entities.equals(tables.entities)
    True

    """
    folder = Path(path)
    manifest = read_manifest(folder)
    provenance = Provenance.from_dict(manifest["provenance"])
    frames = {name: read_table(folder, manifest, name) for name in TABLES}
    return EntityTables(**frames, provenance=provenance, failures=manifest["failures"])
