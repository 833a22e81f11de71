"""The benchmarks run and write what they promise; the figures themselves are for quiet machines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SMALL = {
    "walk": ["--entities", "60", "--delays", "0", "20", "--runs", "1"],
    "warm": ["--entities", "200", "--runs", "1"],
    "tables": ["--sizes", "200", "400", "--runs", "1"],
    "matching": ["--rows", "2000", "--spellings", "300", "--entities", "200", "--runs", "1", "--engines", "pandas"],
    "annotate": ["--rows", "2000", "--entities", "200", "--runs", "1"],
    "import": ["--runs", "1"],
    "before": ["--before", HERE.parents[1], "--entities", "60", "--tables", "200", "--rows", "2000", "--runs", "1"],
    "size": ["--sizes", "60", "--runs", "1"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_a_table_and_writes_json(name, tmp_path):
    command = [sys.executable, HERE / f"bench_{name}.py", *SMALL[name], "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    written = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert written["benchmark"] == name
    assert len(written["figures"]) >= 2
    for row in written["figures"]:
        assert all(value >= 0 for value in row.values() if isinstance(value, int | float))
        assert any(key.endswith("_s") or key.startswith("cpu") for key in row)
    assert f"{name}.json" in done.stdout


def test_results_are_not_written_into_the_project():
    command = [sys.executable, HERE / "bench_import.py", "--runs", "1", "--out", HERE / "results"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "outside" in done.stderr
