"""Counts that several processes add up in one memory, and that outlive each of them."""

from __future__ import annotations

from mmap import mmap

import pytest

from mlops_ci.serving.counts import PART, Counts
from mlops_ci.serving.metrics import LATE, LOGGED, LOST, SETTLED, Metrics, told_of_log

PATHS = (
    *("/health", "/ready", "/metadata", "/metrics", "/openapi.json", "/invocations", "/v2", "/v2/health/live"),
    *("/v2/health/ready", "/v2/models", "/v2/models/ready", "/v2/models/infer", "/ping", "/version", "other"),
)
STATUSES = (200, 400, 401, 404, 405, 408, 413, 415, 500, 503)


def test_what_a_killed_process_counted_is_gone_on_with() -> None:
    memory = mmap(-1, 2 * PART)
    first, second = Counts(memory, 0), Counts(memory, 1)
    first.add("a", 2)
    first.add("b", 0.5)
    second.add("b")
    taken = Counts(memory, 0)  # another process, in its place
    taken.add("c")
    taken.add("a")
    assert taken.sums() == second.sums() == {"a": 3, "b": 1.5, "c": 1}
    assert (taken["a"], taken["b"], second["a"]) == (3, 0.5, 0)


def test_all_that_is_ever_counted_has_room() -> None:
    counts = Counts()
    metrics = Metrics({}, counts)
    for path in PATHS:
        for status in STATUSES:
            metrics.answered(path, status)
    for code in range(50):  # there are about thirty
        metrics.refused(f"a_code_of_some_length_{code}")
    metrics.took(1)
    metrics.rows(1)
    assert metrics.text(logged=True).count("mlops_ci_requests_total{") == len(PATHS) * len(STATUSES)
    with pytest.raises(ValueError, match="no room to count"):
        metrics.answered("x" * 100, 200)


def test_a_log_that_ended_says_what_became_of_every_record() -> None:
    counts = Counts()
    counts[LATE], counts[SETTLED], counts[LOGGED], counts[LOST] = 12, 5, 5, 1
    assert told_of_log(counts.sums()) == "5 records logged, 8 dropped"
    text = Metrics({}, counts).text(logged=True)
    assert "mlops_ci_log_waiting 7\n" in text
    assert "mlops_ci_log_dropped_total 1\n" in text
