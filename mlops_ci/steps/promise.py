"""The look that one check is, how many there were before, and what a guarantee leaves of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.config.settings import Guarantee
from mlops_ci.gates.histories import budget, histories
from mlops_ci.gates.question import Wear
from mlops_ci.gates.wear import settle
from mlops_ci.ledger.holdouts import ids_file
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Look, Promise
from mlops_ci.records.tables import Kind
from mlops_ci.steps import ledger
from mlops_ci.steps.looks import Exposure, exposure
from mlops_ci.steps.trees import tree_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.config.settings import Config
    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question
    from mlops_ci.records.data import SnapshotInfo
    from mlops_ci.steps.case import Case
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.runs import Kept


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """How one decision uses the held-out rows."""

    look: Look
    number: int
    """Which look it is at the row looked at most, from 1."""
    promise: Promise | None
    wear: Wear | None


def divisor(promised: Guarantee) -> int:
    """K: what the level of every passing bound is divided by (statistics.md 2)."""
    return histories(promised.decisions, budget(promised.adaptivity, promised.decisions))


def divided(config: Config) -> int:
    """K of the settings; 1 where nothing is promised."""
    promised = config.holdout.guarantee
    return divisor(promised) if isinstance(promised, Guarantee) else 1


def use(case: Case, question: Question, snapshot: SnapshotInfo) -> Use:
    """The use a check makes of its holdout. The judge's settings say what is promised: no commit frees itself."""
    gates = (*case.judge.gates, *case.judge.head_gates)
    promised = case.rules.config.holdout.guarantee
    beside = (
        gate for listed in case.judge.environments.values() for gate in listed
    )  # a promotion reads their verdicts
    look = _look(case, (*gates, *beside), question, naming=_naming(case.head.config, snapshot))
    repository = case.project.repository
    seen = exposure(repository, ledger.head(repository), look, question.holdout.ids)
    number = int(seen.looks.max(initial=0)) + 1
    if not isinstance(promised, Guarantee):
        return Use(look=look, number=number, promise=None, wear=None)
    promise, wear = keep(promised, gates, question, seen)
    return Use(
        look=msgspec.structs.replace(look, decisions=promise.decisions), number=number, promise=promise, wear=wear
    )


def keep(promised: Guarantee, gates: tuple[Gate, ...], question: Question, seen: Exposure) -> tuple[Promise, Wear]:
    """What is promised for a decision on these rows, and which of them are judged."""
    bound = _bound(promised, seen.promised)
    wear = settle(gates, question, seen.looks, decisions=bound.decisions, histories=divisor(bound))
    promise = Promise(
        adaptivity=str(bound.adaptivity),
        decisions=bound.decisions,
        histories=wear.histories,
        looks=wear.looks,
        rows=question.holdout.rows if wear.rows is None else int(wear.rows.sum()),
        seen=seen.seen,
        anywhere=seen.anywhere,
    )
    return promise, msgspec.structs.replace(wear, anywhere=seen.anywhere)


def spent(project: Project, kept: Kept) -> tuple[int, Wear | None]:
    """The looks at the rows of a decision up to now, its own among them, and what today's settings leave of them."""
    looks, fewest = kept.evidence.looks, None
    if kept.evidence.look is not None and kept.ids is not None:
        anyone = msgspec.structs.replace(kept.evidence.look, predictions="")
        seen = exposure(project.repository, ledger.head(project.repository), anyone, kept.ids)
        looks, fewest = int(seen.looks.max(initial=0)), seen.promised
    promised = project.config.holdout.guarantee
    if not isinstance(promised, Guarantee):
        return looks, None
    bound = _bound(promised, fewest)
    return looks, Wear(decisions=bound.decisions, looks=looks, histories=divisor(bound))


def not_kept(project: Project, kept: Kept) -> str:
    """How a run's folder was judged otherwise than the settings of its judge promise; empty: it was not."""
    commit, promise = kept.decision.judge.commit, kept.evidence.promise
    tree = tree_at(project, commit) if commit and kept.evidence.look else None
    promised = tree.config.holdout.guarantee if tree else "none"
    if not isinstance(promised, Guarantee):
        return ""
    if promise is None:
        return (
            f"the settings at {commit[:7]} promise {promised.decisions} decisions, and it was judged without a promise"
        )
    bound = _bound(promised, promise.decisions)
    if (promise.decisions, promise.histories) != (bound.decisions, divisor(bound)):
        return f"it was judged for {promise.decisions} decisions, the settings at {commit[:7]} say {promised.decisions}"
    return ""


def wear_of(promise: Promise | None, judged: NDArray[np.generic] | None) -> Wear | None:
    """The same from recorded evidence. judged: shape (rows,), None: all rows."""
    if promise is None:
        return None
    return Wear(
        decisions=promise.decisions,
        looks=promise.looks,
        histories=promise.histories,
        anywhere=promise.anywhere,
        rows=None if judged is None else judged.astype(np.bool_),
    )


def _bound(promised: Guarantee, fewest: int | None) -> Guarantee:
    """The fewest decisions ever promised for a row bind: what was spent at α / 32 is not back where 64 are written."""
    return msgspec.structs.replace(promised, decisions=min(promised.decisions, fewest or promised.decisions))


def _look(case: Case, gates: tuple[Gate, ...], question: Question, *, naming: str) -> Look:
    return Look(
        holdout=question.holdout.digest,
        predictions=question.predictions.digest,
        claims=tuple(sorted({_claim(gate, question) for gate in gates if gate.confidence is not None})),
        project=case.head.config.project,
        folder=case.project.folder,
        naming=naming,
        rows=ids_file(question.holdout.ids)[0],
    )


def _naming(config: Config, snapshot: SnapshotInfo) -> str:
    """Digest of everything but the row itself that its id and its side follow from (docs/data.md)."""
    kinds = {name: "number" if kind in (Kind.INTEGER, Kind.FLOAT) else str(kind) for name, kind in snapshot.columns}
    named = {name: kinds[name] for name in config.data.id}
    return digest({"id": named, "split": snapshot.split, "salt": config.data.split.salt})


def _claim(gate: Gate, question: Question) -> str:
    """A difference is claimed against one rival: against another it is another claim."""
    rival = question.rival(gate.against) if gate.against else None
    return f"{gate.claim} against {rival.predictions.digest}" if rival and rival.predictions else gate.claim
