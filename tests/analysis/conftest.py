"""Small classifications, and the same frame in each data-frame library."""

import gzip
import importlib.util
import warnings
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

ENTITY_COLUMNS = ["entity_id", "code", "title", "class_kind", "depth", "parent_id", "chapter", "block_id"]

MMS = [
    ("1435254666", "01", "Infections", "chapter", 0, None, "01", None),
    ("588616678", None, "Gastroenteritis", "block", 1, "1435254666", "01", "BlockL1-1A0"),
    ("135352227", None, "Bacterial intestinal infections", "block", 2, "588616678", "01", "BlockL2-1A0"),
    ("257068234", "1A00", "Cholera", "category", 3, "135352227", "01", None),
    ("344162786", "1A03", "Escherichia coli", "category", 3, "135352227", "01", None),
    ("139964199", "1A03.0", "Enteropathogenic", "category", 4, "344162786", "01", None),
    ("135352227/other", "1A0Y", "Other bacterial", "category", 3, "135352227", "01", None),
    ("1630407678", "02", "Neoplasms", "chapter", 0, None, "02", None),
    ("1000704511", "2C25", "Lung", "category", 1, "1630407678", "02", None),
    ("316539081", "2C25.2", "Squamous cell", "category", 2, "1000704511", "02", None),
    ("979408586", "X", "Extension codes", "chapter", 0, None, "X", None),
    ("1968939622", "XH74S1", "Adenoma", "category", 1, "979408586", "X", None),
    ("199998888", "XH74", "Not its parent", "category", 1, "979408586", "X", None),
]
ICD10 = [
    ("I", "I", "Infectious", "chapter", 0, None, "I", None),
    ("A00-A09", "A00-A09", "Intestinal", "block", 1, "I", "I", None),
    ("A00", "A00", "Cholera", "category", 2, "A00-A09", "I", None),
    ("A00.1", "A00.1", "Eltor", "category", 3, "A00", "I", None),
    ("A09", "A09", "Diarrhoea", "category", 2, "A00-A09", "I", None),
    ("XX", "XX", "External", "chapter", 0, None, "XX", None),
    ("W19", "W19", "Fall", "category", 1, "XX", "XX", None),
]


def _tables(rows, edges=()):
    dtypes = {name: "int64" if name == "depth" else "str" for name in ENTITY_COLUMNS}
    entities = pd.DataFrame(rows, columns=ENTITY_COLUMNS).astype(dtypes)
    entities.attrs["provenance"] = {"server": "a test"}
    links = [(row[5], row[0]) for row in rows] + list(edges)
    return SimpleNamespace(
        entities=entities, edges=pd.DataFrame(links, columns=["parent_id", "child_id"], dtype="str").dropna()
    )


@pytest.fixture(scope="session")
def mms():
    """Give three chapters, two nested blocks, a residual, extension codes whose signs are no hierarchy."""
    return _tables(MMS)


@pytest.fixture(scope="session")
def icd10():
    return _tables(ICD10)


@pytest.fixture(scope="session")
def poly():
    """Give a poly-hierarchy: 4 is below 2 (primary) and 3; 5 below 4; 6 below 3; and a circle 5 → 2."""
    rows = [
        (key, None, f"Entity {key}", None, depth, parent, None, None)
        for key, depth, parent in [("1", 0, None), ("2", 1, "1"), ("4", 2, "2"), ("5", 3, "4"), ("3", 1, "1")]
    ]
    rows.append(("6", None, "Entity 6", None, 2, "3", None, None))
    return _tables(rows, edges=[("3", "4"), ("5", "2"), ("9", "3")])


@pytest.fixture(scope="session")
def icd10_2019(full_size):
    """Give the whole ICD-10 2019 as entities."""
    root = ET.fromstring(gzip.decompress((full_size / "icd10" / "icd_10_v2019.xml.gz").read_bytes()))
    rows = []

    def walk(item, parent, depth, chapter):
        for child in item.findall("item"):
            code, kind = child.findtext("name"), child.get("type")
            within = code if kind == "chapter" else chapter
            kind = "category" if kind == "subcategory" else kind
            rows.append((code, code, child.findtext("description"), kind, depth, parent, within, None))
            walk(child, code, depth + 1, within)

    walk(root, None, 0, None)
    return _tables(rows)


class Library:
    """A data-frame library: how to make its frame of a pandas one, and back."""

    def __init__(self, name, spark=None):
        self.name, self.spark = name, spark
        self.is_lazy = name in {"polars-lazy", "duckdb", "dask", "pyspark"}
        self.has_order = name not in {"duckdb", "pyspark"}

    def make(self, frame):
        if self.name == "pandas":
            return frame
        if self.name == "dask":
            import dask.dataframe as dd

            return dd.from_pandas(frame, npartitions=2 if len(frame) > 1 else 1)
        import pyarrow as pa

        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        if self.name == "pyarrow":
            return table
        if self.name == "duckdb":
            import duckdb

            return duckdb.connect().from_arrow(table)  # not the default connection, as users do
        if self.name == "pyspark":
            return self.spark.createDataFrame(table)
        import polars as pl

        made = pl.from_arrow(table)
        return made.lazy() if self.name == "polars-lazy" else made

    def to_pandas(self, native):
        if self.name == "pandas":
            return native
        if self.name == "dask":
            return native.compute()
        if self.name == "pyspark":
            return native.toArrow().to_pandas()
        if self.name == "duckdb":
            return native.to_arrow_table().to_pandas()
        return (native.collect() if self.name == "polars-lazy" else native).to_pandas()


@pytest.fixture(scope="session")
def spark():
    """Give a Spark of this process that talks to 127.0.0.1 alone."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed (pip install 'icdframes[spark]')")
    from pyspark.sql import SparkSession

    # Spark warns that it has not been tested with pandas 3; what is used of it here passes Arrow tables.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
    yield session
    session.stop()


@pytest.fixture(
    params=[
        "pandas",
        "pyarrow",
        "polars",
        "polars-lazy",
        "duckdb",
        pytest.param("dask", marks=pytest.mark.scale_out),
        pytest.param("pyspark", marks=pytest.mark.scale_out),
    ]
)
def library(request):
    """Give each data-frame library in turn, or skip."""
    package = request.param.removesuffix("-lazy")
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    return Library(request.param, request.getfixturevalue("spark") if package == "pyspark" else None)
