"""The images of a bundle, one for each target: built, tried out in a container, and only then pushed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlops_ci.edge import tars
from mlops_ci.edge.docker import Engine
from mlops_ci.errors import ConfigError, OutsideError, UsageError
from mlops_ci.packaging.image import INDEXES, TIME
from mlops_ci.records.images import TARGETS, Built, Image, ImageNames, Smoke, Target
from mlops_ci.reports import numbers
from mlops_ci.steps.image_context import Recipe, bundle_digest, context, tagged
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.project import Project
from mlops_ci.steps.releases import of_bundle
from mlops_ci.steps.smoke import smoke
from mlops_ci.steps.trust import key_of

_SERVING = "serving.json"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MIB = 2**20


class _Serving(msgspec.Struct, frozen=True):
    project: str
    commit: str


def make_images(recipes: Iterable[Recipe], clock: Clock, *, memory: int, push: bool = False) -> tuple[Image, ...]:
    """Build, try out with `memory` MiB and, where all answer as the judged model and that is wanted, push.

    It ends at the first that answers otherwise: that one is the last of what is given back, and none is pushed.
    """
    made: list[Image] = []
    with Engine.connect() as engine:
        for recipe in recipes:
            made.append(_tried_out(engine, recipe, clock, memory))
            if not made[-1].smoke.ok:
                return tuple(made)
        return tuple(_pushed(engine, one, clock) for one in made) if push else tuple(made)


def _tried_out(engine: Engine, recipe: Recipe, clock: Clock, memory: int) -> Image:
    target = "" if recipe.target == "docker" else f"{recipe.target}: "
    with clock.step("image", "asking the Docker daemon") as line:
        built = _built(engine, recipe, clock)
        line.found = f"{target}{len(built.layers)} layers, {numbers.size(built.bytes)}"
    with clock.step("smoke", "starting it, asking it the golden requests") as line:
        tried = smoke(engine, built, recipe, memory=memory * _MIB)
        line.found = f"{target}{_told(tried, recipe.target)}"
    return Image(target=recipe.target, bundle=recipe.names.bundle, base=recipe.base, built=built, smoke=tried)


def _pushed(engine: Engine, made: Image, clock: Clock) -> Image:
    target = "" if made.target == "docker" else f"{made.target}: "
    with clock.step("push", "asking the registry") as line:
        pushed = engine.push(made.built.name, lambda text: clock.say("push", text))
        line.found = f"{target}{pushed.new_layers} of {pushed.layers} layers new"
    return msgspec.structs.replace(made, pushed=pushed)


def _built(engine: Engine, recipe: Recipe, clock: Clock) -> Built:
    """What the engine has of an earlier image with the same libraries, it takes from there."""
    entries = context(recipe)
    with tempfile.TemporaryFile() as file:
        tars.write(file, entries, time=TIME)
        file.seek(0)
        say = lambda text: clock.say("image", text)  # noqa: E731
        return engine.build(file, recipe.name, told=INDEXES, network=recipe.network, say=say)


def _told(tried: Smoke, target: Target) -> str:
    if not tried.ok:
        return "refused"
    memory = f"{tried.peak_memory / _MIB:.0f} of {tried.memory / _MIB:.0f} MiB"
    ready = "done" if target == "batch" else "ready"
    return f"{tried.rows} answers as judged, {ready} in {tried.seconds:.1f} s, {memory}"


def tag(image: Image, release: str, clock: Clock) -> None:
    """Give an image that was pushed the name of its release too. The digest is the same; where it fails it is told."""
    repository = image.built.name.rpartition(":")[0]
    name = tagged(repository, release, image.target)
    try:
        with Engine.connect() as engine, clock.step("tag", f"pushing {name}") as line:
            engine.tag(image.built.image, repository, name.rpartition(":")[2])
            engine.push(name, lambda text: clock.say("tag", text))
            line.found = name
    except OutsideError as error:
        clock.note(f"tag       {name} could not be pushed: {error.message}")


def require_free_tags(project: Project, recipes: Iterable[Recipe]) -> None:
    """UsageError where a release names an image already whose tag a push would give to another one.

    The same files are another image when they are built again: the engine writes the time into it.
    """
    for recipe in recipes:
        release = of_bundle(project.repository, project.config.project, recipe.names.bundle)
        named = release.pushed.get(recipe.target, "") if release else ""
        if named.rpartition("@")[0] == recipe.repository:
            tagged_as = recipe.name.rpartition(":")[2]
            raise UsageError(
                f"{recipe.names.release} names its image already: {named}; its tag {tagged_as} stays that image",
                f"Is the tag gone: docker buildx imagetools create --tag {recipe.name} {named}",
            )


def require_base(project: Project) -> None:
    """ConfigError where an image has nothing to stand on."""
    package = project.config.package
    if not package.base and not package.dockerfile:
        raise ConfigError(
            "it is not set: an image needs a base, named by its digest",
            "Choose one with Python 3.11 or later and pip. `docker buildx imagetools inspect python:3.12-slim` shows "
            "its digest; then write package: {base: python:3.12-slim@sha256:…}",
            where=project.config.place("package.base"),
        )


def recipes_of(
    project: Project,
    bundle: Path,
    names: ImageNames,
    network: str | None = None,
    *,
    targets: tuple[Target, ...] = (),
) -> tuple[Recipe, ...]:
    """How the project wants the images of a bundle, that of the server first. ConfigError as `recipe_of`.

    targets: others than those of `package.targets`.
    """
    server = recipe_of(project, bundle, names, network)
    chosen = sorted(set(targets or project.config.package.targets), key=TARGETS.index)
    if server.dockerfile is not None and chosen != ["docker"]:
        where = project.config.place("package.dockerfile")
        raise ConfigError("it makes the image of the server only", "Leave it out, or --target docker.", where=where)
    return tuple(msgspec.structs.replace(server, target=target) for target in chosen)


def recipe_of(project: Project, bundle: Path, names: ImageNames, network: str | None = None) -> Recipe:
    """How the project wants the server's image of a bundle. ConfigError where base or Dockerfile are not there."""
    require_base(project)
    package, key = project.config.package, key_of(project.root, project.config)
    return Recipe(
        bundle=bundle,
        names=names,
        repository=package.image or project.config.project,
        base=package.base or "",
        dockerfile=_own(project, package.dockerfile) if package.dockerfile else None,
        network=network,
        trust=key.read_bytes() if key else b"",
    )


def _own(project: Project, name: str) -> str:
    try:
        return (project.root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = project.config.place("package.dockerfile")
        raise ConfigError(f"{name} cannot be read: {error}", "Name a Dockerfile of the project.", where=where) from None


def names_of(project: Project, bundle: Path) -> ImageNames:
    """What a folder and the ledger say of the image it becomes. UsageError where it is no bundle, or was changed."""
    digest = bundle_digest(bundle)
    try:
        served = msgspec.json.decode((bundle / _SERVING).read_bytes(), type=_Serving)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{bundle / _SERVING} cannot be read: {error}", "Make it again: mlops-ci release") from None
    known = project.repository.find(served.commit) if _COMMIT.fullmatch(served.commit) else None
    created = project.repository.commit_info(known).committed if known else ""
    names = ImageNames(project=served.project, bundle=digest, commit=served.commit, created=created)
    if (found := of_bundle(project.repository, project.config.project, digest)) is None:
        return names
    return msgspec.structs.replace(names, release=found.release, decision=found.decision)
