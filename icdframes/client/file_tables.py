"""Serve a client from WHO's published files: whole tables, kept as snapshots, and single entities out of them."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote

from icdframes.client.endpoints import Classification, Foundation, Icd10, Linearization
from icdframes.client.file_search import autocode_files, search_files
from icdframes.coding.text_index import TextIndex
from icdframes.errors import ConfigurationError, EntityNotFoundError, PartialResultWarning, Remedy, warn
from icdframes.files.source import FilesSource
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.schema import as_lists
from icdframes.frames.snapshots import SnapshotKey, SnapshotStore
from icdframes.model.encode import entity_to_json, release_list_to_json, top_level_to_json
from icdframes.model.entity import Entity, ReleaseList, TopLevel
from icdframes.model.uris import PREFIX, EntityUri, parse_uri
from icdframes.transport.cache import CacheInfo

Kept = TypeVar("Kept")

_CODEINFO = re.compile(r"/icd/release/11/(?P<release>[\d-]+)/(?P<name>[a-z]+)/codeinfo/(?P<code>.+)")
_LOOKUP = re.compile(r"/icd/release/11/(?P<release>[\d-]+)/(?P<name>[a-z]+)/lookup")
_SEARCH = re.compile(r"/icd/release/11/(?P<release>[\d-]+)/(?P<name>[a-z]+)/(?P<verb>search|autocode)")
_TITLES = {
    "mms": "ICD-11 for Mortality and Morbidity Statistics",
    "icf": "International Classification of Functioning, Disability and Health (ICF)",
    "icd10": "International Statistical Classification of Diseases and Related Health Problems 10th Revision (ICD-10)",
}
_FIELDS = (
    "uri", "title", "translated", "code", "class_kind", "block_id", "code_range", "fully_specified_name", "definition",
    "long_definition", "coding_note", "foundation_id", "browser_url",
)  # fmt: skip
_MOST_KEPT = 4
_LACKS = (
    "WHO's files hold codes, titles, coding notes and hierarchy; they have no definitions, terms, references or "
    "axes, and a search finds titles only. connect() with a free key from https://icd.who.int/icdapi, or "
    "connect('local'), has them."
)


class FileTables:
    """Tables of whole classifications from files.

    Parameters
    ----------
    source : FilesSource
        Where the files are.
    snapshots : SnapshotStore
        Where finished tables are kept.

    """

    def __init__(self, source: FilesSource, snapshots: SnapshotStore) -> None:
        self.source = source
        self.base_url = source.files.base_url
        self._snapshots = snapshots
        self._kept: dict[SnapshotKey, EntityTables] = {}
        self._indexes: dict[SnapshotKey, _Index] = {}
        self._texts: dict[SnapshotKey, TextIndex] = {}
        self._told = False

    def key(
        self, classification: str, release: str, languages: tuple[str, ...], include: tuple[str, ...] = ()
    ) -> SnapshotKey:
        """Return the key under which the whole of a classification is kept."""
        return SnapshotKey(self.base_url, classification, release, languages, include=include)

    def whole(self, key: SnapshotKey, *, refresh: bool = False, progress: bool | None = None) -> EntityTables:
        """Return the tables of a whole classification: from memory, a snapshot, or the file."""
        if refresh:
            for kept in (self._kept, self._indexes, self._texts):
                kept.pop(key, None)
        tables = self._kept.get(key) or (None if refresh else self._snapshots.load(key))
        if tables is None:
            tables = self.source.tables(
                key.classification, key.release or "", key.languages, include=key.include, refresh=refresh,
                progress=progress,
            )  # fmt: skip
            self._snapshots.save(key, tables)
            if self._snapshots.load_frame(key, columns=["code"]) is None:  # no folder, or no pyarrow
                _keep(self._kept, key, tables)
        return tables

    def index(self, key: SnapshotKey) -> _Index:
        """Return what finds single entities of a classification."""
        index = self._indexes.get(key)
        if index is None:
            index = _Index(self.whole(key))
            _keep(self._indexes, key, index)
        return index

    def texts(self, key: SnapshotKey) -> TextIndex:
        """Return what finds entities of a classification by their texts."""
        texts = self._texts.get(key)
        if texts is None:
            texts = TextIndex(self.whole(key))
            _keep(self._texts, key, texts)
        return texts

    def tell_what_is_missing(self) -> None:
        """Warn once that the files have less than the API."""
        if not self._told:
            self._told = True
            warn(_LACKS, PartialResultWarning)


def _keep(kept: dict[SnapshotKey, Kept], key: SnapshotKey, value: Kept) -> None:
    """Keep a value in memory, and drop the oldest where there are too many."""
    while len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


class FilesSession:
    """Answer the API's questions about releases, entities and codes from files; refuse the others in one sentence."""

    clock_lead: float | None = None
    out_for: float | None = None
    answered_from_cache = 0
    max_workers = 1

    def __init__(self, tables: FileTables) -> None:
        self.tables = tables
        self.lookup_cached = self

    def get_json(
        self, path: str, params: Mapping[str, Any] | None = None, *, language: str = "en", refresh: bool = False
    ) -> Any:
        """Return what the API answers to a GET, as far as the files tell it.

        Raises
        ------
        ConfigurationError
            If they do not.
        EntityNotFoundError
            If the release has no such entity or code.

        """
        if named := _CODEINFO.fullmatch(path):
            return self._codeinfo(named["name"], named["release"], unquote(named["code"]))
        if named := _LOOKUP.fullmatch(path):
            foundation_id = parse_uri(str((params or {}).get("foundationUri"))).entity_id
            index = self.tables.index(self.tables.key(named["name"], named["release"], (language,)))
            return entity_to_json(index.entity(index.by_foundation.get(foundation_id or "", "")))
        if named := _SEARCH.fullmatch(path):
            key = self.tables.key(named["name"], named["release"], (language,))
            return (search_files if named["verb"] == "search" else autocode_files)(self.tables, key, params or {})
        if path.endswith(("/doris", "/codedit", "/describe")):
            _refuse(f"{path.rpartition('/')[2]}()")
        uri = parse_uri(PREFIX + path)
        if uri.classification == "foundation":
            _refuse("the foundation")
        if uri.release is None:
            if uri.entity_id:
                _refuse("entity_releases()")
            return self._release_list(uri, language, refresh=refresh)
        index = self.tables.index(self.tables.key(uri.classification, uri.release, (language,)))
        if uri.entity_id is None:
            return self._top_level(uri, index, language)
        wanted = set(str((params or {}).get("include", "")).split(","))
        return entity_to_json(index.entity(uri.entity_id, wanted))

    def post_json(self, path: str, *_params: Any, **_options: Any) -> NoReturn:
        """Refuse: nothing is sent anywhere."""
        _refuse(f"{path.rpartition('/')[2]}()")

    @property
    def served_by(self) -> str:
        """What stands for the place of the files in the names of what is kept of it."""
        return self.tables.base_url

    def riding_out_outages(self) -> AbstractContextManager[None]:
        """Do nothing: no server is asked for entities."""
        return nullcontext()

    def forget(self, path: str, params: Mapping[str, Any] | None = None, *, language: str = "en") -> None:
        """Forget nothing, since no answers are kept."""

    def cache_info(self) -> CacheInfo:
        """Return what is kept; there is no cache of answers."""
        return CacheInfo(self.tables.source.files.root, 0, 0, 0, 0, 0)

    def clear_cache(self) -> int:
        """Forget nothing, since no answers are kept."""
        return 0

    def prune_cache(self, before: datetime, keep: int | None = None) -> None:
        """Forget nothing, since no answers are kept."""

    def close(self) -> None:
        """Close the connections."""
        self.tables.source.files.close()

    def _codeinfo(self, name: str, release: str, code: str) -> dict[str, Any]:
        if re.search(r"[&/]", code):
            _refuse("the axes of clusters")
        index = self.tables.index(self.tables.key(name, release, ("en",)))
        found = index.by_code.get(code)
        if found is None:
            raise EntityNotFoundError(f"No code {code!r} in {name} {release}.")
        uri = EntityUri(name, release, found)
        return {"@id": f"{PREFIX}/icd/release/11/{release}/{name}/codeinfo/{code}", "code": code, "stemId": str(uri)}

    def _release_list(self, uri: EntityUri, language: str, *, refresh: bool) -> Mapping[str, Any]:
        known = self.tables.source.releases(uri.classification, refresh=refresh)
        if not known:
            raise EntityNotFoundError(f"{self.tables.base_url} has no file of {uri.classification}.")
        listed = ReleaseList(str(uri), _TITLES.get(uri.classification), known[0], known)
        return release_list_to_json(listed, language)

    def _top_level(self, uri: EntityUri, index: _Index, language: str) -> Mapping[str, Any]:
        top = TopLevel(
            uri=str(uri),
            classification=uri.classification,
            release=uri.release,
            title=_TITLES.get(uri.classification),
            child_ids=tuple(index.roots),
        )
        return top_level_to_json(top, language)


