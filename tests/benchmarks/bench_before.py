"""What an earlier checkout could do too, against this one: each its own benchmarks' work, in turn, in one run.

``--before PATH`` names the checkout. Both ask the same server; each has a cache of its own.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bench_import
import measure
from corpus import RELEASE
from server import Server

SLOWER = 1.05


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--before", type=Path, required=True, help="checkout of an earlier version")
    parser.add_argument("--entities", type=int, default=2000, help="of the loads over HTTP")
    parser.add_argument("--delay", type=int, default=20, help="milliseconds before each answer")
    parser.add_argument("--tables", type=int, default=36_000, help="entities of the tables that are built")
    parser.add_argument("--rows", type=int, default=2_000_000, help="that are annotated")
    options = parser.parse_args()
    checkouts = {"before": options.before.resolve(), "now": measure.PROJECT}
    figures = []
    with tempfile.TemporaryDirectory() as folder, Server("--entities", str(options.entities)) as server:
        server.delay(options.delay)
        works = _works(server.url, Path(folder), options.tables, options.rows)
        for root in checkouts.values():
            works["from the snapshot"](root)  # fills its cache
        for name, work in works.items():
            found = measure.alternate({when: partial(work, root) for when, root in checkouts.items()}, options.runs)
            before, now = (found[when]["wall"] for when in checkouts)
            figures.append(
                {
                    "what": name,
                    "before_s": before,
                    "now_s": now,
                    "ratio": now / before,
                    "as_wanted": measure.verdict(now / before, SLOWER),
                }
            )
    measure.publish("before", figures, options.out, entities=options.entities, delay_ms=options.delay)


def _works(url: str, folder: Path, tables: int, rows: int) -> dict[str, Callable[[Path], dict[str, Any]]]:
    """Return the pieces of work, each as a function of a checkout."""
    same = {"url": url, "release": RELEASE}

    def loaded(name: str, root: Path, *, cold: bool = False) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as empty:
            cache = empty if cold else str(folder / root.relative_to(root.anchor))  # no two checkouts have the same
            return _run(root, "contestants.py", name, json.dumps({**same, "cache": cache}))

    def cached(root: Path) -> dict[str, Any]:
        found = loaded("load_without_snapshot", root)
        loaded("load", root)  # puts the snapshot back
        return found

    annotate = ["--one", "annotate", "--rows", rows, "--entities", tables]
    return {
        "import icdframes": lambda root: {
            "wall": float(measure.output("-P", "-c", bench_import.CLOCK, PYTHONPATH=str(root)))
        },
        "first load": partial(loaded, "load", cold=True),
        "from the snapshot": partial(loaded, "load"),
        "from the HTTP cache alone": cached,
        "tables of entities": lambda root: _run(root, "bench_tables.py", "--one", tables),
        "annotate, pandas": lambda root: _run(root, "bench_annotate.py", *annotate),
    }


def _run(root: Path, script: str, *options: object) -> dict[str, Any]:
    return measure.result(root / "tests" / "benchmarks" / script, *options, PYTHONPATH=str(root))


if __name__ == "__main__":
    main()
