"""Start-up: `import icdframes` and `icdframes --version`, each in a new process."""

from __future__ import annotations

import time
from functools import partial

import measure

CLOCK = "import time; began = time.perf_counter(); import icdframes; print(time.perf_counter() - began)"
HEAVY = "import sys, icdframes.cli; print(*sorted({'pandas', 'requests', 'ipywidgets', 'pyarrow'} & set(sys.modules)))"


def main() -> None:
    options = measure.parser(__doc__, runs=9).parse_args()
    found = measure.alternate(
        {
            "import icdframes": _import,
            "icdframes --version": partial(_process, "-m", "icdframes", "--version"),
            "(python -c pass)": partial(_process, "-c", "pass"),
        },
        options.runs,
    )
    limits = {"import icdframes": 0.1, "icdframes --version": 0.25}
    figures = [
        {
            "what": name,
            "wall_s": one["wall"],
            "as_wanted": measure.verdict(one["wall"], limits[name]) if name in limits else "",
        }
        for name, one in found.items()
    ]
    measure.publish("import", figures, options.out, heavy_modules=measure.output("-c", HEAVY).split())


def _import() -> dict[str, float]:
    return {"wall": float(measure.output("-c", CLOCK))}


def _process(*command: str) -> dict[str, float]:
    began = time.perf_counter()
    measure.output(*command)
    return {"wall": time.perf_counter() - began}


if __name__ == "__main__":
    main()
