"""``frame.icd.annotate(...)`` and its like; it adds no behaviour to the functions it calls.

`register` is called when the first verb is used (``icdframes.functions`` does so), because
``import icdframes`` must not load pandas; and the functions are loaded when they are called,
because connecting must not load narwhals.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from icdframes.frames.code_mapping import CodeMapping
    from icdframes.frames.entity_tables import EntityTables

NAME = "icd"


class IcdAccessor:
    """The verbs that take a frame of your own, as methods of the frame.

    Examples
    --------
    >>> register()
    >>> pd.DataFrame({"code": ["1A00"]}).icd
    <icdframes on 1 row>

    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __repr__(self) -> str:
        return f"<icdframes on {len(self._frame):,} row{'s' if len(self._frame) != 1 else ''}>"

    def annotate(self, tables: EntityTables, **options: Any) -> pd.DataFrame:
        """Do as `icdframes.annotate` does, with this frame."""
        return _function("annotate")(self._frame, tables, **options)

    def rollup(self, tables: EntityTables, **options: Any) -> pd.DataFrame:
        """Do as `icdframes.rollup` does, with this frame."""
        return _function("rollup")(self._frame, tables, **options)

    def map_codes(self, mapping: CodeMapping, **options: Any) -> pd.DataFrame:
        """Do as `icdframes.map_codes` does, with this frame."""
        return _function("map_codes")(self._frame, mapping, **options)


def _function(name: str) -> Callable[..., pd.DataFrame]:
    function: Callable[..., pd.DataFrame] = getattr(import_module("icdframes"), name)
    return function


def register() -> None:
    """Register the attribute ``icd`` of every pandas DataFrame; one that somebody else registered stays."""
    if not hasattr(pd.DataFrame, NAME):
        pd.api.extensions.register_dataframe_accessor(NAME)(IcdAccessor)
