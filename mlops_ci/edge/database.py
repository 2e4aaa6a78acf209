"""DuckDB in memory: how it is opened and locked, what SQL of the project may say, and what its errors become.

The owner of DuckDB. The project's SQL runs with the configuration locked, without files, network and extensions
(https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview).
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_ci import lazy
from mlops_ci.edge.processes import default_memory
from mlops_ci.edge.sql import literal, literals
from mlops_ci.errors import OutsideError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb
    from duckdb import DuckDBPyConnection as Connection
else:
    duckdb = lazy.library("duckdb")


def connect(own: Path) -> Connection:
    """A database for sources and the project's SQL. It takes half of the memory, spills the rest into `own`, and there
    takes half of the disk.
    """
    spill = own / "spill"
    spill.mkdir()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        "memory_limit": f"{default_memory() // 2}B",
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        # Without this, SQL could read the variables of our own functions as tables.
        "python_enable_replacements": "false",
        "preserve_insertion_order": "true",
    }
    connection = duckdb.connect(":memory:", config=settings)
    # Among the settings above DuckDB 2.0 takes it without holding to it.
    connection.execute(f"SET max_temp_directory_size = '{shutil.disk_usage(spill).free // 2}B'")
    connection.execute(f"SET TimeZone = 'UTC'; SET home_directory = {literal(str(own))}")
    return connection


def connect_plain() -> Connection:
    """A database for arrays and SQL of our own."""
    return duckdb.connect(":memory:", config={"preserve_insertion_order": "true"})


def lock(connection: Connection, allowed: list[str]) -> None:
    """From here on SQL reads no file but the `allowed` ones and changes no setting."""
    connection.execute(f"SET allowed_paths = {literals(allowed)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def told(explain: Callable[[Exception], Exception]) -> Iterator[None]:
    """Errors of DuckDB as `explain` tells them; OutsideError where memory or disk are too small."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OutsideError(
            "there is not enough memory or disk to join the sources", "Select fewer columns or rows in prepare.sql."
        ) from error
    except duckdb.Error as error:
        raise explain(error) from error


def statements(connection: Connection, sql: str, sql_file: str) -> list[tuple[str, int]]:
    """The statements with the 0-based line each starts on: any that create something in memory, then one SELECT."""
    allowed, end = [], 0
    found = connection.extract_statements(sql)
    for position, statement in enumerate(found):
        query = statement.query.strip()
        start = max(sql.find(query, end), end)
        end = start + len(query)
        line = sql.count("\n", 0, start)
        last = position == len(found) - 1
        if statement.type != (duckdb.StatementType.SELECT if last else duckdb.StatementType.CREATE):
            kind = str(statement.type).rpartition(".")[2].upper()
            raise SourceError(
                f"the SQL {'ends in' if last else 'has'} a statement of kind {kind} (refused)",
                "It must end in one SELECT; before it only CREATE TABLE, VIEW, MACRO and TYPE may stand.",
                where=f"{sql_file or 'SQL'}:{line + 1}",
            )
        allowed.append((query, line))
    if not allowed:
        raise SourceError("the SQL is empty", "Write one SELECT.", where=sql_file)
    return allowed


def described(connection: Connection, query: str) -> list[tuple[str, str]]:
    """Name and type of each column of a query."""
    return [(str(row[0]), str(row[1])) for row in connection.execute(f"DESCRIBE {query}").fetchall()]


def one(connection: Connection, query: str) -> object:
    """The first value of the first row; None where there is none."""
    row = connection.execute(query).fetchone()
    return row[0] if row else None
