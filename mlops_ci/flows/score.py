"""score: files → a release or a bundle, with its own runtime in its own environment → files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.records.scoring import Scored
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.scoring import score_files
from mlops_ci.steps.trust import demanded, require_signature


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundle (a release or a folder), which files, and where their answers go."""

    bundle: str
    inputs: tuple[str, ...]
    output: str
    keep: bool = False
    bad_rows: str = ""
    overwrite: bool = False
    trust: Path | None = None
    """The public key whose signature the bundle must have."""


def score(start: Path, asked: Asked, progress: Progress) -> Scored:
    """Score the files."""
    trust = demanded(start, asked.trust)
    found = find_bundle(start, asked.bundle, progress.note)
    require_signature(found.folder, trust, progress.note)
    flags = [name for name, wanted in (("--keep", asked.keep), ("--overwrite", asked.overwrite)) if wanted]
    # With the sign of equality, and what is no option behind --: a name may begin with a dash.
    named = [f"--bad-rows={asked.bad_rows}"] if asked.bad_rows else []
    release = [f"--release={found.release}"] if found.release else []
    options = (*flags, *named, *release, "--", str(found.folder), *asked.inputs, asked.output)
    return score_files(found.folder, options, start, progress, trust=trust)
