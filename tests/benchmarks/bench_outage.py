"""A first load while the server goes wrong: outages in the middle, refusals and faults among the answers."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import contestants
import measure
from corpus import RELEASE
from server import Server

LONGEST_AFTER = 15
KINDS = ("refused", "502", "503", "429")


def main() -> None:
    parser = measure.parser(__doc__, runs=1)
    parser.add_argument("--entities", type=int, nargs="+", default=[400, 5000])
    parser.add_argument("--delay", type=int, default=20, help="milliseconds before each answer")
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 30, 60, 110], help="of an outage")
    parser.add_argument("--noise", nargs="*", default=["429:0.05:2013", "mixed:0.05:36000"], help="KIND:SHARE:ENTITIES")
    parser.add_argument("--at-once", type=int, default=4, help="loads at the same time, each with its own server")
    options = parser.parse_args()
    work = []
    for size in options.entities:
        plain = _load(size, options.delay)
        work += [
            partial(_outage, size, options.delay, kind, seconds, plain)
            for kind in options.kinds
            for seconds in options.seconds
        ]
    with ThreadPoolExecutor(options.at_once) as pool:
        figures = [done.result() for done in [pool.submit(one) for one in work]]
    figures += [_noise(noise, options.delay) for noise in options.noise]
    measure.publish("outage", figures, options.out, delay_ms=options.delay)


def _load(size: int, delay: int, fault: str = "") -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache, Server("--entities", str(size)) as server:
        server.delay(delay)
        if fault:
            server.plan(fault)
        return contestants.run("load", url=server.url, cache=cache, release=RELEASE)


def _outage(size: int, delay: int, kind: str, seconds: int, plain: dict[str, Any]) -> dict[str, Any]:
    found = _load(size, delay, f"outage {kind} {seconds} {int(0.4 * size)}")
    return {
        "fault": f"{seconds} s of {kind}",
        "entities": found["entities"],
        "missing": plain["entities"] - found["entities"],
        "wall_s": found["wall"],
        "plain_s": plain["wall"],
        "as_wanted": measure.verdict(found["wall"] - plain["wall"] - seconds, LONGEST_AFTER),
    }


def _noise(noise: str, delay: int) -> dict[str, Any]:
    kind, share, size = noise.split(":")
    plain, found = _load(int(size), delay), _load(int(size), delay, f"noise {kind} {share}")
    return {
        "fault": f"{float(share):.0%} {kind}",
        "entities": found["entities"],
        "missing": plain["entities"] - found["entities"],
        "wall_s": found["wall"],
        "plain_s": plain["wall"],
        "times_slower": found["wall"] / plain["wall"],
        "peak_mb": found["peak_mb"],
        "cache_mb": found["cache_mb"],
    }


if __name__ == "__main__":
    main()
