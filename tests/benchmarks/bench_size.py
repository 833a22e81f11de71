"""Cost against size: the first load (no delay), the cache alone, the snapshot, a session's replay; with a chart."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import contestants
import measure
from corpus import RELEASE
from server import Server

SIZES = (1_000, 5_000, 36_000, 71_000, 200_000)
MOST_MB = {36_000: 300, 71_000: 700}
FIRST, CACHE, SNAPSHOT, REPLAY = "first load", "HTTP cache alone", "snapshot", "session replay"


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--classification", choices=("mms", "foundation"), default="mms")
    options = parser.parse_args()
    figures = [row for size in options.sizes for row in _rows(size, options.classification, options.runs)]
    name = "size" if options.classification == "mms" else f"size-{options.classification}"
    measure.publish(name, figures, options.out, classification=options.classification)
    _chart(figures, measure.outside(options.out) / f"{name}.png")


def _rows(size: int, classification: str, runs: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as cache:
        with Server("--entities", str(size), "--classification", classification) as server:
            same = {"url": server.url, "cache": cache, "release": RELEASE, "classification": classification}
            found = {FIRST: contestants.run("load", **same)}  # once: it fills what the others read
            again = {SNAPSHOT: partial(contestants.run, "load", **same)}
            if classification == "mms":
                again[REPLAY] = partial(contestants.run, "replay", **same)
            found |= measure.alternate(again, runs)
            found |= measure.alternate({CACHE: partial(contestants.run, "load_without_snapshot", **same)}, runs)
        megabytes = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file()) / 1e6
    return [
        {
            "entities": size,
            "from": name,
            "wall_s": one["wall"],
            "cpu_s": one["cpu"],
            "cpu_us_per_entity": 1e6 * one["cpu"] / size,
            "peak_mb": one["peak_mb"],
            "cache_mb": megabytes,
            "as_wanted": measure.verdict(one["peak_mb"], MOST_MB[size]) if size in MOST_MB and name == FIRST else "",
        }
        for name, one in found.items()
    ]


def _chart(figures: list[dict[str, Any]], target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.85, 3.8), layout="constrained")
    for name in (FIRST, REPLAY, CACHE, SNAPSHOT):
        rows = [row for row in figures if row["from"] == name]
        if rows:
            axes.loglog([row["entities"] for row in rows], [row["cpu_s"] for row in rows], marker="o", label=name)
    axes.set(xlabel="entities", ylabel="processor seconds", title="Loading a whole classification")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(target, dpi=200)
    print(f"→ {target}")


if __name__ == "__main__":
    main()
