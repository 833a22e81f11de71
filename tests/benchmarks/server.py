"""Serve a corpus in a process of its own; a line on its input sets the delay or plans a fault, its end ends it.

``20`` is the delay in milliseconds; ``outage 503 60 200`` answers nothing but 503 for 60 seconds after 200 requests
(``refused``: nobody listens meanwhile); ``noise 429 0.05`` lets every twentieth answer go wrong (``mixed``:
five kinds). ``--light`` serves good answers only, with little of the processor, so many at a time as ``--bears`` says.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import corpus
from light_server import LightServer

from icdframes.sandbox import Sandbox

HERE = Path(__file__).parent


class Server:
    """The other process, as its starter sees it."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "server.py", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._answer()

    def delay(self, milliseconds: int) -> None:
        """Wait so long before each answer from now on."""
        self._process.stdin.write(f"{milliseconds}\n")
        self._process.stdin.flush()
        self._answer()

    def plan(self, fault: str) -> None:
        """Plan a fault, written as above."""
        self._process.stdin.write(f"{fault}\n")
        self._process.stdin.flush()
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _answer(self) -> str:
        answer = self._process.stdout.readline().strip()
        if not answer:
            raise RuntimeError("The server of the benchmark did not start: see what it printed above.")
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=2000)
    parser.add_argument("--classification", default="mms")
    parser.add_argument("--real", type=Path, help="WHO's own tabulation instead of made-up entities")
    parser.add_argument("--text", type=Path, help="texts that go with it")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--light", action="store_true", help="answers made beforehand")
    parser.add_argument("--bears", type=int, help="requests worked on at a time")
    options = parser.parse_args()
    served = (
        corpus.real(options.real, options.text)
        if options.real
        else corpus.made_up(options.entities, options.classification)
    )
    with (
        LightServer(served, options.bears, options.port)
        if options.light
        else Sandbox(served, authenticate=False, port=options.port)
    ) as sandbox:
        print(sandbox.url, flush=True)
        for line in sys.stdin:
            match line.split():
                case [delay]:
                    sandbox.delay = int(delay) / 1000
                case ["outage", kind, seconds, after]:
                    threading.Thread(
                        target=_outage, args=(sandbox, kind, float(seconds), int(after)), daemon=True
                    ).start()
                case ["noise", kind, share]:
                    _noise(sandbox, kind, float(share))
            print("set", flush=True)


def _outage(sandbox: Sandbox, kind: str, seconds: float, after: int) -> None:
    before = len(sandbox.log)
    while len(sandbox.log) - before < after:
        time.sleep(0.02)
    if kind == "refused":
        sandbox.stop()
    else:
        sandbox.fail("*", status=int(kind), times=None)
    time.sleep(seconds)
    sandbox.clear_faults()
    sandbox.start()


def _noise(sandbox: Sandbox, kind: str, share: float) -> None:
    if kind == "mixed":
        for status in (500, 502, 503):
            sandbox.fail("*", status=status, times=None, share=share / 5)
        sandbox.fail("*", close=True, times=None, share=share / 5)
        sandbox.fail("*", cut_body=20, times=None, share=share / 5)
    else:
        sandbox.fail("*", status=int(kind), headers={"Retry-After": "1"}, times=None, share=share)


if __name__ == "__main__":
    main()
