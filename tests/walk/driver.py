"""Does what it is told on standard input in child processes that may be killed: one JSON object a line, in and out.

Started once, it has loaded pandas; each job is a fork, which costs milliseconds instead of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet  # noqa: F401  loaded here once instead of in every child

from icdframes.client.icd_client import IcdClient
from icdframes.frames.build import build_tables  # noqa: F401  as above
from icdframes.frames.files import read_frame, to_parquet
from icdframes.settings import Server
from icdframes.transport.secrets import Credentials

DEAF_SECONDS = 10


def client_of(job):
    server = Server("sandbox", job["url"], job["url"] + "/connect/token")
    credentials = Credentials("sandbox-client", "sandbox-secret")
    return IcdClient(server, lambda: credentials, cache_dir=Path(job["folder"]), max_workers=job["workers"])


def load(job):
    """Load a whole classification; give a digest of the five tables."""
    with client_of(job) as client:
        tables = client.load_tables(release="2024-01", progress=False)
        sent = client.cache_info().requests_sent
    text = "".join(tables.frames[name].to_csv(index=False) for name in sorted(tables.frames))
    return {"rows": len(tables.entities), "digest": hashlib.sha256(text.encode()).hexdigest(), "sent": sent}


def export(job):
    """Write two tables in turn over the same file until killed."""
    target = Path(job["folder"]) / "table.parquet"
    while True:
        for word in ("old", "new"):
            to_parquet(pd.DataFrame({"word": [word] * 20_000}), target, overwrite=True)


def read(job):
    """Return what the file holds: one word, over and over."""
    frame = read_frame(Path(job["folder"]) / "table.parquet")
    return {"rows": len(frame), "words": sorted(set(frame.word))}


def inherit(job):
    """Use a client, fork, use it in the child, and use it again; give what the child was told."""
    path = "/icd/release/11/2024-01/mms/"
    with client_of(job) as client:
        client.get(path + "1")
        into, out = os.pipe()
        pid = os.fork()
        if pid == 0:
            told = [problem(client.get, path + one) for one in ("1", "2")] + [problem(client.cache_info)]
            os.write(out, json.dumps(told).encode())
            os._exit(0)
        os.close(out)
        with os.fdopen(into, "rb") as stream:
            told = json.loads(stream.read())
        os.waitpid(pid, 0)
        return {"child": told, "parent": client.get(path + "2")["@id"]}


def problem(action, *arguments):
    """The error that an action ends with, or its result."""
    try:
        return repr(action(*arguments))
    except Exception as error:  # noqa: BLE001  it is the answer
        return repr(error)


def open_together(job):
    """Open clients of one folder in eight threads and ask each for the same; give what they were answered."""

    def ask(_):
        with client_of(job) as client:
            return client.get("/icd/release/11/2024-01/mms/1")["@id"]

    with ThreadPoolExecutor(8) as pool:
        return {"answers": sorted(set(pool.map(ask, range(8))))}


JOBS = {"load": load, "open": open_together, "export": export, "read": read, "inherit": inherit}


def child(job, out):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = JOBS[job["do"]](job)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  what went wrong is the answer
            answer = {"error": repr(error)}
    os.write(out, json.dumps(answer | {"warnings": [str(one.message) for one in caught]}).encode())
    os.close(out)


def begin(job):
    into, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(into)
        child(job, out)
        os._exit(0)
    os.close(out)
    return pid, into


def end(pid, into, kill_after, by):
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.Signals[by])
        while not select.select([into], [], [], DEAF_SECONDS)[0]:  # Ctrl-C is lost where it falls into a destructor
            os.kill(pid, signal.Signals[by])
    with os.fdopen(into, "rb") as stream:
        written = stream.read()
    _, status = os.waitpid(pid, 0)
    return {"killed": os.WIFSIGNALED(status)} | (json.loads(written) if written else {})


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    for line in sys.stdin:
        job = json.loads(line)
        running = [begin(job) for _ in range(job.get("processes", 1))]
        answers = [end(pid, into, job.get("kill_after"), job.get("signal", "SIGKILL")) for pid, into in running]
        print(json.dumps(answers), flush=True)  # noqa: T201  that is how it answers


if __name__ == "__main__":
    main()
