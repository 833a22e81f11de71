"""One table as a file reads back equal, and a failed write changes nothing."""

import csv
import errno
import json
import os
import sys
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icdframes.errors import ConfigurationError, ExportError, FileFormatError, PartialResultWarning
from icdframes.frames.files import read_frame, to_csv, to_parquet
from icdframes.frames.pandas_compat import TEXT, schema_dtype, text_array

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
            "code": text_array(first for first, _ in cells),
            "title": text_array(second for _, second in cells),
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
def test_an_empty_table_keeps_its_dtypes(name, suffix, empty_table, tmp_path):
    frame = empty_table(name)
    path = WRITERS[suffix](frame, tmp_path / f"x{suffix}")
    pd.testing.assert_frame_equal(read_frame(path), frame)


def test_numbers_dates_and_text_of_joined_data_read_back_equal(suffix, tmp_path):
    frame = pd.DataFrame(
        {
            "rate": [0.1, None, 1e300],
            "day": pd.to_datetime(["2024-01-31", None, "1999-12-31"]),
            "n": [1, -2, 3],
            "note": text_array(["", None, "x"]),
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


FORMULAS = ["=cmd()", "+1", "-1", "@x", "\tx", "\r=x", "\n=x", "\uff1dx", "\uff20x", "'=x"]


@pytest.mark.parametrize("dtype", [TEXT, "object", "string", "string[pyarrow]", "category"])
def test_formulas_are_defused_when_asked_for(dtype, tmp_path):
    frame = pd.DataFrame({"=title": pd.Series([*FORMULAS, "fine-1", "", "+1"], dtype=dtype), "n": [-1] * 13})
    path = to_csv(frame, tmp_path / "x.csv", safe_for_spreadsheets=True)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["'=title", "n"]
    assert [title for title, _ in rows] == [*(f"'{text}" for text in FORMULAS), "fine-1", "", "'+1"]
    assert [n for _, n in rows] == ["-1"] * 13
    read = read_frame(path)
    assert schema_dtype(read["=title"]) == schema_dtype(frame["=title"])
    pd.testing.assert_frame_equal(read.astype(frame.dtypes), frame)


@pytest.mark.parametrize("dtype", ["string", "category"])
def test_empty_and_missing_text_stay_apart_whatever_the_dtype(dtype, tmp_path):
    frame = pd.DataFrame({"t": pd.Series(["", None, "x"], dtype=dtype)})
    pd.testing.assert_frame_equal(read_frame(to_csv(frame, tmp_path / "x.csv")), frame)


def test_an_existing_file_is_replaced_only_when_asked_for(suffix, tables, tmp_path):
    path = tmp_path / f"x{suffix}"
    WRITERS[suffix](tables.edges, path)
    with pytest.raises(ExportError, match="overwrite=True"):
        WRITERS[suffix](tables.terms, path)
    WRITERS[suffix](tables.terms, path, overwrite=True)
    pd.testing.assert_frame_equal(read_frame(path), tables.terms)


@pytest.mark.parametrize(
    "place, words",
    [
        ("no/x{}", "no folder"),
        ("x.doc", "must end in"),
        ("file/x{}", "no folder"),
        ("folder{}", "is a folder: give the name of a file"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(place, words, suffix, tables, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(ExportError, match=words):
        WRITERS[suffix](tables.edges, tmp_path / place.format(suffix), overwrite=True)


@pytest.mark.parametrize("passes", [0, 1])
def test_a_failed_replacement_leaves_the_old_file_and_no_other(passes, suffix, tables, tmp_path, monkeypatch, contents):
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


def test_a_first_write_that_fails_leaves_nothing(suffix, tables, tmp_path, monkeypatch, contents):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="No space"):
        WRITERS[suffix](tables.terms, tmp_path / f"x{suffix}")
    assert contents(tmp_path) == {}


def test_a_csv_whose_second_step_fails_leaves_no_provenance_alone(tables, tmp_path, monkeypatch, contents):
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


@pytest.mark.parametrize("foreign", [object(), datetime(2026, 1, 1, tzinfo=UTC), {"deep": [{1, 2}]}])
def test_attrs_that_no_file_can_hold_are_left_out_with_a_warning(suffix, tables, tmp_path, foreign):
    frame = tables.terms.copy()
    frame.attrs["foreign"] = foreign
    with pytest.warns(PartialResultWarning, match="The attribute 'foreign' of the table is no JSON"):
        path = WRITERS[suffix](frame, tmp_path / f"x{suffix}")
    assert read_frame(path).attrs == tables.terms.attrs
    assert frame.attrs["foreign"] is foreign


def test_tables_are_no_table(suffix, tables, tmp_path, contents):
    with pytest.raises(ConfigurationError, match=r"write_tables\(\)"):
        WRITERS[suffix](tables, tmp_path / f"x{suffix}")
    with pytest.raises(ConfigurationError, match="list is no pandas DataFrame: give one table"):
        WRITERS[suffix]([], tmp_path / f"x{suffix}")
    assert contents(tmp_path) == {}


def test_parquet_is_read_through_a_file_of_arrow(tables, tmp_path, monkeypatch):
    # a Python file is closed by Arrow's threads: a process that ended at that moment was aborted, one in thirty
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    file = to_parquet(tables.entities, tmp_path / "a.parquet")
    opened = []
    read_table = pyarrow.parquet.read_table
    monkeypatch.setattr(
        pyarrow.parquet, "read_table", lambda source, **kwargs: opened.append(source) or read_table(source, **kwargs)
    )
    assert read_frame(file).equals(tables.entities)
    assert [isinstance(source, (str, pyarrow.NativeFile)) for source in opened] == [True]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_utf_8_is_read(suffix, tables, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode())
    WRITERS[suffix](tables.entities, tmp_path / f"cafe{suffix}")
    for written in tmp_path.iterdir():
        written.rename(tmp_path / written.name.replace("cafe", os.fsdecode(b"caf\xe9")))
    assert read_frame(path).equals(tables.entities)


def test_a_single_wrong_bit_in_a_parquet_file_is_noticed(tables, tmp_path):
    path = to_parquet(tables.entities, tmp_path / "x.parquet")
    content = bytearray(path.read_bytes())
    place = content.index(b"1A00")  # in the pages: their checksum is in the file
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged"):
        read_frame(path)


@pytest.mark.parametrize("cut", [0, 5, 60])
def test_a_torn_file_is_named(cut, suffix, tables, tmp_path):
    path = WRITERS[suffix](tables.terms, tmp_path / f"x{suffix}")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileFormatError, match=f"x{suffix}"):
        read_frame(path)


@pytest.mark.parametrize(
    "name, words",
    [("absent.csv", "no file .*: check its name"), ("x.doc", "must end in"), ("x.parquet", "damaged.*write it anew")],
)
def test_a_foreign_or_absent_file_is_named(name, words, tmp_path):
    (tmp_path / "x.parquet").write_text("no parquet")
    with pytest.raises(FileFormatError, match=words):
        read_frame(tmp_path / name)


@pytest.mark.parametrize(
    "beside", ["{", "[]", "{}", "[" * 100_000, '{"format": "icdframes table", "format_number": 1}']
)
def test_a_foreign_provenance_file_is_named(beside, tables, tmp_path):
    path = to_csv(tables.terms, tmp_path / "x.csv")
    (tmp_path / "x.csv.provenance.json").write_text(beside)
    with pytest.raises(FileFormatError, match=r"x\.csv.*(anew|remove it)"):
        read_frame(path)


def test_a_csv_that_lost_rows_after_it_was_written_is_not_taken_for_whole(tables, tmp_path):
    path = to_csv(tables.terms, tmp_path / "x.csv")
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(FileFormatError, match="was changed or cut off"):
        read_frame(path)
    (tmp_path / "x.csv.provenance.json").unlink()
    assert len(read_frame(path)) == len(tables.terms) - 1
