"""Try what an extra is for, with the package as it is installed here: ``python features.py parquet``.

``python features.py bare`` goes the other way: without any extra the rest works, and what is missing is named.
"""

import io
import subprocess
import sys
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd

import icdframes
from icdframes.cli.main import main
from icdframes.errors import CredentialStorageWarning, MissingExtraError

DEATHS = pd.DataFrame({"dx": ["1A00", "7A00", "nonsense", "1A00"]})
MAPPED = {
    "10ClassKind": "category", "10DepthInKind": 1, "icd10Code": "A00", "icd10Chapter": "I", "icd10Title": "Cholera",
    "11ClassKind": "category", "11DepthInKind": 1, "ICD-11 FoundationURI": "http://id.who.int/icd/entity/257068234",
    "Linearization (releaseURI)": "http://id.who.int/icd/release/11/2024-01/mms/257068234",
    "icd11Code": "1A00", "icd11Chapter": "01", "icd11Title": "Cholera",
}  # fmt: skip


def parquet(tables, folder):
    icdframes.write_tables(tables, folder / "tables")
    again = icdframes.read_tables(folder / "tables")
    pd.testing.assert_frame_equal(again.entities, tables.entities)


def excel(tables, folder):
    pd.DataFrame([MAPPED]).to_excel(folder / "10To11MapToOneCategory.xlsx", index=False)
    mapping = icdframes.read_mapping(folder / "10To11MapToOneCategory.xlsx")
    assert icdframes.map_codes(pd.DataFrame({"dx": ["A00"]}), mapping, code="dx").mapped_code.tolist() == ["1A00"]


def plots(tables, folder):
    icdframes.save_figure(icdframes.plot_hierarchy(tables).figure, folder / "tree.png")
    assert (folder / "tree.png").read_bytes().startswith(b"\x89PNG")
    assert "Cholera" in icdframes.style(tables.entities).to_html()


def interactive(tables, folder):
    assert icdframes.interactive_hierarchy(tables).data[0].type == "icicle"


def keyboard(tables, folder):
    assert any("Mark" in type(part).__name__ for part in icdframes.TreeBrowser(tables=tables).children)


def networks(tables, folder):
    assert len(icdframes.to_networkx(tables)) == len(tables.entities)


def skos(tables, folder):
    assert len(icdframes.to_skos(tables)) > len(tables.entities)


def completion(tables, folder):
    code, script, _ = _program("completion", "bash")
    assert code == 0
    (folder / "icdframes.bash").write_text(script, encoding="utf-8")
    subprocess.run(["bash", "-n", folder / "icdframes.bash"], check=True)


def keyring(tables, folder):
    import keyring as library
    from keyring.backend import KeyringBackend

    from icdframes.transport.profiles import load_profile, save_profile
    from icdframes.transport.secrets import Credentials

    class InMemory(KeyringBackend):
        priority = 5
        kept: dict = {}  # noqa: RUF012  one keyring

        def set_password(self, service, username, password):
            self.kept[service, username] = password

        def get_password(self, service, username):
            return self.kept[service, username]

    library.set_keyring(InMemory())
    assert save_profile("work", Credentials("me", "s3cret")).startswith("keyring ")
    assert load_profile("work").client_secret == "s3cret"
    assert list(InMemory.kept.values()) == ["s3cret"]


def databases(tables, folder):
    import duckdb
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'icd.sqlite'}")
    with engine.begin() as connection:
        icdframes.to_sql(tables, connection)
    with duckdb.connect() as connection:
        icdframes.to_sql(tables, connection)
        deaths = connection.sql("SELECT * FROM (VALUES ('1A00'), ('7A00'), ('nonsense'), ('1A00')) AS deaths(dx)")
        _counted(icdframes.rollup(deaths, tables, code="dx", zeros=False))


def polars(tables, folder):
    import polars as pl

    _counted(icdframes.rollup(pl.DataFrame({"dx": DEATHS.dx.tolist()}), tables, code="dx", zeros=False))


def dask(tables, folder):
    import dask.dataframe as dd

    deaths = dd.from_pandas(DEATHS, npartitions=2)
    _counted(icdframes.rollup(deaths, tables, code="dx", zeros=False))


def spark(tables, folder):
    from pyspark.sql import SparkSession

    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # a virtual machine for a minute
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.extraJavaOptions", quick).getOrCreate()
    deaths = session.createDataFrame([(code,) for code in DEATHS.dx], "dx string")
    _counted(icdframes.rollup(deaths, tables, code="dx", zeros=False))
    session.stop()


def coding(tables, folder):
    frame = icdframes.code_texts(["cholera"], tables, n=1)
    assert frame["code"].tolist() == ["1A00"]


FEATURES = (
    coding,
    parquet,
    excel,
    plots,
    keyboard,
    interactive,
    networks,
    skos,
    completion,
    keyring,
    databases,
    polars,
    dask,
    spark,
)


def _program(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


def _counted(frame):
    assert dict(zip(frame["group"], frame["n"], strict=True)) == {"01": 2, "07": 1, "unknown": 1}


def bare(tables, folder):
    """Every feature that is not here says which extra it needs; tables, CSV, matching and storing work without."""
    icdframes.to_csv(tables.entities, folder / "a.csv")
    pd.testing.assert_frame_equal(icdframes.read_frame(folder / "a.csv"), tables.entities)
    _counted(icdframes.rollup(DEATHS, tables, code="dx", zeros=False))
    for feature in (coding, parquet, plots, interactive, networks, skos):
        try:
            feature(tables, folder)
        except MissingExtraError as error:
            said = str(error)
        else:
            said = "it worked"
        assert f"icdframes[{feature.__name__}]" in said, said
    (folder / "10To11MapToOneCategory.xlsx").write_bytes(b"PK")
    for arguments, extra in ((("map", "a.csv", "--mapping", "10To11MapToOneCategory.xlsx", "--code", "code"), "excel"),
                             (("completion", "bash"), "completion")):  # fmt: skip
        code, _, said = _program(*(str(folder / item) if "." in item else item for item in arguments))
        assert code == 1
        assert f"icdframes[{extra}]" in said, said
    from icdframes.transport.profiles import save_profile
    from icdframes.transport.secrets import Credentials

    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        save_profile("work", Credentials("me", "s3cret"))
    assert [warning.category for warning in given] == [CredentialStorageWarning]
    assert "icdframes[keyring]" in str(given[0].message)


if __name__ == "__main__":
    wanted = {feature.__name__: feature for feature in (*FEATURES, bare)}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as name:
        with icdframes.connect("sandbox", cache_dir=Path(name) / "cache") as client:
            loaded = client.load_tables(release="2024-01")
        wanted(loaded, Path(name))
