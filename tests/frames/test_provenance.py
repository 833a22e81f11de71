"""Provenance is a plain value that survives JSON and never runs as HTML."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from icdframes import settings
from icdframes.errors import FileFormatError
from icdframes.frames.entity_tables import read_tables
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.settings import licence_of


def test_a_provenance_comes_back_from_json_as_it_was(provenance):
    full = replace(provenance, languages=("en", "es"), root="1", depth=2, include=("diagnosticCriteria",), n_failures=1)
    values = json.loads(json.dumps(full.to_dict()))
    assert Provenance.from_dict(values | {"from_the_future": 1}) == full
    assert values["language"] == "en"
    assert values["licence"] == settings.LICENCE


@pytest.mark.parametrize("values", [{}, {"server": "x"}, {"server": 1, "classification": "mms"}])
def test_other_values_are_no_provenance(values):
    with pytest.raises(FileFormatError, match="no provenance"):
        Provenance.from_dict(values)


@pytest.mark.parametrize("classification, words", [("mms", "CC BY-ND"), ("icf", "ICF"), ("icd10", "ICD-10")])
def test_each_classification_names_the_who_as_its_source(classification, words):
    assert words in licence_of(classification)
    assert "World Health Organization" in licence_of(classification)


def test_one_line_cites_everything(provenance):
    assert provenance.cite() == (
        f"{settings.LICENCE}. mms release 2024-01 en, retrieved on 2026-11-24 from https://id.who.int "
        f"with icdframes {provenance.package_version}."
    )
    assert "release" not in Provenance("a.txt", "icf", languages=()).cite()


def test_a_sample_is_named_as_one_wherever_it_is_shown_and_stored(icd_client, tmp_path):
    tables = icd_client.load_tables("1A00")
    again = read_tables(tables.to_csv(tmp_path / "cholera"))
    for shown in (tables, again):
        assert f"the sandbox's sample, {icd_client.base_url}" in repr(shown)
        assert "from the sandbox's sample with icdframes" in shown.provenance.cite()
    assert again.provenance == tables.provenance
    assert again.entities.attrs["provenance"]["server"] == icd_client.base_url


def test_of_another_server_nothing_is_stored_but_its_address(provenance):
    assert "is_sample" not in provenance.to_dict()
    assert ("source", "https://id.who.int") in provenance.rows()


def test_text_and_html_tell_what_was_loaded_and_escape_it(provenance):
    nasty = replace(provenance, server="<script>alert(1)</script>", root="1", depth=2, complete=False, n_failures=3)
    assert "entity 1, 2 levels below it" in str(nasty)
    assert "no, 3 entities failed" in str(nasty)
    html = nasty._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "background:transparent" in html


def test_moments_are_written_in_utc():
    assert utc_text(datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2023-12-31T23:00:00Z"
