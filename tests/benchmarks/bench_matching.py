"""Joining titles and chapters to codes as people write them: `annotate`, that of an earlier checkout, a plain join.

In pandas `map_codes` and `affected_codes` are timed too, which read the same column, against `annotate`.

The join is what a careful person would write by hand: a ready table of every distinct spelling, joined to the raw
column by the engine itself. ``--before PATH`` names a checkout of an earlier version to compare with. Every run is a
process of its own that has done the same with 100 rows before; what is lazy is collected as the sum of a column, so
that no engine is timed for making pandas rows.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import measure

ENGINES = ("pandas", "pyarrow", "polars", "polars-lazy", "duckdb", "dask", "spark")
ADDED = ["title", "chapter", "block"]
WANTED = {"duckdb": 4.0, "polars-lazy": 4.0, "spark": 2.0}  # times faster than 0.1.0
PLAIN = 2.0  # times the plain join, at the most
OTHERS = ("map_codes", "affected_codes")
OTHER = 2.0  # times `annotate`, at the most
CHANGED = 50  # one of so many codes has changed between two releases


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--spellings", type=int, default=50_000)
    parser.add_argument("--entities", type=int, default=36_044)
    parser.add_argument("--engines", nargs="+", default=ENGINES[:5], choices=ENGINES)
    parser.add_argument("--before", type=Path, help="checkout of an earlier version")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "WAY", "FOLDER"), help="time this one here, print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_time(*options.one)))
        return
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), options.rows, options.spellings, options.entities)
        for engine in options.engines:
            ways = [
                "annotate",
                "join",
                *(["before"] if options.before else []),
                *(OTHERS if engine == "pandas" else ()),
            ]
            run = partial(_in_new_process, engine, folder=folder, before=options.before)
            found = measure.alternate({way: partial(run, way) for way in ways}, options.runs)
            figures += [_row(engine, way, found) for way in ways]
    measure.publish("matching", figures, options.out, rows=options.rows, spellings=options.spellings)


def _row(engine: str, way: str, found: dict[str, dict[str, float]]) -> dict[str, object]:
    row: dict[str, object] = {"engine": engine, "way": way, **found[way]}
    if way == "annotate":
        to_join = found["annotate"]["wall_s"] / found["join"]["wall_s"]
        row |= {"to_join": to_join, "as_wanted": measure.verdict(to_join, PLAIN)}
        if "before" in found:
            faster = found["before"]["wall_s"] / found["annotate"]["wall_s"]
            row |= {"faster": faster, "than_wanted": measure.verdict(faster, WANTED.get(engine, 1), at_least=True)}
    if way in OTHERS:
        to_annotate = found[way]["wall_s"] / found["annotate"]["wall_s"]
        row |= {"to_annotate": to_annotate, "as_wanted": measure.verdict(to_annotate, OTHER)}
    return row


def _spelled(codes: list[str], number: int) -> list[str]:
    """Return the codes, and then as many in other spellings: without a dot, in small letters, with blanks."""
    others = [*(code.lower() for code in codes), *(code.replace(".", "") for code in codes if "." in code)]
    return list(dict.fromkeys([*codes, *others, *(f" {code}" for code in codes)]))[:number]


def _write(folder: Path, rows: int, spellings: int, entities: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from bench_tables import tables_of

    from icdframes import annotate, write_tables

    tables = tables_of(entities)
    write_tables(tables, folder / "tables")  # an earlier version has no other way to the same tables
    spelled = _spelled(tables.entities["code"].dropna().tolist(), spellings)
    rng = np.random.default_rng(6)
    places = rng.permutation(np.concatenate([np.arange(len(spelled)), rng.integers(0, len(spelled), rows)])[:rows])
    column = pa.array(spelled).take(pa.array(places))
    table = pa.table({"code": column, "age": rng.integers(0, 100, rows)})
    pq.write_table(table, folder / "rows.parquet")
    pq.write_table(table.slice(0, 100), folder / "few.parquet")
    ready = annotate(pa.table({"code": pa.array(spelled)}), tables, add=ADDED)
    pq.write_table(ready, folder / "ready.parquet")


def _in_new_process(engine: str, way: str, *, folder: str, before: Path | None) -> dict[str, float]:
    checkout = before if way == "before" and before else measure.PROJECT
    places = f"{checkout}{os.pathsep}{Path(__file__).parent}"
    return measure.result(__file__, "--one", engine, way, folder, PYTHONPATH=places)


def _time(engine: str, way: str, folder: str) -> dict[str, float]:
    import icdframes

    tables = icdframes.read_tables(f"{folder}/tables")
    read, collect, join = _engine(engine)
    frame, ready = read(f"{folder}/rows.parquet"), read(f"{folder}/ready.parquet")
    annotate = partial(icdframes.annotate, tables=tables, code="code", add=ADDED)
    few = read(f"{folder}/few.parquet")  # imports and starts what is imported and started once
    verb = _other_verb(way, tables) if way in OTHERS else None
    run = verb or (lambda one: collect(join(one, ready) if way == "join" else annotate(one)))
    run(few)
    began, cpu = time.perf_counter(), time.process_time()
    titles = run(frame)
    spent = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    assert titles > 0
    return spent | {"peak_mb": measure.peak_mb()}


def _other_verb(way: str, tables: Any) -> Any:
    """Return a verb as a function of a frame that counts what it finds."""
    import pandas as pd

    import icdframes
    from icdframes.frames.code_mapping import COLUMNS, CodeMapping, Edition

    coded = tables.entities[tables.entities["code"].notna()].reset_index(drop=True)
    if way == "map_codes":
        sources = {
            "source_id": "entity_id",
            "source_code": "code",
            "source_kind": "class_kind",
            "target_id": "entity_id",
            "target_code": "code",
            "target_title": "title",
        }
        frame = pd.DataFrame({name: coded[sources[name]] if name in sources else None for name in COLUMNS})
        frame = frame.assign(relation="equivalent", position=1)
        mapping = CodeMapping(frame, Edition("icd10"), Edition("mms"), None, {}, "")
        return lambda data: int(icdframes.map_codes(data, mapping)["mapped_code"].count())
    changed = coded[::CHANGED]
    changes = pd.DataFrame({"entity_id": changed["entity_id"], "change": "recoded", "old_code": changed["code"],
                            "new_code": coded["code"].iloc[1 :: CHANGED][: len(changed)].tolist()})  # fmt: skip
    return lambda data: len(icdframes.affected_codes(changes, data["code"]))


def _engine(name: str) -> tuple[Any, Any, Any]:
    """Return how an engine reads a file, counts the titles and chapters of a result, and joins by itself."""
    if name == "pandas":
        import pandas as pd

        return pd.read_parquet, _count_columns, lambda one, other: one.merge(other, on="code", how="left")
    if name == "pyarrow":
        import pyarrow.parquet as pq

        return (
            pq.read_table,
            lambda table: sum(len(table) - table[column].null_count for column in ADDED),
            lambda one, other: one.join(other, "code", join_type="left outer"),
        )
    if name.startswith("polars"):
        import polars as pl

        lazy = name == "polars-lazy"
        counted = pl.sum_horizontal(pl.col(ADDED).count())
        return (
            pl.scan_parquet if lazy else pl.read_parquet,
            lambda frame: (frame.select(counted).collect() if lazy else frame.select(counted)).item(),
            lambda one, other: one.join(other, on="code", how="left"),
        )
    if name == "duckdb":
        import duckdb

        return (
            duckdb.read_parquet,
            lambda relation: sum(relation.aggregate(", ".join(f'count("{name}")' for name in ADDED)).fetchall()[0]),
            lambda one, other: one.set_alias("one").join(other.set_alias("other"), "code", how="left"),
        )
    if name == "dask":
        import dask.dataframe as dd

        return (
            dd.read_parquet,
            lambda frame: _count_columns(frame).compute(),
            lambda one, other: one.merge(other, on="code", how="left"),
        )
    from pyspark.sql import SparkSession, functions

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    return (
        spark.read.parquet,
        lambda frame: sum(frame.select(*(functions.count(column) for column in ADDED)).first()),
        lambda one, other: one.join(functions.broadcast(other), "code", "left"),
    )


def _count_columns(frame: Any) -> Any:
    return frame[ADDED].count().sum()


if __name__ == "__main__":
    main()
