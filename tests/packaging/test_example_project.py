"""A project of somebody else tests offline with the fixtures of ``icdframes.testing``."""

import shutil
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_user_s_project_tests_its_analysis_on_the_sandbox(project, tmp_path):
    shutil.copytree(
        project / "tests" / "example_project", tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__")
    )
    command = [sys.executable, "-m", "pytest", "-q", "--disable-socket", "--allow-hosts=127.0.0.1", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path / "mine", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
