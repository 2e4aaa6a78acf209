"""From the sources to one table: as it is, by the project's SQL, or by its Python function in the worker."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.config import yaml
from mlops_ci.edge import files, frames, tables, tables_apart
from mlops_ci.edge.processes import default_memory
from mlops_ci.errors import ConfigError
from mlops_ci.records.tables import Table
from mlops_ci.steps.trees import Tree
from mlops_ci.steps.workshop import Workshop


def fingerprint(tree: Tree, workshop: Workshop) -> str:
    """What preparing reads besides the sources: nothing, the SQL's bytes, or the project's code and environment."""
    prepare = tree.config.data.prepare
    if not prepare:
        return ""
    if prepare.endswith(".sql"):
        return files.sha256(_sql_file(tree, prepare))
    return f"{prepare} {workshop.code} {workshop.environment.digest}"


def prepared(tree: Tree, paths: dict[str, tuple[Path, ...]], workshop: Workshop, *, root: Path) -> Table:
    """The prepared table, its rows in no particular order. root: of the sources, which may be those of another tree."""
    prepare = tree.config.data.prepare
    if not prepare:
        return tables.read(paths, None, root=root)
    if prepare.endswith(".sql"):
        sql = yaml.decode(_sql_file(tree, prepare).read_bytes(), file=prepare)
        if (apart := workshop.sql_apart) is not None:
            return tables_apart.read(
                paths, sql, sql_file=prepare, root=root, limits=apart, most_bytes=default_memory() // 4
            )
        return tables.read(paths, sql, sql_file=prepare, root=root)
    with workshop.open() as bench:
        sources = {}
        for name, group in paths.items():
            frames.write(tables.read({name: group}, None, root=root), bench.scratch / "sources" / name)
            sources[name] = {"frame": str(bench.scratch / "sources" / name)}
        output = bench.scratch / "prepared"
        bench.run("prepare", {"entrypoint": prepare, "sources": sources, "output": str(output)})
        return frames.read(output)


def _sql_file(tree: Tree, prepare: str) -> Path:
    path = tree.root / prepare
    if not path.is_file():
        raise ConfigError(
            f"{prepare} is not there",
            "Write the SELECT that joins the sources into one table, or leave `prepare` out for a single source.",
            where=tree.config.place("data.prepare"),
        )
    return path
