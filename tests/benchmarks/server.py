"""Serve a corpus in a process of its own; each line on its input sets the delay in milliseconds, its end ends it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import corpus

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
    options = parser.parse_args()
    served = (
        corpus.real(options.real, options.text)
        if options.real
        else corpus.made_up(options.entities, options.classification)
    )
    with Sandbox(served, authenticate=False, port=options.port) as sandbox:
        print(sandbox.url, flush=True)
        for line in sys.stdin:
            sandbox.delay = int(line) / 1000
            print("set", flush=True)


if __name__ == "__main__":
    main()
