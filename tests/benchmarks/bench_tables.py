"""Building five typed tables of parsed entities: time against size, up to 200,000 entities."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from functools import partial

import measure
from corpus import RELEASE, made_up

from icdframes.frames.build import build_tables
from icdframes.frames.entity_tables import EntityTables
from icdframes.frames.provenance import Provenance
from icdframes.model.entity import EntityGraph

SIZES = (1_000, 5_000, 36_000, 71_000, 200_000)


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--one", type=int, help="build tables of that many entities here, and print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_time(options.one)))
        return
    found = measure.alternate({size: partial(_in_new_process, size) for size in options.sizes}, options.runs)
    figures = [
        {
            "entities": size,
            "rows": one["rows"],
            "wall_s": one["wall"],
            "cpu_s": one["cpu"],
            "cpu_us_per_entity": 1e6 * one["cpu"] / size,
            "as_wanted": measure.verdict(one["cpu"], 1.5) if size == SIZES[2] else "",
        }
        for size, one in found.items()
    ]
    measure.publish("tables", figures, options.out)


def tables_of(size: int) -> EntityTables:
    """Make tables of that many made-up entities."""
    return _prepared(size)()


def _prepared(size: int) -> Callable[[], EntityTables]:
    listing = made_up(size).listing("mms")
    graph = EntityGraph(listing.tops, listing.entities["en"])
    chapters = {top: graph.entities[top].code for top in graph.roots}
    return partial(build_tables, graph, Provenance("http://127.0.0.1", "mms", RELEASE), chapters=chapters)


def _in_new_process(size: int) -> dict[str, float]:
    return measure.result(__file__, "--one", size)


def _time(size: int) -> dict[str, float]:
    build = _prepared(size)
    tables_of(100)  # what is loaded at first use
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    tables = build()
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return spent | {"rows": sum(map(len, tables.frames.values()))}


if __name__ == "__main__":
    main()
