"""Tables of users: every separator and encoding that spreadsheet programs write, and Excel itself."""

import csv
import datetime as dt
import io
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icdframes
from icdframes.errors import ConfigurationError, FileFormatError
from icdframes.frames.files import SIDECAR, read_frame, to_csv, to_excel
from icdframes.frames.user_table import text_format

ROWS = [("dx", "región", "note"), ("1A00", "León", "a, b"), ("1E10", "", "x;y\tz|w"), ("007", "Añil", 'say "x"')]
WANTED = {"dx": ["1A00", "1E10", "007"], "región": ["León", None, "Añil"], "note": ["a, b", "x;y\tz|w", 'say "x"']}


def _as_text(sep, end="\n", rows=ROWS):
    file = io.StringIO()
    csv.writer(file, delimiter=sep, lineterminator=end).writerows(rows)
    return file.getvalue()


def _values(frame):
    return frame.astype("object").where(frame.notna(), None).to_dict("list")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("sep", list(";,\t|"))
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".CSV"])
def test_separator_and_encoding_are_recognised(sep, encoding, suffix, tmp_path):
    file = tmp_path / f"deaths{suffix}"
    file.write_bytes(_as_text(sep, "\r\n").encode(encoding))
    assert _values(read_frame(file)) == WANTED
    assert text_format(file).sep == sep
    assert text_format(file).encoding.startswith(encoding)
    assert _values(read_frame(file, sep=sep, encoding=encoding)) == WANTED


@pytest.mark.parametrize("sep", ["tab", "TAB", "\\t", "\t"])
def test_a_separator_may_be_named(sep, tmp_path):
    (tmp_path / "x.csv").write_text("a\tb;c\n1\t2;3\n", encoding="utf-8")
    assert read_frame(tmp_path / "x.csv", sep=sep).columns.tolist() == ["a", "b;c"]
    assert read_frame(tmp_path / "x.csv", sep="semicolon").columns.tolist() == ["a\tb", "c"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("dx\n1A00\n", ["dx"]),
        ("dx\nBA41.Z; 5A11\n1A00; CA23\n", ["dx"]),
        ("a;b,c\n1;2,3\n4;5\n", ["a", "b,c"]),
        ("a,b\n1,2;3\n", ["a", "b"]),
        ("dx;age\n1A00;4,5\n5A11;6,5\n", ["dx", "age"]),
        ('a,"b;c;d"\n1,2\n', ["a", "b;c;d"]),
        ("a,b\n\n1,2\n", ["a", "b"]),
    ],
)
def test_the_separator_is_the_one_that_fits_every_line(text, columns, tmp_path):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert read_frame(tmp_path / "x.csv").columns.tolist() == columns


