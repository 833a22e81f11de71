"""Figures: what is cut, where it is put, and that it can be read on paper, light and dark."""

import os
import re
import shutil
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import icdframes
from icdframes.analysis.compare import compare_releases
from icdframes.analysis.rollup import rollup
from icdframes.errors import (
    ConfigurationError,
    EntityNotFoundError,
    ExportError,
    MissingExtraError,
    PartialResultWarning,
)
from icdframes.frames.pandas_compat import schema_dtype
from icdframes.plotting import hierarchy
from icdframes.plotting.charts import plot_chapter_counts, plot_release_changes
from icdframes.plotting.hierarchy import plot_hierarchy
from icdframes.plotting.layout import MOST, Box, aggregate, icicle, own_values, prune, squarified, treemap
from icdframes.plotting.style import (
    OKABE_ITO,
    contrast,
    measure_text,
    mixed,
    number_text,
    save_figure,
    source_line,
    text_on,
    wrap_text,
)
from icdframes.sandbox.sample import example_deaths

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'icdframes[plots]')")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.slow  # the examples of icdframes/plotting draw each kind of figure in the default run

STYLES = pytest.mark.parametrize("style", ["default", "dark_background"])


@pytest.fixture(scope="module")
def releases(load_sample):
    """Return the sandbox's two releases of the MMS."""
    return [load_sample(release) for release in ("2022-02", "2024-01")]


@pytest.fixture(scope="module")
def new(releases):
    return releases[1]


@pytest.fixture(scope="module")
def deaths():
    frame = example_deaths()
    return frame[~frame["dx"].isin(["BAO1", "I21.9", "9Z99", "1C8A", "8E65"])]


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    plt.close("all")  # of a doctest before
    yield
    plt.close("all")


def _nodes(tables, counts=None, *, top=None, levels=9, min_share=0.0):
    return prune(aggregate(tables, own_values(tables, counts), top), levels=levels, min_share=min_share)


