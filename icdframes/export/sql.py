"""Write tables into a database through SQLAlchemy, SQLite or DuckDB: all of them or none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype

from icdframes.errors import ConfigurationError, ExportError, check_option
from icdframes.frames.entity_tables import EntityTables, check_tables
from icdframes.frames.pandas_compat import text_array

IfExists = Literal["fail", "replace", "append"]


def to_sql(
    tables: EntityTables, connection: Any, *, prefix: str = "icd_", if_exists: IfExists = "fail"
) -> tuple[str, ...]:
    """Write the five tables and their provenance into a database.

    Parameters
    ----------
    tables : EntityTables
        What to write.
    connection : sqlalchemy.Engine, sqlalchemy.Connection, sqlite3.Connection or duckdb.DuckDBPyConnection
        Where to; it stays open. What is written over a SQLAlchemy connection, or
        inside a transaction of yours over a sqlite3 one, is yours to commit.
    prefix : str
        Before each name (letters, digits, ``_``); ``references`` alone is a word of SQL.
    if_exists : {"fail", "replace", "append"}
        What to do with a table that is already there.

    Returns
    -------
    tuple of str
        ``icd_entities``, ``icd_edges``, ``icd_terms``, ``icd_references``,
        ``icd_axes`` and ``icd_provenance`` (columns ``name``, ``value``; it holds
        WHO's licence line). No network but the database's own.

    Raises
    ------
    ExportError
        If a table exists and ``if_exists`` is ``"fail"``, or the database refuses;
        nothing is written then.
    ConfigurationError
        If the connection, the prefix or ``if_exists`` cannot be used.

    Examples
    --------
    >>> import icdframes
    >>> import sqlite3
    >>> client = icdframes.connect("sandbox")
    >>> connection = sqlite3.connect(":memory:")
    >>> icdframes.to_sql(icdframes.load_tables("1A00", release="2024-01"), connection)
    ('icd_entities', 'icd_edges', 'icd_terms', 'icd_references', 'icd_axes', 'icd_provenance')
    >>> connection.execute("SELECT code, title FROM icd_entities").fetchall()
    [('1A00', 'Cholera')]
    >>> connection.close()

    """
    check_tables(tables)
    if not (prefix + "x").isidentifier() or not prefix.isascii():
        raise ConfigurationError(f"{prefix!r} is no prefix for table names: use letters, digits and _.")
    check_option("if_exists", if_exists, get_args(IfExists))
    write = _WRITERS.get(type(connection).__module__.split(".")[0].lstrip("_"))
    if write is None:
        raise ConfigurationError(
            f"{type(connection).__name__} is no connection to a database: give a SQLAlchemy engine or connection, "
            "a sqlite3 or a DuckDB connection."
        )
    written = {**tables.frames, "provenance": _provenance(tables)}
    frames = {f"{prefix}{name}": frame for name, frame in written.items()}
    try:
        write(connection, frames, if_exists)
    except Exception as error:  # every database has an error tree of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExportError(
            f"Nothing was written, the database refused: {reason} With tables that exist, if_exists= says what to do."
        ) from error
    return tuple(frames)


def _provenance(tables: EntityTables) -> pd.DataFrame:
    stated = tables.provenance.to_dict()
    values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in stated.values()]
    return pd.DataFrame({"name": text_array(stated), "value": text_array(values)})


def _write_sqlalchemy(connection: Any, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
    import sqlalchemy  # noqa: PLC0415  whoever has a connection of it has it

    with connection.begin() if isinstance(connection, sqlalchemy.Engine) else connection.begin_nested() as scope:
        target = scope if isinstance(scope, sqlalchemy.Connection) else connection
        there = [name for name in frames if sqlalchemy.inspect(target).has_table(name)]
        if there and if_exists == "fail":
            raise ValueError(f"table {there[0]} already exists.")
        for name, frame in frames.items():
            frame.to_sql(name, target, if_exists=if_exists, index=False)


def _write_sqlite(connection: sqlite3.Connection, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
    with _savepoint(connection):
        for name, frame in frames.items():
            for statement in _definition(name, frame, if_exists):
                connection.execute(statement)
            columns = ", ".join(f'"{column}"' for column in frame.columns)
            places = ", ".join("?" * frame.shape[1])
            values = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
            # the prefix is checked and the columns are quoted
            connection.executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({places})', values)  # noqa: S608


def _write_duckdb(connection: Any, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
    with _transaction(connection) as own:
        for name, frame in frames.items():
            for statement in _definition(name, frame, if_exists):
                own.execute(statement)
            columns = ", ".join(f'CAST("{column}" AS {_sql_type(frame[column])}) AS "{column}"' for column in frame)
            own.register("icdframes_incoming", frame)
            try:
                # as above
                own.execute(f'INSERT INTO "{name}" BY NAME SELECT {columns} FROM icdframes_incoming')  # noqa: S608
            finally:
                own.unregister("icdframes_incoming")


_WRITERS: Mapping[str, Callable[[Any, Mapping[str, pd.DataFrame], IfExists], None]] = {
    "sqlalchemy": _write_sqlalchemy,
    "sqlite3": _write_sqlite,
    "duckdb": _write_duckdb,
}


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT icdframes")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO icdframes")
        raise
    finally:
        connection.execute("RELEASE icdframes")


@contextmanager
def _transaction(connection: Any) -> Iterator[Any]:
    """Return a second connection to the same DuckDB database with a transaction of its own; there are no savepoints."""
    with connection.cursor() as own:
        own.begin()
        try:
            yield own
        except BaseException:
            own.rollback()
            raise
        own.commit()


def _definition(name: str, frame: pd.DataFrame, if_exists: IfExists) -> list[str]:
    """Return the statements that make an empty table, or take the one that is there."""
    columns = ", ".join(f'"{column}" {_sql_type(frame[column])}' for column in frame)
    if if_exists == "append":
        return [f'CREATE TABLE IF NOT EXISTS "{name}" ({columns})']
    drop = [f'DROP TABLE IF EXISTS "{name}"'] if if_exists == "replace" else []
    return [*drop, f'CREATE TABLE "{name}" ({columns})']


def _sql_type(column: pd.Series[Any]) -> str:
    if is_bool_dtype(column.dtype):
        return "BOOLEAN"
    return "BIGINT" if is_integer_dtype(column.dtype) else "TEXT"
