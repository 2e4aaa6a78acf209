"""What the formats are handed and what they give back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..failures import Failure
from .feeds import parts
from .hunt import Hunted
from .parity import Parity

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import answers

_LONGEST = 300
_TREES = re.compile("Tree|Forest|Boost|Bagging")
_WHERE = {"missing": "is missing", "unknown": "holds a text never seen", "capitals": "is written in capitals"}


class Refused(Exception):  # noqa: N818 - an outcome, not a mistake
    """A format that cannot be taken, and why, in one or more sentences."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = list(reasons)


class Unconverted(Refused):
    """A format that no converter writes of this model: nothing was compared."""


@dataclass(frozen=True)
class Chosen:
    """A file that answers as the model does. reasons: why other ways to the same format were not taken."""

    file: str
    parity: dict[str, Any]
    reasons: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of the answer."""


@dataclass(frozen=True)
class Judged:
    """The project's model, the held-out rows it was judged on, and its answers there and on hunted rows."""

    model: Any
    frame: Any
    kinds: dict[str, str]
    task: str
    ask: Callable[[Any, Any], answers.Answers]
    found: answers.Answers
    allowed: float
    hunted: list[Hunted]
    refused: list[str]

    def prediction_kind(self) -> str:
        """What `predict` answers: integer, float, text or boolean."""
        if self.task == "regression":
            return "float"
        label = np.asarray(self.model.predict(self.frame.iloc[:1])).ravel()[0]
        if isinstance(label, (bool, np.bool_)):
            return "boolean"
        if isinstance(label, (int, np.integer)):
            return "integer"
        return "float" if isinstance(label, (float, np.floating)) else "text"

    def has_trees(self) -> bool:
        """Whether thresholds alone decide, as in scikit-learn's trees: in float64 nothing of these is rounded.

        Distances and votes of support vectors are, and of other libraries nobody says how they compare.
        """
        inside = [self.model, *parts(self.model, deep=True)]
        return any(type(one).__module__.startswith("sklearn.") and _TREES.search(type(one).__name__) for one in inside)

    def compare(self, other: Any, *, cast: Any = np.float64) -> dict[str, Any]:
        """The parity of another model, where it holds; cast: the type numbers have in its inputs. Raises Refused."""
        parity = Parity(self.found, self._asked(other, self.frame), task=self.task, allowed=self.allowed)
        if not parity.holds:
            raise Refused(f"{parity.words()}; the worst is row {parity.worst} of the held-out rows")
        effects: list[dict[str, Any]] = []
        counts: dict[str, int] = {}
        for hunted in self.hunted:
            found = Parity(hunted.judged, self._asked(other, hunted.frame), task=self.task, allowed=self.allowed)
            counts[hunted.sort] = counts.get(hunted.sort, 0) + found.rows
            if not found.holds:
                effects += self._excused(hunted, found, cast)
        return {
            "rows": parity.rows,
            "labels_differ": 0,
            "largest_difference": parity.largest,
            "tolerance": self.allowed,
            "worst_row": parity.worst,
            "hunted": counts,
            "effects": effects[:20],
            "effect_count": len(effects),
            "not_asked": self.refused,
        }

    def _asked(self, other: Any, frame: Any) -> answers.Answers:
        try:
            return self.ask(other, frame)
        except Failure as failure:
            raise Refused(first_line(failure.message)) from None

    def _excused(self, hunted: Hunted, parity: Parity, cast: Any) -> list[dict[str, Any]]:
        """Differences at a jump that rounding to float32 explains and no held-out row can show."""
        if hunted.sort != "jump":
            column = hunted.columns[parity.worst or 0]
            raise Refused(f"where {column!r} {_WHERE[hunted.sort]}, {parity.words()}")
        effects = []
        for place in np.flatnonzero(parity.wrong):
            column = hunted.columns[place]
            value = float(hunted.frame[column].iloc[place])
            alike = self._alike(hunted, int(place), value, cast)
            if alike:
                raise Refused(
                    f"{column!r} = {value!r}, where the model jumps, is answered differently, "
                    f"and {alike:,} held-out rows have that value as {np.dtype(cast).name}"
                )
            if cast is np.float64 and self.has_trees():
                raise Refused(
                    f"{column!r} = {value!r}, where the model jumps, is answered differently, which is no rounding"
                )
            effects.append({"column": column, "value": value})
        return effects

    def _alike(self, hunted: Hunted, place: int, value: float, cast: Any) -> int:
        """Held-out rows whose value is the same to the other model, and whom this one answers as it did here."""
        column = hunted.columns[place]
        held = self.frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        values, counts = np.unique(held[held.astype(cast) == cast(value)], return_counts=True)
        if not len(values):
            return 0
        rows = hunted.frame.iloc[[place] * len(values)].reset_index(drop=True).assign(**{column: values})
        here = hunted.judged.take([place] * len(values))
        same = Parity(here, self.ask(self.model, rows), task=self.task, allowed=self.allowed)
        return int(counts[~same.wrong].sum())


def first_line(error: object) -> str:
    """The first line of a message, shortened."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:_LONGEST]
