"""One table ↔ one Parquet or CSV file with its provenance; how a file is replaced it leaves to `atomic`."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pandas as pd

from icdframes.errors import FileFormatError, MissingExtraError
from icdframes.frames.atomic import check_target, no_file, written_beside
from icdframes.frames.csv_file import read_csv


def to_parquet(frame: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a table as Parquet, with ``frame.attrs`` in its metadata.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is not written.
    path : path
        Ends in ``.parquet``; the folder must exist.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    pathlib.Path
        The file. No network.

    Raises
    ------
    ExportError
        If the file cannot be written. What was there before is unchanged.
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> frame = icdframes.load_entity("1A00", client=icdframes.connect("sandbox"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> icdframes.to_parquet(frame, folder / "cholera.parquet").name
    'cholera.parquet'

    """
    need_pyarrow("Writing Parquet")
    target = check_target(path, overwrite=overwrite, suffixes=(".parquet",))

    def write_table(temporary: Path) -> None:
        json.dumps(frame.attrs)  # pandas would only warn, and leave them out
        with temporary.open("xb") as file:
            frame.to_parquet(file, engine="pyarrow", index=False, write_page_checksum=True)

    with written_beside(target, write_table) as temporary:
        temporary.replace(target)
    return target


def read_frame(path: str | os.PathLike[str], *, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table that was written by `to_csv` or `to_parquet`, equal to what was written.

    Parameters
    ----------
    path : path
        A ``.csv`` or ``.parquet`` file. A CSV without its provenance file is read as
        text throughout, so that codes such as ``1E10`` stay codes.
    columns : list of str, optional
        Read these only.

    Returns
    -------
    pandas.DataFrame
        With its dtypes and ``attrs``. No network.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, or of another kind.
    MissingExtraError
        If a Parquet file is given and pyarrow is not installed.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> frame = icdframes.load_entity("1A00", client=icdframes.connect("sandbox"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> icdframes.read_frame(icdframes.to_csv(frame, folder / "cholera.csv")).equals(frame)
    True

    """
    file = Path(path)
    if file.suffix not in {".csv", ".parquet"}:
        raise FileFormatError(f"{file} is no table of icdframes: its name must end in .csv or .parquet.")
    if file.suffix == ".parquet":
        need_pyarrow("Reading Parquet")
    if not file.is_file():
        raise no_file(file)
    try:
        if file.suffix == ".csv":
            return read_csv(file, columns)
        return pd.read_parquet(file, engine="pyarrow", columns=columns, page_checksum_verification=True)
    except FileFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{file} cannot be read as a table, it is damaged or of another kind ({error}): write it anew."
        ) from error


def need_pyarrow(feature: str) -> None:
    """Raise `MissingExtraError` where pyarrow is not installed."""
    if not has_pyarrow():
        raise MissingExtraError(feature, "parquet")


def has_pyarrow() -> bool:
    """Tell whether Parquet can be read and written."""
    return importlib.util.find_spec("pyarrow") is not None
