"""Rolling up a Parquet file by chapter on Spark (local[2]), Dask and pandas: time and memory, with a chart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import measure

ROWS = (100_000, 1_000_000, 10_000_000)
WAYS = ("pandas", "dask", "spark")


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--entities", type=int, default=36_044)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FILE"), help="roll this up here, and print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_time(*options.one, options.entities)))
        return
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            file = Path(folder, f"{rows}.parquet")
            _write(file, rows, options.entities)
            run = partial(_in_new_process, str(file), options.entities)
            found = measure.alternate({way: partial(run, way) for way in options.ways}, options.runs)
            figures += [{"rows": rows, "way": way, **one} for way, one in found.items()]
    measure.publish("scale", figures, options.out, entities=options.entities)
    _chart(figures, measure.outside(options.out) / "scale.png")


def _write(file: Path, rows: int, entities: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from bench_tables import tables_of

    codes = pa.array(tables_of(entities).entities["code"].dropna().to_numpy())
    rng = np.random.default_rng(6)
    with pq.ParquetWriter(file, pa.schema([("dx", pa.string()), ("year", pa.int64())])) as writer:
        for begin in range(0, rows, 1_000_000):
            size = min(1_000_000, rows - begin)
            places = np.minimum(rng.zipf(1.3, size) - 1, len(codes) - 1)
            writer.write_table(pa.table({"dx": codes.take(pa.array(places)), "year": rng.integers(2015, 2025, size)}))


def _in_new_process(file: str, entities: int, way: str) -> dict[str, float]:
    command = [sys.executable, Path(__file__), "--one", way, file, "--entities", str(entities)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _time(way: str, file: str, entities: int) -> dict[str, float]:
    from bench_tables import tables_of

    from icdframes.analysis.rollup import rollup

    tables = tables_of(entities)
    data = globals()[f"_{way}"]
    rollup(data(file, 1), tables, code="dx")  # what is loaded and started at first use
    began = time.perf_counter()
    counts = rollup(data(file), tables, code="dx")
    return {
        "wall_s": time.perf_counter() - began,
        "peak_mb": sum(_peak(process) for process in _family()),
        "counted": int(counts["n"].sum()),
    }


def _pandas(file: str, rows: int | None = None) -> Any:
    import pandas as pd

    frame = pd.read_parquet(file, columns=["dx"])
    return frame if rows is None else frame.head(rows)


def _dask(file: str, rows: int | None = None) -> Any:
    import dask.dataframe as dd

    frame = dd.read_parquet(file, columns=["dx"], split_row_groups=True)
    return frame if rows is None else dd.from_pandas(frame.head(rows), npartitions=1)


def _spark(file: str, rows: int | None = None) -> Any:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    frame = spark.read.parquet(file).select("dx")
    return frame if rows is None else frame.limit(rows)


def _family() -> list[int]:
    """Return this process and all below it: Spark computes in one of its own."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [os.getpid()]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def _peak(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _chart(figures: list[dict[str, Any]], target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.85, 3.6), layout="constrained")
    for way in dict.fromkeys(row["way"] for row in figures):
        rows = [row for row in figures if row["way"] == way]
        axes.loglog([row["rows"] for row in rows], [row["wall_s"] for row in rows], marker="o", label=way)
    axes.set(xlabel="rows", ylabel="seconds, start-up apart", title="Rolling up a Parquet file by chapter, 2 cores")
    axes.legend()
    figure.savefig(target, dpi=200)
    print(f"→ {target}")


if __name__ == "__main__":
    main()
