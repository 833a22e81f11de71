"""WHO's Simple Tabulation files as tables; it reads what stands in the file and sends no request."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from icdframes.frames.build import build_tables
from icdframes.frames.provenance import Provenance, utc_text
from icdframes.frames.tables import EntityTables
from icdframes.frames.tabulation_graph import read_tabulation_graph


def read_tabulation(
    path: str | os.PathLike[str],
    text: str | os.PathLike[str] | None = None,
    *,
    language: str | None = None,
    release: str | None = None,
    classification: str | None = None,
) -> EntityTables:
    r"""Read a Simple Tabulation file that was downloaded from WHO.

    Parameters
    ----------
    path : path
        ``.txt``, ``.tsv``, ``.csv`` or ``.xlsx`` (needs openpyxl), also inside a
        ``.zip``, and text as ``.gz``; in any form of 2018 to 2025.
    text : path, optional
        ``.jsonl`` or ``.jsonl.gz`` with one object per entity: ``kind``, ``code`` or
        ``blockId``, ``definition``, ``codingNote``, ``lists``. It fills definitions,
        coding notes, inclusions, exclusions and children coded elsewhere.
    language, release, classification : str, optional
        Given where the file tells them wrongly or not at all.

    Returns
    -------
    EntityTables
        The same tables as loading the whole classification, less what the file does
        not tell. A chapter's number is its code. An untranslated title is English. No network.

    Raises
    ------
    FileFormatError
        If the file is no tabulation; it names the line.
    MissingExtraError
        If a spreadsheet is given and openpyxl is not installed.

    Examples
    --------
    >>> import icdframes
    >>> import tempfile
    >>> from pathlib import Path
    >>> rows = [
    ...     ["Linearization URI", "Code", "Title", "ClassKind", "ChapterNo", "Version:2024 Jan 21"],
    ...     ["http://id.who.int/icd/release/11/mms/1435254666", "", "Infections", "chapter", "01", ""],
    ...     ["http://id.who.int/icd/release/11/mms/257068234", "1A00", "- Cholera", "category", "01", ""],
    ... ]
    >>> file = Path(tempfile.mkdtemp()) / "tabulation-en.txt"
    >>> _ = file.write_text("\n".join("\t".join(row) for row in rows))
    >>> icdframes.read_tabulation(file).entities["code"].tolist()
    ['01', '1A00']

    """
    graph, origin = read_tabulation_graph(path, text, language=language, release=release, classification=classification)
    provenance = Provenance(
        server=origin.path.name,
        classification=origin.classification,
        release=origin.release,
        languages=(origin.language,) if origin.language else (),
        retrieved_at=utc_text(datetime.fromtimestamp(origin.path.stat().st_mtime, UTC)),
    )
    return build_tables(graph, provenance, chapters=origin.chapters)
