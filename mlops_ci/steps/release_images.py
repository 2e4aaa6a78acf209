"""The images of a release: one for each target of `package.targets`, and what is recorded of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.decisions import Trust
from mlops_ci.records.outcomes import Status
from mlops_ci.records.releases import ImageInfo
from mlops_ci.records.results import Part, Result
from mlops_ci.steps import image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.records.images import Image, Target
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.release_decision import Candidate

replace = msgspec.structs.replace


def wanted(candidate: Candidate) -> tuple[Target, ...]:
    """Their smoke test loads the model: on the default branch's behalf only what cannot run code."""
    package = candidate.case.head.config.package
    safe = candidate.info.format == "onnx" or candidate.case.trust is Trust.DESK
    return package.targets if safe and package.image is not None else ()


def make(candidate: Candidate, clock: Clock, *, push: bool, network: str | None) -> tuple[Image, ...]:
    """Of the bundle alone: which number it gets is not known before its digest is."""
    case, folder = candidate.case, candidate.bundle.folder
    project: Project = replace(case.project, root=case.head.root, config=case.head.config)
    names = replace(image.names_of(project, folder), release="", decision="")
    signature = candidate.signed.content if candidate.signed else b""
    recipes = [replace(one, signature=signature) for one in image.recipes_of(project, folder, names, network)]
    return image.make_images(recipes, clock, memory=case.head.config.package.memory, push=push)


def with_images(candidate: Candidate, made: Sequence[Image]) -> Candidate:
    """The candidate with what became of its images, and a result for each."""
    told = {one.target: _told(one) for one in made}
    server = told.pop("docker", msgspec.UNSET)
    memory = candidate.case.head.config.package.memory
    results = tuple(_tried(one, memory) for one in made)
    return replace(candidate, image=server, images=told or msgspec.UNSET, results=(*candidate.results, *results))


def _told(made: Image) -> ImageInfo:
    return ImageInfo(
        reference=made.pushed.reference if made.pushed else "",
        base=made.base,
        fingerprint=made.smoke.fingerprint,
        bytes=made.built.bytes,
        layers=made.built.layers,
        sizes=made.built.sizes or msgspec.UNSET,
    )


def _tried(made: Image, memory: int) -> Result:
    good = (
        f"in a container without network and a writable root it gives the judged answers to {made.smoke.rows} golden "
        f"requests within {memory} MiB"
    )
    return Result(
        check="image_answers" if made.target == "docker" else f"{made.target}_image_answers",
        part=Part.MODEL,
        status=Status.PASSED if made.smoke.ok else Status.FAILED,
        message=good if made.smoke.ok else made.smoke.reason,
    )