def _texts(ax):
    ax.figure.canvas.draw()
    shown = [*ax.texts, ax._left_title]
    if ax.axison:
        low, high = sorted(ax.get_xlim())
        shown += [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
        shown += [*ax.get_yticklabels(), ax.xaxis.label]
    if ax.get_legend():
        shown += ax.get_legend().get_texts()
    return [text for text in shown if text.get_text() and text.get_visible()]


def _assert_readable(ax):
    texts = _texts(ax)
    assert len(texts) > 3
    page = ax.figure.bbox
    assert all(text.get_fontsize() >= 7 for text in texts)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for name, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1 + 1, name
        assert page.y0 <= box.y0 < box.y1 <= page.y1, name
    for (one, first), (other, second) in combinations(boxes, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert wide <= 0.5 or high <= 2.5, f"{one!r} overlaps {other!r}"  # line boxes touch, letters do not


# what is cut


def test_without_counts_every_leaf_counts_one(mms):
    tops = [(node.label, node.value) for node in _nodes(mms, levels=1)]
    assert tops == [("01\u2002Infections", 3), ("02\u2002Neoplasms", 1), ("X\u2002Extension codes", 2)]


def test_counts_add_up_from_any_spelling_of_code_or_id(mms):
    nodes = _nodes(mms, {"1a00": 4, "1A03": 2, "139964199": 1, "2C25.2&XH74S1": 5})
    values = {node.entity_id: node.value for node in nodes}
    assert values["1435254666"] == 7
    assert values["344162786"] == 3
    assert values["1630407678"] == 5
    assert "979408586" not in values  # nothing is counted there


def test_pieces_know_their_level_parent_and_group(mms):
    nodes = _nodes(mms, top="01")
    assert [(node.level, node.parent, node.group) for node in nodes[:3]] == [(1, None, 0), (2, 0, 0), (3, 1, 0)]


def test_small_siblings_become_other_with_their_number(mms):
    nodes = _nodes(mms, {"1A00": 90, "1A03": 6, "1A0Y": 4}, top="135352227", levels=1, min_share=0.07)
    assert [(node.label, node.value, node.entity_id) for node in nodes] == [
        ("1A00\u2002Cholera", 90, "257068234"),
        ("other (2)", 10, None),
    ]


def test_one_small_sibling_keeps_its_name_and_none_is_shown_where_all_are_small(mms):
    one = _nodes(mms, {"1A00": 97, "1A03": 3}, top="135352227", levels=1, min_share=0.07)
    assert [node.label for node in one] == ["1A00\u2002Cholera", "1A03\u2002Escherichia coli"]
    none = _nodes(mms, {"2C25": 1000, "1A00": 30, "1A03": 30}, min_share=0.05)
    assert [node.label for node in none if node.level == 4] == []


def test_an_entity_with_several_parents_is_drawn_once(poly):
    nodes = _nodes(poly)
    assert sorted(node.entity_id for node in nodes) == ["2", "3", "4", "5", "6"]  # below the one top, "1"
    assert sum(node.value for node in nodes if node.level == 1) == 2


def test_there_are_never_more_pieces_than_can_be_drawn():
    ids = [str(number) for number in range(3_000)]
    tables = pd.DataFrame({"entity_id": ids, "code": ids, "title": ids, "parent_id": [None] + ["0"] * 2_999})
    counts = dict(zip(ids, range(3_000), strict=True))
    assert len(_nodes(tables, counts)) <= MOST


@pytest.mark.parametrize("counts", [{"1A00": -1}, {"1A00": None}, {"1A00": float("nan")}])
def test_a_count_without_a_size_is_refused(mms, counts):
    with pytest.raises(ConfigurationError, match="0 or more"):
        own_values(mms, counts)


def test_what_is_counted_under_unknown_codes_is_told(mms):
    with pytest.warns(PartialResultWarning, match=r"5 of 9 are counted under 2 codes .* QQQ, ZZZ"):
        values = own_values(mms, pd.Series({"1A00": 4, "QQQ": 2, "ZZZ": 3}))
    assert values.sum() == 4


@pytest.mark.parametrize("top, counts", [("1A00", None), ("02", {"1A00": 3}), (None, {})])
def test_nothing_to_draw_is_an_error_that_says_so(mms, top, counts):
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        aggregate(mms, own_values(mms, counts), top)


# where it is put


def test_an_icicle_is_as_high_as_its_values_and_children_stand_beside_their_parent(mms):
    nodes = _nodes(mms, {"1A00": 1, "1A03": 2, "2C25": 1})
    boxes = icicle(nodes, 4, 100, 40)
    assert boxes[0] == Box(0, 10, 100 / max(node.level for node in nodes), 30)
    for node, box in zip(nodes, boxes, strict=True):
        assert box.height == pytest.approx(node.value * 10)
        if node.parent is not None:
            above = boxes[node.parent]
            assert box.x == pytest.approx(above.x + above.width)
            assert above.y <= box.y + 1e-9
            assert box.y + box.height <= above.y + above.height + 1e-9


def _overlap(one, other):
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(wide, 0) * max(high, 0)


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=30), st.floats(1, 500), st.floats(1, 500))
def test_squares_fill_the_room_by_size_and_do_not_overlap(sizes, width, height):
    boxes = squarified(sizes, Box(3, 5, width, height))
    area = width * height
    for size, box in zip(sizes, boxes, strict=True):
        assert box.width * box.height == pytest.approx(area * size / sum(sizes), rel=1e-6)
        assert 3 - 1e-6 * width <= box.x < box.x + box.width <= 3 + width * (1 + 1e-6)
        assert 5 - 1e-6 * height <= box.y < box.y + box.height <= 5 + height * (1 + 1e-6)
    assert all(_overlap(one, other) < area * 1e-6 for one, other in combinations(boxes, 2))


def test_tiles_lie_inside_their_parent_and_stay_closed_where_a_word_would_not_fit(mms):
    nodes = _nodes(mms, {"1A00": 5, "1A03": 2, "1A0Y": 3, "2C25": 10})
    boxes = treemap(nodes, 20, 400, 300, header=10, narrowest=30)
    assert all(boxes)
    for node, box in zip(nodes, boxes, strict=True):
        if node.parent is not None:
            above = boxes[node.parent]
            assert above.x < box.x < box.x + box.width < above.x + above.width
            assert above.y < box.y < box.y + box.height < above.y + above.height - 10 + 1e-9
    closed = treemap(nodes, 20, 60, 30, header=10, narrowest=30)
    assert [box is not None for box in closed] == [node.parent is None for node in nodes]


# words and colours


@pytest.mark.parametrize(
    "text, width, n_lines, lines",
    [
        ("one two three", 13, 1, ["one two three"]),
        ("one two three", 7, 2, ["one two", "three"]),
        ("one two three", 7, 1, ["one tw…"]),
        ("one two three four", 9, 2, ["one two", "three fo…"]),
        ("Gastroenteritis", 8, 3, ["Gastroe…"]),
        ("An extraordinarily long word", 6, 2, ["An", "extra…"]),
        ("Diseases, other", 9, 1, ["Diseases…"]),
        ("one", 2, 1, []),
        ("one", 9, 0, []),
        ("霍乱弧菌肠炎", 3, 2, ["霍乱弧", "菌肠炎"]),
    ],
)
def test_a_label_is_broken_into_lines_that_fit(text, width, n_lines, lines):
    assert wrap_text(text, width, n_lines, len) == lines


