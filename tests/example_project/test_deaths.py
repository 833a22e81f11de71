"""How that analysis is tested without the network and without an account."""

import pytest
from deaths import deaths_by_chapter

import icdframes

pytest_plugins = ["icdframes.testing"]


@pytest.fixture
def deaths(tmp_path):
    path = tmp_path / "deaths.csv"
    path.write_text("cause,sex\n1A00,f\n1A00,f\n7A00,m\nnonsense,m\n", encoding="utf-8")
    return path


def test_deaths_are_counted_by_chapter_and_sex(icd_client, deaths):
    counts = deaths_by_chapter(deaths, release="2024-01")
    found = set(counts[["sex", "group", "n"]].itertuples(index=False, name=None))
    assert found == {("f", "01", 2), ("m", "07", 1), ("m", "unknown", 1)}


def test_a_second_run_asks_the_server_for_nothing(icd_client, icd_sandbox, deaths):
    deaths_by_chapter(deaths, release="2024-01")
    icd_sandbox.clear_log()
    deaths_by_chapter(deaths, release="2024-01")
    assert icd_sandbox.log == []


def test_an_entity_that_cannot_be_had_is_named_and_not_left_out(icd_client, icd_sandbox, deaths):
    icd_sandbox.fail("*/257068234", status=400, times=None)
    with pytest.raises(icdframes.errors.TraversalError, match="257068234"):
        deaths_by_chapter(deaths, release="2024-01")
