"""The files that are judged, at a commit or as they lie in the working folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from mlops_ci.config.settings import Config
from mlops_ci.edge import files, sources, tables
from mlops_ci.errors import SourceError
from mlops_ci.records.data import SourceFile
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.project import SETTINGS, Project, read_settings


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A project's files: their identity, and a folder where they can be read."""

    commit: str
    """HEAD for a dirty tree: the commit the changes stand on."""
    id: str
    """The git tree of the project's folder; for a dirty tree a digest over its files."""
    root: Path
    paths: tuple[str, ...]
    """Tracked files, and for a dirty tree the untracked ones git does not ignore; relative to root."""
    dirty: bool
    config: Config


def working_tree(project: Project) -> Tree:
    """The files as they lie there: HEAD when nothing differs from it."""
    repository = project.repository
    head = repository.head() or ""
    if head and repository.is_clean(project.folder):
        return Tree(
            commit=head,
            id=repository.tree(head, project.folder),
            root=project.root,
            paths=repository.files(head, project.folder),
            dirty=False,
            config=project.config,
        )
    paths = repository.worktree_files(project.folder)
    return Tree(
        commit=head, id=_digest(project.root, paths), root=project.root, paths=paths, dirty=True, config=project.config
    )


def tree_at(project: Project, commit: str) -> Tree | None:
    """The files at a commit, written out once; None where the commit has no mlops.yaml."""
    repository = project.repository
    if repository.show(commit, project.path(SETTINGS)) is None:
        return None
    identity = repository.tree(commit, project.folder)

    def write_out(folder: Path) -> None:
        repository.export(commit, project.folder, folder)

    root, _ = Cache(project.state).folder("trees", [identity], write_out)
    return Tree(
        commit=commit,
        id=identity,
        root=root,
        paths=repository.files(commit, project.folder),
        dirty=False,
        config=read_settings(root / SETTINGS),
    )


def changed_since(tree: Tree, project: Project) -> tuple[str, ...]:
    """The files of a tree that are not what they were when it was looked at; files that came are not counted."""
    if tree.root != project.root:
        return ()
    if tree.dirty:
        return () if _digest(tree.root, tree.paths) == tree.id else ("a file",)
    changed = project.repository.changed_paths(tree.commit, None, project.folder)
    return tuple(path for status, path in changed if status != "A")


def source_paths(tree: Tree, project: Project) -> dict[str, tuple[Path, ...]]:
    """The files of every source. Data that git does not hold is read where it lies in the working folder."""
    found: dict[str, tuple[Path, ...]] = {}
    for name, pattern in tree.config.data.sources.items():
        paths = tables.expand(tree.root, pattern)
        if not paths and tree.root != project.root:
            paths = tables.expand(project.root, pattern)
        if not paths:
            where = tree.config.place(f"data.sources.{name}")
            raise SourceError(
                f"no file matches {pattern}",
                f"Source {name} needs at least one: is it committed, or still to be fetched (git lfs pull, dvc pull)?",
                where=where,
            )
        found[name] = paths
    return found


def source_files(tree: Tree, project: Project, paths: dict[str, tuple[Path, ...]]) -> tuple[SourceFile, ...]:
    """Every source file with its size and sha256, by source and path."""

    def relative(path: Path) -> str:
        base = tree.root if path.is_relative_to(tree.root) else project.root
        return path.relative_to(base).as_posix()

    return tuple(
        SourceFile(source=name, path=relative(path), bytes=file.stat().st_size, sha256=files.sha256(file))
        for name, group in sorted(paths.items())
        for path, file in ((path, sources.file_of(path)) for path in group)
    )


def _digest(root: Path, paths: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for name in sorted(paths):
        path = root / name
        if path.is_file():
            total.update(f"{name}\0{files.sha256(path)}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
