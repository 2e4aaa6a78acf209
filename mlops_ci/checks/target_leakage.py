"""No feature gives the target away

A column that is written after the fact (a delay measured on arrival, a letter sent after the claim, a copy of the
target) makes every number brilliant and the model useless. Such a column stands out: it is nearly perfect, or it
alone knows far more than all the others together, or it is filled for one class only. A strong honest feature has
company that is nearly as good.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.checks.answers import capped, failed, passed, skipped
from mlops_ci.checks.missing_pattern import missing_patterns
from mlops_ci.checks.predictive_power import COLUMNS, Sample, Score, coded, same, sample, score, together
from mlops_ci.data.contract_answer import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.evaluation.bins import Coded
    from mlops_ci.records.results import Result

_NAME = "target_leakage"
PERFECT = 0.995
"""Of every class (ROC AUC), or of the target (R²): nearly a copy."""
STRONG = {True: 0.85, False: 0.70}
"""Classification: ROC AUC; regression: R². Weaker columns are not asked further."""
SOONER = 0.05
"""Less is asked of a column that the base did not have: it has not been looked at yet."""
LEADS = {True: 2.0, False: 3.0}
"""The others together leave this many times as much unexplained (1 - AUC, or 1 - R²)."""
FEW_ROWS = 500
"""With fewer rows it may be luck: advisory."""
LEAST_HELD = 50


def run(facts: DataFacts) -> Iterable[Result]:
    """Blocking. A column is left alone where the contract says `predicts_target: expected`."""
    chosen = sample(facts)
    held = int((~chosen.train).sum())
    if held < LEAST_HELD or int(chosen.train.sum()) < LEAST_HELD:
        yield skipped(_NAME, f"{held} held-out rows are too few to tell; {LEAST_HELD} are needed")
        return
    columns = {name: coded(facts.table.column(name), chosen) for name in facts.features}
    scores = {name: score(column, chosen) for name, column in columns.items()}
    findings = [*_findings(facts, chosen, columns, scores), *_missing(facts, chosen)]
    findings = list({finding.column: finding for finding in reversed(findings)}.values())[::-1]
    if not findings:
        yield _fine(facts, scores)
    yield from capped(_NAME, findings)


def _fine(facts: DataFacts, scores: dict[str, Score]) -> Result:
    if not scores:
        return passed(_NAME, "there are no features")
    best = max(scores, key=lambda name: (scores[name].mean, name))
    message = f"the best single feature, {best}, predicts {facts.target} with {_unit(facts)} {scores[best].mean:.3f}"
    return passed(_NAME, message, best=best, score=round(scores[best].mean, 4))


def _findings(
    facts: DataFacts, chosen: Sample, columns: dict[str, Coded], scores: dict[str, Score]
) -> Iterator[Result]:
    strong = [name for name, own in scores.items() if own.mean >= _strong(facts, name)]
    enough = len(chosen.rows) >= FEW_ROWS
    found: list[str] = []
    for name in sorted(strong, key=lambda name: (-scores[name].mean, name)):
        if _expected(facts, name):
            continue
        own = scores[name]
        if own.worst >= PERFECT:
            found.append(name)
            yield _finding(facts, name, own, None, blocking=enough)
            continue
        # A leak that was found is no honest company for the next one.
        rest = [other for other in _others(facts, name, chosen, columns, scores) if other not in found]
        limit = 1 - LEADS[facts.classification] * (1 - own.mean)
        # Most strong honest features leave here: another column alone is nearly as good.
        if rest and max(scores[other].mean for other in rest) > limit:
            continue
        others = together([columns[other] for other in rest], chosen) if rest else _nothing(facts)
        if others.mean <= limit and own.mean - others.mean > 3 * math.hypot(own.error, others.error):
            found.append(name)
            yield _finding(facts, name, own, (len(rest), others.mean), blocking=len(rest) > 1 and enough)


def _others(
    facts: DataFacts, name: str, chosen: Sample, columns: dict[str, Coded], scores: dict[str, Score]
) -> list[str]:
    """What a column is compared with: the rest but its copies; a new column with what the base had."""
    known = {column.name for column in facts.base.profile.columns} if facts.base else set()
    rest = [other for other in columns if other != name and (name in known or not known or other in known)]
    # A copy is a leak as well, and must not hide the first one. Only columns as strong can be copies.
    near = scores[name].mean - 0.05
    rest = [o for o in rest if scores[o].mean < near or not same(columns[name], columns[o], chosen)]
    return sorted(rest, key=lambda other: (-scores[other].mean, other))[:COLUMNS]


def _nothing(facts: DataFacts) -> Score:
    """What no column at all reaches."""
    chance = 0.5 if facts.classification else 0.0
    return Score(mean=chance, worst=chance, error=0.0)


def _is_new(facts: DataFacts, name: str) -> bool:
    return facts.base is not None and all(column.name != name for column in facts.base.profile.columns)


def _strong(facts: DataFacts, name: str) -> float:
    return STRONG[facts.classification] - (SOONER if _is_new(facts, name) else 0.0)


def _expected(facts: DataFacts, name: str) -> bool:
    terms = facts.contract.column(name) if facts.contract else None
    return terms is not None and terms.predicts_target


def _finding(facts: DataFacts, name: str, own: Score, others: tuple[int, float] | None, *, blocking: bool) -> Result:
    unit = _unit(facts)
    new = " is new and" if _is_new(facts, name) else ""
    beside = "" if others is None else f"; the {others[0]} other features together reach {others[1]:.3f}"
    message = (
        f"{name}{new} alone predicts {facts.target} with {unit} {own.mean:.3f}{beside}. "
        "Such a column is mostly known only afterwards: leave it out, or if it is honest write "
        "predicts_target: expected at the column in the contract"
    )
    result = failed(
        _NAME,
        message,
        blocking=blocking,
        column=name,
        score=round(own.mean, 4),
        others=None if others is None else round(others[1], 4),
    )
    return _with_place(facts, result)


def _missing(facts: DataFacts, chosen: Sample) -> Iterator[Result]:
    if not facts.classification:
        return
    for found in missing_patterns(facts, chosen):
        if _expected(facts, found.column):
            continue
        message = (
            f"{found.column} is {found.side} in {found.rows:,} of {len(chosen.rows):,} rows looked at, and "
            f"{found.share:.1%} of them have {facts.target} = {quoted(found.label)} (overall {found.overall:.1%}): "
            "whether it is there gives the target away. Leave it out, or if it is honest write "
            "predicts_target: expected at the column in the contract"
        )
        result = failed(
            _NAME, message, blocking=True, column=found.column, share=round(found.share, 4), rows=found.rows
        )
        yield _with_place(facts, result)


def _with_place(facts: DataFacts, result: Result) -> Result:
    place = facts.contract.where(f"columns.{result.column}") if facts.contract else None
    return msgspec.structs.replace(result, where=place)


def _unit(facts: DataFacts) -> str:
    if not facts.classification:
        return "R²"
    return "ROC AUC" if len(np.unique(facts.classes[1])) <= 2 else "mean ROC AUC"
