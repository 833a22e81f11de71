"""``annotate``, ``map``, ``compare``: what the tables do for your own data."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.cli.output import connect, print_csv, show, target_of, write
from icdframes.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from icdframes.frames.entity_tables import EntityTables


def annotate(options: Namespace) -> None:
    """Add title, chapter and the like to a file with a column of codes."""
    from icdframes.analysis import annotate as annotating  # noqa: PLC0415  pandas only where needed

    target = target_of(options)
    frame = _own_data(options)
    tables = _tables(options, options.release)
    result = annotating.annotate(frame, tables, code=options.code, add=options.add.split(","), unknown=options.unknown)
    _give(result, options, target)
    print(annotating.match_report(frame, tables, code=options.code).to_string(index=False), file=sys.stderr)


def map_codes(options: Namespace) -> None:
    """Translate a column of codes with one of WHO's mapping tables."""
    from icdframes.analysis.mapping import map_codes as translate  # noqa: PLC0415  pandas only where needed
    from icdframes.files.mapping import read_mapping  # noqa: PLC0415

    target = target_of(options)
    result = translate(_own_data(options), read_mapping(options.mapping, table=options.table), code=options.code)
    _give(result, options, target)


def compare(options: Namespace) -> None:
    """Show what changed between two releases."""
    from icdframes.analysis.compare import compare_releases  # noqa: PLC0415  pandas only where needed

    if not (options.old and options.new):
        raise ConfigurationError(
            "Which releases? Give OLD and NEW, each a release id, a folder written by icdframes, or WHO's tabulation."
        )
    target = target_of(options)
    changes = compare_releases(_tables(options, options.old), _tables(options, options.new))
    print(changes["change"].value_counts().rename_axis("change").to_string(), file=sys.stderr)
    _give(changes, options, target)


def _own_data(options: Namespace) -> pd.DataFrame:
    from icdframes.frames.files import read_frame  # noqa: PLC0415  pandas only where needed

    frame = read_frame(Path(options.file))
    if options.code not in frame:
        raise ConfigurationError(
            f"{options.file} has no column {options.code!r}: name one with --code, it has {', '.join(frame.columns)}."
            f"{did_you_mean(options.code, frame.columns)}"
        )
    return frame


def _tables(options: Namespace, release: str | None) -> EntityTables:
    """Give the tables of a release, or those in a folder or WHO file that is named instead."""
    from icdframes.files.tabulation import read_tabulation  # noqa: PLC0415
    from icdframes.frames.entity_tables import read_tables  # noqa: PLC0415  pandas only where needed

    own = getattr(options, "tables", None)
    place = own or release
    if place and Path(place).is_dir():
        return read_tables(Path(place))
    if place and Path(place).is_file():
        return read_tabulation(place)
    if own or (place and (Path(place).suffix or len(Path(place).parts) > 1)):
        advice = "" if own else ", or give a release id such as 2024-01"
        raise ConfigurationError(f"There is no file or folder {place}: check its name{advice}.")
    with connect(options) as client:
        return client.load_tables(classification=options.classification, release=place)


def _give(frame: pd.DataFrame, options: Namespace, target: Path | None) -> None:
    if options.out == "-":
        print_csv(frame, options)
    elif target:
        write(frame, target, options)
    else:
        show(frame)
