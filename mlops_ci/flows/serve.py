"""serve: a release or a bundle → its own environment → its own runtime, in place of this process."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import msgspec

from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.serving import run_server
from mlops_ci.steps.trust import demanded, require_signature


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundle (a release or a folder), and options of the runtime. `trust`: whose signature it must have."""

    bundle: str
    options: tuple[str, ...]
    trust: Path | None = None


def serve(start: Path, asked: Asked, progress: Progress) -> NoReturn:
    """Answer requests until stopped."""
    trust = demanded(start, asked.trust)
    found = find_bundle(start, asked.bundle, progress.note, keep_link=True)  # a reload looks where it points then
    require_signature(found.folder, trust, progress.note)
    run_server(found.folder, (*asked.options, "--release", found.release), trust, progress.note)
