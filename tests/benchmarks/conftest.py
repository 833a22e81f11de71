"""The scripts of this folder import each other by their plain names: pytest runs them as programs only."""

from pathlib import Path

collect_ignore = [file.name for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("test_")]
