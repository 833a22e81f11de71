"""Alternating runs, medians, a table on the screen, JSON and charts in a folder outside of the project."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
RESULTS = Path(tempfile.gettempdir()) / "icdframes-benchmarks"
Run = Callable[[], dict[str, Any]]


def parser(description: str | None, *, runs: int = 5) -> argparse.ArgumentParser:
    """Return the options that every benchmark has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--runs", type=int, default=runs, help=f"alternating runs of each ({runs})")
    options.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    return options


def output(*command: object, **environment: str) -> str:
    """Return what a new process of Python prints, with some variables of its environment set."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        check=True,
    )
    return done.stdout


def result(*command: object, **environment: str) -> dict[str, Any]:
    """Return what a new process of Python prints as its last line, which is JSON."""
    return json.loads(output(*command, **environment).splitlines()[-1])


def alternate(contestants: Mapping[str, Run], runs: int) -> dict[str, dict[str, float]]:
    """Run A B C, A B C, … and give the median of every figure of each."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, run in contestants.items():
            found[name].append(run())
    return {
        name: {key: statistics.median(one[key] for one in results) for key in results[0]}
        for name, results in found.items()
    }


def peak_mb() -> float:
    """Return the most memory that this process has had, in MB; Linux counts that of the parent in ru_maxrss."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if platform.system() == "Darwin" else 2**10)


def publish(name: str, figures: Sequence[Mapping[str, Any]], out: Path, **about: Any) -> None:
    """Print the figures as a table and write them as JSON."""
    folder = outside(out)
    about |= {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    (folder / f"{name}.json").write_text(json.dumps({"benchmark": name, **about, "figures": figures}, indent=1))
    columns = list(dict.fromkeys(key for row in figures for key in row))
    cells = [columns, *([_written(row.get(key, "")) for key in columns] for row in figures)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(columns))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"→ {folder / f'{name}.json'}")


def outside(folder: Path) -> Path:
    """Make a folder for results; the project itself keeps none."""
    folder = folder.resolve()
    if folder.is_relative_to(PROJECT):
        raise SystemExit(f"{folder} lies within the project: give a folder outside of it with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def verdict(value: float, limit: float, *, at_least: bool = False) -> str:
    """Say whether a figure is as it should be."""
    kept = value >= limit if at_least else value <= limit
    return f"{'yes' if kept else 'NO'} ({'≥' if at_least else '≤'} {limit:g})"


def _written(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and value < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
