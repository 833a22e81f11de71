"""The notebooks run from top to bottom offline, and are stored without what they show."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (pip install 'icdframes[test]')")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (pip install 'icdframes[test]')")

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BLOCK_NETWORK = """import socket
_connect = socket.socket.connect
def _here_only(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
        raise AssertionError(f"a notebook asked for {address}")
    return _connect(self, address)
socket.socket.connect = _here_only"""

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_the_five_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_first_steps",
        "02_exploring_a_chapter",
        "03_your_own_data",
        "04_coding_text",
        "05_releases_and_icd10",
    ]


@by_notebook
def test_a_notebook_is_stored_without_what_it_shows(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert set(book.metadata) == {"kernelspec", "language_info"}  # no widget state
    for cell in book.cells:
        assert cell.metadata == {}
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


@by_notebook
def test_a_notebook_tells_what_it_does(path):
    book = nbformat.read(path, as_version=4)
    kinds = [cell.cell_type for cell in book.cells]
    assert book.cells[0].source.startswith("# ")
    assert "?" in book.cells[0].source
    assert kinds.count("markdown") >= 6
    assert all(len(cell.source.splitlines()) <= 50 for cell in book.cells)
    assert "plt.show" not in path.read_text(encoding="utf-8")


@by_notebook
def test_a_notebook_runs_from_top_to_bottom_offline(path, tmp_path, monkeypatch):
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    book = nbformat.read(path, as_version=4)
    book.cells.insert(0, nbformat.v4.new_code_cell(BLOCK_NETWORK))
    client = nbclient.NotebookClient(
        book, timeout=60, store_widget_state=False, resources={"metadata": {"path": str(tmp_path / "work")}}
    )
    client.execute()
    nbformat.write(book, tmp_path / "executed.ipynb")  # tests/security searches it for secrets
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("data" in output for output in outputs)
    stderr = [output.text for output in outputs if output.get("name") == "stderr"]
    assert [text for text in stderr if "Warning" in text and "PartialResultWarning" not in text] == []
    assert ("plot_" in path.read_text(encoding="utf-8")) == any(
        "image/png" in output.get("data", {}) for output in outputs
    )
