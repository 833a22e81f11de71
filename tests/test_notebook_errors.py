"""What an error shows in a notebook: the user's own line and the message, and no frame of the package."""

import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

import icdframes


@pytest.fixture
def shell(capsys, monkeypatch):
    """Return a function that runs a cell and returns what IPython prints of it."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)  # IPython warns where another one is activated
    InteractiveShell.clear_instance()
    running = InteractiveShell.instance()
    running.run_line_magic("colors", "nocolor")

    def run(cell):
        running.run_cell(cell)
        done = capsys.readouterr()
        return done.out + done.err

    yield run
    InteractiveShell.clear_instance()


def test_an_error_shows_the_users_line_and_the_message(shell, icd_client):
    shell("import icdframes")
    shown = shell("wanted = 'ZZ99'\nicdframes.load_entity(wanted)")
    assert "EntityNotFoundError: No code 'ZZ99' in mms 2024-01." in shown
    assert "line 2" in shown
    assert "/icdframes/" not in shown
    assert len(shown.splitlines()) <= 6


def test_missing_credentials_are_a_few_lines(shell, tmp_path):
    shell("import icdframes")
    shown = shell(f"icdframes.connect('who', cache_dir='{tmp_path}').load_entity('1A00')")
    assert "Register (free of charge)" in shown
    assert len(shown.splitlines()) <= 6


def test_the_whole_traceback_is_still_there(icd_client):
    with pytest.raises(icdframes.errors.EntityNotFoundError) as caught:
        icdframes.load_entity("ZZ99")
    files = {str(frame.path) for frame in caught.traceback}
    assert any(name.endswith("client/loading.py") for name in files)


def test_an_interrupted_load_says_that_what_came_is_kept(shell, icd_client, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("icdframes.client.loading.walk_language", interrupted)
    with pytest.raises(KeyboardInterrupt, match="What was fetched is in the cache"):
        icdframes.load_entity("07")
    shell("import icdframes")
    assert "What was fetched is in the cache" in shell("icdframes.load_entity('07')")


@pytest.mark.slow
def test_python_s_own_traceback_is_whole():
    script = "import icdframes; icdframes.connect('sandbox'); icdframes.load_entity('ZZ99')"
    done = subprocess.run([sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True, check=False)
    assert "loading.py" in done.stderr
