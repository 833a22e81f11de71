"""A folder with one file per table and ``provenance.json``, replaced as a whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from icdframes.errors import ExportError, FileFormatError, Remedy
from icdframes.frames.atomic import export_errors, hidden_sibling, read_json, sync, write_json
from icdframes.frames.files import need_pyarrow, read_frame, to_csv, to_parquet
from icdframes.frames.pandas_compat import schema_dtype
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import TABLES, columns_of

MANIFEST = "provenance.json"
FORMAT_NUMBER = 1
FileFormat = Literal["parquet", "csv"]

_FORMAT = "icdframes tables"
_TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def write_folder(
    target: Path,
    frames: Mapping[str, pd.DataFrame],
    provenance: Provenance,
    failures: Mapping[str, str],
    *,
    overwrite: bool,
    file_format: FileFormat,
    safe_for_spreadsheets: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write the tables beside the target and swap them in; ``extra`` goes into the manifest."""
    if file_format == "parquet":
        need_pyarrow("Writing Parquet")
    _check_folder(target, overwrite=overwrite)
    manifest = {
        "format": _FORMAT,
        "format_number": FORMAT_NUMBER,
        "files": file_format,
        "rows": {name: len(frame) for name, frame in frames.items()},
        "provenance": provenance.to_dict(),
        "failures": dict(failures),
        **(extra or {}),
    }
    fresh = hidden_sibling(target)
    try:
        with export_errors(target):
            fresh.mkdir()
            for name, frame in frames.items():
                file = fresh / f"{name}.{file_format}"
                if file_format == "parquet":
                    to_parquet(frame, file)
                else:
                    to_csv(frame, file, safe_for_spreadsheets=safe_for_spreadsheets)
            write_json(fresh / MANIFEST, manifest)
            sync(fresh / MANIFEST)
            _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what ``provenance.json`` says of a folder of tables."""
    if not (folder / MANIFEST).is_file():
        raise FileFormatError(f"{folder} is no folder of tables: it holds no {MANIFEST}. Give one from write_tables.")
    manifest = read_json(folder / MANIFEST)
    if manifest.get("format") != _FORMAT:
        raise FileFormatError(f"{folder / MANIFEST} was not written by icdframes. Give a folder from write_tables.")
    if manifest.get("format_number") != FORMAT_NUMBER:
        raise FileFormatError(
            f"{folder} has format {manifest.get('format_number')!r}, not {FORMAT_NUMBER}: load the tables anew."
        )
    shapes = {"files": str, "rows": dict, "provenance": dict, "failures": dict}
    for key, kind in shapes.items():
        if not isinstance(manifest.get(key), kind):
            raise FileFormatError(f"{folder / MANIFEST} is damaged: it has no {key!r}. Load the tables anew.")
    Provenance.from_dict(manifest["provenance"])  # says what is wrong with it
    return manifest


def read_table(
    folder: Path, manifest: Mapping[str, Any], name: str, *, columns: list[str] | None = None
) -> pd.DataFrame:
    """Read one table of a folder and check it against the schema."""
    provenance = manifest["provenance"]
    dtypes = columns_of(
        name,
        languages=(provenance.get("languages") or ())[1:] if name == "entities" else (),
        include=provenance.get("include") or (),
    )
    file = folder / f"{name}.{manifest['files']}"
    frame = read_frame(file, columns=columns)
    found = {str(key): schema_dtype(column) for key, column in frame.items()}
    expected = dtypes if columns is None else {key: dtypes[key] for key in columns}
    if found != expected or list(found) != list(expected) or len(frame) != manifest["rows"].get(name):
        raise FileFormatError(f"{file} does not hold the table that {MANIFEST} beside it tells of; load it anew.")
    return frame


def _check_folder(target: Path, *, overwrite: bool) -> None:
    if not target.parent.is_dir():
        raise ExportError(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    if not target.exists():
        return
    if not target.is_dir():
        raise ExportError(f"Cannot write {target}: a file of that name exists. Give the name of a folder.")
    there: set[str] = set()
    with suppress(FileNotFoundError):  # another process is replacing it
        there = {item.name for item in target.iterdir()}
    if not there:
        return
    if not overwrite:
        raise ExportError(
            f"{target} exists already",
            remedy=Remedy(
                "give overwrite=True to replace it, or another name", "give --overwrite to replace it, or another name"
            ),
        )
    ours = {MANIFEST} | {f"{name}{end}" for name in TABLES for end in (".parquet", ".csv", ".csv.provenance.json")}
    if MANIFEST not in there or there - ours:
        other = sorted(there - ours) or ["no provenance.json"]
        raise ExportError(
            f"Will not replace {target}: it holds other things than tables ({other[0]}). Give another name."
        )


def _swap(fresh: Path, target: Path) -> None:
    """Put a finished folder in place of an old one, which stays until then; the last of several processes wins."""
    aside = hidden_sibling(target)
    while True:
        with suppress(FileNotFoundError):
            target.replace(aside)
        try:
            fresh.replace(target)
        except OSError as error:
            if error.errno in _TAKEN:  # another process was quicker
                shutil.rmtree(aside, ignore_errors=True)
                continue
            with suppress(OSError):
                aside.replace(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
        return
