"""No hidden cell can be worked out, as linear algebra confirms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from icdframes.analysis.disclosure_control import _bridges, hidden_cells
from icdframes.analysis.rollup import rollup


def with_totals(inner):
    rows = np.vstack([inner, inner.sum(axis=0)])
    return np.hstack([rows, rows.sum(axis=1, keepdims=True)]).astype(float)


def recoverable(table, hidden):
    """Return the hidden cells that the linear equations of rows and columns determine, by plain linear algebra."""
    place = {tuple(cell): number for number, cell in enumerate(np.argwhere(hidden))}
    n_rows, n_columns = table.shape
    lines = [[(row, column) for column in range(n_columns)] for row in range(n_rows)]
    lines += [[(row, column) for row in range(n_rows)] for column in range(n_columns)]
    equations = np.zeros((len(lines), len(place)))
    for number, line in enumerate(lines):
        for at, cell in enumerate(line):
            if cell in place:
                equations[number, place[cell]] = -1 if at == len(line) - 1 else 1
    _, sizes, directions = np.linalg.svd(equations)
    free = directions[(sizes > 1e-9).sum() :]
    return [cell for cell, number in place.items() if np.abs(free[:, number]).max(initial=0) < 1e-9]


counts = st.one_of(st.integers(0, 6), st.integers(0, 200))
inner_tables = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=counts)
)


@pytest.mark.slow
@given(inner_tables, st.integers(1, 12))
@settings(max_examples=300, deadline=None)
def test_no_hidden_cell_can_be_had_by_subtraction(inner, min_count):
    table = with_totals(inner)
    hidden = hidden_cells(table, min_count)
    assert not recoverable(table, hidden)


@given(inner_tables, st.integers(2, 12))
@settings(max_examples=200, deadline=None)
def test_every_small_cell_is_hidden_and_no_small_sum_of_hidden_cells_is_visible(inner, min_count):
    table = with_totals(inner)
    hidden = hidden_cells(table, min_count)
    assert hidden[(table > 0) & (table < min_count)].all()
    for cells, mask in ((table, hidden), (table.T, hidden.T)):
        for values, covered in zip(cells, mask, strict=True):
            if covered[:-1].any() and not covered[-1]:
                assert values[:-1][covered[:-1]].sum() >= min_count


@given(inner_tables)
def test_a_table_without_small_cells_stays_whole(inner):
    table = with_totals(np.where(inner == 0, 0, inner + 5))
    assert not hidden_cells(table, 5).any()


def test_linear_algebra_finds_what_is_badly_hidden():
    table = with_totals(np.array([[3, 40], [20, 30]]))
    hidden = np.zeros(table.shape, dtype=bool)
    hidden[0, 0] = True
    assert recoverable(table, hidden) == [(0, 0)]


def test_two_in_each_line_are_not_enough_where_a_cell_joins_two_circles():
    inner = np.full((5, 5), 50)
    inner[:2, :2] = inner[3:, 3:] = 2
    inner[0, 3] = 1
    assert not recoverable(with_totals(inner), hidden_cells(with_totals(inner), 5))


def test_totals_and_zeros_are_hidden_last():
    hidden = hidden_cells(with_totals(np.array([[2, 30, 0, 90], [10, 20, 0, 90], [0, 50, 0, 90]])), 5)
    assert np.argwhere(hidden).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_large_table_is_done_in_reasonable_time():
    chance = np.random.default_rng(1)
    table = with_totals(chance.poisson(3, (60, 120)) * chance.integers(0, 40, (60, 120)))
    hidden = hidden_cells(table, 5)
    assert next(_bridges(hidden), None) is None
    assert hidden.mean() < 0.5


deaths = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1A00", "1A03", "2C25", "?"])), min_size=1)


@pytest.mark.slow
@given(rows=deaths)
@settings(max_examples=25, deadline=None)
def test_a_published_rollup_gives_no_small_cell_away(mms, rows):
    frame = pd.DataFrame(rows, columns=["sex", "code"])
    safe = rollup(frame, mms, by="sex", min_count=3, zeros=True, totals=True)
    truth = pd.crosstab(frame["sex"], frame["code"].map({"1A00": "01", "1A03": "01", "2C25": "02", "?": "unknown"}))
    groups = sorted(truth.columns)
    table = with_totals(truth[groups].to_numpy())
    place = {sex: row for row, sex in enumerate(truth.index)}
    hidden = np.zeros(table.shape, dtype=bool)
    for cell in safe.itertuples():
        row = place.get(cell.sex, len(place))
        if cell.group in {*groups, "total"}:
            column = len(groups) if cell.group == "total" else groups.index(cell.group)
            hidden[row, column] = cell.is_suppressed
            assert cell.is_suppressed or cell.n == table[row, column]
        else:
            assert cell.is_suppressed or cell.n == 0
    assert not table[~hidden & (table > 0)].min(initial=3) < 3
    helpers = safe["is_suppressed"] & ~safe["group"].isin([*groups, "total"])  # empty groups that were hidden too
    assert helpers.any() or not recoverable(table, hidden)


@pytest.mark.slow
@given(rows=deaths)
@settings(max_examples=5, deadline=None)
def test_the_same_cells_are_hidden_whether_or_not_totals_are_shown(mms, rows):
    options = {"by": "sex", "min_count": 3, "zeros": True}
    frame = pd.DataFrame(rows, columns=["sex", "code"])
    with_their_totals, inner = rollup(frame, mms, totals=True, **options), rollup(frame, mms, **options)
    hidden = with_their_totals.loc[~with_their_totals["is_total"], "is_suppressed"]
    assert inner["is_suppressed"].tolist() == hidden.tolist()
