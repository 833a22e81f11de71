"""Two releases compared: each kind of change has its row, and what cannot be compared is told."""

from dataclasses import replace

import pandas as pd
import pytest

from icdframes.analysis.compare import CHANGES, affected_codes, compare_releases
from icdframes.errors import ComparabilityWarning, ConfigurationError
from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import Entity, EntityGraph

OLD = {
    "1": {"title": "Chapter", "code": "01", "class_kind": "chapter", "child_ids": ("2", "3", "6")},
    "2": {"title": "Two", "code": "1A00", "parent_ids": ("1",), "child_ids": ("4",)},
    "3": {"title": "Three", "code": "1A01", "parent_ids": ("1",), "definition": "Before."},
    "4": {"title": "Four", "code": "1A00.0", "parent_ids": ("2",)},
    "6": {"title": "Six", "code": "1A02", "parent_ids": ("1",)},
}
NEW = {
    "1": {"title": "Chapter", "code": "01", "class_kind": "chapter", "child_ids": ("2", "3", "5")},
    "2": {"title": "Second", "code": "1A02", "parent_ids": ("1",)},
    "3": {"title": "Three", "code": "1A01", "class_kind": "block", "parent_ids": ("1",), "child_ids": ("4",),
          "definition": "After.", "coding_note": "New note."},
    "4": {"title": "Four", "code": "1A01.0", "parent_ids": ("3",)},
    "5": {"title": "Five", "code": "1A03", "parent_ids": ("1",), "coding_note": "Note."},
}  # fmt: skip


def _tables(entities, release="2022-02", **provenance):
    known = {
        key: Entity(
            uri=f"http://id.who.int/icd/release/11/mms/{key}", entity_id=key, **({"class_kind": "category"} | e)
        )
        for key, e in entities.items()
    }
    return build_tables(
        EntityGraph(("1",), known), Provenance("test", "mms", release, **provenance), chapters={"1": "01"}
    )


@pytest.fixture
def changes():
    return compare_releases(_tables(OLD), _tables(NEW, "2024-01"))


def test_each_kind_of_change_has_a_row_of_its_own(changes):
    assert list(zip(changes["entity_id"], changes["change"], strict=True)) == [
        ("2", "leaf_changed"),
        ("2", "recoded"),
        ("2", "retitled"),
        ("3", "kind_changed"),
        ("3", "leaf_changed"),
        ("3", "text_changed"),
        ("4", "moved"),
        ("4", "recoded"),
        ("5", "added"),
        ("6", "removed"),
    ]
    assert set(changes["change"]) == set(CHANGES)


def test_a_row_tells_before_and_after(changes):
    rows = changes.set_index(["entity_id", "change"])
    assert rows.loc[("2", "retitled"), ["old_title", "new_title"]].tolist() == ["Two", "Second"]
    assert rows.loc[("4", "moved"), ["old_parent_id", "new_parent_id"]].tolist() == ["2", "3"]
    assert rows.loc[("3", "leaf_changed"), ["old_is_leaf", "new_is_leaf"]].tolist() == [True, False]
    assert rows.loc[("3", "text_changed"), ["old_definition", "new_definition"]].tolist() == ["Before.", "After."]
    assert rows.loc[("5", "added"), ["old_code", "old_is_leaf"]].isna().all()
    assert rows.loc[("6", "removed"), ["new_code", "new_title"]].isna().all()


def test_a_text_that_one_side_does_not_have_at_all_is_not_compared(changes):
    assert changes.set_index("change").loc["text_changed", "fields"] == "definition"
    bare = {key: {name: value for name, value in e.items() if name != "definition"} for key, e in NEW.items()}
    assert "text_changed" not in set(compare_releases(_tables(OLD), _tables(bare))["change"])


def test_only_text_changes_name_fields(changes):
    assert (changes["fields"].notna() == changes["change"].eq("text_changed")).all()


def test_a_further_parent_counts_as_moved():
    second = {**OLD, "4": {**OLD["4"], "parent_ids": ("2", "3")}, "3": {**OLD["3"], "child_ids": ("4",)}}
    changes = compare_releases(_tables(OLD), _tables(second))
    moved = changes[changes["change"] == "moved"]
    assert moved[["entity_id", "old_parent_id", "new_parent_id"]].to_numpy().tolist() == [["4", "2", "2 3"]]


def test_nothing_changed_gives_no_rows_and_the_same_columns(changes):
    same = compare_releases(_tables(OLD), _tables(OLD))
    assert len(same) == 0
    assert {name: str(dtype) for name, dtype in same.dtypes.items()} == {
        name: str(dtype) for name, dtype in changes.dtypes.items()
    }


