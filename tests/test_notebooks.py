"""The notebooks run from top to bottom offline, and show what they give.

``python tests/test_notebooks.py [NUMBER ...]`` runs them, or those whose names begin so, and keeps what they show.
"""

import base64
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (pip install 'icdframes[test]')")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (pip install 'icdframes[test]')")

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS = re.compile(r"\w/s[,\]]")  # what a bar of tqdm shows
LARGEST_FIGURE = 200_000  # bytes
BLOCK_NETWORK = """import socket
_connect = socket.socket.connect
def _here_only(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
        raise AssertionError(f"a notebook asked for {address}")
    return _connect(self, address)
socket.socket.connect = _here_only"""
VARIES = [  # what is another in each run, and what stands in a stored notebook instead
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8011"),
    (re.compile(r"\S*ipykernel_\S*?\.py:\d+: "), ""),
    (re.compile(r"( snapshots, )[^<]+"), r"\1in a folder of its own"),
]
DATES = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"retrieved on \d{4}-\d\d-\d\d"), "DATE"),
]

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def execute(path, work):
    """Return the notebook as it is after a run in a folder of its own, and what it wrote to standard error."""
    book = nbformat.read(path, as_version=4)
    book.cells.insert(0, nbformat.v4.new_code_cell(BLOCK_NETWORK))
    client = nbclient.NotebookClient(
        book, timeout=300, store_widget_state=False, resources={"metadata": {"path": str(work)}}
    )
    client.execute()
    del book.cells[0]
    return book


def as_stored(book):
    """Return a copy of a notebook with the outputs that are worth keeping, and nothing that differs from run to run."""
    book = nbformat.from_dict(book)
    book.metadata = {"kernelspec": book.metadata.kernelspec, "language_info": {"name": "python"}}
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.metadata, cell.execution_count = {}, number
        cell.outputs = _joined([kept for output in cell.outputs if (kept := _kept(output, number))])
    return book


def _joined(outputs):
    """Return outputs in which texts on the same stream are one: how they come in pieces is chance."""
    joined = []
    for output in outputs:
        if joined and "text" in output and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _kept(output, number):
    """Return an output as it is stored, or None for a progress bar."""
    output = nbformat.from_dict(output)
    if "text" in output:
        output.text = _replaced(output.text, VARIES)
        return output
    output.metadata = {}
    if "execution_count" in output:
        output.execution_count = number
    is_widget = output.data.pop(WIDGET, None) is not None
    if is_widget and PROGRESS.search(output.data.get("text/plain", "")):
        return None
    for kind in output.data.keys() & {"text/plain", "text/html"}:
        output.data[kind] = _replaced(output.data[kind], VARIES)
    return output


def _replaced(text, patterns):
    for pattern, instead in patterns:
        text = pattern.sub(instead, text)
    return text


def shown(book):
    """Return what each cell shows, in a form that two runs share: words for texts, width and height for figures."""
    return [[_essence(output) for output in cell.outputs] for cell in as_stored(book).cells if cell.cell_type == "code"]


def _essence(output):
    if "text" in output:
        return _replaced(output.text, DATES).split()
    if "image/png" in output.data:
        return "figure", *(round(side / 25) for side in size_of(output.data["image/png"]))
    return _replaced(output.data["text/plain"], DATES).split()


def size_of(png):
    return struct.unpack(">II", base64.b64decode(png)[16:24])


def test_there_are_notebooks_in_order():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 5


@by_notebook
def test_a_notebook_is_stored_with_its_outputs_and_without_widget_state(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert book == as_stored(book)
    text = path.read_text(encoding="utf-8")
    assert [
        word
        for word in ("/home/", "/tmp/", "/root/", "/work/", "widget-state", WIDGET, "client_secret")
        if word in text
    ] == []
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert sum(bool(cell.outputs) for cell in code) >= len(code) // 2
    assert [output for cell in code for output in cell.outputs if output.output_type == "error"] == []
    figures = [
        output.data["image/png"] for cell in code for output in cell.outputs if "image/png" in output.get("data", {})
    ]
    assert [len(figure) for figure in figures if len(figure) * 3 / 4 >= LARGEST_FIGURE] == []


@by_notebook
def test_a_notebook_opens_with_its_question_and_its_time(path):
    book = nbformat.read(path, as_version=4)
    kinds = [cell.cell_type for cell in book.cells]
    opening = book.cells[0].source
    assert opening.startswith("# ")
    assert re.search(r"^\*.*\?\*$", opening, re.MULTILINE | re.DOTALL)
    assert re.search(r"Reading time: \d+ minutes; it runs in \d+ seconds", opening)
    assert kinds.count("markdown") >= 6
    assert all(len(cell.source.splitlines()) <= 50 for cell in book.cells)
    assert "plt.show" not in path.read_text(encoding="utf-8")


@pytest.mark.slow
@by_notebook
def test_a_notebook_runs_offline_and_gives_what_it_shows(path, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'icdframes[test]')")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    book = execute(path, tmp_path / "work")
    nbformat.write(book, tmp_path / "executed.ipynb")  # tests/security searches it for secrets
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    stderr = [output.text for output in outputs if output.get("name") == "stderr"]
    assert [text for text in stderr if "Warning" in text and "PartialResultWarning" not in text] == []
    if int(pd.__version__.split(".")[0]) < 3:
        pytest.skip("it ran; what it shows is compared with pandas 3, which writes missing values in another way")
    assert shown(book) == shown(nbformat.read(path, as_version=4)), "run `python tests/test_notebooks.py` and look"


def main(*wanted):
    """Run notebooks and keep what they show, where that has changed."""
    for path in NOTEBOOKS:
        if wanted and not path.stem.startswith(wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"ICDFRAMES_CACHE_DIR": f"{folder}/cache", "ICDFRAMES_CONFIG_DIR": f"{folder}/config"}
            work = Path(folder) / "work"
            work.mkdir()
            book = execute(path, work)
        before = nbformat.read(path, as_version=4)
        sources = [cell.source for cell in before.cells] == [cell.source for cell in book.cells]
        if not (sources and before == as_stored(before) and shown(before) == shown(book)):
            nbformat.write(as_stored(book), path)
            print(f"{path.name} shows something new")  # noqa: T201  that is what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
