"""Snapshots answer only for what was asked, and damage is never fatal."""

import json
import os
import stat
from dataclasses import replace

import pandas as pd
import pytest

from icdframes.errors import CacheWarning
from icdframes.frames import snapshots as snapshot
from icdframes.frames.entity_tables import write_tables
from icdframes.frames.snapshots import SnapshotKey, SnapshotStore
from icdframes.frames.subset import subset_tables

KEY = SnapshotKey("https://id.who.int", "mms", "2024-01", ("en", "es"), include=("diagnosticCriteria",))


@pytest.fixture
def store(tmp_path):
    return SnapshotStore(tmp_path / "cache" / "snapshots")


def test_what_was_kept_comes_back_equal(store, tables, assert_same):
    assert store.load(KEY) is None
    store.save(KEY, tables)
    assert_same(store.load(KEY), tables)
    store.save(KEY, tables)
    assert store.info().n_snapshots == 1
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change",
    [
        {"server": "http://localhost"}, {"classification": "icf"}, {"release": "2025-01"}, {"languages": ("es", "en")},
        {"root": "../../etc"}, {"depth": 0}, {"include": ()},
    ],
)  # fmt: skip
def test_another_question_has_another_snapshot_inside_the_folder(change, store, tables):
    store.save(KEY, tables)
    other = replace(KEY, **change)
    assert store.load(other) is None
    assert store.load_frame(other) is None
    store.save(other, tables)
    assert {item.parent for item in store.folder.iterdir()} == {store.folder}
    assert store.info().n_snapshots == 2


def test_one_table_and_some_columns_can_be_read(store, tables):
    store.save(KEY, tables)
    pd.testing.assert_frame_equal(store.load_frame(KEY, "edges"), tables.edges)
    found = store.load_frame(KEY, columns=["entity_id", "title"])
    pd.testing.assert_frame_equal(found, tables.entities[["entity_id", "title"]])


def test_a_branch_is_cut_from_the_whole(store, tables, assert_same):
    store.save(KEY, tables)
    assert_same(store.covering(KEY), tables)
    assert_same(store.covering(replace(KEY, root="2", depth=1)), subset_tables(tables, "2", 1))
    assert store.covering(replace(KEY, root="77")) is None
    assert store.covering(replace(KEY, release="2025-01", root="2")) is None
    assert store.covering(replace(KEY, release="2025-01")) is None


def test_a_kept_branch_is_not_taken_for_the_whole(store, tables):
    store.save(replace(KEY, root="1"), tables)
    assert store.covering(replace(KEY, root="2")) is None


def test_incomplete_tables_are_not_kept(store, tables):
    store.save(KEY, replace(tables, provenance=replace(tables.provenance, complete=False)))
    assert store.load(KEY) is None
    assert store.info().n_snapshots == 0


@pytest.mark.parametrize("file", ["provenance.json", "entities.parquet", "axes.parquet"])
def test_a_torn_snapshot_counts_as_absent_and_is_replaced(file, store, tables, assert_same):
    store.save(KEY, tables)
    place = next(store.folder.iterdir())
    (place / file).write_bytes((place / file).read_bytes()[:20])
    assert store.load(KEY) is None
    assert store.covering(replace(KEY, root="2")) is None
    assert file == "axes.parquet" or store.load_frame(KEY) is None
    store.save(KEY, tables)
    assert_same(store.load(KEY), tables)


@pytest.mark.parametrize(
    "change",
    [{"languages": 5}, {"languages": [["en"]]}, {"include": 5}, {"server": None}],
    ids=str,
)
def test_a_snapshot_whose_provenance_is_damaged_counts_as_absent(change, store, tables):
    store.save(KEY, tables)
    (manifest,) = store.folder.glob("*/provenance.json")
    content = json.loads(manifest.read_text())
    content["provenance"] |= change
    manifest.write_text(json.dumps(content))
    assert store.load(KEY) is None


def test_a_foreign_folder_counts_as_absent(store, tables):
    store.folder.mkdir(parents=True)
    write_tables(tables, store.folder / KEY.digest())
    assert store.load(KEY) is None


def test_clearing_removes_snapshots_and_nothing_else(store, tables):
    store.save(KEY, tables)
    (store.folder / "notes.txt").write_text("mine")
    assert store.info().n_bytes > 1000
    assert store.clear() == 1
    assert [item.name for item in store.folder.iterdir()] == ["notes.txt"]
    assert SnapshotStore(store.folder / "absent").clear() == 0


def test_a_snapshot_that_another_process_replaces_just_now_is_counted_without_its_bytes(store, tables, monkeypatch):
    store.save(KEY, tables)
    kept = store._kept()
    store.clear()
    monkeypatch.setattr(store, "_kept", lambda: kept)
    assert (store.info().n_snapshots, store.info().n_bytes) == (1, 0)


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, tables):
    (tmp_path / "file").write_text("x")
    with pytest.warns(CacheWarning, match="could not be kept"):
        SnapshotStore(tmp_path / "file" / "snapshots").save(KEY, tables)
    assert SnapshotStore(tmp_path / "file" / "snapshots").load(KEY) is None


def test_a_full_disk_is_a_warning_and_leaves_nothing(store, tables, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(CacheWarning, match="No space left"):
        store.save(KEY, tables)
    assert list(store.folder.iterdir()) == []


def test_a_folder_that_cannot_be_read_is_a_warning(store, tables, monkeypatch):
    store.save(KEY, tables)

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(snapshot, "read_manifest", refuse)
    with pytest.warns(CacheWarning, match="cannot be read"):
        assert store.load(KEY) is None


def test_without_pyarrow_nothing_is_kept_and_nothing_is_said(store, tables, monkeypatch):
    monkeypatch.setattr(snapshot, "has_pyarrow", lambda: False)
    store.save(KEY, tables)
    assert store.load(KEY) is None
    assert store.load_frame(KEY) is None
    assert not store.folder.exists()
