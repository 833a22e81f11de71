"""How that analysis is tested without the network and without an account."""

import pytest
from sleep import disorders_by_block

import icdframes

pytest_plugins = ["icdframes.testing"]


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("dx,sex\n7A00,f\n7A00,f\n7A20.0,m\n1A00,m\n", encoding="utf-8")
    return path


def test_visits_are_counted_by_block_and_sex(icd_client, visits):
    counts = disorders_by_block(visits, release="2024-01")
    found = set(counts[["sex", "title", "n"]].fillna("-").itertuples(index=False, name=None))
    assert found == {("f", "Insomnia disorders", 2), ("m", "Hypersomnolence disorders", 1), ("m", "-", 1)}


def test_a_second_run_asks_the_server_for_nothing(icd_client, icd_sandbox, visits):
    disorders_by_block(visits, release="2024-01")
    icd_sandbox.clear_log()
    disorders_by_block(visits, release="2024-01")
    assert icd_sandbox.log == []


def test_an_entity_that_cannot_be_had_is_named_and_not_left_out(icd_client, icd_sandbox, visits):
    icd_sandbox.fail("*/323148092", status=400, times=None)
    with pytest.raises(icdframes.errors.TraversalError, match="323148092"):
        disorders_by_block(visits, release="2024-01")
