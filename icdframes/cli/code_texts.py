"""``icdframes code-texts``: propose codes for a column of diagnoses in words, without a server."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from icdframes.cli.options import (
    CLASSIFICATION_HELP,
    Commands,
    add_command,
    add_input_options,
    add_output_options,
    add_server_options,
    whole_number,
)
from icdframes.cli.tables import read_user_table, show_or_write, tables_of, target_of
from icdframes.errors import ConfigurationError
from icdframes.frames.atomic import check_target

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLES = """
icdframes code-texts notes.csv --column dx --tables mms-2024-01 --out coded.csv
icdframes code-texts notes.csv --column dx --dictionary mine.csv --mapping 10To11MapToOneCategory.txt --out coded.csv
icdframes code-texts notes.csv --column dx --out coded.csv --review review.xlsx
"""


def add_parser(commands: Commands) -> None:
    """Add the command to the program."""
    coding = add_command(commands, "code-texts", run, "propose codes for diagnoses in words", _EXAMPLES)
    add_input_options(coding, "--column", usual="text", holds="words")
    coding.add_argument("-n", dest="n", type=whole_number, default=5, metavar="N", help="candidates of each text (5)")
    coding.add_argument("--min-score", type=float, default=0.0, metavar="P", help="leave out less probable ones (0)")
    coding.add_argument("--split", action="store_true", help="code the parts of 'pneumonia due to stroke' each")
    coding.add_argument("--dictionary", metavar="PATH", help="your own wordings: columns text and code")
    coding.add_argument(
        "--mapping", action="append", default=[], metavar="PATH", help="WHO's mapping file, for its titles"
    )
    coding.add_argument("--review", metavar="FILE", help="a sheet (.xlsx or .csv) of the texts to be reviewed")
    coding.add_argument("--release", metavar="ID", help="such as 2024-01; the newest if left out")
    coding.add_argument("--tables", metavar="PATH", help="folder written by icdframes, or WHO's tabulation, instead")
    coding.add_argument("--classification", default="mms", metavar="NAME", help=CLASSIFICATION_HELP)
    add_output_options(coding)
    add_server_options(coding)


def run(options: Namespace) -> None:
    """Propose, write or show, and say how many wait for review."""
    from icdframes.coding.text_index import code_texts  # noqa: PLC0415  pandas only where needed
    from icdframes.files.mapping import read_mapping  # noqa: PLC0415

    target = target_of(options)
    review = Path(options.review) if options.review else None
    if review is not None:
        check_target(review, overwrite=options.overwrite, suffixes=(".csv", ".xlsx"))
        if target is not None and review.resolve() == target.resolve():
            raise ConfigurationError("is also the file to write: name another.", option="review", value=options.review)
    texts = read_user_table(options)[options.code]
    sources = [read_mapping(path) for path in options.mapping]
    tables = tables_of(options, options.release, folder=options.tables)
    frame = code_texts(
        texts,
        tables,
        n=options.n,
        min_score=options.min_score,
        split=options.split,
        dictionary=options.dictionary,
        sources=sources,
    )
    frame.insert(0, "row", [int(row) + 1 for row in frame.index])
    show_or_write(frame, options, target)
    waiting = frame[frame["needs_review"]]
    if review is not None:
        _write_review(waiting, review, options)
    coded = frame.loc[frame["code"].notna(), "row"].nunique()
    print(
        f"{len(texts)} texts: {coded} with a proposal, {waiting['row'].nunique()} to be reviewed. "
        "Proposals are not codes until somebody has looked.",
        file=sys.stderr,
    )


def _write_review(waiting: pd.DataFrame, target: Path, options: Namespace) -> None:
    """Write a row for each text, its candidates side by side, and empty columns for the choice and a note."""
    from icdframes.cli.tables import write  # noqa: PLC0415  pandas only where needed
    from icdframes.frames.pandas_compat import as_text, text_series  # noqa: PLC0415

    shown = waiting.assign(candidate=(waiting["code"] + " " + waiting["title"].fillna("")).str.strip())
    sheet = shown.drop_duplicates("text")[["text"]]
    for name in ("code", "note"):
        sheet[name] = text_series([None] * len(sheet), index=sheet.index)
    for rank in range(1, options.n + 1):
        of_rank = shown[shown["rank"] == rank].drop_duplicates("text").set_index("text")["candidate"]
        sheet[f"candidate_{rank}"] = as_text(sheet["text"].map(of_rank))
    sheet.attrs = waiting.attrs
    write(sheet, target, options)
