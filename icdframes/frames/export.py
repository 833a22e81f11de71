"""Tables ↔ files: one table as a file, all five as a folder; it never leaves half a file behind."""

from __future__ import annotations

import os
from pathlib import Path

from icdframes.errors import check_option
from icdframes.frames.csv_file import to_csv
from icdframes.frames.files import read_frame, to_parquet
from icdframes.frames.folder import FileFormat, read_manifest, read_table
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import TABLES
from icdframes.frames.tables import EntityTables

__all__ = ["read_frame", "read_tables", "to_csv", "to_parquet", "write_tables"]


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
    >>> tables = icdframes.load_tables("1A00", client=icdframes.connect("sandbox"))
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
    >>> tables = icdframes.load_tables("1A00", client=icdframes.connect("sandbox"))
    >>> folder = icdframes.write_tables(tables, Path(tempfile.mkdtemp()) / "cholera")
    >>> icdframes.read_tables(folder).entities.equals(tables.entities)
    True

    """
    folder = Path(path)
    manifest = read_manifest(folder)
    provenance = Provenance.from_dict(manifest["provenance"])
    frames = {name: read_table(folder, manifest, name) for name in TABLES}
    return EntityTables(**frames, provenance=provenance, failures=manifest["failures"])
