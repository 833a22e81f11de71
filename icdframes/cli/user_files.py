"""Read what a command line names: a file of the user's own, or the tables of a release, a folder or a WHO file."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.cli.output import connect
from icdframes.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables


def read_user_table(options: Namespace) -> pd.DataFrame:
    """Read ``options.file`` and check that it has the column ``options.code``."""
    from icdframes.frames.files import SIDECAR, read_frame  # noqa: PLC0415  pandas only where needed
    from icdframes.frames.user_table import TEXT_SUFFIXES, text_format  # noqa: PLC0415

    file = Path(options.file)
    frame = read_frame(file, sep=options.sep, encoding=options.encoding)
    if file.suffix.lower() in TEXT_SUFFIXES and not file.with_name(file.name + SIDECAR).is_file():
        form = text_format(file, sep=options.sep, encoding=options.encoding)
        options.sep = form.sep
        options.encoding = options.encoding or ("utf-8-sig" if form.encoding != "utf-8" else "utf-8")
    if options.code not in frame:
        raise ConfigurationError(
            f"{options.file} has no column {options.code!r}: name one with {options.column_option}, it has "
            f"{', '.join(frame.columns)}.{did_you_mean(options.code, frame.columns)}"
        )
    return frame


def tables_of(options: Namespace, release: str | None, *, folder: str | None = None) -> EntityTables:
    """Return the tables of a release, or those in a folder or WHO file that is named instead."""
    from icdframes.files.tabulation import read_tabulation  # noqa: PLC0415
    from icdframes.frames.entity_tables import read_tables  # noqa: PLC0415  pandas only where needed

    place = folder or release
    if place and Path(place).is_dir():
        return read_tables(Path(place))
    if place and Path(place).is_file():
        return read_tabulation(place)
    if folder or (place and (Path(place).suffix or len(Path(place).parts) > 1)):
        advice = "" if folder else ", or give a release id such as 2024-01"
        raise ConfigurationError(f"There is no file or folder {place}: check its name{advice}.")
    with connect(options) as client:
        tables = client.load_tables(classification=options.classification, release=place)
        if client.server.name == "sandbox":
            from icdframes.sandbox.sample import sample_note  # noqa: PLC0415  only where the sandbox is in use

            _say_once(options, sample_note(options.classification, tables.provenance.release))
        return tables


def _say_once(options: Namespace, note: str) -> None:
    """Print a sentence that is true of both releases of a comparison for the first of them."""
    if note not in (said := vars(options).setdefault("said", [])):
        said.append(note)
        print(note, file=sys.stderr)
