"""What the data checks are told, and what several of them need computed once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.data.classes import class_codes
from mlops_ci.data.contract_validate import answers
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.data.contract_answer import Answer
    from mlops_ci.data.contract_terms import Contract
    from mlops_ci.data.drift import Drift
    from mlops_ci.records.data import DataChange, Profile
    from mlops_ci.records.tables import Table


class BaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the base's snapshot."""

    profile: Profile
    rows: int
    target_shares: tuple[tuple[str, float], ...] = ()
    """Of the classes; for regression mean and median."""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """One snapshot and everything it is judged by.

    holdout: shape (rows,) bool. ids: shape (rows,) uint64, keyed row ids (row digests where there is no id column).
    The target has no missing values: those rows were dropped or refused before.
    """

    table: Table
    holdout: NDArray[np.bool_]
    ids: NDArray[np.uint64]
    profile: Profile
    task: Task
    target: str
    id: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    time: str | None = None
    contract: Contract | None = None
    base: BaseFacts | None = None
    data_change: DataChange | None = None
    drift: tuple[tuple[str, Drift], ...] = ()
    """By column, against the base (data.difference.column_drifts)."""
    as_of: str = ""
    """The commit's time, ISO 8601 UTC, so that the answer does not depend on the day it is asked."""

    @cached_property
    def features(self) -> tuple[str, ...]:
        """All columns but the target and the id."""
        return tuple(name for name in self.table.names if name != self.target and name not in self.id)

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The contract's clauses; empty without one."""
        if self.contract is None:
            return ()
        return answers(self.contract, self.profile, self.table, as_of=self.as_of)

    @cached_property
    def feature_keys(self) -> NDArray[np.uint64]:
        """Shape (rows,): equal where all features are."""
        return row_keys(self.table, self.features)

    @cached_property
    def classes(self) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """The target's codes, shape (rows,), and the classes' names."""
        return class_codes(self.table.column(self.target))

    @property
    def classification(self) -> bool:
        return self.task is not Task.REGRESSION