@given(st.text(alphabet="abc ,-\u2002é中", max_size=40), st.floats(1, 30), st.integers(0, 4))
def test_no_line_is_ever_wider_or_more_than_there_is_room(text, width, n_lines):
    lines = wrap_text(text, width, n_lines, len)
    assert len(lines) <= max(n_lines, 0)
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("background", [(0, 0, 0), (1, 1, 1), (0.9, 0.9, 0.9), (0.1, 0.1, 0.2)])
@pytest.mark.parametrize("share", [0.1, 0.38, 0.55, 0.85])
@pytest.mark.parametrize("colour", OKABE_ITO)
@STYLES
def test_text_can_be_read_on_every_fill(colour, share, background, style):
    fill = mixed(colour, share, background)
    with plt.style.context(style):
        assert contrast(matplotlib.colors.to_rgb(text_on(fill)), fill) >= 4.5


def test_widths_are_those_of_the_drawn_text():
    ax = plt.figure(figsize=(6, 1), dpi=72).add_axes((0, 0, 1, 1))
    text = ax.text(0, 0, "Gastroenteritis or colitis", fontsize=7)
    assert measure_text()("Gastroenteritis or colitis") == pytest.approx(text.get_window_extent().width, rel=0.05)


@pytest.mark.parametrize("value, text", [(0, "0"), (1234, "1,234"), (2.5, "2.5"), (0.3333, "0.333")])
def test_numbers_are_written_for_people(value, text):
    assert number_text(value) == text


def test_the_attribution_names_what_is_known():
    assert source_line({}) == "World Health Organization"
    origin = {"classification": "mms", "release": "2024-01", "licence": icdframes.Provenance("x", "mms").licence}
    assert source_line(origin) == "ICD-11 MMS 2024-01, World Health Organization, licence CC BY-ND 3.0 IGO"


# hierarchies


@pytest.mark.parametrize("title", ["word " * 4_000, "w" * 20_000], ids=["words", "one word"])
def test_a_title_without_an_end_is_cut_before_it_is_measured(new, monkeypatch, title):
    measured = []
    measure = measure_text()
    monkeypatch.setattr(hierarchy, "measure_text", lambda: lambda text: measured.append(text) or measure(text))
    entities = new.entities.assign(title=new.entities["title"].mask(new.entities["code"].eq("01"), title))
    ax = plot_hierarchy(replace(new, entities=entities))
    assert len(max(measured, key=len)) < 400
    assert len(measured) < 20 * len(ax.patches)
    assert any(title[:4] in text.get_text() and text.get_text().endswith("…") for text in ax.texts)


@pytest.mark.parametrize("kind", ["icicle", "treemap"])
@pytest.mark.parametrize("entity, style", [(None, "default"), ("10", "dark_background"), ("08", "ggplot")])
def test_a_hierarchy_can_be_read_at_paper_width(new, deaths, kind, entity, style):
    counts = None if entity == "10" else deaths["dx"].value_counts()
    with plt.style.context(style):
        ax = plot_hierarchy(new, entity=entity, counts=counts, kind=kind)
    assert ax.figure.get_figwidth() * 25.4 == pytest.approx(174)
    for dpi in (100, 150):
        ax.figure.set_dpi(dpi)
        _assert_readable(ax)
    lines = [text for text in ax.texts if text.get_text() != source_line(new.provenance.to_dict())]
    room = ax.get_window_extent()
    assert all(room.x0 <= text.get_window_extent().x0 <= text.get_window_extent().x1 <= room.x1 for text in lines)


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize(
    "draw",
    [
        lambda releases, _deaths, **options: plot_hierarchy(releases[1], **options),
        lambda releases, _deaths, **options: plot_hierarchy(releases[1], kind="treemap", **options),
        lambda releases, deaths, **options: plot_chapter_counts(deaths, releases[1], code="dx", by="sex", **options),
        lambda releases, _deaths, **options: plot_release_changes(compare_releases(*releases), *releases, **options),
    ],
    ids=["icicle", "treemap", "chapters", "changes"],
)
def test_every_figure_can_be_read_in_one_column_of_a_page(releases, deaths, draw, layout):
    figure, ax = plt.subplots(figsize=(84 / 25.4, 200 / 25.4), layout=layout)
    draw(releases, deaths, ax=ax, title="Deaths by underlying cause of death and sex, from 2021 to the end of 2024")
    _assert_readable(ax)
    assert ax.get_window_extent().width > figure.bbox.width / 2
    assert ax.get_title(loc="left").replace("\n", " ").endswith("sex, from 2021 to the end of 2024")
    assert "CC BY-ND 3.0 IGO" in " ".join(text.get_text().replace("\n", " ") for text in ax.texts)


