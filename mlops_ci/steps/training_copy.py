"""Rung two: the sources that a training command may read, without the held-out rows where that can be done."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from mlops_ci.data import canonical
from mlops_ci.edge import tables
from mlops_ci.steps.project import Project
from mlops_ci.steps.snapshot import Snapshot, feature_columns
from mlops_ci.steps.trees import Tree, source_paths


def lay_sources(project: Project, tree: Tree, snapshot: Snapshot, workspace: Path) -> bool:
    """Copy the sources into the workspace; true when no held-out row is among them.

    A row is held out when the id it carries is; a source that does not carry the whole id (weather by the hour)
    is copied as it is, and one source at least must carry it.
    """
    config = tree.config
    keys = config.data.id or feature_columns(config, snapshot.table.names)
    held = np.unique(snapshot.held_ids)
    filtered = False
    for name, group in source_paths(tree, project).items():
        for path in group:
            base = tree.root if path.is_relative_to(tree.root) else project.root
            target = workspace / path.relative_to(base)
            target.parent.mkdir(parents=True, exist_ok=True)
            table = tables.read({name: (path,)}, None)
            if all(key in table.names for key in keys) and tables.can_write(path):
                ids = canonical.id_digests(table, keys, config.data.split.salt)
                tables.write(canonical.take(table, ~np.isin(ids, held)), target)
                filtered = True
            else:
                shutil.copyfile(path, target)
    return filtered
