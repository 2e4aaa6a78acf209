"""The smoke test of an image: in a container that may do nothing else, it starts and answers as the judged model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.bundles import Golden
from mlops_ci.records.images import Smoke
from mlops_ci.steps.golden_answers import Expected, Unfit, agreed
from mlops_ci.steps.smoke_targets import WAYS, Trial

if TYPE_CHECKING:
    from mlops_ci.edge.docker import Engine
    from mlops_ci.records.images import Built
    from mlops_ci.steps.image_context import Recipe

_ROOT = ("", "0", "root")


def smoke(engine: Engine, built: Built, recipe: Recipe, *, memory: int) -> Smoke:
    """Start the image with `memory` bytes, ask it the golden requests as its target does, compare what it answers."""
    golden = msgspec.json.decode((recipe.bundle / "golden.json").read_bytes(), type=Golden)
    try:
        if built.user.partition(":")[0] in _ROOT:
            raise Unfit("it runs as root: give its Dockerfile a line such as USER 65532:65532")
        tried = WAYS[recipe.target](Trial(engine, built, golden, memory))
        fingerprint = agreed(Expected(recipe.names.bundle, golden), tried.told, tried.answers)
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