def test_labels_stay_inside_their_nodes(new, deaths):
    ax = plot_hierarchy(new, counts=deaths["dx"].value_counts(), kind="treemap")
    ax.figure.canvas.draw()
    frames = [patch.get_window_extent() for patch in ax.patches]
    for text in ax.texts[1:]:
        box = text.get_window_extent()
        assert any(
            frame.x0 <= box.x0 and box.x1 <= frame.x1 + 1 and frame.y0 - 2 <= box.y0 and box.y1 <= frame.y1 + 2
            for frame in frames
        ), text.get_text()


def test_the_title_names_the_branch_and_what_is_counted(new, deaths):
    counts = deaths["dx"].value_counts()
    assert plot_hierarchy(new, counts=counts).get_title(loc="left") == "ICD-11 MMS 2024-01: 406 counted"
    assert (
        plot_hierarchy(new, entity="11", counts=counts).get_title(loc="left").endswith("circulatory system: 85 counted")
    )
    assert plot_hierarchy(new, title="").get_title(loc="left") == ""
    assert plot_hierarchy(new, title="Mine").get_title(loc="left") == "Mine"


def test_given_axes_are_drawn_in_and_given_back(new):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 4), layout="constrained")
    assert plot_hierarchy(new, entity="07", ax=left) is left
    assert plot_hierarchy(new, entity="10", ax=right, attribution=False) is right
    assert plt.get_fignums() == [figure.number]
    sources = [text.get_text() for ax in (left, right) for text in ax.texts if "World Health" in text.get_text()]
    assert len(sources) == 1


def test_a_transparent_background_takes_the_figures_colour(new):
    figure = plt.figure(figsize=(7, 4), facecolor="#101010")
    ax = plot_hierarchy(new, entity="07", ax=figure.add_axes((0, 0.1, 1, 0.8), facecolor="none"))
    assert max(ax.patches[0].get_facecolor()[:3]) < 0.5


def test_pieces_that_could_not_be_labelled_are_merged_unless_a_share_is_given(new):
    few = plot_hierarchy(new, entity="10")
    many = plot_hierarchy(new, entity="10", min_share=0)
    assert 3 * len(few.patches) < len(many.patches)


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"kind": "sunburst"}, ConfigurationError, "'icicle' or 'treemap'"),
        ({"levels": 0}, ConfigurationError, "1 or more"),
        ({"entity": "9Z99"}, EntityNotFoundError, "9Z99"),
        ({"entity": "1A00"}, ConfigurationError, "nothing to draw below 1A00"),
    ],
)
def test_what_cannot_be_drawn_is_told_before_a_figure_is_made(new, options, error, words):
    with pytest.raises(error, match=words):
        plot_hierarchy(new, **options)
    assert plt.get_fignums() == []


def test_the_full_classification_is_cut_to_what_can_be_read(full_size):
    tables = icdframes.read_tabulation(full_size / "mms" / "2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz")
    ax = plot_hierarchy(tables, levels=7, min_share=0)
    assert 100 < len(ax.patches) <= MOST
    plt.close(ax.figure)
    _assert_readable(plot_hierarchy(tables, kind="treemap"))


def test_small_chapters_that_are_put_together_are_named_and_no_part_is_white(new):
    counts = {"1A00": 500, "5A11": 300} | dict.fromkeys(["07", "08", "10", "11", "12", "13"], 1)
    ax = plot_hierarchy(new, counts=counts, width="single")
    note = " ".join(text.get_text().replace("\n", " ") for text in ax.texts)
    assert "other (6): 07, 08, 10, 11, 12, 13" in note
    width, height = ax.get_xlim()[1], ax.get_ylim()[1]
    rows = [patch for patch in ax.patches if patch.get_x() + patch.get_width() == pytest.approx(width)]
    assert len(rows) == len(ax.patches)
    assert sum(patch.get_height() for patch in rows if patch.get_x() == 0) == pytest.approx(height)


def test_a_figure_is_as_high_as_what_it_draws(new):
    assert plot_hierarchy(new, entity="1A03").figure.get_figheight() < plot_hierarchy(new).figure.get_figheight()


# counts by chapter


