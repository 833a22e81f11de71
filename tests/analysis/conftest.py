"""The same frame in each data-frame library."""

import importlib.util
import warnings

import pytest

from icdframes.analysis import backends


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
    """Return a Spark of this process that talks to 127.0.0.1 alone."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed (pip install 'icdframes[spark]')")
    from pyspark.sql import SparkSession

    # Spark warns that it has not been tested with pandas 3; what is used of it here passes Arrow tables.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            # a virtual machine for minutes: what would be compiled well is used too seldom to be worth it
            .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "1")
            .getOrCreate()
        )
    yield session
    session.stop()


@pytest.fixture(
    params=[
        "pandas",
        pytest.param("pandas-alone", marks=pytest.mark.slow),
        "pyarrow",
        "polars",
        "polars-lazy",
        "duckdb",
        pytest.param("dask", marks=pytest.mark.scale_out),
        pytest.param("pyspark", marks=pytest.mark.scale_out),
    ]
)
def library(request, monkeypatch):
    """Return each data-frame library in turn, or skip; "pandas-alone" is pandas where pyarrow is not installed."""
    package = request.param.partition("-")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    if request.param == "pandas-alone":
        monkeypatch.setattr(backends, "has_pyarrow", lambda: False)
        return Library("pandas")
    return Library(request.param, request.getfixturevalue("spark") if package == "pyspark" else None)
