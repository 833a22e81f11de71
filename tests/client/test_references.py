"""What a user calls an entity is read as every other verb reads codes; blocks are found from the top down."""

import pytest

from icdframes.client.references import EntityReference, read_reference
from icdframes.errors import CodeSyntaxError, EntityNotFoundError


@pytest.mark.parametrize(
    ("text", "classification", "kind", "name"),
    [
        ("1A00", "mms", "code", "1A00"),
        (" 1a00\u00a0", "mms", "code", "1A00"),
        ("3B11Z", "mms", "code", "3B11.Z"),
        ("1A00/", "mms", "code", "1A00"),
        ("01", "mms", "code", "01"),
        ("257068234", "mms", "id", "257068234"),
        ("blockl1-1a0", "mms", "block", "BlockL1-1A0"),
        ("ZZ9999", "mms", "code", "ZZ9999"),  # perhaps of a later release: the server tells
        ("b110", "icf", "code", "b110"),
        ("B110", "icf", "code", "b110"),
        ("b1", "icf", "block", "b1"),
        ("BlockL3-b11", "icf", "block", "BlockL3-b11"),
        ("a000", "icd10", "id", "A00.0"),
        ("I10X", "icd10", "id", "I10"),
        ("A39.0+", "icd10", "id", "A39.0"),
        ("A00\u2013A09", "icd10", "id", "A00-A09"),
        ("I20-25", "icd10", "id", "I20-I25"),
        ("v", "icd10", "id", "V"),
    ],
)
def test_an_entity_is_read_in_every_spelling(text, classification, kind, name):
    assert read_reference(text, classification) == EntityReference(name, kind)


@pytest.mark.parametrize(
    ("text", "classification", "message"),
    [
        ("1A00 2C25", "mms", "holds 2 codes, 1A00, 2C25: give them as a list"),
        ("1A00&XN8P1", "mms", "is a cluster of several codes"),
        ("1A00-1A0Z", "mms", "is a range of codes"),
        ("no code", "mms", "is no code, id or URI"),
        ("A00-A09", "mms", "is written like a block of ICD-10: give the classification 'icd10'"),
        ("A00 B20", "icd10", "is no chapter, block or category of ICD-10"),
    ],
)
def test_what_names_no_one_entity_is_refused_with_the_reason(text, classification, message):
    with pytest.raises(CodeSyntaxError, match=message):
        read_reference(text, classification)


@pytest.mark.parametrize("name", ["BlockL1-1A0", "blockl1-1a0"])
def test_a_block_is_loaded_by_its_id(icd_client, name):
    by_id = icd_client.load_entity("588616678", release="2024-01")
    assert icd_client.load_entity(name, release="2024-01").equals(by_id)
    inner = icd_client.load_entity("BlockL2-1A0", release="2024-01", depth=0)
    assert inner["entity_id"].tolist() == ["135352227"]


def test_a_block_that_is_not_there_is_told(icd_client):
    for name in ("BlockL1-9A9", "BlockL3-1A0", "BlockL1-VA1"):
        with pytest.raises(EntityNotFoundError, match=f"No block '{name}'"):
            icd_client.load_entity(name, release="2024-01")


def test_several_entities_are_loaded_with_each_row_once(icd_client):
    both = icd_client.load_entity(["1a00", "BlockL2-1A0", "BA41"], release="2024-01")
    assert both["entity_id"].is_unique
    assert {"1A00", "BA41", "1A03"} <= set(both["code"].dropna())


def test_each_code_of_a_cell_is_decoded(icd_client):
    told = icd_client.decode_codes(["1A00&XN8P1, 2C25.2", "5A11"], release="2024-01")
    assert told["value"].tolist() == ["1A00&XN8P1, 2C25.2"] * 3 + ["5A11"]
    assert told["cluster"].tolist() == ["1A00&XN8P1"] * 2 + ["2C25.2", "5A11"]
    assert told.index.tolist() == [0, 0, 0, 1]
    assert told["status"].eq("ok").all()
