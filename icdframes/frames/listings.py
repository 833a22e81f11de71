"""Small tables of what a server offers; it never sees HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from icdframes.model.entity import TopLevel


def releases_table(tops: Sequence[TopLevel], *, server: str) -> pd.DataFrame:
    """Give one row per release.

    Returns
    -------
    pandas.DataFrame
        Columns classification, release, date, title, languages (space-separated),
        prerelease_languages, n_top_entities, uri; newest first.

    """
    rows = [
        (
            top.classification,
            top.release,
            top.date,
            top.title,
            " ".join(top.languages),
            " ".join(top.prerelease_languages),
            len(top.child_ids),
            top.uri,
        )
        for top in tops
    ]
    columns = [
        "classification",
        "release",
        "date",
        "title",
        "languages",
        "prerelease_languages",
        "n_top_entities",
        "uri",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    texts = [name for name in columns if name != "n_top_entities"]
    frame = frame.astype({**dict.fromkeys(texts, "str"), "n_top_entities": "int64"})
    frame.attrs["server"] = server
    return frame