@pytest.mark.parametrize("by, style", [(None, "dark_background"), ("sex", "default")])
def test_counts_by_chapter_can_be_read_and_stand_in_the_order_of_the_classification(new, deaths, by, style):
    with plt.style.context(style):
        ax = plot_chapter_counts(deaths, new, code="dx", by=by)
    _assert_readable(ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    codes = [label.split()[0] for label in labels]
    assert codes == [*sorted(codes[:-1]), "missing"]
    assert sum(bar.get_width() for bar in ax.patches) == len(deaths)


def test_blocks_are_named_by_their_codes_and_no_id_is_shown(new):
    blocks = new.entities[new.entities["class_kind"] == "block"]
    bare = blocks[blocks["block_id"].isna()]["entity_id"].head(1).tolist()
    counts = rollup(pd.DataFrame({"code": ["1A00", "7A00", "XN8P1"]}), new, level="block")
    labels = [label.get_text().replace("\n", " ") for label in plot_chapter_counts(counts, new).get_yticklabels()]
    assert "7A00-7A0Z\u2002Insomnia disorders" in labels
    shown = " ".join(labels)
    assert "Block" not in shown
    assert [key for key in (*counts["group"], *bare) if key.isdigit() and key in shown] == []
    assert any(key.isdigit() for key in counts["group"])  # a block of the extension codes has neither


@pytest.mark.parametrize(
    "level, label", [("chapter", "I\u2002Certain infectious"), ("block", "A00-A09\u2002Intestinal")]
)
def test_groups_of_icd_10_are_named_by_their_codes_which_are_their_ids_too(level, label, shared_cache):
    with icdframes.connect("sandbox", cache_dir=shared_cache) as client:
        tables = client.load_tables(classification="icd10", release="2019", progress=False)
    counts = rollup(pd.DataFrame({"code": ["A00.1", "G47.3"]}), tables, level=level)
    labels = [text.get_text().replace("\n", " ") for text in plot_chapter_counts(counts, tables).get_yticklabels()]
    assert labels[0].startswith(label)


def test_hidden_counts_stay_hidden_and_totals_are_not_drawn(new, deaths):
    counts = rollup(deaths, new, code="dx", by="sex", min_count=5, totals=True)
    ax = plot_chapter_counts(counts, new)
    hidden = counts["is_suppressed"] & ~counts["is_total"]
    assert hidden.any()
    assert [text.get_text() for text in ax.texts].count("hidden") == hidden.sum()
    shown = counts.loc[~counts["is_total"], "n"].fillna(0)
    assert sum(bar.get_width() for bar in ax.patches) == shown.sum()
    assert max(bar.get_width() for bar in ax.patches) == shown.max()


def test_a_users_grouping_is_drawn_in_its_own_order(new, deaths):
    groups = {"8B00": "stroke", "8B11": "stroke", "8B20": "stroke", "BA41": "heart attack"}
    ax = plot_chapter_counts(rollup(deaths, new, code="dx", level=groups), new)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["stroke", "heart attack", "ungrouped", "missing"]


def test_missing_values_of_the_split_are_named(new, deaths):
    legend = plot_chapter_counts(deaths, new, code="dx", by="sex").get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["female", "male", "missing"]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda f, t: rollup(f, t, code="dx", by=["sex", "region"]), "sex, region.* count by one"),
        (lambda f, t: rollup(f, t, code="dx", by="age_years"), "more than 12 parts.*count by fewer"),
        (lambda f, t: rollup(f.head(0), t, code="dx"), "nothing to draw.*give rows"),
    ],
)
def test_what_cannot_be_shown_as_bars_is_refused(new, deaths, change, words):
    with pytest.raises(ConfigurationError, match=words):
        plot_chapter_counts(change(deaths, new), new)


def _many_codes(releases_new, n):
    categories = releases_new.entities.query("class_kind == 'category' and is_leaf")["code"].tolist()
    return pd.DataFrame({"dx": [code for place, code in enumerate(categories) for _ in range(1 + place % n)]})


def test_the_largest_groups_are_drawn_and_the_others_named_together(new):
    counts = rollup(_many_codes(new, 9), new, code="dx", level="block")
    ax = plot_chapter_counts(counts, new, top=5)
    labels = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    assert len(labels) == 5 + ("ungrouped" in labels)
    assert labels[-1] == f"other ({len(counts) - len(labels) + 1})"
    assert sum(bar.get_width() for bar in ax.patches) == counts["n"].sum()
    kept = counts[~counts["group"].eq("ungrouped")].nlargest(4, "n")["group"]
    ranges = new.entities.set_index("block_id")["code_range"]
    assert {label.split("\u2002")[0] for label in labels[:4]} == set(ranges[kept])
    whole = plot_chapter_counts(counts, new)
    assert whole.figure.get_figheight() * 25.4 < 235.5
    assert whole.get_yticklabels()[-1].get_text().startswith("other (")
    _assert_readable(whole)
    with pytest.raises(ConfigurationError, match="top"):
        plot_chapter_counts(counts, new, top=0)


