"""One piece of work, timed in a process of its own: ``contestants.py NAME OPTIONS-AS-JSON`` prints JSON.

Imports stand before the clock starts; processor time and peak memory are those of this process alone.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import measure

HERE = Path(__file__).parent
HEADERS = {"Accept": "application/json", "Accept-Language": "en", "API-Version": "v2"}
HOST = "http://id.who.int"

Work = Callable[[], dict[str, Any]]


def run(name: str, **options: Any) -> dict[str, Any]:
    """Run a contestant in a new process and give what it measured."""
    return measure.result(HERE / "contestants.py", name, json.dumps(options))


def load(
    url: str, cache: str, *, release: str, classification: str = "mms", workers: int | None = None, **question: Any
) -> Work:
    """icdframes: everything, tables and snapshot included."""
    client = _client(url, cache, workers)

    def work() -> dict[str, Any]:
        frame = client.load_entity(release=release, classification=classification, progress=False, **question)
        info = client.cache_info()
        return {
            "entities": len(frame),
            "requests": info.requests_sent,
            "width": client._session.width,
            "cache_mb": info.bytes / 1e6,
        }

    return work


def load_without_snapshot(url: str, cache: str, *, release: str, classification: str = "mms") -> Work:
    """icdframes: everything, from the HTTP cache alone; `tables` is the part that goes into building the tables."""
    from icdframes.client import loading

    client = _client(url, cache)
    client._snapshots.clear()
    client._snapshots.save = lambda *_: None
    build, building = loading.build_tables, []

    def timed(*graph: Any, **options: Any) -> Any:
        began = time.perf_counter()
        tables = build(*graph, **options)
        building.append(time.perf_counter() - began)
        return tables

    loading.build_tables = timed

    def work() -> dict[str, Any]:
        tables = client.load_tables(release=release, classification=classification, progress=False)
        return {"entities": len(tables), "requests": client.cache_info().requests_sent, "tables": sum(building)}

    return work


def replay(url: str, cache: str, *, release: str, classification: str = "mms") -> Work:
    """The same HTTP cache, walked through its requests-cache session, one answer after the other."""
    session = _client(url, cache)._session._http
    return lambda: _walk(session, url, release, classification, of_roots="?include=ancestor%2Cdescendant")


def plain_loop(url: str, cache: str, *, release: str, classification: str = "mms", wal: bool = False) -> Work:
    """A loop over requests with requests-cache, as people write it."""
    from requests_cache import CachedSession

    session = CachedSession(str(Path(cache) / "plain"), backend="sqlite", wal=wal)
    return lambda: _walk(session, url, release, classification)


def simple_icd_11(url: str, cache: str, *, release: str) -> Work:
    """The other client on PyPI with a walk: its own descent from each chapter, as its users call it."""
    import requests
    from simple_icd_11 import ICDExplorer

    def work() -> dict[str, Any]:
        explorer = ICDExplorer("en", "", "", customUrl=url + "/", release=release)
        top = requests.get(f"{url}/icd/release/11/{release}/mms", headers=HEADERS, timeout=30).json()
        rows = 0
        for child in top["child"]:
            chapter = explorer.getEntityFromId(child.rsplit("/", 1)[-1])
            rows += sum(1 for entity in (chapter, *chapter.getDescendants()) if entity.getTitle())
        return {"entities": rows}

    return work


def bare_sockets(url: str, *, release: str, workers: int, classification: str = "mms") -> Work:
    """http.client alone: threads read the same answers and do nothing with them, the least that Python needs."""
    host, root = url.split("//")[1], f"/icd/release/11/{release}/{classification}"

    def ask(connection: HTTPConnection, path: str) -> bytes:
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        assert answer.status == 200, path
        return answer.read()

    def work() -> dict[str, Any]:
        first = HTTPConnection(host)
        chapters = [child.rsplit("/", 1)[1] for child in json.loads(ask(first, root))["child"]]
        answers = [json.loads(ask(first, f"{root}/{chapter}?include=ancestor%2Cdescendant")) for chapter in chapters]
        ids = [*chapters, *(uri.removeprefix(f"{HOST}{root}/") for one in answers for uri in one["descendant"])]
        mine = threading.local()

        def fetch(entity_id: str) -> None:
            mine.connection = getattr(mine, "connection", None) or HTTPConnection(host)
            ask(mine.connection, f"{root}/{entity_id}")

        with ThreadPoolExecutor(workers) as pool:
            deque(pool.map(fetch, ids), maxlen=0)
        return {"entities": len(ids), "requests": 1 + len(chapters) + len(ids), "width": workers}

    return work


def _client(url: str, cache: str, workers: int | None = None) -> Any:
    import pandas  # noqa: F401, ICN001
    import pyarrow.dataset
    import pyarrow.parquet  # noqa: F401

    import icdframes
    import icdframes.client.base
    import icdframes.frames.folder

    return icdframes.connect(url, cache_dir=cache, max_workers=workers)


def _walk(session: Any, url: str, release: str, classification: str, of_roots: str = "") -> dict[str, Any]:
    """Ask for one entity after the other; `of_roots` is what icdframes adds to the addresses of the first ones."""
    import pandas as pd

    top = session.get(f"{url}/icd/release/11/{release}/{classification}", headers=HEADERS).json()
    waiting = [uri + of_roots for uri in reversed(top["child"])]
    rows, met = [], set()
    while waiting:
        uri = waiting.pop()
        if uri in met:
            continue
        met.add(uri)
        entity = session.get(uri.replace(HOST, url), headers=HEADERS).json()
        rows.append({"uri": entity["@id"], "code": entity.get("code"), "title": entity["title"]["@value"]})
        waiting += entity.get("child", [])[::-1]
    return {"entities": len(pd.DataFrame(rows)), "requests": len(rows) + 1}


def main() -> None:
    name, options = sys.argv[1], json.loads(sys.argv[2])
    import pandas  # noqa: F401, ICN001

    work = globals()[name](**options)
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    found |= {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(found | {"peak_mb": measure.peak_mb()}))


if __name__ == "__main__":
    main()
