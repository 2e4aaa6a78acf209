"""From conditions of deepchecks to Results: one for each check, the worst of its conditions."""

from __future__ import annotations

import msgspec

from mlops_ci.edge.deepchecks import Condition
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result

NAME = "deepchecks"
_SIDES = {"train": "training rows: ", "holdout": "held-out rows: ", "": ""}
_STATUS = {
    "PASS": Status.PASSED,
    "WARN": Status.FAILED,
    "FAIL": Status.FAILED,
    "ERROR": Status.ERRORED,
    "NOT_RUN": Status.ERRORED,
}
_WORST = (Status.ERRORED, Status.FAILED, Status.PASSED)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows a part looked at, of how many there are; `train` is 0 where it looks at held-out rows only."""

    train: int
    train_of: int
    holdout: int
    holdout_of: int

    def __str__(self) -> str:
        """`on 5,000 of 129,857 training and 700 of 700 held-out rows`."""
        train = f"{self.train:,} of {self.train_of:,} training and " if self.train else ""
        return f"on {train}{self.holdout:,} of {self.holdout_of:,} held-out rows"

    def numbers(self) -> dict[str, int | float | str | None]:
        holdout = {"holdout_rows": self.holdout, "holdout_rows_of": self.holdout_of}
        return {"train_rows": self.train, "train_rows_of": self.train_of, **holdout} if self.train else dict(holdout)


def results(conditions: tuple[Condition, ...], *, part: Part, counts: Counts, blocking: bool) -> tuple[Result, ...]:
    """One Result a check, in the order of the answer; the rows it looked at are stated."""
    names = dict.fromkeys(condition.check for condition in conditions)
    return tuple(
        _result([each for each in conditions if each.check == name], part=part, counts=counts, blocking=blocking)
        for name in names
    )


def _result(conditions: list[Condition], *, part: Part, counts: Counts, blocking: bool) -> Result:
    found = {_STATUS[condition.category] for condition in conditions}
    status = next(each for each in _WORST if each in found)
    told = [condition for condition in conditions if _STATUS[condition.category] is status]
    return Result(
        check=f"{NAME}/{conditions[0].check}",
        part=part,
        status=status,
        message=f"{_sentence(told, status)} ({counts})",
        blocking=blocking,
        numbers=counts.numbers(),
    )


def _sentence(told: list[Condition], status: Status) -> str:
    """What was found and what is allowed; what both sides say alike is said once."""
    same = len({condition.text for condition in told}) == 1
    found = dict.fromkeys(("" if same else _SIDES[each.side]) + each.text for each in told if each.text)
    allowed = dict.fromkeys(each.allowed for each in told if each.allowed)
    words = "; ".join(found)
    if allowed:
        words = "; ".join(filter(None, (words, f"asked: {', '.join(allowed)}")))
    return f"did not run: {words}" if status is Status.ERRORED else words


def not_run(message: str, *, part: Part, status: Status, blocking: bool, details: str = "") -> Result:
    """One Result for a part that has no answers at all."""
    return Result(check=NAME, part=part, status=status, message=message, blocking=blocking, details=details)