def test_hidden_counts_among_the_others_are_told(new, deaths):
    counts = rollup(deaths, new, code="dx", min_count=5)
    assert counts["n"].isna().any()
    ax = plot_chapter_counts(counts, new, top=3)
    assert "and hidden counts" in ax.get_yticklabels()[-1].get_text()


@STYLES
@pytest.mark.parametrize("width", ["single", "double"])
def test_more_than_six_series_stand_in_one_bar(new, deaths, width, style):
    split = deaths.assign(age=deaths["age_years"].floordiv(10).mul(10).astype("Int64").astype("string"))
    split = split[split["age"].notna()]
    n_series = split["age"].nunique()
    assert 6 < n_series <= 12
    with plt.style.context(style):
        ax = plot_chapter_counts(split, new, code="dx", by="age", width=width)
    _assert_readable(ax)
    assert len(ax.get_legend().get_texts()) == n_series
    assert sum(bar.get_width() for bar in ax.patches) == len(split)
    looks = {(bar.get_facecolor(), bar.get_hatch()) for container in ax.containers for bar in container}
    assert len(looks) == n_series


# What an eye with one kind of cones missing, and a grey print, make of linear red, green and blue: Machado, Oliveira
# and Fernandes 2009, severity 1; the luminance of WCAG 2.
SIMULATIONS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}


def _cielab(colour, simulation):
    colour = np.asarray(colour[:3])
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIMULATIONS[simulation]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ seen / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@STYLES
@pytest.mark.parametrize(
    "simulation, least", [("protanopia", 12), ("deuteranopia", 12), ("tritanopia", 12), ("grey", 6)]
)
def test_neighbouring_series_differ_for_every_eye_and_in_a_grey_print(new, simulation, least, style):
    """Compare the drawn colours by their distance in CIELAB; one below 2.3 is hardly seen."""
    codes = new.entities["code"].dropna().head(6).tolist()
    frame = pd.DataFrame({"code": codes, "arm": list("abcdef")})
    with plt.style.context(style):
        ax = plot_chapter_counts(frame, new, by="arm")
    colours = [container.patches[0].get_facecolor() for container in ax.containers]
    assert len(colours) == 6
    seen = [_cielab(colour, simulation) for colour in colours]
    distances = [float(np.linalg.norm(one - other)) for one, other in pairwise(seen)]
    assert min(distances) >= least, distances


@STYLES
@pytest.mark.parametrize(
    "simulation, least", [("protanopia", 5), ("deuteranopia", 5), ("tritanopia", 5), ("grey", 1.5)]
)
def test_neighbouring_chapters_of_an_icicle_differ_for_every_eye(new, simulation, least, style):
    """All 28 chapters; a line in the colour of the page stands between two, so that grey may differ by less."""
    with plt.style.context(style):
        ax = plot_hierarchy(new, levels=1, min_share=0)
    rows = sorted(ax.patches, key=lambda patch: patch.get_y())
    assert len(rows) == new.entities["depth"].eq(0).sum()
    seen = [_cielab(row.get_facecolor(), simulation) for row in rows]
    distances = [float(np.linalg.norm(one - other)) for one, other in pairwise(seen)]
    assert min(distances) >= least, distances
    edges = [_cielab(row.get_edgecolor(), simulation) for row in rows]
    assert edges[0] == pytest.approx(_cielab(ax.figure.get_facecolor(), simulation))
    assert min(float(np.linalg.norm(one - other)) for one, other in zip(seen, edges, strict=True)) >= 8


@STYLES
@pytest.mark.parametrize("simulation", SIMULATIONS)
def test_more_changes_are_further_from_the_page_for_every_eye(new, simulation, style):
    ids = new.entities["entity_id"].head(120).tolist()
    kinds = [("added", 80), ("removed", 30), ("recoded", 9), ("retitled", 1)]
    rows = [(entity, kind) for kind, n in kinds for entity in ids[:n]]
    changes = pd.DataFrame(rows, columns=["entity_id", "change"])
    with plt.style.context(style):
        ax = plot_release_changes(changes, new, new)
    page = _cielab(ax.figure.get_facecolor(), simulation)
    far = {}
    for cell in ax.patches:
        (number,) = [text for text in ax.texts if np.hypot(*np.subtract(cell.get_center(), text.get_position())) < 0.3]
        far[int(number.get_text())] = float(np.linalg.norm(_cielab(cell.get_facecolor(), simulation) - page))
    assert {1, 9, 30, 80} <= far.keys()
    assert all(far[more] > far[less] + 2.3 for less, more in pairwise([1, 9, 30, 80])), far


