"""Walk a large made-up classification on a server where every twentieth answer is spoilt, and say what it cost.

``nice python tests/soak/soak.py --entities 200000`` takes some twenty minutes; one JSON object is printed at the end,
and where something is left over or grows without need, the script fails and says what.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from icdframes.client.icd_client import IcdClient
from icdframes.model.entity import Entity
from icdframes.model.uris import EntityUri
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import Answer, text_answer
from icdframes.sandbox.sandbox import Sandbox
from icdframes.sandbox.server import Reply
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials

CHAPTERS = 20
WIDTH = 8
SAMPLES_PER_SECOND = 5
FEWEST_MEASURED = 5_000  # in a shorter walk a quarter is too small for memory to show
MOST_KILOBYTES = 2.0  # an entity takes some 1.2; one that kept its answer would take twice as much or more


def corpus(size):
    """Chapters 1 to 20; below them every entity has eight children, and every hundredth a second parent."""
    parents = {
        number: [] if number <= CHAPTERS else [1 + (number - CHAPTERS - 1) // WIDTH] for number in range(1, size + 1)
    }
    for number in range(CHAPTERS + 100, size + 1, 100):
        parents[number].append(1 + number % CHAPTERS)
    children = {number: [] for number in parents}
    for number, above in parents.items():
        for parent in above:
            children[parent].append(number)
    entities = {
        str(number): Entity(
            uri=str(EntityUri("mms", "2024-01", str(number))),
            entity_id=str(number),
            title=f"Synthetic entity number {number}",
            language="en",
            definition="A definition of some length, as most entities have one. " * 3,
            class_kind="category" if above else "chapter",
            parent_ids=tuple(map(str, above)),
            child_ids=tuple(map(str, children[number])),
        )
        for number, above in parents.items()
    }
    return Corpus([Listing("mms", "2024-01", {"en": entities}, titles={"en": "Synthetic"})])


class Spoilt(Sandbox):
    """A sandbox that spoils a part of its answers."""

    def __init__(self, size, rate, seed):
        super().__init__(corpus(size))
        self._rate = rate
        self._chance = random.Random(seed)
        self.spoilt = 0
        self._faults_lock = threading.Lock()

    def _respond(self, asked):
        with self._faults_lock:
            met, kind = self._chance.random() < self._rate, self._chance.random()
            self.spoilt += met
        reply = Reply(self._desk.answer(asked))
        return spoil(reply.answer, kind) if met else reply


def spoil(answer, kind):
    """Make one fault of an answer; ``kind`` in [0, 1) says which."""
    makers = [
        lambda: Reply(None),
        lambda: Reply(answer, cut_body=len(answer.body) // 2),
        lambda: Reply(text_answer(500, "boom")),
        lambda: Reply(text_answer(502, "<html>Bad gateway</html>")),
        lambda: Reply(text_answer(503, "")),
        lambda: Reply(text_answer(504, "")),
        lambda: Reply(Answer(200, b"<html>Log in</html>", "text/html")),
        lambda: Reply(Answer(200, b"", "application/json")),
        lambda: Reply(Answer(200, answer.body[:-1], "application/json")),
    ]
    rare = [lambda: Reply(text_answer(429, "", {"Retry-After": "1"})), lambda: Reply(Answer(401))]
    if kind > 0.98:
        return rare[kind > 0.99]()
    return makers[int(kind / 0.98 * len(makers))]()


def serve(options):
    with Spoilt(options.entities, options.rate, options.seed) as sandbox:
        sys.stdout.write(f"{sandbox.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"spoilt": sandbox.spoilt}))


class Watch(threading.Thread):
    """Notes the memory of this process as the requests go on."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self._client = client
        self._done = threading.Event()
        self.samples = []

    def run(self):
        while not self._done.wait(1 / SAMPLES_PER_SECOND):
            self.samples.append((self._client.cache_info().requests_sent, resident_kilobytes()))

    def stop(self):
        self._done.set()
        self.join()

    def per_entity(self, first, last):
        """Kilobytes that one more answer costs, between two parts of the walk."""
        total = self.samples[-1][0]
        part = [sample for sample in self.samples if first * total <= sample[0] < last * total]
        sent = part[-1][0] - part[0][0]
        return round((part[-1][1] - part[0][1]) / sent, 3) if sent else 0.0


def resident_kilobytes():
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def open_files():
    return sorted(str(link.resolve()) for link in Path("/proc/self/fd").iterdir())


def walk(url, entities):
    server = Server("sandbox", url, f"{url}/connect/token")
    credentials = Credentials("sandbox-client", "sandbox-secret")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        with IcdClient(server, lambda: credentials, cache_dir=Path(folder)) as client:
            watch = Watch(client)
            watch.start()
            tables = client.load_tables(release="2024-01", progress=False)
            watch.stop()
            info = client.cache_info()
        left = [path for path in open_files() if path.startswith(folder)]
    return {
        "entities": len(tables.entities),
        "complete": tables.provenance.complete and len(tables.entities) == entities,
        "seconds": round(time.monotonic() - began),
        "requests": info.requests_sent,
        "tokens": info.tokens_fetched,
        "kilobytes_per_entity_by_quarter": [watch.per_entity(part / 4, (part + 1) / 4) for part in range(4)],
        "megabytes_at_the_end": resident_kilobytes() // 1024,
        "files_left_open": left,
        "threads_left": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    }


def shortcomings(report):
    """What is not as it should be; the first half of a walk also pays for what is loaded once."""
    wrong = [name for name in ("files_left_open", "threads_left") if report[name]]
    if not report["complete"]:
        wrong.append("not complete")
    growth = max(report["kilobytes_per_entity_by_quarter"][2:])
    if report["entities"] >= FEWEST_MEASURED and growth > MOST_KILOBYTES:
        wrong.append(f"{growth} kB an entity")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    command = [sys.executable, __file__, "--serve", *sys.argv[1:]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        report = walk(url, options.entities)
        server.stdin.close()
        report |= json.loads(server.stdout.read())
    sys.stdout.write(f"{json.dumps(report)}\n")
    if wrong := shortcomings(report):
        sys.exit(", ".join(wrong))


if __name__ == "__main__":
    main()
