"""The files an environment is deployed from, `environments/NAME/*`: made once, then people's but for what they name.

What they name is an image by its digest, in one file that Kustomize or docker compose reads, and beside it release and
bundle. A promotion changes these values where they are written, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mlops_ci.config import yaml
from mlops_ci.config.yaml import Path
from mlops_ci.errors import ConfigError
from mlops_ci.records.images import BASE
from mlops_ci.records.results import Where
from mlops_ci.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_ci.config.yaml import Document
    from mlops_ci.records.environments import ReleaseRef

Engine = Literal["kustomize", "compose"]
READ: dict[Engine, tuple[str, ...]] = {
    # https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
    "kustomize": ("kustomization.yaml", "kustomization.yml", "Kustomization"),
    # https://docs.docker.com/compose/intro/compose-application-model/
    "compose": ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"),
}
"""The file that names the image, under every name its engine knows; the first is what is made."""
MADE: dict[Engine, tuple[str, ...]] = {
    "kustomize": ("kustomization.yaml", "deployment.yaml", "service.yaml"),
    "compose": ("compose.yaml",),
}
"""What is written where there is nothing yet."""
_RELEASE = ("dev.mlops-ci.release", "MLOPS_CI_RELEASE")
_BUNDLE = ("dev.mlops-ci.bundle", "MLOPS_CI_DIGEST")
# Names of objects in Kubernetes, of services the strictest:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One value by which a file says what runs."""

    path: Path
    where: Where
    what: Literal["image", "release", "bundle"]
    value: str
    """`repository@sha256:…`, `v3`, `sha256:…`."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What is deployed, and where."""

    project: str
    environment: str
    runs: ReleaseRef
    port: int
    memory: int
    """MiB."""


def named(engine: Engine, text: str, repository: str, *, file: str) -> tuple[Named, ...]:
    """What a file names: images of the repository by their digest, and what says release and bundle.

    ConfigError where it cannot be read.
    """
    document = yaml.load(text, file=file)
    found = list(_IMAGES[engine](document, repository))
    for path, value in yaml.scalars(document):
        if path and path[-1] in _RELEASE + _BUNDLE and isinstance(value, str):
            what: Literal["release", "bundle"] = "release" if path[-1] in _RELEASE else "bundle"
            found.append(Named(path=path, where=document.where(path), what=what, value=value))
    return tuple(found)


def after(
    engine: Engine, files: Mapping[str, str], service: Service, before: ReleaseRef | None, *, folder: str
) -> dict[str, str]:
    """The files that have to change, or be there, for the folder to name what the service runs: name -> text.

    files: what is in the folder. Empty: it names it already. ConfigError, with what to write, where that cannot be done
    without touching what is people's.
    """
    there = [name for name in READ[engine] if name in files]
    if not there:
        return _made(engine, files, service, folder)
    if len(there) > 1:
        raise ConfigError(f"there are {' and '.join(there)}", "Keep one of them.", where=folder)
    file = f"{folder}/{there[0]}"
    made = _changed(engine, files[there[0]], service.runs, before, file)
    return {} if made == files[there[0]] else {there[0]: made}


def otherwise(engine: Engine, text: str, runs: ReleaseRef, *, file: str) -> str:
    """What a file names that is not what runs, with its line; empty where there is nothing.

    Of several images of its repository one has to be the release's. ConfigError where the file cannot be read.
    """
    found = named(engine, text, runs.image.partition("@")[0], file=file)
    wanted = {"release": runs.release, "bundle": f"sha256:{runs.bundle}"}
    for one in found:
        if one.what != "image" and one.value != wanted[one.what]:
            return f"{one.where}: it names {one.what} {one.value}, and {runs.release} runs there: {wanted[one.what]}"
    images = [one for one in found if one.what == "image"]
    if any(one.value == runs.image for one in images):
        return ""
    return f"{images[0].where if images else file}: it does not name the image of {runs.release}, {runs.image}"


