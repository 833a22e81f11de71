"""Name WHO's published files and keep them in the cache folder: downloaded once, checked, shared by processes."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from icdframes.errors import ComparabilityWarning, ConfigurationError, FileFormatError, OfflineMissError, warn
from icdframes.files.delimited import check_archive
from icdframes.frames.atomic import hidden_sibling
from icdframes.frames.provenance import utc_text
from icdframes.progress import byte_bar
from icdframes.transport.file_download import FileDownloader, Received

LANGUAGES = (
    "en", "es", "fr", "zh", "ar", "ru", "pt", "de", "tr", "uz", "cs", "kk", "sv", "sk", "la", "it", "ja", "ko", "hi",
    "nl",
)  # fmt: skip
ICD10_RELEASES = ("2019",)
FILES_OF = {"mms": "SimpleTabulation-ICD-11-MMS", "icf": "SimpleTabulation-ICF"}

_FIRST_YEAR = 2024
_OLD_RELEASES = ("2023-01", "2022-02")
_NEW_MONTHS = ("02", "01")

# Second-hand facts: published by people who download these files. Where one differs, the user is told.
KNOWN_SHA256 = {
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-en.zip": (
        "f1356588f40953a83e3af2b662deab47c5e269f944d1ea4ed0cfeb2007c7cd39"
    ),
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-fr.zip": (
        "c5c7c4a07ad007892a642afd1599314f303eac5dcee89c1d1e315fcf64fa2f0f"
    ),
    "/static/releasefiles/2026-01/SimpleTabulation-ICD-11-MMS-zh.zip": (
        "8cb750a5c6feaabe9f1d6cf705aa5727b5867990ca48c1c85b20444ff0e370da"
    ),
    "/static/releasefiles/2026-01/mapping.zip": "2eb158cf2a0d53690d6e9baf0956f7617e1315e4f2a44dfc3db3be8f49193a1d",
    "/icd10/claml/icd102019en.xml.zip": "344c571aa9aed3b9ad1c80261b7828c45cfb5fc0b1a5da64aecef354dff5b3d9",
}


_RECORD = ".json"
_DAY = 24 * 3600
_LOCKS: dict[Path, threading.Lock] = {}
_LOCKS_LOCK = threading.Lock()


def tabulation_path(classification: str, release: str, language: str) -> str:
    """Return the path of a Simple Tabulation; for ICD-10 of the text files ("Meta") of an edition.

    Raises
    ------
    ConfigurationError
        If WHO publishes no file of that classification.

    """
    if classification == "icd10":
        return f"/icd10/meta/icd10{release}{language}Meta.zip"
    if classification not in FILES_OF:
        raise ConfigurationError(
            f"WHO publishes no file of classification={classification!r}, only of mms, icf and icd10: connect() to the "
            "ICD API with a free key from https://icd.who.int/icdapi."
        )
    return f"/static/releasefiles/{release}/{FILES_OF[classification]}-{language}.zip"


def release_path(release: str, name: str) -> str:
    """Return the path of another file of a release, such as ``mapping.zip``."""
    return f"/static/releasefiles/{release}/{name}"


def claml_path(release: str) -> str:
    """Return the path of ICD-10 in ClaML."""
    return f"/icd10/claml/icd10{release}en.xml.zip"


def candidate_releases(classification: str, today: datetime | None = None) -> tuple[str, ...]:
    """Return the ids of the releases to look for, newest first: WHO publishes no list of its files."""
    if classification == "icd10":
        return ICD10_RELEASES
    this_year = (today or datetime.now(UTC)).year
    years = range(this_year, _FIRST_YEAR - 1, -1)
    return (*(f"{year}-{month}" for year in years for month in _NEW_MONTHS), *_OLD_RELEASES)


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """What is known of a file that was downloaded.

    Attributes
    ----------
    url : str
        Where it came from.
    sha256 : str
        Checksum.
    n_bytes : int
        Size.
    retrieved_at : str
        ISO 8601, UTC.
    etag, last_modified : str or None
        What the server said, for the question whether it has changed.

    """

    url: str
    sha256: str
    n_bytes: int
    retrieved_at: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A file in the cache folder."""

    path: Path
    record: DownloadRecord


