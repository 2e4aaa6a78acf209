"""The folder an environment is deployed from, `environments/NAME/`, as a commit has it and as a release needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlops_ci.config import environment_file, yaml
from mlops_ci.errors import ConfigError
from mlops_ci.packaging.image import PORT
from mlops_ci.promotion import deploy
from mlops_ci.promotion.deploy import Service

if TYPE_CHECKING:
    from mlops_ci.edge.git import Repository
    from mlops_ci.promotion.deploy import Engine
    from mlops_ci.records.environments import ReleaseRef
    from mlops_ci.steps.environments import Site
    from mlops_ci.steps.project import Project


def after(project: Project, site: Site, runs: ReleaseRef) -> tuple[dict[str, str], str]:
    """What has to change for a release to be deployed, path from the root -> text; and why that cannot be, in words.

    Nothing where no engine reads files.
    """
    engine = site.rules.deploy
    if engine is None or engine == "command":
        return {}, ""
    if not runs.image:
        return {}, "there is no image"
    folder = folder_of(project, site.name)
    service = Service(
        project=site.config.project,
        environment=site.name,
        runs=runs,
        port=PORT,
        memory=site.config.package.memory,
    )
    try:
        there = texts(project.repository, site.commit, folder, engine)
        made = deploy.after(engine, there, service, site.state.runs, folder=folder)
    except ConfigError as error:
        return {}, f"{error.where}: {error.message}. {error.advice}"
    return {f"{folder}/{name}": text for name, text in made.items()}, ""


def foreign(
    project: Project, name: str, engine: Engine | Literal["command"] | None, commit: str, runs: ReleaseRef | None
) -> str:
    """What the folder names at a commit that is not what the environment's file says runs there, with its place.

    Empty where it names that, and where no engine reads files.
    """
    if engine is None or engine == "command" or runs is None:
        return ""
    folder = folder_of(project, name)
    try:
        there = texts(project.repository, commit, folder, engine)
        found = {file: text for file, text in there.items() if file in deploy.READ[engine]}
        if len(found) != 1:
            told = " and ".join(found) or f"no {deploy.READ[engine][0]}"
            return f"{folder}: {told}: one file has to name the image of {runs.release}"
        ((file, text),) = found.items()
        return deploy.otherwise(engine, text, runs, file=f"{folder}/{file}")
    except ConfigError as error:
        return f"{error.where}: {error.message}"


def folder_of(project: Project, name: str) -> str:
    """From the root of the repository."""
    return project.path(f"{environment_file.FOLDER}/{name}")


def texts(repository: Repository, commit: str, folder: str, engine: Engine) -> dict[str, str]:
    """Those files of the folder that matter here, by name; ConfigError for one that is no plain file or no text."""
    if any(entry.mode != "040000" for entry in repository.look_up(commit, [folder])):
        raise ConfigError("it is no folder", "What is deployed from lies in it: move the file elsewhere.", where=folder)
    found = {}
    for entry in repository.entries(commit, folder):
        if entry.path not in deploy.READ[engine] + deploy.MADE[engine]:
            continue
        path = f"{folder}/{entry.path}"
        if not entry.mode.startswith("100"):
            raise ConfigError("it is no plain file", "Write it out in its place.", where=path)
        found[entry.path] = yaml.decode(repository.show(commit, path) or b"", file=path)
    return found
