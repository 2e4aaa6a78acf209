"""What an image is built from: the files of a bundle, a folder for each layer, and a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.edge import files, runtime
from mlops_ci.edge.stores.folder import damage
from mlops_ci.errors import UsageError
from mlops_ci.packaging import image, manifest, targets
from mlops_ci.records.bundles import SIGNATURE
from mlops_ci.records.images import ImageNames, Target

_LOCK = "requirements.lock"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What an image is made from. `dockerfile`: the text of the project's own, None for ours on `base`."""

    bundle: Path
    names: ImageNames
    repository: str
    target: Target = "docker"
    base: str = ""
    dockerfile: str | None = None
    network: str | None = None
    """Of the build; None for the engine's own."""
    trust: bytes = b""
    """The public key without whose signature the image opens nothing; empty: it demands none."""
    signature: bytes = b""
    """The content of model.sig, where none lies beside the bundle yet."""

    @property
    def name(self) -> str:
        """`repository:tag`; without a release the tag begins as the bundle's digest."""
        return tagged(self.repository, self.names.release or self.names.bundle[:12], self.target)


def tagged(repository: str, version: str, target: Target) -> str:
    """`flights:v3` of the server, `flights:v3-lambda` of another target."""
    return f"{repository}:{version}{'' if target == 'docker' else f'-{target}'}"


def context(recipe: Recipe) -> dict[str, Path | bytes]:
    """The files of the build context: path -> file or content."""
    bundle = recipe.bundle
    placed: dict[str, Path | bytes] = {
        image.place(path.relative_to(bundle).as_posix()): path for path in bundle.rglob("*") if path.is_file()
    }
    if recipe.signature:
        placed[image.place(SIGNATURE)] = recipe.signature
    labels = image.labels(recipe.names, recipe.base, recipe.target)
    return placed | {
        "Dockerfile": image.labelled(_dockerfile(recipe), labels).encode(),
        f"libraries/{_LOCK}": bundle / _LOCK,
        "libraries/uv.lock": image.installer(),
        **_kit(recipe),
    }


def _dockerfile(recipe: Recipe) -> str:
    if recipe.dockerfile is None:
        return image.dockerfile(recipe.base, recipe.target, trusts=bool(recipe.trust))
    return image.trusting(recipe.dockerfile) if recipe.trust else recipe.dockerfile


def _kit(recipe: Recipe) -> dict[str, Path | bytes]:
    """What lies beside libraries and runtime: where the target is another than the server's, or signatures count."""
    names = [name for name in (image.PLACES[recipe.target].kit, "trust" if recipe.trust else "") if name]
    lock, lacking = (recipe.bundle / _LOCK).read_text(encoding="utf-8"), ""
    for name in names:
        lacking += targets.beside(lock + lacking, runtime.kit(name).read_text(encoding="utf-8"))
    found: dict[str, Path | bytes] = {f"kit/{_LOCK}": lacking.encode()} if names else {}
    if recipe.target == "functions":
        found[f"kit/{targets.MAIN}"] = targets.main()
    if recipe.trust:
        found[image.KEY] = recipe.trust
    return found


def write_context(recipe: Recipe, folder: Path) -> None:
    """The build context as a folder, for another builder; UsageError where the folder holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", "Name a folder that is not there yet.")
    for name, content in context(recipe).items():
        files.write(folder / name, content if isinstance(content, bytes) else content.read_bytes())


def bundle_digest(bundle: Path) -> str:
    """The digest of a bundle whose files are those of its manifest; UsageError where they are not."""
    try:
        found = manifest.digest((bundle / manifest.NAME).read_bytes())
        problem = damage(bundle, found, signed=True)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{bundle} is no bundle: {error}", "Name a folder that holds a manifest.json.") from None
    if problem:
        raise UsageError(f"the bundle in {bundle} was changed: {problem}", "Make it again: mlops-ci release")
    return found
