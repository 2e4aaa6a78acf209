"""A gate as a value: what is compared with what, and how sure one wants to be."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from mlops_ci.records.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric
    from mlops_ci.records.results import Where

Comparison = Literal[">", ">=", "<", "<=", "==", "!="]
Undecided = Literal["refuse", "warn", "accept"]


class TermKind(StrEnum):
    """What a term is computed from."""

    METRIC = "metric"
    WORST = "worst"
    GAP = "gap"
    CHANGED = "changed"
    """`d` of ease.ml/ci: the share of rows where candidate and champion predict differently."""
    FACT = "fact"


class Whose(StrEnum):
    """Whose answers a term is about."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    ANCHOR = "anchor"
    """A pinned decision: unlike the champion it stays where it is, so margins do not add up over releases."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """`coefficient` times one number: a metric of one of the models, its worst slice or gap, `d`, or a fact."""

    kind: TermKind
    name: str
    """Of the metric or the fact."""
    coefficient: float = 1.0
    whose: Whose = Whose.CANDIDATE
    column: str = ""
    """Of `metric[column=value]`, `worst(metric, by=column)` and `gap(...)`; empty: all rows."""
    value: str = ""
    min_rows: int = 1
    """`worst`, `gap`: slices with fewer rows in the metric's denominator are listed and not judged."""
    clip: float | None = None
    """`log_loss(clip=5)`: the largest loss of a row that counts."""
    metric: Metric | None = None
    """What the name stands for, the clip included; filled by `bound`."""
    at: int = 0
    """Where the term stands in the text, from 0."""

    @property
    def measure(self) -> Metric:
        """`metric`; ValueError before `bound`, and where nothing has that name."""
        if self.metric is None:
            raise ValueError(f"{self.name} is no metric that is known here")
        return self.metric

    @property
    def over_slices(self) -> bool:
        """One number from all values of a column."""
        return self.kind in {TermKind.WORST, TermKind.GAP}

    @property
    def slice(self) -> str:
        """`origin=JFK`, or empty."""
        return f"{self.column}={self.value}" if self.column and not self.over_slices else ""

    @property
    def against(self) -> Whose | None:
        """Whose answers it needs beside the candidate's; None: no other's."""
        if self.kind is TermKind.CHANGED:
            return Whose.CHAMPION
        return None if self.whose is Whose.CANDIDATE else self.whose


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """`Σ coefficient · term  comparison  threshold  [+/- tolerance] [@ confidence]`.

    Terms are as on the left of the comparison; where all of them stand on the right (`0.8 <= accuracy`) the gate is
    read from the right. Times are in seconds, sizes in bytes, percentages are shares.
    """

    text: str
    name: str
    comparison: Comparison
    terms: tuple[Term, ...]
    threshold: float
    confidence: float | None = None
    """0.95 for `@ 95%`."""
    tolerance: float | None = None
    """Of `+/- 0.01`, in the unit of the threshold; a gate with one has a confidence too."""
    when_undecided: Undecided = "refuse"
    where: Where | None = None

    @property
    def upwards(self) -> bool:
        """Larger is what passes."""
        return self.comparison in {">", ">="}

    @property
    def alpha(self) -> float:
        """1 - confidence; of a point gate 0.05, the level its interval is shown at."""
        return 0.05 if self.confidence is None else round(1.0 - self.confidence, 12)

    @property
    def against(self) -> Whose | None:
        """What the candidate is compared with: one of the two, or nothing."""
        return next((term.against for term in self.terms if term.against), None)

    @property
    def claim(self) -> str:
        """What is claimed of which rows, without the threshold: the bound is the same wherever that lies."""
        terms = sorted(canonical_json(_claimed(term)).decode() for term in self.terms)
        return f"{'low' if self.upwards else 'high'} {self.confidence} {self.tolerance} {' '.join(terms)}"


def _claimed(term: Term) -> dict[str, object]:
    """In the words of the looks that ledgers hold: an anchor is said only where there is one."""
    plain: dict[str, object] = msgspec.to_builtins(replace(term, at=0, metric=None))
    plain["champion"] = plain.pop("whose") == Whose.CHAMPION
    return plain | ({"anchor": True} if term.whose is Whose.ANCHOR else {})


def bound(gate: Gate, metrics: Mapping[str, Metric]) -> Gate:
    """The gate, every name of a metric followed to what it stands for; names that are in no registry stay without.

    Of a metric that does not say, what lets the gate pass is the better.
    """

    def follow(term: Term) -> Term:
        found = None if term.kind in {TermKind.FACT, TermKind.CHANGED} else metrics.get(term.name)
        if found is None:
            return replace(term, metric=None)
        better = gate.upwards if found.higher_is_better is None else found.higher_is_better
        return replace(term, metric=replace(found.clipped(term.clip), higher_is_better=better))

    return replace(gate, terms=tuple(follow(term) for term in gate.terms))
