"""A short run of ``soak.py``; the long one is run by hand."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = str(Path(__file__).with_name("soak.py"))


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
