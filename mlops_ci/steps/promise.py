"""The look that one check is, how many there were before, and what a guarantee leaves of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from mlops_ci.config.judging import Guarantee
from mlops_ci.gates.histories import budget, histories
from mlops_ci.gates.question import Wear
from mlops_ci.gates.wear import settle
from mlops_ci.ledger.holdouts import ids_file
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Look, Promise
from mlops_ci.records.tables import Kind
from mlops_ci.steps import ledger
from mlops_ci.steps.gate_part import judge_apart, left, retire_at
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
    ids: NDArray[np.uint64]
    """Of the rows that were looked at."""
    shown: NDArray[np.uint64] | None = None
    """Of the rows whose numbers are shown, where those are others."""


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
    promised = _promised(case)
    if question.gate_part is not None and isinstance(promised, Guarantee):
        return _use_apart(case, question, promised, naming=_naming(case.head.config, snapshot))
    beside = (
        gate for listed in case.judge.environments.values() for gate in listed
    )  # a promotion reads their verdicts
    look = _look(case, (*gates, *beside), question, naming=_naming(case.head.config, snapshot))
    repository = case.project.repository
    seen = exposure(repository, ledger.head(repository), look, question.holdout.ids)
    number = int(seen.looks.max(initial=0)) + 1
    if not isinstance(promised, Guarantee):
        return Use(look=look, number=number, promise=None, wear=None, ids=question.holdout.ids)
    promise, wear = keep(promised, gates, question, seen)
    return Use(
        look=msgspec.structs.replace(look, decisions=promise.decisions),
        number=number,
        promise=promise,
        wear=wear,
        ids=question.holdout.ids,
    )


def _promised(case: Case) -> Literal["none"] | Guarantee:
    """The judge's; head's where only it says that nothing but verdicts may leave: from its first decision on."""
    ours, theirs = case.rules.config.holdout, case.head.config.holdout
    return theirs.guarantee if ours.guarantee == "none" and theirs.verdicts_only else ours.guarantee


def _use_apart(case: Case, question: Question, promised: Guarantee, *, naming: str) -> Use:
    """Another threshold is another question here: its answer is all that is told."""
    part = question.gate_part
    if part is None:
        raise ValueError("there is no gate part")
    lists = (case.judge.gates, case.judge.head_gates)
    look = _look(case, lists[0] + lists[1], part, naming=naming, whole=True)
    look = msgspec.structs.replace(look, shown=ids_file(question.holdout.ids)[0])
    repository = case.project.repository
    seen = exposure(repository, ledger.head(repository), look, part.holdout.ids)
    found = judge_apart(lists, question, promised, look=look, seen=seen)
    return Use(
        look=found.look,
        number=found.promise.looks + 1,
        promise=found.promise,
        wear=found.wear,
        ids=found.ids,
        shown=question.holdout.ids,
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
    looks, seen = kept.evidence.looks, None
    if kept.evidence.look is not None and kept.ids is not None:
        anyone = msgspec.structs.replace(kept.evidence.look, predictions="", shown="")
        seen = exposure(project.repository, ledger.head(project.repository), anyone, kept.ids)
        looks = int(seen.looks.max(initial=0))
    promised = project.config.holdout.guarantee
    if not isinstance(promised, Guarantee):
        return looks, None
    if seen is not None and promised.disclose == "verdict":
        return looks, left(promised, seen)
    bound = _bound(promised, seen.promised if seen else None)
    return looks, Wear(decisions=bound.decisions, looks=looks, histories=divisor(bound))


def not_kept(project: Project, kept: Kept) -> str:
    """How a run's folder was judged otherwise than the settings of its judge promise; empty: it was not."""
    commit, promise = kept.decision.judge.commit, kept.evidence.promise
    tree = tree_at(project, commit) if commit and kept.evidence.look else None
    promised = tree.config.holdout.guarantee if tree else "none"
    head = tree_at(project, kept.decision.subject.commit)
    apart = any(one.config.holdout.verdicts_only for one in (tree, head) if one)
    if kept.evidence.look and apart != (promise is not None and promise.verdicts_only):
        return f"disclose: verdict is {'' if apart else 'not '}what the settings say, and it was judged otherwise"
    if promise is not None and promise.verdicts_only:
        said = promised if isinstance(promised, Guarantee) else head.config.holdout.guarantee if head else promised
        return _as_promised(promise, said)
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


def _as_promised(promise: Promise, promised: Literal["none"] | Guarantee) -> str:
    """Decisions and passes may be fewer than are promised, as the fewest ever bind; K must be that of what they are."""
    if not isinstance(promised, Guarantee):
        return "the settings promise nothing"
    most, passes = retire_at(promised), promise.retire_at or None
    fewer = promise.decisions <= promised.decisions and (passes or 0) <= (most or 0) and (most is None) == (not passes)
    if fewer and promise.histories == histories(promise.decisions, passes or 1):
        return ""
    return f"it was judged for {promise.decisions} decisions, which is not what the settings promise"


def wear_of(promise: Promise | None, judged: NDArray[np.generic] | None) -> Wear | None:
    """The same from recorded evidence. judged: shape (rows,), None: all rows."""
    if promise is None or promise.verdicts_only:
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


def _look(case: Case, gates: tuple[Gate, ...], question: Question, *, naming: str, whole: bool = False) -> Look:
    """whole: a gate's whole text is what it claims, its threshold too."""
    return Look(
        holdout=question.holdout.digest,
        predictions=question.predictions.digest,
        claims=tuple(sorted({_claim(gate, question, whole) for gate in gates if gate.confidence is not None})),
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


def _claim(gate: Gate, question: Question, whole: bool) -> str:
    """A difference is claimed against one rival: against another it is another claim."""
    rival = question.rival(gate.against) if gate.against else None
    claim = " ".join(gate.text.split()) if whole else gate.claim
    return f"{claim} against {rival.predictions.digest}" if rival and rival.predictions else claim
