"""A database gets all tables or none."""

import sqlite3

import pytest

from icdframes.errors import ConfigurationError, ExportError
from icdframes.export.sql import to_sql
from icdframes.settings import LICENCE

NAMES = tuple(f"icd_{name}" for name in ("entities", "edges", "terms", "references", "axes", "provenance"))


def _sqlite():
    connection = sqlite3.connect(":memory:")
    return connection, lambda query: connection.execute(query).fetchall(), connection.close


def _duckdb():
    connection = pytest.importorskip("duckdb").connect()
    return connection, lambda query: connection.execute(query).fetchall(), connection.close


def _engine():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")

    def ask(query):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

    return engine, ask, engine.dispose


def _sqlalchemy_connection():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    connection = engine.connect()

    def ask(query):
        return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

    def close():
        connection.close()
        engine.dispose()

    return connection, ask, close


@pytest.fixture(params=[_sqlite, _duckdb, _engine, _sqlalchemy_connection], ids=lambda make: make.__name__[1:])
def database(request):
    connection, ask, close = request.param()
    yield connection, ask
    close()


@pytest.mark.slow
def test_a_database_holds_all_tables_and_the_licence(tables, database):
    connection, ask = database
    assert to_sql(tables, connection) == NAMES
    query = "SELECT entity_id, code, title, is_leaf FROM icd_entities ORDER BY entity_id"
    assert [tuple(row) for row in ask(query)] == [
        ("1", "01", "Chapter", 0),
        ("2", None, "Block", 0),
        ("3", "1A00", 'Cholera "of tests"', 1),
        ("3/other", "1A00.Y", "Other cholera", 1),
    ]
    assert ask("SELECT position FROM icd_edges WHERE parent_id = '77'") == [(None,)]
    assert ask("SELECT value FROM icd_provenance WHERE name = 'licence'") == [(LICENCE,)]
    assert ask("SELECT value FROM icd_provenance WHERE name = 'languages'") == [('["en"]',)]


def test_a_table_that_is_there_is_kept_replaced_or_extended_as_told(tables, database):
    connection, ask = database
    to_sql(tables, connection)
    with pytest.raises(ExportError, match=r"icd_entities.* already exists"):
        to_sql(tables, connection)
    to_sql(tables, connection, if_exists="append")
    assert ask("SELECT count(*) FROM icd_entities") == [(8,)]
    to_sql(tables, connection, if_exists="replace")
    assert ask("SELECT count(*) FROM icd_entities") == [(4,)]


def test_a_refusal_in_the_middle_leaves_nothing_behind(tables, database):
    connection, ask = database
    to_sql(tables, connection, prefix="first_")
    if hasattr(connection, "exec_driver_sql"):
        connection.exec_driver_sql("CREATE TABLE icd_terms (x INTEGER)")
    elif hasattr(connection, "begin") and hasattr(connection, "connect"):
        with connection.begin() as inside:
            inside.exec_driver_sql("CREATE TABLE icd_terms (x INTEGER)")
    else:
        connection.execute("CREATE TABLE icd_terms (x INTEGER)")
    with pytest.raises(ExportError, match="Nothing was written"):
        to_sql(tables, connection)
    with pytest.raises(Exception, match="icd_entities"):
        ask("SELECT * FROM icd_entities")


def test_inside_a_sqlite_transaction_of_the_caller_nothing_is_committed(tables):
    light = sqlite3.connect(":memory:")
    light.execute("BEGIN")
    to_sql(tables, light)
    light.rollback()
    with pytest.raises(sqlite3.OperationalError):
        light.execute("SELECT * FROM icd_entities")
    light.close()


def test_a_duckdb_transaction_of_the_caller_is_not_disturbed(tables):
    with pytest.importorskip("duckdb").connect() as connection:
        connection.begin()
        connection.execute("CREATE TABLE mine (x INTEGER)")
        to_sql(tables, connection)
        connection.rollback()
        assert [name for (name,) in connection.execute("SHOW TABLES").fetchall()] == sorted(NAMES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefix": 'x"; DROP'}, "is no prefix"),
        ({"if_exists": "maybe"}, "if_exists='maybe' is unknown: give 'fail', 'replace' or 'append'"),
        ({"connection": object()}, "object is no connection"),
    ],
)
def test_what_cannot_be_used_is_refused(tables, options, message):
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ConfigurationError, match=message):
        to_sql(tables, options.pop("connection", connection), **options)
    connection.close()
