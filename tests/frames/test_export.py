"""Files read back equal, and a failed write changes nothing."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import ExportError, FileFormatError, MissingExtraError
from icdframes.frames import files, folder
from icdframes.frames.export import read_frame, read_tables, to_csv, to_parquet, write_tables
from icdframes.frames.schema import empty_table
from icdframes.frames.tables import EntityTables

NASTY = [
    "1E10",
    "007",
    "NA",
    "None",
    "nan",
    "null",
    'a"b',
    "a,b",
    "a\nb",
    "a\r\nb",
    "\r",
    " a ",
    "'",
    "é😀",
    "\ufeffx",
    "\x00",
]
CELLS = st.none() | st.sampled_from([*NASTY, "", "<missing>", "=1", "'=1", "-", "@"]) | st.text()
WRITERS = {".csv": to_csv, ".parquet": to_parquet}


@pytest.fixture(params=[".csv", ".parquet"])
def suffix(request):
    return request.param


@settings(deadline=None, max_examples=40)
@given(cells=st.lists(st.tuples(CELLS, CELLS), max_size=6), safe=st.booleans())
@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_any_text_and_any_missing_value_reads_back_equal(kind, cells, safe, tmp_path_factory):
    frame = pd.DataFrame(
        {
            "code": pd.array([first for first, _ in cells], dtype="str"),
            "title": pd.array([second for _, second in cells], dtype="str"),
            "position": pd.array([len(first) if first else None for first, _ in cells], dtype="Int64"),
            "flag": pd.array([bool(first) for first, _ in cells], dtype="bool"),
        }
    )
    frame.attrs = {"provenance": {"licence": "©"}}
    more = {"safe_for_spreadsheets": safe} if kind == ".csv" else {}
    path = WRITERS[kind](frame, tmp_path_factory.getbasetemp() / f"any{kind}", overwrite=True, **more)
    found = read_frame(path)
    pd.testing.assert_frame_equal(found, frame)
    assert found.attrs == frame.attrs


@pytest.mark.parametrize("name", ["entities", "edges", "terms", "references", "axes"])
def test_an_empty_table_keeps_its_dtypes(name, suffix, tmp_path):
    frame = empty_table(name)
    path = WRITERS[suffix](frame, tmp_path / f"x{suffix}")
    pd.testing.assert_frame_equal(read_frame(path), frame)


def test_numbers_dates_and_text_of_joined_data_read_back_equal(suffix, tmp_path):
    frame = pd.DataFrame(
        {
            "rate": [0.1, None, 1e300],
            "day": pd.to_datetime(["2024-01-31", None, "1999-12-31"]),
            "n": [1, -2, 3],
            "note": pd.array(["", None, "x"], dtype="str"),
        }
    )
    pd.testing.assert_frame_equal(read_frame(WRITERS[suffix](frame, tmp_path / f"x{suffix}")), frame)


def test_some_columns_can_be_read(suffix, tables, tmp_path):
    path = WRITERS[suffix](tables.entities, tmp_path / f"x{suffix}")
    pd.testing.assert_frame_equal(read_frame(path, columns=["code", "depth"]), tables.entities[["code", "depth"]])


def test_provenance_lies_beside_a_csv(tables, tmp_path):
    path = to_csv(tables.terms, tmp_path / "terms.csv")
    beside = json.loads((tmp_path / "terms.csv.provenance.json").read_text(encoding="utf-8"))
    assert beside["attrs"]["provenance"]["release"] == "2024-01"
    assert path.read_text(encoding="utf-8").splitlines()[1] == '"3","synonym","NA","77","",False'


def test_a_csv_of_others_is_read_as_text(tmp_path):
    path = tmp_path / "other.csv"
    path.write_bytes(b"\xef\xbb\xbfcode,n\n1E10,007\nNA,\n")
    frame = read_frame(path)
    assert frame["code"].tolist() == ["1E10", "NA"]
    assert frame["n"].iloc[0] == "007"
    assert frame["n"].isna().tolist() == [False, True]


def test_formulas_are_defused_when_asked_for(tmp_path):
    frame = pd.DataFrame({"title": ["=cmd()", "+1", "-1", "@x", "\tx", "'=x", "fine-1"], "n": [-1] * 7})
    path = to_csv(frame, tmp_path / "x.csv", safe_for_spreadsheets=True)
    raw = pd.read_csv(path)
    assert raw["title"].tolist() == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "''=x", "fine-1"]
    assert raw["n"].tolist() == [-1] * 7
    pd.testing.assert_frame_equal(read_frame(path), frame)


def test_an_existing_file_is_replaced_only_when_asked_for(suffix, tables, tmp_path):
    path = tmp_path / f"x{suffix}"
    WRITERS[suffix](tables.edges, path)
    with pytest.raises(ExportError, match="overwrite=True"):
        WRITERS[suffix](tables.terms, path)
    WRITERS[suffix](tables.terms, path, overwrite=True)
    pd.testing.assert_frame_equal(read_frame(path), tables.terms)


@pytest.mark.parametrize(
    "place, words",
    [("no/x{}", "no folder"), ("x.xlsx", "must end in"), ("file/x{}", "no folder"), ("folder{}", "is a folder")],
)
def test_a_place_that_cannot_be_written_is_told(place, words, suffix, tables, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(ExportError, match=words):
        WRITERS[suffix](tables.edges, tmp_path / place.format(suffix), overwrite=True)


def contents(place):
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("passes", [0, 1])
def test_a_failed_replacement_leaves_the_old_file_and_no_other(passes, suffix, tables, tmp_path, monkeypatch):
    path = WRITERS[suffix](tables.edges, tmp_path / f"x{suffix}")
    before = contents(tmp_path)
    done = []

    def full(source, target, real=os.replace):
        if len(done) >= (passes if suffix == ".csv" else 0):
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ExportError, match=r"No space left on device\. What was there before is unchanged"):
        WRITERS[suffix](tables.terms, path, overwrite=True)
    assert contents(tmp_path) == before


def test_a_first_write_that_fails_leaves_nothing(suffix, tables, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="No space"):
        WRITERS[suffix](tables.terms, tmp_path / f"x{suffix}")
    assert contents(tmp_path) == {}


def test_a_csv_whose_second_step_fails_leaves_no_provenance_alone(tables, tmp_path, monkeypatch):
    def only_json(source, target, real=os.replace):
        if str(target).endswith(".csv"):
            raise OSError(errno.EACCES, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "replace", only_json)
    with pytest.raises(ExportError, match="Permission denied"):
        to_csv(tables.terms, tmp_path / "x.csv")
    assert contents(tmp_path) == {}


def test_two_columns_of_one_name_are_refused(suffix, tmp_path):
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ExportError):
        WRITERS[suffix](frame, tmp_path / f"x{suffix}")


def test_attrs_that_no_file_can_hold_are_refused(suffix, tables, tmp_path):
    frame = tables.terms.copy()
    frame.attrs["client"] = object()
    with pytest.raises(ExportError):
        WRITERS[suffix](frame, tmp_path / f"x{suffix}")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("cut", [0, 5, 60])
def test_a_torn_file_is_named(cut, suffix, tables, tmp_path):
    path = WRITERS[suffix](tables.terms, tmp_path / f"x{suffix}")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileFormatError, match=f"x{suffix}"):
        read_frame(path)


@pytest.mark.parametrize(
    "name, words", [("absent.csv", "no file"), ("x.xlsx", "must end in"), ("x.parquet", "damaged")]
)
def test_a_foreign_or_absent_file_is_named(name, words, tmp_path):
    (tmp_path / "x.parquet").write_text("no parquet")
    with pytest.raises(FileFormatError, match=words):
        read_frame(tmp_path / name)


@pytest.mark.parametrize("beside", ["{", "[]", "{}", '{"format": "icdframes table", "format_number": 1}'])
def test_a_foreign_provenance_file_is_named(beside, tables, tmp_path):
    path = to_csv(tables.terms, tmp_path / "x.csv")
    (tmp_path / "x.csv.provenance.json").write_text(beside)
    with pytest.raises(FileFormatError, match=r"x\.csv"):
        read_frame(path)


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
    with pytest.raises(ExportError, match="'parquet' or 'csv'"):
        write_tables(tables, tmp_path / "t", format="xlsx")


@pytest.mark.parametrize("fails_at", ["t", "provenance.json", "axes.parquet"])
def test_a_failed_folder_leaves_the_old_one(fails_at, tables, assert_same, tmp_path, monkeypatch):
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
    assert "T1; T3; T2" in text
    assert "CC BY-ND 3.0 IGO" in text
    assert len(tables) == 6


def test_the_html_of_tables_escapes_what_it_shows(tables):
    entities = tables.entities.assign(title="<b onclick=x>")
    html = EntityTables(
        entities, tables.edges, tables.terms, tables.references, tables.axes, tables.provenance
    )._repr_html_()
    assert "<b onclick" not in html
    assert "&lt;b onclick=x&gt;" in html


def test_a_csv_that_lost_rows_after_it_was_written_is_not_taken_for_whole(tables, tmp_path):
    path = to_csv(tables.terms, tmp_path / "x.csv")
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(FileFormatError, match="was changed or cut off"):
        read_frame(path)
    (tmp_path / "x.csv.provenance.json").unlink()
    assert len(read_frame(path)) == len(tables.terms) - 1


def test_a_first_folder_that_fails_leaves_nothing(tables, tmp_path, monkeypatch):
    def full(source, target, real=os.replace):
        if Path(target).name == "t":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ExportError, match="No space"):
        write_tables(tables, tmp_path / "t")
    assert contents(tmp_path) == {}
