"""Another client, unmodified, sees in the sandbox what icdframes sees."""

import gc

import pytest
from simple_icd_11 import ICDExplorer

import icdframes
from icdframes.sandbox import Sandbox


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # simple-icd-11 leaves its connections open
def test_simple_icd_11_walks_the_sample_and_agrees_with_our_table(tmp_path):
    with Sandbox(authenticate=False) as sandbox, icdframes.connect(sandbox.url, cache_dir=tmp_path) as client:
        explorer = ICDExplorer("en", "", "", customUrl=sandbox.url + "/", release="2024-01")
        for chapter in ("07", "25"):
            frame = client.load_entity(chapter, release="2024-01")
            root = explorer.getEntityFromCode(chapter)
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
                assert [child.getId() for child in entity.getChildren()] == _children(frame, entity.getId())
        gc.collect()


def _children(frame, entity_id):
    return frame.entity_id[frame.parent_id == entity_id].tolist()
