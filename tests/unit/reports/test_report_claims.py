"""What is said of one verdict."""

from __future__ import annotations

import pytest

from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.reports import claims
from mlops_ci.reports.document import plain


def difference(now: float, before: float, low: float, high: float) -> Verdict:
    return Verdict(
        gate="roc_auc - champion.roc_auc > -0.01 @ 95%",
        name="",
        verdict=Status.PASSED,
        observed=now - before,
        low=low,
        high=high,
        threshold=-0.01,
        confidence=0.95,
        difference=True,
        candidate=Side(value=now),
        champion=Side(value=before),
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.005, 0.006, "is 0.7183 against 0.7179, no difference the rows can tell"),
        (0.0001, 0.006, "rose from 0.7179 to 0.7183"),
    ],
)
def test_a_model_rose_only_where_the_interval_says_so(low: float, high: float, said: str) -> None:
    assert said in plain(claims.outcome(difference(0.7183, 0.7179, low, high)))