class ReleaseFiles:
    """WHO's published files, of one server.

    Parameters
    ----------
    folder : pathlib.Path
        Where files are kept; created, for this user alone, when the first one is.
    base_url : str
        WHO's, or that of a mirror with the same paths.
    timeout, retries, verify
        As for `icdframes.connect`.
    offline : bool
        Use what is in the folder only.

    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 5,
        verify: str | None = None,
        offline: bool = False,
    ) -> None:
        self.root = folder
        self.base_url = base_url
        self.offline = offline
        parts = urlsplit(base_url)
        self.folder = folder / (parts.netloc + parts.path).replace(":", "_").replace("/", "_")
        self._downloader = FileDownloader(base_url, timeout=timeout, retries=retries, verify=verify)

    def get(self, path: str, *, refresh: bool = False, progress: bool | None = None) -> DownloadedFile:
        """Return a file, downloaded unless it is in the folder.

        Parameters
        ----------
        path : str
            On the server, such as ``"/static/releasefiles/2026-01/mapping.zip"``.
        refresh : bool
            Ask the server whether it has changed.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.

        Raises
        ------
        EntityNotFoundError
            If the server does not have it.
        OfflineMissError
            If it is not in the folder, and nothing may be downloaded.
        ConnectionFailedError, RateLimitedError, ServerError, FileFormatError, ExportError
            If it did not come whole; what was there before is unchanged.

        Warns
        -----
        ComparabilityWarning
            If the file is another than the one that is known under this name.

        """
        target = self.folder / path.lstrip("/")
        with _lock_of(target):
            kept = self._kept(target)
            if kept is not None and (not refresh or self.offline):
                with suppress(OSError):
                    _record_of(target).touch()
                return DownloadedFile(target, kept)
            if self.offline:
                raise OfflineMissError(
                    f"Offline, and {self.base_url}{path} was not downloaded before: ask for it once without "
                    "offline=True, then it is there."
                )
            return self._download(path, target, kept, progress=progress)

    def exists(self, path: str, *, refresh: bool = False) -> bool:
        """Return whether the server has a file; asked once a day."""
        remembered = self._remembered()
        if self.offline or (not refresh and path in remembered):
            return remembered.get(path, False) or (self.folder / path.lstrip("/")).is_file()
        found = self._downloader.exists(path)
        self._remember(path, found=found)
        return found

    def downloads(self) -> tuple[DownloadedFile, ...]:
        """Return every file in the folder, of all servers, by path."""
        return tuple(_downloads(self.root))

    def prune(self, before: datetime, keep: int | None = None) -> None:
        """Remove what was not used since a moment, then what is unused longest until the rest has so many bytes."""
        total = 0
        for file in sorted(self.downloads(), key=_used_at, reverse=True):
            total += file.record.n_bytes
            if _used_at(file) < before.timestamp() or (keep is not None and total > keep):
                file.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every file."""
        shutil.rmtree(self.root, ignore_errors=True)

    def close(self) -> None:
        """Close the connections."""
        self._downloader.close()

    def _download(
        self, path: str, target: Path, kept: DownloadRecord | None, *, progress: bool | None
    ) -> DownloadedFile:
        for folder in (self.root, target.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = kept or _read_record(target)
        known = Received(before.url, before.n_bytes, before.etag, before.last_modified) if before else None
        with byte_bar(target.name, show=progress) as report:
            received = self._downloader.fetch(path, target, check_zip, known=known if kept else None, report=report)
        if received is None and kept is not None:
            return DownloadedFile(target, kept)
        if received is None:
            raise FileFormatError(f"{self.base_url}{path} says that it has not changed, but it is not here: try again.")
        record = DownloadRecord(
            url=received.url,
            sha256=_sha256(target),
            n_bytes=received.n_bytes,
            retrieved_at=utc_text(datetime.now(UTC)),
            etag=received.etag,
            last_modified=received.last_modified,
        )
        _write_json(_record_of(target), asdict(record))
        self._remember(path, found=True)
        _tell_changed(path, record, before)
        return DownloadedFile(target, record)

    def _kept(self, target: Path) -> DownloadRecord | None:
        """Return the record of a file that is there as it was recorded."""
        record = _read_record(target)
        try:
            whole = record is not None and target.stat().st_size == record.n_bytes
        except FileNotFoundError:
            return None
        return record if whole else None

    def _remembered(self) -> dict[str, bool]:
        """Return which files exist, as far as it was asked within a day."""
        try:
            found = json.loads((self.folder / "exists.json").read_text(encoding="utf-8"))
            fresh = time.time() - _DAY
            return {path: bool(yes) for path, (when, yes) in found.items() if when > fresh or self.offline}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _remember(self, path: str, *, found: bool) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self.folder / "exists.json"
        known: dict[str, object] = {}
        with suppress(OSError, ValueError):
            read = json.loads(place.read_text(encoding="utf-8"))
            known = read if isinstance(read, dict) else {}
        _write_json(place, known | {path: [time.time(), found]})


def check_zip(path: Path) -> None:
    """Raise `FileFormatError` where a download is no whole .zip archive, or would unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(path, archive)
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileFormatError(
            f"What arrived is no whole .zip archive ({error}); nothing was kept. Try again; if it stays so, open the "
            "address in a browser to see what the server sends."
        ) from error
    if broken:
        raise FileFormatError(f"What arrived is damaged ({broken} in it); nothing was kept. Try again.")


def _tell_changed(path: str, record: DownloadRecord, before: DownloadRecord | None) -> None:
    """Warn where a file is another one than before, or than the one that is known under its name."""
    expected = KNOWN_SHA256.get(path)
    if expected and record.sha256 != expected:
        warn(
            f"{record.url} is not the file that is known under this name (sha256 {record.sha256}, known is "
            f"{expected}): it was replaced, or the mirror has another. Compare what you load with an earlier result.",
            ComparabilityWarning,
        )
    elif before and record.sha256 != before.sha256:
        warn(
            f"{record.url} has changed since {before.retrieved_at} (sha256 {record.sha256}, before {before.sha256}): "
            "compare what you load with an earlier result.",
            ComparabilityWarning,
        )


def _lock_of(target: Path) -> threading.Lock:
    with _LOCKS_LOCK:
        return _LOCKS.setdefault(target, threading.Lock())


def _record_of(target: Path) -> Path:
    return target.with_name(target.name + _RECORD)


def _used_at(file: DownloadedFile) -> float:
    return _record_of(file.path).stat().st_mtime


def _read_record(target: Path) -> DownloadRecord | None:
    try:
        values = json.loads(_record_of(target).read_text(encoding="utf-8"))
        known = isinstance(values.get("sha256"), str) and isinstance(values.get("n_bytes"), int)
        return (
            DownloadRecord(**{field.name: values.get(field.name) for field in fields(DownloadRecord)})
            if known
            else None
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _downloads(folder: Path) -> Iterator[DownloadedFile]:
    for path in sorted(folder.rglob("*.zip")):
        if record := _read_record(path):
            yield DownloadedFile(path, record)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, values: object) -> None:
    """Write a small file so that readers see the old one or the new one."""
    partial = hidden_sibling(path)
    try:
        partial.write_text(json.dumps(values, indent=1), encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
