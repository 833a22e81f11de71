"""Loading a branch where IPython's `Output` swallows what is raised in it: in a kernel."""

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow  # starts a kernel

SHOW = """import signal
import icdframes
from icdframes.sandbox import shared_sandbox
client = icdframes.connect("sandbox")
tree = icdframes.TreeBrowser(client, release="2024-01")
tree.go_to("1A03")
client.clear_cache()"""
FAIL = """shared_sandbox().fail("*/mms/*", status=404, times=1)
tree._load.click()
print(tree._status.value, tree.frame)"""
STOP = """load = tree._source.load
def stopped(entity_id):
    signal.raise_signal(signal.SIGINT)  # what the stop button sends
tree._source.load = stopped
tree._load.click()
print(tree._status.value, tree.frame, tree._load.disabled)"""
BREAK = """def broken(entity_id):
    raise RuntimeError("bug")
tree._source.load = broken
tree._load.click()
print(tree._status.value, tree.frame)"""
AGAIN = """tree._source.load = load
tree._load.click()
print(tree._status.value)"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Run the cells and give what each printed."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SHOW, FAIL, STOP, BREAK, AGAIN)]
    book = nbformat.v4.new_notebook(cells=cells)
    where = {"metadata": {"path": str(tmp_path_factory.mktemp("book"))}}
    NotebookClient(book, resources=where, timeout=60).execute()
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in book.cells]


def test_a_failure_is_told_in_the_tree(printed):
    assert "✗ No entity" in printed[1]
    assert "None" in printed[1]


def test_the_stop_button_is_no_error_and_says_how_to_go_on(printed):
    assert "Stopped. What has come is kept: press again" in printed[2]
    assert "None False" in printed[2]


def test_an_unexpected_error_is_told(printed):
    assert "Something unexpected went wrong" in printed[3]


def test_afterwards_the_branch_can_still_be_loaded(printed):
    assert "7 rows in .frame" in printed[4]
