"""Repositories of many kinds and the workflows they are given; `rendered` alone knows how they are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mlops_ci.config import load
from mlops_ci.config.yaml import scalar
from mlops_ci.workflows.generate import Inputs, ProjectInputs, generate


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project's settings say that workflows are made from. `folder`: in the repository, empty at its root."""

    name: str = "churn"
    folder: str = ""
    task: str = "classification"
    labels: tuple[str, ...] = ("ubuntu-24.04",)
    timeout: str = "60m"
    secrets: tuple[str, ...] = ()
    image: str = ""
    signs: bool = False

    @property
    def settings(self) -> str:
        """The text of its mlops.yaml."""
        labels, secrets = (", ".join(map(scalar, names)) for names in (self.labels, self.secrets))
        return (
            f"version: 1\nproject: {scalar(self.name)}\ntask: {self.task}\n"
            "data: {sources: {rows: data/rows.csv}, target: y}\ntrain: {entrypoint: pipeline.train:train}\n"
            f"runner: {{labels: [{labels}], timeout: {self.timeout}, secrets: [{secrets}]}}\n"
        )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A repository."""

    branch: str = "main"
    projects: tuple[Project, ...] = (Project(),)

    def each(self, **changed: Any) -> Case:
        """The same repository with every project changed."""
        return replace(self, projects=tuple(replace(project, **changed) for project in self.projects))


def rendered(case: Case) -> dict[str, str]:
    """Path in the repository -> text, or ConfigError."""
    configs = [load.parse(project.settings, file="mlops.yaml") for project in case.projects]
    projects = tuple(
        ProjectInputs(
            name=config.project,
            folder=project.folder,
            labels=config.runner.labels,
            timeout=config.runner.timeout,
            secrets=config.runner.secrets,
            pushes=(project.image,),
            signs=project.signs,
        )
        for project, config in zip(case.projects, configs, strict=True)
    )
    return generate(Inputs(version="0.1.0", default_branch=case.branch, projects=projects))


SELF_HOSTED, LARGE = ("self-hosted", "linux", "gpu-a100"), ("mlops.large",)
_ONE, _INSIDE = Case(), Case(projects=(Project(folder="services/churn"),))
_THREE = Case(
    projects=(
        Project(folder="services/churn"),
        Project(name="flight-delay", folder="services/flights_2.0", task="regression"),
        Project(name="x0", folder="x"),
    )
)
_MIXED = replace(
    _THREE,
    branch="release/2.x",
    projects=(
        replace(_THREE.projects[0], labels=SELF_HOSTED, secrets=("HF_TOKEN",)),
        replace(
            _THREE.projects[1],
            labels=LARGE,
            secrets=("DATABASE_URL", "HF_TOKEN"),
            timeout="6h",
            image="ghcr.io/acme/flights",
        ),
        _THREE.projects[2],
    ),
)
CASES = {
    f"{name}-{change}": changed
    for name, case in {"one": _ONE, "inside": _INSIDE, "three": _THREE}.items()
    for change, changed in {
        "plain": case,
        "regression": case.each(task="regression"),
        "self-hosted": case.each(labels=SELF_HOSTED),
        "large": case.each(labels=LARGE),
        "secrets": case.each(secrets=("HF_TOKEN", "DATABASE_URL")),
        "short": case.each(timeout="90s"),
        "long": case.each(timeout="36h"),
        "signed": case.each(signs=True),
        "trunk": replace(case, branch="trunk"),
        "all": replace(case.each(labels=SELF_HOSTED, secrets=("HF_TOKEN",), timeout="5h"), branch="dev/2.x_y"),
    }.items()
} | {"three-mixed": _MIXED}
