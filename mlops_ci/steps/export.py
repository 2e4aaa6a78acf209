"""The model as a file for a release, in a format whose answers are the model's own; restored while nothing changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.edge import answers, exporter, pickles
from mlops_ci.errors import UserCodeError
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.fit import Fitted, content_digest
from mlops_ci.steps.predict import reads_of, request
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.snapshot import Snapshot
    from mlops_ci.steps.trees import Tree


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A model file and all that is known of it. `imports`: of a pickle, what loading it would import."""

    path: Path
    """Of a model of MLflow its folder."""
    digest: str
    """sha256 of the file, or over those of the folder."""
    answer: answers.Exported
    imports: tuple[str, ...]
    restored: bool

    def files(self) -> dict[str, bytes]:
        """Path in the bundle -> content."""
        return answers.exported_files(self.path.parent, self.answer)


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The judged model and where it stands."""

    project: Project
    tree: Tree
    snapshot: Snapshot
    holdout: Holdout
    fitted: Fitted
    workshop: Workshop


def export(model: Model, *, say: Callable[[str], None]) -> Exported:
    """The model's file in the first format that `package.format` allows and whose answers are the model's.

    `say` is told when the converters have to be installed. UserCodeError with every format's reason where there is
    none, OutsideError where the converters cannot be had.
    """
    package = model.tree.config.package
    reads = {
        "version": __version__,  # the converters of our own may be others in another one
        "predict": reads_of(model.project, model.snapshot, model.holdout, fitted=model.fitted, workshop=model.workshop),
        "nullable": nullable(model.snapshot),
        "exporter": exporter.digest(),
        "format": package.format,
        "trusted": sorted(package.trusted),
    }
    make = partial(_make, model=model, say=say)
    folder, restored = Cache(model.project.state).folder("export", reads, make)
    return _open(folder, restored=restored)


def nullable(snapshot: Snapshot) -> list[str]:
    """The columns that have missing values somewhere in the table."""
    return [column.name for column in snapshot.profile.columns if column.missing]


def _make(folder: Path, *, model: Model, say: Callable[[str], None]) -> None:
    package = model.tree.config.package
    converts = package.format not in ("pickle", "pyfunc")
    kit = str(exporter.install(model.workshop.environment, say)) if converts else ""
    asked = {
        **request(model.tree, model.holdout, model.fitted, model.snapshot.folder / "features"),
        "kit": kit,
        "nullable": nullable(model.snapshot),
        "kind": str(model.snapshot.table.column(model.tree.config.data.target).kind),
        "format": package.format,
        "trusted": sorted(package.trusted),
        "output": str(folder),
    }
    try:
        with model.workshop.open() as bench:
            answer = bench.run("export", asked).value
    except UserCodeError as error:
        if error.where == "train" or error.where.startswith("package."):
            error.where = model.tree.config.place(error.where)
        raise
    if not isinstance(answer, answers.Exported):
        raise TypeError(f"the job export answered {type(answer).__name__}")
    answers.exported_files(folder, answer)
    (folder / "exported.json").write_bytes(msgspec.json.encode(answer))


def _open(folder: Path, *, restored: bool) -> Exported:
    answer = msgspec.json.decode((folder / "exported.json").read_bytes(), type=answers.Exported)
    content = answers.exported_files(folder, answer)
    path = folder / answer.file
    imports = pickles.imports(content[answer.file]) if answer.format == "pickle" else ()
    return Exported(path=path, digest=content_digest(path), answer=answer, imports=imports, restored=restored)
