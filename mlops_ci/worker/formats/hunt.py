"""Rows that no table has, made to part two models: at jumps, with values missing, with text never seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..failures import Failure
from .jumps import Jumps, places

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import answers

UNKNOWN = "mlops-ci: no such value"
_ROWS = 20


@dataclass(frozen=True)
class Hunted:
    """Rows of one sort (jump, missing, unknown, capitals): a frame, what the model answered, each row's column."""

    sort: str
    frame: Any
    judged: answers.Answers
    columns: list[str]


class Hunter:
    """Asks the project's model about rows that might part another one from it."""

    def __init__(self, ask: Callable[[Any], answers.Answers], frame: Any, kinds: dict[str, str]) -> None:
        self._ask = ask
        self._frame = frame.reset_index(drop=True)
        self._kinds = kinds
        self.refused: list[str] = []
        """What the model itself does not answer, in words."""

    def hunt(self, score: Callable[[Any], Any], *, nullable: list[str], allowed: float) -> list[Hunted]:
        """All such rows. score: frame -> shape (rows, scores), what jumps; allowed: differences that are none."""
        if not len(self._frame):
            return []
        found = [self._at_jumps(Jumps(score, self._frame, self._kinds), allowed)]
        found += [self._replaced("missing", name, None) for name in self._kinds if name in nullable]
        text = [name for name, kind in self._kinds.items() if kind == "text"]
        found += [self._replaced("unknown", name, UNKNOWN) for name in text]
        found += [self._changed("capitals", name, lambda values: values.str.upper()) for name in text]
        return [each for each in found if each is not None]

    def _at_jumps(self, jumps: Jumps, allowed: float) -> Hunted | None:
        self.refused += [f"{column}: values between those of the table" for column in jumps.refused]
        jumps.close_in(allowed)
        frame, columns = jumps.rows()
        return Hunted("jump", frame, self._ask(frame), columns) if columns else None

    def _replaced(self, sort: str, column: str, value: str | None) -> Hunted | None:
        def change(values: Any) -> Any:
            if self._kinds[column] == "text":
                return pd.Series([np.nan if value is None else value] * len(values), dtype=values.dtype)
            return None if self._kinds[column] == "boolean" else np.nan

        return self._changed(sort, column, change)

    def _changed(self, sort: str, column: str, change: Callable[[Any], Any]) -> Hunted | None:
        frame = self._frame.iloc[places(len(self._frame), _ROWS)].reset_index(drop=True).copy()
        frame[column] = change(frame[column])
        try:
            judged = self._ask(frame)
        except Failure:
            self.refused.append(f"{column}: {sort}")
            return None
        return Hunted(sort, frame, judged, [column] * len(frame))
