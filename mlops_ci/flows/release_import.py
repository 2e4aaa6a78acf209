"""release --import: a model of MLflow → its own environment → its answers on the held-out rows → store → number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.errors import ConfigError, SourceError, UsageError
from mlops_ci.records.releases import Release
from mlops_ci.reports import numbers
from mlops_ci.reports.story import Story
from mlops_ci.steps import import_decision, ledger, stores
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.examine import look_at_data
from mlops_ci.steps.imported import take_in
from mlops_ci.steps.kept_rows import keep
from mlops_ci.steps.predict import predict
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.publish import bring_in
from mlops_ci.steps.releases import of_bundle, record_release
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from mlops_ci.ledger.entries import Entry


class Reason(NamedTuple):
    """Why a model is taken in; `push`: the ledger goes to its remote."""

    text: str
    push: bool = False


class ImportedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `release --import`."""

    story: Story
    release: str
    digest: str
    place: Path
    already: bool

    def document(self) -> dict[str, object]:
        """The keys of `release --json`."""
        return {
            "release": self.release,
            "digest": self.digest,
            "bundle": str(self.place),
            "image": None,
            "signature": None,
            "decision": self.story.decision_id,
            "outcome": self.story.decision.outcome,
        }


def release_import(start: Path, source: str, why: Reason, progress: Progress) -> ImportedRelease:
    """Take in a model that is in production already, so that the next commits are compared with it."""
    if not why.text.strip() or not why.text.isprintable():
        raise UsageError("--import needs a --reason, in one line", "It is written into the ledger.")
    case = settle(open_project(start), Asked())
    if case.head.dirty:
        raise UsageError("there are changes that are not committed", "Commit them: a release is a commit's.")
    if case.head.config.evidence.rows == "none":
        where = case.project.config.place("evidence.rows")
        raise ConfigError(
            "without its answers by row nothing can be compared with it", "Write ledger or store.", where=where
        )
    clock = Clock(progress)
    workshop = Workshop(case.project, case.head, lambda text: clock.say("environment", text))
    found = look_at_data(case, workshop, clock)
    if found.data is None:
        raise SourceError(found.results[0].message)
    data = found.data
    with clock.step("import", f"taking in {source}") as line:
        model = take_in(case.project, case.head, data.snapshot, source, lambda text: clock.say("import", text))
        line.found = f"{numbers.plural(model.files, 'file')}, {numbers.size(model.bytes)}"
    with clock.step("predict", "asking it about the held-out rows") as line:
        answers, _ = predict(case.project, case.head, data.snapshot, data.holdout, model.fitted, model.workshop)
        line.found = f"{data.holdout.rows:,} held-out rows"
    asked = import_decision.Asked(
        case=case, data=data, model=model, predictions=answers, source=source, reason=why.text.strip()
    )
    return _written(asked, clock, push=why.push)


def _written(asked: import_decision.Asked, clock: Clock, *, push: bool) -> ImportedRelease:
    project, name = asked.case.project, asked.case.head.config.project
    if push:
        bring_in(project.repository)
    with clock.step("store", "putting the model into the store") as line:
        place, store = stores.keep(
            project, asked.model.folder, asked.model.digest, lambda text: clock.say("store", text)
        )
        line.found = f"{numbers.size(asked.model.bytes)}, read back from {store}"
    if before := of_bundle(project.repository, name, asked.model.digest):
        return _again(asked, before, place)
    told: dict[int, Story] = {}

    def entry(number: int) -> Entry:
        told[number] = import_decision.story_of(asked, number)
        made = import_decision.entry_of(asked, told[number], clock)
        if problem := keep(project, made, lambda text: clock.say("store", text)):
            clock.note(problem)
        return made

    record_release(project.repository, name, entry, push=push)
    number = max(told)
    return ImportedRelease(
        story=told[number], release=f"v{number}", digest=asked.model.digest, place=place, already=False
    )


def _again(asked: import_decision.Asked, before: Release, place: Path) -> ImportedRelease:
    stored = ledger.find(asked.case.project.repository, before.decision)
    story = Story(decision=stored.decision, decision_id=stored.id, evidence=stored.evidence)
    return ImportedRelease(story=story, release=before.release, digest=before.bundle, place=place, already=True)
