"""The first load with the default width against 8 fixed workers, where the server works on so many requests at a time.

What is possible is what threads with http.client alone reach, as many as the server bears, on the same machine. The
server is `light_server`, since the sandbox takes more of the processor than the client at such rates.
"""

from __future__ import annotations

import tempfile
from functools import partial
from typing import Any

import contestants
import measure
from corpus import RELEASE
from server import Server

FIXED = 8
FASTER = {8: 1 / 1.05, 16: 1.7, 32: 3.0}
TO_BARE = 1.10


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--entities", type=int, default=5000)
    parser.add_argument("--delays", type=int, nargs="+", default=[50, 300], help="milliseconds of work for each answer")
    parser.add_argument("--bears", type=int, nargs="+", default=[8, 16, 32], help="requests worked on at a time")
    options = parser.parse_args()
    figures = []
    for bears in options.bears:
        with Server("--light", "--entities", str(options.entities), "--bears", str(bears)) as server:
            for delay in options.delays:
                server.delay(delay)
                entrants = {
                    f"{FIXED} workers": partial(_cold, server.url, workers=FIXED),
                    "default": partial(_cold, server.url),
                    "bare sockets": partial(
                        contestants.run, "bare_sockets", url=server.url, release=RELEASE, workers=bears
                    ),
                }
                figures += _rows(bears, delay, measure.alternate(entrants, options.runs))
    measure.publish("width", figures, options.out, entities=options.entities)


def _cold(url: str, **more: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache:
        return contestants.run("load", url=url, cache=cache, release=RELEASE, **more)


def _rows(bears: int, delay: int, found: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    fixed = found[f"{FIXED} workers"]
    rows = []
    for name, one in found.items():
        limit = one["requests"] * delay / 1000 / min(one["width"], bears)
        faster = fixed["wall"] / one["wall"]
        rows.append(
            {
                "bears": bears,
                "delay_ms": delay,
                "client": name,
                "wall_s": one["wall"],
                "cpu_ms_per_request": 1000 * one["cpu"] / one["requests"],
                "width": one["width"],
                "of_limit": one["wall"] / limit,  # by the delay alone
                "faster": faster,
            }
        )
        if name == "default":
            to_bare = one["wall"] / found["bare sockets"]["wall"]
            rows[-1] |= {
                "as_wanted": measure.verdict(faster, FASTER.get(bears, 1), at_least=True),
                "to_bare": to_bare,
                "near_enough": measure.verdict(to_bare, TO_BARE),
            }
    return rows


if __name__ == "__main__":
    main()
