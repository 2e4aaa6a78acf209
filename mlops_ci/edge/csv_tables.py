# ruff: noqa: S608 - every name and value put into SQL goes through identifier() and literal()
"""CSV files as tables of the database: one dialect, every value looked at for its kind, a bad line found and named."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlops_ci.edge.database import described, one, told
from mlops_ci.edge.sources import header
from mlops_ci.edge.sql import LinkedFile, file_error, identifier, literal, literals
from mlops_ci.errors import SourceError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

_DIALECT = (
    "header = true, quote = '\"', escape = '\"', comment = '', strict_mode = true, null_padding = false,"
    " ignore_errors = false, nullstr = ['', 'NA', 'NULL'], hive_partitioning = false"
)
_KINDS = "sample_size = -1, dateformat = '%Y-%m-%d', union_by_name = true"
_NUMBER = r"[+-]?(inf|infinity|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)"


def load(connection: Connection, name: str, files: tuple[LinkedFile, ...], texts: tuple[str, ...]) -> None:
    """The table `name` of the files' rows; the columns `texts` as they are written.

    SourceError with file and line for what cannot be read.
    """
    headers = [header(file.path, shown=file.shown) for file in files]
    delimiters = {delimiter for delimiter, _ in headers}
    if len(delimiters) > 1:
        found = ", ".join(f"{file.shown} {delimiter!r}" for file, (delimiter, _) in zip(files, headers, strict=True))
        raise SourceError(f"the files of source {name!r} have different delimiters: {found}", "Use one delimiter.")
    delimiter = literal(headers[0][0])
    as_written = ", ".join(f"{literal(text)}: 'VARCHAR'" for text in texts if text in headers[0][1])
    types = f", types = {{{as_written}}}" if as_written else ""
    options = f"delim = {delimiter}, skip = 0, {_DIALECT}, {_KINDS}{types}"

    def explained(error: Exception) -> SourceError:
        for file, (_, names) in zip(files, headers, strict=True):
            _find_bad_line(connection, file, delimiter, len(names))
        return file_error(error, files)

    links = literals([file.link for file in files])
    with told(explained):
        connection.execute(f"CREATE TABLE {identifier(name)} AS FROM read_csv({links}, {options})")
    _numbers_with_infinities(connection, name)


def _find_bad_line(connection: Connection, file: LinkedFile, delimiter: str, count: int) -> None:
    """Read without looking for a dialect: the sniffer only says that it found none, the reader names the line."""
    fields = ", ".join(f"c{position}: 'VARCHAR'" for position in range(count))
    options = f"auto_detect = false, delim = {delimiter}, {_DIALECT}, columns = {{{fields}}}"
    with told(partial(file_error, files=(file,))):
        connection.execute(f"SELECT count(COLUMNS(*)) FROM read_csv({literals([file.link])}, {options})").fetchall()


def _numbers_with_infinities(connection: Connection, name: str) -> None:
    """DuckDB's sniffer takes `nan` for a number and `inf` for text; we take both for numbers."""
    for column, type_ in described(connection, f"FROM {identifier(name)}"):
        value = f"lower({identifier(column)})"
        if type_ == "VARCHAR" and one(
            connection,
            f"SELECT bool_or({value} IN ('inf', '-inf', '+inf', 'infinity', '-infinity', '+infinity'))"
            f" AND bool_and(regexp_full_match({value}, {literal(_NUMBER)})) FROM {identifier(name)}",
        ):
            connection.execute(f"ALTER TABLE {identifier(name)} ALTER COLUMN {identifier(column)} TYPE DOUBLE")
