"""The steps of a check as a person sees them: data, train, predict, tests, gates. Each gives a fuller Found back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.edge import files
from mlops_ci.errors import ConfigError, SourceError, UserCodeError
from mlops_ci.records.decisions import TrainingInfo
from mlops_ci.records.evaluation import Champion, Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part
from mlops_ci.reports.sections.data import checks_line
from mlops_ci.steps import verdicts
from mlops_ci.steps.case import Case
from mlops_ci.steps.champion import anchor_on, asked_again, champion_on
from mlops_ci.steps.decide import Found, ModelFound, errored
from mlops_ci.steps.fit import fit
from mlops_ci.steps.given import given_predictions
from mlops_ci.steps.holdout import make_parts
from mlops_ci.steps.judgement import Answers, gates_line, judge_answers
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.model_tests import find_tests, run_model_tests
from mlops_ci.steps.own_metrics import Measured, Ruler, measure
from mlops_ci.steps.predict import predict
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.redefined import redefined
from mlops_ci.steps.snapshot import Snapshot, feature_columns, make_snapshot
from mlops_ci.steps.suites import DataFound, examine
from mlops_ci.steps.workshop import Workshop

replace = msgspec.structs.replace


def look_at_data(case: Case, workshop: Workshop, clock: Clock) -> Found:
    """Read, join, split; compare with the base; run the native checks. Unreadable data is a Result, not a crash."""
    with clock.step("data", "reading and joining the sources") as line:
        try:
            snapshot, restored = make_snapshot(case.project, case.head, workshop=workshop, apart=case.apart)
            holdout, apart = make_parts(snapshot, case.head.config)
        except (SourceError, UserCodeError) as error:
            line.found = "could not be read"
            return Found(results=(errored("data", error, Part.DATA),))
        found = replace(examine(case, snapshot, holdout, _before(case, workshop)), gate_part=apart)
        changes = redefined(case, snapshot, workshop)
        line.found = _data_line(found, restored=restored)
        if restored:
            clock.restored.append("data")
        return Found(data=found, results=() if case.asked.only == "model" else found.results, changes=changes)


def make_model(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Found:
    """Train or restore, and ask about the held-out rows once; or take the predictions that were given."""
    if found.data is None:
        return found
    given = _predictions_file(case)
    try:
        made = _given(case, found.data, clock, given) if given else _trained(case, found.data, workshop, clock)
    except (SourceError, UserCodeError) as error:
        return replace(found, results=(*found.results, errored("predictions" if given else "train", error, Part.MODEL)))
    return replace(found, model=made)


def test_model(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Found:
    """The project's behaviour tests, as the judge has them."""
    data, model = found.data, found.model
    if data is None or model is None or model.fitted is None or model.answers is None:
        return found
    with clock.step("tests", "model tests") as line:
        results = run_model_tests(
            case.project,
            find_tests(case.rules, case.head),
            case.head.config,
            data.snapshot,
            data.holdout,
            model.fitted,
            model.answers,
            workshop,
        )
        passed = sum(result.status is Status.PASSED for result in results)
        line.found = f"{passed} of {len(results)} passed" if results else "none"
    return replace(found, results=(*found.results, *results))