def test_provenance_names_both_releases_and_the_licence(changes):
    told = changes.attrs["provenance"]
    assert (told["old_release"], told["new_release"]) == ("2022-02", "2024-01")
    assert "CC BY-ND 3.0 IGO" in told["licence"]


def test_different_classifications_are_refused():
    other = _tables(NEW)
    with pytest.raises(ConfigurationError, match="Cannot compare mms with icf"):
        compare_releases(_tables(OLD), replace(other, provenance=replace(other.provenance, classification="icf")))


def test_different_languages_are_warned_of_and_their_texts_left_alone():
    with pytest.warns(ComparabilityWarning, match="in en, the new ones in es: titles and texts are not compared"):
        changes = compare_releases(_tables(OLD), _tables(NEW, languages=("es",)))
    assert not {"retitled", "text_changed"} & set(changes["change"])
    assert "recoded" in set(changes["change"])


def test_different_branches_are_warned_of():
    with pytest.warns(ComparabilityWarning, match="begin at 1, the new ones at the top"):
        compare_releases(_tables(OLD, root="1"), _tables(NEW))


def test_affected_codes_counts_my_codes_and_shows_a_code_that_changed_its_meaning(changes):
    affected = affected_codes(changes, ["1A02", "1a02", "1A02", None, "1A00.0", "XX99", "01", "not a code"])
    told = affected[["code", "n", "role", "entity_id", "change"]].to_numpy().tolist()
    assert told == [
        ["1A00.0", 1, "old", "4", "moved"],
        ["1A00.0", 1, "old", "4", "recoded"],
        ["1A02", 2, "old", "6", "removed"],
        ["1A02", 2, "new", "2", "recoded"],
        ["1a02", 1, "old", "6", "removed"],
        ["1a02", 1, "new", "2", "recoded"],
    ]
    assert affected.attrs["provenance"]["new_release"] == "2024-01"


@pytest.mark.parametrize(
    "written",
    ["1A00.0", "1a000", " 1A00.0 ", "1A00.0&XN8P1", "XN8P1&1A000", "2A00/1a00.0", "2A00%261A00.0", "1A00.0/1A000"],
)
def test_affected_codes_reads_the_spellings_that_annotate_reads_and_every_code_of_a_cluster(changes, written):
    affected = affected_codes(changes, [written])
    assert affected[["code", "n", "role", "change"]].to_numpy().tolist() == [
        [written, 1, "old", "moved"],
        [written, 1, "old", "recoded"],
    ]


def test_a_cluster_of_two_changed_codes_has_the_changes_of_both(changes):
    affected = affected_codes(changes, ["1A00.0&1A02"])
    assert affected["entity_id"].tolist() == ["4", "4", "6", "2"]


def test_affected_codes_knows_blocks_and_chapters_by_their_exact_code():
    changes = pd.DataFrame(
        {
            "entity_id": ["1", "2", "3"],
            "change": ["recoded", "removed", "removed"],
            "old_code": ["A00-A09", "01", "V"],
            "new_code": ["A00-A08", None, None],
        }
    )
    affected = affected_codes(changes, ["A00-A09", "01", "A00", "V", "v ", "A00-A08"])
    assert affected["code"].tolist() == ["01", "A00-A08", "A00-A09", "V"]


def test_affected_codes_takes_cells_apart_as_flag_does():
    changes = pd.DataFrame({"entity_id": ["1"], "change": ["removed"], "old_code": ["A00.0"], "new_code": [None]})
    uri = "http://id.who.int/icd/release/10/2019/A00.0"
    affected = affected_codes(changes, ["A00.0/1", "M8500/3", "A00.0 & B20", "A00.0†/G01*", uri])
    assert affected["code"].tolist() == ["A00.0 & B20", "A00.0†/G01*", uri]


def test_affected_codes_of_nothing_is_empty(changes):
    assert len(affected_codes(changes, [])) == 0
    assert len(affected_codes(changes.iloc[:0], ["1A02"])) == 0


@pytest.mark.full_size
def test_every_change_from_mms_2022_02_to_2024_01_is_found(mms_2022, mms_2024):
    changes = compare_releases(mms_2022, mms_2024)
    assert changes["change"].value_counts().drop("leaf_changed").to_dict() == {
        "added": 645,
        "removed": 60,
        "recoded": 15,
        "retitled": 287,
        "kind_changed": 4,
        "moved": 36,
    }
    removed = affected_codes(changes, mms_2022.entities["code"]).query("change == 'removed'")
    assert removed["code"].nunique() == mms_2022.entities.set_index("entity_id").loc[
        changes.loc[changes["change"] == "removed", "entity_id"], "code"
    ].notna().sum()  # fmt: skip
