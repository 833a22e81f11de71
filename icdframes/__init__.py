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
  `lookup`; without a network `parse_code` (a `Cluster`), `normalize_code`,
  `check_codes`, and for words `code_texts`, `TextIndex`, `evaluate`; for causes of death `doris`, `codedit`.
- **Files**: `to_csv`, `to_parquet`, `read_frame`, `write_tables`, `read_tables`, `read_tabulation`,
  `read_claml`; each frame and file has a `Provenance`.
- **Your own data**: `annotate`, `match_report`, `rollup`, `read_grouping`, `load_grouping` (a `Grouping`),
  `read_mapping`, `load_mapping` (a `CodeMapping`), `map_codes`, `compare_releases`, `affected_codes`.
- **Code lists**: `CodeList` (of `CodeRule` values), `read_codelist`, `load_codelists`, `flag`.
- **Hierarchy**: `ancestors`, `descendants`, `siblings`, `path_to_root`, `depth_of`, `is_below`,
  `nearest_common_ancestor`, `subtree_sizes`.
- **Figures**: `plot_hierarchy`, `interactive_hierarchy`, `plot_chapter_counts`, `plot_release_changes`, `save_figure`.
- **Other forms**: `to_fhir_codesystem`, `to_sql`, `to_networkx`, `to_skos`.
- **In a notebook**: `LoginForm`, `CodeReview`, `TreeBrowser`, `SearchBox`,
  `CodeListBuilder`, `PostcoordinationBuilder`; `style` lays a table out.
- **Errors and warnings**: `icdframes.errors`. **Your own tests**: `icdframes.testing`, `icdframes.sandbox`.

What it costs: `load_*` may send many requests, the verbs that find and code send one for each distinct value and
language, and each answer is kept; `read_*`, `write_*` and `to_*` touch the disk or nothing at all; whatever takes
tables or a frame of yours asks no server. A name loads its module when it is first used, so that ``import icdframes``
is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from icdframes.analysis.accessor import register as _register_accessor

__version__ = "0.1.0"

if TYPE_CHECKING:  # what type checkers and editors read; the names are those of _HOMES, a test compares them
    from icdframes import errors as errors
    from icdframes.analysis.annotate import annotate as annotate
    from icdframes.analysis.annotate import match_report as match_report
    from icdframes.analysis.codelist import CodeList as CodeList
    from icdframes.analysis.codelist_reader import read_codelist as read_codelist
    from icdframes.analysis.codelist_rules import CodeRule as CodeRule
    from icdframes.analysis.comorbidity import load_codelists as load_codelists
    from icdframes.analysis.compare import affected_codes as affected_codes
    from icdframes.analysis.compare import compare_releases as compare_releases
    from icdframes.analysis.flag import flag as flag
    from icdframes.analysis.grouping import Grouping as Grouping
    from icdframes.analysis.grouping import read_grouping as read_grouping
    from icdframes.analysis.mapping import map_codes as map_codes
    from icdframes.analysis.relations import ancestors as ancestors
    from icdframes.analysis.relations import depth_of as depth_of
    from icdframes.analysis.relations import descendants as descendants
    from icdframes.analysis.relations import is_below as is_below
    from icdframes.analysis.relations import nearest_common_ancestor as nearest_common_ancestor
    from icdframes.analysis.relations import path_to_root as path_to_root
    from icdframes.analysis.relations import siblings as siblings
    from icdframes.analysis.relations import subtree_sizes as subtree_sizes
    from icdframes.analysis.rollup import rollup as rollup
    from icdframes.client.icd_client import IcdClient as IcdClient
    from icdframes.coding.checks import check_codes as check_codes
    from icdframes.coding.evaluate import evaluate as evaluate
    from icdframes.coding.text_index import TextIndex as TextIndex
    from icdframes.coding.text_index import code_texts as code_texts
    from icdframes.export.fhir import to_fhir_codesystem as to_fhir_codesystem
    from icdframes.export.graphs import to_networkx as to_networkx
    from icdframes.export.graphs import to_skos as to_skos
    from icdframes.export.sql import to_sql as to_sql
    from icdframes.files.claml import read_claml as read_claml
    from icdframes.files.mapping import read_mapping as read_mapping
    from icdframes.files.tabulation import read_tabulation as read_tabulation
    from icdframes.frames.code_mapping import CodeMapping as CodeMapping
    from icdframes.frames.entity_tables import EntityTables as EntityTables
    from icdframes.frames.entity_tables import read_tables as read_tables
    from icdframes.frames.entity_tables import write_tables as write_tables
    from icdframes.frames.files import read_frame as read_frame
    from icdframes.frames.files import to_csv as to_csv
    from icdframes.frames.files import to_parquet as to_parquet
    from icdframes.frames.provenance import Provenance as Provenance
    from icdframes.frames.search_tables import SearchTables as SearchTables
    from icdframes.frames.styled import style as style
    from icdframes.functions import autocode as autocode
    from icdframes.functions import codedit as codedit
    from icdframes.functions import codeinfo as codeinfo
    from icdframes.functions import connect as connect
    from icdframes.functions import decode_codes as decode_codes
    from icdframes.functions import describe as describe
    from icdframes.functions import doris as doris
    from icdframes.functions import entity_releases as entity_releases
    from icdframes.functions import get_client as get_client
    from icdframes.functions import languages as languages
    from icdframes.functions import load_entity as load_entity
    from icdframes.functions import load_grouping as load_grouping
    from icdframes.functions import load_mapping as load_mapping
    from icdframes.functions import load_tables as load_tables
    from icdframes.functions import login as login
    from icdframes.functions import lookup as lookup
    from icdframes.functions import releases as releases
    from icdframes.functions import search as search
    from icdframes.functions import search_tables as search_tables
    from icdframes.functions import use_client as use_client
    from icdframes.model.cluster import Cluster as Cluster
    from icdframes.model.codes import normalize_code as normalize_code
    from icdframes.model.codes import parse_code as parse_code
    from icdframes.plotting.charts import plot_chapter_counts as plot_chapter_counts
    from icdframes.plotting.charts import plot_release_changes as plot_release_changes
    from icdframes.plotting.hierarchy import interactive_hierarchy as interactive_hierarchy
    from icdframes.plotting.hierarchy import plot_hierarchy as plot_hierarchy
    from icdframes.plotting.style import save_figure as save_figure
    from icdframes.widgets.code_review import CodeReview as CodeReview
    from icdframes.widgets.codelist_builder import CodeListBuilder as CodeListBuilder
    from icdframes.widgets.login_form import LoginForm as LoginForm
    from icdframes.widgets.postcoordination import PostcoordinationBuilder as PostcoordinationBuilder
    from icdframes.widgets.search_box import SearchBox as SearchBox
    from icdframes.widgets.tree_browser import TreeBrowser as TreeBrowser
