"""Joining the classification to rows of data on pandas: `annotate` against pandas.merge of the same columns."""

from __future__ import annotations

import json
import time
from functools import partial

import measure

ADDED = {"title, chapter": ["title", "chapter"], "title, chapter, block": ["title", "chapter", "block"]}


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--entities", type=int, default=36_044)
    parser.add_argument("--one", help="time this one (annotate or merge) here, and print JSON")
    parser.add_argument("--add", nargs="+", default=ADDED["title, chapter, block"])
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_time(options.one, options.rows, options.entities, options.add)))
        return
    figures = []
    for name, added in ADDED.items():
        same = ["--rows", str(options.rows), "--entities", str(options.entities), "--add", *added]
        found = measure.alternate(
            {"annotate": partial(_in_new_process, "annotate", same), "merge": partial(_in_new_process, "merge", same)},
            options.runs,
        )
        figures += [_row(name, way, one, found["merge"]) for way, one in found.items()]
    measure.publish("annotate", figures, options.out, rows=options.rows)


def _row(added: str, way: str, one: dict[str, float], merge: dict[str, float]) -> dict[str, object]:
    ratio, memory = one["wall"] / merge["wall"], one["peak_mb"] / merge["peak_mb"]
    return {
        "added": added,
        "way": way,
        "wall_s": one["wall"],
        "cpu_s": one["cpu"],
        "peak_mb": one["peak_mb"],
        "to_merge": ratio,
        "memory_to_merge": memory,
        "as_wanted": "" if way == "merge" else f"{measure.verdict(ratio, 0.5)}, memory {measure.verdict(memory, 1)}",
    }


def _in_new_process(way: str, options: list[str]) -> dict[str, float]:
    return measure.result(__file__, "--one", way, *options)


def _time(way: str, rows: int, entities: int, added: list[str]) -> dict[str, float]:
    import numpy as np
    import pandas as pd
    from bench_tables import tables_of

    from icdframes.analysis.annotate import annotate

    tables = tables_of(entities)
    codes = tables.entities["code"].dropna().reset_index(drop=True)
    rng = np.random.default_rng(6)
    places = np.minimum(rng.zipf(1.3, rows) - 1, len(codes) - 1)  # a few codes make up most of real data
    data = pd.DataFrame({"code": codes.take(places).reset_index(drop=True), "age": rng.integers(0, 100, rows)})
    # for merge the wanted columns are ready made; annotate has to find the block of every entity by itself
    lookup = annotate(pd.DataFrame({"code": codes}), tables, add=added).drop(columns="match")
    wall, cpu = time.perf_counter(), time.process_time()
    if way == "merge":
        result = data.merge(lookup, on="code", how="left", indicator="match")
    else:
        result = annotate(data, tables, add=added)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    assert len(result) == rows
    assert result["title"].notna().all()
    return spent | {"peak_mb": measure.peak_mb()}


if __name__ == "__main__":
    main()