def test_numbers_on_the_axis_are_written_in_full(new, deaths):
    large = rollup(deaths, new, code="dx").assign(n=lambda frame: frame["n"] * 100_000)
    for width in ("single", "double"):
        ax = plot_chapter_counts(large, new, width=width)
        _assert_readable(ax)
        ticks = [label.get_text() for label in ax.get_xticklabels()]
        assert len(ticks) >= 2
        assert all(re.fullmatch(r"\d{1,3}(,\d{3})*", tick) for tick in ticks)
        assert ax.xaxis.get_offset_text().get_text() == ""


def _draw(name, releases, deaths, width):
    """Return one of the figures that are looked at."""
    new = releases[1]
    if name == "changes":
        return plot_release_changes(compare_releases(*releases), *releases, width=width)
    if name in {"icicle", "treemap"}:
        return plot_hierarchy(new, counts=deaths["dx"].value_counts(), kind=name, width=width)
    by = {"chapters": None, "sexes": "sex"}[name]
    return plot_chapter_counts(deaths, new, code="dx", by=by, width=width, title="Deaths by chapter and sex")


FIGURES = ("chapters", "sexes", "icicle", "treemap", "changes")


@STYLES
@pytest.mark.parametrize("width, mm", [("single", 84), ("double", 174), (120, 120)])
@pytest.mark.parametrize("name", FIGURES)
def test_no_label_overlaps_or_is_cut_at_any_width(releases, deaths, name, width, mm, style):
    with plt.style.context(style):
        ax = _draw(name, releases, deaths, width)
    assert ax.figure.get_figwidth() * 25.4 == pytest.approx(mm)
    _assert_readable(ax)


@pytest.mark.parametrize("width", ["triple", 10, 2_000, -1])
def test_a_width_that_is_none_is_refused(new, width):
    with pytest.raises(ConfigurationError, match=r"'single' \(84 mm\), 'double'"):
        plot_hierarchy(new, width=width)
    assert plt.get_fignums() == []


BASELINE = Path(__file__).parent / "baseline"


@pytest.mark.parametrize("name", FIGURES)
def test_figures_look_as_they_did(releases, deaths, name, tmp_path):
    """Compare with the picture that was looked at; ICDFRAMES_WRITE_BASELINE=1 writes it anew, to be looked at."""
    compare = pytest.importorskip("matplotlib.testing.compare")
    image = pytest.importorskip("PIL.Image")
    drawn, expected = tmp_path / f"{name}.png", BASELINE / f"{name}.png"
    _draw(name, releases, deaths, "single").figure.savefig(drawn, dpi=72)
    if os.environ.get("ICDFRAMES_WRITE_BASELINE") == "1":
        shutil.copy(drawn, expected)
    versions = []
    for file in (drawn, expected):
        with image.open(file) as picture:
            size, made_by = picture.size, picture.info["Software"]
            versions.append(made_by.partition(",")[0])
    if versions[0] != versions[1]:
        pytest.skip(f"drawn by {versions[0]}, the picture that was looked at by {versions[1]}: letters differ")
    assert compare.compare_images(str(expected), str(drawn), tol=6) is None
    other = next(figure for figure in FIGURES if figure != name)
    with image.open(BASELINE / f"{other}.png") as picture:
        picture.resize(size).save(tmp_path / "other.png")
    assert compare.compare_images(str(tmp_path / "other.png"), str(drawn), tol=6) is not None


# changes of a release


@STYLES
def test_changes_are_counted_by_chapter_and_kind(releases, style):
    changes = compare_releases(*releases)
    with plt.style.context(style):
        ax = plot_release_changes(changes, *releases)
    _assert_readable(ax)
    assert ax.get_title(loc="left") == f"ICD-11 MMS 2024-01 compared with 2022-02: {len(changes)} changes"
    assert plot_release_changes(changes, *releases, title="").get_title(loc="left") == ""
    kinds = [label.get_text().replace("\n", "_") for label in ax.get_xticklabels()]
    rows = [label.get_text() for label in ax.get_yticklabels()]
    cells = {(round(t.get_position()[0]), round(t.get_position()[1])): t.get_text() for t in ax.texts}
    for place, kind in enumerate(kinds[:-1]):
        assert cells[place, len(rows) - 1] == str((changes["change"] == kind).sum())
    assert cells[len(kinds) - 1, len(rows) - 1] == str(len(changes))


