"""WHO classifications (ICD-11 MMS, ICF, foundation, ICD-10) as pandas DataFrames.

>>> import icdframes
>>> client = icdframes.connect("sandbox")  # or connect(): WHO itself
>>> frame = icdframes.load_entity("07")
>>> frame[["code", "title", "depth"]].head(2)
  code                 title  depth
0   07  Sleep-wake disorders      0
1  NaN    Insomnia disorders      1

- **Connect**: `connect`, `login`, `get_client`, `use_client`; `IcdClient` has every verb as a method.
- **Load**: `load_entity`, `load_tables` (an `EntityTables`), `releases`, `entity_releases`, `languages`.
- **Find and code**: `search`, `search_tables` (a `SearchTables`), `autocode`, `codeinfo`, `describe`, `decode_codes`,
  `lookup`; without a network `parse_code` (a `Cluster`), `normalize_code`; for causes of death `doris`, `codedit`.
- **Files**: `to_csv`, `to_parquet`, `read_frame`, `write_tables`, `read_tables`, `read_tabulation`; each
  frame and file has a `Provenance`.
- **Your own data**: `annotate`, `match_report`, `rollup`, `read_grouping` (a `Grouping`), `read_mapping` (a
  `CodeMapping`), `map_codes`, `compare_releases`, `affected_codes`.
- **Hierarchy**: `ancestors`, `descendants`, `siblings`, `path`, `depth`, `is_below`, `nearest_common_ancestor`,
  `subtree_sizes`.
- **Figures**: `plot_hierarchy`, `interactive_hierarchy`, `plot_chapter_counts`, `plot_release_changes`, `save_figure`.
- **Other forms**: `to_fhir_codesystem`, `to_sql`, `to_networkx`, `to_skos`.
- **In a notebook**: `LoginForm`, `TreeBrowser`, `SearchBox`.
- **Errors and warnings**: `icdframes.errors`. **Your own tests**: `icdframes.testing`, `icdframes.sandbox`.

What it costs: `load_*` may send many requests, the verbs that find and code send one for each distinct value and
language, and each answer is kept; `read_*`, `write_*` and `to_*` touch the disk or nothing at all; whatever takes
tables or a frame of yours asks no server. A name loads its module when it is first used, so that ``import icdframes``
is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "icdframes.connection": ("connect", "get_client", "login", "use_client"),
    "icdframes.api.load": ("languages", "load_entity", "load_tables", "releases"),
    "icdframes.api.search": ("autocode", "search", "search_tables"),
    "icdframes.api.coding": ("codeinfo", "decode_codes", "describe", "entity_releases", "lookup"),
    "icdframes.api.mortality": ("codedit", "doris"),
    "icdframes.frames.search_tables": ("SearchTables",),
    "icdframes.client.base": ("IcdClient",),
    "icdframes.frames.entity_tables": ("EntityTables", "read_tables", "write_tables"),
    "icdframes.frames.provenance": ("Provenance",),
    "icdframes.frames.files": ("read_frame", "to_csv", "to_parquet"),
    "icdframes.files.tabulation": ("read_tabulation",),
    "icdframes.analysis.annotate": ("annotate", "match_report"),
    "icdframes.analysis.grouping": ("Grouping", "read_grouping"),
    "icdframes.analysis.rollup": ("rollup",),
    "icdframes.analysis.relations": (
        "ancestors",
        "depth",
        "descendants",
        "is_below",
        "nearest_common_ancestor",
        "path",
        "siblings",
        "subtree_sizes",
    ),
    "icdframes.files.mapping": ("read_mapping",),
    "icdframes.analysis.mapping": ("map_codes",),
    "icdframes.frames.code_mapping": ("CodeMapping",),
    "icdframes.analysis.compare": ("affected_codes", "compare_releases"),
    "icdframes.export.fhir": ("to_fhir_codesystem",),
    "icdframes.export.networks": ("to_networkx",),
    "icdframes.export.sql": ("to_sql",),
    "icdframes.export.skos": ("to_skos",),
    "icdframes.plotting.hierarchy_figure": ("plot_hierarchy",),
    "icdframes.plotting.interactive_figure": ("interactive_hierarchy",),
    "icdframes.plotting.charts": ("plot_chapter_counts", "plot_release_changes"),
    "icdframes.plotting.style": ("save_figure",),
    "icdframes.widgets.login_form": ("LoginForm",),
    "icdframes.widgets.tree_browser": ("TreeBrowser",),
    "icdframes.widgets.search_box": ("SearchBox",),
    "icdframes.model.cluster": ("Cluster",),
    "icdframes.model.codes": ("normalize_code", "parse_code"),
}
_NAMES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "errors", *sorted(_NAMES)]  # noqa: PLE0604  every item is a text


def __getattr__(name: str) -> Any:
    """Load a public name's module and give the name."""
    if name == "errors":
        return import_module("icdframes.errors")
    if name not in _NAMES:
        hint: str = import_module("icdframes.errors").did_you_mean(name, _NAMES)
        raise AttributeError(f"module 'icdframes' has no attribute {name!r}.{hint}")
    value = getattr(import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
