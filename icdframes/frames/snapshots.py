"""Keep finished tables on disk, so that the second load is a file read."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from icdframes.errors import CacheWarning, EntityNotFoundError, ExportError, FileFormatError, warn
from icdframes.frames.entity_tables import EntityTables, read_tables
from icdframes.frames.files import has_pyarrow
from icdframes.frames.folder import FORMAT_NUMBER, read_manifest, read_table, write_folder
from icdframes.frames.provenance import Provenance
from icdframes.frames.schema import TABLES, columns_of
from icdframes.frames.subset import cut_rows, is_tree, subset_tables

Kept = TypeVar("Kept")

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """What decides whether two loads give the same tables; ``server`` is a base URL."""

    server: str
    classification: str
    release: str | None
    languages: tuple[str, ...] = ("en",)
    root: str | None = None
    depth: int | None = None
    include: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with the format in which tables are kept."""
        values = asdict(self) | {"languages": list(self.languages), "include": sorted(set(self.include))}
        return values | {"format_number": FORMAT_NUMBER, "schema": {name: columns_of(name) for name in TABLES}}

    def digest(self) -> str:
        """Return a file name that shows nothing of the content."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """What a store holds."""

    folder: Path
    n_snapshots: int
    n_bytes: int


class SnapshotStore:
    """Snapshots of finished tables, one folder of Parquet files each.

    Parameters
    ----------
    folder : pathlib.Path
        Created, for this user alone, when something is first kept.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def load(self, key: SnapshotKey) -> EntityTables | None:
        """Return the tables that were kept under exactly this key, or None."""
        return self._read(key, lambda _manifest: read_tables(self._place(key)))

    def load_frame(
        self, key: SnapshotKey, name: str = "entities", *, columns: list[str] | None = None
    ) -> pd.DataFrame | None:
        """Return one table, or some of its columns, without reading the others."""
        return self._read(key, lambda manifest: read_table(self._place(key), manifest, name, columns=columns))

    def covering(self, key: SnapshotKey) -> EntityTables | None:
        """Return the tables of this key, or cut them from a snapshot of the whole classification."""
        exact = self.load(key)
        whole = replace(key, root=None, depth=None)
        if exact is not None or key == whole:
            return exact
        tables = self.load(whole)
        if tables is None:
            return None
        try:
            return subset_tables(tables, key.root, key.depth)
        except EntityNotFoundError:
            return None

    def covering_entities(self, key: SnapshotKey) -> pd.DataFrame | None:
        """Return the first table of `covering`; the others are read only where a branch cannot be cut without them."""
        exact = self.load_frame(key)
        whole = replace(key, root=None, depth=None)
        if exact is not None or key == whole:
            return exact
        found = self._read(
            whole, lambda kept: (read_table(self._place(whole), kept, "entities"), kept["rows"].get("edges"))
        )
        if found is None:
            return None
        entities, n_edges = found
        if not is_tree(entities, n_edges):
            tables = self.covering(key)
            return None if tables is None else tables.entities
        provenance = Provenance.from_dict(entities.attrs["provenance"])
        try:
            return cut_rows(entities, key.root, key.depth, replace(provenance, root=key.root, depth=key.depth))
        except EntityNotFoundError:
            return None

    def entity_of_code(self, key: SnapshotKey, code: str) -> str | None:
        """Return the id of the entity that has a code, if the whole classification is kept."""
        known = self.load_frame(replace(key, root=None, depth=None), columns=["entity_id", "code"])
        found = [] if known is None else known.loc[known["code"] == code, "entity_id"].tolist()
        return found[0] if found else None

    def save(self, key: SnapshotKey, tables: EntityTables) -> None:
        """Keep complete tables; a `CacheWarning` where the folder cannot be written."""
        if not has_pyarrow() or not tables.provenance.complete:
            return
        place = self._place(key)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            if place.is_dir() and self._manifest(key) is None:
                shutil.rmtree(place)
            write_folder(
                place,
                tables.frames,
                tables.provenance,
                {},
                overwrite=True,
                file_format="parquet",
                extra={"key": key.to_dict()},
            )
        except (ExportError, OSError) as error:
            warn(f"The loaded tables could not be kept for the next time: {error}", CacheWarning)

    def info(self) -> SnapshotInfo:
        """Count what is kept."""
        kept = self._kept()
        return SnapshotInfo(self.folder, len(kept), sum(map(_size, kept)))

    def clear(self) -> int:
        """Remove every snapshot, and nothing else; give how many there were."""
        kept = self._kept()
        for folder in kept:
            shutil.rmtree(folder, ignore_errors=True)
        return len(kept)

    def prune(self, before: datetime, keep: int | None = None) -> None:
        """Remove what was kept before a moment, then the oldest until the rest has so many bytes."""
        total = 0
        for folder in sorted(self._kept(), key=_kept_at, reverse=True):
            total += _size(folder)
            if _kept_at(folder) < before.timestamp() or (keep is not None and total > keep):
                shutil.rmtree(folder, ignore_errors=True)

    def _place(self, key: SnapshotKey) -> Path:
        return self.folder / key.digest()

    def _kept(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [item for item in self.folder.iterdir() if item.is_dir() and _NAME.fullmatch(item.name)]

    def _read(self, key: SnapshotKey, read: Callable[[dict[str, Any]], Kept]) -> Kept | None:
        """Read what is kept under a key; None where nothing is, or where it is torn."""
        manifest = self._manifest(key)
        if manifest is None:
            return None
        try:
            return read(manifest)
        except FileFormatError as error:
            _log.info("snapshot passed over: %s", error)
            return None

    def _manifest(self, key: SnapshotKey) -> dict[str, Any] | None:
        """Return what a usable snapshot says of itself; None for an absent, foreign or older one."""
        if not has_pyarrow():
            return None
        place = self._place(key)
        try:
            if not place.is_dir():
                return None
            manifest = read_manifest(place)
        except FileFormatError as error:
            _log.info("snapshot passed over: %s", error)
            return None
        except OSError as error:
            warn(f"The kept tables in {self.folder} cannot be read: {error}", CacheWarning)
            return None
        return manifest if manifest.get("key") == key.to_dict() else None


def _kept_at(folder: Path) -> float:
    """Return when a snapshot was written; long ago while another process replaces it."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(folder: Path) -> int:
    """Count the bytes of a snapshot; none while another process replaces it."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    except FileNotFoundError:
        return 0
