"""serve: a release or a bundle → its own environment → its own runtime, in place of this process."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.serving import run_server


def serve(start: Path, asked: str, options: tuple[str, ...], progress: Progress) -> NoReturn:
    """Answer requests until stopped. options: of the runtime."""
    found = find_bundle(start, asked, progress.note, keep_link=True)  # a reload looks where it points then
    run_server(found.folder, (*options, "--release", found.release), progress.note)
