"""The files a first check needs, as texts; nothing is written here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import yaml
from mlops_ci.config.yaml import scalar
from mlops_ci.data import contract
from mlops_ci.errors import UsageError
from mlops_ci.records.tables import Kind
from mlops_ci.render import render

if TYPE_CHECKING:
    from mlops_ci.gates.starting import StartingGate
    from mlops_ci.steps.findings import Findings
    from mlops_ci.steps.first_look import FirstLook

REQUIREMENTS = "pandas\nscikit-learn\npytest # runs tests/model\n"
IGNORED = ("/.mlops-ci/cache/", "/.mlops-ci/env/", "/.mlops-ci/runs/", "/.mlops-ci/logs/", "/.mlops-ci/mlflow.db")
RUNGS = {
    "entrypoint": "# train(frame, params, seed) returns a fitted model\n"
    "train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}",
    "command": "# a command that trains and writes the model\ntrain: {command: python train.py, output: model.pkl}",
    "model": "# a model trained elsewhere: path or URI\ntrain: {model: model.pkl}",
    "predictions": "# predictions made elsewhere: row id and score, judged only\ntrain: {predictions: predictions.csv}",
}
_RESERVED = ("con", "nul", "aux")


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the project is, after every question is answered."""

    project: str
    target: str
    rung: str
    look: FirstLook
    findings: Findings
    gates: tuple[StartingGate, ...] = ()
    """Empty while they are not known: they are computed on the split that the other settings make."""
    baseline: str = ""
    """What is said of the quick baseline they come from."""


def project_name(folder: str) -> str:
    """A project's name from its folder's."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40].strip("-")
    return name if name and name not in _RESERVED else "model"


def project_files(answers: Answers) -> dict[str, str]:
    """Path in the project -> text, in the order people read them."""
    findings, look = answers.findings, answers.look
    terms = contract.infer(look.table, look.profile, target=answers.target, id=findings.id, time=findings.time)
    files = {"mlops.yaml": settings(answers), "data/contract.yaml": contract.write(terms)}
    if answers.rung == "entrypoint":
        kind = "Regressor" if findings.task == "regression" else "Classifier"
        files["pipeline/train.py"] = render(
            "init/train.py", target=_python(answers.target), estimator=f"HistGradientBoosting{kind}"
        )
        files["params.yaml"] = render("init/params.yaml")
        files["requirements.in"] = REQUIREMENTS
    if answers.rung != "predictions":
        files["tests/model/conftest.py"] = render("init/conftest.py")
        files["tests/model/test_behaviour.py"] = render(
            "init/test_behaviour.py",
            features=_python(_test_columns(answers)) if _test_columns(answers) else "",
            task=findings.task,
        )
    return files


def settings(answers: Answers) -> str:
    """The text of mlops.yaml."""
    findings, look = answers.findings, answers.look
    return render(
        "init/mlops.yaml",
        project=answers.project,
        task=findings.task,
        source=look.source,
        pattern=scalar(look.pattern),
        target=scalar(answers.target),
        missing_target=f"{findings.missing_target:,}" if findings.missing_target else "",
        id=", ".join(scalar(name) for name in findings.id),
        time=scalar(findings.time) if findings.time else "",
        group=scalar(findings.group) if findings.group else "",
        train=RUNGS[answers.rung],
        gates=[(_plain(gate.text), gate.reason) for gate in answers.gates],
    )


def ignore_lines(existing: str) -> str:
    """The lines that .gitignore lacks, as text to append; empty when it has them all."""
    there = {line.strip() for line in existing.splitlines()}
    wanted = [line for line in IGNORED if line not in there and line.lstrip("/") not in there]
    if not wanted:
        return ""
    gap = "\n" if existing and not existing.endswith("\n") else ""
    return gap + "\n".join(wanted) + "\n"


def check_target(look: FirstLook, target: str) -> None:
    """UsageError where the column is not there."""
    if target not in look.table.names:
        columns = ", ".join(look.table.names[:40])
        raise UsageError(f"there is no column {target!r} in {look.pattern}", f"It has: {columns}.")


def _test_columns(answers: Answers) -> list[str]:
    """One column of numbers and one of text, whatever there is of them; for a model that is not ours only with gaps."""
    apart = {answers.target, *answers.findings.id}
    features = [column for column in answers.look.table.columns if column.name not in apart]
    if answers.rung != "entrypoint":
        features = [column for column in features if column.missing is not None and column.missing.any()]
    numbers = [column.name for column in features if column.kind in (Kind.FLOAT, Kind.INTEGER)]
    words = [column.name for column in features if column.kind is Kind.TEXT]
    return numbers[:1] + words[:1]


def _plain(gate: str) -> str:
    """A gate as people write it, without quotes where it reads back as the same text."""
    return gate if yaml.load(f"- {gate} # why", file="").value == [gate] else scalar(gate)


def _python(value: str | list[str]) -> str:
    """A text or a list of texts as a Python literal with double quotes: JSON's escapes are Python's too."""
    return json.dumps(value)
