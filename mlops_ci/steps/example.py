"""The example project as it ships, and its later changes: what `demo` plays through."""

from __future__ import annotations

import shutil
from importlib.resources import files as package_files
from pathlib import Path

import msgspec

from mlops_ci.edge import commits
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.steps.surroundings import make_repository

_LATER = "later"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of the demo, on a branch of its own from main. `change`: a patch, or a folder of files, in later/."""

    branch: str
    message: str
    tells: str
    change: str
    merged: bool = False


ACTS = (
    Act(
        branch="main",
        message="Flight delays: January to June",
        tells="a model, its data, its gates",
        change="",
    ),
    Act(
        branch="smaller-trees",
        message="Train faster with much smaller trees",
        tells="a change of parameters that makes the model worse",
        change="smaller-trees.patch",
    ),
    Act(
        branch="july",
        message="Add the flights of July",
        tells="new data, the same code",
        change="july",
        merged=True,
    ),
    Act(
        branch="departure-delay",
        message="Use the delay at departure as a feature",
        tells="a column that is only known afterwards",
        change="departure-delay.patch",
    ),
)


def example_folder() -> Path:
    """Where the example lies: in the installed package, or beside it in a checkout."""
    installed = Path(str(package_files("mlops_ci"))) / "_example"
    beside = Path(str(package_files("mlops_ci"))).parent / "example_project"
    for folder in (installed, beside):
        if (folder / "mlops.yaml").is_file():
            return folder
    raise OutsideError("the example project is missing from this installation", "Install mlops-ci again.")


def lay_out(target: Path) -> Repository:
    """A repository with the example's files, nothing committed. UsageError when the folder is not empty."""
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty", "Name a folder that does not exist yet: mlops-ci demo --into DIR")
    shutil.copytree(
        example_folder(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_LATER, ".mlops-ci", "__pycache__")
    )
    make_repository(target)
    repository = Repository.open(target)
    # A demo that first installs 788 MB is no demo; what deepchecks says never decides here.
    commits.apply_patch(repository, (example_folder() / _LATER / "without-deepchecks.patch").read_bytes())
    return repository


def perform(repository: Repository, act: Act) -> str:
    """Make the commit of an act and stay on its branch."""
    if act.change:
        commits.switch(repository, act.branch, new=True)
        later = example_folder() / _LATER / act.change
        if later.is_dir():
            shutil.copytree(later, repository.root, dirs_exist_ok=True)
        else:
            commits.apply_patch(repository, later.read_bytes())
    return commits.commit_all(repository, act.message)


def settle(repository: Repository, act: Act) -> None:
    """Back to main, which has come forward where the act was merged."""
    if act.branch == "main":
        return
    commits.switch(repository, "main")
    if act.merged:
        commits.fast_forward(repository, act.branch)
