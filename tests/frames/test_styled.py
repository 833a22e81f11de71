"""`style` shows the rows and columns it says, every text as it is, whatever the frame looks like."""

import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.errors import ConfigurationError, MissingExtraError

pytest.importorskip("jinja2", reason="jinja2 is not installed (pip install 'icdframes[plots]')")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:matplotlib")  # which pandas 2 loads with a Styler
HOSTILE = "<img src=x onerror=alert(1)> & \"'"


class Reader(HTMLParser):
    """Collects what a browser would show of a table: the texts of its cells, row by row, and their tooltips."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.caption, self.tooltips, self.classes = set(), [], "", [], []
        self._cell = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self.classes.append(dict(attrs).get("class", ""))
        elif "title" in dict(attrs):
            self.tooltips.append(dict(attrs)["title"])
        self._cell = tag if tag in {"td", "th", "caption"} else self._cell

    def handle_endtag(self, tag):
        self._cell = None if tag == self._cell else self._cell

    def handle_data(self, data):
        if self._cell == "caption":
            self.caption += data
        elif self._cell:
            self.rows[-1][-1] += data


def read(styler):
    found = Reader(styler.to_html())
    assert found.tags <= {"style", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "br"}
    return found


@pytest.fixture(scope="module")
def tables(load_sample):
    return load_sample("2024-01")


def texts_of(frame):
    return [["" if pd.isna(value) else str(value) for value in row] for row in frame.itertuples(index=False)]


def test_every_row_and_cell_is_the_frame_s_own(tables):
    frame = tables.entities
    found = read(frame.icd.style(columns=frame.columns, max_rows=None, max_text=None))
    assert found.rows[0] == list(frame.columns)
    assert found.rows[1:] == texts_of(frame)
    assert found.tooltips == []


def test_entities_show_what_is_read_and_name_what_is_not(tables):
    found = read(icdframes.style(tables.entities))
    header, *rows = found.rows
    assert header[:3] == ["code", "title", "class_kind"]
    assert rows == [
        [text if len(text) <= 100 else f"{text[:100].rstrip(' .,;:')}…" for text in row]
        for row in texts_of(tables.entities[header].head(100))
    ]
    assert (
        "ICD-11 MMS 2024-01, en, the sandbox's sample: first 100 of 913 rows (max_rows=None for all)" in found.caption
    )
    assert "CC BY-ND 3.0 IGO" in found.caption
    hidden = [name for name in tables.entities if name not in header]
    assert f"Not shown: {', '.join(hidden)} (" in found.caption
    assert set(hidden) >= {"entity_id", "uri", "depth"}


def test_a_text_that_is_cut_has_the_whole_of_it_as_its_tooltip(tables):
    frame = tables.entities
    found = read(frame.icd.style(columns="definition", max_rows=None, max_text=20))
    long = [text for text in frame["definition"].dropna() if len(text) > 20]
    assert found.tooltips == long
    assert max(len(row[0]) for row in found.rows) <= 21


def test_a_title_is_indented_by_its_depth_below_the_topmost_row(tables):
    frame = tables.entities[tables.entities["depth"] >= 2].head(30)
    found = read(frame.icd.style(columns=["title"]))
    levels = [
        int(name.rpartition("icd-depth-")[2]) if "icd-depth" in name else 0 for name in found.classes if "data" in name
    ]
    assert levels == (frame["depth"] - 2).tolist()
    assert max(levels) > 0


@pytest.mark.parametrize("depths", [[1.5, 2.5], [0, 3000], [-1, 0], ["a", "b"]])
def test_another_s_column_named_depth_indents_nothing_and_stays(depths):
    frame = pd.DataFrame({"title": ["a", "b"], "depth": depths})
    html = frame.icd.style().to_html()
    assert "icd-depth" not in html
    assert Reader(html).rows[0] == ["title", "depth"]


def test_a_frame_of_one_s_own_keeps_every_column_and_says_whose_titles_it_shows(tables):
    own = pd.DataFrame(
        {"patient": [7, 8, 9], "code": ["1A00", None, "7A00"], "n": pd.array([1, None, 3], dtype="Int64")}
    )
    found = read(own.icd.annotate(tables).icd.style(tables=tables))
    assert found.rows == [
        ["code", "title", "patient", "n", "chapter", "block", "match"],
        ["1A00", "Cholera", "7", "1", "01", "BlockL2-1A0", "exact"],
        ["", "", "8", "", "", "", "missing"],
        ["7A00", "Chronic insomnia", "9", "3", "07", "BlockL1-7A0", "exact"],
    ]
    assert found.caption.startswith("ICD-11 MMS 2024-01, en, the sandbox's sample: 3 rows")
    assert "World Health Organization" in found.caption
    assert read(own.icd.style()).caption == "3 rows"


def test_a_title_stays_beside_codes_of_another_name_and_columns_that_would_be_empty_are_named(tables):
    own = pd.DataFrame({"dx": ["1A00"]}).icd.annotate(tables, code="dx")
    assert read(own.icd.style()).rows[0] == list(own.columns)
    noted = tables.entities[tables.entities["code"].isin(["1A00", "1A01"])]
    assert "coding_note" in read(noted.icd.style()).rows[0]
    none = read(noted.tail(1).icd.style())
    assert "coding_note" not in none.rows[0]
    assert "coding_note" in none.caption


def test_nothing_is_read_as_html():
    frame = pd.DataFrame(
        {HOSTILE: [HOSTILE, [HOSTILE], None], "code": ["1A00", HOSTILE * 9, np.nan]},
        index=pd.Index([HOSTILE, "b", "c"], name=HOSTILE),
    )
    frame.columns.name = HOSTILE
    frame.attrs["provenance"] = {"classification": "mms", "release": HOSTILE, "licence": HOSTILE}
    for styler in (
        frame.icd.style(),
        pd.concat([frame, frame]).icd.style(),
        pd.concat([frame, frame], axis=1).icd.style(),
    ):
        found = read(styler)
        assert found.rows[0][0] == HOSTILE
        assert HOSTILE in found.caption
        assert found.tooltips[0] == HOSTILE * 9


def test_columns_and_rows_of_the_same_name_are_all_shown():
    frame = pd.DataFrame([["1A00", "a", "x"], ["1A01", "b", "y"]], columns=["code", "n", "n"], index=["p", "p"])
    found = read(frame.icd.style(columns=["n", "code"]))
    assert found.rows == [["\xa0", "n", "n", "code"], ["p", "a", "x", "1A00"], ["p", "b", "y", "1A01"]]


def test_an_index_that_says_something_is_shown_and_a_row_number_is_not():
    frame = pd.DataFrame({"code": ["1A00", "1A01", "1A02"]})
    assert read(frame.icd.style()).rows == [["code"], ["1A00"], ["1A01"], ["1A02"]]
    assert read(frame.iloc[1:].icd.style()).rows[1:] == [["1", "1A01"], ["2", "1A02"]]
    dated = frame.set_index(pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["ward", "day"]))
    assert read(dated.icd.style()).rows[2:] == [["a", "1", "1A00"], ["2", "1A01"], ["b", "1", "1A02"]]


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame(), pd.DataFrame({"code": []}), pd.DataFrame(index=[1, 2])],
    ids=["nothing", "no row", "no column"],
)
def test_an_empty_frame_is_shown_empty(frame):
    assert all(text in {"", "\xa0", "1", "2", "code"} for row in read(frame.icd.style()).rows for text in row)


def test_columns_may_be_anything_that_pandas_takes():
    crossed = pd.DataFrame([[1, 2], [3, 4]], columns=[False, True])
    assert read(crossed.icd.style(columns=True)).rows == [["True"], ["2"], ["4"]]
    two = pd.DataFrame([[1, "a"]], columns=pd.MultiIndex.from_tuples([("x", "n"), ("x", "code")]))
    assert read(two.icd.style(columns=("x", "code"))).rows[1:] == [["code"], ["a"]]
    assert read(two.icd.style(columns=[("x", "code"), ("x", "n")])).rows[-1] == ["a", "1"]


def test_where_pandas_would_leave_rows_out_the_text_above_says_so():
    frame = pd.DataFrame({"code": ["1A00"] * 50, "n": range(50)})
    with pd.option_context("styler.render.max_elements", 20):
        found = read(frame.icd.style(max_rows=None))
    assert len(found.rows) == 11
    assert found.caption.startswith("first 10 of 50 rows (pandas' options styler.render allow no more)")


def test_a_styler_goes_on_with_its_own_methods_and_the_frame_is_not_changed(tables):
    frame = tables.entities.head(5)
    before = frame.copy(deep=True)
    html = (
        frame.icd.style(columns=["code", "n_children"])
        .bar(subset="n_children")
        .hide(axis="columns", subset="code")
        .to_html()
    )
    assert "linear-gradient" in html
    assert Reader(html).rows[0] == ["n_children"]
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs


@pytest.mark.parametrize(
    "options,said",
    [
        ({"columns": ["titel"]}, r"columns='titel' names no column of this table\. Did you mean 'title'\?"),
        ({"columns": "zzz"}, r"There are code, title\."),
        ({"max_rows": 0}, "max_rows=0 cannot be: give a whole number, 1 or more, or None for all"),
        ({"max_text": "all"}, "max_text='all' cannot be"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        pd.DataFrame({"code": ["1A00"], "title": ["Cholera"]}).icd.style(**options)


def test_five_tables_are_no_frame(tables):
    with pytest.raises(TypeError, match=r"this is a EntityTables: give one of its tables, such as tables\.entities"):
        icdframes.style(tables)


def test_without_jinja2_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    for name in ("pandas.io.formats.style", "pandas.io.formats.style_render"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(
        MissingExtraError, match=r"A styled table needs an optional package: pip install 'icdframes\[plots\]'"
    ):
        icdframes.style(pd.DataFrame({"code": ["1A00"]}))
