"""All tables as a folder read back equal, and a failed write leaves the old folder."""

import errno
import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from icdframes.errors import ConfigurationError, ExportError, FileFormatError, MissingExtraError
from icdframes.frames import files, folder
from icdframes.frames.entity_tables import EntityTables, read_tables, write_tables
from icdframes.frames.files import read_frame, to_parquet


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_of_tables_reads_back_equal(kind, tables, assert_same, tmp_path):
    path = write_tables(tables, tmp_path / "t", format=kind)
    assert min(item.suffix for item in path.iterdir() if item.name.startswith("terms")) == f".{kind}"
    assert_same(read_tables(path), tables)


def test_the_methods_write_folders_too(tables, assert_same, tmp_path):
    assert_same(read_tables(tables.to_csv(tmp_path / "t")), tables)
    assert_same(read_tables(tables.to_parquet(tmp_path / "t", overwrite=True)), tables)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["t"]


def test_a_folder_is_replaced_only_when_asked_for_and_only_if_it_is_ours(tables, tmp_path):
    place = write_tables(tables, tmp_path / "t")
    with pytest.raises(ExportError, match="overwrite=True"):
        write_tables(tables, place)
    (place / "thesis.docx").write_text("years of work")
    with pytest.raises(ExportError, match="thesis"):
        write_tables(tables, place, overwrite=True)
    assert (place / "thesis.docx").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    write_tables(tables, tmp_path / "empty")


@pytest.mark.parametrize("place, words", [("no/t", "no folder"), ("file", "a file of that name")])
def test_a_folder_that_cannot_be_made_is_told(place, words, tables, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match=words):
        write_tables(tables, tmp_path / place)
    with pytest.raises(ConfigurationError, match=r"format='parqet' is unknown.* Did you mean 'parquet'"):
        write_tables(tables, tmp_path / "t", format="parqet")


@pytest.mark.parametrize("fails_at", ["t", "provenance.json", "axes.parquet"])
def test_a_failed_folder_leaves_the_old_one(fails_at, tables, assert_same, tmp_path, monkeypatch, contents):
    place = write_tables(tables, tmp_path / "t")
    before = contents(tmp_path)
    real = os.replace

    def full(source, target):
        if Path(target).name == fails_at and str(source).endswith(".tmp"):
            monkeypatch.setattr(os, "replace", real)
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(folder, "sync", lambda path: path.name == fails_at and full(".tmp", path))
    with pytest.raises(ExportError, match="No space"):
        write_tables(tables, place, overwrite=True)
    assert contents(tmp_path) == before


def damage_manifest(**changes):
    def damage(place):
        path = place / "provenance.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / "provenance.json").unlink(),
        lambda place: (place / "provenance.json").write_text("{"),
        lambda place: (place / "edges.parquet").unlink(),
        lambda place: (place / "edges.parquet").write_bytes(b"PAR1"),
        lambda place: (place / "terms.parquet").replace(place / "axes.parquet"),
        damage_manifest(format="other"),
        damage_manifest(format_number=99),
        damage_manifest(provenance={}),
        damage_manifest(rows=[]),
        damage_manifest(rows={"entities": 1}),
    ],
)
def test_a_damaged_folder_is_told(damage, tables, tmp_path):
    place = write_tables(tables, tmp_path / "t")
    damage(place)
    with pytest.raises(FileFormatError):
        read_tables(place)


def test_without_pyarrow_the_install_line_is_told_and_csv_works(tables, assert_same, tmp_path, monkeypatch):
    parquet = to_parquet(tables.terms, tmp_path / "x.parquet")
    monkeypatch.setattr(files, "has_pyarrow", lambda: False)
    for attempt in (
        lambda: to_parquet(tables.terms, tmp_path / "y.parquet"),
        lambda: read_frame(parquet),
        lambda: write_tables(tables, tmp_path / "t"),
    ):
        with pytest.raises(MissingExtraError, match=r"icdframes\[parquet\]"):
            attempt()
    assert_same(read_tables(write_tables(tables, tmp_path / "t", format="csv")), tables)


def test_tables_show_counts_first_titles_and_licence(tables):
    text = repr(tables)
    assert "entities        6 rows" in text
    assert "begins with     01 T1; 1E10 T3; T2\n" in text
    assert "CC BY-ND 3.0 IGO" in text
    assert len(tables) == 6


def test_the_html_of_tables_escapes_what_it_shows(tables):
    entities = tables.entities.assign(title="<b onclick=x>")
    html = EntityTables(
        entities, tables.edges, tables.terms, tables.references, tables.axes, tables.provenance
    )._repr_html_()
    assert "<b onclick" not in html
    assert "&lt;b onclick=x&gt;" in html


def test_a_first_folder_that_fails_leaves_nothing(tables, tmp_path, monkeypatch, contents):
    def full(source, target, real=os.replace):
        if Path(target).name == "t":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ExportError, match="No space"):
        write_tables(tables, tmp_path / "t")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "write", [EntityTables.to_csv, partial(write_tables, format="csv")], ids=["method", "function"]
)
def test_formulas_in_a_folder_are_defused_when_asked_for(write, tables, tmp_path):
    tables = replace(tables, entities=tables.entities.assign(title="=cmd()"))
    folder = write(tables, tmp_path / "x", safe_for_spreadsheets=True)
    assert '"\'=cmd()"' in (folder / "entities.csv").read_text(encoding="utf-8")
    assert read_tables(folder).entities["title"].eq("=cmd()").all()
