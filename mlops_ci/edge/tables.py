# ruff: noqa: S608 - every name and value put into SQL goes through identifier() and literal()
"""Reading data: files become views, the project's SQL joins them, the result becomes a Table.

DuckDB sees only links with names of our own making: it expands no pattern, reads no partition out of a path and no
hostile file name.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.edge import columns, csv_tables
from mlops_ci.edge.database import connect, connect_plain, described, lock, one, statements, told
from mlops_ci.edge.files import temporary
from mlops_ci.edge.sources import file_of, inspect, sqlite_columns, suffix
from mlops_ci.edge.sql import LinkedFile, file_error, identifier, literal, literals, statement_error
from mlops_ci.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

    from mlops_ci.records.tables import Table

_PREPARED = "mlops_ci_prepared"
_WRITTEN = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet",
    ".json": "FORMAT json, ARRAY",
    ".jsonl": "FORMAT json",
}


def expand(root: Path, pattern: str) -> tuple[Path, ...]:
    """The files under `root` that match a glob (`**` too), sorted; empty if none. SQLite: `FILE#TABLE` is kept.

    ConfigError for a pattern, or a link, that leads out of `root`.
    """
    base = str(file_of(Path(pattern)))
    table = pattern[len(base) :] if pattern.startswith(base) else ""
    if Path(base).is_absolute() or ".." in Path(base).parts or not Path(base).parts:
        raise ConfigError(
            f"the source {pattern!r} is not a path inside the project", "Write it relative, without `..`."
        )
    found = sorted(path for path in root.glob(base) if path.is_file())
    inside = root.resolve()
    for path in found:
        if not path.resolve().is_relative_to(inside):
            raise ConfigError(
                f"{path.relative_to(root)} is a link that leads out of the project", "Put the data inside the project."
            )
    return tuple(Path(f"{path}{table}") for path in found)


def read(
    sources: dict[str, tuple[Path, ...]],
    sql: str | None,
    *,
    sql_file: str = "",
    root: Path | None = None,
    texts: tuple[str, ...] = (),
) -> Table:
    """The prepared table, its rows in no particular order.

    sources: name -> files (csv, parquet, json, sqlite). sql: statements that end in one SELECT over those names;
    None: the only source as it is. root: messages name files relative to it. texts: columns of a CSV file taken as
    they are written, so that 007 stays 007. SourceError with file and line for a source that cannot be read, SQL that
    fails, and no rows.
    """
    if sql is None and len(sources) != 1:
        raise ConfigError(
            f"{len(sources)} sources and nothing that joins them",
            "Write `prepare: pipeline/prepare.sql` under data:, or keep one source.",
            where="mlops.yaml: data",
        )
    with temporary() as folder:
        files = _files(sources, folder, root)
        with closing(connect(folder)) as connection:
            for name, group in files.items():
                _load(connection, name, group, texts)
            linked = tuple(file for group in files.values() for file in group)
            lock(connection, [file.link for file in linked if file.format == "parquet"])
            query = f"FROM {identifier(*sources)}" if sql is None else sql
            names = _prepare(connection, query, sql_file, linked)
            return columns.table(lambda query: connection.execute(query).fetchnumpy(), _PREPARED, names)


def can_write(path: Path) -> bool:
    """Whether `write` knows the format of that file."""
    return suffix(path) in _WRITTEN


def write(table: Table, path: Path) -> None:
    """Write a table as CSV, Parquet or JSON lines, by the file's ending; what is missing becomes null."""
    fields = {f"c{place}": columns.masked(column) for place, column in enumerate(table.columns)}
    names = ", ".join(f"c{place} AS {identifier(name)}" for place, name in enumerate(table.names))
    with closing(connect_plain()) as connection:
        connection.register("fields", fields)
        connection.execute(f"COPY (SELECT {names} FROM fields) TO {literal(str(path))} ({_WRITTEN[suffix(path)]})")


def _files(sources: dict[str, tuple[Path, ...]], own: Path, root: Path | None) -> dict[str, tuple[LinkedFile, ...]]:
    files: dict[str, tuple[LinkedFile, ...]] = {}
    for position, (name, paths) in enumerate(sources.items()):
        if not paths:
            raise SourceError(f"source {name!r} has no files", "Check its pattern in data.sources.", where="mlops.yaml")
        group = []
        for number, path in enumerate(paths):
            shown = str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)
            link = own / f"{position}-{number}{suffix(path)}"
            group.append(LinkedFile(path, shown, str(link), inspect(path, shown=shown)))
            link.symlink_to(file_of(path).resolve())
        if len({file.format for file in group}) > 1:
            found = f"{group[0].shown} is {group[0].format}, {group[-1].shown} is {group[-1].format}"
            raise SourceError(f"source {name!r} mixes formats: {found}", "Give each format a source of its own.")
        files[name] = tuple(group)
    return files


