"""The bundle of a judged model: everything that serves it, explains it and proves it, in one folder with one digest."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from mlops_ci import __version__
from mlops_ci.data import canonical
from mlops_ci.edge import archives, files, frames, runtime
from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.intervals import intervals
from mlops_ci.packaging import answers, golden, manifest, mlflow_model
from mlops_ci.packaging.bill_of_materials import bill_of_materials
from mlops_ci.records.bundles import Golden, ModelFile, Serving
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Evidence, Subject
from mlops_ci.records.evaluation import Interval, Task
from mlops_ci.records.tables import Kind, Table
from mlops_ci.reports.model_card import Card, model_card
from mlops_ci.reports.release import parity
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.case import Case, subject
from mlops_ci.steps.decide import Found, ModelFound
from mlops_ci.steps.export import Exported, Model
from mlops_ci.steps.fit import Fitted
from mlops_ci.steps.judge import parse_contract
from mlops_ci.steps.libraries import Needs, needs
from mlops_ci.steps.predict import ask, open_answers
from mlops_ci.steps.signature import inputs
from mlops_ci.steps.suites import DataFound
from mlops_ci.steps.workshop import Workshop


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on disk."""

    folder: Path
    digest: str
    bytes: int
    files: int
    golden: Golden
    restored: bool


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is put together from."""

    case: Case
    data: DataFound
    model: ModelFound
    fitted: Fitted
    exported: Exported
    needs: Needs
    workshop: Workshop

    @property
    def subject(self) -> Subject:
        return subject(self.case, self.workshop.locked, self.data.snapshot.info.digest)


def judged_model(case: Case, found: Found, workshop: Workshop) -> Model:
    """What there is to export; UsageError where only predictions were judged."""
    data, model = found.data, found.model
    if data is None or model is None or model.fitted is None:
        raise UsageError("there is no model to package", "Name one at `train:` in mlops.yaml.")
    return Model(
        project=case.project,
        tree=case.head,
        snapshot=data.snapshot,
        holdout=data.holdout,
        fitted=model.fitted,
        workshop=workshop,
    )


def make_bundle(case: Case, found: Found, exported: Exported, workshop: Workshop) -> Bundle:
    """Put together, or restored while nothing of it changed. The same inputs give the same bytes."""
    data, model = found.data, found.model
    if data is None or model is None or model.fitted is None:
        raise ValueError("there is no model")
    needed = needs(judged_model(case, found, workshop), exported)
    parts = _Parts(
        case=case, data=data, model=model, fitted=model.fitted, exported=exported, needs=needed, workshop=workshop
    )
    reads = {
        "model": [model.fitted.digest, exported.digest, exported.answer],
        "subject": parts.subject,
        "predictions": model.predictions.digest,
        "holdout": data.holdout.digest,
        "settings": [case.head.config.package, case.head.config.slices, case.head.config.project],
        "contract": parse_contract(case.head),
        "runtime": [{name: manifest.digest(content) for name, content in runtime.files().items()}],
        "needs": [needed.lock, needed.licences, {name: manifest.digest(data) for name, data in needed.code.items()}],
        "version": __version__,
    }
    folder, restored = Cache(case.project.state).folder("bundle", reads, partial(_make, parts=parts))
    return open_bundle(folder, restored=restored)


def open_bundle(folder: Path, *, restored: bool = False) -> Bundle:
    """What a folder that is a bundle holds."""
    listed = (folder / manifest.NAME).read_bytes()
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return Bundle(
        folder=folder,
        digest=manifest.digest(listed),
        bytes=sum(path.stat().st_size for path in paths),
        files=len(paths),
        golden=msgspec.json.decode((folder / "golden.json").read_bytes(), type=Golden),
        restored=restored,
    )


def _make(folder: Path, *, parts: _Parts) -> None:
    serving, requests = _serving(parts), _golden(parts)
    content = _texts(parts, serving, requests) | runtime.files() | parts.needs.code
    content |= parts.exported.files()
    content[manifest.NAME] = manifest.manifest(content)
    _require_keepable(content)
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _require_keepable(names: Iterable[str]) -> None:
    """UserCodeError where a store could not give one back, nor a job hand it over, below a folder of its own."""
    if name := archives.lost(f"bundle/{name}" for name in sorted(names)).removeprefix("bundle/"):
        raise UserCodeError(
            f"the bundle would hold a file named {name[:80]!r}, which cannot be kept",
            "Name it otherwise: letters of ASCII, digits, `.`, `-`, `_`, no dot in front, none twice in another case.",
        )


def _serving(parts: _Parts) -> Serving:
    config, answer = parts.case.head.config, parts.exported.answer
    return Serving(
        version=1,
        project=config.project,
        task=parts.data.holdout.task,
        commit=parts.case.head.commit,
        model=ModelFile(
            file=answer.file,
            format=answer.format,
            trusted=answer.trusted,
            predicts=answer.predicts or msgspec.UNSET,
        ),
        inputs=inputs(parts.data.snapshot.table, answer.inputs, parse_contract(parts.case.head)),
        ids=config.data.id,
        private=config.package.private,
        outputs=answers.outputs(Kind(answer.prediction), answer.classes),
        classes=answer.classes,
        onnx=answer.onnx,
    )


def _golden(parts: _Parts) -> Golden:
    """Requests made up from the held-out rows, answered by the judged model itself."""
    snapshot, holdout = parts.data.snapshot, parts.data.holdout
    features = canonical.select(canonical.take(snapshot.table, snapshot.holdout), parts.exported.answer.inputs)
    drawn = golden.draws(features, snapshot.info.digest)
    columns = [canonical.take(canonical.select(features, (name,)), places).columns[0] for name, places in drawn.items()]
    asked = Table(rows=golden.CANDIDATES, columns=tuple(columns))
    with files.temporary() as scratch:
        frames.write(asked, scratch / "features")
        (scratch / "answers").mkdir()
        ask(
            scratch / "answers",
            features=scratch / "features",
            rows=asked.rows,
            tree=parts.case.head,
            holdout=holdout,
            fitted=parts.fitted,
            workshop=parts.workshop,
        )
        answered = open_answers(scratch / "answers", holdout, rows=asked.rows)
    judged = parts.model.predictions.labels.astype(np.float64)
    return golden.golden(
        asked,
        answers.answers(answered, holdout.classes, _serving(parts).outputs),
        tolerance=parts.exported.answer.parity.tolerance,
        spread=float(np.std(judged)) if holdout.task is Task.REGRESSION else None,
    )


def _texts(parts: _Parts, serving: Serving, requests: Golden) -> dict[str, bytes]:
    about, lock = parts.subject, parts.needs.lock
    evidence, bounds = _evidence(parts)
    bill = bill_of_materials(
        serving,
        evidence,
        about,
        intervals=bounds,
        lock=lock,
        licences=parts.needs.licences,
        model=parts.exported.digest,
        version=__version__,
    )
    card = Card(
        serving=serving,
        evidence=evidence,
        subject=about,
        intervals=bounds,
        intended_use=parts.case.head.config.package.intended_use,
        exported=parity(parts.exported.answer.parity),
    )
    python = ".".join(parts.workshop.environment.version.split(".")[:2])
    # ONNX runs on any Python; what holds the project's own objects, on the one they were made with.
    pinned = {} if serving.onnx else {".python-version": f"{python}\n".encode()}
    return {
        "serving.json": canonical_json(serving),
        "golden.json": canonical_json(requests),
        "requirements.lock": lock.encode(),
        "MODEL_CARD.md": model_card(card).encode(),
        "sbom.cdx.json": bill,
        **pinned,
    } | mlflow_model.files(serving, requests, lock, python=python, made=about.commit_time)


def _evidence(parts: _Parts) -> tuple[Evidence, dict[str, Interval]]:
    """The candidate alone: what it was compared with is no part of it."""
    holdout, predictions = parts.data.holdout, parts.model.predictions
    evaluation = evaluate(holdout, predictions, None, slices=parts.case.head.config.slices)
    info = msgspec.structs.replace(parts.data.snapshot.info, holdout_protected=parts.model.protected)
    told = Evidence(snapshot=info, training=parts.model.training, evaluation=evaluation)
    return told, intervals(holdout, predictions, METRICS)
