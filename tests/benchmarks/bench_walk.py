"""The first load of a classification: wall time against the limit of the wire and other clients, and processor time."""

from __future__ import annotations

import tempfile
from functools import partial

import contestants
import measure
from corpus import RELEASE
from server import Server

WORKERS = 8


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--entities", type=int, default=2000)
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 50, 300], help="milliseconds before each answer")
    parser.add_argument("--alone-at", type=int, default=300, help="leave the slow clients out from this delay on")
    options = parser.parse_args()
    figures = []
    with Server("--entities", str(options.entities)) as server:
        for delay in options.delays:
            server.delay(delay)
            names = ["load"] if delay >= options.alone_at else ["load", "plain_loop", "simple_icd_11"]
            entrants = {name: partial(_cold, name, server.url) for name in names}
            if not delay:
                entrants["plain_loop, WAL"] = partial(_cold, "plain_loop", server.url, wal=True)
            found = measure.alternate(entrants, options.runs)
            figures += _rows(delay, found)
    measure.publish("walk", figures, options.out, entities=options.entities, workers=WORKERS)


def _cold(name: str, url: str, **more: object) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as cache:
        return contestants.run(name, url=url, cache=cache, release=RELEASE, **more)


def _rows(delay: int, found: dict[str, dict[str, float]]) -> list[dict[str, object]]:
    ours = found["load"]
    limit = ours["requests"] * delay / 1000 / WORKERS
    return [
        {
            "delay_ms": delay,
            "client": name,
            "wall_s": one["wall"],
            "cpu_ms_per_entity": 1000 * one["cpu"] / one["entities"],
            "times_slower": one["wall"] / ours["wall"],
            "our_cpu_to_its": ours["cpu"] / one["cpu"],
            "of_limit": ours["wall"] / limit if limit and name == "load" else "",
            "as_wanted": _wanted(delay, name, ours, one, limit),
        }
        for name, one in found.items()
    ]


def _wanted(delay: int, name: str, ours: dict[str, float], one: dict[str, float], limit: float) -> str:
    if delay and name == "load":
        return measure.verdict(ours["wall"] / limit, 1.15)
    if delay:
        return measure.verdict(one["wall"] / ours["wall"], 7, at_least=True)
    return measure.verdict(ours["cpu"] / one["cpu"], 1.3) if "WAL" in name else ""


if __name__ == "__main__":
    main()
