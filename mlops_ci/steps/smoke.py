"""The smoke test of an image: in a container that may do nothing else, it starts and answers as the judged model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.packaging.golden import unlike
from mlops_ci.records.bundles import Golden
from mlops_ci.records.images import Smoke
from mlops_ci.reports import numbers
from mlops_ci.steps.smoke_container import Unfit
from mlops_ci.steps.smoke_targets import WAYS, Trial, Tried

if TYPE_CHECKING:
    from mlops_ci.edge.docker import Engine
    from mlops_ci.records.images import Built
    from mlops_ci.steps.image_context import Recipe

_SHA256 = "sha256:"
_ROOT = ("", "0", "root")


def smoke(engine: Engine, built: Built, recipe: Recipe, *, memory: int) -> Smoke:
    """Start the image with `memory` bytes, ask it the golden requests as its target does, compare what it answers."""
    golden = msgspec.json.decode((recipe.bundle / "golden.json").read_bytes(), type=Golden)
    try:
        if built.user.partition(":")[0] in _ROOT:
            raise Unfit("it runs as root: give its Dockerfile a line such as USER 65532:65532")
        tried = WAYS[recipe.target](Trial(engine, built, golden, memory))
        fingerprint = _agreed(tried, golden, recipe.names.bundle)
    except Unfit as unfit:
        return Smoke(ok=False, reason=str(unfit), memory=memory)
    return Smoke(
        ok=True,
        seconds=tried.seconds,
        rows=len(tried.answers),
        fingerprint=fingerprint,
        peak_memory=tried.peak_memory,
        memory=memory,
    )


def _agreed(tried: Tried, golden: Golden, digest: str) -> str:
    """The fingerprint of what was answered; Unfit where it is not what the judged model answers."""
    if (there := tried.digest.removeprefix(_SHA256)) != digest:
        raise Unfit(f"it holds another bundle: {numbers.short(there)}, not {numbers.short(digest)}")
    if words := unlike(golden, tried.answers):
        raise Unfit(words)
    return golden.fingerprint
