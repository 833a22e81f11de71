"""Unpack a file that WHO offers for download, within a limit, so that no archive can fill memory or disk."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from icdframes.errors import FileFormatError
from icdframes.frames.atomic import no_file

LARGEST_UNPACKED = 500_000_000
Choose: TypeAlias = Callable[[Path, Sequence[zipfile.ZipInfo]], str]
"""Picks one of the members of an archive that have one of the wanted endings; raises where it cannot."""

_MILLION = 1_000_000
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)


def unpack(path: Path, choose: Choose, suffixes: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the name and the bytes of a file, unpacked where it is a .gz or a .zip.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    choose : callable
        Picks the member of a .zip.
    suffixes : tuple of str
        Endings of the members to choose from.

    Returns
    -------
    tuple of (str, bytes)
        The name as ``mapping.zip:x.txt`` for a member of an archive.

    Raises
    ------
    FileFormatError
        If the file is not there, damaged, or would unpack to more than 500 MB.

    """
    try:
        kind = path.suffix.lower()
        if kind == ".gz":
            return path.stem, _gunzipped(path)
        if kind != ".zip":
            _check_size(path, path.stat().st_size)
            return path.name, path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            check_archive(path, archive)
            member = choose(path, [item for item in archive.infolist() if item.filename.lower().endswith(suffixes)])
            return f"{path.name}:{member}", archive.read(member)
    except FileNotFoundError as error:
        raise no_file(path) from error
    except _DAMAGED as error:
        raise damaged(path, error) from error


def open_workbook_bytes(path: Path, data: bytes) -> io.BytesIO:
    """Return a spreadsheet as a file, after its size when unpacked was checked: an .xlsx is a .zip too."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_archive(path, archive)
    return io.BytesIO(data)


def check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `FileFormatError` where the members of an archive are larger than any file of WHO's; none is read."""
    _check_size(path, sum(item.file_size for item in archive.infolist()))


def damaged(path: Path, error: Exception) -> FileFormatError:
    """Return the error for a file that cannot be unpacked."""
    return FileFormatError(f"{path} cannot be opened, it is damaged or of another kind ({error}): download it again.")


def _gunzipped(path: Path) -> bytes:
    with gzip.open(path) as file:
        data = file.read(LARGEST_UNPACKED + 1)
    _check_size(path, len(data))
    return data


def _check_size(path: Path, n_bytes: int) -> None:
    if n_bytes > LARGEST_UNPACKED:
        raise FileFormatError(
            f"{path} would unpack to {n_bytes // _MILLION:,} MB or more and is refused unread: WHO's files have less "
            f"than 50 MB. Download it again from https://icd.who.int/browse, Info."
        )
