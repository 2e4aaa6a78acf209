"""The table and the claims that rest on it."""

from __future__ import annotations

from collections.abc import Sequence

from bench.serving.measure import Served
from bench.serving.peers import MLFLOW, OURS

_HEAD = ("server", "requests/s (1)", "times", "(8)", "times", "µs CPU", "median ms", "p99 ms", "start s", "MB")
_WIDTHS = (24, 14, 6, 9, 6, 8, 10, 8, 8, 6)


def table(found: Sequence[Served]) -> str:
    """A block a model; `times`: how many requests ours answers for one of theirs, with one and with eight clients."""
    blocks = []
    for model in dict.fromkeys(served.model for served in found):
        of_model = [served for served in found if served.model == model]
        ours = next(served for served in of_model if served.peer == OURS)
        rows = [_line(_HEAD), *(_line(_cells(served, ours)) for served in of_model)]
        blocks.append("\n".join([f"One row a request, {model}", *rows]))
    return "\n\n".join(blocks) + "\n"


def claims(found: Sequence[Served], reached: dict[int, float]) -> list[tuple[str, bool]]:
    """What README says of these numbers, and whether they bear it. `reached`: what the machine lets any server reach.

    One client waits for its answer before it asks again: of that time most is the machine waking up two processes in
    turn, on a fast one more than forty times MLflow would leave. With eight it is the servers that are measured.
    """
    told = []
    for ours in (served for served in found if served.peer == OURS):
        others = [served for served in found if served.model == ours.model and served.peer != OURS]
        mlflow = next(served for served in others if served.peer == MLFLOW)
        told += [
            (
                f"{ours.model}: at least 40 times the requests of MLflow with eight clients",
                _times(ours, mlflow, 8) >= 40,
            ),
            (f"{ours.model}: with one client half of what any server can reach here", ours.rates[1] * 2 >= reached[1]),
            (f"{ours.model}: more requests than every other", all(_more(ours, one) for one in others)),
            (f"{ours.model}: p99 below every other's at equal load", all(ours.p99 < one.p99 for one in others)),
            (f"{ours.model}: under 120 MB", ours.memory < 120),
            (f"{ours.model}: the first answer six times sooner than MLflow's", ours.start * 6 <= mlflow.start),
            (f"{ours.model}: no request failed", ours.errors == 0),
            (f"{ours.model}: all give the same answers", all(ours.labels == one.labels for one in others)),
        ]
    return told


def limit(found: dict[int, float]) -> str:
    """The line below the table."""
    told = ", ".join(f"{rate:,.0f} with {number}" for number, rate in found.items())
    return f"A server that reads no question and answers with two bytes: {told} requests/s\n"


def _times(ours: Served, other: Served, number: int) -> float:
    return ours.rates[number] / other.rates[number]


def _more(ours: Served, other: Served) -> bool:
    return all(rate > other.rates[number] for number, rate in ours.rates.items())


def _cells(served: Served, ours: Served) -> tuple[str, ...]:
    return (
        served.peer,
        f"{served.rates[1]:,.0f}",
        f"{_times(ours, served, 1):.1f}",
        f"{served.rates[8]:,.0f}",
        f"{_times(ours, served, 8):.1f}",
        f"{served.processor:,.0f}",
        f"{served.median:.2f}",
        f"{served.p99:.2f}",
        f"{served.start:.2f}",
        f"{served.memory:.0f}",
    )


def _line(cells: Sequence[str]) -> str:
    first, *rest = (
        cell.ljust(width) if not at else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return " ".join([first, *rest])