_CELLS = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Cs"]), max_size=8)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(_CELLS, _CELLS, _CELLS), min_size=1, max_size=6), sep=st.sampled_from(";,\t"))
def test_whatever_a_spreadsheet_program_writes_is_read_back(rows, sep, tmp_path):
    quoted = io.StringIO()
    csv.writer(quoted, delimiter=sep, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([("x", "y", "z"), *rows])
    (tmp_path / "x.csv").write_bytes(quoted.getvalue().encode("utf-8-sig"))
    frame = read_frame(tmp_path / "x.csv")
    assert (
        list(zip(*(["" if cell is None else cell for cell in cells] for cells in _values(frame).values()), strict=True))
        == rows
    )


@pytest.mark.parametrize(
    ("data", "options", "error", "sentence"),
    [
        (b"a,b\n1,2,3\n", {}, FileFormatError, "more cells than its heading"),
        (b"a,b\n1,2\n1,2,3\n", {}, FileFormatError, "cannot be read as a table with ',' between the cells"),
        (b"code,x,code\nA00,1,A01\n", {}, FileFormatError, "has 2 columns 'code': rename all but one"),
        (b"\r\n ", {}, FileFormatError, "it is empty: give a file with a heading"),
        (b"\x00\x01\x02", {}, FileFormatError, "is no text"),
        (b"a\n\x81\n", {}, FileFormatError, "no text in utf-8 or cp1252: name its encoding"),
        (b"a\n\xff\n", {"encoding": "utf-8"}, FileFormatError, "no text in utf-8:"),
        (b"a,b\n1,2\n", {"encoding": "latin-99"}, ConfigurationError, "encoding='latin-99' is unknown"),
        (b"a,b\n1,2\n", {"sep": "ab"}, ConfigurationError, "sep='ab' is no separator"),
        (b"a,b\n1,2\n", {"sep": ""}, ConfigurationError, "is no separator"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_on(data, options, error, sentence, tmp_path):
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(error, match=sentence):
        read_frame(tmp_path / "x.csv", **options)


def test_a_spreadsheet_is_read_as_its_cells_are_shown(tmp_path):
    cells = {
        "dx": ["1A00", None, "1E10"],
        "age": [45, None, 46],
        "day": [dt.datetime(2019, 5, 25), None, dt.datetime(2019, 5, 26, 8, 30)],  # noqa: DTZ001  a cell has no zone
        "height": [1.5, None, 2.0],
    }
    pd.DataFrame(cells).to_excel(tmp_path / "deaths.xlsx", index=False)
    assert _values(read_frame(tmp_path / "deaths.xlsx")) == {
        "dx": ["1A00", "1E10"],
        "age": ["45", "46"],
        "day": ["2019-05-25", "2019-05-26 08:30:00"],
        "height": ["1.5", "2"],
    }
    assert read_frame(tmp_path / "deaths.xlsx", columns=["dx"]).columns.tolist() == ["dx"]
    (tmp_path / "broken.xlsx").write_bytes(b"PK broken")
    with pytest.raises(FileFormatError, match="cannot be read as a spreadsheet"):
        read_frame(tmp_path / "broken.xlsx")
    with pytest.raises(FileFormatError, match="There is no file"):
        read_frame(tmp_path / "absent.xlsx")


def test_a_spreadsheet_is_written_with_texts_that_stay_texts(tmp_path):
    frame = pd.DataFrame({"code": ["1A00", "=1+1", None], "n": [1, 2, 3]})
    frame.attrs = {"provenance": {"release": "2024-01"}}
    to_excel(frame, tmp_path / "out.xlsx")
    assert _values(read_frame(tmp_path / "out.xlsx")) == {"code": ["1A00", "=1+1", None], "n": ["1", "2", "3"]}
    about = json.loads((tmp_path / f"out.xlsx{SIDECAR}").read_text(encoding="utf-8"))
    assert about["attrs"]["provenance"]["release"] == "2024-01"


@pytest.mark.parametrize(("sep", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "cp1252")])
def test_a_csv_with_another_separator_and_encoding_comes_back_equal(sep, encoding, tmp_path):
    frame = pd.DataFrame({"código": ["1A00", "x;y\t,"], "n": [1, 2]})
    to_csv(frame, tmp_path / "x.csv", sep=sep, encoding=encoding)
    pd.testing.assert_frame_equal(read_frame(tmp_path / "x.csv"), frame)
    assert text_format(tmp_path / "x.csv").sep == sep


@pytest.mark.parametrize("form", ["semicolon", "windows", "xlsx"])
def test_a_grouping_is_read_from_any_of_them(form, tmp_path):
    rows = [("code", "group"), ("A00-B99", "infección"), ("B20;B24", "HIV"), ("C00", "")]
    file = tmp_path / ("causes.xlsx" if form == "xlsx" else "causes.csv")
    if form == "xlsx":
        pd.DataFrame(rows[1:], columns=rows[0]).to_excel(file, index=False)
    else:
        file.write_bytes(_as_text(";", rows=rows).encode("cp1252" if form == "windows" else "utf-8"))
    groups = {"A00-B99": "infección", "B20": "HIV", "B24": "HIV", "C00": None}
    assert icdframes.read_grouping(file).groups == groups
