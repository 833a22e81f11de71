"""The second load of the whole MMS: snapshot, a branch of it, HTTP cache alone, replay by two sessions.

The one session is icdframes' own, over its own store; the other is plain requests-cache over its own SQLite file,
as people write it. Both give one small table only.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import contestants
import measure
from corpus import LEVELS, RELEASE
from server import Server

OWN, PLAIN = "own session, one by one", "plain requests-cache, one by one"


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--entities", type=int, default=sum(LEVELS))
    parser.add_argument("--real", type=Path, help="WHO's tabulation, such as the full MMS 2022-02")
    parser.add_argument("--text", type=Path, help="texts that go with it")
    parser.add_argument("--release", default=RELEASE, help="of the real table")
    parser.add_argument("--branch", help="entity id of a branch; the first chapter if left out")
    parser.add_argument("--filled", nargs=2, metavar=("URL", "FOLDER"), help="a cache that an earlier load filled")
    options = parser.parse_args()
    if options.filled:
        _compare(*options.filled, options)
        return
    source = ["--entities", str(options.entities)]
    if options.real:
        source = ["--real", str(options.real), *(["--text", str(options.text)] if options.text else [])]
    with tempfile.TemporaryDirectory() as cache, Server(*source) as server:
        for client in ("load", "plain_loop"):
            contestants.run(client, url=server.url, cache=cache, release=options.release)
        _compare(server.url, cache, options)


def _compare(url: str, cache: str, options: object) -> None:
    """The server stays, since a session asks one of its own once whether it still serves the same: see requests."""
    same = {"url": url, "cache": cache, "release": options.release}
    branch = options.branch or _first_chapter(**same)
    cached_only = partial(contestants.run, "load_without_snapshot", **same)

    def from_snapshot(**question: str) -> dict[str, float]:
        return contestants.run("load", **same, **question)

    def from_http_cache() -> dict[str, float]:
        found = cached_only()
        contestants.run("load", **same)  # puts the snapshot back, for the next round
        return found

    from_snapshot()
    found = measure.alternate(
        {
            "snapshot": from_snapshot,
            "branch of it": partial(from_snapshot, entity=branch),
            "HTTP cache alone": from_http_cache,
            OWN: partial(contestants.run, "replay", **same),
            PLAIN: partial(contestants.run, "plain_loop", **same),
        },
        options.runs,
    )
    own, plain = found[OWN]["wall"], found[PLAIN]["wall"]
    wanted = {
        "snapshot": lambda one: f"{measure.verdict(one['wall'], 0.3)}, {_faster(own / one['wall'], 100)}",
        "branch of it": lambda one: measure.verdict(one["wall"], 0.3),
        "HTTP cache alone": lambda one: (
            f"{measure.verdict(one['wall'] - one['tables'], 5)} without tables, {_faster(plain / one['wall'], 7)}"
        ),
    }
    figures = [
        {
            "from": name,
            "entities": one["entities"],
            "requests": 0 if name in {OWN, PLAIN} else one["requests"],
            "wall_s": one["wall"],
            "of_it_tables_s": one.get("tables", ""),
            "cpu_s": one["cpu"],
            "peak_mb": one["peak_mb"],
            "own_session_to_it": own / one["wall"],
            "plain_session_to_it": plain / one["wall"],
            "as_wanted": wanted[name](one) if name in wanted else "",
        }
        for name, one in found.items()
    ]
    measure.publish("warm", figures, options.out)


def _faster(times: float, wanted: float) -> str:
    return f"times faster: {measure.verdict(times, wanted, at_least=True)}"


def _first_chapter(url: str, cache: str, release: str) -> str:
    import icdframes

    with icdframes.connect(url, cache_dir=cache) as client:
        return client.load_entity(release=release, depth=0)["entity_id"].iat[0]


if __name__ == "__main__":
    main()
