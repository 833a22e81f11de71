"""A client that others wrote talks to the sandbox unmodified, and sees in it what icdframes sees."""

import gc
import warnings

import pytest

import icdframes
from icdframes.sandbox import load_corpus

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    peer = pytest.importorskip("simple_icd_11")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # it leaves its connections open


@pytest.fixture
def explore(start):
    """Return a function that lets the other client explore a sandbox."""

    def begin(language="en", sandbox=None, **options):
        url = (sandbox or start(authenticate=False)).url
        return peer.ICDExplorer(language, "", "", customUrl=url + "/", **options)

    yield begin
    gc.collect()


def test_simple_icd_11_reads_entities_of_the_sandbox(explore):
    explorer = explore()
    cholera = explorer.getEntityFromCode("1A00")
    assert (cholera.getId(), cholera.getTitle(), cholera.getDefinition()) == ("11", "Cholera", "A gut infection.")
    assert cholera.getDiagnosticCriteria() == "Stool."
    assert [above.getTitle() for above in cholera.getAncestors()] == ["Of the gut", "Infections"]
    assert [axis.getAxisName() for axis in cholera.getPostcoordinationScale()] == [
        "infectiousAgent",
        "specificAnatomy",
        "associatedWith",
    ]
    assert [other.getCode() for other in cholera.getExclusion()] == ["2A00.Y"]
    residual = explorer.getEntityFromId("10/unspecified")
    assert (residual.getCode(), residual.isResidual()) == ("1A0Z", True)
    with pytest.raises(LookupError):
        explorer.getEntityFromCode("9Z99")


def test_simple_icd_11_refuses_a_language_that_the_sandbox_lacks(explore):
    with pytest.raises(LookupError):
        explore("onion")


@pytest.mark.slow
@pytest.mark.parametrize("chapter", ["07", "25"])
def test_simple_icd_11_walks_the_sample_and_agrees_with_our_table(start, explore, tmp_path, chapter):
    sandbox = start(load_corpus(), authenticate=False)
    with icdframes.connect(sandbox.url, cache_dir=tmp_path) as client:
        frame = client.load_entity(chapter, release="2024-01")
    root = explore(sandbox=sandbox, release="2024-01").getEntityFromCode(chapter)
    theirs = [root, *root.getDescendants()]
    assert sorted(entity.getId() for entity in theirs) == sorted(frame.entity_id)
    ours = frame.set_index("entity_id")
    for entity in theirs:
        row = ours.loc[entity.getId()]
        assert entity.getTitle() == row.title
        assert entity.getCode() == ("" if row.isna().code else row.code)
        assert entity.getClassKind() == row.class_kind
        assert entity.isResidual() == row.is_residual
        assert entity.getBlockId() == ("" if row.isna().block_id else row.block_id)
        children = frame.entity_id[frame.parent_id == entity.getId()].tolist()
        assert [child.getId() for child in entity.getChildren()] == children
