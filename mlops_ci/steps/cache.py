"""Answers kept by the fingerprint of exactly what they were computed from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops_ci.edge import files
from mlops_ci.records.canonical import digest

FORMAT = 1
"""Raise it when what a step writes into its folder changes: old folders are then left alone."""


class Cache:
    """Folders under `.mlops-ci/cache/<step>/<fingerprint>/`, each complete or absent."""

    def __init__(self, state: Path) -> None:
        self._root = state / "cache"

    def folder(self, step: str, reads: object, produce: Callable[[Path], None]) -> tuple[Path, bool]:
        """The folder of this step's answer, and whether it was there already.

        `reads` is everything the step reads, as plain data; `produce` fills a new folder, which appears
        under its final name only when it is complete.
        """
        target = self._root / step / digest([FORMAT, step, reads])[:32]
        if target.is_dir():
            files.touch(target)
            return target, True
        with files.folder(target) as fresh:
            produce(fresh)
        return target, False
