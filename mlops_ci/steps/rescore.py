"""A bundle asked about every held-out row of the decision that passed its model, where nobody may write anything.

Rows are read from git, judged answers from the ledger. Only ONNX is ever loaded: of another format the answers are the
word of the job that made the bundle, and the decision says so.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.edge import files, runtime
from mlops_ci.errors import MlopsCiError, SourceError, UserCodeError
from mlops_ci.packaging import manifest, rescoring
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import numbers
from mlops_ci.steps import request_cost, runs
from mlops_ci.steps.examine import look_at_data
from mlops_ci.steps.packed import answers_as_judged
from mlops_ci.steps.rejudge import stored_predictions
from mlops_ci.steps.reported_rows import unreadable
from mlops_ci.steps.snapshot import make_snapshot
from mlops_ci.steps.store_items import laid_snapshot
from mlops_ci.steps.workshop import NoWorkshop

if TYPE_CHECKING:
    from mlops_ci.records.evaluation import Predictions
    from mlops_ci.records.tables import Table
    from mlops_ci.steps.case import Case
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.packaged import Taken
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.store_items import Laid

CHECK = "bundle_rows"
TABLE = "snapshot"
GOLDEN = "what the bundle answers to its golden requests"
ROWS = "what the bundle answers on the held-out rows"


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out, and what stays the word of the job that made the bundle."""

    results: tuple[Result, ...]
    reported: tuple[str, ...] = ()


def rescore(case: Case, taken: Taken, decision: str, clock: Clock, *, until: float) -> Scored:
    """Ask the bundle. `decision`: the one that passed its model; `until`: when SQL has to be done."""
    format_ = taken.serving.model.format
    if format_ != "onnx":
        told = f"as the job that made it says; {format_} runs code when it is loaded, and is not loaded here"
        return Scored(results=(_result("bundle_answers", told, Status.SKIPPED),), reported=(GOLDEN, ROWS))
    with clock.step("load", "loading the bundle by itself") as line:
        results = answers_as_judged(taken.bundle, clock)
        line.found = results[0].message
    if results[0].status is not Status.PASSED:
        return Scored(results=results)
    kept = runs.from_ledger(case.project, decision)
    judged = stored_predictions(kept, "")
    why = unreadable(case.head) or (
        "" if judged is not None and kept.holdout is not None else kept.no_rows or "no rows were recorded"
    )
    if why or judged is None or kept.holdout is None:
        return Scored(results=results, reported=(f"{ROWS}: {why}",))
    with clock.step("rows", "asking it about the held-out rows") as line:
        found = _rows(case, taken, clock, judged=judged, ids=kept.holdout.ids, until=until)
        line.found = found.message
    return Scored(results=(*results, found))


def cost_of(taken: Taken, passed: StoredDecision, clock: Clock, scored: Scored) -> Cost:
    """What a request costs, where a gate asks and the bundle may be loaded."""
    if not request_cost.asked_by(passed.decision) or any(one.status is Status.FAILED for one in scored.results):
        return Cost()
    format_ = taken.serving.model.format
    return request_cost.measure(taken.bundle, clock) if format_ == "onnx" else request_cost.not_loaded(format_)


def table_at(case: Case, *, until: float) -> tuple[Laid | None, Result | None]:
    """The commit's prepared table where `evidence.snapshot` asks for it, or why it is not kept; neither: not asked."""
    if case.head.config.evidence.snapshot != "store":
        return None, None
    why = unreadable(case.head)
    if not why:
        workshop = NoWorkshop(case.project, case.head, lambda _: None, until=until)
        try:
            snapshot, _ = make_snapshot(case.project, case.head, workshop=workshop, apart=case.apart)
            return laid_snapshot(case.project, snapshot), None
        except (SourceError, UserCodeError) as error:
            why = error.message
    return None, _result(TABLE, f"its prepared table is not kept, as it cannot be read here: {why}", Status.SKIPPED)


def _rows(
    case: Case, taken: Taken, clock: Clock, *, judged: Predictions, ids: np.typing.NDArray[np.uint64], until: float
) -> Result:
    workshop = NoWorkshop(case.project, case.head, lambda text: clock.say("environment", text), until=until)
    data = look_at_data(case, workshop, clock).data
    if data is None or not np.array_equal(data.holdout.ids, ids):
        return _result(CHECK, "git holds other rows than the decision was made on", Status.FAILED)
    snapshot, classes = data.snapshot, data.holdout.classes
    wanted = tuple(each.name for each in taken.serving.inputs)
    if missing := sorted(set(wanted) - set(snapshot.table.names)):
        return _result(CHECK, f"the bundle asks for {missing[0]}, which is no column of the data", Status.FAILED)
    features = canonical.select(canonical.take(snapshot.table, snapshot.holdout), wanted)
    try:
        problem = _asked(taken, features, judged, classes)
    except (MlopsCiError, ValueError, KeyError, IndexError) as error:
        problem = str(error)
    if problem:
        return _result(CHECK, problem, Status.FAILED)
    allowed = rescoring.tolerance(judged, classes=classes)
    labels = "every label equal, " if classes else ""
    return _result(
        CHECK,
        f"gives the judged answers on {numbers.plural(features.rows, 'held-out row')}: {labels}no number off by more "
        f"than {allowed:.1g}",
        Status.PASSED,
    )


def _asked(taken: Taken, features: Table, judged: Predictions, classes: tuple[str, ...]) -> str:
    """What it answers otherwise; empty: nothing. The runtime compares, as it does when it starts."""
    python = runtime.python_for(taken.bundle.folder, lambda _: None)
    with files.temporary() as scratch:
        copy = scratch / "bundle"
        shutil.copytree(taken.bundle.folder, copy)
        for each in rescoring.questions(features, judged, taken.serving, taken.bundle.golden, classes=classes):
            (copy / "golden.json").write_bytes(canonical_json(each))
            (copy / manifest.NAME).unlink()
            (copy / manifest.NAME).write_bytes(manifest.manifest(_content(copy)))
            found = runtime.conforms(copy, python)
            if found.error is not None:
                return found.error.message.replace("golden.json: ", "")
            if found.golden != len(each.rows):
                return f"it answers {found.golden} of {len(each.rows)} rows"
    return ""


def _content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _result(check: str, message: str, status: Status) -> Result:
    return Result(check=check, part=Part.MODEL, status=status, message=message)
