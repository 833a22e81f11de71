"""Add ``frame.icd`` to every pandas DataFrame, at once or when pandas is imported.

``import icdframes`` must not load pandas, which takes seconds where a disk is slow. Nothing in pandas calls other
packages when it is loaded, and no package that icdframes needs has a hook for that (wrapt would be one more): x
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pandas as pd
    from pandas.io.formats.style import Styler

    from icdframes.analysis.codelist import CodeList
    from icdframes.analysis.grouping import Group
    from icdframes.analysis.matching import Members, Tables
    from icdframes.frames.code_mapping import CodeMapping
    from icdframes.frames.entity_tables import EntityTables

NAME = "icd"
_PANDAS = "pandas"


class IcdAccessor:
    """The verbs that take a frame of your own, as methods of the frame.

    Examples
    --------
    >>> import icdframes
    >>> import pandas as pd
    >>> pd.DataFrame({"code": ["1A00"]}).icd
    <icdframes on 1 row>

    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __repr__(self) -> str:
        return f"<icdframes on {len(self._frame):,} row{'s' if len(self._frame) != 1 else ''}>"

    def annotate(
        self,
        tables: Tables,
        *,
        code: str | Sequence[str] = "code",
        add: Sequence[Group] = ("title", "chapter", "block"),
        unknown: Literal["flag", "raise", "drop"] = "flag",
        members: Members = "first",
        suffix: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Add what the classification says of a column of codes; see `icdframes.annotate`."""
        options = {"code": code, "add": add, "unknown": unknown, "members": members, "suffix": suffix}
        return self._call("annotate", tables, options)

    def match_report(self, tables: Tables, *, code: str = "code") -> pd.DataFrame:
        """Count how the codes of a column were read; see `icdframes.match_report`."""
        return self._call("match_report", tables, {"code": code})

    def rollup(
        self,
        tables: Tables,
        *,
        code: str = "code",
        level: Group = "chapter",
        by: str | Sequence[str] = (),
        weight: str | None = None,
        min_count: int | None = None,
        zeros: bool = False,
        totals: bool = False,
        parents: Literal["primary", "all", "fractional"] = "primary",
        members: Members = "first",
    ) -> pd.DataFrame:
        """Count rows by a level of the classification; see `icdframes.rollup`."""
        options = {
            "code": code, "level": level, "by": by, "weight": weight, "min_count": min_count, "zeros": zeros,
            "totals": totals, "parents": parents, "members": members,
        }  # fmt: skip
        return self._call("rollup", tables, options)

    def flag(
        self,
        codelists: CodeList | Iterable[CodeList],
        *,
        code: str | Sequence[str] = "code",
        tables: Tables | None = None,
        members: Members = "any",
        suffix: str = "",
        id: str | Sequence[str] | None = None,  # noqa: A002  the word users look for
    ) -> pd.DataFrame:
        """Add one column of truth values per code list; see `icdframes.flag`."""
        options = {"code": code, "tables": tables, "members": members, "suffix": suffix, "id": id}
        return self._call("flag", codelists, options)

    def map_codes(
        self,
        mapping: CodeMapping,
        *,
        code: str = "code",
        tables: EntityTables | None = None,
        weight: bool | str = False,
    ) -> pd.DataFrame:
        """Translate a column of codes with one of WHO's mapping tables; see `icdframes.map_codes`."""
        return self._call("map_codes", mapping, {"code": code, "tables": tables, "weight": weight})

    def style(
        self,
        *,
        columns: Hashable | Iterable[Hashable] | None = None,
        max_rows: int | None = 100,
        max_text: int | None = 100,
        tables: EntityTables | pd.DataFrame | None = None,
    ) -> Styler:
        """Lay the frame out for reading in a notebook; see `icdframes.style`."""
        from icdframes.frames.styled import style  # noqa: PLC0415  pandas is not loaded with icdframes

        return style(self._frame, columns=columns, max_rows=max_rows, max_text=max_text, tables=tables)

    def _call(self, name: str, what: object, options: Mapping[str, object]) -> pd.DataFrame:
        function: Callable[..., pd.DataFrame] = getattr(import_module("icdframes"), name)
        return function(self._frame, what, **options)


def register() -> None:
    """Add the attribute ``icd`` now where pandas is loaded, or else as soon as it is; twice is once."""
    if _PANDAS in sys.modules:
        _register_at(import_module(_PANDAS))
    elif not any(isinstance(finder, _PandasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PandasFinder())


def _register_at(pandas: ModuleType) -> None:
    if not hasattr(pandas.DataFrame, NAME):  # nobody else's is replaced
        pandas.api.extensions.register_dataframe_accessor(NAME)(IcdAccessor)


class _PandasFinder:
    """Finds pandas as the other finders do, with a loader that registers the accessor after it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of pandas; None for every other module."""
        if name != _PANDAS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            loader: Any = _PandasLoader(spec, self)
            spec.loader = loader
        return spec


class _PandasLoader:
    """Loads pandas with its own loader, and then adds the accessor."""

    def __init__(self, spec: ModuleSpec, finder: _PandasFinder) -> None:
        self._spec, self._own, self._finder = spec, spec.loader, finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Make the module as its own loader does."""
        module: ModuleType | None = self._own.create_module(spec) if self._own else None
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Load pandas, and remove the finder where that went well."""
        self._spec.loader = module.__loader__ = self._own
        if self._own is not None:
            self._own.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _register_at(module)
