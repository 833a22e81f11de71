import pytest

import icdframes
from icdframes.errors import ConfigurationError, EntityNotFoundError, MissingExtraError

KINDS = ["icicle", "treemap", "sunburst"]


@pytest.fixture
def tables(icd_client):
    return icd_client.load_tables("07", release="2024-01")


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_hangs_below_a_larger_one(tables, kind):
    pytest.importorskip("plotly")
    (trace,) = icdframes.interactive_hierarchy(tables, kind=kind, min_share=0).data
    assert trace.type == kind
    assert kind == "treemap" or trace.leaf.opacity == 1
    values = dict(zip(trace.ids, trace.values, strict=True))
    assert values["all"] == 73
    for parent in set(trace.parents) - {""}:
        below = sum(value for value, above in zip(trace.values, trace.parents, strict=True) if above == parent)
        assert below <= values[parent]


def test_own_counts_title_and_attribution_are_shown_as_text(tables):
    pytest.importorskip("plotly")
    figure = icdframes.interactive_hierarchy(tables, counts={"7A00": 5}, title="<img src=x>")
    assert figure.data[0].values[0] == 5
    assert figure.layout.title.text == "&lt;img src=x&gt;"
    assert "CC BY-ND 3.0 IGO" in figure.layout.annotations[0].text


@pytest.mark.parametrize(
    "options,error",
    [
        ({"kind": "pie"}, ConfigurationError),
        ({"levels": 0}, ConfigurationError),
        ({"entity": "1A00"}, EntityNotFoundError),
    ],
)
def test_what_cannot_be_drawn_is_said(tables, options, error):
    pytest.importorskip("plotly")
    with pytest.raises(error):
        icdframes.interactive_hierarchy(tables, **options)


def test_without_plotly_the_install_line_is_named(tables, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtraError, match=r"icdframes\[interactive\]"):
        icdframes.interactive_hierarchy(tables)