def _load(connection: Connection, name: str, files: tuple[LinkedFile, ...], texts: tuple[str, ...]) -> None:
    links = literals([file.link for file in files])
    if files[0].format == "sqlite":
        _load_sqlite(connection, name, files)
    elif files[0].format == "csv":
        csv_tables.load(connection, name, files, texts)
    else:
        # Parquet stays where it is, so that only the columns the SQL names are read.
        made, reader = ("VIEW", "read_parquet") if files[0].format == "parquet" else ("TABLE", "read_json")
        options = "union_by_name = true, hive_partitioning = false" + (", sample_size = -1" if made == "TABLE" else "")
        with told(partial(file_error, files=files)):
            connection.execute(f"CREATE {made} {identifier(name)} AS FROM {reader}({links}, {options})")
    if not one(connection, f"SELECT count(*) FROM {identifier(name)}"):
        raise SourceError("there are no rows", "A source needs at least one row.", where=files[0].shown)


def _load_sqlite(connection: Connection, name: str, files: tuple[LinkedFile, ...]) -> None:
    selects = []
    for number, file in enumerate(files):
        found = sqlite_columns(file.path, shown=file.shown)
        arrays = {f"v{at}": column.values for at, column in enumerate(found)}
        arrays |= {f"m{at}": column.missing for at, column in enumerate(found)}
        connection.register("mlops_ci_arrays", arrays)
        fields = ", ".join(
            f"CASE WHEN m{at} THEN NULL ELSE v{at} END AS {identifier(c.name)}" for at, c in enumerate(found)
        )
        loaded = identifier(f"mlops_ci_{name}_{number}")
        connection.execute(f"CREATE TABLE {loaded} AS SELECT {fields} FROM mlops_ci_arrays")
        connection.unregister("mlops_ci_arrays")
        for column in found:
            _cast_declared(connection, loaded, identifier(column.name), column.declared)
        selects.append(f"FROM {loaded}")
    connection.execute(f"CREATE VIEW {identifier(name)} AS {' UNION ALL BY NAME '.join(selects)}")


def _cast_declared(connection: Connection, table: str, column: str, declared: str) -> None:
    """SQLite keeps dates as text and booleans as numbers: the declared type is taken where every value fits it."""
    kinds = {"BOOL": "BOOLEAN", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMP"}
    if declared not in kinds:
        return
    fits = (
        f"coalesce(bool_and({column} IS NULL OR TRY_CAST({column}::VARCHAR AS {kinds[declared]}) IS NOT NULL), false)"
    )
    if one(connection, f"SELECT {fits} FROM {table}"):
        using = f"USING {column}::VARCHAR::{kinds[declared]}"
        connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kinds[declared]} {using}")


def _prepare(connection: Connection, sql: str, sql_file: str, files: tuple[LinkedFile, ...]) -> list[str]:
    """Run the SQL into a table of our own with columns c0, c1, …; the names its columns shall have."""
    line = 0

    def explained(error: Exception) -> SourceError:
        _find_damaged_file(connection, files)
        return statement_error(error, file=sql_file, line=line, files=files)

    with told(explained):
        *definitions, (select, select_line) = statements(connection, sql, sql_file)
        for definition, starts in definitions:
            line = starts
            connection.execute(definition)
        line = select_line
        names = [name for name, _ in described(connection, select)]
        fields = ", ".join(f"c{position}" for position in range(len(names)))
        connection.execute(f"CREATE TEMP TABLE {_PREPARED}({fields}) AS {select}")
    if not one(connection, f"SELECT count(*) FROM {_PREPARED}"):
        raise SourceError("the prepared table has no rows", "Check the joins and filters.", where=sql_file)
    return _unique(names)


def _find_damaged_file(connection: Connection, files: tuple[LinkedFile, ...]) -> None:
    """SourceError for the first Parquet file that cannot be read to its end: an error of the SQL is not its fault."""
    for file in files:
        if file.format == "parquet":
            with told(partial(file_error, files=(file,))):
                connection.execute(
                    f"SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet({literal(file.link)})"
                ).fetchall()


def _unique(names: list[str]) -> list[str]:
    """Names as they are; a repeated one gets _1, _2, …, an empty one its position: `column3`."""
    taken = set(names)
    unique: list[str] = []
    for position, name in enumerate(names):
        wanted, number = name or f"column{position}", 0
        while wanted in unique or (wanted != name and wanted in taken):
            number += 1
            wanted = f"{name or f'column{position}'}_{number}"
        unique.append(wanted)
    return unique
