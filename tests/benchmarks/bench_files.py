"""WHO's files as a source: reading a whole release, loading it for the first time and again, and a branch of it.

The file is a real release where the full-size tables are (``ICDFRAMES_TEST_DATA`` names their place). Each run is a
process of its own; what is timed begins when icdframes and pandas are imported. The server of the file is this program,
and stands beside the download that `first` includes.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tempfile
import threading
import time
import warnings
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import measure

DATA = Path(os.environ.get("ICDFRAMES_TEST_DATA", measure.PROJECT.parent / "shared" / "data"))
NEW_FORM = "release_files/2024-01_rows_in_the_2026_form_en.txt.gz"
OLD_FORM = "mms/2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz"
NAME = "SimpleTabulation-ICD-11-MMS-en"
SECONDS = {"text": 1.5, "spreadsheet": 1.5, "first": 2.0, "again": 0.1, "branch": 0.1}
MEGABYTES = 300.0


def main() -> None:
    parser = measure.parser(__doc__, runs=3)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FOLDER"), help="time this one here, print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_time(*options.one)))
        return
    if not DATA.is_dir():
        sys.exit(f"The full-size tables are not at {DATA}: name their place in ICDFRAMES_TEST_DATA.")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write_files(place)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, (place / f"{NAME}.zip").read_bytes()))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        caches = (place / f"cache{number // len(SECONDS)}" for number in count())  # the same for all ways of a run
        found = measure.alternate(
            {way: lambda way=way: _in_new_process(way, place, url, next(caches)) for way in SECONDS}, options.runs
        )
        server.shutdown()
    figures = []
    for way, limit in SECONDS.items():
        row = {"way": way, **found[way], "as_wanted": measure.verdict(found[way]["wall_s"], limit)}
        figures.append(row | {"memory_as_wanted": measure.verdict(found[way]["peak_mb"], MEGABYTES)})
    measure.publish("files", figures, options.out, requests=_Handler.paths[:5])


class _Handler(BaseHTTPRequestHandler):
    """A server of one file, as WHO's serves it."""

    paths: ClassVar[list[str]] = []

    def __init__(self, body: bytes, *wire: Any) -> None:
        self._body = body
        super().__init__(*wire)

    def do_GET(self) -> None:
        self.paths.append(self.path)
        is_known = self.path.endswith(f"/2024-01/{NAME}.zip")
        body = self._body if is_known else b""
        self.send_response(200 if is_known else 404)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def _write_files(folder: Path) -> None:
    """Write the release as WHO publishes it, and the same rows as a spreadsheet."""
    import pandas as pd

    text = gzip.decompress((DATA / OLD_FORM).read_bytes())
    with zipfile.ZipFile(folder / f"{NAME}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{NAME}.txt", text)
    (folder / f"{NAME}.txt").write_bytes(gzip.decompress((DATA / NEW_FORM).read_bytes()))
    frame = pd.read_csv(io.BytesIO(text), sep="\t", dtype=str, keep_default_na=False)
    frame.to_excel(folder / f"{NAME}.xlsx", index=False)


def _in_new_process(way: str, folder: Path, url: str, cache: Path) -> dict[str, float]:
    more = {"ICD_FILES_URL": url, "ICDFRAMES_CACHE_DIR": str(cache), "PYTHONPATH": str(measure.PROJECT)}
    return measure.result(__file__, "--one", way, folder, **more)


def _time(way: str, folder: str) -> dict[str, float]:
    import pandas as pd

    import icdframes.errors

    assert all((pd, icdframes.connect, icdframes.read_tabulation))  # each is imported only where it is used

    if way in {"text", "spreadsheet"}:
        file = Path(folder, f"{NAME}.{'txt' if way == 'text' else 'xlsx'}")
        began = time.perf_counter()
        rows = len(icdframes.read_tabulation(file, release="2024-01").entities)
    else:
        warnings.simplefilter("ignore", icdframes.errors.PartialResultWarning)
        began = time.perf_counter()
        with icdframes.connect("files") as client:
            rows = len(client.load_entity("01" if way == "branch" else None, release="2024-01", progress=False))
    spent = time.perf_counter() - began
    return {"wall_s": spent, "rows": rows, "peak_mb": measure.peak_mb()}


if __name__ == "__main__":
    main()
