"""SQL as text: quoting of names and values, and reading where an error of DuckDB's belongs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ONLY_SOURCES = "The SQL reads the sources by their names in mlops.yaml: it has no other files, network or extensions."
_CSV_REASONS = (
    (r"Expected Number of Columns: (\d+) Found: (\d+)", "this row has {1} fields, the header has {0}"),
    (r"[Ii]nvalid unicode", "the text is not UTF-8, and only UTF-8 is read"),
    (r"unterminated quote", "a quote is opened and not closed as RFC 4180 asks"),
    (r"state machine reached an invalid state", "a quote or a line end stands where none may; is it text at all?"),
    (r"Maximum line size", "the line is longer than DuckDB reads; is a quote left open?"),
)
_CSV_ADVICE = "Mend the line, or write the file again as UTF-8 CSV with one header and quotes where a value needs them."


class LinkedFile(msgspec.Struct, frozen=True):
    """A source file: where it lies, what messages call it, the link DuckDB sees, and its format."""

    path: Path
    shown: str
    link: str
    format: str


def identifier(name: str) -> str:
    """A name of any characters as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A value of any characters as a text literal."""
    return "'" + value.replace("'", "''") + "'"


def literals(values: Iterable[str]) -> str:
    """A list of text literals."""
    return "[" + ", ".join(literal(value) for value in values) + "]"


def file_error(error: Exception, files: Iterable[LinkedFile]) -> SourceError:
    """DuckDB's error about source files as ours: file, line where it names one, and the reason in a sentence."""
    message = str(error)
    group = tuple(files)
    named = [file for file in group if file.link in message] or list(group[:1])
    found = re.search(r"CSV Error on Line: (\d+)|in line (\d+)", message)
    where = named[0].shown + (f":{found[1] or found[2]}" if found else "")
    if named[0].format == "csv":
        return SourceError(_csv_reason(message, group), _CSV_ADVICE, where=where)
    return SourceError(
        f"the file cannot be read: {_sentence(message, group)}",
        "It is damaged or of another format: write it again.",
        where=where,
    )


def statement_error(error: Exception, *, file: str, line: int, files: Iterable[LinkedFile]) -> SourceError:
    """DuckDB's error about a statement that starts on `line` (0-based) of the SQL file."""
    message = str(error)
    found = re.search(r"^LINE (\d+):", message, re.MULTILINE)
    where = f"{file or 'SQL'}:{line + int(found[1])}" if found else f"{file or 'SQL'}:{line + 1}"
    if "CSV Error" not in message and ("Permission Error" in message or "extension" in message):
        return SourceError(f"{_sentence(message, files)} (refused)", _ONLY_SOURCES, where=where)
    candidates = re.search(r"^(?:Candidate bindings|Did you mean).*", message, re.MULTILINE)
    return SourceError(_sentence(message, files), candidates[0] if candidates else "Mend the SQL.", where=where)


def _csv_reason(message: str, files: Iterable[LinkedFile]) -> str:
    for pattern, reason in _CSV_REASONS:
        found = re.search(pattern, message)
        if found:
            return reason.format(*found.groups())
    return _sentence(message, files)


def _sentence(message: str, files: Iterable[LinkedFile]) -> str:
    """The first line that says something, without DuckDB's class of error and with our names of files."""
    for file in files:
        message = message.replace(file.link, file.shown)
    first = next((line.strip() for line in message.splitlines() if line.strip()), "no reason given")
    return re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", first)
