"""Counts of one process, in Prometheus' text form (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

_BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What was asked and answered since the process started."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self.requests: Counter[tuple[str, int]] = Counter()
        self.errors: Counter[str] = Counter()
        self.rows = 0
        self._seconds = 0.0
        self._buckets = [0] * (len(_BOUNDS) + 1)

    def took(self, seconds: float) -> None:
        """A question that was answered, or refused, after so long."""
        self._seconds += seconds
        self._buckets[bisect_left(_BOUNDS, seconds)] += 1

    def text(self, gauges: Iterable[tuple[str, str, str, float]]) -> str:
        """All of it; `gauges` are (name, type, help, value) of others."""
        lines = [
            *_head("mlops_ci_model_info", "gauge", "What is served."),
            _line("mlops_ci_model_info", self._labels, 1),
        ]
        lines += _head("mlops_ci_requests_total", "counter", "Requests by path and status.")
        for (path, status), count in sorted(self.requests.items()):
            lines.append(_line("mlops_ci_requests_total", {"path": path, "status": str(status)}, count))
        lines += _head("mlops_ci_errors_total", "counter", "Requests that were not answered, by code.")
        lines += [_line("mlops_ci_errors_total", {"code": code}, count) for code, count in sorted(self.errors.items())]
        lines += _head("mlops_ci_rows_total", "counter", "Rows that were answered.")
        lines.append(_line("mlops_ci_rows_total", {}, self.rows))
        lines += self._histogram()
        for name, kind, words, value in gauges:
            lines += [*_head(name, kind, words), _line(name, {}, value)]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "mlops_ci_request_seconds"
        lines, count = _head(name, "histogram", "From the head of a question to its answer."), 0
        for bound, within in zip((*_BOUNDS, "+Inf"), self._buckets, strict=True):
            count += within
            lines.append(_line(f"{name}_bucket", {"le": str(bound)}, count))
        return [*lines, _line(f"{name}_sum", {}, self._seconds), _line(f"{name}_count", {}, count)]


def _head(name: str, kind: str, words: str) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
