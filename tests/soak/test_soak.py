"""A short run of ``soak.py``; the long one is run by hand."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = str(Path(__file__).with_name("soak.py"))


@pytest.mark.slow
def test_eight_hundred_entities_at_five_percent_faults_are_complete():
    entities = 800
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, "--entities", str(entities)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["complete"]
    assert report["entities"] == entities
    assert report["requests"] > entities * 1.03
    assert report["spoilt"] > entities * 0.03
    assert (report["files_left_open"], report["threads_left"]) == ([], [])
    assert report["tokens"] <= 10


GOOD = {
    "entities": 200_000,
    "complete": True,
    "kilobytes_per_entity_by_quarter": [3.7, 2.1, 1.1, 1.2],
    "files_left_open": [],
    "threads_left": [],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"kilobytes_per_entity_by_quarter": [3.7, 1.2, 1.1, 2.1]}, ["2.1 kB an entity"]),
        ({"kilobytes_per_entity_by_quarter": [3.7, 1.2, 5.0, 1.2]}, ["5.0 kB an entity"]),
        ({"kilobytes_per_entity_by_quarter": [9.0, 9.0, 9.0, 9.0], "entities": 800}, []),
        ({"complete": False, "threads_left": ["one"]}, ["threads_left", "not complete"]),
    ],
)
def test_a_long_run_fails_where_memory_grows_or_something_is_left(change, words):
    assert runpy.run_path(SCRIPT)["shortcomings"](GOOD | change) == words
