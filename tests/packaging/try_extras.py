"""Install a wheel with each extra alone into an empty environment, and try there what the extra is for.

``python tests/packaging/try_extras.py dist/icdframes-0.1.0-py3-none-any.whl [extra ...]``; without names all of them,
and ``bare``, which has none.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from queue import SimpleQueue

HERE = Path(__file__).parent
FOR_DEVELOPERS = {"all", "test", "browser", "docs", "dev"}


def extras():
    """Return the extras that a user may want, as pyproject.toml names them."""
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [name for name in project["optional-dependencies"] if name not in FOR_DEVELOPERS]


def try_extra(wheel, extra, folder):
    """Make the environment, install, try; the feature's own output is shown where it fails.

    Every environment is made in one of a few folders: the compiled modules of the one before serve the next one.
    """
    python = folder / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    for made_before in folder.iterdir():
        shutil.rmtree(made_before)
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    wanted = str(wheel) if extra == "bare" else f"{wheel}[{extra}]"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, wanted], check=True)
    settings = {
        "ICDFRAMES_CACHE_DIR": str(folder / "cache"),
        "ICDFRAMES_CONFIG_DIR": str(folder / "config"),
        "MPLBACKEND": "agg",
    }
    # from another folder, so that the installed package is imported and not the checkout
    done = subprocess.run(
        [python, HERE / "features.py", extra],
        cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    return done.returncode == 0


def timed(wheel, extra, folders):
    """Try an extra in a free folder; return whether it does what it is for, and the seconds it took."""
    started = time.monotonic()
    folder = folders.get()
    try:
        works = try_extra(Path(wheel).resolve(), extra, folder)
    finally:
        folders.put(folder)
    return works, time.monotonic() - started


def main(wheel, *names):
    """Try the extras, as many at a time as there are processors; give 1 where one does not do what it is for."""
    wanted = names or ("bare", *extras())
    failed = False
    folders: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in range(os.cpu_count() or 1):
            folders.put(Path(tempfile.mkdtemp(dir=work)))
        done = pool.map(timed, repeat(wheel), wanted, repeat(folders))
        for extra, (works, seconds) in zip(wanted, done, strict=True):
            print(f"{'ok   ' if works else 'WRONG'}  {extra:<12} {seconds:5.1f} s", flush=True)
            failed = failed or not works
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
