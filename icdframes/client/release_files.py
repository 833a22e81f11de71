"""Download what WHO publishes beside the classifications: the verbs `load_mapping` and `load_grouping`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from icdframes.analysis.grouping import Grouping
from icdframes.client.base import ClientBase
from icdframes.client.query_scope import read_release
from icdframes.errors import EntityNotFoundError, UnknownReleaseError, check_option, did_you_mean
from icdframes.files.download import ICD10_RELEASES, DownloadedFile, candidate_releases, release_path, tabulation_path
from icdframes.files.icd10_meta import LIST_FIELDS, read_icd10_meta
from icdframes.files.mapping import read_mapping
from icdframes.files.source import FilesSource
from icdframes.files.tabulation_lists import ICD11_LISTS, LIST_NAMES, icd10_list, read_icd11_list

if TYPE_CHECKING:
    from icdframes.frames.code_mapping import CodeMapping

_TABLES = {
    ("10to11", "one"): "10To11MapToOneCategory",
    ("10to11", "multiple"): "10To11MapToMultipleCategories",
    ("10to11", "foundation"): "foundation_10To11MapToOneCategory",
    ("11to10", "one"): "11To10MapToOneCategory",
    ("11to10", "foundation"): "foundation_11To10MapToOneCategory",
}


class ReleaseFileMethods(ClientBase):
    """The verbs that download WHO's files whatever server the client asks otherwise."""

    def load_mapping(
        self,
        direction: Literal["10to11", "11to10"] = "10to11",
        *,
        release: str | None = None,
        table: Literal["one", "multiple", "foundation"] = "one",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> CodeMapping:
        """Load one of WHO's mapping tables between ICD-10 and ICD-11.

        Parameters
        ----------
        direction : {"10to11", "11to10"}, default "10to11"
            From what to what.
        release : str, optional
            Release of ICD-11, such as ``"2024-01"``; None is the newest that has the tables.
        table : {"one", "multiple", "foundation"}, default "one"
            One target for each code; every candidate (from ICD-10 only); or foundation entities.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask whether the file has changed.

        Returns
        -------
        CodeMapping
            One row per candidate, in the file's order; for `map_codes`.

        Raises
        ------
        ConfigurationError
            If there is no such table.
        UnknownReleaseError
            If the release has no mapping tables.
        ConnectionFailedError, OfflineMissError
            If the file cannot be had.

        Notes
        -----
        Network: one file (``mapping.zip``, 7 MB) from https://icdcdn.who.int or ``ICD_FILES_URL``, from the sandbox
        itself where the client is connected to it; kept in the cache folder. No account.
        Source: WHO's ICD-10/ICD-11 mapping tables.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> mapping = icdframes.load_mapping("10to11", release="2024-01")
        >>> mapping.frame.loc[mapping.frame.source_code == "A00", "target_code"].item()
        '1A00'

        """
        check_option("direction", direction, tuple(dict.fromkeys(key for key, _ in _TABLES)))
        check_option("table", table, tuple(kind for way, kind in _TABLES if way == direction))
        file = self._file_of_release("mapping.zip", read_release(release), progress=progress, refresh=refresh)
        mapping = read_mapping(file.path, table=_TABLES[direction, table])
        provenance = {
            **mapping.provenance, "file": f"{file.record.url}:{_TABLES[direction, table]}.txt",
            "retrieved_at": file.record.retrieved_at,
        }  # fmt: skip
        mapping.frame.attrs["provenance"] = provenance
        return replace(mapping, provenance=provenance)

    def load_grouping(
        self, name: str, *, release: str | None = None, progress: bool | None = None, refresh: bool = False
    ) -> Grouping:
        """Load one of WHO's tabulation lists as a grouping.

        Parameters
        ----------
        name : str
            ``"icd10-mortality-1"`` to ``"icd10-mortality-4"``, ``"icd10-morbidity"``, ``"icd11-mortality"`` or
            ``"icd11-morbidity"``.
        release : str, optional
            Release of ICD-11, or edition of ICD-10; None is the newest that has the list.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask whether the file has changed.

        Returns
        -------
        Grouping
            For `annotate` and `rollup`. A group of ICD-10 is called by WHO's number, with its name in list 1
            (``"1-002 Cholera"``). Codes that WHO puts into no group, as COVID-19 in all lists of ICD-10, are in the
            group ``"UNDEF"``, so that no death is lost.

        Raises
        ------
        ConfigurationError
            If there is no such list.
        UnknownReleaseError
            If the release has no such file.
        MissingExtraError
            If a list of ICD-11 is asked for and python-calamine is not installed.

        Notes
        -----
        Network: one file from https://icdcdn.who.int or ``ICD_FILES_URL``; kept in the cache folder. No account.
        Source: WHO's ICD-10 text files ("Meta"), 2019, and WHO's tabulation lists of ICD-11.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> grouping = icdframes.load_grouping("icd10-mortality-1")
        >>> grouping.name, len(grouping.groups) > 50
        ('icd10-mortality-1', True)

        """
        check_option("name", name, LIST_NAMES)
        wanted = read_release(release)
        if name in LIST_FIELDS:
            edition = wanted or ICD10_RELEASES[0]
            path = tabulation_path("icd10", edition, "en")
            try:
                file = self._release_files.get(path, refresh=refresh, progress=progress)
            except EntityNotFoundError:
                raise UnknownReleaseError(
                    f"{self._release_files.base_url} has no text files of ICD-10 {edition!r}: give release='2019'."
                ) from None
            return Grouping({**icd10_list(read_icd10_meta(file.path), name)}, name)
        file = self._file_of_release(ICD11_LISTS[name], wanted, progress=progress, refresh=refresh)
        return Grouping(read_icd11_list(file.path), name)

    def download(
        self,
        classification: str = "mms",
        *,
        release: str | None = None,
        language: str = "en",
        progress: bool | None = None,
        refresh: bool = False,
    ) -> Path:
        """Download WHO's file of a classification into the cache folder.

        Parameters
        ----------
        classification : {"mms", "icf", "icd10"}, default "mms"
            Which classification.
        release : str, optional
            Such as ``"2024-01"``; None is the newest.
        language : str, default "en"
            One language.
        progress : bool, optional
            Show a bar; None shows it in terminals and notebooks.
        refresh : bool, default False
            Ask whether the file has changed.

        Returns
        -------
        pathlib.Path
            The .zip, for `read_tabulation` and other programs.

        Raises
        ------
        UnknownReleaseError, UnknownLanguageError
            If there is no such file; lists what there is.
        ConnectionFailedError, OfflineMissError
            If it cannot be had.

        Notes
        -----
        Network: one file from https://icdcdn.who.int or ``ICD_FILES_URL``; none where it is there already. No account.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> client.download(release="2024-01").name
        'SimpleTabulation-ICD-11-MMS-en.zip'

        """
        source = FilesSource(self._release_files)
        wanted = read_release(release) or next(iter(source.releases(classification)), "")
        return source.file(classification, wanted, language, refresh=refresh, progress=progress).path

    def _file_of_release(
        self, name: str, release: str | None, *, progress: bool | None, refresh: bool
    ) -> DownloadedFile:
        files = self._release_files
        known = (one for one in candidate_releases("mms") if files.exists(release_path(one, name)))
        wanted = release or next(known, None)
        if wanted is not None:
            try:
                return files.get(release_path(wanted, name), refresh=refresh, progress=progress)
            except EntityNotFoundError:
                pass
        there = tuple(known)
        raise UnknownReleaseError(
            f"{files.base_url} has no {name} of {release or 'any release'}: there are {', '.join(there) or 'none'}."
            f"{did_you_mean(release or '', there)}"
        )