def _made(engine: Engine, files: Mapping[str, str], service: Service, folder: str) -> dict[str, str]:
    if taken := [name for name in MADE[engine] if name in files]:
        line = _line(engine, service.runs.image)
        advice = f"Write one, with {line}; or remove {taken[0]}, and all of them are made."
        raise ConfigError(f"{taken[0]} is there, and no {READ[engine][0]}", advice, where=folder)
    repository, _, digest = service.runs.image.partition("@")
    values = {
        "name": _name(service),
        "image": service.runs.image,
        "repository": repository,
        "digest": digest,
        "release": service.runs.release,
        "bundle": f"sha256:{service.runs.bundle}",
    }
    texts = {key: yaml.quoted(value) for key, value in values.items()}
    return {name: render(f"deploy/{name}", **texts, port=service.port, memory=service.memory) for name in MADE[engine]}


def _name(service: Service) -> str:
    """Of the objects: other environments may share their namespace, so it has both names."""
    whole = f"{service.project}-{service.environment}"
    if _NAME.fullmatch(whole):
        return whole
    return f"m-{whole[:50]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _changed(engine: Engine, text: str, runs: ReleaseRef, before: ReleaseRef | None, file: str) -> str:
    repository = runs.image.partition("@")[0]
    found = named(engine, text, repository, file=file)
    images = _meant([one for one in found if one.what == "image"], before)
    if not images:
        told = f"it does not say where the image of {repository} belongs"
        raise ConfigError(told, f"Write {_line(engine, runs.image)}", where=file)
    wanted = {"release": runs.release, "bundle": f"sha256:{runs.bundle}"}
    values = {one.path: wanted[one.what] for one in found if one.what != "image" and one.value != wanted[one.what]}
    image = runs.image if engine == "compose" else runs.image.partition("@")[2]
    values |= {one.path: image for one in images if one.value != runs.image}
    made = yaml.replaced(text, values, file=file) if values else text
    _refuse_left(yaml.load(made, file=file), runs, before)
    return made


def _meant(images: list[Named], before: ReleaseRef | None) -> list[Named]:
    """Other images of a project may lie in one repository: those that were the server's, or the only one there is."""
    same = [one for one in images if before and one.value == before.image]
    return same or (images if len({one.value for one in images}) == 1 else [])


def _refuse_left(document: Document, runs: ReleaseRef, before: ReleaseRef | None) -> None:
    """What ran before, named in a way that is not understood here, would be deployed beside the new image."""
    if before is None:
        return
    gone = {before.image.partition("@")[2], before.bundle} - {runs.image.partition("@")[2], runs.bundle, ""}
    for path, value in yaml.scalars(document):
        if isinstance(value, str) and any(digest in value for digest in gone):
            keys = ", ".join((*_RELEASE, *_BUNDLE))
            told = f"it names what ran before ({before.release}) where that cannot be changed"
            advice = f"Leave it out, or write it as the value of one of {keys}."
            raise ConfigError(told, advice, where=str(document.where(path)))


def _line(engine: Engine, image: str) -> str:
    """What to write, to be understood here."""
    repository, _, digest = image.partition("@")
    if engine == "compose":
        return f'services: {{server: {{image: "{image}"}}}}'
    return f'images: [{{name: {repository}, digest: "{digest}"}}]'


def _of_kustomize(document: Document, repository: str) -> Iterator[Named]:
    for at, entry in enumerate(_list(document.value, "images")):
        digest = _get(entry, "digest")
        if (_get(entry, "newName") or _get(entry, "name")) == repository and isinstance(digest, str):
            path: Path = ("images", at, "digest")
            yield Named(path=path, where=document.where(path), what="image", value=f"{repository}@{digest}")


def _of_compose(document: Document, repository: str) -> Iterator[Named]:
    services = _get(document.value, "services")
    for name, entry in services.items() if isinstance(services, dict) else ():
        image = _get(entry, "image")
        found = BASE.fullmatch(image) if isinstance(image, str) else None
        if found and found["name"] == repository:
            path: Path = ("services", name, "image")
            yield Named(path=path, where=document.where(path), what="image", value=found.group())


_IMAGES = {"kustomize": _of_kustomize, "compose": _of_compose}


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: Any, key: str) -> list[Any]:
    found = _get(value, key)
    return found if isinstance(found, list) else []