def judge_model(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Found:
    """Compare with the champion, compute what the report shows, and ask the gates."""
    data, model = found.data, found.model
    if data is None or model is None:
        return replace(found, gates=verdicts.not_judged(case.judge.gates, why_not_judged(case, found)))
    with clock.step("gates", "judging") as line:
        answers = _answers(case, data, model, workshop, clock)
        answers = replace(answers, apart=_apart(case, data, model, workshop, clock))
        judged = judge_answers(case, found, answers)
        line.found = gates_line(judged)
    return judged


def _answers(case: Case, data: DataFound, model: ModelFound, workshop: Workshop, clock: Clock) -> Answers:
    def again(stored: StoredDecision) -> Predictions:
        return asked_again(case, data.snapshot, data.holdout, clock, stored)

    champion = champion_on(case, data.snapshot, data.holdout, again)
    return Answers(
        measured=_measured(case, data, model, champion, workshop, clock),
        anchor=anchor_on(case, data.snapshot, data.holdout, again),
    )


def _apart(case: Case, data: DataFound, model: ModelFound, workshop: Workshop, clock: Clock) -> Answers | None:
    """The answers on the gate part."""
    part = data.snapshot.gate_part
    if model.gate_part is None or data.gate_part is None or part is None:
        return None
    there = replace(data, snapshot=part.rows, holdout=data.gate_part)
    return _answers(case, there, replace(model, predictions=model.gate_part), workshop, clock)


def _measured(
    case: Case, data: DataFound, model: ModelFound, champion: Champion | None, workshop: Workshop, clock: Clock
) -> Measured:
    ruler = Ruler(
        project=case.project,
        head=case.head,
        rules=case.rules,
        snapshot=data.snapshot,
        holdout=data.holdout,
        workshop=workshop,
    )
    if case.head.config.metrics or case.rules.config.metrics:
        clock.say("gates", "computing the project's own metrics")
    return measure(ruler, model.predictions, champion)


def why_not_judged(case: Case, found: Found) -> str:
    """Why no gate is asked, in words."""
    if any(result.blocking and result.status is Status.ERRORED for result in found.results):
        return "there are no predictions"
    return "only the data was asked for" if case.asked.only == "data" and not found.stopped else "the data was refused"


def _before(case: Case, workshop: Workshop) -> Snapshot | None:
    """The base's snapshot; None where there is no base, or its data cannot be read any more."""
    if case.base is None:
        return None
    try:
        return make_snapshot(case.project, case.base, workshop=workshop, apart=case.apart)[0]
    except (ConfigError, SourceError, UserCodeError):
        return None


def _predictions_file(case: Case) -> Path | None:
    """The file of rung one, from the command line or from mlops.yaml."""
    train = case.head.config.train
    if case.asked.predictions is not None:
        return case.asked.predictions
    return case.head.root / train.predictions if train and train.predictions else None


def _given(case: Case, data: DataFound, clock: Clock, path: Path) -> ModelFound:
    with clock.step("predict", f"reading {path.name}") as line:
        kinds = {column.name: column.kind for column in data.snapshot.table.columns}
        predictions = given_predictions(path, data.holdout, case.head.config, kinds)
        apart = given_predictions(path, data.gate_part, case.head.config, kinds) if data.gate_part else None
        line.found = f"{data.holdout.rows:,} held-out rows from {path.name}"
    features = feature_columns(case.head.config, data.snapshot.table.names)
    digest = files.sha256(path)
    info = TrainingInfo(rung="predictions", model=path.name, features=features, seed=None, digest=digest)
    return ModelFound(training=info, predictions=predictions, gate_part=apart)


def _trained(case: Case, data: DataFound, workshop: Workshop, clock: Clock) -> ModelFound:
    with clock.step("train", "training") as line:
        fitted = fit(case.project, case.head, data.snapshot, workshop, model=case.asked.model)
        line.found = "restored (nothing it reads has changed)" if fitted.restored else fitted.info.model
        if fitted.restored:
            clock.restored.append("train")
    with clock.step("predict", "asking the model about the held-out rows") as line:
        predictions, folder = predict(case.project, case.head, data.snapshot, data.holdout, fitted, workshop)
        apart = None
        if data.gate_part is not None and data.snapshot.gate_part is not None:
            rows = data.snapshot.gate_part.rows
            apart, _ = predict(case.project, case.head, rows, data.gate_part, fitted, workshop)
        line.found = f"{data.holdout.rows:,} held-out rows"
    return ModelFound(
        training=fitted.info,
        predictions=predictions,
        gate_part=apart,
        protected=fitted.protected,
        fitted=fitted,
        answers=folder,
    )


def _data_line(found: DataFound, *, restored: bool) -> str:
    told = (f"{found.snapshot.info.rows:,} rows", checks_line(found.results), "restored" if restored else "")
    return ", ".join(filter(None, told))
