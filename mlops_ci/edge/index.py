"""A copy of git's index: `git diff` writes what it learns about files into the index, and locks it for that."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_ci.edge.files import temporary
from mlops_ci.edge.git_process import call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """The index of the repository at `root` as a file of our own; nothing of the repository is touched."""
    answer = call(root, "rev-parse", "--git-path", "index")
    index = root / os.fsdecode(answer.out.removesuffix(b"\n"))
    with temporary() as folder:
        copy = folder / "index"
        if index.is_file():  # there is none before the first `git add`
            shutil.copyfile(index, copy)
        yield copy
