"""Write a file beside its place and move it there when it is whole."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from icdframes.errors import ExportError, FileFormatError, Remedy, did_you_mean

_ANEW = "write the table that it belongs to anew"


def check_target(path: str | os.PathLike[str], *, overwrite: bool, suffixes: tuple[str, ...]) -> Path:
    """Return the path if a file may be written there, else say why not."""
    target = Path(path)
    if target.suffix not in suffixes:
        raise ExportError(f"Cannot write {target}: the name must end in {' or '.join(suffixes)}.")
    if not target.parent.is_dir():
        raise ExportError(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    if target.is_dir():
        raise ExportError(f"Cannot write {target}: it is a folder: give the name of a file in it.")
    if target.exists() and not overwrite:
        raise ExportError(
            f"{target} exists already",
            remedy=Remedy(
                "give overwrite=True to replace it, or another name", "give --overwrite to replace it, or another name"
            ),
        )
    return target


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, for people to read."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)


def read_json(path: Path, *, advice: str = _ANEW) -> dict[str, Any]:
    """Read a JSON object, or say that the file is none, and what to do."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} cannot be read ({error}): {advice}.") from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{path} was not written by icdframes, it holds no JSON object: {advice}.")
    return value


def no_file(path: Path) -> FileFormatError:
    """Make the error for a file that is not there; it names the one that is perhaps meant."""
    there: list[str] = []
    with suppress(OSError):
        there = [item.name for item in path.parent.iterdir()]
    return FileFormatError(f"There is no file {path}: check its name and folder.{did_you_mean(path.name, there)}")


def sync(path: Path) -> None:
    """Have the operating system put a file on the disk now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hidden_sibling(path: Path) -> Path:
    """Return an unused name beside a path, for what is not finished."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


@contextmanager
def export_errors(target: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing into one `ExportError`."""
    try:
        yield
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        if isinstance(error, ExportError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"Could not write {target}: {reason}. What was there before is unchanged.") from error


@contextmanager
def written_beside(target: Path, write: Callable[[Path], None]) -> Iterator[Path]:
    """Write a file under another name and give that, to be moved to the target; what is left of it is removed."""
    temporary = hidden_sibling(target)
    try:
        with export_errors(target):
            write(temporary)
            sync(temporary)
            yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()