def file_classifications(session: FilesSession) -> dict[str, Classification]:
    """Return the endpoints of every classification, answered from files."""
    return {
        "mms": _FileLinearization(session, "mms"),
        "icf": _FileLinearization(session, "icf"),
        "foundation": Foundation(session),
        "icd10": _FileIcd10(session),
    }


class _FileLinearization(Linearization):
    """A linearization whose release is known without a look into its file."""

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:  # noqa: ARG002  the protocol's
        """Return the root of a release; whether it has a file shows when that is read."""
        return _root(self.name, release)


class _FileIcd10(Icd10):
    """ICD-10 likewise."""

    def top_level(self, release: str | None, *, refresh: bool = False) -> TopLevel:  # noqa: ARG002  the protocol's
        """Return the root of an edition."""
        return _root(self.name, release)


def _root(name: str, release: str | None) -> TopLevel:
    return TopLevel(str(EntityUri(name, release, None)), name, release, _TITLES[name])


class _Index:
    """Finds entities of a whole classification one by one."""

    def __init__(self, tables: EntityTables) -> None:
        columns = as_lists(tables.entities)
        self._columns = {name: columns[name] for name in _FIELDS}
        self._language = tables.provenance.language
        ids = columns["entity_id"]
        self._rows = {key: row for row, key in enumerate(ids)}
        self.roots = [key for key, depth in zip(ids, columns["depth"], strict=True) if depth == 0]
        self.by_code = {code: key for key, code in zip(ids, columns["code"], strict=True) if code}
        self.by_foundation = {
            foundation: key for key, foundation in zip(ids, columns["foundation_id"], strict=True) if foundation
        }
        self._parents: defaultdict[str, list[str]] = defaultdict(list)
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        edges = as_lists(tables.edges[["parent_id", "child_id"]])
        for parent, child in zip(edges["parent_id"], edges["child_id"], strict=True):
            self._parents[child].append(parent)
            self._children[parent].append(child)

    def entity(self, entity_id: str, include: set[str] | frozenset[str] = frozenset()) -> Entity:
        """Return an entity; with ``ancestor`` and ``descendant`` those too."""
        row = self._rows.get(entity_id)
        if row is None:
            raise EntityNotFoundError(f"There is no entity {entity_id!r} in this release.")
        return Entity(
            entity_id=entity_id,
            language=self._language,
            parent_ids=tuple(self._parents.get(entity_id, ())),
            child_ids=tuple(self._children.get(entity_id, ())),
            ancestor_ids=self._reached(entity_id, self._parents) if "ancestor" in include else None,
            descendant_ids=self._reached(entity_id, self._children) if "descendant" in include else None,
            **{name: values[row] for name, values in self._columns.items()},
        )

    @staticmethod
    def _reached(entity_id: str, links: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
        found: dict[str, None] = {}
        queue = deque(links.get(entity_id, ()))
        while queue:
            key = queue.popleft()
            if key not in found:
                found[key] = None
                queue.extend(links.get(key, ()))
        return tuple(found) or None


def _refuse(what: str, instead: str = "") -> NoReturn:
    raise ConfigurationError(
        f"WHO's files do not have {what}",
        remedy=Remedy(
            f"{instead}connect() with a free key from https://icd.who.int/icdapi, or connect('local')",
            "use --server who after `icdframes login`, or --server local",
        ),
    )
