"""The rows a term is about: holdout, candidate and rival cut to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from mlops_ci.gates.gate import Whose
from mlops_ci.gates.question import answers_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.gates.gate import Term
    from mlops_ci.gates.question import Question
    from mlops_ci.records.evaluation import Holdout, Predictions


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Rows and the answers on them; rival is what the candidate is compared with, None where there is none."""

    holdout: Holdout
    candidate: Predictions
    rival: Predictions | None = None
    against: Whose = Whose.CHAMPION
    """Whose answers `rival` are."""
    unanswered: NDArray[np.bool_] | None = None
    """Shape (n,): rows the rival could not be asked about."""

    @property
    def alike(self) -> bool:
        """Candidate and rival give the same labels and scores on every row."""
        one, other = self.candidate, self.rival
        if other is None or not np.array_equal(one.labels, other.labels):
            return False
        if one.scores is None or other.scores is None:
            return one.scores is other.scores
        return bool(np.array_equal(one.scores, other.scores))

    @property
    def in_full(self) -> bool:
        """The rival answers every row."""
        return self.unanswered is None or not self.unanswered.any()

    def cut(self, rows: NDArray[np.bool_]) -> Sample:
        """These rows only; rows: shape (n,) bool."""
        return self if rows.all() else self.take(np.flatnonzero(rows))

    def take(self, rows: NDArray[np.intp]) -> Sample:
        """The rows at these places, ascending."""
        group = self.holdout.group
        holdout = replace(
            self.holdout,
            ids=self.holdout.ids[rows],
            truth=self.holdout.truth[rows],
            group=None if group is None else group[rows],
            slices={
                column: replace(factor, codes=factor.codes[rows]) for column, factor in self.holdout.slices.items()
            },
        )
        return Sample(
            holdout=holdout,
            candidate=answers_on(self.candidate, rows),
            rival=None if self.rival is None else answers_on(self.rival, rows),
            against=self.against,
            unanswered=None if self.unanswered is None else self.unanswered[rows],
        )

    def of(self, term: Term) -> Predictions:
        """The answers of the model the term is about; ValueError without that rival, which is asked before."""
        if term.whose is Whose.CANDIDATE:
            return self.candidate
        if self.rival is None or term.whose is not self.against:
            raise ValueError(f"a term of the {term.whose} on a sample without its answers")
        return self.rival


def whole(question: Question, against: Whose | None = None) -> Sample:
    """All rows of the holdout, with the answers of what is compared with if there are any; else the champion's."""
    whose = against or Whose.CHAMPION
    rival = question.rival(whose)
    answers = rival.predictions if rival else None
    return Sample(
        holdout=question.holdout,
        candidate=question.predictions,
        rival=answers,
        against=whose,
        unanswered=rival.unanswered if rival and answers else None,
    )


def rows_of(column: str, value: str, holdout: Holdout) -> NDArray[np.bool_]:
    """The rows with that value of the column, shape (n,). KeyError for a column the holdout cannot be cut by."""
    factor = holdout.slices[column]
    if value not in factor.values:
        return np.zeros(holdout.rows, dtype=bool)
    return np.asarray(factor.codes == factor.values.index(value))