def test_a_removed_entity_counts_in_its_old_chapter(releases):
    changes = compare_releases(*releases)
    gone = changes[changes["old_code"].eq("2B81.1") | changes["old_code"].eq("9D90.4")]
    ax = plot_release_changes(gone[gone["change"].eq("removed")], *releases)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["09\u2002Diseases of the visual system", "total"]


def test_axes_that_were_removed_are_refused(new, deaths):
    ax = plt.figure().add_subplot()
    ax.remove()
    with pytest.raises(ConfigurationError, match="belong to no figure: give those of one, or leave ax out"):
        plot_chapter_counts(rollup(deaths, new, code="dx"), new, ax=ax)


def test_no_change_is_no_figure(releases):
    with pytest.raises(ConfigurationError, match=r"Nothing changed.* compare two others"):
        plot_release_changes(compare_releases(releases[0], releases[0]), releases[0], releases[0])


# manners


def test_no_plot_shows_anything_or_changes_a_setting(releases, deaths, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *args, **options: pytest.fail("a plot called show"))
    before = dict(matplotlib.rcParams)
    plot_hierarchy(releases[1])
    plot_chapter_counts(deaths, releases[1], code="dx")
    ax = plot_release_changes(compare_releases(*releases), *releases)
    assert matplotlib.rcParams == before
    assert ax.get_title() == ""


@pytest.mark.parametrize(
    "draw",
    [
        lambda old, new, frame: plot_hierarchy(new),
        lambda old, new, frame: plot_chapter_counts(frame, new, code="dx"),
        lambda old, new, frame: plot_release_changes(compare_releases(old, new), old, new),
    ],
)
def test_without_matplotlib_the_extra_is_named(releases, deaths, draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=re.escape("icdframes[plots]")):
        draw(*releases, deaths)


@pytest.mark.parametrize(
    "suffix, mark", [(".pdf", b"%PDF"), (".svg", b"<svg"), (".eps", b"%!PS"), (".png", b"\x89PNG")]
)
def test_a_figure_is_written_at_its_size_with_its_text(new, tmp_path, suffix, mark):
    path = save_figure(plot_hierarchy(new, entity="07"), tmp_path / f"figure{suffix}")
    content = path.read_bytes()
    assert mark in content[:2000]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    if suffix == ".pdf":
        assert b"/FontFile2" in content
        assert b"/Type3" not in content
        width = float(re.search(rb"/MediaBox \[\s*0 0 ([\d.]+)", content)[1])
        assert width == pytest.approx(174 / 25.4 * 72, abs=0.01)
    if suffix == ".png":
        assert int.from_bytes(content[16:20]) == pytest.approx(174 / 25.4 * 300, abs=1)


def test_a_whole_figure_can_be_given_and_settings_stay(new, tmp_path):
    before = dict(matplotlib.rcParams)
    save_figure(plot_hierarchy(new, entity="07").figure, tmp_path / "figure.svg")
    assert matplotlib.rcParams == before


def test_nothing_is_overwritten_or_half_written(new, tmp_path, monkeypatch):
    ax = plot_hierarchy(new, entity="07")
    path = save_figure(ax, tmp_path / "figure.svg")
    before = path.read_bytes()
    with pytest.raises(ExportError, match="overwrite=True"):
        save_figure(ax, path)
    with pytest.raises(ExportError, match=re.escape(".pdf or .svg")):
        save_figure(ax, tmp_path / "figure.jpeg")
    monkeypatch.setattr(type(ax.figure), "savefig", lambda self, file, **options: (file.write_text("half"), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        save_figure(ax, path, overwrite=True)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["figure.svg"]


# the example


@pytest.mark.parametrize("classification, rows, first", [("mms", 421, 2021), ("icd10", 233, 2018)])
def test_the_example_of_deaths_is_typed_and_faulty_on_purpose(classification, rows, first):
    frame = example_deaths(classification)
    dtypes = [schema_dtype(column).partition("[")[0] for _, column in frame.items()]
    assert dtypes == ["str", "datetime64", "int64", "str", "str", "str"]
    assert len(frame) == rows == frame["person_id"].nunique()
    assert frame["date"].min().year == first
    assert frame["dx"].isna().any()
    assert set(frame["sex"].dropna()) == {"female", "male"}


def test_an_unknown_example_is_told():
    with pytest.raises(ConfigurationError, match="Did you mean 'icd10'"):
        example_deaths("icd_10")
