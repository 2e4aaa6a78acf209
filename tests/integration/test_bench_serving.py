"""What `make bench-serve` measures: a served release under load, and which claims its numbers bear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.serving.measure import Served, measured
from bench.serving.models import made
from bench.serving.peers import MLFLOW, OURS, PEERS
from bench.serving.table import claims, table
from tests.helpers import lacking, must_not_skip

if TYPE_CHECKING:
    from pathlib import Path


def test_a_release_is_loaded_with_requests_and_answers_them_all(tmp_path: Path) -> None:
    if why := lacking("wrk"):
        (pytest.fail if must_not_skip() else pytest.skip)(why)
    model = made("logistic regression", tmp_path / "project")
    served = measured(PEERS[0], model, tmp_path / "server", seconds=1)
    assert served.errors == 0
    assert min(served.rates.values()) > 50
    assert 0 < served.median <= served.p99
    assert 10 < served.memory < 500
    assert set(served.labels) == {True, False}
    assert OURS in table([served])


def test_a_claim_is_held_by_numbers_alone() -> None:
    ours = Served(
        peer=OURS,
        model="m",
        rates={1: 8000.0, 8: 9000.0},
        processor=80.0,
        median=0.5,
        p99=1.0,
        start=0.5,
        memory=80.0,
        errors=0,
        labels=(True, False),
    )
    theirs = replace(ours, peer=MLFLOW, rates={1: 199.0, 8: 199.0}, p99=5.0, start=3.1)

    def broken(ours: Served, theirs: Served, reached: float = 16_000.0) -> list[str]:
        told = claims([ours, theirs], {1: reached, 8: 10 * reached})
        return [text.removeprefix("m: ") for text, holds in told if not holds]

    assert broken(ours, theirs) == []
    assert broken(ours, replace(theirs, rates={1: 199.0, 8: 240.0})) == [
        "at least 40 times the requests of MLflow with eight clients"
    ]
    assert broken(ours, replace(theirs, rates={1: 8001.0, 8: 199.0})) == ["more requests than every other"]
    assert broken(ours, theirs, 16_001.0) == ["with one client half of what any server can reach here"]
    assert broken(replace(ours, p99=5.0), theirs) == ["p99 below every other's at equal load"]
    assert broken(replace(ours, memory=120.0), theirs) == ["under 120 MB"]
    assert broken(replace(ours, start=0.6), theirs) == ["the first answer six times sooner than MLflow's"]
    assert broken(replace(ours, errors=1), theirs) == ["no request failed"]
    assert broken(ours, replace(theirs, labels=(True, True))) == ["all give the same answers"]