else:
    from importlib import import_module

    _HOMES = {
        "icdframes.analysis.annotate": ("annotate", "match_report"),
        "icdframes.analysis.codelist": ("CodeList",),
        "icdframes.analysis.codelist_reader": ("read_codelist",),
        "icdframes.analysis.codelist_rules": ("CodeRule",),
        "icdframes.analysis.comorbidity": ("load_codelists",),
        "icdframes.analysis.compare": ("affected_codes", "compare_releases"),
        "icdframes.analysis.flag": ("flag",),
        "icdframes.analysis.grouping": ("Grouping", "read_grouping"),
        "icdframes.analysis.mapping": ("map_codes",),
        "icdframes.analysis.relations": (
            "ancestors",
            "depth_of",
            "descendants",
            "is_below",
            "nearest_common_ancestor",
            "path_to_root",
            "siblings",
            "subtree_sizes",
        ),
        "icdframes.analysis.rollup": ("rollup",),
        "icdframes.client.icd_client": ("IcdClient",),
        "icdframes.coding.checks": ("check_codes",),
        "icdframes.coding.evaluate": ("evaluate",),
        "icdframes.coding.text_index": ("TextIndex", "code_texts"),
        "icdframes.export.fhir": ("to_fhir_codesystem",),
        "icdframes.export.graphs": ("to_networkx", "to_skos"),
        "icdframes.export.sql": ("to_sql",),
        "icdframes.files.claml": ("read_claml",),
        "icdframes.files.mapping": ("read_mapping",),
        "icdframes.files.tabulation": ("read_tabulation",),
        "icdframes.frames.code_mapping": ("CodeMapping",),
        "icdframes.frames.entity_tables": ("EntityTables", "read_tables", "write_tables"),
        "icdframes.frames.files": ("read_frame", "to_csv", "to_parquet"),
        "icdframes.frames.provenance": ("Provenance",),
        "icdframes.frames.search_tables": ("SearchTables",),
        "icdframes.frames.styled": ("style",),
        "icdframes.functions": (
            "autocode",
            "codedit",
            "codeinfo",
            "connect",
            "decode_codes",
            "describe",
            "doris",
            "entity_releases",
            "get_client",
            "languages",
            "load_entity",
            "load_grouping",
            "load_mapping",
            "load_tables",
            "login",
            "lookup",
            "releases",
            "search",
            "search_tables",
            "use_client",
        ),
        "icdframes.model.cluster": ("Cluster",),
        "icdframes.model.codes": ("normalize_code", "parse_code"),
        "icdframes.plotting.charts": ("plot_chapter_counts", "plot_release_changes"),
        "icdframes.plotting.hierarchy": ("interactive_hierarchy", "plot_hierarchy"),
        "icdframes.plotting.style": ("save_figure",),
        "icdframes.widgets.codelist_builder": ("CodeListBuilder",),
        "icdframes.widgets.code_review": ("CodeReview",),
        "icdframes.widgets.login_form": ("LoginForm",),
        "icdframes.widgets.postcoordination": ("PostcoordinationBuilder",),
        "icdframes.widgets.search_box": ("SearchBox",),
        "icdframes.widgets.tree_browser": ("TreeBrowser",),
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    __all__ = ["__version__", "errors", *sorted(_HOME_OF)]

    def __getattr__(name):
        """Import the module of a public name when the name is first used."""
        if name == "errors":
            return import_module("icdframes.errors")
        if name not in _HOME_OF:
            hint = import_module("icdframes.errors").did_you_mean(name, _HOME_OF)
            raise AttributeError(f"module 'icdframes' has no attribute {name!r}.{hint}")
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted(__all__)


_register_accessor()
