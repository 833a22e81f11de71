"""Seconds to flag two million rows by ten code lists, on each local engine.

python tests/benchmarks/bench_flag.py TABULATION [ROWS]
"""

import random
import sys
import time

import pandas as pd

import icdframes
from icdframes import CodeList

RULES = [
    ("dementia", ["6D80-6D86", "8A20", "6D80.1"], ["6D84", "6D80"]),
    ("diabetes", ["BlockL2-5A1"], ["5A13", "5A11/8A20"]),
    ("opioids", ["NE60&XM7S23", "PB20-PB22", "XM7S23"], ["PB21", "XT8W"]),
    ("infections", ["01"], ["1A00"]),
    ("neoplasms", ["02"], ["2C25"]),
    ("circulatory", ["11"], []),
    ("depression", ["6A70-6A7Z"], []),
    ("injuries", ["22"], ["NE60"]),
    ("respiratory", ["12"], []),
    ("external", ["23"], []),
]
LISTS = [CodeList(include, exclude, name=name) for name, include, exclude in RULES]
N_DISTINCT = 25_000


def clusters(tables, n_rows):
    """Return a column of clusters, 25,000 of them distinct."""
    entities = tables.entities[tables.entities["class_kind"] == "category"]
    stems = entities.loc[entities["chapter"] != "X", "code"].tolist()
    extensions = [*entities.loc[entities["chapter"] == "X", "code"], *["XM7S23"] * 2000]
    chance = random.Random(1)
    distinct = [
        "/".join(
            "&".join([chance.choice(stems), *(chance.choice(extensions) for _ in range(chance.choice((0, 0, 1))))])
            for _ in range(chance.choice((1, 1, 2)))
        )
        for _ in range(N_DISTINCT)
    ]
    return pd.DataFrame(
        {"code": pd.array(distinct, dtype="str").take([chance.randrange(N_DISTINCT) for _ in range(n_rows)])}
    )


def engines(frame):
    """Yield name, native frame and a function that computes a result to its end."""
    import duckdb
    import polars as pl
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    yield "pandas", frame, lambda made: made
    yield "pyarrow", table, lambda made: made
    yield "polars", pl.from_arrow(table), lambda made: made
    yield "polars-lazy", pl.from_arrow(table).lazy(), lambda made: made.collect()
    yield "duckdb", duckdb.connect().from_arrow(table), lambda made: made.to_arrow_table()


def main(path, n_rows=2_000_000):
    """Print the best of three, and the counts, which are those of pandas on every engine."""
    tables = icdframes.read_tabulation(path)
    frame = clusters(tables, n_rows)
    counts = None
    for name, native, finish in engines(frame):
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            made = finish(icdframes.flag(native, LISTS, tables=tables))
            best = min(best, time.perf_counter() - start)
        table = made if name == "pandas" else made.to_pandas()
        found = [int(table[one.name].sum()) for one in LISTS]
        counts = counts or found
        print(f"{name:<12} {best:6.2f} s  {'as pandas' if found == counts else f'DIFFERS: {found}'}", flush=True)
    print("rows flagged:", dict(zip([one.name for one in LISTS], counts, strict=True)))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
