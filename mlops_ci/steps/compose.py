"""The build context of a bundle's image with a compose.yaml beside it."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.edge import files
from mlops_ci.packaging import targets
from mlops_ci.packaging.targets import Service
from mlops_ci.records.targets import Packaged
from mlops_ci.steps import image, package
from mlops_ci.steps.image_context import write_context
from mlops_ci.steps.project import Project


def compose_folder(project: Project, bundle: Path, output: Path) -> Packaged:
    """Write both; UsageError where the folder holds something, ConfigError where there is no base."""
    names = image.names_of(project, bundle)
    recipe = image.recipe_of(project, bundle, names)
    write_context(recipe, output)
    service = Service(
        project=names.project, image=recipe.name, release=names.release, memory=project.config.package.memory
    )
    files.write(output / "compose.yaml", targets.compose(service))
    sizes = {path.relative_to(output).as_posix(): path.stat().st_size for path in output.rglob("*") if path.is_file()}
    return package.packaged("compose", output, sizes, names.bundle)
