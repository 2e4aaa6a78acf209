"""Tables read in a process of its own, with limits: where the SQL is somebody's whom nobody has looked at yet.

DuckDB can be interrupted between rows but not within one call of a function, and of long texts it counts no memory. A
process can be ended, and what it maps is counted by the kernel.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from mlops_ci.edge import files, frames, tables
from mlops_ci.edge.processes import Finished, Limits, machine_environment, run
from mlops_ci.errors import ConfigError, MlopsCiError, OutsideError, SourceError
from mlops_ci.records.tables import Table

_ERRORS: dict[str, type[MlopsCiError]] = {kind.code: kind for kind in (ConfigError, OutsideError, SourceError)}
_ADVICE = "Let it give fewer rows and columns, or join less at once."
_REQUEST, _TABLE, _FAILURE = "request.json", "table", "failure.json"
_PACKAGES = Path(__file__).resolve().parents[2]


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    sources: dict[str, tuple[str, ...]]
    sql: str
    sql_file: str
    root: str


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    message: str
    advice: str
    where: str


def read(
    sources: dict[str, tuple[Path, ...]], sql: str, *, sql_file: str, root: Path, limits: Limits, most_bytes: int
) -> Table:
    """The same as `tables.read`, within `limits`, and of at most `most_bytes` as the table lies on the disk.

    SourceError where one of them stops it.
    """
    with files.temporary() as folder:
        request = _Request(
            sources={name: tuple(map(str, paths)) for name, paths in sources.items()},
            sql=sql,
            sql_file=sql_file,
            root=str(root),
        )
        (folder / _REQUEST).write_bytes(msgspec.json.encode(request))
        finished = run(
            [sys.executable, "-P", "-m", "mlops_ci.edge.tables_apart", str(folder)],
            cwd=folder,
            environment=machine_environment(()) | {"PYTHONPATH": str(_PACKAGES), "TMPDIR": str(folder)},
            log=folder / "log.txt",
            limits=limits,
        )
        if not finished.succeeded:
            raise SourceError(f"{sql_file} {_why(finished, limits)}", _ADVICE)
        if (folder / _FAILURE).is_file():
            told = msgspec.json.decode((folder / _FAILURE).read_bytes(), type=_Failure)
            raise _ERRORS[told.kind](told.message, told.advice, where=told.where)
        size = sum(path.stat().st_size for path in (folder / _TABLE).iterdir())
        if size > most_bytes:
            sizes = f"{size / 1e9:,.1f} GB; at most {most_bytes / 1e9:,.1f} GB"
            raise SourceError(f"{sql_file} makes a table of {sizes} are judged here", _ADVICE)
        return frames.read(folder / _TABLE)


def _why(finished: Finished, limits: Limits) -> str:
    if finished.timed_out:
        return f"was stopped after {limits.seconds:,.0f} s: it had no more time here"
    how = f"signal {finished.signal}" if finished.signal else f"code {finished.code}"
    return f"used up the memory it has here, or broke DuckDB: its process ended with {how}"


def main(folder: Path) -> None:
    """The other side: read what is asked for in `folder`, and leave the table or the failure there."""
    asked = msgspec.json.decode((folder / _REQUEST).read_bytes(), type=_Request)
    sources = {name: tuple(map(Path, paths)) for name, paths in asked.sources.items()}
    try:
        table = tables.read(sources, asked.sql, sql_file=asked.sql_file, root=Path(asked.root))
        frames.write(table, folder / _TABLE)
    except MlopsCiError as error:
        told = _Failure(kind=error.code, message=error.message, advice=error.advice, where=error.where)
        (folder / _FAILURE).write_bytes(msgspec.json.encode(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
