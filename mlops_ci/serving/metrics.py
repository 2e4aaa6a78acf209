"""Counts of a server, all its workers together, in Prometheus' text form.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from .counts import Counts

_BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
READY = "mlops_ci_ready"
RESTARTS = "mlops_ci_worker_restarts_total"
RELOADED = 'mlops_ci_reloads_total{result="done"}'
NOT_RELOADED = 'mlops_ci_reloads_total{result="failed"}'
# Of the prediction log, each counted by one thread at a time.
LOGGED = "mlops_ci_log_rows_total"
LATE = "mlops_ci_log_late_total"
SETTLED = "late records that wait no more"
LOST = "records that the disk did not take"
OVERFLOWED = "records that too many others were waiting before"
FAILING = "mlops_ci_log_failing"

_REQUESTS = "mlops_ci_requests_total"
_ERRORS = "mlops_ci_errors_total"
_ROWS = "mlops_ci_rows_total"
_SECONDS = "mlops_ci_request_seconds"
_SUM = f"{_SECONDS}_sum"
_WAITING = "mlops_ci_log_waiting"
_DROPPED = "mlops_ci_log_dropped_total"
_LABELLED = (
    (_REQUESTS, "Requests by path and status."),
    (_ERRORS, "Requests that were not answered, by code."),
    ("mlops_ci_reloads_total", "Reloads of the bundle, by what came of them."),
)
_PLAIN = (
    (_ROWS, "counter", "Rows that were answered."),
    (READY, "gauge", "Processes that requests should come to."),
    (RESTARTS, "counter", "Workers that were started again."),
)
_OF_A_LOG = (
    (LOGGED, "counter", "Records in the prediction log."),
    (LATE, "counter", "Records that waited for a disk that stalled."),
    (_WAITING, "gauge", "Records that are waiting for it."),
    (_DROPPED, "counter", "Records that are in no log."),
    (FAILING, "gauge", "Processes whose last record could not be written."),
)


class Metrics:
    """What was asked and answered since the server started; `counts` are those of this process."""

    def __init__(self, labels: Mapping[str, str], counts: Counts) -> None:
        self._labels = dict(labels)
        self.counts = counts
        self._requests: dict[tuple[str, int], str] = {}
        self._buckets = [f'{_SECONDS}_bucket{{le="{bound}"}}' for bound in (*_BOUNDS, "+Inf")]

    def answered(self, path: str, status: int) -> None:
        """A request to a path had an answer of this status."""
        key = path, status
        name = self._requests.get(key)
        if name is None:
            name = self._requests[key] = f'{_REQUESTS}{{path="{path}",status="{status}"}}'
        self.counts.add(name)

    def refused(self, code: str) -> None:
        """A request was not answered."""
        self.counts.add(f'{_ERRORS}{{code="{code}"}}')

    def rows(self, count: int) -> None:
        """So many rows were answered."""
        self.counts.add(_ROWS, count)

    def took(self, seconds: float) -> None:
        """A question that was answered, or refused, after so long."""
        self.counts.add(_SUM, seconds)
        self.counts.add(self._buckets[bisect_left(_BOUNDS, seconds)])  # this one only; `text` sums up

    def text(self, *, logged: bool) -> str:
        """All of it; that of the prediction log where something is `logged`."""
        sums = self.counts.sums()
        sums |= {_WAITING: _waiting(sums), _DROPPED: _dropped(sums)}
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in self._labels.items())
        lines = [*_head("mlops_ci_model_info", "gauge", "What is served."), f"mlops_ci_model_info{{{inner}}} 1"]
        for family, words in _LABELLED:
            lines += _head(family, "counter", words)
            lines += [_line(name, sums[name]) for name in sorted(sums) if name.startswith(f"{family}{{")]
        lines += self._histogram(sums)
        for name, kind, words in (*_PLAIN, *(_OF_A_LOG if logged else ())):
            lines += [*_head(name, kind, words), _line(name, sums.get(name, 0.0))]
        return "\n".join(lines) + "\n"

    def _histogram(self, sums: Mapping[str, float]) -> list[str]:
        lines, count = _head(_SECONDS, "histogram", "From the head of a question to its answer."), 0.0
        for name in self._buckets:
            count += sums.get(name, 0.0)
            lines.append(_line(name, count))
        return [*lines, _line(_SUM, sums.get(_SUM, 0.0)), _line(f"{_SECONDS}_count", count)]


def left(counts: Counts) -> None:
    """The process of these counts has ended: what waited in it is lost, and it is not there any more."""
    counts.add(LOST, counts[LATE] - counts[SETTLED])
    counts[SETTLED] = counts[LATE]
    counts[READY] = counts[FAILING] = 0.0


def told_of_log(sums: Mapping[str, float]) -> str:
    """What became of the records of a server that has ended: what still waits is lost."""
    return f"{sums.get(LOGGED, 0.0):.0f} records logged, {_dropped(sums) + _waiting(sums):.0f} dropped"


def _dropped(sums: Mapping[str, float]) -> float:
    return sums.get(LOST, 0.0) + sums.get(OVERFLOWED, 0.0)


def _waiting(sums: Mapping[str, float]) -> float:
    return sums.get(LATE, 0.0) - sums.get(SETTLED, 0.0)


def _head(name: str, kind: str, words: str) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]


def _line(name: str, value: float) -> str:
    return f"{name} {int(value) if value.is_integer() else value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
